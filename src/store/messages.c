/* messages: adding and removing rows of messages together with all that is counted from them. */
#include "store/store_priv.h"

uint64_t message_size_bound(int64_t size)
{
    return size >= 0 ? (uint64_t)size : 2 * (uint64_t)-size; /* at worst each byte on disk is a bare LF */
}

enum { ROWS_AT_ONCE = 16, MESSAGE_COLUMNS = 7, FILE_COLUMNS = 5 };

#define TIMES_4(row)  row "," row "," row "," row
#define TIMES_16(row) TIMES_4(TIMES_4(row))
#define MESSAGE_ROW   "(?, ?, ?, ?, ?, ?, ?)"
#define FILE_ROW      "(?, ?, ?, ?, ?)"

/* n is ROWS_AT_ONCE or 1: to begin and end a statement takes as long as to insert a row. */
static enum rc insert_rows(struct folder *f, const struct newcomer *v, size_t n, struct err *e)
{
    static const char *const sql[][2] = {
        {"INSERT INTO message VALUES " MESSAGE_ROW, "INSERT INTO file VALUES " FILE_ROW},
        {"INSERT INTO message VALUES " TIMES_16(MESSAGE_ROW), "INSERT INTO file VALUES " TIMES_16(FILE_ROW)}};
    struct db_val message[ROWS_AT_ONCE][MESSAGE_COLUMNS], file[ROWS_AT_ONCE][FILE_COLUMNS];
    for (size_t i = 0; i < n; i++) {
        const struct newcomer *m = &v[i];
        struct db_val key = DB_I(index_key(f->id, m->uid));
        memcpy(message[i],
               ((struct db_val[]){key, DB_I(m->flags), DB_I(m->keywords), DB_I(f->modseq),
                                  DB_I(m->internal_date), DB_I(m->save_date), DB_I(m->size)}),
               sizeof message[i]);
        memcpy(file[i],
               ((struct db_val[]){key, DB_T(m->base), DB_T(m->info), DB_I(m->in_new), DB_T(m->fields)}),
               sizeof file[i]);
    }
    enum rc rc = db_run_args(f->st->db, e, sql[n > 1][0], *message, n * MESSAGE_COLUMNS);
    if (rc == RC_OK)
        rc = db_run_args(f->st->db, e, sql[n > 1][1], *file, n * FILE_COLUMNS);
    return rc == RC_PERM ? RC_INVALID : rc; /* two with one UID: the index contradicts the uidlist */
}

static void count(struct folder *f, const struct newcomer *m)
{
    f->messages++;
    f->unseen += !(m->flags & FLAG_SEEN);
    f->deleted += !!(m->flags & FLAG_DELETED);
    f->size += message_size_bound(m->size);
}

/* Assigns the UIDs that are not given; *ret_added gets all. */
static enum rc number(struct folder *f, struct newcomer *v, size_t n, struct uidset *ret_added, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        if (v[i].uid == 0)
            v[i].uid = f->uidnext;
        if (v[i].uid == UINT32_MAX)
            return err_set(e, RC_LIMIT, 0, "5.2.0", "Mailbox has run out of UIDs");
        if (v[i].uid >= f->uidnext)
            f->uidnext = v[i].uid + 1;
        uidset_add(ret_added, v[i].uid, v[i].uid);
        count(f, &v[i]);
    }
    return RC_OK;
}

enum rc messages_insert(struct folder *f, struct newcomer *v, size_t n, struct err *e)
{
    AUTO(uidset_deinit) struct uidset added = {0};
    enum rc rc = number(f, v, n, &added, e);
    for (size_t i = 0, k; i < n && rc == RC_OK; i += k) {
        k = n - i >= ROWS_AT_ONCE ? ROWS_AT_ONCE : 1;
        rc = insert_rows(f, &v[i], k, e);
    }
    return rc == RC_OK ? chunk_add(f, &added, e) : rc;
}

/* Takes the rows of one range out of the counters. */
static enum rc uncount(struct folder *f, int64_t first, int64_t last, struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    enum rc rc = db_query(f->st->db, &q, e,
                          "SELECT count(*), sum(flags & 16 = 0), sum(flags & 32 <> 0),"
                          " sum(CASE WHEN size < 0 THEN -2 * size ELSE size END)"
                          " FROM message WHERE key BETWEEN ?1 AND ?2",
                          DB_I(first), DB_I(last));
    if (rc == RC_OK)
        rc = db_step(q, e);
    if (rc != RC_OK)
        return rc;
    f->messages -= (uint32_t)db_int(q, 0);
    f->unseen -= (uint32_t)db_int(q, 1);
    f->deleted -= (uint32_t)db_int(q, 2);
    f->size -= (uint64_t)db_int(q, 3);
    return RC_OK;
}

/* Removes all that is known of single messages. */
static enum rc delete_rows(struct db *db, int64_t first, int64_t last, struct err *e)
{
    static const char *const sql[] = {
        "DELETE FROM message WHERE key BETWEEN ?1 AND ?2", "DELETE FROM file WHERE key BETWEEN ?1 AND ?2",
        "DELETE FROM text WHERE key BETWEEN ?1 AND ?2", "DELETE FROM header WHERE key BETWEEN ?1 AND ?2",
        "DELETE FROM signature WHERE key BETWEEN ?1 AND ?2"};
    enum rc rc = RC_OK;
    for (size_t i = 0; i < sizeof sql / sizeof *sql && rc == RC_OK; i++)
        rc = db_run(db, e, sql[i], DB_I(first), DB_I(last));
    return rc;
}

static enum rc delete_range(struct folder *f, struct uidrange r, struct err *e)
{
    int64_t first = index_key(f->id, r.first), last = index_key(f->id, r.last);
    enum rc rc = uncount(f, first, last, e);
    return rc == RC_OK ? delete_rows(f->st->db, first, last, e) : rc;
}

/* Tells sessions that these are gone. */
static enum rc log_expunged(struct folder *f, const struct uidset *uids, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < uids->n && rc == RC_OK; i++)
        rc = db_run(f->st->db, e, "INSERT OR REPLACE INTO expunged VALUES (?1, ?2, ?3, ?4)", DB_I(f->id),
                    DB_I(f->modseq), DB_I(uids->r[i].first), DB_I(uids->r[i].last));
    if (rc == RC_OK)
        rc = history_trim(f, e);
    return rc == RC_OK ? chunk_del(f, uids, e) : rc;
}

enum rc messages_delete(struct folder *f, const struct uidset *uids, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < uids->n && rc == RC_OK; i++)
        rc = delete_range(f, uids->r[i], e);
    return rc == RC_OK ? log_expunged(f, uids, e) : rc;
}

static enum rc renumber_one(struct folder *f, struct uid_change c, struct err *e)
{
    static const char *const sql[] = {
        "UPDATE message SET key = ?2 WHERE key = ?1", "UPDATE file SET key = ?2 WHERE key = ?1",
        "UPDATE text SET key = ?2 WHERE key = ?1", "UPDATE header SET key = ?2 WHERE key = ?1",
        "UPDATE signature SET key = ?2 WHERE key = ?1"};
    int64_t from = index_key(f->id, c.from), to = index_key(f->id, c.to);
    enum rc rc =
        db_run(f->st->db, e, "UPDATE message SET modseq = ?2 WHERE key = ?1", DB_I(from), DB_I(f->modseq));
    for (size_t i = 0; i < sizeof sql / sizeof *sql && rc == RC_OK; i++)
        rc = db_run(f->st->db, e, sql[i], DB_I(from), DB_I(to));
    if (rc == RC_OK)
        rc = db_run(f->st->db, e, "INSERT OR IGNORE INTO pending VALUES (?1, ?2, ?2)", DB_I(f->id),
                    DB_I(c.to));
    return rc;
}

enum rc messages_renumber(struct folder *f, const struct uid_change *v, size_t n, struct err *e)
{
    AUTO(uidset_deinit) struct uidset from = {0}, to = {0};
    enum rc rc = RC_OK;
    for (size_t i = 0; i < n && rc == RC_OK; i++) {
        uidset_add(&from, v[i].from, v[i].from);
        uidset_add(&to, v[i].to, v[i].to);
        rc = renumber_one(f, v[i], e);
    }
    if (rc == RC_OK)
        rc = log_expunged(f, &from, e);
    return rc == RC_OK ? chunk_add(f, &to, e) : rc;
}

enum rc messages_forget(struct store *st, int64_t mailbox, struct err *e)
{
    static const char *const by_mailbox[] = {
        "DELETE FROM chunk WHERE mailbox = ?1", "DELETE FROM expunged WHERE mailbox = ?1",
        "DELETE FROM pending WHERE mailbox = ?1", "DELETE FROM keyword WHERE mailbox = ?1"};
    enum rc rc = delete_rows(st->db, index_key(mailbox, 0), index_key(mailbox, UINT32_MAX), e);
    for (size_t i = 0; i < 4 && rc == RC_OK; i++)
        rc = db_run(st->db, e, by_mailbox[i], DB_I(mailbox));
    return rc;
}

static enum rc collect_uids(struct folder *f, const char *sql, struct uidset *ret, struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    enum rc rc =
        db_query(f->st->db, &q, e, sql, DB_I(index_key(f->id, 1)), DB_I(index_key(f->id, UINT32_MAX)));
    while (rc == RC_OK && (rc = db_step(q, e)) == RC_OK)
        uidset_add(ret, (uid32)db_int(q, 0), (uid32)db_int(q, 0));
    return rc == RC_GONE ? RC_OK : rc;
}

static bool same_set(const struct uidset *a, const struct uidset *b)
{
    return a->n == b->n && (a->n == 0 || memcmp(a->r, b->r, a->n * sizeof *a->r) == 0);
}

enum rc messages_verify(struct folder *f, struct err *e)
{
    struct uidset files = {0}, rows = {0}, chunks = {0};
    enum rc rc = collect_uids(f, "SELECT key FROM file WHERE key BETWEEN ?1 AND ?2", &files, e);
    if (rc == RC_OK)
        rc = collect_uids(f, "SELECT key FROM message WHERE key BETWEEN ?1 AND ?2", &rows, e);
    if (rc == RC_OK)
        rc = chunk_load(f, 0, &chunks, e);
    if (rc == RC_OK && (!same_set(&files, &rows) || !same_set(&files, &chunks) ||
                        f->messages != uidset_count(&files) || f->uidnext <= uidset_max(&files)))
        rc = RC_INVALID;
    uidset_deinit(&files);
    uidset_deinit(&rows);
    uidset_deinit(&chunks);
    return rc;
}
