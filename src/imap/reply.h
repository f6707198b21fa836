/* reply: tagged and status responses leave here alone (RFC 9051 §7.1, response codes of RFC 5530). */
#ifndef IMAP_REPLY_H
#define IMAP_REPLY_H

#include "imap/session.h"

/* What a command says beside its result. Empty members are filled in from the result: text from the error,
 * code from its kind (RC_GONE NONEXISTENT, RC_LIMIT LIMIT, RC_TEMP UNAVAILABLE, RC_PERM CANNOT). */
struct imap_reply {
    str code;         /* without brackets: "READ-WRITE", "APPENDUID 38505 3955"; in the arena or static */
    const char *text; /* for OK: instead of "FETCH completed." */
    struct err err;   /* filled by the store; its peer text is shown, its log text is logged */
    bool no_code;     /* a refusal that no code describes */
    bool compress;    /* behind the tagged OK both directions are DEFLATE (RFC 4978) */
    bool expunged;    /* OK may carry HIGHESTMODSEQ, with QRESYNC (RFC 7162 §3.2.7, §3.2.9) */
};

/* Tagged reply of the command that ended with rc: OK, or BAD for RC_INVALID (with what the lexer expected),
 * else NO. */
void imap_reply_tagged(struct imap_session *s, enum rc rc, const struct imap_reply *re,
                       const struct imap_lex *lex);
/* Tagged BAD or NO with a fixed code ("" for none) and text, for whatever was refused before a handler ran.
 */
void imap_reply_refused(struct imap_session *s, const char *word, const char *code, const char *text);
/* "* OK [code] text", "* BYE text"; code "" for none. */
void imap_reply_untagged(struct imap_session *s, const char *word, const char *code, const char *text);
/* "+ text" and flush. RC_GONE when the client is gone. */
MUST_USE enum rc imap_reply_continue(struct imap_session *s, const char *text);
/* "* BYE text"; the session ends. */
void imap_reply_bye(struct imap_session *s, const char *text);
/* The same when the store is stale, unless it was said: a session that goes on would hear of nothing. */
void imap_bye_if_stale(struct imap_session *s);

#endif
