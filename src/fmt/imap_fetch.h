/* imap_fetch: what a FETCH command asks for (RFC 9051 §6.4.5, RFC 3501 §6.4.5), from its text behind the set.
 *
 * Small items become bits; each piece of the message itself becomes a section, in the order asked, with the
 * name under which its bytes are answered. RFC822, RFC822.HEADER and RFC822.TEXT are sections too. */
#ifndef FMT_IMAP_FETCH_H
#define FMT_IMAP_FETCH_H

#include "base/buf.h"
#include "fmt/imap_lex.h"

enum { FETCH_SECTIONS_MAX = 256, FETCH_FIELDS_MAX = 512, FETCH_PATH_MAX = 128 };

enum fetch_item {
    FETCH_UID = 1,
    FETCH_FLAGS = 2,
    FETCH_INTERNALDATE = 4,
    FETCH_SIZE = 8, /* RFC822.SIZE */
    FETCH_ENVELOPE = 16,
    FETCH_BODY = 32, /* without brackets */
    FETCH_BODYSTRUCTURE = 64
};

enum fetch_part {
    FETCH_PART_ALL,    /* "": the message, or the part that the path names */
    FETCH_PART_HEADER, /* "HEADER" */
    FETCH_PART_FIELDS, /* "HEADER.FIELDS (...)" */
    FETCH_PART_FIELDS_NOT,
    FETCH_PART_TEXT,
    FETCH_PART_MIME
};

struct fetch_section {
    struct fetch_section *next;
    uint32_t *path; /* part numbers */
    size_t n_path;
    enum fetch_part part;
    str *fields; /* names of FIELDS and FIELDS_NOT, upper case */
    size_t n_fields;
    bool peek;    /* does not set \Seen */
    bool partial; /* only [offset, offset + length) of it */
    uint64_t offset, length;
    str echo; /* the name in the response, canonical: "BODY[1.2.HEADER.FIELDS (DATE FROM)]<0>" */
};

struct imap_fetch {
    unsigned items; /* enum fetch_item */
    struct fetch_section *sections;
};

/* Takes the macro, the item or the list of items off the lexer; everything lies in its arena. RC_INVALID: the
 * lexer knows what was expected; RC_LIMIT: more of something than the limits above, or the arena is
 * exhausted. */
MUST_USE enum rc imap_fetch_parse(struct imap_lex *lex, struct imap_fetch *ret);

/* Whether any section sets \Seen. */
bool imap_fetch_sets_seen(const struct imap_fetch *f);

#endif
