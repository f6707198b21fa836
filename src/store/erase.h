/* erase: an account's mail taken away as a whole, for the command line. Runs as the uid that owns the mail.
 */
#ifndef STORE_ERASE_H
#define STORE_ERASE_H

#include "base/str.h"

/* Deletes the messages of all mailboxes of the Maildir parent_fd/name; the mailboxes and what is being
 * delivered stay. Open sessions see them expunged. RC_GONE: no such Maildir; RC_TEMP: the system refused
 * (errno). */
MUST_USE enum rc store_erase_messages(int parent_fd, const char *name, uint64_t *ret_count);

#endif
