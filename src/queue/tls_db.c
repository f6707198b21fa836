#include "queue/tls_db.h"

#include "os/db.h"

#include <pthread.h>

struct tls_db {
    pthread_mutex_t lock;
    struct db *db;
};

static const char tables[] =
    "CREATE TABLE IF NOT EXISTS sts(domain TEXT PRIMARY KEY, id TEXT NOT NULL, text TEXT NOT NULL,"
    " expires INTEGER NOT NULL, refresh INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS sts_refresh ON sts(refresh);"
    "CREATE INDEX IF NOT EXISTS sts_expires ON sts(expires);"
    "CREATE TABLE IF NOT EXISTS count(day INTEGER NOT NULL, domain TEXT NOT NULL, policy INTEGER NOT NULL,"
    " result INTEGER NOT NULL, mx TEXT NOT NULL, sessions INTEGER NOT NULL,"
    " PRIMARY KEY(day, domain, policy, result, mx)) WITHOUT ROWID;";

enum rc tls_db_open(const char *path, struct tls_db **ret, struct err *e)
{
    struct tls_db *t = calloc(1, sizeof *t);
    must(t && pthread_mutex_init(&t->lock, NULL) == 0);
    enum rc rc = db_open(path, DB_CREATE, &t->db, e);
    if (rc == RC_OK)
        rc = db_script(t->db, tables, e);
    if (rc == RC_OK)
        *ret = t;
    else
        tls_db_close(t);
    return rc;
}

struct tls_db *tls_db_close(struct tls_db *t)
{
    if (t)
        db_close(t->db);
    free(t);
    return NULL;
}

void tls_db_closep(struct tls_db **t)
{
    *t = tls_db_close(*t);
}

/* --- policies --- */

static enum rc read_policy(struct db_stmt *s, struct arena *a, struct tls_db_policy *ret, struct err *e)
{
    enum rc rc = db_step(s, e);
    if (rc == RC_OK)
        *ret = (struct tls_db_policy){.domain = arena_str(a, db_text(s, 0)),
                                      .id = arena_str(a, db_text(s, 1)),
                                      .text = arena_str(a, db_text(s, 2)),
                                      .expires = db_int(s, 3),
                                      .refresh = db_int(s, 4)};
    db_done(&s);
    return rc == RC_OK && arena_exhausted(a) ? RC_LIMIT : rc;
}

enum rc tls_db_find(struct tls_db *t, str domain, struct arena *a, struct tls_db_policy *ret, struct err *e)
{
    struct db_stmt *s = NULL;
    pthread_mutex_lock(&t->lock);
    enum rc rc = db_query(t->db, &s, e, "SELECT domain,id,text,expires,refresh FROM sts WHERE domain=?1",
                          DB_T(domain));
    if (rc == RC_OK)
        rc = read_policy(s, a, ret, e);
    pthread_mutex_unlock(&t->lock);
    return rc;
}

enum rc tls_db_find_due(struct tls_db *t, int64_t now, struct arena *a, struct tls_db_policy *ret,
                        struct err *e)
{
    struct db_stmt *s = NULL;
    pthread_mutex_lock(&t->lock);
    enum rc rc = db_run(t->db, e, "DELETE FROM sts WHERE expires<?1", DB_I(now));
    if (rc == RC_OK)
        rc = db_query_args(
            t->db, &s, e, "SELECT domain,id,text,expires,refresh FROM sts ORDER BY refresh LIMIT 1", NULL, 0);
    if (rc == RC_OK)
        rc = read_policy(s, a, ret, e);
    pthread_mutex_unlock(&t->lock);
    return rc;
}

static enum rc check_room(struct tls_db *t, const char *sql, int64_t max, struct err *e)
{
    int64_t n = 0;
    enum rc rc = db_get_int_args(t->db, &n, e, sql, NULL, 0);
    return rc == RC_OK && n >= max ? err_set(e, RC_LIMIT, 0, "", "no room for more") : rc;
}

enum rc tls_db_put(struct tls_db *t, const struct tls_db_policy *p, struct err *e)
{
    pthread_mutex_lock(&t->lock);
    enum rc rc = db_begin(t->db, false, e);
    if (rc == RC_OK)
        rc = db_run(t->db, e, "DELETE FROM sts WHERE domain=?1", DB_T(p->domain));
    if (rc == RC_OK)
        rc = check_room(t, "SELECT count(*) FROM sts", TLS_DB_POLICIES_MAX, e);
    if (rc == RC_OK)
        rc = db_run(t->db, e, "INSERT INTO sts(domain,id,text,expires,refresh) VALUES(?1,?2,?3,?4,?5)",
                    DB_T(p->domain), DB_T(p->id), DB_T(p->text), DB_I(p->expires), DB_I(p->refresh));
    rc = db_end(t->db, rc, e);
    pthread_mutex_unlock(&t->lock);
    return rc;
}

/* --- counts --- */

static enum rc raise_count(struct tls_db *t, const struct tls_db_count *c, struct err *e)
{
    enum rc rc =
        db_run(t->db, e,
               "UPDATE count SET sessions=sessions+1 WHERE day=?1 AND domain=?2 AND policy=?3 AND result=?4"
               " AND mx=?5",
               DB_I(c->day), DB_T(c->domain), DB_I(c->policy), DB_I(c->result), DB_T(c->mx));
    if (rc != RC_OK || db_changes(t->db) > 0)
        return rc;
    rc = db_run(t->db, e, "DELETE FROM count WHERE day<=?1", DB_I(c->day - TLS_DB_DAYS));
    if (rc == RC_OK)
        rc = check_room(t, "SELECT count(*) FROM count", TLS_DB_COUNTS_MAX, e);
    return rc == RC_OK
               ? db_run(t->db, e,
                        "INSERT INTO count(day,domain,policy,result,mx,sessions) VALUES(?1,?2,?3,?4,?5,1)",
                        DB_I(c->day), DB_T(c->domain), DB_I(c->policy), DB_I(c->result), DB_T(c->mx))
               : rc;
}

enum rc tls_db_add(struct tls_db *t, const struct tls_db_count *c, struct err *e)
{
    pthread_mutex_lock(&t->lock);
    enum rc rc = db_begin(t->db, false, e);
    if (rc == RC_OK)
        rc = raise_count(t, c, e);
    rc = db_end(t->db, rc, e);
    pthread_mutex_unlock(&t->lock);
    return rc;
}

static bool read_count(struct db_stmt *s, struct tls_db_count *ret)
{
    int64_t policy = db_int(s, 2), result = db_int(s, 3);
    *ret = (struct tls_db_count){.day = db_int(s, 0),
                                 .domain = db_text(s, 1),
                                 .policy = (enum tlsrpt_policy)policy,
                                 .result = (enum tlsrpt_result)result,
                                 .mx = db_text(s, 4),
                                 .sessions = db_int(s, 5)};
    return policy >= 0 && policy < TLSRPT_POLICIES && result >= 0 && result < TLSRPT_RESULTS;
}

enum rc tls_db_each(struct tls_db *t, void (*fn)(void *ctx, const struct tls_db_count *c), void *ctx,
                    struct err *e)
{
    struct tls_db_count c;
    struct db_stmt *s = NULL;
    pthread_mutex_lock(&t->lock);
    enum rc rc = db_query_args(t->db, &s, e,
                               "SELECT day,domain,policy,result,mx,sessions FROM count"
                               " ORDER BY day DESC,domain,policy,result,mx",
                               NULL, 0);
    if (rc == RC_OK) {
        while ((rc = db_step(s, e)) == RC_OK)
            if (read_count(s, &c))
                fn(ctx, &c);
        db_done(&s);
    }
    pthread_mutex_unlock(&t->lock);
    return rc == RC_GONE ? RC_OK : rc;
}
