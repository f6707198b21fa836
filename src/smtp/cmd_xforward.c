/* XFORWARD (Postfix's XFORWARD_README): a client that smtpd_authorized_xforward_hosts names says from whom it
 * has the next message. This is for the log alone: it gives no rights. */
#include "smtp/rules.h"
#include "smtp/session_impl.h"

bool smtp_may_xforward(const struct smtp_params *p, const struct ip_net *address)
{
    return p->kind != SMTP_KIND_LMTP &&
           conf_list_has_address(&p->conf->smtpd_authorized_xforward_hosts, address);
}

bool smtp_refuse_attributes(struct smtp_session *s, bool authorized, str args)
{
    if (s->tx.mail_ok)
        smtp_reply(s, 503, "5.5.1", "Error: MAIL transaction in progress");
    else if (args.n == 0)
        smtp_reply(s, 501, "5.5.4", "Syntax: %s attribute=value...", s->last_verb);
    else if (!authorized)
        smtp_reply(s, 550, "5.7.0", "Error: insufficient authorization");
    else
        return false;
    return true;
}

static str kept(struct smtp_session *s, const struct smtp_attr *attr, str otherwise)
{
    return attr->state == SMTP_ATTR_GIVEN ? arena_str(s->tx.arena, attr->value) : otherwise;
}

static void note(struct smtp_session *s, const struct smtp_attr *attr)
{
    struct smtp_forwarded *f = &s->tx.forwarded;
    if (attr->name == SMTP_ATTR_NAME)
        f->name = kept(s, attr, S("unknown"));
    else if (attr->name == SMTP_ATTR_ADDR)
        f->address = kept(s, attr, S("unknown"));
    else if (attr->name == SMTP_ATTR_IDENT)
        f->id = kept(s, attr, STR_NONE);
}

void smtp_cmd_xforward(struct smtp_session *s, str args)
{
    struct smtp_attr attr;
    struct err e;
    enum rc rc;
    if (smtp_refuse_attributes(s, s->may_xforward, args))
        return;
    while ((rc = smtp_attr_take(SMTP_ATTR_XFORWARD, &args, s->cmd_arena, &attr, &e)) == RC_OK)
        note(s, &attr);
    if (rc == RC_GONE && !arena_exhausted(s->tx.arena))
        smtp_reply(s, 250, "2.0.0", "Ok");
    else if (rc == RC_GONE)
        smtp_reply(s, 452, "4.3.1", "Error: too many attributes");
    else
        smtp_reply_err(s, &e);
}

/* "name[address]", or what there is of it. */
void smtp_put_forwarded(const struct smtp_forwarded *f, struct buf *out)
{
    bool has_address = f->address.n > 0 && !str_eq(f->address, S("unknown"));
    if (f->id.n > 0)
        buf_printf(out, ", orig_queue_id=" STR_FMT, STR_ARG(f->id));
    if (f->name.n > 0 || f->address.n > 0)
        buf_printf(out, ", orig_client=" STR_FMT, STR_ARG(f->name.n > 0 ? f->name : S("unknown")));
    if (has_address)
        buf_printf(out, "[" STR_FMT "]", STR_ARG(f->address));
}
