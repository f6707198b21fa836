/* metadata: annotations of mailboxes and of the server (RFC 5464), as GETMETADATA and LIST (RFC 9590) tell
 * them. */
#ifndef IMAP_METADATA_H
#define IMAP_METADATA_H

#include "fmt/metadata.h"
#include "imap/command.h"

#define METADATA_SPECIAL_USE S("/private/specialuse") /* RFC 6154 §4 */

struct metadata_request {
    const str *places;
    size_t n; /* 0: nothing is asked */
    enum metadata_depth depth;
    bool bounded; /* values longer than `most` are not told */
    uint32_t most;
};

/* entries = entry / "(" entry *(SP entry) ")" ; with `many` only the latter. */
MUST_USE enum rc metadata_places_parse(struct imap_lex *lex, bool many, struct metadata_request *ret);
enum { METADATA_PLACES_BYTES = METADATA_ENTRIES_MAX * (METADATA_NAME_MAX + 8) };
/* As they are parsed, in parentheses. */
void metadata_places_put(struct buf *out, const struct metadata_request *r);
/* One entry's name. */
MUST_USE enum rc metadata_name_parse(struct imap_lex *lex, str *ret);

/* Sends the METADATA response of a mailbox, of the server when it is empty; none when there is nothing to
 * tell. What is asked for itself and not there is told as NIL. *ret_longest: the size of the longest value
 * that was not told, 0 without. RC_GONE: no such mailbox. */
MUST_USE enum rc metadata_tell(struct imap_session *s, str mailbox, const struct metadata_request *r,
                               size_t *ret_longest, struct err *e);

/* Which entries a mailbox, or the server, has at one moment, and what tells another value of one. */
struct metadata_marks {
    bool taken;
    struct metadata_mark {
        str name;
        uint64_t value; /* a hash of it */
    } * v;
    size_t n;
};
/* In the arena. RC_GONE; RC_LIMIT: it is exhausted. What cannot be read has no entries. */
MUST_USE enum rc metadata_marks_take(struct imap_session *s, str mailbox, struct arena *a,
                                     struct metadata_marks *ret, struct err *e);
/* "* METADATA INBOX /shared/comment /private/comment": the entries that are other ones now, or gone (RFC 5464
 * §4.4.2). Nothing where one of both was not taken. */
void metadata_tell_changes(struct imap_session *s, str mailbox, const struct metadata_marks *before,
                           const struct metadata_marks *now);

#endif
