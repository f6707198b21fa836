/* notify: what a session tells by itself since NOTIFY SET (RFC 5465) or ENABLE METADATA (RFC 5464 §4.4). Of
 * the selected mailbox it is announced as ever (announce.h), only at other times and not all; of the others
 * it is found by comparing what there is with what the client was told last, whenever something may have
 * changed.
 *
 * What this client did itself is not told to it (RFC 5465 §5), as far as nobody else did the same at once. */
#ifndef IMAP_NOTIFY_H
#define IMAP_NOTIFY_H

#include "fmt/imap_notify.h"
#include "imap/fetch.h"

struct notify;

/* Takes the arguments of NOTIFY off the lexer, results as of imap_notify_parse; *ret is NULL for NONE. */
MUST_USE enum rc notify_parse(struct imap_lex *lex, struct notify **ret);
struct notify *notify_free(struct notify *n); /* accepts NULL, returns NULL */

/* Goes on with n, which is the session's then, in place of what was before; NULL: nothing is told. RC_LIMIT:
 * it would be about more than IMAP_WATCHES_MAX mailboxes; after a failure all is as before. */
MUST_USE enum rc notify_begin(struct imap_session *s, struct notify *n, struct err *e);
/* ENABLE METADATA: changes of annotations are told from now on, whatever NOTIFY says. RC_LIMIT, RC_TEMP: they
 * cannot be, and nothing changes. */
MUST_USE enum rc notify_enable_metadata(struct imap_session *s, struct err *e);
/* The STATUS responses that NOTIFY SET STATUS asks for. */
void notify_tell_status(struct imap_session *s);

/* What is told now of the selected mailbox: NOTIFY_MESSAGES, NOTIFY_FLAGS. */
unsigned notify_of_selected(const struct imap_session *s);
/* The view has grown: adds what the client wants to know of the messages behind the UID `last`. */
void notify_of_new(struct imap_session *s, uid32 last, struct fetch_wishes *w);

/* Tells what has changed elsewhere. own, own_too: names that a command of this client was about, or STR_NONE.
 */
void notify_look(struct imap_session *s, str own, str own_too);
/* Between commands, something may have changed, in the selected mailbox or elsewhere: tells it. */
void notify_woken(struct imap_session *s);

/* This client brought messages into a mailbox. */
void notify_own_messages(struct imap_session *s, str mailbox, const struct uidset *uids);
/* This client changed annotations of a mailbox, or of the server. */
void notify_own_metadata(struct imap_session *s, str mailbox);
/* The selected mailbox is about to be one of the others; this client has just expunged so many of its
 * messages untold. */
void notify_before_close(struct imap_session *s, uint32_t expunged);
/* At the end of a command: looks at what it made one of the others. */
void notify_catch_up(struct imap_session *s);

#endif
