/* login_format: a line of the log about somebody who logs in, as Dovecot's login_log_format and
 * login_log_format_elements say it. Pure.
 *
 *   elements = *( element SP )            ; texts with "%" variables of 2.3 (fmt/dovecot_var.h)
 *   format   = *( byte / "%%" / "%$" / "%s" )  ; "%$": what happened, "%s": the elements, with commas between
 *
 * An element of which no variable has a value is left out, but for one that names the user. */
#ifndef FMT_LOGIN_FORMAT_H
#define FMT_LOGIN_FORMAT_H

#include "base/buf.h"

enum { LOGIN_FORMAT_ELEMENTS_MAX = 50 };

/* Values of variables by their long names; p NULL: there is no such variable. */
typedef str login_format_find(void *ctx, str name);

/* Appends the line. RC_INVALID, RC_GONE, RC_PERM with *e filled: of the grammar, an unknown variable, one
 * that is not supported; RC_LIMIT. Out is as before then. */
MUST_USE enum rc login_format_put(str format, str elements, str what, login_format_find *find, void *ctx,
                                  struct buf *out, struct err *e);

#endif
