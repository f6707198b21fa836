/* policy: the protocol of Postfix's policy servers (SMTPD_POLICY_README).
 *
 *   request = *( name "=" value LF ) LF
 *   reply   = *( name "=" value LF ) LF            ; one of the names is "action"
 *
 * Pure. */
#ifndef FMT_POLICY_H
#define FMT_POLICY_H

#include "base/buf.h"

enum { POLICY_REPLY_MAX = 16384 };

/* Adds one attribute; bytes that would end its line, and NUL, become "?". */
void policy_put(struct buf *out, const char *name, str value);
void policy_put_end(struct buf *out);

/* Reads a reply from its beginning. RC_OK: *ret_action is a view of it, *ret_size its bytes; RC_TEMP: it is
 * not complete; RC_INVALID: a line without "=", or no action; RC_LIMIT: longer than POLICY_REPLY_MAX. Of an
 * attribute that is there twice the last counts. */
MUST_USE enum rc policy_parse_reply(str in, str *ret_action, size_t *ret_size);

#endif
