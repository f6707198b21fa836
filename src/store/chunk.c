/* chunk: which UIDs a mailbox has, kept as ranges in rows of 4,096 UIDs each, so that SELECT reads a few rows
 * and a change writes one. A row's modseq is that of the last change to any message of its UIDs; rows stay
 * when empty, to tell later sessions that something went.
 *
 * OFFSET SIZE MEANING of a row's ranges, repeated, ascending: 0 2 first UID of a range, 2 2 last one; both
 * relative to chunk * 4096, little-endian. */
#include "store/store_priv.h"

enum { CHUNK_UIDS = 1 << CHUNK_BITS, RANGE_BYTES = 4, RANGES_MAX = CHUNK_UIDS / 2 };

static uid32 chunk_base(int64_t chunk)
{
    return (uid32)chunk << CHUNK_BITS;
}

static enum rc decode(int64_t chunk, str blob, struct uidset *out)
{
    uid32 base = chunk_base(chunk);
    if (blob.n % RANGE_BYTES || chunk < 0 || chunk > UINT32_MAX >> CHUNK_BITS)
        return RC_INVALID;
    for (size_t i = 0; i < blob.n; i += RANGE_BYTES) {
        const unsigned char *p = (const unsigned char *)blob.p + i;
        uid32 first = base + (uid32)(p[0] | p[1] << 8), last = base + (uid32)(p[2] | p[3] << 8);
        if (first == 0 || first > last || last - base >= CHUNK_UIDS)
            return RC_INVALID;
        uidset_add(out, first, last);
    }
    return RC_OK;
}

static void encode(int64_t chunk, const struct uidset *s, struct buf *out)
{
    uid32 base = chunk_base(chunk);
    for (size_t i = 0; i < s->n; i++) {
        uint32_t a = s->r[i].first - base, b = s->r[i].last - base;
        const char bytes[RANGE_BYTES] = {(char)(a & 255), (char)(a >> 8), (char)(b & 255), (char)(b >> 8)};
        buf_put(out, bytes, sizeof bytes);
    }
}

enum rc chunk_load(struct folder *f, modseq since, struct uidset *view, struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    enum rc rc = db_query(f->st->db, &q, e,
                          "SELECT chunk, ranges FROM chunk WHERE mailbox = ?1 AND modseq > ?2 ORDER BY chunk",
                          DB_I(f->id), DB_I(since));
    while (rc == RC_OK && (rc = db_step(q, e)) == RC_OK) {
        uid32 base = chunk_base(db_int(q, 0));
        if (view->n)
            uidset_del(view, base ? base : 1, base + CHUNK_UIDS - 1);
        rc = decode(db_int(q, 0), db_blob(q, 1), view);
    }
    return rc == RC_GONE ? RC_OK : rc;
}

static enum rc read_one(struct folder *f, int64_t chunk, struct uidset *ret, struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    enum rc rc = db_query(f->st->db, &q, e, "SELECT ranges FROM chunk WHERE mailbox = ?1 AND chunk = ?2",
                          DB_I(f->id), DB_I(chunk));
    if (rc == RC_OK)
        rc = db_step(q, e);
    if (rc == RC_OK)
        rc = decode(chunk, db_blob(q, 0), ret);
    return rc == RC_GONE ? RC_OK : rc;
}

static enum rc write_one(struct folder *f, int64_t chunk, const struct uidset *s, struct err *e)
{
    struct buf b = BUF_INIT(RANGES_MAX * RANGE_BYTES);
    encode(chunk, s, &b);
    enum rc rc = db_run(f->st->db, e, "INSERT OR REPLACE INTO chunk VALUES (?1, ?2, ?3, ?4)", DB_I(f->id),
                        DB_I(chunk), DB_B(buf_str(&b)), DB_I(f->modseq));
    buf_deinit(&b);
    return rc;
}

/* A place in a set: range i, from this UID on. */
struct place {
    size_t i;
    uid32 from;
};

/* Applies the part of uids from `at` to `end`, and moves `at` behind it. */
static void apply_part(struct uidset *s, const struct uidset *uids, struct place *at, uid32 end, bool add)
{
    while (at->i < uids->n && at->from <= end) {
        const struct uidrange *r = &uids->r[at->i];
        uid32 last = r->last < end ? r->last : end;
        if (add)
            uidset_add(s, at->from, last);
        else
            uidset_del(s, at->from, last);
        if (last < r->last)
            at->from = last + 1;
        else if (++at->i < uids->n)
            at->from = uids->r[at->i].first;
    }
}

static enum rc change(struct folder *f, const struct uidset *uids, bool add, struct err *e)
{
    enum rc rc = RC_OK;
    struct place at = {0, uids->n ? uids->r[0].first : 0};
    while (at.i < uids->n && rc == RC_OK) {
        int64_t chunk = at.from >> CHUNK_BITS;
        struct uidset s = {0};
        rc = read_one(f, chunk, &s, e);
        apply_part(&s, uids, &at, chunk_base(chunk) + CHUNK_UIDS - 1, add);
        if (rc == RC_OK)
            rc = write_one(f, chunk, &s, e);
        uidset_deinit(&s);
    }
    return rc;
}

enum rc chunk_add(struct folder *f, const struct uidset *uids, struct err *e)
{
    return change(f, uids, true, e);
}

enum rc chunk_del(struct folder *f, const struct uidset *uids, struct err *e)
{
    return change(f, uids, false, e);
}

enum rc chunk_touch(struct folder *f, const struct uidset *uids, struct err *e)
{
    enum rc rc = RC_OK;
    int64_t done = -1;
    for (size_t i = 0; i < uids->n && rc == RC_OK; i++) {
        int64_t first = uids->r[i].first >> CHUNK_BITS, last = uids->r[i].last >> CHUNK_BITS;
        if (last <= done)
            continue;
        rc = db_run(f->st->db, e,
                    "UPDATE chunk SET modseq = ?4 WHERE mailbox = ?1 AND chunk BETWEEN ?2 AND ?3",
                    DB_I(f->id), DB_I(first), DB_I(last), DB_I(f->modseq));
        done = last;
    }
    return rc;
}
