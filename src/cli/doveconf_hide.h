/* doveconf_hide: what doveconf(1) of Dovecot 2.3 does not show without -P, for people send its output to
 * others. */
#ifndef CLI_DOVECONF_HIDE_H
#define CLI_DOVECONF_HIDE_H

#include "base/buf.h"

/* Whether the whole value is hidden, as the name says. */
bool doveconf_is_secret(str name, str value);
/* Appends the value with "#hidden_use-P_to_show#" in place of the values of words in it that begin as a
 * secret
 * ("pass=x", "secret_key = x"), up to a space, ";" or ":", and of user and password in a URL. */
void doveconf_put_masked(str value, struct buf *out);

#endif
