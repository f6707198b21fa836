/* deliver_detail: the mailbox that the tag of an address names (lmtp_save_to_detail_mailbox), of the Maildir
 * of its account. */
#ifndef ROLE_DELIVER_DETAIL_H
#define ROLE_DELIVER_DETAIL_H

#include "conf/conf.h"
#include "store/delivery.h"

struct detail {
    int fd;                            /* -1: it is INBOX */
    char dir[DELIVERY_FOLDER_MAX + 1]; /* the folder within the Maildir */
};

/* With lda_mailbox_autocreate one that is not there is made. What cannot be opened is INBOX, and logged. */
void detail_open(const struct conf *c, int maildir_fd, str address, struct detail *ret);
void detail_close(struct detail *d);

#endif
