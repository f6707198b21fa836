/* preauth: a POP3 connection in its AUTHORIZATION state (RFC 1939 §4), from the greeting to PASS or AUTH.
 *
 * Runs in role login, so it parses strangers' bytes: bounded lines and one deadline for the whole dialogue.
 * The session that follows sends the +OK of the command that logged in; input pipelined behind it stays in
 * the stream for it. */
#ifndef POP3_PREAUTH_H
#define POP3_PREAUTH_H

#include "account/login.h"
#include "os/stream.h"

enum { POP3_PREAUTH_INPUT = 16384 }; /* the stream's input buffer must hold this much */

/* Greets and talks until log-in or the end. The stream is the caller's; it is not closed. */
void pop3_preauth(struct stream *io, const struct login_settings *set, const struct login_ops *ops, void *ctx,
                  struct login_outcome *ret);

/* What a connection above the limits is told instead of a greeting (RFC 3206 §4). */
#define POP3_REFUSAL "-ERR [SYS/TEMP] Too many connections from your address, try again later.\r\n"

#endif
