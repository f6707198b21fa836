/* dovecot_ext: the files of Dovecot 2.3 that have the settings of a database of users (dovecot-sql.conf.ext,
 * dovecot-ldap.conf.ext).
 *
 *   setting = name *white "=" *white ( value / <"> value <"> / "'" value "'" )
 *
 * A backslash at the end of a line joins the next one to it with a space; a "#" outside of quotes begins a
 * comment. */
#ifndef FMT_DOVECOT_EXT_H
#define FMT_DOVECOT_EXT_H

#include "base/buf.h"

enum { DOVECOT_EXT_LINE_MAX = 64 << 10 }; /* bytes of a joined line */

struct dovecot_ext {
    str rest;
    int line; /* physical lines taken so far */
};

/* The next setting; views of *joined, valid until the next call. RC_GONE: no more; RC_INVALID: the line
 * before x->line is no setting, or too long: it is skipped. */
MUST_USE enum rc dovecot_ext_next(struct dovecot_ext *x, struct buf *joined, str *ret_name, str *ret_value);

#endif
