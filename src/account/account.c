/* Rows of the table `account`: finding, adding, changing and listing; making what is stored of a password. */
#include "account/db_schema.h"
#include "account/scram_keys.h"
#include "base/clock.h"

#define COLUMNS                                                                                          \
    "address, hash, scram_sha_1, scram_sha_256, quota_bytes, quota_messages, enabled, created, changed," \
    " ifnull(q.bytes, 0), ifnull(q.messages, 0) FROM account LEFT JOIN domain_quota q ON q.name = domain"

static enum rc put_keys(enum crypto_hash hash, str prepared, char *ret, size_t size)
{
    AUTO(buf_wipe) struct buf text = BUF_INIT(PASSWORD_STORED_MAX);
    struct scram_keys keys;
    scram_keys_make(hash, prepared, &keys);
    scram_keys_put(&text, &keys);
    crypto_wipe(&keys, sizeof keys);
    return str_copy(ret, size, buf_str(&text));
}

enum rc account_secret_make(enum password_scheme scheme, str password, struct account_secret *ret,
                            struct err *e)
{
    AUTO(buf_wipe) struct buf prepared = BUF_INIT(4 * PASSWORD_STORED_MAX);
    AUTO(buf_wipe) struct buf hash = BUF_INIT(PASSWORD_STORED_MAX);
    AUTO(account_secret_wipe) struct account_secret made = {0};
    enum rc rc = password_prepare(password, &prepared, e);
    if (rc != RC_OK)
        return rc;
    str p = buf_str(&prepared);
    if (password_hash(scheme, p, &hash) != RC_OK ||
        str_copy(made.hash, sizeof made.hash, buf_str(&hash)) != RC_OK ||
        put_keys(CRYPTO_SHA1, p, made.scram_sha_1, sizeof made.scram_sha_1) != RC_OK ||
        put_keys(CRYPTO_SHA256, p, made.scram_sha_256, sizeof made.scram_sha_256) != RC_OK)
        return err_set(e, RC_LIMIT, 0, "", "the password cannot be hashed; choose a shorter one");
    *ret = made;
    return RC_OK;
}

enum rc account_secret_import(str hash, struct account_secret *ret, struct err *e)
{
    struct scram_keys keys;
    struct account_secret made = {0};
    if (!password_is_stored_form(hash) || str_copy(made.hash, sizeof made.hash, hash) != RC_OK)
        return err_set(e, RC_INVALID, 0, "",
                       "the hash is of no known scheme; give it as {SCHEME}hash or as crypt(3) does");
    if (scram_keys_parse(hash, &keys) == RC_OK)
        memcpy(keys.hash == CRYPTO_SHA1 ? made.scram_sha_1 : made.scram_sha_256, made.hash, sizeof made.hash);
    *ret = made;
    return RC_OK;
}

void account_secret_wipe(struct account_secret *s)
{
    crypto_wipe(s, sizeof *s);
}

static void copy_text(char *dst, size_t size, str text)
{
    if (str_copy(dst, size, text) != RC_OK)
        dst[0] = '\0'; /* longer than anything this program writes: as good as not set */
}

static void read_row(struct db_stmt *q, struct account *ret)
{
    *ret = (struct account){0};
    copy_text(ret->address, sizeof ret->address, db_text(q, 0));
    copy_text(ret->secret.hash, sizeof ret->secret.hash, db_text(q, 1));
    copy_text(ret->secret.scram_sha_1, sizeof ret->secret.scram_sha_1, db_text(q, 2));
    copy_text(ret->secret.scram_sha_256, sizeof ret->secret.scram_sha_256, db_text(q, 3));
    ret->quota = (struct account_quota){db_int(q, 4), db_int(q, 5)};
    ret->enabled = db_int(q, 6) != 0;
    ret->created = db_int(q, 7);
    ret->changed = db_int(q, 8);
    ret->domain_quota = (struct account_quota){db_int(q, 9), db_int(q, 10)};
}

static enum rc not_there(enum rc rc, const struct address_key *key, struct err *e)
{
    if (rc == RC_GONE)
        err_set(e, RC_GONE, 550, "5.1.1", "there is no account %s; see malle user list", key->text);
    return rc;
}

static enum rc find_locked(struct account_db *db, const struct address_key *key, struct account *ret,
                           struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    enum rc rc = db_query(db->db, &q, e, "SELECT " COLUMNS " WHERE address = ?1", DB_T(address_text(key)));
    if (rc == RC_OK)
        rc = db_step(q, e);
    if (rc == RC_OK)
        read_row(q, ret);
    return rc;
}

enum rc account_find(struct account_db *db, str address, struct account *ret, struct err *e)
{
    struct address_key key;
    enum rc rc = account_key(address, &key, e);
    if (rc != RC_OK)
        return rc;
    account_db_lock(db);
    rc = find_locked(db, &key, ret, e);
    account_db_unlock(db);
    return not_there(rc, &key, e);
}

static enum rc check_new(const struct address_key *key, struct err *e)
{
    if (address_domain(key).n > 0 && address_is_safe_name(key))
        return RC_OK;
    return err_set(e, RC_PERM, 0, "",
                   "'%s' cannot name an account; write it as name@domain, without quotes or slashes",
                   key->text);
}

enum rc account_add(struct account_db *db, str address, const struct account_secret *secret,
                    const struct account_quota *quota, struct err *e)
{
    struct address_key key;
    enum rc rc = account_key(address, &key, e);
    if (rc == RC_OK)
        rc = check_new(&key, e);
    if (rc == RC_OK)
        rc = account_db_begin(db, e);
    if (rc != RC_OK)
        return rc;
    rc = db_run(db->db, e,
                "INSERT INTO account (address, domain, hash, scram_sha_1, scram_sha_256, quota_bytes, "
                "quota_messages, enabled, created, changed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8, ?8)",
                DB_T(address_text(&key)), DB_T(address_domain(&key)), DB_T(str_c(secret->hash)),
                DB_T(str_c(secret->scram_sha_1)), DB_T(str_c(secret->scram_sha_256)),
                DB_I(quota ? quota->bytes : 0), DB_I(quota ? quota->messages : 0), DB_I(clock_seconds()));
    if (rc == RC_PERM)
        err_set(e, RC_PERM, 0, "", "the account %s is there already; set its password with malle user passwd",
                key.text);
    return account_db_end(db, rc, e);
}

/* Ends a change of one account: without a changed row there was none. */
static enum rc end_change(struct account_db *db, enum rc rc, const struct address_key *key, struct err *e)
{
    if (rc == RC_OK && db_changes(db->db) == 0)
        rc = not_there(RC_GONE, key, e);
    return account_db_end(db, rc, e);
}

static enum rc begin_change(struct account_db *db, str address, struct address_key *ret, struct err *e)
{
    enum rc rc = account_key(address, ret, e);
    return rc == RC_OK ? account_db_begin(db, e) : rc;
}

enum rc account_set_secret(struct account_db *db, str address, const struct account_secret *secret,
                           struct err *e)
{
    struct address_key key;
    enum rc rc = begin_change(db, address, &key, e);
    if (rc != RC_OK)
        return rc;
    rc = db_run(
        db->db, e,
        "UPDATE account SET hash = ?2, scram_sha_1 = ?3, scram_sha_256 = ?4, changed = ?5 WHERE address = ?1",
        DB_T(address_text(&key)), DB_T(str_c(secret->hash)), DB_T(str_c(secret->scram_sha_1)),
        DB_T(str_c(secret->scram_sha_256)), DB_I(clock_seconds()));
    return end_change(db, rc, &key, e);
}

enum rc account_set_enabled(struct account_db *db, str address, bool enabled, struct err *e)
{
    struct address_key key;
    enum rc rc = begin_change(db, address, &key, e);
    if (rc != RC_OK)
        return rc;
    rc = db_run(db->db, e, "UPDATE account SET enabled = ?2, changed = ?3 WHERE address = ?1",
                DB_T(address_text(&key)), DB_I(enabled), DB_I(clock_seconds()));
    return end_change(db, rc, &key, e);
}

enum rc account_set_quota(struct account_db *db, str address, const struct account_quota *quota,
                          struct err *e)
{
    struct address_key key;
    enum rc rc = begin_change(db, address, &key, e);
    if (rc != RC_OK)
        return rc;
    rc = db_run(db->db, e,
                "UPDATE account SET quota_bytes = ?2, quota_messages = ?3, changed = ?4 WHERE address = ?1",
                DB_T(address_text(&key)), DB_I(quota->bytes), DB_I(quota->messages), DB_I(clock_seconds()));
    return end_change(db, rc, &key, e);
}

enum rc account_del(struct account_db *db, str address, struct err *e)
{
    struct address_key key;
    enum rc rc = begin_change(db, address, &key, e);
    if (rc != RC_OK)
        return rc;
    rc = db_run(db->db, e, "DELETE FROM mask WHERE account = ?1", DB_T(address_text(&key)));
    if (rc == RC_OK)
        rc = domain_total_forget(db, address_text(&key), e);
    if (rc == RC_OK)
        rc = shared_with_forget(db, address_text(&key), e);
    if (rc == RC_OK)
        rc = db_run(db->db, e, "DELETE FROM account WHERE address = ?1", DB_T(address_text(&key)));
    return end_change(db, rc, &key, e);
}

enum rc account_first(struct account_db *db, str domain, struct address_key *ret, struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    account_db_lock(db);
    enum rc rc =
        db_query(db->db, &q, e,
                 "SELECT address FROM account WHERE enabled AND (?1 = '' OR domain = ?1) ORDER BY id LIMIT 1",
                 DB_T(domain));
    if (rc == RC_OK)
        rc = db_step(q, e);
    if (rc == RC_OK)
        rc = address_parse(db_text(q, 0), ret);
    db_done(&q);
    account_db_unlock(db);
    return rc;
}

enum rc account_each(struct account_db *db, str domain, void (*fn)(void *ctx, const struct account *a),
                     void *ctx, struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    struct account row;
    account_db_lock(db);
    enum rc rc = db_query(db->db, &q, e, "SELECT " COLUMNS " WHERE ?1 = '' OR domain = ?1 ORDER BY address",
                          DB_T(domain));
    while (rc == RC_OK && (rc = db_step(q, e)) == RC_OK) {
        read_row(q, &row);
        fn(ctx, &row);
    }
    db_done(&q);
    account_db_unlock(db);
    account_secret_wipe(&row.secret);
    return rc == RC_GONE ? RC_OK : rc;
}

enum rc account_page(struct account_db *db, str after, struct address_key ret[ACCOUNT_PAGE], size_t *ret_n,
                     struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    size_t n = 0;
    account_db_lock(db);
    enum rc rc = db_query(
        db->db, &q, e, "SELECT address FROM account WHERE enabled AND address > ?1 ORDER BY address LIMIT ?2",
        DB_T(after), DB_I(ACCOUNT_PAGE));
    while (rc == RC_OK && (rc = db_step(q, e)) == RC_OK)
        if (address_parse(db_text(q, 0), &ret[n]) == RC_OK)
            n++;
    db_done(&q);
    account_db_unlock(db);
    if (rc == RC_GONE)
        *ret_n = n;
    return rc == RC_GONE ? RC_OK : rc;
}
