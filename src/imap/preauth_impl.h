/* Shared by preauth.c and preauth_login.c only. */
#ifndef IMAP_PREAUTH_IMPL_H
#define IMAP_PREAUTH_IMPL_H

#include "fmt/imap_lex.h"
#include "fmt/imap_reader.h"
#include "imap/preauth.h"

struct preauth {
    struct stream *io;
    const struct login_settings *set;
    const struct login_ops *ops;
    void *ctx;
    struct login_outcome *outcome;
    struct arena *arena; /* of one command */
    struct imap_reader reader;
    str tag; /* of the command being run; "*" when it has none */
    unsigned commands, bad;
    size_t literal_bytes; /* gathered so far, in all commands */
    bool over;
};

/* "tag WORD [code] text"; code "" for none. */
void preauth_reply(struct preauth *p, const char *word, const char *code, const char *text);
void preauth_bad(struct preauth *p, const char *text);
/* "* BYE text" and the end; code "" or "[LIMIT] "; reason for the log. */
void preauth_bye(struct preauth *p, const char *code, const char *text, const char *reason);

/* Whether a password must not be sent here; then it has been answered with NO (RFC 9051 §6.2.3). */
bool preauth_password_forbidden(struct preauth *p);
void preauth_cmd_authenticate(struct preauth *p, struct imap_lex *lex);
void preauth_cmd_login(struct preauth *p, struct imap_lex *lex);

#endif
