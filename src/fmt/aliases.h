/* aliases: the format of aliases(5), and of ~/.forward and :include: files, which hold the right side of it.
 *
 *   file    = *( entry / comment / empty )
 *   entry   = name ":" [ targets ]                     ; goes on in lines that begin with white space
 *   targets = target *( "," target )
 *   target  = address / display-name "<" address ">" / "|" command / "/" path / ":include:" path
 *
 * A name or a target, or a piece of it, may stand in double quotes; there a backslash takes the next byte as
 * it is, and
 * "," ":" and "#" mean nothing. A line of which the first byte that is not white space is "#" is a comment,
 * in an entry too. Pure: whether commands are run and files are read is not decided here. */
#ifndef FMT_ALIASES_H
#define FMT_ALIASES_H

#include "base/arena.h"

enum {
    ALIASES_FILE_MAX = 16 << 20, /* bytes of a file */
    ALIASES_TARGETS_MAX = 10000, /* targets of one entry, or of one .forward */
    ALIASES_TEXT_MAX = 4096      /* bytes of one name or target */
};

enum alias_kind {
    ALIAS_ADDRESS, /* "joe", "joe@example.org"; a quoted local part keeps its quotes in front of "@" */
    ALIAS_COMMAND, /* what stands behind the "|" */
    ALIAS_FILE,    /* "/path", with its slash; one at the end asks for a Maildir */
    ALIAS_INCLUDE  /* the absolute path behind ":include:" */
};

struct alias_target {
    enum alias_kind kind;
    bool final; /* was "\joe": to joe, whatever joe's own alias or .forward says */
    str text;   /* without quotes and backslashes; not empty, no control characters */
};

struct alias {
    str name;    /* without quotes, in the case it was written in; empty for targets alone */
    size_t line; /* of its name, from 1 */
    struct alias_target *targets;
    size_t count; /* may be 0 */
    str text;     /* aliases_next: what stands behind the colon, for aliases_parse_targets */
};

struct aliases_iter {
    str text;
    size_t pos, line;
};

static inline struct aliases_iter aliases_iter(str file)
{
    return (struct aliases_iter){file, 0, 0};
}

/* The next entry; its strings live in the arena. RC_GONE: there is none. RC_INVALID and RC_LIMIT: the entry
 * is broken and skipped, e tells line and reason, and calling again gives the one behind it, so that all
 * mistakes of a file can be told at once. */
MUST_USE enum rc aliases_next(struct aliases_iter *it, struct arena *a, struct alias *ret, struct err *e);

/* The targets in a .forward or :include: file, in which line ends separate them too. RC_INVALID or RC_LIMIT
 * with e filled: nothing of the file counts. */
MUST_USE enum rc aliases_parse_targets(str file, struct arena *a, struct alias *ret, struct err *e);

#endif
