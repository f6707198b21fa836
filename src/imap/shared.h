/* shared: mailboxes of other users (RFC 2342 §5, RFC 4314), whose names begin with start->shared_prefix and
 * the owner's account: "shared/anne@malle.test/INBOX".
 *
 * This process cannot reach them. Each owner's are served by a *guest session*: one more session process, in
 * the owner's cage, which the role mailbox starts for the user of this one, and which looks his rights up
 * with each call of its store (store.h, struct store_guest). It is spoken to in IMAP and calls mailboxes by
 * the same names, so that commands and what they are answered are passed on as they are. */
#ifndef IMAP_SHARED_H
#define IMAP_SHARED_H

#include "imap/command.h"
#include "imap/list.h"

/* Whether the command, whose arguments stand behind the cursor, is about mailboxes of others: then it was
 * done and answered. announces: its text ends in the announcement of a literal that streams. */
bool shared_run(struct imap_session *s, const struct imap_command *c, struct imap_lex lex, bool announces);
bool shared_is_selected(const struct imap_session *s);
void shared_close(struct imap_session *s); /* all guest sessions end */

/* store_list, and what is shared with this user of what the patterns may mean. */
MUST_USE enum rc shared_list(struct imap_session *s, const struct list_patterns *p,
                             struct store_box_info **ret, size_t *ret_n, struct err *e);
bool shared_is_name(const struct imap_session *s, str name);
/* Passes on what the owner's session tells of "verb name arguments"; where it refuses, nothing is told. */
void shared_ask(struct imap_session *s, const char *verb, str name, str arguments);
/* After rights were changed: tells who has some now, so that they find it. */
void shared_tell_with(struct imap_session *s);

#endif
