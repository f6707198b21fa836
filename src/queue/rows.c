/* Rows of messages and recipients, written and read. */
#include "queue/queue_impl.h"

enum { BULK_RCPTS = 50 };

static int64_t later(int64_t time, msec by)
{
    return time > QUEUE_NEVER - by ? QUEUE_NEVER : time + by;
}

/* When its time begins. */
static int64_t begins_at(const struct queue *q, const struct queue_envelope *v)
{
    int64_t now = queue_now(q), held = queue_time_of_wall(q, v->hold_until);
    return held > now ? held : now;
}

int64_t queue_expires(const struct queue *q, const struct queue_envelope *v)
{
    const struct conf *c = q->conf;
    return later(begins_at(q, v), v->sender.n ? c->maximal_queue_lifetime_ms : c->bounce_queue_lifetime_ms);
}

enum rc rows_add_message(struct queue *q, const struct queue_envelope *v, const struct queue_content *content,
                         int64_t *n, struct err *e)
{
    const struct conf *c = q->conf;
    int64_t expires = queue_expires(q, v), warn = later(begins_at(q, v), c->delay_warning_time_ms);
    bool warns = c->delay_warning_time_ms > 0 && v->sender.n && warn < expires;
    int64_t timer = warns ? warn : expires;
    if (v->deliver_by && queue_time_of_wall(q, v->deliver_by) < timer)
        timer = queue_time_of_wall(q, v->deliver_by);
    *n = *n ? *n : rows_new(q);
    if (queue_clock_is_old(q)) {
        enum rc rc = queue_clock_write(q, e);
        if (rc != RC_OK)
            return rc;
    }
    return db_run(
        q->writer, e,
        "INSERT INTO message(id,sender,envid,ret,flags,account,client,message_id,arrived,size,lines,"
        "expires,warn,timer,trace,content,n,hold_until,deliver_by,priority,file) "
        "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21)",
        DB_T(v->id), DB_T(v->sender), DB_T(v->envid), DB_I(v->ret), DB_I(v->flags), DB_T(v->account),
        DB_T(v->client), DB_T(v->message_id), DB_I(v->arrived), DB_I(v->size), DB_I(v->lines), DB_I(expires),
        warns ? DB_I(warn) : DB_NULL, DB_I(timer), DB_B(v->trace),
        content->file ? DB_NULL : DB_B(content->bytes), DB_I(*n), DB_I(v->hold_until), DB_I(v->deliver_by),
        DB_I(v->priority), content->file ? DB_I(content->file) : DB_NULL);
}

enum rc rows_copy_message(struct queue *q, int64_t message, const struct queue_part *part, int64_t *ret_n,
                          struct err *e)
{
    *ret_n = rows_new(q);
    return db_run(
        q->writer, e,
        "INSERT INTO message(id,sender,envid,ret,flags,account,client,message_id,arrived,size,lines,"
        "expires,warn,timer,trace,content,n,hold_until,deliver_by,priority,file) "
        "SELECT ?2,?3,envid,ret,flags,CASE ?5 WHEN '' THEN account ELSE '' "
        "END,client,message_id,arrived,size,"
        "lines,expires,warn,timer,CAST(?5||trace AS BLOB),content,?4,hold_until,deliver_by,priority,file"
        " FROM message WHERE n=?1",
        DB_I(message), DB_T(part->v.id), DB_T(part->v.sender), DB_I(*ret_n), DB_T(part->head));
}

/* --- sites and lanes --- */

static enum rc find_row(struct db *db, const char *find, const struct db_val *key, size_t n_key,
                        int64_t ret[3], struct err *e)
{
    AUTO(db_done) struct db_stmt *s = NULL;
    enum rc rc = db_query_args(db, &s, e, find, key, n_key);
    if (rc == RC_OK)
        rc = db_step(s, e);
    for (int i = 0; rc == RC_OK && i < 3; i++)
        ret[i] = db_int(s, i);
    return rc;
}

/* A site that is dead is not due before it is tried again. */
static enum rc find_site(struct queue *q, str name, int64_t due, int64_t *ret, struct err *e)
{
    int64_t row[3] = {0};
    const struct db_val key[] = {DB_T(name)};
    enum rc rc = find_row(q->writer, "SELECT n,due,retry FROM site WHERE name=?1", key, 1, row, e);
    *ret = row[0];
    if (due < row[2])
        due = row[2];
    if (rc == RC_GONE) {
        *ret = rows_new(q);
        rc = db_run(q->writer, e, "INSERT INTO site(name,due,n) VALUES(?1,?2,?3)", DB_T(name), DB_I(due),
                    DB_I(*ret));
    } else if (rc == RC_OK && row[1] > due) {
        rc = db_run(q->writer, e, "UPDATE site SET due=?2 WHERE n=?1", DB_I(*ret), DB_I(due));
    }
    return rc;
}

static enum rc find_lane(struct queue *q, int64_t site, str name, int priority, int64_t due, int64_t *ret,
                         struct err *e)
{
    int64_t row[3] = {0};
    const struct db_val key[] = {DB_I(site), DB_T(name)};
    enum rc rc = find_row(q->writer, "SELECT n,due,0 FROM lane WHERE site=?1 AND key=?2", key, 2, row, e);
    *ret = row[0];
    if (rc == RC_GONE) {
        *ret = rows_new(q);
        rc = db_run(q->writer, e, "INSERT INTO lane(site,key,due,n,priority) VALUES(?1,?2,?3,?4,?5)",
                    DB_I(site), DB_T(name), DB_I(due), DB_I(*ret), DB_I(priority));
    } else if (rc == RC_OK && row[1] > due) {
        rc = db_run(q->writer, e, "UPDATE lane SET due=?2 WHERE n=?1", DB_I(*ret), DB_I(due));
    }
    return rc;
}

static void touch(struct queue_touches *t, int64_t site, int64_t lane, int priority)
{
    if (t->n > 0 && t->v[t->n - 1].lane == lane)
        return;
    if (t->n < sizeof t->v / sizeof *t->v)
        t->v[t->n++] = (struct queue_touched){site, lane, priority};
}

enum rc rows_add_rcpt(struct queue *q, const struct queue_message_row *m, const struct queue_rcpt *r,
                      str site_name, int64_t due, struct queue_touches *t, struct err *e)
{
    AUTO(buf_deinit) struct buf key = BUF_INIT(2048);
    int64_t site = 0, lane = 0;
    /* one sender's mail to one place is a lane, and so is each message to many: neither delays others; nor
     * does mail of another priority */
    buf_puts(&key, m->sender);
    if (m->rcpts > BULK_RCPTS)
        buf_printf(&key, " " STR_FMT, STR_ARG(m->id));
    if (m->priority)
        buf_printf(&key, "\n%d", m->priority);
    enum rc rc = find_site(q, site_name, due, &site, e);
    if (rc == RC_OK)
        rc = find_lane(q, site, buf_str(&key), m->priority, due, &lane, e);
    if (rc == RC_OK)
        rc = db_run(q->writer, e,
                    "INSERT INTO rcpt(message,lane,due,address,orig,orcpt,notify,local,n,"
                    "attempts,tried,code,status,reply,remote,via)"
                    " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16)",
                    DB_I(m->n), DB_I(lane), DB_I(due), DB_T(r->address), DB_T(r->orig), DB_T(r->orcpt),
                    DB_I(r->notify), DB_I(r->local ? (r->resolved ? 2 : 1) : 0),
                    DB_I(m->numbered ? r->n : rows_new(q)), DB_I(r->was.attempts), DB_I(r->was.tried),
                    DB_I(r->was.code), DB_T(r->was.status), DB_T(r->was.reply), DB_T(r->was.remote),
                    DB_T(r->via));
    if (rc == RC_OK)
        touch(t, site, lane, m->priority);
    return rc;
}

static enum rc delete_empty(struct queue *q, int64_t message, struct queue_gone *ret, struct err *e)
{
    AUTO(db_done) struct db_stmt *s = NULL;
    enum rc rc = db_query(q->writer, &s, e,
                          "DELETE FROM message WHERE n=?1 AND NOT EXISTS(SELECT 1 FROM rcpt WHERE message=?1)"
                          " RETURNING coalesce(file,0)",
                          DB_I(message));
    if (rc == RC_OK)
        rc = db_step(s, e);
    if (rc == RC_OK)
        *ret = (struct queue_gone){.is = true, .file = db_int(s, 0)};
    return rc == RC_GONE ? RC_OK : rc;
}

enum rc rows_drop_message(struct queue *q, int64_t message, struct queue_gone *ret, struct err *e)
{
    int64_t shared = 0;
    *ret = (struct queue_gone){.is = false};
    enum rc rc = delete_empty(q, message, ret, e);
    if (rc == RC_OK && ret->file)
        rc = db_get_int(q->writer, &shared, e, "SELECT EXISTS(SELECT 1 FROM message WHERE file=?1)",
                        DB_I(ret->file));
    if (shared)
        ret->file = 0;
    return rc;
}

/* --- reading --- */

static const char message_columns[] =
    "SELECT id,sender,envid,ret,flags,account,client,message_id,arrived,size,lines,expires,trace,"
    "hold_until,deliver_by,priority FROM message WHERE n=?1";

static enum rc read_content(struct db *db, int64_t message, struct arena *a, struct queue_content *ret,
                            struct err *e)
{
    AUTO(db_done) struct db_stmt *s = NULL;
    enum rc rc =
        db_query(db, &s, e, "SELECT content,iif(content IS NULL,coalesce(file,-1),0) FROM message WHERE n=?1",
                 DB_I(message));
    if (rc == RC_OK)
        rc = db_step(s, e);
    if (rc != RC_OK)
        return rc;
    *ret = (struct queue_content){.file = db_int(s, 1)};
    if (!ret->file)
        ret->bytes = arena_str(a, db_blob(s, 0));
    if (!ret->file && !ret->bytes.p)
        rc = err_set(e, RC_TEMP, 451, "4.3.0", "not enough memory for a message");
    return rc;
}

enum rc rows_read_message(struct db *db, int64_t message, struct arena *a, struct queue_envelope *ret,
                          struct queue_content *content, struct err *e)
{
    AUTO(db_done) struct db_stmt *s = NULL;
    enum rc rc = db_query(db, &s, e, message_columns, DB_I(message));
    if (rc == RC_OK)
        rc = db_step(s, e);
    if (rc != RC_OK)
        return rc;
    *ret = (struct queue_envelope){.id = arena_str(a, db_text(s, 0)),
                                   .sender = arena_str(a, db_text(s, 1)),
                                   .envid = arena_str(a, db_text(s, 2)),
                                   .ret = (unsigned)db_int(s, 3),
                                   .flags = (unsigned)db_int(s, 4),
                                   .account = arena_str(a, db_text(s, 5)),
                                   .client = arena_str(a, db_text(s, 6)),
                                   .message_id = arena_str(a, db_text(s, 7)),
                                   .arrived = db_int(s, 8),
                                   .size = (uint64_t)db_int(s, 9),
                                   .lines = (uint64_t)db_int(s, 10),
                                   .expires = db_int(s, 11),
                                   .trace = arena_str(a, db_blob(s, 12)),
                                   .hold_until = db_int(s, 13),
                                   .deliver_by = db_int(s, 14),
                                   .priority = (int)db_int(s, 15)};
    if (content)
        rc = read_content(db, message, a, content, e);
    if (rc == RC_OK && arena_exhausted(a))
        rc = err_set(e, RC_TEMP, 451, "4.3.0", "not enough memory for a message");
    return rc;
}
