/* passwd_file: lines of Dovecot's passwd-file:
 *
 *   line  = name [ ":" password [ ":" uid ":" gid ":" gecos ":" home ":" shell [ ":" extra ] ] ]
 *   extra = *( name [ "=" value ] )      ; separated by white space
 *
 * Lines that begin with "#" or ":" and empty ones do not count; of several lines with one name the first
 * does. Pure; entries are views of the text. */
#ifndef FMT_PASSWD_FILE_H
#define FMT_PASSWD_FILE_H

#include "base/str.h"

enum { PASSWD_FILE_MAX = 64 << 20 }; /* bytes of a file */

struct passwd_entry {
    str name, password, uid, gid, home, extra; /* what the line does not have is STR_NONE */
};

/* The next entry. RC_GONE: no more. */
MUST_USE enum rc passwd_file_next(str *text, struct passwd_entry *ret);
/* The entry of that name. RC_GONE: there is none. */
MUST_USE enum rc passwd_file_find(str text, str name, struct passwd_entry *ret);

#endif
