/* milter: the mail filters of a session (doc/milters.md), told of its events as Postfix tells them; the
 * protocol is fmt/milter.h. Those of the setting for the client are connected to before the greeting and stay
 * until the session's end; a filter that fails has its default action from then on.
 *
 * Where a function has *ret: RC_OK: the dialogue goes on, and what was asked for the message as a whole is in
 * its smtp_actions. RC_PERM: the client is to be told *ret, which lives until the next call; the log has been
 * told. Without filters nothing is done. LMTP has none. */
#ifndef SMTP_MILTER_H
#define SMTP_MILTER_H

#include "base/err.h"
#include "base/str.h"

struct smtp_session;
struct restrict_refusal;

/* Whether there is one for messages of this session. */
bool smtp_milters_wanted(const struct smtp_session *s);

/* The beginning of a session, or of one for another client (XCLIENT). True: replied, instead of the greeting.
 */
bool smtp_milter_connect(struct smtp_session *s);
void smtp_milter_close(struct smtp_session *s);

/* HELO or EHLO; s->helo is the name. A refusal counts from MAIL on, but for 421, and for 5yz EHLO tells of no
 * extensions. */
MUST_USE enum rc smtp_milter_helo(struct smtp_session *s, const struct restrict_refusal **ret);
/* args: what followed MAIL or RCPT. */
MUST_USE enum rc smtp_milter_mail(struct smtp_session *s, str args, const struct restrict_refusal **ret);
MUST_USE enum rc smtp_milter_rcpt(struct smtp_session *s, str args, str recipient,
                                  const struct restrict_refusal **ret);
/* A recipient that was refused, for those who want to know. */
void smtp_milter_rejected_rcpt(struct smtp_session *s, str args, str recipient, const char *enhanced,
                               str text);
MUST_USE enum rc smtp_milter_data(struct smtp_session *s, const struct restrict_refusal **ret);
MUST_USE enum rc smtp_milter_unknown(struct smtp_session *s, str line, const struct restrict_refusal **ret);
/* AUTH and STARTTLS after a refusal of the session. True: replied. */
bool smtp_milter_refuses_command(struct smtp_session *s);

/* The transaction is over. */
void smtp_milter_abort(struct smtp_session *s);

/* The message, once all of it is there, and what filters change in it. RC_TEMP: it is marked as failed. */
MUST_USE enum rc smtp_milter_message(struct smtp_session *s, const struct restrict_refusal **ret);

#endif
