/* box_open: opening and closing a mailbox, and what is known of it without reading messages. */
#include "store/store_priv.h"

#include <unistd.h>

static void fill_status(struct box *b)
{
    const struct folder *f = &b->f;
    b->status = (struct store_status){.messages = uidset_count(&b->view),
                                      .recent = uidset_count(&b->recent),
                                      .unseen = f->unseen,
                                      .deleted = f->deleted,
                                      .uidnext = f->uidnext,
                                      .uidvalidity = f->uidvalidity,
                                      .highestmodseq = f->modseq,
                                      .size = f->size};
    folder_object_id(f, b->status.id);
}

/* In a read-only session the messages in new/ are recent and stay so. */
static enum rc load_unclaimed(struct box *b, struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    enum rc rc =
        db_query(b->f.st->db, &q, e, "SELECT key FROM file WHERE in_new = 1 AND key BETWEEN ?1 AND ?2",
                 DB_I(index_key(b->f.id, 1)), DB_I(index_key(b->f.id, UINT32_MAX)));
    while (rc == RC_OK && (rc = db_step(q, e)) == RC_OK)
        uidset_add(&b->recent, (uid32)db_int(q, 0), (uid32)db_int(q, 0));
    return rc == RC_GONE ? RC_OK : rc;
}

enum rc box_refresh(struct box *b, enum merge_when when, struct err *e)
{
    struct folder *f = &b->f;
    enum rc rc = index_check(f->st, e);
    if (rc == RC_OK && !(folder_rights(f->st, f->fd) & ACL_R)) /* any more */
        rc = store_gone(e);
    if (rc == RC_OK)
        rc = folder_reload(f, e);
    if (rc == RC_OK)
        rc = folder_merge(f, b->file_gone ? MERGE_FORCE : when, e);
    b->file_gone = false;
    if (rc == RC_OK && !b->read_only) {
        rc = file_claim_new(f, &b->recent, e);
        if (rc == RC_PERM) { /* the folder may not be written */
            b->read_only = true;
            rc = RC_OK;
        }
    }
    if (rc == RC_OK)
        rc = folder_reload(f, e);
    if (rc == RC_OK && b->read_only)
        rc = load_unclaimed(b, e);
    if (rc == RC_OK && f->keyword_modseq != f->modseq)
        rc = keywords_load(f, e);
    return rc;
}

void box_update_status(struct box *b)
{
    uidset_intersect(&b->recent, &b->view);
    fill_status(b);
}

/* The folder, of which nothing was looked at yet. */
static enum rc begin_open(struct store *st, str name, bool read_only, struct box **ret, struct err *e)
{
    char dir[DIR_NAME_MAX + 1];
    if (name_to_dir(st, name, dir, e) != RC_OK)
        return store_gone(e);
    struct box *b = calloc(1, sizeof *b);
    must(b);
    enum rc rc = index_check(st, e);
    if (rc == RC_OK)
        rc = folder_open(st, dir, &b->f, e);
    if (rc != RC_OK) {
        free(b);
        return rc;
    }
    b->read_only = read_only || !(box_rights(b) & (ACL_S | ACL_W | ACL_I | ACL_T | ACL_E));
    rc = folder_need(st, b->f.fd, ACL_R, e);
    if (rc == RC_OK)
        *ret = b;
    else
        box_close(b);
    return rc;
}

enum rc box_open(struct store *st, str name, bool read_only, struct box **ret, struct err *e)
{
    struct box *b = NULL;
    enum rc rc = begin_open(st, name, read_only, &b, e);
    if (rc == RC_OK)
        rc = box_refresh(b, MERGE_OPEN, e);
    if (rc == RC_OK)
        rc = chunk_load(&b->f, 0, &b->view, e);
    if (rc != RC_OK) {
        box_close(b);
        return index_result(st, rc, e);
    }
    b->told = b->f.modseq;
    box_update_status(b);
    *ret = b;
    return RC_OK;
}

/* --- parking --- */

bool box_park(const struct box *b, struct parked_view *ret)
{
    const str *names;
    if (b->n_silent > 0 || b->untold.n > 0 || b->file_gone || b->f.st->stale)
        return false;
    *ret = (struct parked_view){.read_only = b->read_only,
                                .uidvalidity = b->status.uidvalidity,
                                .told = b->told,
                                .keywords = (uint32_t)box_keywords(b, &names)};
    uidset_copy(&ret->uids, &b->view);
    uidset_copy(&ret->recent, &b->recent);
    uidset_copy(&ret->gone, &b->gone);
    return true;
}

/* Whether the opened folder is the mailbox of the view; an index that was made anew meanwhile first learns
 * its numbering from the uidlist. */
static enum rc identify(struct box *b, const struct parked_view *view, struct err *e)
{
    enum rc rc = RC_OK;
    if (b->f.uidvalidity != view->uidvalidity)
        rc = box_refresh(b, MERGE_OPEN, e);
    return rc == RC_OK && b->f.uidvalidity != view->uidvalidity ? store_gone(e) : rc;
}

static void take_view(struct box *b, const struct parked_view *view)
{
    uidset_copy(&b->view, &view->uids);
    uidset_add_set(&b->recent, &view->recent);
    uidset_copy(&b->gone, &view->gone);
    uidset_intersect(&b->gone, &b->view);
    b->told = view->told;
    for (size_t i = view->keywords; i < KEYWORD_BITS; i++)
        str_freep(&b->f.keyword[i]);
    b->f.keyword_modseq = view->told; /* those that are newer are read when they can be told */
    fill_status(b);
    b->status.highestmodseq = view->told;
}

enum rc box_resume(struct store *st, str name, const struct parked_view *view, struct box **ret,
                   struct err *e)
{
    struct box *b = NULL;
    enum rc rc = begin_open(st, name, view->read_only, &b, e);
    if (rc == RC_OK)
        rc = identify(b, view, e);
    if (rc != RC_OK) {
        box_close(b);
        return index_result(st, rc, e);
    }
    take_view(b, view);
    *ret = b;
    return RC_OK;
}

struct box *box_close(struct box *b)
{
    struct err e;
    if (!b)
        return NULL;
    if (!b->f.st->stale) {
        /* what fails stays pending: whoever opens next goes on */
        index_damage(b->f.st, file_names_flush(&b->f, &e));
    }
    uidset_deinit(&b->view);
    uidset_deinit(&b->recent);
    uidset_deinit(&b->gone);
    uidset_deinit(&b->untold);
    folder_close(&b->f);
    free(b);
    return NULL;
}

const struct store_status *box_status(const struct box *b)
{
    return &b->status;
}

bool box_read_only(const struct box *b)
{
    return b->read_only;
}

const struct uidset *box_view(const struct box *b)
{
    return &b->view;
}

bool box_is_recent(const struct box *b, uid32 uid)
{
    return uidset_has(&b->recent, uid);
}

uint32_t box_first_unseen(struct box *b)
{
    struct err e;
    int64_t key = 0;
    enum rc rc = db_get_int(
        b->f.st->db, &key, &e,
        "SELECT key FROM message WHERE key BETWEEN ?1 AND ?2 AND flags & 16 = 0 ORDER BY key LIMIT 1",
        DB_I(index_key(b->f.id, 1)), DB_I(index_key(b->f.id, UINT32_MAX)));
    return rc == RC_OK ? uidset_rank(&b->view, (uid32)key) : 0;
}

void box_watch_fds(const struct box *b, int ret_fd[2])
{
    ret_fd[0] = b->f.new_fd;
    ret_fd[1] = b->f.cur_fd;
}

enum rc store_watch_fds(struct store *st, str name, int ret_fd[2], struct err *e)
{
    char dir[DIR_NAME_MAX + 1];
    struct folder f;
    if (name_to_dir(st, name, dir, e) != RC_OK)
        return store_gone(e);
    enum rc rc = folder_open(st, dir, &f, e);
    if (rc != RC_OK)
        return index_result(st, rc, e);
    rc = folder_need(st, f.fd, ACL_R, e);
    if (rc == RC_OK) {
        ret_fd[0] = f.new_fd;
        ret_fd[1] = f.cur_fd;
        f.new_fd = f.cur_fd = -1;
    }
    folder_close(&f);
    return rc;
}

int store_names_fd(const struct store *st)
{
    return st->root_fd;
}

size_t box_keywords(const struct box *b, const str **ret_names)
{
    str *names = ((struct box *)b)->keyword_view; /* a cache */
    size_t n = 0;
    for (size_t i = 0; i < KEYWORD_BITS; i++) {
        names[i] = str_c(b->f.keyword[i]);
        if (b->f.keyword[i])
            n = i + 1;
    }
    *ret_names = names;
    return n;
}

bool box_keyword_room(const struct box *b)
{
    unsigned used = 0;
    for (size_t i = 0; i < KEYWORD_BITS; i++)
        used += b->f.keyword[i] != NULL;
    return !b->read_only && used < b->f.st->conf.keyword_max;
}
