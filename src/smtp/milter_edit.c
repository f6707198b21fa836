/* What a milter asks to be changed at the end of a message. Recipients and sender as Postfix takes them: an
 * address that is none is passed over with a warning, arguments that are not understood, too. */
#include "base/log.h"
#include "smtp/milter_impl.h"

enum { INDEX_MAX = INT32_MAX };

#define ID(x)    STR_ARG((x)->s->tx.id)
#define PLACE(m) STR_ARG((m)->conf.place)

static void fail(struct milter_mail *x, enum rc rc)
{
    if (rc == RC_LIMIT)
        smtp_message_fail(x->s, 452, "4.3.1", "Error: insufficient system storage");
    else
        smtp_message_fail(x->s, 451, "4.3.0", "Error: queue file write error");
}

/* --- the header --- */

/* "name:value" as it will stand there. False: it stays out. */
static bool make_field(struct milter_mail *x, const struct milter *m, const struct milter_message *e,
                       str *ret)
{
    bool spaced = m->options.protocol & MILTER_LEADING_SPACE || e->value.n == 0;
    str value = spaced ? e->value : arena_printf(x->arena, " " STR_FMT, STR_ARG(e->value));
    enum rc rc = header_edit_field_text(x->arena, e->name, value, ret);
    if (rc == RC_INVALID) {
        log_warn("milter " STR_FMT ": bad header name: \"" STR_FMT "\"", PLACE(m),
                 STR_ARG(str_sub(e->name, 0, 60)));
        smtp_message_fail(x->s, 451, "4.3.5", "Server configuration problem - try again later");
    } else if (rc != RC_OK) {
        fail(x, rc);
    }
    return rc == RC_OK && milter_check_field(x, ret);
}

static void insert(struct milter_mail *x, const struct milter *m, const struct milter_message *e, size_t at)
{
    str text;
    if (!make_field(x, m, e, &text))
        return;
    enum rc rc = header_edit_insert(&x->header, at, text);
    if (rc != RC_OK)
        fail(x, rc);
}

static void change(struct milter_mail *x, const struct milter *m, const struct milter_message *e)
{
    str text;
    uint32_t index = e->index > 0 ? e->index : 1; /* as Sendmail */
    if (e->value.n == 0) {
        header_edit_delete(&x->header, e->name, index);
        return;
    }
    if (!make_field(x, m, e, &text))
        return;
    enum rc rc = header_edit_change(&x->header, e->name, index, text);
    if (rc != RC_OK)
        fail(x, rc);
}

/* --- the body --- */

/* The first piece of a filter takes the place of what was there. */
static enum rc begin_body(struct milter_mail *x)
{
    const struct smtp_env *env = x->s->env;
    enum rc rc = env->content_cut(x->s->p->env_ctx, x->body_at);
    x->replacing = x->replaced = true;
    x->body_bytes = x->body_lines = 0;
    x->crlf = (struct crlf_state){0};
    x->last = '\n';
    if (rc == RC_OK && !x->has_gap) {
        rc = env->content_append(x->s->p->env_ctx, S("\n"));
        x->has_gap = true;
        x->body_at++;
        x->raw_lines++;
    }
    return rc;
}

static void put_body(struct milter_mail *x, str text)
{
    const struct conf *c = x->s->conf;
    if (text.n == 0)
        return;
    x->body_bytes += text.n;
    x->body_lines += crlf_lines(text);
    x->last = text.p[text.n - 1];
    if (x->body_at + x->body_bytes + x->body_lines > c->message_size_limit) {
        smtp_message_fail(x->s, 552, "5.3.4", "Error: message file too big");
        return;
    }
    enum rc rc = x->s->env->content_append(x->s->p->env_ctx, text);
    if (rc != RC_OK)
        fail(x, rc);
}

static void replace_body(struct milter_mail *x, str bytes)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(MILTER_PACKET_MAX + 2);
    enum rc rc = x->replacing ? RC_OK : begin_body(x);
    if (rc != RC_OK) {
        fail(x, rc);
        return;
    }
    crlf_decode(&x->crlf, &text, bytes);
    put_body(x, buf_str(&text));
}

void milter_edit_end(struct milter_mail *x)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(2);
    if (x->replacing && !x->s->tx.msg.failed) {
        crlf_decode_finish(&x->crlf, &text);
        put_body(x, buf_str(&text));
        if (x->last != '\n')
            put_body(x, S("\n"));
    }
    x->replacing = false;
}

/* --- the envelope --- */

/* "<address> arguments" as a command has it. */
static str command_args(struct milter_mail *x, const char *what, const struct milter_message *e,
                        bool with_args)
{
    str address = str_trim(e->name);
    bool brackets = str_starts(address, S("<"));
    return arena_printf(x->s->tx.arena, "%s:%s" STR_FMT "%s" STR_FMT, what, brackets ? "" : "<",
                        STR_ARG(address), brackets ? "" : ">",
                        STR_ARG(with_args && e->value.n
                                    ? arena_printf(x->s->tx.arena, " " STR_FMT, STR_ARG(e->value))
                                    : S("")));
}

static void say_ignored(struct milter_mail *x, const char *what, str text)
{
    log_warn_of(LOG_AS_CLEANUP, STR_FMT ": ignoring %s \"" STR_FMT "\" of a milter", ID(x), what,
                STR_ARG(str_sub(text, 0, 100)));
}

static bool parse_rcpt(struct milter_mail *x, const struct milter_message *e, struct smtp_rcpt *ret)
{
    struct arena *a = x->s->tx.arena;
    struct err why;
    if (smtp_cmd_parse_rcpt(command_args(x, "TO", e, true), true, a, ret, &why) == RC_OK)
        return true;
    if (smtp_cmd_parse_rcpt(command_args(x, "TO", e, false), true, a, ret, &why) != RC_OK) {
        say_ignored(x, "recipient", e->name);
        return false;
    }
    say_ignored(x, "ESMTP arguments", e->value);
    return true;
}

static str address_of(struct milter_mail *x, const struct smtp_rcpt *r)
{
    return r->postmaster ? r->to.local : mailaddr_str(x->s->tx.arena, &r->to);
}

static void add_rcpt(struct milter_mail *x, const struct milter_message *e)
{
    struct smtp_rcpt r;
    struct err why = {0};
    if (!parse_rcpt(x, e, &r))
        return;
    str address = address_of(x, &r);
    if (smtp_add_recipient(x->s, address, &r, &why) == RC_OK)
        return;
    log_warn_of(LOG_AS_CLEANUP, STR_FMT ": a milter adds the recipient <" STR_FMT ">: %s", ID(x),
                STR_ARG(address), why.peer[0] ? err_text(&why) : "failed");
    smtp_message_fail(x->s, 451, "4.3.0", "Error: a recipient cannot be added now");
}

static void delete_rcpt(struct milter_mail *x, const struct milter_message *e)
{
    struct smtp_tx *tx = &x->s->tx;
    struct smtp_rcpt r;
    if (!parse_rcpt(x, e, &r))
        return;
    str address = address_of(x, &r);
    for (size_t i = tx->n; i-- > 0;) {
        if (!str_eq(tx->rcpts[i].address, address))
            continue;
        tx->n_targets -= tx->rcpts[i].n_targets;
        memmove(&tx->rcpts[i], &tx->rcpts[i + 1], (tx->n - i - 1) * sizeof *tx->rcpts);
        tx->n--;
    }
}

static void change_sender(struct milter_mail *x, const struct milter_message *e)
{
    struct smtp_tx *tx = &x->s->tx;
    struct smtp_mail mail;
    struct err why;
    bool with_args =
        smtp_cmd_parse_mail(command_args(x, "FROM", e, true), 0, tx->arena, &mail, &why) == RC_OK;
    if (!with_args) {
        if (smtp_cmd_parse_mail(command_args(x, "FROM", e, false), 0, tx->arena, &mail, &why) != RC_OK) {
            say_ignored(x, "sender", e->name);
            return;
        }
        say_ignored(x, "ESMTP arguments", e->value);
    }
    tx->sender = mail.null_sender ? S("") : mailaddr_str(tx->arena, &mail.from);
    tx->mail.from = mail.from;
    tx->mail.null_sender = mail.null_sender;
    if (mail.ret != SMTP_RET_UNSET)
        tx->mail.ret = mail.ret;
    if (mail.envid.p)
        tx->mail.envid = mail.envid;
}

bool milter_edit(void *ctx, const struct milter *m, const struct milter_message *e)
{
    struct milter_mail *x = ctx;
    static const char known[] = {MILTER_ADD_HEADER,   MILTER_INSERT_HEADER, MILTER_CHANGE_HEADER,
                                 MILTER_REPLACE_BODY, MILTER_ADD_RCPT,      MILTER_ADD_RCPT_ARGS,
                                 MILTER_DELETE_RCPT,  MILTER_CHANGE_SENDER};
    if (!memchr(known, e->answer, sizeof known) || e->index > INDEX_MAX)
        return false;
    if (x->s->tx.msg.failed) /* only its decision counts now */
        return true;
    if (e->answer == MILTER_ADD_HEADER)
        insert(x, m, e, x->header.n);
    else if (e->answer == MILTER_INSERT_HEADER)
        insert(x, m, e, e->index);
    else if (e->answer == MILTER_CHANGE_HEADER)
        change(x, m, e);
    else if (e->answer == MILTER_REPLACE_BODY)
        replace_body(x, e->value);
    else if (e->answer == MILTER_DELETE_RCPT)
        delete_rcpt(x, e);
    else if (e->answer == MILTER_CHANGE_SENDER)
        change_sender(x, e);
    else
        add_rcpt(x, e);
    return true;
}
