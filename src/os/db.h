/* db: the one wrapper around SQLite. Every database of malle (mailbox index, accounts, queue) is opened here
 * in WAL mode with temp_store=MEMORY, foreign keys on, no extensions, and a busy time-out, so that it works
 * inside a chroot.
 *
 * A handle belongs to one thread at a time and never crosses a fork. Statements are cached by the address of
 * their SQL text: pass string constants only.
 *
 * Errors: RC_PERM a constraint was hurt or the file may not be written; RC_LIMIT a value is too large, or the
 * disk full; RC_TEMP busy, I/O, a file that is damaged or no database; RC_GONE from db_step: no more rows.
 */
#ifndef OS_DB_H
#define OS_DB_H

#include "base/str.h"

struct db;
struct db_stmt;

enum db_open_flag {
    DB_CREATE = 1,    /* make the file (0600) when missing */
    DB_READ_ONLY = 2, /* refuse every write */
    DB_FOREIGN = 4,   /* another program's database: its journal mode is left alone; with DB_READ_ONLY */
    /* Damage is RC_INVALID, so that the caller can make the file anew. For what may be lost alone: SQLite
     * says the same of a page that the disk could not read just now. */
    DB_DISPOSABLE = 8
};

MUST_USE enum rc db_open(const char *path, unsigned flags, struct db **ret, struct err *e);
struct db *db_close(struct db *db); /* accepts NULL, returns NULL */
void db_closep(struct db **db);

/* How long one statement may wait for locks and run, from its first step on; RC_TEMP after that. Without
 * this, waits end after 30 s and nothing else does. */
void db_set_patience(struct db *db, int timeout_ms);

/* A value handed to a statement: parameters ?1, ?2... in order. */
struct db_val {
    enum { DB_NULL_VALUE, DB_INT_VALUE, DB_TEXT_VALUE, DB_BLOB_VALUE } type;
    int64_t i;
    str s; /* must stay valid until the statement is done */
};
#define DB_I(v) ((struct db_val){DB_INT_VALUE, (int64_t)(v), STR_NONE})
#define DB_T(v) ((struct db_val){DB_TEXT_VALUE, 0, (v)})
#define DB_B(v) ((struct db_val){DB_BLOB_VALUE, 0, (v)})
#define DB_NULL ((struct db_val){DB_NULL_VALUE, 0, STR_NONE})
#define DB_ARGS(...) \
    (const struct db_val[]){__VA_ARGS__}, sizeof((const struct db_val[]){__VA_ARGS__}) / sizeof(struct db_val)

/* Runs a script of statements without parameters (schema, pragmas). */
MUST_USE enum rc db_script(struct db *db, const char *sql, struct err *e);
/* Runs one statement to its end: db_run(db, e, "DELETE FROM t WHERE id = ?1", DB_I(id)). */
#define db_run(db, e, sql, ...) db_run_args((db), (e), (sql), DB_ARGS(__VA_ARGS__))
MUST_USE enum rc db_run_args(struct db *db, struct err *e, const char *sql, const struct db_val *args,
                             size_t n);

/* Begins a query; *ret is ended with db_done. */
#define db_query(db, ret, e, sql, ...) db_query_args((db), (ret), (e), (sql), DB_ARGS(__VA_ARGS__))
MUST_USE enum rc db_query_args(struct db *db, struct db_stmt **ret, struct err *e, const char *sql,
                               const struct db_val *args, size_t n);
/* The same for a statement that comes from outside and is not kept; one at a time on each handle. What
 * follows its
 * ";" is ignored. */
MUST_USE enum rc db_query_text(struct db *db, struct db_stmt **ret, struct err *e, str sql);
/* RC_OK: a row is there; RC_GONE: no more. */
MUST_USE enum rc db_step(struct db_stmt *q, struct err *e);
void db_done(struct db_stmt **q); /* accepts a NULL statement; for AUTO */

/* Columns of the present row, counted from 0; views are valid until the next step. NULL reads as 0 and "". */
int64_t db_int(const struct db_stmt *q, int col);
str db_text(const struct db_stmt *q, int col);
str db_blob(const struct db_stmt *q, int col);
bool db_is_null(const struct db_stmt *q, int col);
int db_columns(const struct db_stmt *q);
str db_name(const struct db_stmt *q, int col);

/* The single integer of a query's first row; RC_GONE when there is no row. */
#define db_get_int(db, ret, e, sql, ...) db_get_int_args((db), (ret), (e), (sql), DB_ARGS(__VA_ARGS__))
MUST_USE enum rc db_get_int_args(struct db *db, int64_t *ret, struct err *e, const char *sql,
                                 const struct db_val *args, size_t n);

/* A write transaction; takes the write lock at once. Durable: the commit is on disk when db_commit returns;
 * otherwise it is consistent after a crash but may be missing. */
MUST_USE enum rc db_begin(struct db *db, bool durable, struct err *e);
MUST_USE enum rc db_commit(struct db *db, struct err *e); /* on failure everything is rolled back */
void db_rollback(struct db *db);
/* Ends a transaction: commits when rc is RC_OK, else undoes it and returns rc. */
MUST_USE enum rc db_end(struct db *db, enum rc rc, struct err *e); /* does nothing outside a transaction */
bool db_in_transaction(const struct db *db);

/* Makes everything last that was committed before this without being durable, through whatever handle. For a
 * handle of another thread, so that transactions go on meanwhile. */
MUST_USE enum rc db_sync(struct db *db, struct err *e);

int64_t db_last_id(const struct db *db);
int64_t db_changes(const struct db *db);       /* rows the last statement changed */
int64_t db_total_changes(const struct db *db); /* rows all statements changed so far */
/* Rows that were read so far because no index named the right ones; for tests. */
uint64_t db_scanned(const struct db *db);

#endif
