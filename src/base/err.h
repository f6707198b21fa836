/* Result codes, error details and broken invariants.
 *
 * Every function that can fail returns enum rc. Where a peer or an operator must be told more, the caller
 * hands in a struct err; it is filled only on failure. The text for the peer never shows paths or queries. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>

enum rc {
    RC_OK = 0,
    RC_TEMP,    /* try later: SMTP 4yz, IMAP NO [UNAVAILABLE] */
    RC_PERM,    /* never: SMTP 5yz, IMAP NO */
    RC_INVALID, /* the peer broke the grammar: SMTP 501, IMAP BAD */
    RC_LIMIT,   /* a named limit was reached */
    RC_GONE     /* the object or the peer is no longer there */
};

struct err {
    enum rc rc;
    int code;          /* SMTP reply code, or 0 */
    char enhanced[12]; /* RFC 3463 status "5.1.1", or "" */
    char peer[200];    /* text for the peer, printable, one line */
    char log[300];     /* text for the log, may name paths; "" means the same as peer */
};

#define MUST_USE      __attribute__((warn_unused_result))
#define PRINTF(f, a)  __attribute__((format(printf, f, a), nonnull(f)))
#define AUTO(free_fn) __attribute__((cleanup(free_fn)))

/* Fills *e (NULL is allowed) and returns rc, so that `return err_set(...)` reads well. The text goes to peer.
 */
enum rc err_set(struct err *e, enum rc rc, int code, const char *enhanced, const char *fmt, ...) PRINTF(5, 6);

/* Adds the text for the log to *e (NULL is allowed). */
void err_note(struct err *e, const char *fmt, ...) PRINTF(2, 3);

/* The text that the log should show for *e. */
const char *err_text(const struct err *e);

/* Name of a result code, for logs: "temp", "perm"... */
const char *rc_name(enum rc rc);

/* A broken invariant ends the process, in release builds too; the master starts it again. */
_Noreturn void must_fail(const char *expr, const char *file, int line);
#define must(x) ((x) ? (void)0 : must_fail(#x, __FILE__, __LINE__))

#endif
