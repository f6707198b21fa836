/* mime_walk: the parts of a message as it streams by, for whoever cannot hold it in memory. Finds the same
 * parts as fmt/mime, but for message/global, which is a leaf here, and for fields longer than
 * MIME_WALK_FIELDS_MAX.
 *
 * Input is raw bytes in any line-end form and in any pieces. Memory is bounded by the depth limit: about 300
 * bytes for each level and 300 KB for the fields of one part. Every byte comes out in exactly one event,
 * in order. */
#ifndef FMT_MIME_WALK_H
#define FMT_MIME_WALK_H

#include "base/buf.h"
#include "fmt/mime.h"

enum {
    MIME_WALK_LINE_MAX = 1024,    /* what is gathered of a line before it is handled */
    MIME_WALK_NAME_MAX = 32,      /* what is told of a field's name */
    MIME_WALK_BOUNDARY_MAX = 200, /* what is compared of a boundary */
    MIME_WALK_FIELDS_MAX = 16384  /* Content-Type and Content-Transfer-Encoding of one part */
};

enum mime_walk_event {
    MIME_WALK_FIELD,      /* a piece of a line of the header */
    MIME_WALK_HEADER_END, /* the header is known; the bytes are the empty line, or none where that is missing
                           */
    MIME_WALK_TEXT,       /* a leaf's body: a piece of a line, without the line end */
    MIME_WALK_EOL,        /* the line end; the one in front of a delimiter comes as MIME_WALK_DELIMITER */
    MIME_WALK_LEAF_END,   /* a leaf's body ends; no bytes */
    MIME_WALK_DELIMITER,  /* a delimiter with the line end in front of it, up to the end of the boundary */
    MIME_WALK_FRAME       /* the rest of a delimiter's line, a preamble, an epilogue */
};

struct mime_walk;
typedef void mime_walk_fn(void *arg, const struct mime_walk *w, enum mime_walk_event event, str bytes);

struct mime_walk_level {
    struct mime_part part; /* kind and parent; type, encoding and params only for the innermost level, from
                              HEADER_END on, else the type is told as far as children ask for it */
    size_t index;          /* of the part, from 0, in the order of their headers */
    bool is_message;       /* the whole message, or the message in a message/rfc822 */
    bool is_signed;        /* lies in a multipart/signed (RFC 1847) */
    bool has_version;      /* had a MIME-Version field */
    char boundary[MIME_WALK_BOUNDARY_MAX];
    size_t boundary_n;
};

struct mime_walk {
    struct mime_limits limits;
    mime_walk_fn *fn;
    void *arg;
    struct arena *arena; /* strings of the innermost part */
    struct mime_walk_level *stack;
    size_t used, parts;
    bool in_header;
    bool in_line;      /* the first piece of the line under way was handled */
    bool in_frame;     /* the line under way is none of a header or a leaf */
    bool opens;        /* the line under way is a delimiter */
    bool field_seen;   /* the header under way has a line */
    bool held_cr;      /* a CR of which the next byte says whether it belongs to a line end */
    bool field_starts; /* FIELD: these are the first bytes of a field */
    bool is_strict;    /* the caller's: a line of a header that is no field ends it, as Postfix has it */
    bool no_field;     /* HEADER_END: such a line follows */
    bool collects;     /* the field under way is one that `fields` gathers */
    str held_eol;      /* the line end of a leaf's last line so far */
    struct buf line, fields, scratch;
    char name[MIME_WALK_NAME_MAX]; /* of the field under way, lower case, cut */
    size_t name_n;
};

/* The bytes of the name with which a line begins that is a field (RFC 5322 §2.2, white space in front of the
 * colon allowed); 0: it is none. */
size_t mime_walk_name_size(str line);

/* limits may be NULL for the default ones. fn is called from feed and finish. */
void mime_walk_init(struct mime_walk *w, const struct mime_limits *limits, mime_walk_fn *fn, void *arg);
void mime_walk_deinit(struct mime_walk *w);
void mime_walk_feed(struct mime_walk *w, str bytes);
void mime_walk_finish(struct mime_walk *w); /* the end of the message; then only deinit */

/* In an event: the part it is about; not for DELIMITER and FRAME. */
static inline const struct mime_walk_level *mime_walk_current(const struct mime_walk *w)
{
    return &w->stack[w->used - 1];
}
/* FIELD: the name of the field. */
static inline str mime_walk_field(const struct mime_walk *w)
{
    return str_mem(w->name, w->name_n);
}

#endif
