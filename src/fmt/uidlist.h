/* uidlist: the lines of the file dovecot-uidlist (version 3; version 1 is read too).
 *
 *   header = "3" *(SP key value) LF       ; V<uidvalidity> N<next uid> G<mailbox guid, 32 hex digits>
 *   record = uid *(SP key value) SP ":" base LF
 *                                         ; S<size> W<crlf size> P<POP3 UIDL> G<guid> O<POP3 order>, others
 * are kept
 *
 * Bases are those of fmt/maildir_name.h. Records are in ascending order of UIDs; a new message is a line
 * appended, and N in the header may be behind. When a base comes twice the later line counts. */
#ifndef FMT_UIDLIST_H
#define FMT_UIDLIST_H

#include "fmt/uidset.h"

struct uidlist_header {
    unsigned version;
    uint32_t uidvalidity;
    uid32 uidnext;
    str guid;  /* "" when the file has none */
    str other; /* fields of unknown keys, as they stand */
};

struct uidlist_record {
    uid32 uid;
    str base;
    str fields; /* everything between uid and ":", as it stands: "W2481 P17" */
    bool has_size, has_crlf_size;
    uint64_t size, crlf_size;
    str pop3_uidl; /* "" without */
};

/* Both take their line off the front of *text; the views point into it. RC_INVALID: no such header; the file
 * must be made anew. */
MUST_USE enum rc uidlist_parse_header(str *text, struct uidlist_header *ret);
/* RC_GONE at the end; RC_INVALID for a bad line, or a last one without its LF (a crash cut it): skip it and
 * go on. */
MUST_USE enum rc uidlist_parse_record(str *text, unsigned version, struct uidlist_record *ret);

/* Both append a line of version 3. */
void uidlist_format_header(struct buf *out, const struct uidlist_header *h);
void uidlist_format_record(struct buf *out, uid32 uid, str fields, str base);

/* The value of one key among a record's fields, STR_NONE when it is not there. */
str uidlist_field(str fields, char key);

#endif
