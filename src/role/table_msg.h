/* table_msg: TABLE_FIND and TABLE_FOUND on the wire (ipc.def). */
#ifndef ROLE_TABLE_MSG_H
#define ROLE_TABLE_MSG_H

#include "base/arena.h"
#include "os/ipc.h"

enum { TABLE_MSG_KEY_MAX = 32 << 10 };

struct table_question {
    str table, key; /* views into the message */
};

/* RC_LIMIT: the key or the name is too long for a message. */
MUST_USE enum rc table_question_put(struct buf *b, const struct table_question *q);
MUST_USE enum rc table_question_get(struct ipc_msg *m,
                                    struct table_question *ret); /* RC_INVALID: malformed */

/* rc: what table_find said; value counts with RC_OK, e otherwise. A memory file goes to fds[*n]. */
void table_answer_put(struct buf *b, enum rc rc, str value, const struct err *e, int *fds, unsigned *n);
/* What table_find says: RC_OK with the value (in the arena or in the message), RC_GONE, RC_PERM, or RC_TEMP,
 * which is also what anything else is, and a malformed answer. *e is filled but with RC_OK and RC_GONE. */
MUST_USE enum rc table_answer_get(struct ipc_msg *m, struct arena *a, str *ret, struct err *e);

#endif
