/* expunge: removes files (or puts them where they are kept, store/kept.h) first, durably, and their rows
 * after that: a crash in between leaves rows without files, which the next look at the folder expunges. The
 * other way round a message would come back. */
#include "os/file.h"
#include "store/store_priv.h"

#include <errno.h>
#include <unistd.h>

enum { PATH_BYTES = 600 };

static enum rc pick_deleted(struct folder *f, const struct uidset *from, struct uidset *ret, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < from->n && rc == RC_OK; i++) {
        AUTO(db_done) struct db_stmt *q = NULL;
        rc = db_query(f->st->db, &q, e, "SELECT key FROM message WHERE key BETWEEN ?1 AND ?2 AND flags & 32",
                      DB_I(index_key(f->id, from->r[i].first)), DB_I(index_key(f->id, from->r[i].last)));
        while (rc == RC_OK && (rc = db_step(q, e)) == RC_OK)
            uidset_add(ret, (uid32)db_int(q, 0), (uid32)db_int(q, 0));
        rc = rc == RC_GONE ? RC_OK : rc;
    }
    return rc;
}

static int remove_file(struct folder *f, const char *path, int kept_fd)
{
    return kept_fd >= 0 ? renameat(f->fd, path, kept_fd, strrchr(path, '/') + 1) : unlinkat(f->fd, path, 0);
}

/* RC_GONE: there is no file. */
static enum rc remove_path(struct folder *f, struct buf *path, int kept_fd, struct quota_use *gone,
                           struct err *e)
{
    uint64_t size = 0;
    bool counted = folder_file_size(f, buf_str(path), &size);
    if (remove_file(f, buf_cstr(path), kept_fd) != 0)
        return errno == ENOENT || errno == EISDIR ? RC_GONE : store_errno(e, "remove", buf_cstr(path));
    gone->bytes += size;
    gone->messages += counted;
    return RC_OK;
}

/* RC_OK also when the file was gone before; *gone counts what this call removed. path: where the index knows
 * it. */
static enum rc remove_one(struct folder *f, uid32 uid, struct buf *path, int kept_fd, struct quota_use *gone,
                          struct err *e)
{
    enum rc rc = remove_path(f, path, kept_fd, gone, e);
    if (rc == RC_GONE) { /* or another program gave it another name */
        buf_reset(path);
        rc = file_locate(f, uid, path, e);
        if (rc == RC_OK)
            rc = remove_path(f, path, kept_fd, gone, e);
    }
    return rc == RC_GONE ? RC_OK : rc;
}

static enum rc remove_range(struct folder *f, struct uidrange r, int kept_fd, struct uidset *done,
                            struct quota_use *gone, struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    AUTO(buf_deinit) struct buf path = BUF_INIT(PATH_BYTES);
    enum rc rc = db_query(f->st->db, &q, e,
                          "SELECT key, in_new, base, info FROM file WHERE key BETWEEN ?1 AND ?2 ORDER BY key",
                          DB_I(index_key(f->id, r.first)), DB_I(index_key(f->id, r.last)));
    while (rc == RC_OK && (rc = db_step(q, e)) == RC_OK) {
        uid32 uid = (uid32)db_int(q, 0);
        buf_reset(&path);
        file_path(&path, db_int(q, 1) != 0, db_text(q, 2), db_text(q, 3));
        rc = remove_one(f, uid, &path, kept_fd, gone, e);
        if (rc == RC_OK)
            uidset_add(done, uid, uid);
    }
    if (rc != RC_GONE)
        return rc;
    uidset_add(done, r.first, r.last);
    return RC_OK;
}

/* Removes what it can; *done gets the UIDs whose files are gone, also when it fails. */
static enum rc remove_all(struct folder *f, const struct uidset *uids, int kept_fd, struct uidset *done,
                          struct quota_use *gone, struct err *e)
{
    enum rc rc = RC_OK;
    struct own_change own = own_change_begin(f);
    for (size_t i = 0; i < uids->n && rc == RC_OK; i++)
        rc = remove_range(f, uids->r[i], kept_fd, done, gone, e);
    if (done->n && (fsync(f->cur_fd) != 0 || fsync(f->new_fd) != 0))
        rc = store_errno(e, "sync", f->dir);
    own_change_end(f, own);
    return rc;
}

/* Inside a transaction of its own; what was removed leaves the index even when a later file could not be. */
static enum rc expunge(struct folder *f, const struct uidset *uids, int kept_fd, struct err *e)
{
    struct uidset done = {0}, there = {0};
    struct quota_use gone = {0};
    enum rc rc = folder_begin(f, true, e);
    if (rc != RC_OK)
        return rc;
    rc = chunk_load(f, 0, &there, e);
    uidset_intersect(&there, uids);
    if (rc == RC_OK) {
        enum rc removed = remove_all(f, &there, kept_fd, &done, &gone, e);
        if (done.n) {
            f->modseq++;
            rc = messages_delete(f, &done, e);
        }
        rc = folder_end(f, rc, e);
        if (rc == RC_OK)
            rc = removed;
        folder_give(f, &gone);
    } else {
        folder_rollback(f);
    }
    uidset_deinit(&done);
    uidset_deinit(&there);
    return rc;
}

/* The names tell the flags of what is kept. A full disk keeps nobody from removing. */
static enum rc prepare_keeping(struct folder *f, int *ret_kept_fd, struct err *e)
{
    enum rc rc = kept_open(f, ret_kept_fd, e);
    if (rc == RC_OK && *ret_kept_fd >= 0)
        rc = file_names_flush(f, e);
    return rc == RC_LIMIT ? RC_OK : rc;
}

enum rc box_remove(struct box *b, const struct uidset *uids, bool any_flags, bool keeps, struct err *e)
{
    AUTO(fd_closep) int kept_fd = -1;
    struct uidset mine = {0}, target = {0};
    if (b->read_only)
        return store_refuse(e, "Mailbox is read-only");
    uidset_copy(&mine, uids ? uids : &b->view);
    uidset_intersect(&mine, &b->view);
    enum rc rc = index_check(b->f.st, e);
    if (rc == RC_OK)
        rc = folder_need(b->f.st, b->f.fd, any_flags ? ACL_T | ACL_E : ACL_E, e);
    if (rc == RC_OK && any_flags)
        uidset_copy(&target, &mine);
    else if (rc == RC_OK)
        rc = pick_deleted(&b->f, &mine, &target, e);
    if (rc == RC_OK && target.n && keeps)
        rc = prepare_keeping(&b->f, &kept_fd, e);
    if (rc == RC_OK && target.n)
        rc = expunge(&b->f, &target, kept_fd, e);
    uidset_deinit(&mine);
    uidset_deinit(&target);
    return index_result(b->f.st, rc, e);
}

enum rc box_expunge(struct box *b, const struct uidset *uids, bool any_flags, struct err *e)
{
    return box_remove(b, uids, any_flags, true, e);
}
