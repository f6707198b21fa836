/* index: opens malle.index, watches that the open file is still the one at its path, and sets a damaged one
 * aside. Opening and setting aside happen under a flock on the Maildir, so that two sessions never build it
 * at once. */
#include "os/file.h"
#include "store/index_schema.h"
#include "store/store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

void index_set_aside(struct store *st)
{
    static const char *const suffix[] = {"-wal", "-shm"};
    struct buf b = BUF_INIT(4096);
    buf_printf(&b, "%s.damaged", st->index_path);
    rename(st->index_path, buf_cstr(&b));
    for (size_t i = 0; i < sizeof suffix / sizeof *suffix; i++) {
        buf_reset(&b);
        buf_printf(&b, "%s%s", st->index_path, suffix[i]);
        unlink(buf_cstr(&b));
    }
    buf_deinit(&b);
}

/* RC_INVALID: not an index of this version. */
static enum rc check_version(struct db *db, struct err *e)
{
    int64_t version = 0, tables = 0;
    enum rc rc = db_get_int(db, &version, e, "PRAGMA user_version");
    if (rc == RC_OK)
        rc = db_get_int(db, &tables, e, "SELECT count(*) FROM sqlite_schema");
    if (rc != RC_OK)
        return rc;
    if (version == 0 && tables == 0)
        return db_script(db, index_schema, e);
    if (version == 1)
        return db_script(db, index_from_1, e);
    if (version == 2)
        return db_script(db, index_from_2, e);
    if (version == 3)
        return db_script(db, index_from_3, e);
    return version == INDEX_VERSION ? RC_OK
                                    : err_set(e, RC_INVALID, 0, "4.3.0", "Internal error, try again later");
}

static enum rc try_open(struct store *st, struct db **ret, struct err *e)
{
    struct db *db = NULL;
    enum rc rc = db_open(st->index_path, DB_CREATE | DB_DISPOSABLE, &db, e);
    if (rc == RC_OK)
        rc = check_version(db, e);
    if (rc == RC_OK && stat(st->index_path, &st->index_stat) != 0)
        rc = store_errno(e, "stat", st->index_path);
    if (rc != RC_OK)
        db_close(db);
    else
        *ret = db;
    return rc;
}

enum rc index_open(struct store *st, struct err *e)
{
    struct db *db = NULL;
    if (flock(st->root_fd, LOCK_EX) != 0)
        return store_errno(e, "lock", st->index_path);
    enum rc rc = try_open(st, &db, e);
    if (rc == RC_INVALID) {
        index_set_aside(st);
        rc = try_open(st, &db, e);
    }
    flock(st->root_fd, LOCK_UN);
    if (rc != RC_OK)
        return rc == RC_INVALID ? RC_TEMP : rc;
    st->db = db;
    st->stale = false;
    return RC_OK;
}

static bool still_there(const struct store *st)
{
    struct stat now;
    return stat(st->index_path, &now) == 0 && now.st_ino == st->index_stat.st_ino &&
           now.st_dev == st->index_stat.st_dev;
}

enum rc index_check(struct store *st, struct err *e)
{
    if (!st->stale && still_there(st))
        return RC_OK;
    st->stale = true;
    (void)err_set(e, RC_TEMP, 0, "4.3.0", "Mailbox index was rebuilt, please connect again");
    err_note(e, "store: %s was replaced or removed while it was open", st->index_path);
    return RC_TEMP;
}

void index_damage(struct store *st, enum rc rc)
{
    if (rc != RC_INVALID)
        return;
    if (flock(st->root_fd, LOCK_EX) == 0) {
        if (!st->stale && still_there(st))
            index_set_aside(st);
        flock(st->root_fd, LOCK_UN);
    }
    st->stale = true;
}

enum rc index_result(struct store *st, enum rc rc, struct err *e)
{
    if (rc != RC_INVALID)
        return rc;
    index_damage(st, rc);
    return err_set(e, RC_TEMP, 0, "4.3.0", "Mailbox index was rebuilt, please connect again");
}
