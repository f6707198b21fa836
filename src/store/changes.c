/* changes: what became new and what vanished since a modification sequence (RFC 7162), and the bound of the
 * history that tells it. The oldest half of a full history becomes one range that holds all its UIDs: what
 * exists is taken out when it is read, so a client is told too much, and never too little. */
#include "store/store_priv.h"

enum { HISTORY_MAX = 2000, HISTORY_KEPT = 1000 };

enum rc changed_query(const struct box *b, modseq since, struct db_stmt **ret, struct err *e)
{
    return db_query(b->f.st->db, ret, e,
                    "SELECT message.key, message.modseq FROM chunk CROSS JOIN message"
                    " ON message.key BETWEEN (?1 << 32) + (chunk << 12) AND (?1 << 32) + (chunk << 12) + 4095"
                    " WHERE chunk.mailbox = ?1 AND chunk.modseq > ?2 AND message.modseq > ?2",
                    DB_I(b->f.id), DB_I(since > INT64_MAX ? INT64_MAX : since));
}

enum rc box_changed_since(struct box *b, modseq since, struct uidset *ret, struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    enum rc rc = index_check(b->f.st, e);
    if (rc == RC_OK)
        rc = changed_query(b, since, &q, e);
    while (rc == RC_OK && (rc = db_step(q, e)) == RC_OK) {
        uid32 uid = (uid32)db_int(q, 0);
        if (uidset_has(&b->view, uid))
            uidset_add(ret, uid, uid);
    }
    return index_result(b->f.st, rc == RC_GONE ? RC_OK : rc, e);
}

/* A range of the history; from 0 on: nothing is known of what went before. */
static enum rc take_vanished(const struct folder *f, int64_t first, int64_t last, struct uidset *ret)
{
    if (first < 0 || last < first || last > UINT32_MAX)
        return RC_INVALID;
    if (first > 0)
        uidset_add(ret, (uid32)first, (uid32)last);
    else if (f->uidnext > 1)
        uidset_add(ret, 1, f->uidnext - 1);
    return RC_OK;
}

enum rc box_vanished_since(struct box *b, modseq since, struct uidset *ret, struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    AUTO(uidset_deinit) struct uidset vanished = {0};
    enum rc rc = index_check(b->f.st, e);
    if (rc == RC_OK)
        rc = db_query(b->f.st->db, &q, e,
                      "SELECT first, last FROM expunged WHERE mailbox = ?1 AND modseq > ?2", DB_I(b->f.id),
                      DB_I(since > INT64_MAX ? INT64_MAX : since));
    while (rc == RC_OK && (rc = db_step(q, e)) == RC_OK)
        rc = take_vanished(&b->f, db_int(q, 0), db_int(q, 1), &vanished);
    uidset_subtract(&vanished, &b->view);
    uidset_add_set(ret, &vanished);
    return index_result(b->f.st, rc == RC_GONE ? RC_OK : rc, e);
}

enum rc history_begin(const struct folder *f, struct err *e)
{
    return db_run(f->st->db, e, "INSERT OR REPLACE INTO expunged VALUES (?1, ?2, 0, 0)", DB_I(f->id),
                  DB_I(f->modseq));
}

#define OLDER "FROM expunged WHERE mailbox = ?1 AND first > 0 AND (modseq, first) <= (?2, ?3)"

/* Makes one row of those up to the place (until, first), which is one of them. */
static enum rc melt(const struct folder *f, int64_t until, int64_t first, struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    enum rc rc = db_query(f->st->db, &q, e, "SELECT min(first), max(last) " OLDER, DB_I(f->id), DB_I(until),
                          DB_I(first));
    if (rc == RC_OK)
        rc = db_step(q, e);
    if (rc != RC_OK)
        return rc;
    int64_t lowest = db_int(q, 0), highest = db_int(q, 1);
    db_done(&q);
    rc = db_run(f->st->db, e, "DELETE " OLDER, DB_I(f->id), DB_I(until), DB_I(first));
    if (rc == RC_OK)
        rc = db_run(f->st->db, e, "INSERT OR REPLACE INTO expunged VALUES (?1, ?2, ?3, ?4)", DB_I(f->id),
                    DB_I(until), DB_I(lowest), DB_I(highest));
    return rc;
}

enum rc history_trim(const struct folder *f, struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    int64_t rows = 0;
    enum rc rc = db_get_int(f->st->db, &rows, e,
                            "SELECT count(*) FROM expunged WHERE mailbox = ?1 AND first > 0", DB_I(f->id));
    if (rc != RC_OK || rows <= HISTORY_MAX)
        return rc;
    rc = db_query(f->st->db, &q, e,
                  "SELECT modseq, first FROM expunged WHERE mailbox = ?1 AND first > 0"
                  " ORDER BY modseq, first LIMIT 1 OFFSET ?2",
                  DB_I(f->id), DB_I(rows - HISTORY_KEPT - 1));
    if (rc == RC_OK)
        rc = db_step(q, e);
    if (rc != RC_OK)
        return rc;
    int64_t until = db_int(q, 0), first = db_int(q, 1);
    db_done(&q);
    return melt(f, until, first, e);
}

enum rc box_drop_expunged(struct box *b, struct uidset *uids, struct err *e)
{
    AUTO(uidset_deinit) struct uidset there = {0};
    enum rc rc = index_check(b->f.st, e);
    if (rc == RC_OK)
        rc = chunk_load(&b->f, 0, &there, e);
    if (rc == RC_OK)
        uidset_intersect(uids, &there);
    return index_result(b->f.st, rc, e);
}
