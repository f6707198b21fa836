/* mail_root: the folder below which the mail of one Unix uid lies. */
#ifndef ROLE_MAIL_ROOT_H
#define ROLE_MAIL_ROOT_H

#include "account/identity.h"
#include "conf/conf.h"

/* Its path; it is made, with the right owner, when it is missing. RC_TEMP: it is a home that is missing, is
 * no folder, or cannot be made; e says so. */
MUST_USE enum rc mail_root_make(const struct conf *c, const struct account_identity *id, struct buf *ret_path,
                                struct err *e);

#endif
