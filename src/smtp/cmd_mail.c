/* MAIL (RFC 5321 §4.1.1.2): opens a transaction. */
#include "smtp/session_impl.h"

/* RFC 1870 §6.1 */
static enum rc check_size(const struct smtp_session *s, uint64_t size, struct err *e)
{
    if (size > s->conf->message_size_limit)
        return err_set(e, RC_PERM, 552, "5.3.4", "Message size exceeds fixed limit");
    return RC_OK;
}

/* A logged-in client sends as itself only; bounces and read receipts have no sender. */
static enum rc check_sender(struct smtp_session *s, str sender, struct err *e)
{
    struct err why;
    if (!smtp_is_authenticated(s) || sender.n == 0)
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

void smtp_cmd_mail(struct smtp_session *s, str args)
{
    struct err e;
    struct smtp_mail mail;
    if (++s->mails > SMTP_MAIL_MAX) { /* RFC 9422 §4.1 */
        smtp_reply(s, 452, "4.5.3", "Error: too many messages in one session");
        return;
    }
    if (smtp_cmd_parse_mail(args, s->tx.arena, &mail, &e)) {
        smtp_reply_err(s, &e);
        smtp_tx_reset(s);
        return;
    }
    str sender = mail.null_sender ? S("") : mailaddr_str(s->tx.arena, &mail.from);
    if (check_size(s, mail.size, &e) || check_sender(s, sender, &e)) {
        smtp_reject(s, "MAIL", sender, STR_NONE, &e);
        smtp_tx_reset(s);
        return;
    }
    s->tx.mail = mail;
    s->tx.sender = sender;
    s->tx.mail_ok = true;
    s->tx.started = clock_mono();
    smtp_reply(s, 250, "2.1.0", "Ok");
}
