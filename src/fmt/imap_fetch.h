/* imap_fetch: what a FETCH command asks for (RFC 9051 §6.4.5, RFC 3501 §6.4.5), from its text behind the set.
 *
 * Small items become bits; each piece of the message itself becomes a section, in the order asked, with the
 * name under which its bytes are answered. RFC822, RFC822.HEADER and RFC822.TEXT are sections too. */
#ifndef FMT_IMAP_FETCH_H
#define FMT_IMAP_FETCH_H

#include "base/buf.h"
#include "fmt/imap_return.h"

enum { FETCH_SECTIONS_MAX = 256, FETCH_FIELDS_MAX = 512, FETCH_PATH_MAX = 128 };

enum fetch_item {
    FETCH_UID = 1,
    FETCH_FLAGS = 2,
    FETCH_INTERNALDATE = 4,
    FETCH_SIZE = 8, /* RFC822.SIZE */
    FETCH_ENVELOPE = 16,
    FETCH_BODY = 32, /* without brackets */
    FETCH_BODYSTRUCTURE = 64,
    FETCH_MODSEQ = 128,   /* RFC 7162 */
    FETCH_SAVEDATE = 256, /* RFC 8514 */
    FETCH_PREVIEW = 512,  /* RFC 8970 */
    FETCH_EMAILID = 1024, /* RFC 8474 */
    FETCH_THREADID = 2048
};

enum fetch_part {
    FETCH_PART_ALL,    /* "": the message, or the part that the path names */
    FETCH_PART_HEADER, /* "HEADER" */
    FETCH_PART_FIELDS, /* "HEADER.FIELDS (...)" */
    FETCH_PART_FIELDS_NOT,
    FETCH_PART_TEXT,
    FETCH_PART_MIME
};

enum fetch_form {
    FETCH_FORM_STORED,     /* BODY[...], RFC822...: the bytes as they are */
    FETCH_FORM_BINARY,     /* BINARY[...]: with the transfer encoding undone (RFC 9051 §6.4.5, RFC 3516) */
    FETCH_FORM_BINARY_SIZE /* BINARY.SIZE[...]: how many bytes that would be */
};

struct fetch_section {
    struct fetch_section *next;
    uint32_t *path; /* part numbers */
    size_t n_path;
    enum fetch_form form;
    enum fetch_part part; /* of FETCH_FORM_STORED */
    str *fields;          /* names of FIELDS and FIELDS_NOT, upper case */
    size_t n_fields;
    bool peek;    /* does not set \Seen */
    bool partial; /* only [offset, offset + length) of it */
    uint64_t offset, length;
    str echo; /* the name in the response, canonical: "BODY[1.2.HEADER.FIELDS (DATE FROM)]<0>" */
};

struct imap_fetch {
    unsigned items; /* enum fetch_item */
    struct fetch_section *sections;
    bool has_since, vanished; /* modifiers CHANGEDSINCE and VANISHED (RFC 7162 §3.1.4.1, §3.2.6) */
    uint64_t since;
    struct imap_partial partial; /* modifier PARTIAL (RFC 9394 §3.3) */
};

/* Takes the macro, the item or the list of items off the lexer; everything lies in its arena. RC_INVALID: the
 * lexer knows what was expected; RC_LIMIT: more of something than the limits above, or the arena is
 * exhausted. */
MUST_USE enum rc imap_fetch_parse(struct imap_lex *lex, struct imap_fetch *ret);

/* [SP "(" fetch-modifier *(SP fetch-modifier) ")"] behind the items (RFC 4466 §2.4); sets those members of
 * *fetch. VANISHED without CHANGEDSINCE is RC_INVALID. */
MUST_USE enum rc imap_fetch_modifiers(struct imap_lex *lex, struct imap_fetch *fetch);

/* A section alone, as it stands between the brackets of BODY[...]. */
MUST_USE enum rc imap_section_parse(str text, struct arena *a, struct fetch_section *ret);

/* Whether any section sets \Seen. */
bool imap_fetch_sets_seen(const struct imap_fetch *f);

#endif
