#include "queue/fate.h"

enum { ARENA_MAX = 4 << 20 };

enum rc fate_mark_failed(struct queue *q, int64_t rcpt, const struct queue_outcome *o, struct err *e)
{
    return db_run(
        q->writer, e,
        "UPDATE rcpt SET state=1,due=?2,attempts=attempts+1,tried=?3,code=?4,status=?5,reply=?6,remote=?7"
        " WHERE n=?1",
        DB_I(rcpt), DB_I(QUEUE_NEVER), DB_I(queue_wall()), DB_I(o->code), DB_T(o->status), DB_T(o->reply),
        DB_T(o->remote));
}

/* The message's recipients in a state, as bounce_put wants them. */
static enum rc read_state(struct queue *q, int64_t message, enum queue_state state, struct arena *a,
                          struct bounce_rcpt **ret, size_t *ret_n, struct err *e)
{
    AUTO(db_done) struct db_stmt *s = NULL;
    struct bounce_rcpt *list = NULL;
    size_t n = 0, room = 0;
    enum rc rc = db_query(q->writer, &s, e,
                          "SELECT n,address,orig,orcpt,notify,status,reply,remote,tried FROM rcpt"
                          " WHERE message=?1 AND state=?2 LIMIT ?3",
                          DB_I(message), DB_I(state), DB_I(QUEUE_RCPTS_MAX));
    while (rc == RC_OK && (rc = db_step(s, e)) == RC_OK) {
        if (n == room) {
            list = arena_grow(a, list, n, sizeof *list);
            must(list); /* so many rows fit the arena */
            room = n < 4 ? 8 : 2 * n;
        }
        list[n++] = (struct bounce_rcpt){.rcpt = {.n = db_int(s, 0),
                                                  .address = arena_str(a, db_text(s, 1)),
                                                  .orig = arena_str(a, db_text(s, 2)),
                                                  .orcpt = arena_str(a, db_text(s, 3)),
                                                  .notify = (unsigned)db_int(s, 4)},
                                         .result = state == RCPT_FAILED ? QUEUE_FAILED : QUEUE_DEFERRED,
                                         .status = arena_str(a, db_text(s, 5)),
                                         .reply = arena_str(a, db_text(s, 6)),
                                         .remote = arena_str(a, db_text(s, 7)),
                                         .tried = db_int(s, 8)};
    }
    *ret = list;
    *ret_n = n;
    return rc == RC_GONE ? RC_OK : rc;
}

static enum rc tell_failed(struct queue *q, int64_t message, const struct queue_envelope *v,
                           struct queue_touches *t, struct err *e)
{
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_MAX);
    struct bounce_rcpt *list = NULL;
    struct queue_envelope own;
    size_t n = 0;
    enum rc rc = read_state(q, message, RCPT_FAILED, a, &list, &n, e);
    if (rc == RC_OK && n > 0 && !v)
        rc = rows_read_message(q->writer, message, a, &own, NULL, e);
    if (rc != RC_OK || n == 0)
        return rc;
    v = v ? v : &own;
    rc = bounce_put(q, BOUNCE_FAILURE, message, v, list, n, t, e);
    if (rc == RC_OK)
        rc = db_run(q->writer, e, "DELETE FROM rcpt WHERE message=?1 AND state=1", DB_I(message));
    return rc;
}

enum rc fate_conclude(struct queue *q, int64_t message, const struct queue_envelope *v, bool force,
                      struct queue_touches *t, struct queue_gone *ret, struct err *e)
{
    int64_t fresh = 0, failed = 0;
    enum rc rc = db_get_int(q->writer, &failed, e,
                            "SELECT EXISTS(SELECT 1 FROM rcpt WHERE message=?1 AND state=1)", DB_I(message));
    if (rc == RC_OK && failed && !force)
        rc = db_get_int(
            q->writer, &fresh, e,
            "SELECT EXISTS(SELECT 1 FROM rcpt WHERE message=?1 AND state=0 AND attempts=0 AND held=0)",
            DB_I(message));
    if (rc == RC_OK && fresh)
        return db_run(q->writer, e, "UPDATE message SET timer=min(timer,?2) WHERE n=?1", DB_I(message),
                      DB_I(queue_now(q) + FATE_WAIT_MS));
    if (rc == RC_OK && failed)
        rc = tell_failed(q, message, v, t, e);
    return rc == RC_OK ? rows_drop_message(q, message, ret, e) : rc;
}

enum rc fate_warn(struct queue *q, int64_t message, const struct queue_envelope *v, str status,
                  struct queue_touches *t, struct err *e)
{
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_MAX);
    struct bounce_rcpt *list = NULL;
    size_t n = 0;
    enum rc rc = read_state(q, message, RCPT_WAITS, a, &list, &n, e);
    for (size_t i = 0; i < n && status.n > 0; i++)
        list[i].status = status;
    return rc == RC_OK && n > 0 ? bounce_put(q, BOUNCE_DELAY, message, v, list, n, t, e) : rc;
}
