/* Rows of the table `domain`: domains beside those of the configuration. */
#include "account/db_schema.h"
#include "base/clock.h"
#include "fmt/idn.h"

enum rc domain_key(str domain, struct buf *ret, struct err *e)
{
    enum rc rc = str_starts(domain, S("[")) ? RC_INVALID : address_put_domain(domain, ret);
    if (rc != RC_OK)
        err_set(e, rc, 501, "5.1.2", "'" STR_FMT "' is no domain name", STR_ARG(domain));
    return rc;
}

enum rc domain_add(struct account_db *db, str domain, struct err *e)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(DOMAIN_MAX);
    enum rc rc = domain_key(domain, &name, e);
    if (rc == RC_OK)
        rc = account_db_begin(db, e);
    if (rc != RC_OK)
        return rc;
    rc = db_run(db->db, e, "INSERT INTO domain (name, created) VALUES (?1, ?2)", DB_T(buf_str(&name)),
                DB_I(clock_seconds()));
    if (rc == RC_PERM)
        err_set(e, RC_PERM, 0, "", "the domain %s is there already", buf_cstr(&name));
    return account_db_end(db, rc, e);
}

static enum rc del_locked(struct account_db *db, struct buf *name, struct err *e)
{
    int64_t used = 0;
    enum rc rc = db_get_int(db->db, &used, e,
                            "SELECT (SELECT count(*) FROM account WHERE domain = ?1) + "
                            "(SELECT count(*) FROM alias WHERE domain = ?1) + "
                            "(SELECT count(*) FROM mask WHERE domain = ?1)",
                            DB_T(buf_str(name)));
    if (rc == RC_OK && used > 0)
        return err_set(e, RC_PERM, 0, "", "the domain %s still has accounts or aliases; delete them first",
                       buf_cstr(name));
    if (rc == RC_OK)
        rc = db_run(db->db, e, "DELETE FROM domain WHERE name = ?1", DB_T(buf_str(name)));
    if (rc == RC_OK && db_changes(db->db) == 0)
        rc = err_set(e, RC_GONE, 0, "", "there is no domain %s; see malle domain list", buf_cstr(name));
    return rc;
}

enum rc domain_del(struct account_db *db, str domain, struct err *e)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(DOMAIN_MAX);
    enum rc rc = domain_key(domain, &name, e);
    if (rc == RC_OK)
        rc = account_db_begin(db, e);
    if (rc == RC_OK)
        rc = account_db_end(db, del_locked(db, &name, e), e);
    return rc;
}

enum rc domain_find(struct account_db *db, str domain, struct err *e)
{
    int64_t found = 0;
    AUTO(buf_deinit) struct buf name = BUF_INIT(DOMAIN_MAX);
    enum rc rc = domain_key(domain, &name, e);
    if (rc != RC_OK)
        return rc;
    account_db_lock(db);
    rc = db_get_int(db->db, &found, e, "SELECT 1 FROM domain WHERE name = ?1", DB_T(buf_str(&name)));
    account_db_unlock(db);
    return rc;
}

enum rc domain_set_quota(struct account_db *db, str domain, const struct account_quota *quota, struct err *e)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(DOMAIN_MAX);
    enum rc rc = domain_key(domain, &name, e);
    if (rc == RC_OK)
        rc = account_db_begin(db, e);
    if (rc != RC_OK)
        return rc;
    if (quota->bytes || quota->messages)
        rc = db_run(db->db, e, "INSERT OR REPLACE INTO domain_quota VALUES (?1, ?2, ?3)",
                    DB_T(buf_str(&name)), DB_I(quota->bytes), DB_I(quota->messages));
    else
        rc = db_run(db->db, e, "DELETE FROM domain_quota WHERE name = ?1", DB_T(buf_str(&name)));
    return account_db_end(db, rc, e);
}

enum rc domain_find_quota(struct account_db *db, str domain, struct account_quota *ret, struct err *e)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(DOMAIN_MAX);
    AUTO(db_done) struct db_stmt *q = NULL;
    *ret = (struct account_quota){0};
    enum rc rc = domain_key(domain, &name, e);
    if (rc != RC_OK)
        return rc;
    account_db_lock(db);
    rc = db_query(db->db, &q, e, "SELECT bytes, messages FROM domain_quota WHERE name = ?1",
                  DB_T(buf_str(&name)));
    if (rc == RC_OK)
        rc = db_step(q, e);
    if (rc == RC_OK)
        *ret = (struct account_quota){db_int(q, 0), db_int(q, 1)};
    db_done(&q);
    account_db_unlock(db);
    return rc == RC_GONE ? RC_OK : rc;
}

enum rc domain_each(struct account_db *db, void (*fn)(void *ctx, str domain, int64_t created), void *ctx,
                    struct err *e)
{
    struct db_stmt *q = NULL;
    account_db_lock(db);
    enum rc rc = db_query(db->db, &q, e, "SELECT name, created FROM domain WHERE name <> ?1 ORDER BY name",
                          DB_T(S("")));
    while (rc == RC_OK && (rc = db_step(q, e)) == RC_OK)
        fn(ctx, db_text(q, 0), db_int(q, 1));
    db_done(&q);
    account_db_unlock(db);
    return rc == RC_GONE ? RC_OK : rc;
}
