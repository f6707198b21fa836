/* expunge: removes files first, durably, and their rows after that: a crash in between leaves rows without
 * files, which the next look at the folder expunges. The other way round a message would come back. */
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

/* RC_OK also when the file was gone before; *gone counts what this call removed. */
static enum rc unlink_one(struct folder *f, uid32 uid, struct quota_use *gone, struct err *e)
{
    struct buf path = BUF_INIT(PATH_BYTES);
    uint64_t size = 0;
    enum rc rc = file_locate(f, uid, &path, e);
    bool there = rc == RC_OK && folder_file_size(f, buf_str(&path), &size);
    if (rc == RC_OK && unlinkat(f->fd, buf_cstr(&path), 0) != 0) {
        there = false;
        rc = errno == ENOENT ? RC_OK : store_errno(e, "unlink", buf_cstr(&path));
    }
    gone->bytes += there ? size : 0;
    gone->messages += there;
    buf_deinit(&path);
    return rc == RC_GONE ? RC_OK : rc;
}

/* Unlinks what it can; *done gets the UIDs whose files are gone, also when it fails. */
static enum rc unlink_all(struct folder *f, const struct uidset *uids, struct uidset *done,
                          struct quota_use *gone, struct err *e)
{
    enum rc rc = RC_OK;
    struct own_change own = own_change_begin(f);
    for (uid32 uid = uidset_next(uids, 1); uid; uid = uidset_next(uids, uid + 1)) {
        rc = unlink_one(f, uid, gone, e);
        if (rc != RC_OK)
            break;
        uidset_add(done, uid, uid);
    }
    if (done->n && (fsync(f->cur_fd) != 0 || fsync(f->new_fd) != 0))
        rc = store_errno(e, "sync", f->dir);
    own_change_end(f, own);
    return rc;
}

/* Inside a transaction of its own; what was unlinked leaves the index even when a later file could not be. */
static enum rc expunge(struct folder *f, const struct uidset *uids, struct err *e)
{
    struct uidset done = {0}, there = {0};
    struct quota_use gone = {0};
    enum rc rc = folder_begin(f, true, e);
    if (rc != RC_OK)
        return rc;
    rc = chunk_load(f, 0, &there, e);
    uidset_intersect(&there, uids);
    if (rc == RC_OK) {
        enum rc unlinked = unlink_all(f, &there, &done, &gone, e);
        if (done.n) {
            f->modseq++;
            rc = messages_delete(f, &done, e);
        }
        rc = folder_end(f, rc, e);
        if (rc == RC_OK)
            rc = unlinked;
        folder_give(f, &gone);
    } else {
        folder_rollback(f);
    }
    uidset_deinit(&done);
    uidset_deinit(&there);
    return rc;
}

enum rc box_expunge(struct box *b, const struct uidset *uids, bool any_flags, struct err *e)
{
    struct uidset mine = {0}, target = {0};
    if (b->read_only)
        return store_refuse(e, "Mailbox is read-only");
    uidset_copy(&mine, uids ? uids : &b->view);
    uidset_intersect(&mine, &b->view);
    enum rc rc = index_check(b->f.st, e);
    if (rc == RC_OK && any_flags)
        uidset_copy(&target, &mine);
    else if (rc == RC_OK)
        rc = pick_deleted(&b->f, &mine, &target, e);
    if (rc == RC_OK && target.n)
        rc = expunge(&b->f, &target, e);
    uidset_deinit(&mine);
    uidset_deinit(&target);
    return index_result(b->f.st, rc, e);
}
