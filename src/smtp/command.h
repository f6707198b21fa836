/* command: the table of SMTP and LMTP commands, and the dispatcher that answers everything a handler should
 * not see. Handlers are called in legal states only; what is legal stands in the table's flags. */
#ifndef SMTP_COMMAND_H
#define SMTP_COMMAND_H

#include "base/str.h"

struct smtp_session;

enum { SMTP_COMMAND_MAX = 24 };

enum smtp_command_flags {
    SMTP_CMD_SMTP = 1,         /* known to SMTP */
    SMTP_CMD_LMTP = 2,         /* known to LMTP */
    SMTP_CMD_NEEDS_HELLO = 4,  /* after EHLO, HELO or LHLO */
    SMTP_CMD_NEEDS_AUTH = 8,   /* submission: after AUTH */
    SMTP_CMD_NEEDS_MAIL = 16,  /* inside a transaction */
    SMTP_CMD_NO_MAIL = 32,     /* outside a transaction */
    SMTP_CMD_NO_BDAT = 64,     /* not between two BDAT commands of one message */
    SMTP_CMD_NO_ARGS = 128,    /* takes no argument */
    SMTP_CMD_JUNK = 256,       /* counts against smtpd_junk_command_limit */
    SMTP_CMD_NEEDS_TLS = 1024, /* after STARTTLS, where that is required */
    SMTP_CMD_LAST = 512,       /* input behind it is an attack: the session ends (RFC 3207 §4.2) */
    SMTP_CMD_ENDS_GROUP = 2048 /* the same where smtpd_forbid_unauth_pipelining is set (RFC 2920 §3.1) */
};

struct smtp_command {
    const char *verb;
    void (*run)(struct smtp_session *s, str args);
    unsigned flags;
    const char *rfc;
};

extern const struct smtp_command smtp_commands[];
extern const size_t smtp_command_count;

/* Whether the table has it, for the protocol of this session. */
bool smtp_command_is_known(const struct smtp_session *s, str verb);

/* Runs one command line, or replies why not. */
void smtp_dispatch(struct smtp_session *s, str line);

void smtp_cmd_helo(struct smtp_session *s, str args);
void smtp_cmd_ehlo(struct smtp_session *s, str args); /* LHLO too */
void smtp_cmd_xclient(struct smtp_session *s, str args);
void smtp_cmd_xforward(struct smtp_session *s, str args);
void smtp_cmd_starttls(struct smtp_session *s, str args);
void smtp_cmd_auth(struct smtp_session *s, str args);
void smtp_cmd_mail(struct smtp_session *s, str args);
void smtp_cmd_rcpt(struct smtp_session *s, str args);
void smtp_cmd_data(struct smtp_session *s, str args);
void smtp_cmd_bdat(struct smtp_session *s, str args);
void smtp_cmd_rset(struct smtp_session *s, str args);
void smtp_cmd_noop(struct smtp_session *s, str args);
void smtp_cmd_vrfy(struct smtp_session *s, str args);
void smtp_cmd_help(struct smtp_session *s, str args);
void smtp_cmd_quit(struct smtp_session *s, str args);
void smtp_cmd_not_implemented(struct smtp_session *s, str args);

#endif
