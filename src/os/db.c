/* db: SQLite behind a small interface; see the header. The only file that includes sqlite3.h. */
#include "os/db.h"

#include "base/clock.h"
#include "os/file.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <unistd.h>

enum { STATEMENTS_MAX = 96, BUSY_TIMEOUT_MS = 30000, STEPS_BETWEEN_LOOKS = 10000 };

struct db_stmt {
    struct db *db;
    const char *sql;
    sqlite3_stmt *s;
    bool busy;
    uint64_t used; /* for eviction: when it was last begun */
};

struct db {
    sqlite3 *s;
    struct db_stmt stmt[STATEMENTS_MAX];
    size_t n_stmt;
    uint64_t uses;
    _Atomic uint64_t scanned; /* other threads may look */
    bool tells_damage;        /* DB_DISPOSABLE */
    bool durable;             /* the present value of PRAGMA synchronous */
    int log_fd;               /* of db_sync; -1: not yet opened */
    bool log_is_torn;         /* a sync of it failed, so what the kernel calls written may not be on disk */
    struct db_stmt outside;   /* of db_query_text */
    msec patience, give_up;   /* for one statement, and the instant that follows from it; 0: none */
};

static enum rc rc_of(const struct db *db, int code)
{
    switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return db && db->tells_damage ? RC_INVALID : RC_TEMP;
    case SQLITE_CONSTRAINT:
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return RC_PERM;
    case SQLITE_TOOBIG:
    case SQLITE_FULL:
        return RC_LIMIT;
    default:
        return RC_TEMP;
    }
}

static enum rc fail(struct db *db, int code, const char *what, struct err *e)
{
    enum rc rc = rc_of(db, code);
    (void)err_set(e, rc, 0, "4.3.0", "Internal error, try again later");
    err_note(e, "sqlite: %s (%d): %.120s", db && db->s ? sqlite3_errmsg(db->s) : sqlite3_errstr(code), code,
             what);
    return rc;
}

/* Its count of all memory would be behind one lock for all handles. Fails harmlessly where somebody, a module
 * of PAM, was first. */
static void set_up_library(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

enum rc db_open(const char *path, unsigned flags, struct db **ret, struct err *e)
{
    static const char setup[] = "PRAGMA temp_store=MEMORY; PRAGMA foreign_keys=ON; PRAGMA journal_mode=WAL;"
                                "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000;"
                                "PRAGMA journal_size_limit=4194304; PRAGMA cache_size=-8192;"
                                "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;";
    /* Reading the schema opens the files that belong to the database, which a sandbox may forbid later. */
    static const char setup_foreign[] =
        "PRAGMA temp_store=MEMORY; PRAGMA query_only=ON; PRAGMA trusted_schema=OFF;"
        "PRAGMA cell_size_check=ON; SELECT count(*) FROM sqlite_schema;";
    int mode = flags & DB_READ_ONLY ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    AUTO(db_closep) struct db *db = calloc(1, sizeof *db);
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    must(db && pthread_once(&once, set_up_library) == 0);
    db->tells_damage = (flags & (DB_DISPOSABLE | DB_FOREIGN)) != 0;
    if (flags & DB_CREATE)
        mode |= SQLITE_OPEN_CREATE;
    int code = sqlite3_open_v2(path, &db->s, mode | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK)
        return fail(db, code, path, e);
    sqlite3_extended_result_codes(db->s, 1);
    sqlite3_busy_timeout(db->s, BUSY_TIMEOUT_MS);
    sqlite3_db_config(db->s, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    db->durable = true;
    db->log_fd = -1;
    enum rc rc = db_script(db, flags & DB_FOREIGN ? setup_foreign : setup, e);
    if (rc == RC_OK) {
        *ret = db;
        db = NULL;
    }
    return rc;
}

struct db *db_close(struct db *db)
{
    if (!db)
        return NULL;
    for (size_t i = 0; i < db->n_stmt; i++)
        sqlite3_finalize(db->stmt[i].s);
    sqlite3_finalize(db->outside.s);
    sqlite3_close(db->s);
    fd_closep(&db->log_fd);
    free(db);
    return NULL;
}

void db_closep(struct db **db)
{
    *db = db_close(*db);
}

enum rc db_script(struct db *db, const char *sql, struct err *e)
{
    int code = sqlite3_exec(db->s, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? RC_OK : fail(db, code, sql, e);
}

static int is_over(void *arg)
{
    const struct db *db = arg;
    return db->give_up > 0 && clock_mono() > db->give_up;
}

void db_set_patience(struct db *db, int timeout_ms)
{
    db->patience = timeout_ms;
    sqlite3_busy_timeout(db->s, timeout_ms);
    sqlite3_progress_handler(db->s, STEPS_BETWEEN_LOOKS, is_over, db);
}

/* A free slot: a new one, or the idle statement that was used longest ago. */
static struct db_stmt *free_slot(struct db *db)
{
    struct db_stmt *old = NULL;
    if (db->n_stmt < STATEMENTS_MAX)
        return &db->stmt[db->n_stmt++];
    for (size_t i = 0; i < db->n_stmt; i++)
        if (!db->stmt[i].busy && (!old || db->stmt[i].used < old->used))
            old = &db->stmt[i];
    must(old); /* nobody holds this many queries open at once */
    sqlite3_finalize(old->s);
    *old = (struct db_stmt){0};
    return old;
}

static enum rc prepare(struct db *db, const char *sql, struct db_stmt **ret, struct err *e)
{
    struct db_stmt *q = NULL;
    for (size_t i = 0; i < db->n_stmt && !q; i++)
        if (db->stmt[i].sql == sql && !db->stmt[i].busy)
            q = &db->stmt[i];
    if (!q) {
        q = free_slot(db);
        int code = sqlite3_prepare_v3(db->s, sql, -1, SQLITE_PREPARE_PERSISTENT, &q->s, NULL);
        if (code != SQLITE_OK) {
            q->sql = NULL;
            return fail(db, code, sql, e);
        }
        q->db = db;
        q->sql = sql;
    }
    q->busy = true;
    q->used = ++db->uses;
    db->give_up = db->patience > 0 ? clock_mono() + db->patience : 0;
    *ret = q;
    return RC_OK;
}

static int bind(sqlite3_stmt *s, int i, const struct db_val *v)
{
    const char *p = v->s.p ? v->s.p : "";
    switch (v->type) {
    case DB_INT_VALUE:
        return sqlite3_bind_int64(s, i, v->i);
    case DB_TEXT_VALUE:
        return sqlite3_bind_text64(s, i, p, v->s.n, SQLITE_STATIC, SQLITE_UTF8);
    case DB_BLOB_VALUE:
        return sqlite3_bind_blob64(s, i, p, v->s.n, SQLITE_STATIC);
    case DB_NULL_VALUE:
        break;
    }
    return sqlite3_bind_null(s, i);
}

enum rc db_query_args(struct db *db, struct db_stmt **ret, struct err *e, const char *sql,
                      const struct db_val *args, size_t n)
{
    struct db_stmt *q = NULL;
    enum rc rc = prepare(db, sql, &q, e);
    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < n; i++) {
        int code = bind(q->s, (int)i + 1, &args[i]);
        if (code != SQLITE_OK) {
            rc = fail(db, code, sql, e);
            db_done(&q);
            return rc;
        }
    }
    *ret = q;
    return RC_OK;
}

enum rc db_query_text(struct db *db, struct db_stmt **ret, struct err *e, str sql)
{
    must(!db->outside.busy && sql.n <= INT32_MAX);
    db->outside = (struct db_stmt){.db = db, .sql = "a query from outside"};
    int code = sqlite3_prepare_v3(db->s, sql.p, (int)sql.n, 0, &db->outside.s, NULL);
    if (code != SQLITE_OK)
        return fail(db, code, db->outside.sql, e);
    if (!db->outside.s)
        return err_set(e, RC_PERM, 0, "4.3.0", "The query is empty");
    db->outside.busy = true;
    db->give_up = db->patience > 0 ? clock_mono() + db->patience : 0;
    *ret = &db->outside;
    return RC_OK;
}

enum rc db_step(struct db_stmt *q, struct err *e)
{
    int code = sqlite3_step(q->s);
    if (code == SQLITE_ROW)
        return RC_OK;
    return code == SQLITE_DONE ? RC_GONE : fail(q->db, code, q->sql, e);
}

void db_done(struct db_stmt **q)
{
    if (*q && *q == &(*q)->db->outside) {
        sqlite3_finalize((*q)->s);
        **q = (struct db_stmt){0};
        *q = NULL;
    } else if (*q) {
        sqlite3_reset((*q)->s);
        (*q)->db->scanned += (uint64_t)sqlite3_stmt_status((*q)->s, SQLITE_STMTSTATUS_FULLSCAN_STEP, 1) +
                             (uint64_t)sqlite3_stmt_status((*q)->s, SQLITE_STMTSTATUS_AUTOINDEX, 1);
        sqlite3_clear_bindings((*q)->s);
        (*q)->busy = false;
        *q = NULL;
    }
}

enum rc db_run_args(struct db *db, struct err *e, const char *sql, const struct db_val *args, size_t n)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    enum rc rc = db_query_args(db, &q, e, sql, args, n);
    while (rc == RC_OK)
        rc = db_step(q, e);
    return rc == RC_GONE ? RC_OK : rc;
}

enum rc db_get_int_args(struct db *db, int64_t *ret, struct err *e, const char *sql,
                        const struct db_val *args, size_t n)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    enum rc rc = db_query_args(db, &q, e, sql, args, n);
    if (rc == RC_OK)
        rc = db_step(q, e);
    if (rc == RC_OK)
        *ret = db_int(q, 0);
    return rc;
}

int64_t db_int(const struct db_stmt *q, int col)
{
    return sqlite3_column_int64(q->s, col);
}

str db_text(const struct db_stmt *q, int col)
{
    const unsigned char *p = sqlite3_column_text(q->s, col);
    return (str){(const char *)p, p ? (size_t)sqlite3_column_bytes(q->s, col) : 0};
}

str db_blob(const struct db_stmt *q, int col)
{
    const void *p = sqlite3_column_blob(q->s, col);
    return (str){p, p ? (size_t)sqlite3_column_bytes(q->s, col) : 0};
}

bool db_is_null(const struct db_stmt *q, int col)
{
    return sqlite3_column_type(q->s, col) == SQLITE_NULL;
}

int db_columns(const struct db_stmt *q)
{
    return sqlite3_column_count(q->s);
}

str db_name(const struct db_stmt *q, int col)
{
    return str_c(sqlite3_column_name(q->s, col));
}

enum rc db_begin(struct db *db, bool durable, struct err *e)
{
    enum rc rc = RC_OK;
    if (db->durable != durable) /* may only change outside a transaction */
        rc = db_script(db, durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", e);
    if (rc == RC_OK) {
        db->durable = durable;
        rc = db_run(db, e, "BEGIN IMMEDIATE");
    }
    return rc;
}

enum rc db_commit(struct db *db, struct err *e)
{
    enum rc rc = db_run(db, e, "COMMIT");
    if (rc != RC_OK)
        db_rollback(db);
    return rc;
}

void db_rollback(struct db *db)
{
    struct err ignored;
    if (db_in_transaction(db) && db_run(db, &ignored, "ROLLBACK") != RC_OK)
        must(!db_in_transaction(db));
}

enum rc db_end(struct db *db, enum rc rc, struct err *e)
{
    if (rc == RC_OK)
        return db_commit(db, e);
    db_rollback(db);
    return rc;
}

bool db_in_transaction(const struct db *db)
{
    return !sqlite3_get_autocommit(db->s);
}

/* --- syncing for others --- */

/* Opens the write-ahead log, whose name lasts from then on. It stays the same file while a handle is open. */
static int open_log(const struct db *db)
{
    str path = str_c(sqlite3_filename_wal(sqlite3_db_filename(db->s, "main")));
    AUTO(str_freep) char *folder = str_dup(str_sub(path, 0, (size_t)(str_rchr(path, '/') + 1)));
    AUTO(fd_closep) int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dir < 0 || fsync(dir) != 0 ? -1 : open(path.p, O_RDONLY | O_CLOEXEC);
}

static bool sync_log(struct db *db)
{
    if (db->log_fd < 0)
        db->log_fd = open_log(db);
    return db->log_fd >= 0 && fdatasync(db->log_fd) == 0;
}

/* Moves the whole log into the database, which is synced, and begins it anew. */
static enum rc empty_log(struct db *db, struct err *e)
{
    AUTO(db_done) struct db_stmt *s = NULL;
    enum rc rc = db_query_args(db, &s, e, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, 0);
    if (rc == RC_OK)
        rc = db_step(s, e);
    return rc == RC_OK && db_int(s, 0) != 0 ? fail(db, SQLITE_BUSY, "the log is in use", e) : rc;
}

enum rc db_sync(struct db *db, struct err *e)
{
    if (!db->log_is_torn && sync_log(db))
        return RC_OK;
    db->log_is_torn = true;
    enum rc rc = empty_log(db, e);
    db->log_is_torn = rc != RC_OK;
    return rc;
}

int64_t db_last_id(const struct db *db)
{
    return sqlite3_last_insert_rowid(db->s);
}

int64_t db_changes(const struct db *db)
{
    return sqlite3_changes64(db->s);
}

int64_t db_total_changes(const struct db *db)
{
    return sqlite3_total_changes64(db->s);
}

uint64_t db_scanned(const struct db *db)
{
    return db->scanned;
}
