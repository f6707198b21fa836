/* XCLIENT (Postfix's XCLIENT_README): a client that smtpd_authorized_xclient_hosts names says for whom it
 * connects. Everything then holds for that client, as if it had just connected: restrictions, limits, log,
 * trace. Whether it may do so again is a question of that client's address, too. */
#include "smtp/rules.h"
#include "smtp/session_impl.h"

bool smtp_may_xclient(const struct smtp_session *s)
{
    return s->has_address && !smtp_is_lmtp(s) &&
           conf_list_has_address(&s->conf->smtpd_authorized_xclient_hosts, &s->address);
}

/* Keeps the text as long as the session, or "unknown". */
static str keep(char *room, size_t size, const struct smtp_attr *attr)
{
    must(str_copy(room, size, attr->state == SMTP_ATTR_GIVEN ? attr->value : S("unknown")) == RC_OK);
    return str_c(room);
}

static void claim_name(struct smtp_claim *c, const struct smtp_attr *attr)
{
    c->p.client_name = keep(c->name, sizeof c->name, attr);
    c->p.name_is_uncertain = attr->state == SMTP_ATTR_TEMPUNAVAIL;
}

static void claim_reverse_name(struct smtp_claim *c, const struct smtp_attr *attr)
{
    c->p.client_reverse_name = keep(c->reverse_name, sizeof c->reverse_name, attr);
    c->p.reverse_is_uncertain = attr->state == SMTP_ATTR_TEMPUNAVAIL;
}

static void claim_helo(struct smtp_session *s, const struct smtp_attr *attr)
{
    if (attr->state != SMTP_ATTR_GIVEN)
        return;
    must(str_copy(s->helo_room, sizeof s->helo_room, attr->value) == RC_OK);
    s->helo = str_c(s->helo_room);
    if (s->hello == SMTP_HELLO_NONE)
        s->hello = SMTP_HELLO_PLAIN;
}

/* As if by AUTH, with a mechanism of this name. */
static void claim_login(struct smtp_session *s, const struct smtp_attr *attr)
{
    if (attr->state != SMTP_ATTR_GIVEN)
        return;
    must(str_copy(s->account_room, sizeof s->account_room, attr->value) == RC_OK);
    s->account = str_c(s->account_room);
    s->method = S("XCLIENT");
}

static void claim(struct smtp_session *s, const struct smtp_attr *attr)
{
    struct smtp_claim *c = &s->claim;
    switch (attr->name) {
    case SMTP_ATTR_NAME:
        claim_name(c, attr);
        if (attr->state == SMTP_ATTR_GIVEN)
            claim_reverse_name(c, attr);
        break;
    case SMTP_ATTR_REVERSE_NAME:
        claim_reverse_name(c, attr);
        break;
    case SMTP_ATTR_ADDR:
        c->p.client_address = keep(c->address, sizeof c->address, attr);
        break;
    case SMTP_ATTR_PORT:
        c->p.client_port = attr->port;
        break;
    case SMTP_ATTR_DESTADDR:
        c->p.server_address = keep(c->server_address, sizeof c->server_address, attr);
        break;
    case SMTP_ATTR_DESTPORT:
        c->p.server_port = attr->port;
        break;
    case SMTP_ATTR_PROTO:
        if (str_ieq(attr->value, S("ESMTP")))
            s->hello = SMTP_HELLO_EXTENDED;
        break;
    case SMTP_ATTR_HELO:
        claim_helo(s, attr);
        break;
    case SMTP_ATTR_LOGIN:
        claim_login(s, attr);
        break;
    default:
        break;
    }
}

/* PROTO says how the client greeted, and counts for nothing without HELO, which may stand before it or
 * behind. */
static void begin_again(struct smtp_session *s)
{
    struct smtp_params *p = &s->claim.p;
    if (s->helo.n == 0)
        s->hello = SMTP_HELLO_NONE;
    s->p = p;
    s->has_address = ip_parse(p->client_address, &s->address) == RC_OK;
    p->client_is_here =
        s->has_address && (ip_is_loopback(&s->address) || str_eq(p->client_address, p->server_address));
    s->restrict_ = (struct smtp_restrict){.arena = s->restrict_.arena};
    if (s->env->client_is)
        s->env->client_is(p->env_ctx, p);
    smtp_greet(s);
}

void smtp_cmd_xclient(struct smtp_session *s, str args)
{
    struct smtp_attr attrs[SMTP_ATTR_COUNT * 2];
    size_t n = 0;
    struct err e;
    enum rc rc = RC_OK;
    if (smtp_refuse_attributes(s, smtp_may_xclient(s), args))
        return;
    while (n < sizeof attrs / sizeof *attrs &&
           (rc = smtp_attr_take(SMTP_ATTR_XCLIENT, &args, s->cmd_arena, &attrs[n], &e)) != RC_GONE) {
        if (rc != RC_OK) {
            smtp_reply_err(s, &e);
            return;
        }
        n++;
    }
    if (rc != RC_GONE) {
        smtp_reply(s, 501, "5.5.4", "Error: more than %d attributes", SMTP_ATTR_COUNT * 2);
        return;
    }
    if (s->p != &s->claim.p)
        s->claim.p = *s->p;
    smtp_forget_client(s);
    for (size_t i = 0; i < n; i++)
        claim(s, &attrs[i]);
    begin_again(s);
}
