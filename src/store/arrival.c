/* arrival: how messages that this session made itself (APPEND, COPY, MOVE) get their UIDs: under the
 * uidlist's lock, after all that came before them, with the uidlist on disk before the index and before the
 * client hears of them. A crash before the uidlist leaves files without UIDs, which the next session takes
 * for deliveries. */
#include "store/store_priv.h"

#include <unistd.h>

enum rc arrival_begin(struct folder *f, struct arrival *ret, struct err *e)
{
    *ret = (struct arrival){.lock = DOTLOCK_INIT};
    bool finished;
    enum rc rc = dotlock_take(&f->st->lock_file, f->fd, "dovecot-uidlist", &ret->lock, e);
    if (rc == RC_OK)
        rc = one_change_finish(f, &finished, e);
    if (rc == RC_OK)
        rc = index_check(f->st, e);
    if (rc == RC_OK)
        rc = folder_reload(f, e);
    if (rc == RC_OK) /* numbers what came before; fresh mailboxes get their uidlist */
        rc = folder_merge_locked(f, MERGE_SYNC, &ret->lock, e);
    if (rc == RC_OK)
        rc = folder_begin(f, true, e);
    if (rc != RC_OK) {
        dotlock_drop(&ret->lock);
        return rc;
    }
    uint32_t uidvalidity = f->uidvalidity;
    rc = uidlist_file_refresh(f, &ret->uidlist, false, e);
    if (rc == RC_OK && f->uidvalidity != uidvalidity)
        rc = err_set(e, RC_TEMP, 0, "4.3.0", "Mailbox was numbered anew, please try again");
    if (rc == RC_OK)
        rc = keywords_merge(f, e);
    if (rc != RC_OK)
        return arrival_end(f, ret, rc, NULL, 0, e);
    ret->first = f->uidnext;
    ret->own = own_change_begin(f);
    return RC_OK;
}

enum rc arrival_commit(struct folder *f, struct arrival *a, enum rc rc, struct newcomer *v, size_t n,
                       struct err *e)
{
    if (rc == RC_OK && n) {
        if (fsync(f->cur_fd) != 0)
            rc = store_errno(e, "sync", f->dir);
        f->modseq++;
        if (rc == RC_OK)
            rc = messages_insert(f, v, n, e);
        if (rc == RC_OK)
            rc = uidlist_file_save(f, &a->uidlist, a->first, e);
    }
    if (rc == RC_OK)
        own_change_end(f, a->own);
    rc = folder_end(f, rc, e);
    uidlist_file_deinit(&a->uidlist);
    return rc;
}

enum rc arrival_end(struct folder *f, struct arrival *a, enum rc rc, struct newcomer *v, size_t n,
                    struct err *e)
{
    rc = arrival_commit(f, a, rc, v, n, e);
    dotlock_drop(&a->lock);
    return rc;
}
