/* RCPT (RFC 5321 §4.1.1.3): one recipient more, when it is ours and exists. The id of the message is made
 * with its first recipient; what is refused before that is logged as NOQUEUE, as Postfix does. */
#include "queue/new_id.h"
#include "smtp/rules.h"
#include "smtp/session_impl.h"

/* *ret_remote: to be sent on to another server; may_relay: a restriction permits it. */
static enum rc check_relay(struct smtp_session *s, bool may_relay, bool *ret_remote, struct err *e)
{
    str address = s->rcpt.address;
    bool local = s->rcpt.rc != RC_GONE;
    enum rc relayed = local ? RC_GONE : smtp_is_relay_address(s, address);
    enum rc near = smtp_in_mynetworks(s);
    const struct rules_relay facts = {
        .kind = s->p->kind,
        .local_rcpt = local,
        .authenticated = smtp_is_authenticated(s),
        .in_mynetworks = near == RC_OK,
        .relay_domain = relayed == RC_OK,
        .permitted = may_relay,
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
    if (relayed == RC_TEMP || near == RC_TEMP)
        return err_set(e, RC_TEMP, 451, "4.3.0", "<" STR_FMT ">: Temporary lookup failure", STR_ARG(address));
    return err_set(e, RC_PERM, 554, "5.7.1", "<" STR_FMT ">: Relay access denied", STR_ARG(address));
}

static enum rc too_many(struct err *e)
{
    return err_set(e, RC_TEMP, 452, "4.5.3", "Error: too many recipients"); /* RFC 5321 §4.5.3.1.10 */
}

/* The recipient is another server's or, unlisted, nobody's: the queue sends the mail on, or returns it. */
static enum rc add_queued(struct smtp_session *s, bool unlisted, struct smtp_recipient *r, struct err *e)
{
    r->targets = arena_make(s->tx.arena, struct smtp_target);
    if (!r->targets)
        return too_many(e);
    *r->targets = (struct smtp_target){
        .remote = !unlisted, .unlisted = unlisted, .uid = UINT32_MAX, .address = r->address};
    r->n_targets = 1;
    return RC_OK;
}

static enum rc refuse_unknown(const struct smtp_judged *j, struct err *e)
{
    bool temp = j->rc == RC_TEMP;
    const struct err *why = &j->why;
    const char *text = why->peer[0] ? why->peer
                       : temp       ? "temporary failure, try again later"
                                    : "User unknown";
    (void)err_set(e, j->rc,
                  why->code ? why->code
                  : temp    ? 451
                            : 550,
                  why->enhanced[0] ? why->enhanced
                  : temp           ? "4.3.0"
                                   : "5.1.1",
                  "<" STR_FMT ">: Recipient address rejected: %s", STR_ARG(j->address), text);
    e->enhanced[0] = (char)('0' + e->code / 100); /* unknown_local_recipient_reject_code may be 450 */
    return j->rc;
}

static bool has_quota(const struct smtp_session *s, const struct smtp_recipient *r)
{
    const struct smtp_target *t = r->targets;
    return s->env->room && r->n_targets == 1 && t->limited && t->via.n == 0 &&
           !s->conf->mailbox_transport[0] && (!smtp_is_lmtp(s) || s->conf->lmtp_rcpt_check_quota);
}

/* A mailbox that is full, or too full for the announced size (RFC 1870 §6.1), in the words of Postfix's
 * policy check, or of Dovecot's LMTP. Of several that an address leads to each is looked at behind the
 * message. */
static enum rc check_room(struct smtp_session *s, const struct smtp_recipient *r, struct err *e)
{
    struct err why = {0};
    enum rc rc = has_quota(s, r) ? s->env->room(s->p->env_ctx, r->targets, s->tx.mail.size, &why) : RC_OK;
    if (rc == RC_OK)
        return RC_OK;
    return err_set(e, rc, why.code, why.enhanced,
                   smtp_is_lmtp(s) ? "<" STR_FMT "> %s" : "<" STR_FMT ">: Recipient address rejected: %s",
                   STR_ARG(r->address), why.peer);
}

/* Asks whose the address is, and whether this client may send there. */
static enum rc resolve(struct smtp_session *s, struct smtp_recipient *r, bool may_relay, struct err *e)
{
    struct smtp_judged *j = &s->rcpt;
    bool remote = false;
    enum rc rc = smtp_judge(s);
    if (rc != RC_TEMP) {
        enum rc relay = check_relay(s, may_relay, &remote, e);
        if (relay)
            return relay;
    }
    if (rc == RC_PERM && !rules_rejects_unlisted(s->conf) && !smtp_is_lmtp(s))
        return add_queued(s, true, r, e);
    r->targets = j->targets;
    r->n_targets = j->n_targets;
    if (remote) /* maybe under another address */
        return r->n_targets > 0 ? RC_OK : add_queued(s, false, r, e);
    if (rc != RC_OK)
        return refuse_unknown(j, e);
    must(r->n_targets > 0); /* an accepted recipient that leads nowhere would lose mail */
    for (size_t i = 0; i < r->n_targets; i++)
        r->targets[i].forwarded = r->targets[i].remote;
    return check_room(s, r, e);
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
    const struct restrict_refusal *refusal;
    bool may_relay = false;
    s->tx.rcpt_tried = true;
    if (smtp_is_too_often(s, SMTP_EVENT_RECIPIENT))
        return;
    enum rc rc = smtp_cmd_parse_rcpt(args, s->tx.mail.smtputf8, s->tx.arena, &r.rcpt, &e);
    if (arena_exhausted(s->tx.arena))
        rc = too_many(&e);
    if (rc) {
        smtp_reply_err(s, &e);
        return;
    }
    r.address = r.rcpt.postmaster ? r.rcpt.to.local : mailaddr_str(s->tx.arena, &r.rcpt.to);
    if (smtp_gate_refuses(s)) {
        smtp_gate_refuse(s, r.address);
        return;
    }
    s->rcpt = (struct smtp_judged){.address = r.address};
    if (check_count(s, &e)) {
        smtp_reject(s, "RCPT", s->tx.sender, r.address, &e);
        return;
    }
    /* RFC 5321 §4.5.1: postmaster can always be reached */
    if (!r.rcpt.postmaster && restrict_rcpt(s, &may_relay, &refusal) != RC_OK) {
        smtp_milter_rejected_rcpt(s, args, r.address, refusal->enhanced, refusal->text);
        restrict_reply(s, refusal);
        return;
    }
    if (!s->tx.actions.discard && (resolve(s, &r, may_relay, &e) || check_targets(s, &r, &e))) {
        smtp_milter_rejected_rcpt(s, args, r.address, e.enhanced, str_c(e.peer));
        smtp_reject(s, "RCPT", s->tx.sender, r.address, &e);
        return;
    }
    if (smtp_milter_rcpt(s, args, r.address, &refusal) != RC_OK) {
        restrict_reply(s, refusal);
        return;
    }
    add_recipient(s, &r);
}
