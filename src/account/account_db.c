/* Opening the account database: schema, permissions, the key.
 *
 *   domain   name                        a domain beside those of the configuration
 *   account  address, domain, hash...    one mailbox
 *   alias    address -> target           one row per target; address "@domain" is the catch-all
 *   mask     address -> account, note...  masked addresses, and (without account) blocked ones
 *   domain_quota  name -> bytes, messages  for each account of the domain that has no quota of its own
 *   domain_total  name -> bytes, messages, and what its accounts have of them together (domain_total.h)
 *   account_use  account -> bytes, messages  of a domain that has a total
 *   shared_with  user, owner             who shares mailboxes with whom (shared_with.h)
 *   setting  name -> value               "key": random, for what must stay the same over restarts
 *
 * Addresses are folded (account/address). PRAGMA user_version is the number of the schema; a newer one is
 * refused. */
#include "account/db_schema.h"

#include "os/crypto.h"
#include "os/file.h"

#include <fcntl.h>
#include <unistd.h>

enum { SCHEMA_VERSION = 5 };

static const char schema[] =
    "CREATE TABLE domain (name TEXT PRIMARY KEY, created INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE account (id INTEGER PRIMARY KEY, address TEXT NOT NULL UNIQUE, domain TEXT NOT NULL,"
    " hash TEXT NOT NULL, scram_sha_1 TEXT NOT NULL, scram_sha_256 TEXT NOT NULL, quota_bytes INTEGER NOT "
    "NULL,"
    " enabled INTEGER NOT NULL, created INTEGER NOT NULL, changed INTEGER NOT NULL);"
    "CREATE INDEX account_domain ON account (domain);"
    "CREATE TABLE alias (address TEXT NOT NULL, domain TEXT NOT NULL, target TEXT NOT NULL,"
    " PRIMARY KEY (address, target)) WITHOUT ROWID;"
    "CREATE INDEX alias_domain ON alias (domain);"
    "CREATE TABLE setting (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "PRAGMA user_version = 1;";

static const char schema_2[] =
    "CREATE TABLE mask (address TEXT PRIMARY KEY, domain TEXT NOT NULL, account TEXT NOT NULL, note TEXT NOT "
    "NULL,"
    " created INTEGER NOT NULL, expires INTEGER NOT NULL, enabled INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX mask_domain ON mask (domain);"
    "CREATE INDEX mask_account ON mask (account);"
    "PRAGMA user_version = 2;";

static const char schema_3[] =
    "ALTER TABLE account ADD COLUMN quota_messages INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE domain_quota (name TEXT PRIMARY KEY, bytes INTEGER NOT NULL, messages INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "PRAGMA user_version = 3;";

static const char schema_4[] =
    "CREATE TABLE domain_total (name TEXT PRIMARY KEY, bytes INTEGER NOT NULL, messages INTEGER NOT NULL,"
    " used_bytes INTEGER NOT NULL, used_messages INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE account_use (account TEXT PRIMARY KEY, domain TEXT NOT NULL, bytes INTEGER NOT NULL,"
    " messages INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX account_use_domain ON account_use (domain);"
    "CREATE TRIGGER account_use_more AFTER INSERT ON account_use BEGIN UPDATE domain_total SET"
    " used_bytes = used_bytes + NEW.bytes, used_messages = used_messages + NEW.messages"
    " WHERE name = NEW.domain; END;"
    "CREATE TRIGGER account_use_less AFTER DELETE ON account_use BEGIN UPDATE domain_total SET"
    " used_bytes = used_bytes - OLD.bytes, used_messages = used_messages - OLD.messages"
    " WHERE name = OLD.domain; END;"
    "PRAGMA user_version = 4;";

static const char schema_5[] = "CREATE TABLE shared_with (user TEXT NOT NULL, owner TEXT NOT NULL, PRIMARY "
                               "KEY (user, owner)) WITHOUT ROWID;"
                               "CREATE INDEX shared_with_owner ON shared_with (owner);"
                               "PRAGMA user_version = 5;";

void account_db_lock(struct account_db *d)
{
    must(pthread_mutex_lock(&d->lock) == 0);
}

void account_db_unlock(struct account_db *d)
{
    must(pthread_mutex_unlock(&d->lock) == 0);
}

enum rc account_db_begin(struct account_db *d, struct err *e)
{
    account_db_lock(d);
    enum rc rc = db_begin(d->db, true, e);
    if (rc != RC_OK)
        account_db_unlock(d);
    return rc;
}

enum rc account_db_end(struct account_db *d, enum rc rc, struct err *e)
{
    rc = db_end(d->db, rc, e);
    account_db_unlock(d);
    return rc;
}

enum rc account_key(str address, struct address_key *ret, struct err *e)
{
    enum rc rc = address_parse(address, ret);
    if (rc != RC_OK)
        err_set(e, rc, 501, "5.1.3", "'" STR_FMT "' is no mail address; write it as name@domain",
                STR_ARG(address));
    return rc;
}

static enum rc make_schema(struct account_db *d, struct err *e)
{
    enum rc rc = db_script(d->db, schema, e);
    if (rc != RC_OK)
        return rc;
    unsigned char key[ACCOUNT_KEY_SIZE];
    crypto_random(key, sizeof key);
    return db_run(d->db, e, "INSERT INTO setting (name, value) VALUES ('key', ?1)",
                  DB_B(str_mem(key, sizeof key)));
}

static enum rc read_key(struct account_db *d, struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    enum rc rc = db_query(d->db, &q, e, "SELECT value FROM setting WHERE name = ?1", DB_T(S("key")));
    if (rc == RC_OK)
        rc = db_step(q, e);
    if (rc != RC_OK)
        return rc == RC_GONE ? RC_INVALID : rc;
    str key = db_blob(q, 0);
    if (key.n != ACCOUNT_KEY_SIZE)
        return err_set(e, RC_INVALID, 451, "4.3.0",
                       "the account database is damaged; restore it from a backup");
    memcpy(d->key, key.p, key.n);
    return RC_OK;
}

/* Two programs may open a new file at the same time: the write lock decides who makes the schema. */
static enum rc set_up(struct account_db *d, struct err *e)
{
    int64_t version = 0;
    enum rc rc = account_db_begin(d, e);
    if (rc != RC_OK)
        return rc;
    rc = db_get_int(d->db, &version, e, "SELECT user_version FROM pragma_user_version WHERE ?1", DB_I(1));
    if (rc == RC_OK && version == 0)
        rc = make_schema(d, e);
    else if (rc == RC_OK && version > SCHEMA_VERSION)
        rc = err_set(e, RC_INVALID, 451, "4.3.0",
                     "the account database was made by a newer malle; upgrade this one");
    if (rc == RC_OK && version < 2)
        rc = db_script(d->db, schema_2, e);
    if (rc == RC_OK && version < 3)
        rc = db_script(d->db, schema_3, e);
    if (rc == RC_OK && version < 4)
        rc = db_script(d->db, schema_4, e);
    if (rc == RC_OK && version < 5)
        rc = db_script(d->db, schema_5, e);
    if (rc == RC_OK)
        rc = read_key(d, e);
    return account_db_end(d, rc, e);
}

/* SQLite would make the file readable for all. */
static enum rc make_file(const char *path, bool create, struct err *e)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0), 0600);
    if (fd >= 0) {
        close(fd);
        return RC_OK;
    }
    enum rc rc = access(path, F_OK) == 0 || create ? RC_TEMP : RC_GONE;
    err_set(e, rc, 451, "4.3.0", "the account database cannot be opened");
    err_note(e, "the account database %s cannot be opened: %m", path);
    return rc;
}

static int open_folder(const char *path)
{
    ptrdiff_t slash = str_rchr(str_c(path), '/');
    AUTO(str_freep) char *folder = slash < 0 ? str_dup(S(".")) : str_dup(str_mem(path, (size_t)slash + 1));
    return open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

enum rc account_db_open(const char *path, bool create, struct account_db **ret, struct err *e)
{
    enum rc rc = make_file(path, create, e);
    if (rc != RC_OK)
        return rc;
    AUTO(account_db_closep) struct account_db *d = calloc(1, sizeof *d);
    must(d && pthread_mutex_init(&d->lock, NULL) == 0);
    d->folder_fd = open_folder(path);
    rc = db_open(path, 0, &d->db, e);
    if (rc == RC_OK)
        rc = set_up(d, e);
    if (rc == RC_OK) {
        *ret = d;
        d = NULL;
    }
    return rc;
}

struct account_db *account_db_close(struct account_db *d)
{
    if (!d)
        return NULL;
    db_close(d->db);
    fd_closep(&d->folder_fd);
    pthread_mutex_destroy(&d->lock);
    crypto_wipe(d, sizeof *d);
    free(d);
    return NULL;
}

void account_db_closep(struct account_db **d)
{
    *d = account_db_close(*d);
}

void account_db_key(const struct account_db *db, unsigned char ret[ACCOUNT_KEY_SIZE])
{
    memcpy(ret, db->key, ACCOUNT_KEY_SIZE);
}
