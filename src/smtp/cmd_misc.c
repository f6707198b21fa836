/* The small commands: RSET, NOOP, VRFY, HELP, QUIT, and those that malle does not do. */
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
