/* preauth: an IMAP connection before log-in (RFC 9051 §6.1, §6.2, §3.1), from the greeting to LOGIN or
 * AUTHENTICATE.
 *
 * Runs in role login, so it parses strangers' bytes: at most 64 KiB of literals in all, bounded commands, and
 * one deadline for the whole dialogue. The session that follows sends the tagged OK; input pipelined behind
 * the command that logs in stays in the stream for it. */
#ifndef IMAP_PREAUTH_H
#define IMAP_PREAUTH_H

#include "account/login.h"
#include "os/stream.h"

enum { IMAP_PREAUTH_INPUT = 16384 }; /* the stream's input buffer must hold this much */

/* Greets and talks until log-in or the end. The stream is the caller's; it is not closed. */
void imap_preauth(struct stream *io, const struct login_settings *set, const struct login_ops *ops, void *ctx,
                  struct login_outcome *ret);

/* What a connection above the limits is told instead of a greeting (RFC 9051 §7.1.5). */
#define IMAP_REFUSAL "* BYE [LIMIT] Too many connections from your address, try again later.\r\n"

#endif
