/* MAIL (RFC 5321 §4.1.1.2): opens a transaction. */
#include "smtp/rules.h"
#include "smtp/session_impl.h"

/* RFC 1870 §6.1 */
static enum rc check_size(const struct smtp_session *s, uint64_t size, struct err *e)
{
    if (size > s->conf->message_size_limit)
        return err_set(e, RC_PERM, 552, "5.3.4", "Message size exceeds fixed limit");
    return RC_OK;
}

/* Whether it is the address that the local user has without any account: the name at our origin. */
static bool is_own_address(const struct smtp_session *s, str sender)
{
    ptrdiff_t at = str_rchr(sender, '@');
    if (at < 0)
        return false;
    str local = str_sub(sender, 0, (size_t)at), domain = str_from(sender, (size_t)at + 1), tag;
    (void)mailaddr_split_detail(local, str_c(s->conf->recipient_delimiter), &local, &tag);
    return str_eq(local, s->p->local->name) &&
           (str_ieq(domain, rules_origin(s->conf)) || str_ieq(domain, str_c(s->conf->hostname)));
}

/* RFC 4865 §4.2: no longer than was announced. A moment that is past holds nothing. */
static enum rc check_hold(const struct smtp_session *s, const struct smtp_mail *mail, struct err *e)
{
    int64_t most = s->conf->future_release_limit_ms / 1000;
    if (mail->hold_for <= most && mail->hold_until <= clock_seconds() + most)
        return RC_OK;
    return err_set(e, RC_PERM, 501, "5.5.4", "A message is held for %lld seconds at most", (long long)most);
}

/* Seconds from now until the message may go. */
static int64_t hold_seconds(const struct smtp_mail *mail)
{
    return mail->hold_until ? mail->hold_until - clock_seconds() : mail->hold_for;
}

/* RFC 2852 §3, §4: a message that would come back at once is not taken; neither is one that is held past its
 * time (RFC 4865 §5.2.2). */
static enum rc check_deliver_by(const struct smtp_session *s, const struct smtp_mail *mail, struct err *e)
{
    int64_t least = s->conf->deliver_by_minimum_ms / 1000;
    if (mail->by == SMTP_BY_RETURN && mail->by_seconds < least)
        return err_set(e, RC_PERM, 555, "5.5.4", "BY time is shorter than %lld seconds", (long long)least);
    if (mail->by != SMTP_BY_UNSET && mail->by_seconds <= hold_seconds(mail) && hold_seconds(mail) > 0)
        return err_set(e, RC_PERM, 501, "5.5.4", "BY time is over before the message is released");
    return RC_OK;
}

/* A logged-in client sends as itself, unless the administrator leaves that to the lists; bounces and read
 * receipts have no sender. */
static enum rc check_sender(struct smtp_session *s, str sender, struct err *e)
{
    struct err why;
    if (!s->conf->sender_must_be_own || !smtp_is_authenticated(s) || sender.n == 0)
        return RC_OK;
    if (s->p->local && (s->p->local->trusted || is_own_address(s, sender)))
        return RC_OK;
    enum rc rc = s->env->check_sender(s->p->env_ctx, s->account, sender, &why);
    if (rc == RC_OK)
        return RC_OK;
    bool temp = rc == RC_TEMP;
    return err_set(e, rc,
                   why.code ? why.code
                   : temp   ? 451
                            : 553,
                   why.enhanced[0] ? why.enhanced
                   : temp          ? "4.3.0"
                                   : "5.7.1",
                   "<" STR_FMT ">: Sender address rejected: %s", STR_ARG(sender), why.peer);
}

static enum rc check_submitter(struct smtp_session *s, struct err *e)
{
    const struct smtp_local_user *u = s->p->local;
    if (!u || u->uid == 0 || rules_may_submit(s->conf, u->name))
        return RC_OK;
    return err_set(e, RC_PERM, 550, "5.7.1", "User " STR_FMT "(%u) is not allowed to submit mail",
                   STR_ARG(u->name), u->uid);
}

/* RFC 6710 §4.1: nobody gets ahead of others who is not known here. */
static bool lower_priority(const struct smtp_session *s, struct smtp_mail *mail)
{
    if (mail->priority <= 0 || smtp_is_trusted(s))
        return false;
    mail->priority = 0;
    return true;
}

void smtp_cmd_mail(struct smtp_session *s, str args)
{
    struct err e;
    struct smtp_mail mail;
    if (++s->mails > SMTP_MAIL_MAX) { /* RFC 9422 §4.1 */
        smtp_reply(s, 452, "4.5.3", "Error: too many messages in one session");
        return;
    }
    if (smtp_is_too_often(s, SMTP_EVENT_MESSAGE))
        return;
    if (smtp_cmd_parse_mail(args, smtp_extensions(s), s->tx.arena, &mail, &e)) {
        smtp_reply_err(s, &e);
        smtp_tx_reset(s);
        return;
    }
    if (mail.smtputf8 && !s->conf->smtputf8_enable) {
        smtp_reply(s, 555, "5.5.4", "Unsupported option: SMTPUTF8");
        smtp_tx_reset(s);
        return;
    }
    str sender = mail.null_sender ? S("") : mailaddr_str(s->tx.arena, &mail.from);
    if (check_size(s, mail.size, &e) || check_hold(s, &mail, &e) || check_deliver_by(s, &mail, &e) ||
        check_sender(s, sender, &e) || check_submitter(s, &e)) {
        smtp_reject(s, "MAIL", sender, STR_NONE, &e);
        smtp_tx_reset(s);
        return;
    }
    const struct restrict_refusal *refusal;
    bool lowered = lower_priority(s, &mail);
    s->tx.mail = mail;
    s->tx.sender = sender;
    s->tx.mail_ok = true;
    s->tx.started = clock_mono();
    if (restrict_mail(s, sender, &refusal) != RC_OK || smtp_milter_mail(s, args, &refusal) != RC_OK) {
        restrict_reply(s, refusal);
        smtp_tx_reset(s);
        return;
    }
    if (lowered) /* RFC 6710 §4.1 */
        smtp_reply(s, 250, "2.3.6", "0 is the priority of this message");
    else
        smtp_reply(s, 250, "2.1.0", "Ok");
}
