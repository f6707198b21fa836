/* localmail: a message as programs of this machine give it to sendmail, turned into one that can be sent:
 * line ends, the lone dot that ends it, fields that must not go out, addresses without a domain, and the
 * recipients that the header names.
 *
 * Pure. Messages are in LF form behind localmail_feed. */
#ifndef FMT_LOCALMAIL_H
#define FMT_LOCALMAIL_H

#include "base/arena.h"
#include "base/buf.h"

/* --- reading --- */

struct localmail_reader { /* zero it; resumable at every byte */
    bool dot_ends;        /* a line "." ends the message (not with -i); set by the caller */
    bool ended;           /* it did: later bytes are not the message's */
    bool held_cr, held_dot;
    bool in_line; /* not at the start of a line */
};

/* Appends the bytes with CRLF turned into LF; a CR elsewhere stays. */
void localmail_feed(struct localmail_reader *r, struct buf *out, str in);
/* At the end of input: an unfinished last line gets its LF. */
void localmail_finish(struct localmail_reader *r, struct buf *out);

/* --- addresses --- */

struct localmail_addresses { /* "user@example.com" each, quoted where it must be; in the arena */
    str *v;
    size_t n, cap;
};

/* Appends the mailboxes of an address list (RFC 5322 §3.4); those without a domain get origin's.
 * RC_INVALID: words that are no address, or a control character in one; RC_LIMIT: the arena is exhausted. */
MUST_USE enum rc localmail_add(struct localmail_addresses *list, str text, str origin, struct arena *a);

/* --- the header --- */

struct localmail_header {
    str origin;      /* the domain of addresses without one */
    str from;        /* the value of a From field where there is none; empty: none is added */
    bool recipients; /* gather those of To, Cc, Bcc, or of Resent-To, Resent-Cc, Resent-Bcc where there is one
                      */
};

/* Writes the header of raw and the empty line behind it to out, without the "From " line of an mbox file,
 * Bcc, Resent-Bcc, Return-Path and Content-Length; *ret_body is what follows it in raw. What is no header
 * field begins the body, even where the empty line is missing. RC_INVALID: a recipient with a control
 * character; RC_LIMIT: out or the arena is full. */
MUST_USE enum rc localmail_put_header(const struct localmail_header *h, str raw, struct arena *a,
                                      struct buf *out, struct localmail_addresses *recipients, str *ret_body);

/* A display name and an address as the value of a From field: 'Joe Doe <joe@example.com>', quoted where it
 * must be (RFC 5322 §3.2.4); bytes of line ends and controls become spaces. */
void localmail_put_mailbox(struct buf *out, str name, str address);

/* --- a message that waits for the server to come back --- */

enum { LOCALMAIL_WORDS_MAX = 20000, LOCALMAIL_COMMAND_MAX = 16 << 20 };

/* The command line in front of the message: "malle 1 COUNT\n" and that many words, each with a NUL behind it.
 */
void localmail_put_command(struct buf *out, char *const *words, size_t n);
/* Reads it back; the words, with a NULL behind them, live in the arena; *ret_rest is the message. RC_INVALID:
 * it is no such file; RC_LIMIT. */
MUST_USE enum rc localmail_take_command(str file, struct arena *a, char ***ret_words, size_t *ret_n,
                                        str *ret_rest);

#endif
