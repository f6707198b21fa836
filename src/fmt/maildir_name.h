/* maildir_name: the names of message files in a Maildir, as Dovecot reads and writes them.
 *
 *   name = base [":2," flags *("," other)]
 *   base = unique *("," key "=" value)      ; S=bytes in the file, W=bytes with CRLF line ends
 *   flags = letters D F P R S T, then a to z for the keywords that dovecot-keywords names
 *
 * The base identifies a message for ever; what follows the colon changes with its flags. */
#ifndef FMT_MAILDIR_NAME_H
#define FMT_MAILDIR_NAME_H

#include "base/buf.h"
#include "base/clock.h"

enum maildir_flag {
    MAILDIR_DRAFT = 1,    /* D */
    MAILDIR_FLAGGED = 2,  /* F */
    MAILDIR_PASSED = 4,   /* P */
    MAILDIR_REPLIED = 8,  /* R */
    MAILDIR_SEEN = 16,    /* S */
    MAILDIR_TRASHED = 32, /* T */
    MAILDIR_FLAGS = 63
};
enum { MAILDIR_KEYWORDS = 26, MAILDIR_NAME_MAX = 255 };

struct maildir_name {
    str base, info;    /* views into the name: up to the first ':', and from there on ("" without) */
    unsigned flags;    /* enum maildir_flag */
    uint32_t keywords; /* bit 0 is the letter a */
    bool has_size, has_crlf_size;
    uint64_t size, crlf_size; /* S= and W= */
};

/* RC_INVALID when no message file is called so: empty, longer than MAILDIR_NAME_MAX, a leading dot, an empty
 * base, a slash or a control byte (a newline would break the uidlist). Anything else is taken; unknown parts
 * are ignored. */
MUST_USE enum rc maildir_name_parse(str name, struct maildir_name *ret);

/* Appends ":2," with the given flags and keywords; what `old_info` (may be empty) says beyond them is kept.
 */
void maildir_info_format(struct buf *out, str old_info, unsigned flags, uint32_t keywords);

struct maildir_unique {
    usec now;
    uint64_t id;     /* random, or the message's id */
    unsigned number; /* tells apart what shares the id: the recipient's number */
    str host;
    uint64_t size, crlf_size;
};
/* Appends a base: "<seconds>.M<microseconds>R<id in hex>N<number>.<host>,S=<size>,W=<crlf size>". */
void maildir_base_format(struct buf *out, const struct maildir_unique *u);

#endif
