/* checks: header_checks(5) and body_checks for the message of a session, while its bytes come in and before
 * anything of it is kept; doc/restrictions.md. Postfix does the same in cleanup(8), with the same log lines.
 *
 * LMTP has none. What tables say of a message as a whole becomes its smtp_actions; the first REJECT, DISCARD,
 * PASS or REDIRECT ends the looking. A table that does not answer refuses the message for now. */
#ifndef SMTP_CHECKS_H
#define SMTP_CHECKS_H

#include "base/buf.h"

struct smtp_session;
struct smtp_checks;

/* Whether a table is set for messages of this session. */
bool smtp_checks_wanted(const struct smtp_session *s);

/* Begins a message; NULL when none is set. */
struct smtp_checks *smtp_checks_new(struct smtp_session *s);
void smtp_checks_free(struct smtp_checks **k); /* accepts NULL */

/* Content as it came in; what is left of it goes to smtp_message_store. */
void smtp_checks_feed(struct smtp_checks *k, str content);
void smtp_checks_finish(struct smtp_checks *k);

/* The header lines that this server writes in front, behind the end of the message: *trace becomes what is
 * left of them. Where that is too long, the message is refused. */
void smtp_checks_trace(struct smtp_checks *k, struct buf *trace);

/* The size of what went to smtp_message_store. */
uint64_t smtp_checks_bytes(const struct smtp_checks *k);
uint64_t smtp_checks_lines(const struct smtp_checks *k);

#endif
