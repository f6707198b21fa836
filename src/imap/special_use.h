/* special_use: the mailbox attributes of RFC 6154 and the store's values for them. */
#ifndef IMAP_SPECIAL_USE_H
#define IMAP_SPECIAL_USE_H

#include "store/store.h"

str imap_special_use_name(enum special_use use);                  /* "\Drafts"; "" for USE_NONE */
bool imap_special_use_find(str attribute, enum special_use *ret); /* in any case; false when unknown */

#endif
