/* merge: takes what others did to a folder (deliveries, renames, deletions) into the index.
 *
 * Nothing is read while the times of new/ and cur/ are the known ones. Otherwise their names are compared
 * with the rows, and the differences are applied in one transaction, in which each is looked at again,
 * because other sessions may have been faster. readdir misses names while others rename, so a name that is
 * missing is believed only when both folders were still during the scan and for 2 seconds before, and a
 * second scan misses it too. */
#include "fmt/maildir_name.h"
#include "store/numbering.h"
#include "store/store_priv.h"

#include <fcntl.h>

enum { FUTURE_SECONDS = 60, ROUNDS_MAX = 4, PATH_BYTES = 600 };

_Static_assert((int)MAILDIR_DRAFT == FLAG_DRAFT && (int)MAILDIR_TRASHED == FLAG_DELETED,
               "flags are those of names");

struct merge {
    struct folder *f;
    struct dotlock *lock;
    bool last; /* of the rounds: what was found is taken in */
    struct scan scan;
    bool full, stable;                /* cur/ was read as well; nothing changed meanwhile */
    bool lock_wanted;                 /* new files, or the uidlist changed */
    bool locked;                      /* before the scan */
    int64_t begun_ns;                 /* when the scan began */
    int64_t new_time_ns, cur_time_ns; /* before the scan */
    size_t *newcomer, *changed;       /* indices into scan.v */
    size_t n_newcomer, n_changed, cap_newcomer, cap_changed;
    struct uidset missing;
    bool missing_deferred;
    bool suspicious; /* rows miss files while files miss rows: moved by a foreign program, or a damaged index
                      */
    /* while applying */
    bool counted; /* f->modseq was raised for this merge */
    uint64_t letters;
    struct uidset touched;
};

static void merge_init(struct merge *m, struct folder *f, struct dotlock *lock, bool last)
{
    *m = (struct merge){.f = f, .lock = lock, .last = last, .locked = dotlock_held(lock)};
    scan_init(&m->scan);
}

static void merge_deinit(struct merge *m)
{
    scan_deinit(&m->scan);
    free(m->newcomer);
    free(m->changed);
    uidset_deinit(&m->missing);
    uidset_deinit(&m->touched);
}

static void note(size_t **v, size_t *n, size_t *cap, size_t i)
{
    if (*n == *cap) {
        *cap = *cap ? *cap * 2 : 64;
        *v = reallocarray(*v, *cap, sizeof **v);
        must(*v);
    }
    (*v)[(*n)++] = i;
}

/* A folder's time is settled when a later change will surely give it another one. */
static bool settled(int64_t time_ns)
{
    int64_t age = clock_wall() * 1000 - time_ns;
    return age >= DIRTY_SECONDS * 1000000000LL || age < -FUTURE_SECONDS * 1000000000LL;
}

static bool uidlist_changed(const struct folder *f)
{
    struct stat st;
    struct file_stamp stamp = {0};
    if (fstatat(f->fd, "dovecot-uidlist", &st, AT_SYMLINK_NOFOLLOW) == 0)
        file_stamp_get(&st, &stamp);
    return stamp.ino == 0 || !file_stamp_equal(&stamp, &f->uidlist);
}

/* Decides what must be read. */
static bool look(struct merge *m, enum merge_when when)
{
    const struct folder *f = m->f;
    m->begun_ns = clock_wall() * 1000;
    m->new_time_ns = dir_time_ns(f->new_fd);
    m->cur_time_ns = dir_time_ns(f->cur_fd);
    m->lock_wanted = uidlist_changed(f) || (when == MERGE_OPEN && one_change_is_open(f));
    unsigned cur_bits = when == MERGE_OPEN ? DIRTY_CUR | OWN_CUR : DIRTY_CUR;
    m->full = when == MERGE_FORCE || m->cur_time_ns != f->cur_time_ns ||
              (f->dirty & cur_bits && settled(m->cur_time_ns));
    return m->full || m->lock_wanted || m->new_time_ns != f->new_time_ns ||
           (f->dirty & DIRTY_NEW && settled(m->new_time_ns));
}

static enum rc read_dirs(struct merge *m, struct scan *s, struct err *e)
{
    bool new_stable = true, cur_stable = true;
    enum rc rc = scan_read(s, m->f->fd, "new", &new_stable, e);
    if (rc == RC_OK && m->full)
        rc = scan_read(s, m->f->fd, "cur", &cur_stable, e);
    m->stable = new_stable && cur_stable;
    return rc;
}

/* Compares all rows with all names; what no row knows is a newcomer. */
static enum rc compare_full(struct merge *m, struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    enum rc rc =
        db_query(m->f->st->db, &q, e, "SELECT key, base, info, in_new FROM file WHERE key BETWEEN ?1 AND ?2",
                 DB_I(index_key(m->f->id, 0)), DB_I(index_key(m->f->id, UINT32_MAX)));
    while (rc == RC_OK && (rc = db_step(q, e)) == RC_OK) {
        struct scan_entry *x = scan_find(&m->scan, db_text(q, 1));
        uid32 uid = (uid32)db_int(q, 0);
        if (!x) {
            if (uid > 0)
                uidset_add(&m->missing, uid, uid);
            continue;
        }
        x->seen = true;
        if (x->in_new != (db_int(q, 3) != 0) || !str_eq(scan_info(x), db_text(q, 2)))
            note(&m->changed, &m->n_changed, &m->cap_changed, (size_t)(x - m->scan.v));
    }
    if (rc != RC_GONE)
        return rc;
    for (size_t i = 0; i < m->scan.n; i++)
        if (!m->scan.v[i].seen) {
            note(&m->newcomer, &m->n_newcomer, &m->cap_newcomer, i);
            m->suspicious |= !m->scan.v[i].in_new || m->missing.n;
        }
    return RC_OK;
}

/* Only new/ was read: look up each name, and see whether any that was there has left. */
static enum rc compare_new(struct merge *m, struct err *e)
{
    int64_t known = 0, here = 0;
    for (size_t i = 0; i < m->scan.n; i++) {
        AUTO(db_done) struct db_stmt *q = NULL;
        const struct scan_entry *x = &m->scan.v[i];
        enum rc rc = file_row(m->f, scan_base(x), &q, e);
        if (rc == RC_GONE)
            note(&m->newcomer, &m->n_newcomer, &m->cap_newcomer, i);
        else if (rc != RC_OK)
            return rc;
        else if (db_int(q, 2) == 0 || !str_eq(scan_info(x), db_text(q, 1)))
            note(&m->changed, &m->n_changed, &m->cap_changed, i);
        here += rc == RC_OK && db_int(q, 2) != 0;
    }
    enum rc rc = db_get_int(m->f->st->db, &known, e,
                            "SELECT count(*) FROM file WHERE in_new = 1 AND key BETWEEN ?1 AND ?2",
                            DB_I(index_key(m->f->id, 0)), DB_I(index_key(m->f->id, UINT32_MAX)));
    m->full = known > here;
    return rc;
}

/* Believes a missing name only after the second look. */
static enum rc confirm_missing(struct merge *m, struct err *e)
{
    if (m->missing.n == 0)
        return RC_OK;
    struct scan again;
    scan_init(&again);
    enum rc rc = RC_OK;
    bool sure = m->stable && settled(m->new_time_ns) && settled(m->cur_time_ns);
    if (sure) {
        rc = read_dirs(m, &again, e);
        sure = m->stable && dir_time_ns(m->f->cur_fd) == m->cur_time_ns;
    }
    for (uid32 uid = sure ? uidset_next(&m->missing, 1) : 0; uid && rc == RC_OK;
         uid = uidset_next(&m->missing, uid + 1)) {
        AUTO(db_done) struct db_stmt *q = NULL;
        rc = db_query(m->f->st->db, &q, e, "SELECT base FROM file WHERE key = ?1",
                      DB_I(index_key(m->f->id, uid)));
        if (rc == RC_OK && (rc = db_step(q, e)) == RC_OK && scan_find(&again, db_text(q, 0)))
            uidset_del(&m->missing, uid, uid);
        else if (rc == RC_GONE)
            rc = RC_OK;
    }
    if (!sure) {
        m->missing_deferred = true;
        uidset_clear(&m->missing);
    }
    scan_deinit(&again);
    return rc;
}

static void raise_modseq(struct merge *m)
{
    if (!m->counted)
        m->f->modseq++;
    m->counted = true;
}

struct row_flags {
    uid32 uid;
    unsigned flags;
    uint64_t keywords;
};

static enum rc store_row_flags(struct merge *m, const struct row_flags *old, const struct row_flags *new,
                               struct err *e)
{
    struct folder *f = m->f;
    raise_modseq(m);
    uidset_add(&m->touched, new->uid, new->uid);
    f->unseen += (old->flags & FLAG_SEEN && !(new->flags &FLAG_SEEN));
    f->unseen -= (!(old->flags & FLAG_SEEN) && new->flags &FLAG_SEEN);
    f->deleted += (new->flags &FLAG_DELETED && !(old->flags & FLAG_DELETED));
    f->deleted -= (!(new->flags &FLAG_DELETED) && old->flags & FLAG_DELETED);
    return db_run(f->st->db, e, "UPDATE message SET flags = ?2, keywords = ?3, modseq = ?4 WHERE key = ?1",
                  DB_I(index_key(f->id, new->uid)), DB_I(new->flags), DB_I(new->keywords), DB_I(f->modseq));
}

/* Another program renamed the file: the flags that it changed win, the others stay as the row has them. */
static enum rc apply_changed(struct merge *m, const struct scan_entry *x, struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    struct maildir_name before = {0}, after = {0};
    struct stat st;
    enum rc rc = file_row(m->f, scan_base(x), &q, e);
    if (rc != RC_OK)
        return rc == RC_GONE ? RC_OK : rc;
    if ((db_int(q, 2) != 0) == x->in_new && str_eq(db_text(q, 1), scan_info(x)))
        return RC_OK;
    if (!scan_entry_exists(m->f->fd, x, &st)) {
        m->missing_deferred = true; /* renamed again since: the next merge sees it */
        return RC_OK;
    }
    struct buf old_name = BUF_INIT(PATH_BYTES);
    buf_printf(&old_name, "x" STR_FMT, STR_ARG(db_text(q, 1)));
    bool parsed = maildir_name_parse(buf_str(&old_name), &before) == RC_OK &&
                  maildir_name_parse(str_mem(x->name, x->name_n), &after) == RC_OK;
    buf_deinit(&old_name);
    struct row_flags old = {(uid32)db_int(q, 0), (unsigned)db_int(q, 3), (uint64_t)db_int(q, 4)}, new = old;
    unsigned flags = parsed ? before.flags ^ after.flags : 0;
    uint64_t keywords = parsed ? before.keywords ^ after.keywords : 0;
    new.flags = (old.flags & ~flags) | (after.flags & flags);
    new.keywords = (old.keywords & ~keywords) | (after.keywords & keywords);
    m->letters |= after.keywords;
    rc = db_run(m->f->st->db, e, "UPDATE file SET info = ?2, in_new = ?3 WHERE key = ?1",
                DB_I(index_key(m->f->id, old.uid)), DB_T(scan_info(x)), DB_I(x->in_new));
    if (rc == RC_OK && (new.flags != old.flags || new.keywords != old.keywords))
        rc = store_row_flags(m, &old, &new, e);
    uint64_t named = new.keywords &((1u << MAILDIR_KEYWORDS) - 1);
    if (rc == RC_OK && (new.flags != after.flags || named != after.keywords))
        rc = db_run(m->f->st->db, e, "INSERT OR IGNORE INTO pending VALUES (?1, ?2, ?2)", DB_I(m->f->id),
                    DB_I(old.uid));
    return rc;
}

static enum rc apply_missing(struct merge *m, struct err *e)
{
    struct uidset there = {0};
    enum rc rc = m->missing.n ? chunk_load(m->f, 0, &there, e) : RC_OK;
    if (rc == RC_OK && m->missing.n)
        uidset_intersect(&m->missing, &there);
    if (rc == RC_OK && m->missing.n) {
        raise_modseq(m);
        rc = messages_delete(m->f, &m->missing, e);
    }
    uidset_deinit(&there);
    return rc;
}

static void remember_times(struct merge *m)
{
    struct folder *f = m->f;
    f->new_time_ns = m->new_time_ns;
    f->dirty &= ~(unsigned)DIRTY_NEW;
    if (!m->stable || !settled(m->new_time_ns))
        f->dirty |= DIRTY_NEW;
    if (!m->full)
        return;
    f->cur_time_ns = m->cur_time_ns;
    f->dirty &= ~(unsigned)(DIRTY_CUR | OWN_CUR);
    if (!m->stable || !settled(m->cur_time_ns) || m->missing_deferred)
        f->dirty |= DIRTY_CUR;
}

/* Whether what the uidlist numbers and the scan did not find is gone: the scan came after the uidlist, and
 * nobody renamed anything meanwhile. */
static bool saw_all(const struct merge *m)
{
    int64_t changed = m->new_time_ns > m->cur_time_ns ? m->new_time_ns : m->cur_time_ns;
    bool after = m->locked || m->f->uidlist.mtime_ns + DIRTY_SECONDS * 1000000000LL < m->begun_ns;
    return m->full && m->stable && after && changed + CLOCK_GRAIN_US * 1000LL < m->begun_ns;
}

/* All differences, inside the transaction. */
static enum rc apply(struct merge *m, struct uidlist_file *u, struct numbering *plan, struct err *e)
{
    struct folder *f = m->f;
    bool locked = dotlock_held(m->lock);
    enum rc rc = keywords_merge(f, e);
    for (size_t i = 0; i < m->n_changed && rc == RC_OK; i++)
        rc = apply_changed(m, &m->scan.v[m->changed[i]], e);
    if (rc == RC_OK)
        rc = apply_missing(m, e);
    if (rc == RC_OK && numbering_has_any(plan)) {
        raise_modseq(m);
        rc = numbering_carry_out(plan, e);
    }
    if (rc == RC_OK && m->touched.n)
        rc = chunk_touch(f, &m->touched, e);
    if (rc == RC_OK)
        rc = keywords_name_letters(f, m->letters | plan->letters, e);
    if (rc == RC_OK && (locked || m->n_newcomer == 0))
        remember_times(m);
    if (rc == RC_OK && locked)
        rc = uidlist_file_save(f, u, plan->first, e);
    return rc;
}

/* The UIDs first: when the uidlist has messages that the scan has not, nothing is done and *ret_behind set,
 * because what would be numbered now would overtake them. */
static enum rc number_and_apply(struct merge *m, struct uidlist_file *u, bool *ret_behind, struct err *e)
{
    struct numbering plan = {.f = m->f, .uidlist = u, .missing = &m->missing};
    enum rc rc = RC_OK;
    if (dotlock_held(m->lock))
        rc = numbering_plan(&plan, &m->scan, m->newcomer, m->n_newcomer, e);
    m->stable &= !plan.renamed;
    *ret_behind = rc == RC_OK && !m->last && !numbering_is_complete(&plan) && !saw_all(m);
    if (rc == RC_OK && !*ret_behind)
        rc = apply(m, u, &plan, e);
    numbering_deinit(&plan);
    return rc;
}

/* Takes the lock when it is needed; then what a crash left undone is done. */
static enum rc take_lock(struct merge *m, bool *ret_again, struct err *e)
{
    enum rc rc = RC_OK;
    if (!dotlock_held(m->lock) && (m->n_newcomer || m->lock_wanted))
        rc = dotlock_take(&m->f->st->lock_file, m->f->fd, "dovecot-uidlist", m->lock, e);
    if (rc != RC_OK && rc != RC_PERM) /* a read-only folder shows what is known of it */
        return rc;
    return dotlock_held(m->lock) ? one_change_finish(m->f, ret_again, e) : RC_OK;
}

/* Whether the index has nothing of the mailbox yet. */
static bool is_first(const struct merge *m)
{
    return dotlock_held(m->lock) && m->f->uidlist.ino == 0;
}

static enum rc begin(struct merge *m, struct err *e)
{
    struct folder *f = m->f;
    bool durable = !is_first(m);
    enum rc rc = folder_begin(f, durable, e);
    if (rc == RC_OK && !durable && !is_first(m)) { /* the row was behind */
        folder_rollback(f);
        rc = folder_begin(f, true, e);
    }
    if (rc != RC_OK || !is_first(m))
        return rc;
    modseq before = f->modseq;
    rc = folder_begin_history(f, e);
    m->counted = f->modseq > before;
    return rc == RC_OK ? RC_OK : folder_end(f, rc, e);
}

/* RC_INVALID is damage; *ret_again: the mailbox is numbered anew, files came, or the scan is behind the
 * uidlist, and all must be compared once more. */
static enum rc apply_in_transaction(struct merge *m, bool *ret_again, struct err *e)
{
    struct uidlist_file u = {0};
    struct folder *f = m->f;
    uint32_t uidvalidity = f->uidvalidity;
    bool behind = false;
    enum rc rc = take_lock(m, ret_again, e);
    if (rc != RC_OK || *ret_again)
        return rc;
    rc = index_check(f->st, e);
    if (rc == RC_OK)
        rc = begin(m, e);
    if (rc != RC_OK)
        return rc;
    if (dotlock_held(m->lock))
        rc = uidlist_file_refresh(f, &u, m->suspicious, e);
    u.verified = m->suspicious && f->uidvalidity == uidvalidity;
    if (rc == RC_OK && u.verified)
        rc = messages_verify(f, e);
    if (rc == RC_OK && dotlock_held(m->lock) && f->uidvalidity == uidvalidity &&
        UINT32_MAX - f->uidnext < m->n_newcomer)
        rc = uidlist_file_renumber(f, e);
    *ret_again = rc == RC_OK && f->uidvalidity != uidvalidity;
    if (rc == RC_OK && !*ret_again)
        rc = number_and_apply(m, &u, &behind, e);
    uidlist_file_deinit(&u);
    if (!behind)
        return folder_end(f, rc, e);
    *ret_again = true;
    folder_rollback(f);
    return folder_reload(f, e);
}

static enum rc merge_once(struct merge *m, enum merge_when when, bool *ret_again, struct err *e)
{
    *ret_again = false;
    enum rc rc = RC_OK;
    if (look(m, when)) {
        rc = read_dirs(m, &m->scan, e);
        if (rc == RC_OK && !m->full) {
            rc = compare_new(m, e);
            *ret_again = m->full; /* something left new/ */
        } else if (rc == RC_OK) {
            rc = compare_full(m, e);
            if (rc == RC_OK)
                rc = confirm_missing(m, e);
        }
        if (rc == RC_OK && !*ret_again)
            rc = apply_in_transaction(m, ret_again, e);
        if (m->full && when == MERGE_OPEN)
            folder_clean_tmp(m->f);
    }
    return rc;
}

enum rc folder_merge_locked(struct folder *f, enum merge_when when, struct dotlock *lock, struct err *e)
{
    bool again = true;
    enum rc rc = RC_OK;
    for (int round = 1; round <= ROUNDS_MAX && again && rc == RC_OK; round++) {
        struct merge m;
        merge_init(&m, f, lock, round == ROUNDS_MAX);
        rc = merge_once(&m, round == 1 ? when : MERGE_FORCE, &again, e);
        merge_deinit(&m);
    }
    return rc;
}

enum rc folder_merge(struct folder *f, enum merge_when when, struct err *e)
{
    AUTO(dotlock_drop) struct dotlock lock = DOTLOCK_INIT;
    return folder_merge_locked(f, when, &lock, e);
}
