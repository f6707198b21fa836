/* Rows of the table `alias`: one per target. */
#include "account/db_schema.h"

enum rc alias_add(struct account_db *db, str address, str target, struct err *e)
{
    struct address_key from, to;
    enum rc rc = account_key(address, &from, e);
    if (rc == RC_OK)
        rc = account_key(target, &to, e);
    if (rc == RC_OK && address_domain(&from).n == 0)
        rc = err_set(e, RC_PERM, 0, "", "the alias '%s' has no domain; write it as name@domain or @domain",
                     from.text);
    if (rc == RC_OK)
        rc = account_db_begin(db, e);
    if (rc != RC_OK)
        return rc;
    /* a local part of another server keeps its case */
    str kept = address_domain(&to).n > 0 && address_local(&to).n > 0 ? target : address_text(&to);
    rc = db_run(db->db, e, "INSERT INTO alias (address, domain, target) VALUES (?1, ?2, ?3)",
                DB_T(address_text(&from)), DB_T(address_domain(&from)), DB_T(kept));
    if (rc == RC_PERM)
        err_set(e, RC_PERM, 0, "", "the alias %s to " STR_FMT " is there already", from.text, STR_ARG(kept));
    return account_db_end(db, rc, e);
}

enum rc alias_del(struct account_db *db, str address, str target, struct err *e)
{
    struct address_key from;
    enum rc rc = account_key(address, &from, e);
    if (rc == RC_OK)
        rc = account_db_begin(db, e);
    if (rc != RC_OK)
        return rc;
    rc = db_run(db->db, e, "DELETE FROM alias WHERE address = ?1 AND (?2 = '' OR target = ?2 COLLATE NOCASE)",
                DB_T(address_text(&from)), DB_T(target));
    if (rc == RC_OK && db_changes(db->db) == 0)
        rc = err_set(e, RC_GONE, 0, "", "there is no such alias of %s; see malle alias list", from.text);
    return account_db_end(db, rc, e);
}

/* Reads all rows of q into an array of the arena. */
static enum rc read_targets(struct db_stmt *q, size_t max, struct arena *a, str **ret, size_t *ret_n,
                            struct err *e)
{
    enum rc rc;
    size_t n = 0;
    str *targets = NULL;
    while ((rc = db_step(q, e)) == RC_OK) {
        if (n >= max)
            return RC_LIMIT;
        if ((n & (n - 1)) == 0 && (n == 0 || n >= 8))
            targets = arena_grow(a, targets, n, sizeof *targets);
        if (targets)
            targets[n++] = arena_str(a, db_text(q, 0));
        if (arena_exhausted(a))
            return RC_LIMIT;
    }
    if (rc != RC_GONE || n == 0)
        return rc;
    *ret = targets;
    *ret_n = n;
    return RC_OK;
}

enum rc alias_find(struct account_db *db, const struct address_key *key, size_t max, struct arena *a,
                   str **ret, size_t *ret_n, struct err *e)
{
    struct db_stmt *q = NULL;
    account_db_lock(db);
    enum rc rc = db_query(db->db, &q, e, "SELECT target FROM alias WHERE address = ?1 ORDER BY target",
                          DB_T(address_text(key)));
    if (rc == RC_OK)
        rc = read_targets(q, max, a, ret, ret_n, e);
    db_done(&q);
    account_db_unlock(db);
    return rc;
}

enum rc alias_each(struct account_db *db, str domain, void (*fn)(void *ctx, str address, str target),
                   void *ctx, struct err *e)
{
    struct db_stmt *q = NULL;
    account_db_lock(db);
    enum rc rc =
        db_query(db->db, &q, e,
                 "SELECT address, target FROM alias WHERE ?1 = '' OR domain = ?1 ORDER BY address, target",
                 DB_T(domain));
    while (rc == RC_OK && (rc = db_step(q, e)) == RC_OK)
        fn(ctx, db_text(q, 0), db_text(q, 1));
    db_done(&q);
    account_db_unlock(db);
    return rc == RC_GONE ? RC_OK : rc;
}
