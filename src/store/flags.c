/* flags: STORE as one transaction over ranges of UIDs, whatever their number; the counters follow from one
 * aggregate before it. File names are behind until the session closes (table pending). */
#include "store/store_priv.h"

#include "fmt/maildir_name.h"

/* What becomes of a row: flags = flags & keep | add, and the same for keywords. */
struct flag_sql {
    int64_t flag_keep, flag_add, keyword_keep, keyword_add;
    int64_t since; /* rows with a greater modseq are left alone */
};

#define NEW_FLAGS    "(flags & ?3 | ?4)"
#define NEW_KEYWORDS "(keywords & ?5 | ?6)"
#define CHANGES      "(" NEW_FLAGS " <> flags OR " NEW_KEYWORDS " <> keywords)"
#define SQL_ARGS(s)  DB_I((s)->flag_keep), DB_I((s)->flag_add), DB_I((s)->keyword_keep), DB_I((s)->keyword_add)

/* Flags and keywords outside of what may be changed stay as they are. */
static struct flag_sql plan(const struct flag_change *c, unsigned flags, uint64_t keywords, unsigned rights)
{
    const unsigned others = MAILDIR_FLAGS & ~store_flags_of(rights);
    struct flag_sql s = {.since = c->unchanged_since > INT64_MAX ? INT64_MAX : (int64_t)c->unchanged_since};
    s.flag_keep = c->op == FLAGS_REPLACE ? 0 : c->op == FLAGS_REMOVE ? ~(int64_t)flags : -1;
    s.keyword_keep = c->op == FLAGS_REPLACE ? 0 : c->op == FLAGS_REMOVE ? (int64_t)~keywords : -1;
    s.flag_add = c->op == FLAGS_REMOVE ? 0 : flags;
    s.keyword_add = c->op == FLAGS_REMOVE ? 0 : (int64_t)keywords;
    s.flag_keep |= others;
    s.flag_add &= ~(int64_t)others;
    if (!(rights & ACL_W)) {
        s.keyword_keep = -1;
        s.keyword_add = 0;
    }
    return s;
}

static enum rc find_failed(struct folder *f, struct uidrange r, const struct flag_sql *s,
                           struct uidset *failed, struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    enum rc rc =
        db_query(f->st->db, &q, e, "SELECT key FROM message WHERE key BETWEEN ?1 AND ?2 AND modseq > ?3",
                 DB_I(index_key(f->id, r.first)), DB_I(index_key(f->id, r.last)), DB_I(s->since));
    while (rc == RC_OK && (rc = db_step(q, e)) == RC_OK)
        uidset_add(failed, (uid32)db_int(q, 0), (uid32)db_int(q, 0));
    return rc == RC_GONE ? RC_OK : rc;
}

/* Counters after the change; *ret_n is the number of rows that it changes. */
static enum rc count_change(struct folder *f, struct uidrange r, const struct flag_sql *s, int64_t *ret_n,
                            struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    enum rc rc = db_query(f->st->db, &q, e,
                          "SELECT count(*), total(flags & 16 <> 0) - total(" NEW_FLAGS " & 16 <> 0),"
                          " total(" NEW_FLAGS " & 32 <> 0) - total(flags & 32 <> 0)"
                          " FROM message WHERE key BETWEEN ?1 AND ?2 AND modseq <= ?7 AND " CHANGES,
                          DB_I(index_key(f->id, r.first)), DB_I(index_key(f->id, r.last)), SQL_ARGS(s),
                          DB_I(s->since));
    if (rc == RC_OK)
        rc = db_step(q, e);
    if (rc != RC_OK)
        return rc;
    *ret_n = db_int(q, 0);
    f->unseen = (uint32_t)((int64_t)f->unseen + db_int(q, 1));
    f->deleted = (uint32_t)((int64_t)f->deleted + db_int(q, 2));
    return RC_OK;
}

static enum rc change_range(struct folder *f, struct uidrange r, const struct flag_sql *s, int64_t *n,
                            struct err *e)
{
    int64_t changed = 0;
    enum rc rc = count_change(f, r, s, &changed, e);
    if (rc != RC_OK || changed == 0)
        return rc;
    *n += changed;
    rc = db_run(f->st->db, e,
                "UPDATE message SET modseq = ?8, flags = " NEW_FLAGS ", keywords = " NEW_KEYWORDS
                " WHERE key BETWEEN ?1 AND ?2 AND modseq <= ?7 AND " CHANGES,
                DB_I(index_key(f->id, r.first)), DB_I(index_key(f->id, r.last)), SQL_ARGS(s), DB_I(s->since),
                DB_I(f->modseq + 1));
    if (rc == RC_OK)
        rc = db_run(f->st->db, e, "INSERT OR IGNORE INTO pending VALUES (?1, ?2, ?3)", DB_I(f->id),
                    DB_I(r.first), DB_I(r.last));
    return rc;
}

/* Inside the transaction; *ret_n is the number of changed rows. */
static enum rc change_all(struct folder *f, const struct uidset *uids, const struct flag_change *c,
                          unsigned rights, struct uidset *failed, int64_t *ret_n, bool locked, struct err *e)
{
    uint64_t keywords = 0;
    bool missing;
    enum rc rc = locked ? keywords_merge(f, e) : RC_OK;
    if (rc == RC_OK)
        rc = keywords_bits(f, c->keywords, c->n_keywords, locked, &keywords, &missing, e);
    if (rc != RC_OK)
        return rc;
    struct flag_sql s = plan(c, c->flags & MAILDIR_FLAGS, keywords, rights);
    for (size_t i = 0; i < uids->n && rc == RC_OK; i++) {
        if (failed && c->unchanged_since != UINT64_MAX)
            rc = find_failed(f, uids->r[i], &s, failed, e);
        if (rc == RC_OK)
            rc = change_range(f, uids->r[i], &s, ret_n, e);
    }
    if (rc == RC_OK && *ret_n) {
        f->modseq++;
        rc = chunk_touch(f, uids, e);
    }
    return rc;
}

/* A name that the mailbox does not have yet must be made under the uidlist's lock. */
static enum rc lock_for_keywords(struct box *b, const struct flag_change *c, struct dotlock *lock,
                                 struct err *e)
{
    uint64_t bits;
    bool missing = false;
    if (c->op == FLAGS_REMOVE || c->n_keywords == 0)
        return RC_OK;
    enum rc rc = keywords_bits(&b->f, c->keywords, c->n_keywords, false, &bits, &missing, e);
    return rc == RC_OK && missing ? dotlock_take(&b->f.st->lock_file, b->f.fd, "dovecot-uidlist", lock, e)
                                  : rc;
}

enum rc box_find_flags(struct box *b, const struct uidset *among, unsigned flags, uint64_t keywords,
                       bool none, struct uidset *ret, struct err *e)
{
#define FIND  "SELECT key FROM message WHERE key BETWEEN ?1 AND ?2 AND "
#define FLAGS FIND "?4 = 0 AND flags & ?3 " /* the first of them is looked at once, not for each row */
#define BOTH  FIND "((flags & ?3) | (keywords & ?4)) "
    static const char *const sql[2][2] = {{FLAGS "<> 0 ORDER BY key", FLAGS "= 0 ORDER BY key"},
                                          {BOTH "<> 0 ORDER BY key", BOTH "= 0 ORDER BY key"}};
    static const char unseen[] = FIND "?3 = 16 AND ?4 = 0 AND flags & 16 = 0 ORDER BY key";
    bool by_index = flags == FLAG_SEEN && keywords == 0 && none;
    enum rc rc = index_check(b->f.st, e);
    if (rc == RC_OK)
        rc = folder_need(b->f.st, b->f.fd, ACL_R, e);
    for (size_t i = 0; i < among->n && rc == RC_OK; i++) {
        AUTO(db_done) struct db_stmt *q = NULL;
        struct uidrange r = among->r[i];
        rc = db_query(b->f.st->db, &q, e, by_index ? unseen : sql[keywords != 0][none],
                      DB_I(index_key(b->f.id, r.first)), DB_I(index_key(b->f.id, r.last)), DB_I(flags),
                      DB_I(keywords));
        while (rc == RC_OK && (rc = db_step(q, e)) == RC_OK)
            uidset_add(ret, (uid32)db_int(q, 0), (uid32)db_int(q, 0));
        rc = rc == RC_GONE ? RC_OK : rc;
    }
    return index_result(b->f.st, rc, e);
}

/* What others changed, and this session was not told yet, would hide behind its own silent change. */
static enum rc keep_untold(struct box *b, const struct uidset *uids, struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    if (b->f.modseq == b->told)
        return RC_OK;
    enum rc rc = changed_query(b, b->told, &q, e);
    while (rc == RC_OK && (rc = db_step(q, e)) == RC_OK) {
        uid32 uid = (uid32)db_int(q, 0);
        if (uidset_has(uids, uid) && !box_is_silent(b, (modseq)db_int(q, 1)))
            uidset_add(&b->untold, uid, uid);
    }
    return rc == RC_GONE ? RC_OK : rc;
}

static void note_silent(struct box *b)
{
    if (b->n_silent < SILENT_MAX)
        b->silent[b->n_silent++] = b->f.modseq;
}

/* RFC 4314 §4: refused only where nothing of what is named may be changed, since clients do not expect it. */
static enum rc check_rights(unsigned rights, const struct flag_change *c, struct err *e)
{
    bool all = c->op == FLAGS_REPLACE && c->flags == 0 && c->n_keywords == 0;
    bool some = (store_flags_of(rights) & (all ? ~0u : c->flags)) || ((rights & ACL_W) && c->n_keywords > 0);
    return some || rights == ACL_ALL_RIGHTS ? RC_OK : store_not_permitted(e);
}

enum rc box_change_flags(struct box *b, const struct uidset *uids, const struct flag_change *change,
                         bool silent, struct uidset *ret_failed, struct err *e)
{
    unsigned rights = box_rights(b);
    AUTO(dotlock_drop) struct dotlock lock = DOTLOCK_INIT;
    struct uidset mine = {0}, failed = {0};
    int64_t n = 0;
    if (b->read_only)
        return store_refuse(e, "Mailbox is read-only");
    uidset_copy(&mine, uids);
    uidset_intersect(&mine, &b->view);
    enum rc rc = index_check(b->f.st, e);
    if (rc == RC_OK)
        rc = check_rights(rights, change, e);
    if (rc == RC_OK && (rights & ACL_W))
        rc = lock_for_keywords(b, change, &lock, e);
    if (rc == RC_OK)
        rc = folder_begin(&b->f, true, e);
    if (rc == RC_OK) {
        if (silent)
            rc = keep_untold(b, &mine, e);
        if (rc == RC_OK)
            rc = change_all(&b->f, &mine, change, rights, &failed, &n, dotlock_held(&lock), e);
        rc = folder_end(&b->f, rc, e);
    }
    if (rc == RC_OK && n && silent)
        note_silent(b);
    if (rc == RC_OK && ret_failed)
        uidset_copy(ret_failed, &failed);
    uidset_deinit(&mine);
    uidset_deinit(&failed);
    return index_result(b->f.st, rc, e);
}
