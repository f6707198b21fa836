/* name_msg: a page of users between auth-worker, auth and userdb (USERDB_ACCOUNTS). */
#ifndef ROLE_NAME_MSG_H
#define ROLE_NAME_MSG_H

#include "account/name_page.h"
#include "base/buf.h"

/* The message with what makes the page, or with the error that there was. */
void name_msg_put(struct buf *b, struct name_page *page, struct err *e);

#endif
