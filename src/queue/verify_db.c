#include "queue/verify_db.h"

#include "os/db.h"

#include <pthread.h>

struct verify_db {
    pthread_mutex_t lock;
    struct db *db;
    int64_t n; /* addresses: counted once, as counting reads them all */
};

static const char tables[] = "CREATE TABLE IF NOT EXISTS address(address TEXT PRIMARY KEY, status INTEGER "
                             "NOT NULL, text TEXT NOT NULL,"
                             " updated INTEGER NOT NULL, probed INTEGER NOT NULL) WITHOUT ROWID;"
                             "CREATE INDEX IF NOT EXISTS address_probed ON address(probed) WHERE probed>0;"
                             "CREATE INDEX IF NOT EXISTS address_updated ON address(updated);";

enum rc verify_db_open(const char *path, struct verify_db **ret, struct err *e)
{
    struct verify_db *v = calloc(1, sizeof *v);
    must(v && pthread_mutex_init(&v->lock, NULL) == 0);
    enum rc rc = db_open(path, DB_CREATE, &v->db, e);
    if (rc == RC_OK)
        rc = db_script(v->db, tables, e);
    if (rc == RC_OK)
        rc = db_get_int_args(v->db, &v->n, e, "SELECT count(*) FROM address", NULL, 0);
    if (rc == RC_OK)
        *ret = v;
    else
        verify_db_close(v);
    return rc;
}

struct verify_db *verify_db_close(struct verify_db *v)
{
    if (v)
        db_close(v->db);
    free(v);
    return NULL;
}

enum rc verify_db_find(struct verify_db *v, str address, struct arena *a, struct verify_entry *ret,
                       struct err *e)
{
    struct db_stmt *s = NULL;
    pthread_mutex_lock(&v->lock);
    enum rc rc = db_query(v->db, &s, e, "SELECT status,text,updated,probed FROM address WHERE address=?1",
                          DB_T(address));
    if (rc == RC_OK)
        rc = db_step(s, e);
    if (rc == RC_OK)
        *ret = (struct verify_entry){.status = (enum verify_status)(db_int(s, 0) & 3),
                                     .text = arena_str(a, db_text(s, 1)),
                                     .updated = db_int(s, 2),
                                     .probed = db_int(s, 3)};
    db_done(&s);
    pthread_mutex_unlock(&v->lock);
    return rc;
}

static enum rc make_room(struct verify_db *v, int64_t old, struct err *e)
{
    if (v->n < VERIFY_DB_MAX)
        return RC_OK;
    enum rc rc = db_run(v->db, e, "DELETE FROM address WHERE updated<?1 AND probed<?1", DB_I(old));
    if (rc == RC_OK)
        v->n -= db_changes(v->db);
    if (rc == RC_OK && v->n >= VERIFY_DB_MAX)
        rc = err_set(e, RC_LIMIT, 0, "", "no room for more addresses");
    return rc;
}

enum rc verify_db_note_probe(struct verify_db *v, str address, int64_t now, int64_t old, struct err *e)
{
    pthread_mutex_lock(&v->lock);
    int64_t before = v->n;
    enum rc rc = db_begin(v->db, false, e);
    if (rc == RC_OK)
        rc = db_run(v->db, e, "UPDATE address SET probed=?2 WHERE address=?1", DB_T(address), DB_I(now));
    if (rc == RC_OK && db_changes(v->db) == 0) {
        rc = make_room(v, old, e);
        if (rc == RC_OK)
            rc = db_run(v->db, e,
                        "INSERT INTO address(address,status,text,updated,probed) VALUES(?1,?2,'',0,?3)",
                        DB_T(address), DB_I(VERIFY_UNKNOWN), DB_I(now));
        v->n += rc == RC_OK;
    }
    rc = db_end(v->db, rc, e);
    if (rc != RC_OK)
        v->n = before;
    pthread_mutex_unlock(&v->lock);
    return rc;
}

enum rc verify_db_put(struct verify_db *v, str address, enum verify_status status, str text, int64_t now,
                      struct err *e)
{
    pthread_mutex_lock(&v->lock);
    enum rc rc = db_run(v->db, e, "UPDATE address SET status=?2,text=?3,updated=?4,probed=0 WHERE address=?1",
                        DB_T(address), DB_I(status), DB_T(text), DB_I(now));
    pthread_mutex_unlock(&v->lock);
    return rc;
}

enum rc verify_db_pending(struct verify_db *v, int64_t since, int64_t *ret, struct err *e)
{
    pthread_mutex_lock(&v->lock);
    enum rc rc = db_get_int(v->db, ret, e, "SELECT count(*) FROM address WHERE probed>?1", DB_I(since));
    pthread_mutex_unlock(&v->lock);
    return rc;
}
