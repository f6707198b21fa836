/* mime: the tree of parts of a message (RFC 2045, 2046), in one linear pass over raw bytes in any line-end
 * form. Nothing fails but the arena: broken input gives the best tree there is. Offsets are into raw; `crlf`
 * and `lines` count the CRLF form, which is what IMAP tells. Strings are in the arena, unquoted and unfolded
 * but not decoded (RFC 2231 and 2047 forms stay); .p is NULL when the field is absent.
 *
 * Invariants: root.header.start is 0 and root.body.end is raw.n; header.end == body.start in each part; a
 * child lies inside its parent's body; children lie in order and do not overlap. */
#ifndef FMT_MIME_H
#define FMT_MIME_H

#include "base/arena.h"

enum mime_kind {
    MIME_LEAF,      /* no parts inside, whatever its type says */
    MIME_MULTIPART, /* children, maybe none */
    MIME_MESSAGE    /* message/rfc822 or message/global: exactly one child, the message inside */
};

struct mime_span {
    size_t start, end; /* raw offsets */
    size_t crlf;       /* length in CRLF form */
    size_t lines;      /* line ends in it */
};

struct mime_param {
    str name, value;
};

/* The parameters of a Content-Type or Content-Disposition, in their order. */
struct mime_params {
    struct mime_param *p;
    size_t n;
};

struct mime_part {
    enum mime_kind kind;
    struct mime_part *parent, *child, *last_child, *next;
    struct mime_span header; /* with the empty line */
    struct mime_span body;   /* without the line end that belongs to the boundary */
    str type,
        subtype; /* as written; type.p is NULL without a Content-Type (see mime_is), empty in a broken one */
    struct mime_params params;
    str encoding; /* Content-Transfer-Encoding */
    str id, description, md5, location;
    str disposition;
    struct mime_params disposition_params;
    str *languages; /* Content-Language */
    size_t language_count;
};

struct mime_limits {
    size_t depth; /* levels of multipart and message below the root; deeper ones are leaves */
    size_t parts; /* parts in all; at the limit the last part takes the rest of its multipart */
};
#define MIME_LIMITS_DEFAULT          \
    {                                \
        .depth = 100, .parts = 10000 \
    }

/* Longer parameter values and Content-* texts are cut or dropped. */
enum { MIME_VALUE_MAX = 8192 };

/* limits may be NULL for the default ones. Ordinary messages need a few KB of arena and 10,000 parts 6 MB;
 * RC_LIMIT when it is exhausted, which only a message made for it does. Parsing again with limits {0, 1} and
 * an emptied arena of 4 MiB then always succeeds and gives a single leaf. */
MUST_USE enum rc mime_parse(str raw, struct arena *a, const struct mime_limits *limits,
                            struct mime_part **ret);

/* The same for any message at all: one whose tree has no room is told as a single leaf, and the arena, which
 * must take 4 MiB or more, is emptied for it. The tree depends on the size of the arena then: where the same
 * parts must be found again, it takes MIME_TREE_BYTES. */
struct mime_part *mime_tree(str raw, struct arena *a);
enum { MIME_TREE_BYTES = 16 << 20 };

/* Whether the part has this type and subtype, whatever their case; a missing Content-Type counts as
 * text/plain, or message/rfc822 in a multipart/digest (RFC 2046 §5.1.5). An empty subtype matches any. */
bool mime_is(const struct mime_part *part, str type, str subtype);
/* The value of a parameter by name, whatever its case; .p is NULL when absent. */
str mime_param(const struct mime_params *params, str name);

/* The part that IMAP's section numbers name (RFC 9051 §6.4.5.1): "1" of a message that is not multipart is
 * the message's own body. NULL when there is none. n may be 0: the root. */
const struct mime_part *mime_find(const struct mime_part *root, const uint32_t *numbers, size_t n);

enum mime_section {
    MIME_SECTION_BODY,   /* "1.2": the part's body; without numbers the whole message */
    MIME_SECTION_HEADER, /* "HEADER": of the message, or of the message inside part n */
    MIME_SECTION_TEXT,   /* "TEXT": likewise its body */
    MIME_SECTION_MIME    /* "1.2.MIME": the part's own header; needs numbers */
};
/* The bytes of a section; false when the message has no such section. */
bool mime_section(const struct mime_part *root, const uint32_t *numbers, size_t n, enum mime_section which,
                  struct mime_span *ret);

#endif
