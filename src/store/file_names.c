/* file_names: where a message's file lies and what it is called. Renames are done in batches inside the
 * index's write transaction, so that no other session takes a half-renamed folder for changes by a foreign
 * program; a crash in a batch leaves names that are merged as such, with the same flags. */
#include "base/arena.h"
#include "fmt/maildir_name.h"
#include "store/scan.h"
#include "store/store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { BATCH = 500, BATCH_BYTES = 1 << 20, PATH_BYTES = 600 };

void file_path(struct buf *out, bool in_new, str base, str info)
{
    buf_puts(out, in_new ? S("new/") : S("cur/"));
    buf_puts(out, base);
    buf_puts(out, info);
}

void file_new_base(struct store *st, struct buf *out, uint64_t size, uint64_t crlf_size)
{
    maildir_base_format(out, &(struct maildir_unique){.now = clock_wall(),
                                                      .id = store_random(),
                                                      .host = st->conf.hostname,
                                                      .size = size,
                                                      .crlf_size = crlf_size});
}

enum rc file_find(int dir_fd, str base, struct buf *out, struct err *e)
{
    struct scan s;
    bool stable;
    scan_init(&s);
    enum rc rc = scan_read(&s, dir_fd, "new", &stable, e);
    if (rc == RC_OK)
        rc = scan_read(&s, dir_fd, "cur", &stable, e);
    const struct scan_entry *x = rc == RC_OK ? scan_find(&s, base) : NULL;
    if (x)
        file_path(out, x->in_new, base, scan_info(x));
    else if (rc == RC_OK)
        rc = RC_GONE;
    scan_deinit(&s);
    return rc;
}

static enum rc find_row(struct folder *f, uid32 uid, struct db_stmt **ret, struct err *e)
{
    enum rc rc = db_query(f->st->db, ret, e, "SELECT in_new, base, info FROM file WHERE key = ?1",
                          DB_I(index_key(f->id, uid)));
    return rc == RC_OK ? db_step(*ret, e) : rc;
}

enum rc file_known(struct folder *f, uid32 uid, struct buf *out, struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    enum rc rc = find_row(f, uid, &q, e);
    if (rc == RC_OK)
        file_path(out, db_int(q, 0) != 0, db_text(q, 1), db_text(q, 2));
    return rc;
}

enum rc file_row(const struct folder *f, str base, struct db_stmt **ret, struct err *e)
{
    enum rc rc = db_query(f->st->db, ret, e,
                          "SELECT key, info, in_new, flags, keywords FROM file JOIN message USING (key)"
                          " WHERE base = ?1 AND key BETWEEN ?2 AND ?3",
                          DB_T(base), DB_I(index_key(f->id, 0)), DB_I(index_key(f->id, UINT32_MAX)));
    return rc == RC_OK ? db_step(*ret, e) : rc;
}

enum rc file_locate(struct folder *f, uid32 uid, struct buf *out, struct err *e)
{
    struct stat st;
    AUTO(db_done) struct db_stmt *q = NULL;
    enum rc rc = find_row(f, uid, &q, e);
    if (rc != RC_OK)
        return rc;
    file_path(out, db_int(q, 0) != 0, db_text(q, 1), db_text(q, 2));
    if (fstatat(f->fd, buf_cstr(out), &st, AT_SYMLINK_NOFOLLOW) == 0)
        return S_ISREG(st.st_mode) ? RC_OK : RC_GONE;
    buf_reset(out);
    return file_find(f->fd, db_text(q, 1), out, e);
}

struct named_row {
    uid32 uid;
    str base, info;
    bool in_new;
    unsigned flags;
    uint32_t keywords;
};

/* Collects the rows of a query first, because renaming changes what it walks. */
static enum rc collect(struct folder *f, struct arena *a, struct db_stmt *q, struct named_row *v,
                       size_t *ret_n, struct err *e)
{
    size_t n = 0;
    enum rc rc = RC_OK;
    while (n < BATCH && (rc = db_step(q, e)) == RC_OK)
        v[n++] = (struct named_row){
            .uid = (uid32)db_int(q, 0),
            .base = arena_str(a, db_text(q, 1)),
            .info = arena_str(a, db_text(q, 2)),
            .in_new = db_int(q, 3) != 0,
            .flags = (unsigned)db_int(q, 4),
            .keywords = (uint32_t)(db_int(q, 5) & ((1 << MAILDIR_KEYWORDS) - 1)),
        };
    *ret_n = n;
    return rc == RC_GONE ? RC_OK : rc;
}

/* Gives one file the name that its row asks for, in cur/. */
static enum rc rename_row(struct folder *f, const struct named_row *r, struct err *e)
{
    struct buf old = BUF_INIT(PATH_BYTES), new = BUF_INIT(PATH_BYTES), info = BUF_INIT(MAILDIR_NAME_MAX);
    enum rc rc = RC_OK;
    maildir_info_format(&info, r->info, r->flags, r->keywords);
    if (!r->in_new && str_eq(buf_str(&info), r->info))
        goto out;
    file_path(&old, r->in_new, r->base, r->info);
    file_path(&new, false, r->base, buf_str(&info));
    if (renameat(f->fd, buf_cstr(&old), f->fd, buf_cstr(&new)) == 0)
        rc = db_run(f->st->db, e, "UPDATE file SET info = ?2, in_new = 0 WHERE key = ?1",
                    DB_I(index_key(f->id, r->uid)), DB_T(buf_str(&info)));
    else if (errno == ENOENT)
        f->cur_time_ns =
            0; /* another program renamed or removed it: look through the folder at the next sync */
    else if (errno != ENAMETOOLONG)
        rc = store_errno(e, "rename", buf_cstr(&old));
out:
    buf_deinit(&old);
    buf_deinit(&new);
    buf_deinit(&info);
    return rc;
}

static enum rc rename_rows(struct folder *f, const struct named_row *v, size_t n, struct err *e)
{
    enum rc rc = RC_OK;
    struct own_change own = own_change_begin(f);
    for (size_t i = 0; i < n && rc == RC_OK; i++)
        rc = rename_row(f, &v[i], e);
    own_change_end(f, own);
    return rc;
}

static enum rc claim_batch(struct folder *f, struct uidset *recent, size_t *ret_n, struct err *e)
{
    AUTO(arena_freep) struct arena *a = arena_new(BATCH_BYTES);
    AUTO(db_done) struct db_stmt *q = NULL;
    struct named_row v[BATCH];
    enum rc rc = db_query(f->st->db, &q, e,
                          "SELECT key, base, info, in_new, flags, keywords FROM file JOIN message USING (key)"
                          " WHERE in_new = 1 AND key BETWEEN ?1 AND ?2",
                          DB_I(index_key(f->id, 0)), DB_I(index_key(f->id, UINT32_MAX)));
    if (rc == RC_OK)
        rc = collect(f, a, q, v, ret_n, e);
    db_done(&q);
    if (rc == RC_OK)
        rc = rename_rows(f, v, *ret_n, e);
    for (size_t i = 0; i < *ret_n && rc == RC_OK; i++) {
        uidset_add(recent, v[i].uid, v[i].uid);
        rc = db_run(f->st->db, e, "UPDATE file SET in_new = 0 WHERE key = ?1",
                    DB_I(index_key(f->id, v[i].uid)));
    }
    return rc;
}

enum rc file_claim_new(struct folder *f, struct uidset *ret_recent, struct err *e)
{
    for (size_t n = BATCH; n == BATCH;) {
        int64_t any = 0;
        n = 0;
        enum rc rc = db_get_int(f->st->db, &any, e,
                                "SELECT count(*) FROM file WHERE in_new = 1 AND key BETWEEN ?1 AND ?2",
                                DB_I(index_key(f->id, 0)), DB_I(index_key(f->id, UINT32_MAX)));
        if (rc != RC_OK || any == 0)
            return rc;
        rc = folder_begin(f, false, e);
        if (rc != RC_OK)
            return rc;
        rc = folder_end(f, claim_batch(f, ret_recent, &n, e), e);
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

struct span {
    uid32 first, last;
};

static enum rc next_pending(struct folder *f, struct span *ret, struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    enum rc rc =
        db_query(f->st->db, &q, e,
                 "SELECT first, last FROM pending WHERE mailbox = ?1 ORDER BY first LIMIT 1", DB_I(f->id));
    if (rc == RC_OK)
        rc = db_step(q, e);
    if (rc == RC_OK)
        *ret = (struct span){(uid32)db_int(q, 0), (uid32)db_int(q, 1)};
    return rc;
}

/* Renames what it can of one pending span and leaves the rest of it. */
static enum rc flush_batch(struct folder *f, struct span s, struct err *e)
{
    AUTO(arena_freep) struct arena *a = arena_new(BATCH_BYTES);
    AUTO(db_done) struct db_stmt *q = NULL;
    struct named_row v[BATCH];
    size_t n = 0;
    enum rc rc = db_query(f->st->db, &q, e,
                          "SELECT key, base, info, in_new, flags, keywords FROM file JOIN message USING (key)"
                          " WHERE key BETWEEN ?1 AND ?2",
                          DB_I(index_key(f->id, s.first)), DB_I(index_key(f->id, s.last)));
    if (rc == RC_OK)
        rc = collect(f, a, q, v, &n, e);
    db_done(&q);
    if (rc == RC_OK)
        rc = rename_rows(f, v, n, e);
    if (rc == RC_OK)
        rc = db_run(f->st->db, e, "DELETE FROM pending WHERE mailbox = ?1 AND first = ?2 AND last = ?3",
                    DB_I(f->id), DB_I(s.first), DB_I(s.last));
    if (rc == RC_OK && n == BATCH && v[n - 1].uid < s.last)
        rc = db_run(f->st->db, e, "INSERT OR IGNORE INTO pending VALUES (?1, ?2, ?3)", DB_I(f->id),
                    DB_I(v[n - 1].uid + 1), DB_I(s.last));
    return rc;
}

enum rc file_names_flush(struct folder *f, struct err *e)
{
    for (;;) {
        struct span s;
        enum rc rc = next_pending(f, &s, e);
        if (rc != RC_OK)
            return rc == RC_GONE ? RC_OK : rc;
        rc = folder_begin(f, false, e);
        if (rc != RC_OK)
            return rc;
        rc = folder_end(f, flush_batch(f, s, e), e);
        if (rc != RC_OK)
            return rc;
    }
}
