/* restrict: Postfix's access restriction lists (doc/restrictions.md) as a session applies them.
 *
 * Each function below applies the lists that belong to one moment of the dialogue, in the order of
 * Postfix 3.7. RC_OK: nothing objects. RC_PERM: the client is to be told *ret, a view of the session that
 * lives until the next call; the log has been told. Whatever cannot be decided (a table, the DNS or a policy
 * server that does not answer) ends as a refusal for now, or as its settings say, never as a permit. With all
 * lists empty nothing is asked of anybody. LMTP and the socket for local mail have no restrictions. */
#ifndef SMTP_RESTRICT_H
#define SMTP_RESTRICT_H

#include "base/arena.h"

struct smtp_session;

struct restrict_refusal {
    int code; /* 421 and 521 end the session */
    char enhanced[12];
    str text;
};

MUST_USE enum rc restrict_connect(struct smtp_session *s, const struct restrict_refusal **ret);
MUST_USE enum rc restrict_helo(struct smtp_session *s, const struct restrict_refusal **ret);
/* sender: "" for <> */
MUST_USE enum rc restrict_mail(struct smtp_session *s, str sender, const struct restrict_refusal **ret);
/* Also the built-in smtpd_reject_unlisted_recipient is decided here when there are lists; s->rcpt is the
 * recipient. *ret_may_relay: the list that decides about relaying said `permit` of its own, for this
 * recipient. */
MUST_USE enum rc restrict_rcpt(struct smtp_session *s, bool *ret_may_relay,
                               const struct restrict_refusal **ret);
MUST_USE enum rc restrict_data(struct smtp_session *s, const struct restrict_refusal **ret);
MUST_USE enum rc restrict_end_of_data(struct smtp_session *s, const struct restrict_refusal **ret);

/* Replies a refusal; 421 and 521 end the session. */
void restrict_reply(struct smtp_session *s, const struct restrict_refusal *r);

#endif
