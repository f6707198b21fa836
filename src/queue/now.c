/* The queue's clock: how far it had come is in the table `clock`, beside the wall clock of that moment. */
#include "base/log.h"
#include "queue/queue_impl.h"

enum {
    NOTE_EVERY_MS = 60000,
    STEP_MS = 1000,          /* the wall clock was set when it moved by so much against ours */
    ABSENCE_MS = 2 * 3600000 /* the most that passes for the queue while nothing runs */
};

/* Rows of sites and lanes that nobody needs may say "not before" by a clock that was ahead. */
static const char forget_sites[] = "DELETE FROM lane; DELETE FROM site;";

enum rc queue_clock_schema(struct db *db, struct err *e)
{
    return db_script(db,
                     "CREATE TABLE IF NOT EXISTS clock(n INTEGER PRIMARY KEY CHECK(n=1),"
                     " wall INTEGER NOT NULL, queue INTEGER NOT NULL)",
                     e);
}

static int64_t clamp(int64_t v, int64_t most)
{
    return v < 0 ? 0 : v < most ? v : most;
}

enum rc queue_clock_read(struct queue *q, struct err *e)
{
    AUTO(db_done) struct db_stmt *s = NULL;
    int64_t wall = queue_wall(), now = wall, noted = wall;
    enum rc rc =
        db_query_args(q->writer, &s, e,
                      "SELECT wall,queue FROM clock WHERE n=1 AND EXISTS(SELECT 1 FROM message)", NULL, 0);
    if (rc == RC_OK)
        rc = db_step(s, e);
    if (rc == RC_OK)
        noted = db_int(s, 1);
    if (rc == RC_OK)
        now = noted + clamp(wall - db_int(s, 0), ABSENCE_MS);
    q->clock_base = now - clock_boot();
    q->noted_ahead = wall - now;
    q->noted = noted;
    return rc == RC_GONE ? RC_OK : rc;
}

enum rc queue_clock_open(struct queue *q, struct err *e)
{
    int64_t waits = 0;
    enum rc rc = db_get_int_args(q->writer, &waits, e, "SELECT EXISTS(SELECT 1 FROM message)", NULL, 0);
    if (rc == RC_OK && !waits)
        rc = db_script(q->writer, forget_sites, e);
    if (rc == RC_OK)
        rc = queue_clock_read(q, e);
    q->noted = 0; /* what is in the table may be of the last time that mail waited */
    return rc;
}

enum rc queue_clock_write(struct queue *q, struct err *e)
{
    int64_t now = queue_now(q), wall = queue_wall();
    enum rc rc = db_run(q->writer, e, "INSERT OR REPLACE INTO clock VALUES(1,?1,?2)", DB_I(wall), DB_I(now));
    if (rc == RC_OK) {
        q->noted = now;
        q->noted_ahead = wall - now;
    }
    return rc;
}

bool queue_clock_is_old(const struct queue *q)
{
    return queue_now(q) - q->noted >= NOTE_EVERY_MS;
}

static enum rc keep_run(struct queue *q, void *arg, struct err *e)
{
    int64_t waits = 0;
    enum rc rc = db_get_int_args(q->writer, &waits, e, "SELECT EXISTS(SELECT 1 FROM message)", NULL, 0);
    return rc == RC_OK && waits ? queue_clock_write(q, e) : rc;
}

void queue_clock_keep(struct queue *q)
{
    struct queue_op op = {.run = keep_run};
    int64_t moved = queue_wall() - queue_now(q) - q->noted_ahead;
    bool set = moved > STEP_MS || moved < -STEP_MS;
    if (set)
        log_warn("the system's clock was set %s by %lld seconds; the queue's own goes on",
                 moved > 0 ? "forwards" : "back", (long long)(moved > 0 ? moved : -moved) / 1000);
    q->noted_ahead += set ? moved : 0;
    if ((set || queue_clock_is_old(q)) && queue_commit(q, &op) != RC_OK)
        q->noted = 0; /* the committing thread said why; the next round tries again */
}
