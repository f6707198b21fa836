/* metadata: names of annotations of mailboxes (RFC 5464 §3), and the file in which they are kept
 * (doc/storage.md).
 *
 *   file  = *( name SP size LF size OCTET LF )
 *   name  = ( "/private/" / "/shared/" ) part *( "/" part )
 *
 * Pure. */
#ifndef FMT_METADATA_H
#define FMT_METADATA_H

#include "base/buf.h"

enum {
    METADATA_NAME_MAX = 255,
    METADATA_VALUE_MAX = 32 << 10,
    METADATA_ENTRIES_MAX = 100, /* of one mailbox */
    METADATA_FILE_MAX = METADATA_ENTRIES_MAX * (METADATA_VALUE_MAX + METADATA_NAME_MAX + 16)
};

#define METADATA_PRIVATE S("/private")
#define METADATA_SHARED  S("/shared")

struct metadata {
    str name, value; /* value.p NULL: none */
};

/* Whether it names an entry; and whether it is that or one of the two roots, below which to look. */
bool metadata_is_name(str name);
bool metadata_is_place(str name);

enum metadata_depth { METADATA_ITSELF, METADATA_CHILDREN, METADATA_ALL };
/* Whether the entry is the place itself or, as deep as that, below it. Case does not count. */
bool metadata_is_at(str name, str place, enum metadata_depth depth);

/* Takes the first entry off the text; a view of it. RC_GONE: there is none; RC_INVALID: malformed. */
MUST_USE enum rc metadata_next(str *text, struct metadata *ret);
void metadata_put(struct buf *out, const struct metadata *m);

#endif
