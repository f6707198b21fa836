/* merge: takes what others did to a folder (deliveries, renames, deletions) into the index.
 *
 * Nothing is read while the times of new/ and cur/ are the known ones. Otherwise their names are compared
 * with the rows, and the differences are applied in one transaction, in which each is looked at again,
 * because other sessions may have been faster. readdir misses names while others rename, so a name that is
 * missing is believed only when both folders were still during the scan and for 2 seconds before, and a
 * second scan misses it too. */
#include "fmt/maildir_name.h"
#include "store/scan.h"
#include "store/store_priv.h"

#include <fcntl.h>

enum { FUTURE_SECONDS = 60, ROUNDS_MAX = 4, PATH_BYTES = 600 };

_Static_assert((int)MAILDIR_DRAFT == FLAG_DRAFT && (int)MAILDIR_TRASHED == FLAG_DELETED,
               "flags are those of names");

struct merge {
    struct folder *f;
    struct scan scan;
    bool full, stable;                /* cur/ was read as well; nothing changed meanwhile */
    bool lock_wanted;                 /* new files, or the uidlist changed */
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
    uid32 highest; /* UID in the index before */
};

static void merge_init(struct merge *m, struct folder *f)
{
    *m = (struct merge){.f = f};
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

/* The row of a base: RC_GONE when there is none. */
static enum rc find_row(const struct merge *m, str base, struct db_stmt **ret, struct err *e)
{
    enum rc rc = db_query(m->f->st->db, ret, e,
                          "SELECT key, info, in_new, flags, keywords FROM file JOIN message USING (key)"
                          " WHERE base = ?1 AND key BETWEEN ?2 AND ?3",
                          DB_T(base), DB_I(index_key(m->f->id, 0)), DB_I(index_key(m->f->id, UINT32_MAX)));
    return rc == RC_OK ? db_step(*ret, e) : rc;
}

/* Only new/ was read: look up each name, and see whether any that was there has left. */
static enum rc compare_new(struct merge *m, struct err *e)
{
    int64_t known = 0, here = 0;
    for (size_t i = 0; i < m->scan.n; i++) {
        AUTO(db_done) struct db_stmt *q = NULL;
        const struct scan_entry *x = &m->scan.v[i];
        enum rc rc = find_row(m, scan_base(x), &q, e);
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

static bool entry_exists(const struct merge *m, const struct scan_entry *x, struct stat *ret)
{
    struct buf path = BUF_INIT(PATH_BYTES);
    file_path(&path, x->in_new, scan_base(x), scan_info(x));
    bool there = fstatat(m->f->fd, buf_cstr(&path), ret, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(ret->st_mode);
    buf_deinit(&path);
    return there;
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
    if (!(new->flags &FLAG_SEEN) && new->uid < f->unseen_floor)
        f->unseen_floor = new->uid;
    return db_run(f->st->db, e, "UPDATE message SET flags = ?2, keywords = ?3, modseq = ?4 WHERE key = ?1",
                  DB_I(index_key(f->id, new->uid)), DB_I(new->flags), DB_I(new->keywords), DB_I(f->modseq));
}

/* Another program renamed the file: the flags that it changed win, the others stay as the row has them. */
static enum rc apply_changed(struct merge *m, const struct scan_entry *x, struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    struct maildir_name before = {0}, after = {0};
    struct stat st;
    enum rc rc = find_row(m, scan_base(x), &q, e);
    if (rc != RC_OK)
        return rc == RC_GONE ? RC_OK : rc;
    if ((db_int(q, 2) != 0) == x->in_new && str_eq(db_text(q, 1), scan_info(x)))
        return RC_OK;
    if (!entry_exists(m, x, &st)) {
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

/* The UID that the uidlist gives a newcomer, or 0 for a new one. A UID below one that clients have seen, or
 * that they saw vanish, is not given again (RFC 9051 §2.3.1.1). */
static enum rc known_uid(struct merge *m, const struct uidlist_entry *u, uid32 *ret, struct err *e)
{
    int64_t gone = 0;
    *ret = 0;
    if (!u || u->uid <= m->highest)
        return RC_OK;
    enum rc rc = db_get_int(m->f->st->db, &gone, e,
                            "SELECT count(*) FROM expunged WHERE mailbox = ?1 AND ?2 BETWEEN first AND last",
                            DB_I(m->f->id), DB_I(u->uid));
    if (rc == RC_OK && gone == 0)
        *ret = u->uid;
    return rc;
}

static enum rc fill_newcomer(struct merge *m, const struct uidlist_file *u, const struct scan_entry *x,
                             const struct stat *st, struct newcomer *ret, struct err *e)
{
    struct maildir_name name = {0};
    const struct uidlist_entry *known = uidlist_file_find(u, scan_base(x));
    enum rc rc = maildir_name_parse(str_mem(x->name, x->name_n), &name);
    must(rc == RC_OK);
    *ret = (struct newcomer){
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
        ret->size = (int64_t)name.crlf_size;
    else if (known && known->crlf_size >= 0)
        ret->size = known->crlf_size;
    m->letters |= name.keywords;
    return known_uid(m, known, &ret->uid, e);
}

static int by_name(const void *a, const void *b, void *scan)
{
    const struct scan *s = scan;
    const struct scan_entry *x = &s->v[*(const size_t *)a], *y = &s->v[*(const size_t *)b];
    return str_cmp(scan_base(x), scan_base(y));
}

static enum rc apply_newcomers(struct merge *m, const struct uidlist_file *u, struct err *e)
{
    struct newcomer *v = calloc(m->n_newcomer + 1, sizeof *v);
    bool was_empty = m->f->messages == 0;
    size_t n = 0;
    enum rc rc = RC_OK;
    must(v);
    if (m->n_newcomer)
        qsort_r(m->newcomer, m->n_newcomer, sizeof *m->newcomer, by_name, &m->scan);
    for (size_t i = 0; i < m->n_newcomer && rc == RC_OK; i++) {
        AUTO(db_done) struct db_stmt *q = NULL;
        const struct scan_entry *x = &m->scan.v[m->newcomer[i]];
        struct stat st;
        /* another session may have been faster */
        rc = was_empty ? RC_GONE : find_row(m, scan_base(x), &q, e);
        if (rc == RC_GONE)
            rc = entry_exists(m, x, &st) ? fill_newcomer(m, u, x, &st, &v[n++], e) : RC_OK;
    }
    if (rc == RC_OK && n) {
        raise_modseq(m);
        rc = messages_insert(m->f, v, n, e);
    }
    free(v);
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

/* All differences, inside the transaction. */
static enum rc apply(struct merge *m, struct uidlist_file *u, bool locked, struct err *e)
{
    struct folder *f = m->f;
    uid32 first = f->uidnext;
    int64_t highest = 0;
    enum rc rc = keywords_merge(f, e);
    if (rc == RC_OK)
        rc = db_get_int(f->st->db, &highest, e,
                        "SELECT ifnull(max(key), 0) FROM file WHERE key BETWEEN ?1 AND ?2",
                        DB_I(index_key(f->id, 0)), DB_I(index_key(f->id, UINT32_MAX)));
    m->highest = (uid32)highest;
    for (size_t i = 0; i < m->n_changed && rc == RC_OK; i++)
        rc = apply_changed(m, &m->scan.v[m->changed[i]], e);
    if (rc == RC_OK)
        rc = apply_missing(m, e);
    if (rc == RC_OK && locked)
        rc = apply_newcomers(m, u, e);
    if (rc == RC_OK && m->touched.n)
        rc = chunk_touch(f, &m->touched, e);
    if (rc == RC_OK)
        rc = keywords_name_letters(f, m->letters, e);
    if (rc == RC_OK && (locked || m->n_newcomer == 0))
        remember_times(m);
    if (rc == RC_OK && locked)
        rc = uidlist_file_save(f, u, first, e);
    return rc;
}

/* RC_INVALID is damage; *ret_again: the mailbox is numbered anew or files came, and must be compared once
 * more. */
static enum rc apply_in_transaction(struct merge *m, bool *ret_again, struct err *e)
{
    AUTO(dotlock_drop) struct dotlock lock = DOTLOCK_INIT;
    struct uidlist_file u = {0};
    struct folder *f = m->f;
    uint32_t uidvalidity = f->uidvalidity;
    enum rc rc = RC_OK;
    if (m->n_newcomer || m->lock_wanted)
        rc = dotlock_take(&f->st->lock_file, f->fd, "dovecot-uidlist", &lock, e);
    if (rc != RC_OK && rc != RC_PERM) /* a read-only folder shows what is known of it */
        return rc;
    rc = dotlock_held(&lock) ? one_change_finish(f, ret_again, e) : RC_OK;
    if (rc != RC_OK || *ret_again)
        return rc;
    rc = index_check(f->st, e);
    if (rc == RC_OK)
        rc = folder_begin(f, true, e);
    if (rc != RC_OK)
        return rc;
    if (dotlock_held(&lock))
        rc = uidlist_file_refresh(f, &u, m->suspicious, e);
    if (rc == RC_OK && m->suspicious && f->uidvalidity == uidvalidity)
        rc = messages_verify(f, e);
    if (rc == RC_OK && dotlock_held(&lock) && f->uidvalidity == uidvalidity &&
        UINT32_MAX - f->uidnext < m->n_newcomer)
        rc = uidlist_file_renumber(f, e);
    *ret_again = rc == RC_OK && f->uidvalidity != uidvalidity;
    if (rc == RC_OK && !*ret_again)
        rc = apply(m, &u, dotlock_held(&lock), e);
    rc = folder_end(f, rc, e);
    uidlist_file_deinit(&u);
    return rc;
}

static enum rc merge_once(struct folder *f, enum merge_when when, bool *ret_again, struct err *e)
{
    struct merge m;
    merge_init(&m, f);
    *ret_again = false;
    enum rc rc = RC_OK;
    if (look(&m, when)) {
        rc = read_dirs(&m, &m.scan, e);
        if (rc == RC_OK && !m.full) {
            rc = compare_new(&m, e);
            *ret_again = m.full; /* something left new/ */
        } else if (rc == RC_OK) {
            rc = compare_full(&m, e);
            if (rc == RC_OK)
                rc = confirm_missing(&m, e);
        }
        if (rc == RC_OK && !*ret_again)
            rc = apply_in_transaction(&m, ret_again, e);
        if (m.full && when == MERGE_OPEN)
            folder_clean_tmp(f);
    }
    merge_deinit(&m);
    return rc;
}

enum rc folder_merge(struct folder *f, enum merge_when when, struct err *e)
{
    bool again = true;
    enum rc rc = RC_OK;
    for (int round = 0; round < ROUNDS_MAX && again && rc == RC_OK; round++)
        rc = merge_once(f, round == 0 ? when : MERGE_FORCE, &again, e);
    return rc;
}
