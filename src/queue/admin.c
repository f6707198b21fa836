/* Looking at the queue and changing it; see the header. */
#include "queue/admin_impl.h"

#include "base/map.h"
#include "os/file.h"
#include "queue/outbound.h"
#include "queue/transit_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { REASON_MAX = 4096, RETURNED_CODE = 550, TRANSIT_WAIT_MS = 3000 };

enum rc queue_admin_open(const char *path, int spool_dir, const struct conf *c, struct queue_admin **ret,
                         struct err *e)
{
    AUTO(queue_admin_closep) struct queue_admin *a = calloc(1, sizeof *a);
    must(a);
    a->spool_dir = spool_dir;
    a->q.conf = c;
    /* numbers for new rows that the role, which counts upwards from 1, will never use */
    a->q.next_row = -(int64_t)clock_wall() * 1000;
    enum rc rc = db_open(path, DB_CREATE, &a->q.writer, e);
    (void)transit_file_await(spool_dir, TRANSIT_WAIT_MS); /* what came before this moment shows */
    if (rc == RC_OK)
        rc = queue_schema(a->q.writer, e);
    if (rc == RC_OK)
        rc = queue_clock_read(&a->q, e);
    if (rc != RC_OK)
        return rc;
    *ret = a;
    a = NULL;
    return RC_OK;
}

struct queue_admin *queue_admin_close(struct queue_admin *a)
{
    if (!a)
        return NULL;
    db_close(a->q.writer);
    free(a);
    return NULL;
}

void queue_admin_closep(struct queue_admin **a)
{
    *a = queue_admin_close(*a);
}

/* --- what matches --- */

static bool domain_is(str address, str domain)
{
    ptrdiff_t at = str_rchr(address, '@');
    return at >= 0 && str_ieq(str_from(address, (size_t)at + 1), domain);
}

static bool reason_has(const struct queue_item *item, str part, int64_t now)
{
    AUTO(buf_deinit) struct buf reason = BUF_INIT(REASON_MAX);
    queue_reason_put(&reason, item, now);
    return str_ifind(buf_str(&reason), part) >= 0;
}

static str sender_of(const struct queue_filter *f)
{
    return str_eq(f->sender, S("<>")) ? STR_NONE : f->sender;
}

static bool matches(const struct queue_filter *f, const struct queue_item *item, int64_t now)
{
    if (f->has_sender && !str_ieq(item->sender, sender_of(f)))
        return false;
    if (f->recipient.n && !str_ieq(item->address, f->recipient) && !str_ieq(item->orig, f->recipient))
        return false;
    if (f->domain.n && !domain_is(item->address, f->domain))
        return false;
    if (f->arrived_before && item->arrived >= f->arrived_before)
        return false;
    if (item->size <= f->larger_than && f->larger_than)
        return false;
    return !f->reason.n || reason_has(item, f->reason, now);
}

#define ITEM_COLUMNS                                                                                      \
    "SELECT m.n,r.n,m.id,m.sender,m.message_id,m.client,m.account,m.arrived,m.expires,"                   \
    "m.size+length(m.trace),r.address,r.orig,s.name,r.state,r.held,r.attempts,r.tried,r.due,s.retry,"     \
    "r.code,r.status,r.reply,r.remote,s.reply,m.hold_until,m.deliver_by,m.priority FROM message m CROSS " \
    "JOIN rcpt r "                                                                                        \
    "ON "                                                                                                 \
    "r.message=m.n CROSS "                                                                                \
    "JOIN lane l ON l.n=r.lane CROSS JOIN site s ON s.n=l.site"
static const char items_all[] = ITEM_COLUMNS " ORDER BY m.n,r.n";
static const char items_of_id[] = ITEM_COLUMNS " WHERE m.id=?1 ORDER BY m.n,r.n";
/* By its lanes, whose keys begin with the sender: they are few beside the messages. A little too many do no
 * harm. */
static const char items_of_sender[] =
    ITEM_COLUMNS " WHERE m.n IN (SELECT of.message FROM lane k CROSS JOIN rcpt of ON of.lane=k.n WHERE "
                 "substr(k.key,1,length(?1))=?1 COLLATE NOCASE AND (?1<>'' OR substr(k.key,1,1) IN "
                 "('',' ',char(10)))) ORDER BY m.n,r.n";

static struct queue_item read_item(const struct queue_admin *a, const struct db_stmt *s)
{
    const struct queue *q = &a->q;
    bool failed = db_int(s, 13) == RCPT_FAILED, held = db_int(s, 14) != 0;
    int64_t due = db_int(s, 17), retry = db_int(s, 18), now = queue_now(q);
    struct queue_item item = {.message = db_int(s, 0),
                              .rcpt = db_int(s, 1),
                              .id = db_text(s, 2),
                              .sender = db_text(s, 3),
                              .message_id = db_text(s, 4),
                              .client = db_text(s, 5),
                              .account = db_text(s, 6),
                              .arrived = db_int(s, 7),
                              .expires = queue_wall_of_time(q, db_int(s, 8)),
                              .size = (uint64_t)db_int(s, 9),
                              .frozen = db_int(s, 14) == HELD_BY_BREAKER,
                              .address = db_text(s, 10),
                              .orig = db_text(s, 11),
                              .site = db_text(s, 12),
                              .attempts = (unsigned)db_int(s, 15),
                              .tried = db_int(s, 16),
                              .code = (int)db_int(s, 19),
                              .dsn = db_text(s, 20),
                              .reply = db_text(s, 21),
                              .remote = db_text(s, 22),
                              .site_reply = db_text(s, 23),
                              .hold_until = db_int(s, 24),
                              .deliver_by = db_int(s, 25),
                              .priority = (int)db_int(s, 26)};
    if (retry > now && !held && !failed)
        item.dead = queue_wall_of_time(q, retry);
    if (!held && !failed)
        item.next = queue_wall_of_time(q, due > retry ? due : retry);
    item.status = failed                         ? QUEUE_IS_FAILED
                  : held                         ? QUEUE_IS_HELD
                  : item.attempts || retry > now ? QUEUE_IS_DEFERRED
                                                 : QUEUE_IS_QUEUED;
    return item;
}

/* Who sees what matches, and how far it went. */
struct walk {
    void (*fn)(void *ctx, const struct queue_item *item);
    void *ctx;
    int64_t message; /* the last one */
    size_t n;        /* messages so far */
};

/* False: it would be one message too many. */
static bool show(struct walk *w, const struct queue_filter *f, const struct queue_item *item)
{
    if (w->n == 0 || w->message != item->message) {
        if (f->most > 0 && w->n == f->most)
            return false;
        w->message = item->message;
        w->n++;
    }
    w->fn(w->ctx, item);
    return true;
}

static enum rc each_row(struct queue_admin *a, const struct queue_filter *f, const char *sql, const str *key,
                        struct walk *w, struct err *e)
{
    AUTO(db_done) struct db_stmt *s = NULL;
    const struct db_val args[] = {DB_T(key ? *key : STR_NONE)};
    int64_t now = queue_wall();
    enum rc rc = db_query_args(a->q.writer, &s, e, sql, args, key ? 1 : 0);
    while (rc == RC_OK && (rc = db_step(s, e)) == RC_OK) {
        struct queue_item item = read_item(a, s);
        if (matches(f, &item, now) && !show(w, f, &item))
            break;
    }
    return rc == RC_GONE ? RC_OK : rc;
}

/* The messages of these ids, each once. */
static enum rc each_of_ids(struct queue_admin *a, const struct queue_filter *f, struct walk *w, struct err *e)
{
    static char seen;
    struct map *ids = map_new();
    enum rc rc = RC_OK;
    for (size_t i = 0; i < f->n_ids && rc == RC_OK; i++) {
        str key = str_c(f->ids[i]);
        if (!map_put(ids, key, &seen))
            rc = each_row(a, f, items_of_id, &key, w, e);
    }
    map_free(ids);
    return rc;
}

enum rc queue_admin_each(struct queue_admin *a, const struct queue_filter *f,
                         void (*fn)(void *ctx, const struct queue_item *item), void *ctx, struct err *e)
{
    struct walk w = {.fn = fn, .ctx = ctx};
    str key = sender_of(f);
    if (f->n_ids > 0)
        return each_of_ids(a, f, &w, e);
    return each_row(a, f, f->has_sender ? items_of_sender : items_all, f->has_sender ? &key : NULL, &w, e);
}

/* --- changing --- */

struct chosen { /* what a change is for, gathered before anything is changed */
    enum queue_change change;
    struct {
        int64_t message, rcpt;
    } * v;
    size_t n, room;
};

static bool applies(enum queue_change change, enum queue_status status)
{
    switch (change) {
    case QUEUE_CHANGE_RELEASE:
        return status == QUEUE_IS_HELD;
    case QUEUE_CHANGE_RETRY:
    case QUEUE_CHANGE_HOLD:
        return status == QUEUE_IS_QUEUED || status == QUEUE_IS_DEFERRED;
    case QUEUE_CHANGE_REQUEUE:
    case QUEUE_CHANGE_BOUNCE:
        return status != QUEUE_IS_FAILED;
    case QUEUE_CHANGE_DELETE:
        break;
    }
    return true;
}

static void choose(void *ctx, const struct queue_item *item)
{
    struct chosen *c = ctx;
    if (!applies(c->change, item->status))
        return;
    if (c->n == c->room) {
        c->room = c->room ? 2 * c->room : 64;
        c->v = reallocarray(c->v, c->room, sizeof *c->v);
        must(c->v);
    }
    c->v[c->n].message = item->message;
    c->v[c->n++].rcpt = item->rcpt;
}

/* The recipient is due now, or when its sender said; its lane and its site are due now, and may be tried
 * again at once. */
static enum rc make_due(struct queue_admin *a, int64_t rcpt, bool asked, struct err *e)
{
    /* not now: if the clock was set this second, the role has not written that down, and it could be too late
     */
    int64_t now = a->q.noted;
    enum rc rc =
        db_run(a->q.writer, e,
               "UPDATE rcpt SET held=0,asked=?4,due=max(?2,(SELECT hold_until+?3 FROM message m WHERE "
               "m.n=rcpt.message)) WHERE n=?1",
               DB_I(rcpt), DB_I(now), DB_I(queue_time_of_wall(&a->q, 0)), DB_I(asked));
    if (rc == RC_OK)
        rc = db_run(a->q.writer, e,
                    "UPDATE lane SET due=?2 WHERE due>?2 AND n=(SELECT lane FROM rcpt WHERE n=?1)",
                    DB_I(rcpt), DB_I(now));
    if (rc == RC_OK)
        rc = db_run(a->q.writer, e,
                    "UPDATE site SET due=min(due,?2),retry=0 WHERE (due>?2 OR retry>0) AND n="
                    "(SELECT l.site FROM rcpt r JOIN lane l ON l.n=r.lane WHERE r.n=?1)",
                    DB_I(rcpt), DB_I(now));
    return rc;
}

static enum rc return_to_sender(struct queue_admin *a, int64_t message, int64_t rcpt, struct err *e)
{
    int64_t now = queue_now(&a->q);
    enum rc rc = db_run(a->q.writer, e,
                        "UPDATE rcpt SET state=1,held=0,due=?2,tried=?3,code=?4,status='5.7.1',"
                        "reply='returned by an administrator',remote='' WHERE n=?1",
                        DB_I(rcpt), DB_I(QUEUE_NEVER), DB_I(queue_wall()), DB_I(RETURNED_CODE));
    return rc == RC_OK
               ? db_run(a->q.writer, e, "UPDATE message SET timer=min(coalesce(timer,?2),?2) WHERE n=?1",
                        DB_I(message), DB_I(now))
               : rc;
}

static enum rc change_one(struct queue_admin *a, enum queue_change change, int64_t message, int64_t rcpt,
                          struct err *e)
{
    switch (change) {
    case QUEUE_CHANGE_RETRY:
    case QUEUE_CHANGE_RELEASE:
    case QUEUE_CHANGE_REQUEUE: /* whatever is about to go is routed anew */
        return make_due(a, rcpt, change == QUEUE_CHANGE_RETRY, e);
    case QUEUE_CHANGE_HOLD:
        return db_run(a->q.writer, e, "UPDATE rcpt SET held=1,due=?2 WHERE n=?1", DB_I(rcpt),
                      DB_I(QUEUE_NEVER));
    case QUEUE_CHANGE_BOUNCE:
        return return_to_sender(a, message, rcpt, e);
    case QUEUE_CHANGE_DELETE:
        break;
    }
    return db_run(a->q.writer, e, "DELETE FROM rcpt WHERE n=?1", DB_I(rcpt));
}

/* Messages without recipients go; the numbers of the spool files that go with them. */
static enum rc drop_empty(struct queue_admin *a, const struct chosen *c, struct buf *ret_files, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < c->n && rc == RC_OK; i++) {
        struct queue_gone gone;
        if (i + 1 < c->n && c->v[i + 1].message == c->v[i].message)
            continue;
        rc = rows_drop_message(&a->q, c->v[i].message, &gone, e);
        if (rc == RC_OK && gone.file)
            buf_puts(ret_files, str_mem(&gone.file, sizeof gone.file));
    }
    return rc;
}

/* One that nobody has; with its lock held it cannot become another message's after it was looked for. */
static void remove_file(struct queue_admin *a, int64_t number)
{
    char name[SPOOL_NAME_SIZE];
    struct err e = {0};
    int64_t message;
    AUTO(fd_closep) int fd = spool_claim(a->spool_dir, number);
    if (fd >= 0 && db_get_int(a->q.writer, &message, &e, "SELECT n FROM message WHERE file=?1 LIMIT 1",
                              DB_I(number)) == RC_GONE)
        unlinkat(a->spool_dir, spool_name(name, number), 0);
}

static void remove_files(struct queue_admin *a, const struct buf *files)
{
    int64_t number;
    for (size_t at = 0; at < files->n; at += sizeof number) {
        memcpy(&number, files->p + at, sizeof number);
        remove_file(a, number);
    }
}

static size_t count_messages(const struct chosen *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++)
        n += i == 0 || c->v[i].message != c->v[i - 1].message;
    return n;
}

enum rc queue_admin_change(struct queue_admin *a, const struct queue_filter *f, enum queue_change change,
                           size_t *ret_messages, struct err *e)
{
    AUTO(buf_deinit) struct buf files = BUF_INIT(SIZE_MAX / 2);
    struct chosen c = {.change = change};
    enum rc rc = db_begin(a->q.writer, true, e);
    if (rc == RC_OK)
        rc = queue_admin_each(a, f, choose, &c, e);
    for (size_t i = 0; i < c.n && rc == RC_OK; i++)
        rc = change_one(a, change, c.v[i].message, c.v[i].rcpt, e);
    if (rc == RC_OK && change == QUEUE_CHANGE_DELETE)
        rc = drop_empty(a, &c, &files, e);
    rc = db_end(a->q.writer, rc, e);
    if (rc == RC_OK) {
        remove_files(a, &files);
        *ret_messages = count_messages(&c);
    }
    free(c.v);
    return rc;
}

/* --- one message --- */

static enum rc read_rcpts(struct queue_admin *a, int64_t message, struct arena *arena,
                          struct queue_envelope *v, struct err *e)
{
    AUTO(db_done) struct db_stmt *s = NULL;
    int64_t n = 0;
    enum rc rc = db_get_int(a->q.writer, &n, e, "SELECT count(*) FROM rcpt WHERE message=?1", DB_I(message));
    if (rc == RC_OK)
        rc =
            db_query(a->q.writer, &s, e,
                     "SELECT address,orig,orcpt,notify FROM rcpt WHERE message=?1 ORDER BY n", DB_I(message));
    if (rc != RC_OK)
        return rc;
    v->rcpts = arena_array(arena, (size_t)n + 1, sizeof *v->rcpts);
    while (v->rcpts && v->n < (size_t)n && (rc = db_step(s, e)) == RC_OK)
        v->rcpts[v->n++] = (struct queue_rcpt){.address = arena_str(arena, db_text(s, 0)),
                                               .orig = arena_str(arena, db_text(s, 1)),
                                               .orcpt = arena_str(arena, db_text(s, 2)),
                                               .notify = (unsigned)db_int(s, 3)};
    if (arena_exhausted(arena))
        return err_set(e, RC_LIMIT, 0, "", "the message has too many recipients to be shown");
    return rc == RC_GONE ? RC_OK : rc; /* one was delivered between the two questions */
}

enum rc queue_admin_message(struct queue_admin *a, const char *id, struct arena *arena,
                            struct queue_envelope *ret, str *ret_content, int *ret_fd, struct err *e)
{
    char name[SPOOL_NAME_SIZE];
    struct queue_content content;
    int64_t n = 0;
    *ret_fd = -1;
    enum rc rc = db_get_int(a->q.writer, &n, e, "SELECT n FROM message WHERE id=?1", DB_T(str_c(id)));
    if (rc == RC_OK)
        rc = rows_read_message(a->q.writer, n, arena, ret, &content, e);
    if (rc == RC_OK)
        rc = read_rcpts(a, n, arena, ret, e);
    if (rc == RC_GONE)
        return err_set(e, RC_GONE, 0, "", "there is no message %s in the queue", id);
    if (rc != RC_OK)
        return rc;
    *ret_content = content.bytes;
    if (!content.file)
        return RC_OK;
    *ret_fd = openat(a->spool_dir, spool_name(name, content.file), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return *ret_fd >= 0
               ? RC_OK
               : err_set(e, RC_TEMP, 0, "", "the spool file of %s cannot be read: %s", id, strerror(errno));
}
