/* Rows of the table `mask`: one per address; an empty account is nobody. */
#include "account/mask.h"

#include "account/db_schema.h"
#include "base/clock.h"
#include "os/crypto.h"

enum { RANDOM_CHARS = 12, ATTEMPTS = 8 }; /* 60 bits: not to be guessed, nor met twice */

static enum rc add_row(struct account_db *db, const struct address_key *key, str account, str note,
                       int64_t expires, struct err *e)
{
    enum rc rc = account_db_begin(db, e);
    if (rc != RC_OK)
        return rc;
    rc = db_run(db->db, e,
                "INSERT INTO mask (address, domain, account, note, created, expires, enabled)"
                " VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1)",
                DB_T(address_text(key)), DB_T(address_domain(key)), DB_T(account), DB_T(note),
                DB_I(clock_seconds()), DB_I(expires));
    return account_db_end(db, rc, e);
}

static enum rc check_note(str note, struct err *e)
{
    bool fine = note.n <= MASK_NOTE_MAX;
    for (size_t i = 0; i < note.n; i++)
        fine &= (unsigned char)note.p[i] >= ' ' && note.p[i] != 0x7f;
    return fine ? RC_OK
                : err_set(e, RC_PERM, 0, "", "a note has up to %d characters and no control characters",
                          MASK_NOTE_MAX);
}

/* Letters and digits that are not mistaken for each other; never a name that was there before. */
static void random_name(char ret[RANDOM_CHARS])
{
    static const char chars[] = "abcdefghjkmnpqrstuvwxyz023456789";
    unsigned char bytes[RANDOM_CHARS];
    crypto_random(bytes, sizeof bytes);
    for (size_t i = 0; i < RANDOM_CHARS; i++)
        ret[i] = chars[bytes[i] % (sizeof chars - 1)];
}

enum rc mask_make(struct account_db *db, str account, str note, int64_t expires, struct mask *ret,
                  struct err *e)
{
    struct account row;
    struct address_key owner, key;
    char name[RANDOM_CHARS];
    enum rc rc = account_key(account, &owner, e);
    if (rc == RC_OK)
        rc = check_note(note, e);
    if (rc == RC_OK)
        rc = account_find(db, address_text(&owner), &row, e);
    if (rc == RC_GONE)
        return err_set(e, rc, 0, "", "there is no account %s", owner.text);
    if (rc != RC_OK)
        return rc;
    account_secret_wipe(&row.secret);
    rc = RC_PERM;
    for (int i = 0; i < ATTEMPTS && rc == RC_PERM; i++) {
        random_name(name);
        must(address_join(str_mem(name, sizeof name), address_domain(&owner), &key) == RC_OK);
        rc = add_row(db, &key, address_text(&owner), note, expires, e);
    }
    return rc == RC_OK ? mask_find(db, &key, ret, e) : rc;
}

enum rc mask_block(struct account_db *db, str address, str note, struct err *e)
{
    struct address_key key;
    enum rc rc = account_key(address, &key, e);
    if (rc == RC_OK)
        rc = check_note(note, e);
    if (rc != RC_OK)
        return rc;
    if (address_domain(&key).n == 0 || address_local(&key).n == 0)
        return err_set(e, RC_PERM, 0, "", "'%s' is no whole address; write it as name@domain", key.text);
    rc = add_row(db, &key, STR_NONE, note, 0, e);
    return rc == RC_PERM ? err_set(e, rc, 0, "", "%s is masked or blocked already", key.text) : rc;
}

/* All were checked when they were stored. */
static void copy(char *to, size_t size, str text)
{
    if (str_copy(to, size, text) != RC_OK)
        to[0] = '\0';
}

static void read_row(const struct db_stmt *q, struct mask *ret)
{
    *ret = (struct mask){.created = db_int(q, 3), .expires = db_int(q, 4), .enabled = db_int(q, 5) != 0};
    copy(ret->address, sizeof ret->address, db_text(q, 0));
    copy(ret->account, sizeof ret->account, db_text(q, 1));
    copy(ret->note, sizeof ret->note, db_text(q, 2));
}

enum rc mask_find(struct account_db *db, const struct address_key *key, struct mask *ret, struct err *e)
{
    struct db_stmt *q = NULL;
    account_db_lock(db);
    enum rc rc =
        db_query(db->db, &q, e,
                 "SELECT address, account, note, created, expires, enabled FROM mask WHERE address = ?1",
                 DB_T(address_text(key)));
    if (rc == RC_OK)
        rc = db_step(q, e);
    if (rc == RC_OK)
        read_row(q, ret);
    db_done(&q);
    account_db_unlock(db);
    return rc;
}

/* Runs a change of one row. */
static enum rc change(struct account_db *db, const char *sql, str address, int64_t value, struct err *e)
{
    struct address_key key;
    enum rc rc = account_key(address, &key, e);
    if (rc == RC_OK)
        rc = account_db_begin(db, e);
    if (rc != RC_OK)
        return rc;
    rc = db_run(db->db, e, sql, DB_T(address_text(&key)), DB_I(value));
    if (rc == RC_OK && db_changes(db->db) == 0)
        rc = err_set(e, RC_GONE, 0, "", "%s is neither masked nor blocked; see malle alias list", key.text);
    return account_db_end(db, rc, e);
}

enum rc mask_set_enabled(struct account_db *db, str address, bool enabled, struct err *e)
{
    return change(db, "UPDATE mask SET enabled = ?2 WHERE address = ?1", address, enabled, e);
}

enum rc mask_del(struct account_db *db, str address, struct err *e)
{
    return change(db, "DELETE FROM mask WHERE address = ?1 AND ?2", address, 1, e);
}

enum rc mask_each(struct account_db *db, str domain, void (*fn)(void *ctx, const struct mask *m), void *ctx,
                  struct err *e)
{
    struct db_stmt *q = NULL;
    struct mask m;
    account_db_lock(db);
    enum rc rc = db_query(db->db, &q, e,
                          "SELECT address, account, note, created, expires, enabled FROM mask"
                          " WHERE ?1 = '' OR domain = ?1 ORDER BY address",
                          DB_T(domain));
    while (rc == RC_OK && (rc = db_step(q, e)) == RC_OK) {
        read_row(q, &m);
        fn(ctx, &m);
    }
    db_done(&q);
    account_db_unlock(db);
    return rc == RC_GONE ? RC_OK : rc;
}

bool mask_is_open(const struct mask *m, int64_t now)
{
    return m->enabled && m->account[0] && (m->expires == 0 || now < m->expires);
}
