/* context: searches of the selected mailbox whose results the client is kept informed about (RFC 5267 §4.3),
 * until it says CANCELUPDATE or the mailbox is closed. A result changes with messages that come, go, or
 * change their flags; what time alone changes is not looked for. */
#ifndef IMAP_CONTEXT_H
#define IMAP_CONTEXT_H

#include "fmt/imap_return.h"
#include "fmt/imap_search.h"
#include "fmt/imap_sort.h"
#include "imap/command.h"
#include "imap/fetch.h"
#include "imap/search_result.h"

enum { CONTEXTS_MAX = 8 };

/* Before a search with these return options: RC_INVALID when UPDATE comes with the tag of another context. */
MUST_USE enum rc context_check(const struct imap_session *s, const struct imap_return *how,
                               struct imap_reply *re);
/* With UPDATE keeps the search whose result was told; sort is NULL for SEARCH. Where that cannot be, the
 * client is told NO [NOUPDATE]. */
void context_open(struct imap_session *s, const struct imap_return *how, const struct search_node *root,
                  const struct imap_sort *sort, const struct search_result *r);
bool context_is_open(const struct imap_session *s, str tag);
void context_close(struct imap_session *s, str tag); /* does nothing when there is none of this tag */
void context_close_all(struct imap_session *s);

/* Commands of this client changed flags of these messages. */
void context_touch(struct imap_session *s, const struct uidset *uids);
/* A message is about to be expunged; its number is the one by which the client knows it. */
void context_expunged(struct imap_session *s, uint32_t number, uid32 uid);
/* Finds out what becomes of the results when those messages changed, or came: these are the UIDs behind
 * `last`, of which it adds what the client wants to know. context_tell then tells it: FETCH comes between
 * EXISTS and ESEARCH (RFC 5465 §7). */
MUST_USE enum rc context_look(struct imap_session *s, const struct uidset *changed, uid32 last,
                              struct fetch_wishes *of_new, struct err *e);
void context_tell(struct imap_session *s);

#endif
