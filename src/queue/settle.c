/* Settling: the tables learn when the next work of a site and its lanes really is due. */
#include "queue/sched_impl.h"

/* The earliest due of what depends on row n, or removes the row when nothing does. */
static enum rc settle_row(struct queue *q, const char *find, const char *update, const char *remove,
                          int64_t n, struct err *e)
{
    AUTO(db_done) struct db_stmt *s = NULL;
    enum rc rc = db_query(q->writer, &s, e, find, DB_I(n));
    if (rc == RC_OK)
        rc = db_step(s, e);
    if (rc != RC_OK)
        return rc;
    return db_is_null(s, 0) ? db_run(q->writer, e, remove, DB_I(n))
                            : db_run(q->writer, e, update, DB_I(n), DB_I(db_int(s, 0)));
}

enum rc settle_run(struct queue *q, void *arg, struct err *e)
{
    struct settle *st = arg;
    enum rc rc = RC_OK;
    for (unsigned i = 0; i < st->n && rc == RC_OK; i++)
        rc = settle_row(q, "SELECT min(due) FROM rcpt WHERE lane=?1", "UPDATE lane SET due=?2 WHERE n=?1",
                        "DELETE FROM lane WHERE n=?1", st->lanes[i], e);
    if (rc == RC_OK)
        rc = settle_row(q, "SELECT min(due) FROM lane WHERE site=?1",
                        "UPDATE site SET due=max(retry,?2) WHERE n=?1", "DELETE FROM site WHERE n=?1",
                        st->site, e);
    return rc;
}
