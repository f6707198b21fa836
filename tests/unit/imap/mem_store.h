/* mem_store: store/store.h in memory, for tests and fuzzing of sessions: small, quick, without files, and
 * able to fail on demand. It stands in for the real store where it is linked first; the real one has its own
 * conformance tests. */
#ifndef TESTS_MEM_STORE_H
#define TESTS_MEM_STORE_H

#include "store/store.h"

/* INBOX with three messages (UIDs 1, 2, 4; 2 is \Seen, 4 has the keyword "work"), Drafts, Sent (subscribed),
 * and "lists/c" below no mailbox "lists". Separator "/". */
struct store *mem_store_new(void);
/* Every later call that can fail gives this; RC_OK ends that. */
void mem_store_fail(struct store *st, enum rc rc);
/* The same with RC_TEMP, for good: the store is stale. */
void mem_store_spoil(struct store *st);
/* What another session would do. */
void mem_store_deliver(struct store *st, const char *mailbox, const char *bytes);
void mem_store_set_flags(struct store *st, const char *mailbox, uid32 uid, unsigned flags);
void mem_store_expunge(struct store *st, const char *mailbox, uid32 uid);

#endif
