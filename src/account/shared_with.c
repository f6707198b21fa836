/* The table shared_with. */
#include "account/shared_with.h"

#include "account/db_schema.h"

/* --- called with the lock held --- */

static bool is_among(const str *v, size_t n, str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(v[i], name))
            return true;
    return false;
}

/* Whether the table says just that: most sessions have nothing new to say. */
static enum rc is_known(struct account_db *d, str owner, const str *users, size_t n, bool *ret, struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    size_t known = 0;
    enum rc rc = db_query(d->db, &q, e, "SELECT user FROM shared_with WHERE owner = ?1", DB_T(owner));
    *ret = true;
    while (rc == RC_OK && (rc = db_step(q, e)) == RC_OK) {
        *ret = *ret && is_among(users, n, db_text(q, 0));
        known++;
    }
    *ret = *ret && known == n;
    return rc == RC_GONE ? RC_OK : rc;
}

static enum rc replace(struct account_db *d, str owner, const str *users, size_t n, struct err *e)
{
    enum rc rc = db_run(d->db, e, "DELETE FROM shared_with WHERE owner = ?1", DB_T(owner));
    for (size_t i = 0; i < n && rc == RC_OK; i++)
        rc = db_run(d->db, e, "INSERT OR IGNORE INTO shared_with VALUES (?1, ?2)", DB_T(users[i]),
                    DB_T(owner));
    return rc;
}

/* --- */

enum rc shared_with_set(struct account_db *d, str owner, const str *users, size_t n, struct err *e)
{
    bool known = false;
    account_db_lock(d);
    enum rc rc = is_known(d, owner, users, n, &known, e);
    if (rc == RC_OK && !known && (rc = db_begin(d->db, false, e)) == RC_OK)
        rc = db_end(d->db, replace(d, owner, users, n, e), e);
    account_db_unlock(d);
    return rc;
}

enum rc shared_with_find(struct account_db *d, str user, size_t max, struct arena *a, str **ret,
                         size_t *ret_n, struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    str *v = arena_array(a, max, sizeof *v);
    size_t n = 0;
    if (!v)
        return RC_LIMIT;
    account_db_lock(d);
    enum rc rc =
        db_query(d->db, &q, e,
                 "SELECT DISTINCT owner FROM shared_with WHERE user IN (?1, 'anyone') AND owner <> ?1"
                 " ORDER BY owner LIMIT ?2",
                 DB_T(user), DB_I(max));
    while (rc == RC_OK && n < max && (rc = db_step(q, e)) == RC_OK)
        v[n++] = arena_str(a, db_text(q, 0));
    db_done(&q);
    account_db_unlock(d);
    if (rc != RC_OK && rc != RC_GONE)
        return rc;
    *ret = v;
    *ret_n = n;
    return RC_OK;
}

enum rc shared_with_forget(struct account_db *d, str account, struct err *e)
{
    return db_run(d->db, e, "DELETE FROM shared_with WHERE owner = ?1 OR user = ?1", DB_T(account));
}
