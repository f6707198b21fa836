/* The small commands: RSET, NOOP, VRFY, HELP, QUIT, those that malle does not do, and those of other
 * protocols. */
#include "base/log.h"
#include "smtp/session_impl.h"

void smtp_cmd_rset(struct smtp_session *s, str args)
{
    smtp_tx_reset(s);
    smtp_reply(s, 250, "2.0.0", "Ok");
}

void smtp_cmd_noop(struct smtp_session *s, str args)
{
    smtp_reply(s, 250, "2.0.0", "Ok");
}

/* Nobody is told which addresses exist (RFC 5321 §7.3). */
void smtp_cmd_vrfy(struct smtp_session *s, str args)
{
    if (s->conf->disable_vrfy_command)
        smtp_reply(s, 502, "5.5.1", "VRFY command is disabled");
    else if (args.n == 0)
        smtp_reply(s, 501, "5.5.4", "Syntax: VRFY address");
    else
        smtp_reply(s, 252, "2.0.0", "Cannot VRFY user, but will accept message and attempt delivery");
}

void smtp_cmd_help(struct smtp_session *s, str args)
{
    smtp_reply(s, 214, "2.0.0", "malle: see RFC %s", smtp_is_lmtp(s) ? "2033" : "5321");
}

void smtp_cmd_quit(struct smtp_session *s, str args)
{
    smtp_reply(s, 221, "2.0.0", "Bye");
    s->end = SMTP_END_QUIT;
}

void smtp_cmd_not_implemented(struct smtp_session *s, str args)
{
    smtp_reply(s, 502, "5.5.1", "Error: %s not implemented", s->last_verb);
}

/* A browser was made to talk to us: what it sends next is content chosen by a stranger. */
void smtp_cmd_not_smtp(struct smtp_session *s, str args)
{
    smtp_reply(s, 421, "4.7.0", "%s Error: this is not HTTP", s->conf->hostname);
    log_warn("non-SMTP command from " SMTP_CLIENT_FMT ": %s " STR_FMT, SMTP_CLIENT_ARG(s), s->last_verb,
             STR_ARG(args));
    s->end = SMTP_END_REFUSED;
}
