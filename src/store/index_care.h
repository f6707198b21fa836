/* index_care: looking through the index of an account, and making it anew, for administrators; other sessions
 * may be open. */
#ifndef STORE_INDEX_CARE_H
#define STORE_INDEX_CARE_H

#include "store/store.h"

struct index_care {
    unsigned mailboxes;
    uint64_t messages;
};

/* Takes in what others did to the folders, then compares the index with itself and with the files, and calls
 * fault for all that is wrong; mailbox is "" for what is of all of them. Nothing is repaired. RC_TEMP: it
 * could not be looked at. */
MUST_USE enum rc store_index_check(struct store *st, void (*fault)(void *ctx, str mailbox, const char *what),
                                   void *ctx, struct index_care *ret, struct err *e);

/* Removes the index and makes it anew from the folders: UIDs, flags and keywords that have a letter come back
 * from them, and modification sequences go on above all that were. Open sessions are told to connect again.
 * st is of no more use than to be closed. RC_TEMP: flags are in the index that cannot be written into file
 * names just now; nothing was changed. */
MUST_USE enum rc store_index_rebuild(struct store *st, struct err *e);

#endif
