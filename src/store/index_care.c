#include "store/index_care.h"

#include "store/scan.h"
#include "store/store_priv.h"

#include <sys/file.h>
#include <unistd.h>

enum { LIST_BYTES_MAX = 64 << 20 };

struct check {
    struct store *st;
    void (*fault)(void *ctx, str mailbox, const char *what);
    void *ctx;
    struct index_care found;
};

/* --- checking --- */

/* Damage is what is looked for; all else is why it cannot be looked for. */
static enum rc judge(struct check *c, str mailbox, enum rc rc)
{
    if (rc == RC_INVALID)
        c->fault(c->ctx, mailbox, "the tables of the index contradict each other");
    return rc == RC_INVALID ? RC_OK : rc;
}

static enum rc check_file(struct check *c, struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    enum rc rc = db_query(c->st->db, &q, e, "PRAGMA integrity_check(1)");
    if (rc == RC_OK)
        rc = db_step(q, e);
    if (rc == RC_OK && !str_eq(db_text(q, 0), S("ok"))) {
        AUTO(str_freep) char *what = str_dup(db_text(q, 0));
        c->fault(c->ctx, STR_NONE, what);
    }
    return judge(c, STR_NONE, rc);
}

/* The counts in the mailbox's row against its messages. */
static enum rc check_counts(struct check *c, str name, struct folder *f, struct err *e)
{
    int64_t unseen = 0, deleted = 0;
    enum rc rc = db_get_int(c->st->db, &unseen, e,
                            "SELECT count(*) FROM message WHERE flags & ?3 = 0 AND key BETWEEN ?1 AND ?2",
                            DB_I(index_key(f->id, 0)), DB_I(index_key(f->id, UINT32_MAX)), DB_I(FLAG_SEEN));
    if (rc == RC_OK)
        rc = db_get_int(c->st->db, &deleted, e,
                        "SELECT count(*) FROM message WHERE flags & ?3 != 0 AND key BETWEEN ?1 AND ?2",
                        DB_I(index_key(f->id, 0)), DB_I(index_key(f->id, UINT32_MAX)), DB_I(FLAG_DELETED));
    if (rc == RC_OK && (unseen != f->unseen || deleted != f->deleted))
        c->fault(c->ctx, name, "the index counts its messages wrongly");
    return rc;
}

/* Each row has a file, and each file a row. */
static enum rc check_names(struct check *c, str name, struct folder *f, struct err *e)
{
    AUTO(scan_deinit) struct scan files = {0};
    AUTO(db_done) struct db_stmt *q = NULL;
    bool stable = true, cur_stable = true;
    size_t known = 0, missing = 0;
    enum rc rc = scan_read(&files, f->fd, "new", &stable, e);
    if (rc == RC_OK)
        rc = scan_read(&files, f->fd, "cur", &cur_stable, e);
    if (rc == RC_OK)
        rc = db_query(c->st->db, &q, e, "SELECT base FROM file WHERE key BETWEEN ?1 AND ?2",
                      DB_I(index_key(f->id, 0)), DB_I(index_key(f->id, UINT32_MAX)));
    while (rc == RC_OK && (rc = db_step(q, e)) == RC_OK) {
        bool there = scan_find(&files, db_text(q, 0)) != NULL;
        known += there;
        missing += !there;
    }
    if (rc != RC_GONE || !stable || !cur_stable) /* somebody is at work there: nothing can be said */
        return rc == RC_GONE ? RC_OK : rc;
    if (missing)
        c->fault(c->ctx, name, "the index has messages of which there is no file");
    if (known < files.n)
        c->fault(c->ctx, name, "the index lacks messages of which there is a file");
    c->found.messages += known;
    return RC_OK;
}

static enum rc check_folder(struct check *c, str name, struct folder *f, struct err *e)
{
    enum rc rc = folder_merge(f, MERGE_FORCE, e);
    if (rc == RC_OK)
        rc = folder_begin(f, false, e);
    if (rc != RC_OK)
        return rc;
    rc = messages_verify(f, e);
    if (rc == RC_OK)
        rc = check_counts(c, name, f, e);
    if (rc == RC_OK)
        rc = check_names(c, name, f, e);
    folder_rollback(f);
    return rc;
}

static enum rc check_box(struct check *c, str name, struct err *e)
{
    char dir[DIR_NAME_MAX + 1];
    struct folder f;
    enum rc rc = name_to_dir(c->st, name, dir, e);
    if (rc == RC_OK)
        rc = folder_open(c->st, dir, &f, e);
    if (rc == RC_OK) {
        rc = check_folder(c, name, &f, e);
        folder_close(&f);
    }
    c->found.mailboxes++;
    return judge(c, name, rc);
}

enum rc store_index_check(struct store *st, void (*fault)(void *ctx, str mailbox, const char *what),
                          void *ctx, struct index_care *ret, struct err *e)
{
    AUTO(arena_freep) struct arena *a = arena_new(LIST_BYTES_MAX);
    struct check c = {.st = st, .fault = fault, .ctx = ctx};
    struct store_box_info *v = NULL;
    size_t n = 0;
    enum rc rc = check_file(&c, e);
    if (rc == RC_OK)
        rc = store_list(st, a, &v, &n, e);
    for (size_t i = 0; i < n && rc == RC_OK; i++)
        if (v[i].exists && !v[i].noselect && (rc = check_box(&c, v[i].name, e)) == RC_GONE)
            rc = RC_OK; /* deleted meanwhile */
    if (rc == RC_OK)
        *ret = c.found;
    return rc;
}

/* --- making it anew --- */

/* With the Maildir locked, so that nobody opens an index meanwhile. Who waits to write to the old one finds
 * its mailbox gone: no change is taken that would be lost with it. */
static enum rc remove_old(struct store *st, struct err *e)
{
    int64_t behind = 0;
    enum rc rc = db_begin(st->db, true, e);
    if (rc == RC_OK)
        rc = db_get_int(st->db, &behind, e, "SELECT count(*) FROM pending");
    if (rc == RC_OK && behind)
        rc = err_set(e, RC_TEMP, 0, "", "names of files are still to be changed; try again");
    if (rc == RC_OK)
        rc = db_run(st->db, e, "DELETE FROM mailbox WHERE id >= ?1", DB_I(0));
    if (rc != RC_OK)
        return db_end(st->db, rc, e);
    index_set_aside(st);
    return db_end(st->db, RC_OK, e);
}

enum rc store_index_rebuild(struct store *st, struct err *e)
{
    store_flush_names(st);
    if (flock(st->root_fd, LOCK_EX) != 0)
        return store_errno(e, "lock", st->index_path);
    enum rc rc = index_check(st, e);
    if (rc == RC_OK)
        rc = remove_old(st, e);
    if (rc == RC_INVALID) {
        index_set_aside(st);
        rc = RC_OK;
    }
    flock(st->root_fd, LOCK_UN);
    st->stale = rc == RC_OK;
    return rc;
}
