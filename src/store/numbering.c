/* numbering: the UIDs that others gave are taken over before any is given here. The uidlist has entries only
 * when it is not the one that the index knows; otherwise everything in it was taken over before. */
#include "store/numbering.h"

#include "fmt/maildir_name.h"

void numbering_deinit(struct numbering *n)
{
    uidset_deinit(&n->taken);
    free(n->come);
    free(n->moved);
}

static enum rc find_told(struct numbering *n, struct err *e)
{
    int64_t key = 0, gone = 0;
    const struct folder *f = n->f;
    enum rc rc =
        db_get_int(f->st->db, &key, e, "SELECT ifnull(max(key), 0) FROM file WHERE key BETWEEN ?1 AND ?2",
                   DB_I(index_key(f->id, 0)), DB_I(index_key(f->id, UINT32_MAX)));
    if (rc == RC_OK)
        rc = db_get_int(f->st->db, &gone, e, "SELECT ifnull(max(last), 0) FROM expunged WHERE mailbox = ?1",
                        DB_I(f->id));
    n->told = (uid32)key > (uid32)gone ? (uid32)key : (uid32)gone;
    return rc;
}

/* 0: it needs a new one. */
static uid32 take_uid(struct numbering *n, const struct uidlist_entry *known)
{
    if (!known || known->uid <= n->told)
        return 0;
    uidset_add(&n->taken, known->uid, known->uid);
    return known->uid;
}

static void plan_newcomer(struct numbering *n, const struct scan_entry *x, const struct stat *st)
{
    struct maildir_name name = {0};
    const struct uidlist_entry *known = uidlist_file_find(n->uidlist, scan_base(x));
    enum rc rc = maildir_name_parse(str_mem(x->name, x->name_n), &name);
    must(rc == RC_OK);
    struct newcomer *m = &n->come[n->n_come++];
    *m = (struct newcomer){
        .uid = take_uid(n, known),
        .base = scan_base(x),
        .info = scan_info(x),
        .fields = known ? known->fields : STR_NONE,
        .in_new = x->in_new,
        .flags = name.flags,
        .keywords = name.keywords,
        .internal_date = st->st_mtim.tv_sec,
        .save_date = st->st_ctim.tv_sec, /* when it came under this name; Dovecot says the same */
        .size = st->st_size > 0 ? -(int64_t)st->st_size : 0,
    };
    if (name.has_crlf_size)
        m->size = (int64_t)name.crlf_size;
    else if (known && known->crlf_size >= 0)
        m->size = known->crlf_size;
    n->letters |= name.keywords;
}

static int by_base(const void *a, const void *b)
{
    const struct newcomer *x = a, *y = b;
    return str_cmp(x->base, y->base);
}

static enum rc plan_newcomers(struct numbering *n, const struct scan *s, const size_t *found, size_t n_found,
                              struct err *e)
{
    bool was_empty = n->f->messages == 0;
    enum rc rc = RC_OK;
    n->come = calloc(n_found + 1, sizeof *n->come);
    must(n->come);
    for (size_t i = 0; i < n_found && rc == RC_OK; i++) {
        AUTO(db_done) struct db_stmt *q = NULL;
        const struct scan_entry *x = &s->v[found[i]];
        struct stat st;
        /* another session may have been faster */
        rc = was_empty ? RC_GONE : file_row(n->f, scan_base(x), &q, e);
        if (rc != RC_GONE)
            continue;
        rc = RC_OK;
        if (scan_entry_exists(n->f->fd, x, &st))
            plan_newcomer(n, x, &st);
        else
            n->renamed = true;
    }
    qsort(n->come, n->n_come, sizeof *n->come, by_base);
    return rc;
}

static void plan_move(struct numbering *n, uid32 from, const struct uidlist_entry *known)
{
    uid32 to = take_uid(n, known);
    if (to == 0 && n->f->uidnext == UINT32_MAX)
        return; /* no UIDs are left */
    if (n->n_moved == n->cap_moved) {
        n->cap_moved = n->cap_moved ? n->cap_moved * 2 : 16;
        n->moved = reallocarray(n->moved, n->cap_moved, sizeof *n->moved);
        must(n->moved);
    }
    n->moved[n->n_moved++] = (struct uid_change){from, to ? to : n->f->uidnext++};
}

static enum rc plan_moves(struct numbering *n, struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    enum rc rc =
        db_query(n->f->st->db, &q, e, "SELECT key, base FROM file WHERE key BETWEEN ?1 AND ?2 ORDER BY key",
                 DB_I(index_key(n->f->id, 1)), DB_I(index_key(n->f->id, UINT32_MAX)));
    while (rc == RC_OK && (rc = db_step(q, e)) == RC_OK) {
        uid32 uid = (uid32)db_int(q, 0);
        const struct uidlist_entry *known = uidlist_file_find(n->uidlist, db_text(q, 1));
        if (known && known->uid != uid && !uidset_has(n->missing, uid))
            plan_move(n, uid, known);
    }
    return rc == RC_GONE ? RC_OK : rc;
}

enum rc numbering_plan(struct numbering *n, const struct scan *s, const size_t *found, size_t n_found,
                       struct err *e)
{
    n->first = n->f->uidnext;
    enum rc rc = n->uidlist->n ? find_told(n, e) : RC_OK;
    if (rc == RC_OK && n->uidlist->n)
        rc = plan_moves(n, e);
    return rc == RC_OK && n_found ? plan_newcomers(n, s, found, n_found, e) : rc;
}

bool numbering_is_complete(const struct numbering *n)
{
    const struct uidlist_file *u = n->uidlist;
    for (size_t i = u->n; i > 0 && u->v[i - 1].uid > n->told; i--) {
        const struct uidlist_entry *x = &u->v[i - 1];
        if (uidlist_file_find(u, x->base) == x && !uidset_has(&n->taken, x->uid))
            return false;
    }
    return true;
}

bool numbering_has_any(const struct numbering *n)
{
    return n->n_come > 0 || n->n_moved > 0;
}

enum rc numbering_carry_out(struct numbering *n, struct err *e)
{
    enum rc rc = n->n_moved ? messages_renumber(n->f, n->moved, n->n_moved, e) : RC_OK;
    return rc == RC_OK && n->n_come ? messages_insert(n->f, n->come, n->n_come, e) : rc;
}
