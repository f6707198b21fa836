/* RCPT (RFC 5321 §4.1.1.3): one recipient more, when it is ours and exists. The id of the message is made
 * with its first recipient; what is refused before that is logged as NOQUEUE, as Postfix does. */
#include "queue/new_id.h"
#include "smtp/rules.h"
#include "smtp/session_impl.h"

/* *ret_remote: to be sent on to another server. */
static enum rc check_relay(struct smtp_session *s, str address, bool local, bool *ret_remote, struct err *e)
{
    const struct rules_relay facts = {
        .kind = s->p->kind,
        .local_rcpt = local,
        .authenticated = smtp_is_authenticated(s),
        .in_mynetworks = s->has_address && rules_in_networks(&s->conf->mynetworks, &s->address),
        .relay_domain = !local && rules_is_relay_address(s->conf, address),
    };
    switch (rules_relay(&facts)) {
    case RULES_RELAY:
        *ret_remote = true;
        return RC_OK;
    case RULES_DELIVER:
        return RC_OK;
    case RULES_LOG_IN:
        return err_set(e, RC_PERM, 530, "5.7.0", "Authentication required");
    case RULES_NO_RELAY:
        break;
    }
    return err_set(e, RC_PERM, 554, "5.7.1", "<" STR_FMT ">: Relay access denied", STR_ARG(address));
}

static enum rc too_many(struct err *e)
{
    return err_set(e, RC_TEMP, 452, "4.5.3", "Error: too many recipients"); /* RFC 5321 §4.5.3.1.10 */
}

/* The recipient is another server's. */
static enum rc add_remote(struct smtp_session *s, struct smtp_recipient *r, struct err *e)
{
    if (r->n_targets > 0) /* under another address */
        return RC_OK;
    r->targets = arena_make(s->tx.arena, struct smtp_target);
    if (!r->targets)
        return too_many(e);
    *r->targets = (struct smtp_target){.remote = true, .uid = UINT32_MAX, .address = r->address};
    r->n_targets = 1;
    return RC_OK;
}

/* Asks whose the address is, and whether this client may send there. */
static enum rc resolve(struct smtp_session *s, struct smtp_recipient *r, struct err *e)
{
    struct err why = {.rc = RC_OK};
    enum rc rc = s->env->resolve(s->p->env_ctx, r->address, s->tx.arena, &r->targets, &r->n_targets, &why);
    bool known_domain = rc != RC_GONE, remote = false;
    if (rc != RC_TEMP) {
        enum rc relay = check_relay(s, r->address, known_domain, &remote, e);
        if (relay)
            return relay;
    }
    if (remote)
        return add_remote(s, r, e);
    if (rc == RC_OK) {
        must(r->n_targets > 0); /* an accepted recipient that leads nowhere would lose mail */
        for (size_t i = 0; i < r->n_targets; i++)
            r->targets[i].forwarded = r->targets[i].remote;
        return RC_OK;
    }
    bool temp = rc == RC_TEMP;
    const char *text = why.peer[0] ? why.peer : temp ? "temporary failure, try again later" : "User unknown";
    return err_set(e, rc,
                   why.code ? why.code
                   : temp   ? 451
                            : 550,
                   why.enhanced[0] ? why.enhanced
                   : temp          ? "4.3.0"
                                   : "5.1.1",
                   "<" STR_FMT ">: Recipient address rejected: %s", STR_ARG(r->address), text);
}

static enum rc check_count(const struct smtp_session *s, struct err *e)
{
    return s->tx.n >= (size_t)s->conf->smtpd_recipient_limit ? too_many(e) : RC_OK;
}

/* What could not be delivered in one go is left for the client's next transaction. */
static enum rc check_targets(const struct smtp_session *s, const struct smtp_recipient *r, struct err *e)
{
    must(r->n_targets <= SMTP_TARGETS_MAX);
    return s->tx.n_targets + r->n_targets > SMTP_TARGETS_MAX ? too_many(e) : RC_OK;
}

static void add_recipient(struct smtp_session *s, const struct smtp_recipient *r)
{
    struct smtp_tx *tx = &s->tx;
    if (tx->n == tx->cap) {
        void *grown = arena_grow(tx->arena, tx->rcpts, tx->n, sizeof *tx->rcpts);
        if (!grown) {
            smtp_reply(s, 452, "4.5.3", "Error: too many recipients");
            return;
        }
        tx->rcpts = grown;
        tx->cap = tx->n < 4 ? 8 : 2 * tx->n;
    }
    tx->rcpts[tx->n++] = *r;
    tx->n_targets += r->n_targets;
    if (tx->id.n == 0) {
        tx->id = queue_new_id(tx->id_room);
        smtp_log_client(s);
    }
    smtp_reply(s, 250, "2.1.5", "Ok");
}

void smtp_cmd_rcpt(struct smtp_session *s, str args)
{
    struct err e;
    struct smtp_recipient r = {.targets = NULL};
    s->tx.rcpt_tried = true;
    enum rc rc = smtp_cmd_parse_rcpt(args, s->tx.mail.smtputf8, s->tx.arena, &r.rcpt, &e);
    if (arena_exhausted(s->tx.arena))
        rc = too_many(&e);
    if (rc) {
        smtp_reply_err(s, &e);
        return;
    }
    r.address = r.rcpt.postmaster ? r.rcpt.to.local : mailaddr_str(s->tx.arena, &r.rcpt.to);
    if (check_count(s, &e) || resolve(s, &r, &e) || check_targets(s, &r, &e)) {
        smtp_reject(s, "RCPT", s->tx.sender, r.address, &e);
        return;
    }
    add_recipient(s, &r);
}
