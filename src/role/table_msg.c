#include "role/table_msg.h"

#include "role/ipc.h"
#include "role/ipc_bytes.h"
#include "table/table.h"

enum rc table_question_put(struct buf *b, const struct table_question *q)
{
    if (q->table.n > TABLE_SPEC_MAX || q->key.n > TABLE_MSG_KEY_MAX)
        return RC_LIMIT;
    ipc_begin(b, MSG_TABLE_FIND);
    ipc_put_str(b, q->table);
    ipc_put_str(b, q->key);
    return RC_OK;
}

enum rc table_question_get(struct ipc_msg *m, struct table_question *ret)
{
    struct table_question q = {.table = ipc_get_str(m, TABLE_SPEC_MAX)};
    q.key = ipc_get_str(m, TABLE_MSG_KEY_MAX);
    enum rc rc = ipc_end(m);
    if (rc == RC_OK)
        *ret = q;
    return rc;
}

/* Only RC_GONE may say that the key is not there. */
static enum rc said(enum rc rc)
{
    return rc == RC_OK || rc == RC_GONE || rc == RC_PERM ? rc : RC_TEMP;
}

static void put(struct buf *b, enum rc rc, const struct err *e)
{
    struct err copy = *e;
    copy.rc = rc;
    ipc_begin(b, MSG_TABLE_FOUND);
    ipc_put_err(b, &copy);
}

void table_answer_put(struct buf *b, enum rc rc, str value, const struct err *e, int *fds, unsigned *n)
{
    struct err full = {.rc = RC_TEMP};
    put(b, said(rc), e);
    if (ipc_put_bytes(b, rc == RC_OK ? value : STR_NONE, fds, n) == RC_OK)
        return;
    (void)err_set(&full, RC_TEMP, 451, "4.3.0", "Temporary lookup failure");
    err_note(&full, "proxymap has no memory file for a value");
    put(b, RC_TEMP, &full);
    must(ipc_put_bytes(b, STR_NONE, fds, n) == RC_OK);
}

enum rc table_answer_get(struct ipc_msg *m, struct arena *a, str *ret, struct err *e)
{
    struct err answer = {0};
    str value = STR_NONE;
    ipc_get_err(m, &answer);
    enum rc rc = ipc_get_bytes(m, TABLE_VALUE_MAX, a, &value);
    if (rc == RC_OK)
        rc = ipc_end(m);
    if (rc != RC_OK) {
        (void)err_set(e, RC_TEMP, 451, "4.3.0", "Temporary lookup failure");
        err_note(e, "the answer of proxymap cannot be read");
        return RC_TEMP;
    }
    answer.rc = said(answer.rc);
    if (answer.rc == RC_OK)
        *ret = value;
    else if (answer.rc != RC_GONE && e)
        *e = answer;
    return answer.rc;
}
