/* fetch_body: the pieces of a message that FETCH gives (RFC 9051 §6.4.5 BODY[...], RFC 3501 §6.4.5
 * RFC822...), cut from the stored bytes and sent in CRLF form without ever holding a large one in memory.
 *
 * The message last opened stays open, with its tree of parts and the place where the last slice ended, so
 * that a client that reads an attachment in thousands of partial FETCHes costs one parse and one pass. */
#ifndef IMAP_FETCH_BODY_H
#define IMAP_FETCH_BODY_H

#include "fmt/crlf.h"
#include "fmt/imap_fetch.h"
#include "fmt/mime.h"
#include "imap/session.h"

/* s->out is sent when it holds this much; what is put between two looks at it is at most as much again. */
enum { FETCH_OUT_MAX = 16 * 1024 };

struct fetch_message {
    uid32 uid; /* 0: none is open */
    struct box_content content;
    struct buf own; /* holds content where that is the surrogate (imap/fetch_surrogate.h) */
    enum { SURROGATE_UNKNOWN, SURROGATE_NOT_FOR_HEADER, SURROGATE_NOT, SURROGATE_IS } surrogate;
    size_t header_size;
    struct arena *arena;       /* of root; NULL until a section asks for parts */
    struct mime_part *root;    /* NULL until then */
    struct mime_span last;     /* the section given last */
    struct crlf_cursor cursor; /* where its last slice ended, from its start */
    size_t unflushed;          /* bytes sent since the connection was last looked at */
};

/* Nothing is open in a new one; free closes what is, accepts NULL and returns NULL. */
struct fetch_message *fetch_message_new(void);
struct fetch_message *fetch_message_free(struct fetch_message *m);

/* Opens the message unless it is the one that is open. RC_GONE: it was expunged; RC_TEMP: the store failed.
 */
MUST_USE enum rc fetch_message_open(struct fetch_message *m, struct box *b, uid32 uid, struct err *e);
/* Closes what is open; m may be used again. */
void fetch_message_close(struct fetch_message *m);

/* Puts the bytes of a section as a literal, or NIL when the message has no such part. RC_GONE: the client is
 * gone. */
MUST_USE enum rc fetch_section_put(struct imap_session *s, struct fetch_message *m,
                                   const struct fetch_section *sec);

/* Whether the store keeps all fields that the section asks for (fmt/header_common.h); then they may be put
 * from what it keeps, with no message open. */
bool fetch_section_is_common(const struct fetch_section *sec);
MUST_USE enum rc fetch_common_put(struct imap_session *s, struct fetch_message *m,
                                  const struct fetch_section *sec, str fields);

/* Hands the same bytes to `take`, piece by piece. RC_GONE: there is no such part; else what take returns. */
MUST_USE enum rc fetch_section_copy(struct fetch_message *m, const struct fetch_section *sec,
                                    enum rc (*take)(void *ctx, str piece), void *ctx);

/* The tree of parts, made when it is asked for first. */
const struct mime_part *fetch_message_tree(struct fetch_message *m);
/* n more bytes went out: looks now and then whether the client is still there. RC_GONE: it is not. */
MUST_USE enum rc fetch_sent(struct imap_session *s, struct fetch_message *m, size_t n);

/* The message's preview as an nstring: NIL when there is nothing to show (RFC 8970 §3.2). */
void fetch_preview_put(struct imap_session *s, struct fetch_message *m);

/* Puts text of any length behind what s->out holds, sending as needed. */
void fetch_put(struct imap_session *s, str text);

#endif
