/* The queue's tables; doc/queue.md explains them. `due` of a lane is never later than the earliest due of its
 * recipients, and that of a site never later than those of its lanes: they may be too early, and the
 * scheduler raises them when it finds nothing. */
#include "queue/outbound.h"

static const char version_1[] =
    "PRAGMA auto_vacuum=INCREMENTAL;"
    "CREATE TABLE message(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, sender TEXT NOT NULL,"
    " envid TEXT NOT NULL, ret INTEGER NOT NULL, flags INTEGER NOT NULL, account TEXT NOT NULL,"
    " client TEXT NOT NULL, message_id TEXT NOT NULL, arrived INTEGER NOT NULL, size INTEGER NOT NULL,"
    " lines INTEGER NOT NULL, expires INTEGER NOT NULL, warn INTEGER, timer INTEGER,"
    " trace BLOB NOT NULL, content BLOB);"
    "CREATE INDEX message_timer ON message(timer) WHERE timer IS NOT NULL;"
    "CREATE TABLE site(n INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, due INTEGER NOT NULL,"
    " retry INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0, reply TEXT NOT NULL DEFAULT '');"
    "CREATE INDEX site_due ON site(due);"
    "CREATE TABLE lane(n INTEGER PRIMARY KEY, site INTEGER NOT NULL, key TEXT NOT NULL,"
    " due INTEGER NOT NULL, UNIQUE(site, key));"
    "CREATE INDEX lane_due ON lane(site, due);"
    "CREATE TABLE rcpt(n INTEGER PRIMARY KEY, message INTEGER NOT NULL, lane INTEGER NOT NULL,"
    " due INTEGER NOT NULL, state INTEGER NOT NULL DEFAULT 0, held INTEGER NOT NULL DEFAULT 0,"
    " address TEXT NOT NULL, orig TEXT NOT NULL, orcpt TEXT NOT NULL, notify INTEGER NOT NULL,"
    " local INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, tried INTEGER NOT NULL DEFAULT 0,"
    " code INTEGER NOT NULL DEFAULT 0, status TEXT NOT NULL DEFAULT '', reply TEXT NOT NULL DEFAULT '',"
    " remote TEXT NOT NULL DEFAULT '');"
    "CREATE INDEX rcpt_lane ON rcpt(lane, due, n);"
    "CREATE INDEX rcpt_message ON rcpt(message);"
    "PRAGMA user_version=1;";

static const char version_2[] = "ALTER TABLE message ADD COLUMN hold_until INTEGER NOT NULL DEFAULT 0;"
                                "ALTER TABLE message ADD COLUMN deliver_by INTEGER NOT NULL DEFAULT 0;"
                                "ALTER TABLE message ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;"
                                "ALTER TABLE lane ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;"
                                "CREATE INDEX lane_urgent ON lane(site, due) WHERE priority>0;"
                                "PRAGMA user_version=2;";

static const char version_3[] = "ALTER TABLE rcpt ADD COLUMN via TEXT NOT NULL DEFAULT '';"
                                "PRAGMA user_version=3;";

static const char version_4[] = "ALTER TABLE message ADD COLUMN file INTEGER;"
                                "CREATE INDEX message_file ON message(file) WHERE file IS NOT NULL;"
                                "CREATE TABLE moved(message INTEGER PRIMARY KEY);"
                                "PRAGMA user_version=4;";

static const char version_5[] = "ALTER TABLE rcpt ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;"
                                "PRAGMA user_version=5;";

/* Two processes may look at an old queue at the same time: one changes it. */
static enum rc upgrade(struct db *db, struct err *e)
{
    int64_t version = 0;
    enum rc rc = db_begin(db, true, e);
    if (rc == RC_OK)
        rc = db_get_int_args(db, &version, e, "PRAGMA user_version", NULL, 0);
    if (rc == RC_OK && version == 1)
        rc = db_script(db, version_2, e);
    if (rc == RC_OK && version < 3)
        rc = db_script(db, version_3, e);
    if (rc == RC_OK && version < 4)
        rc = db_script(db, version_4, e);
    if (rc == RC_OK && version < 5)
        rc = db_script(db, version_5, e);
    return db_end(db, rc, e);
}

enum rc queue_schema(struct db *db, struct err *e)
{
    int64_t version = 0;
    enum rc rc = db_get_int_args(db, &version, e, "PRAGMA user_version", NULL, 0);
    if (rc != RC_OK)
        return rc;
    if (version < 0 || version > 5)
        return err_set(e, RC_PERM, 0, "", "the queue was made by another version of malle (%lld)",
                       (long long)version);
    if (version == 0)
        rc = db_script(db, version_1, e);
    if (rc == RC_OK && version < 5)
        rc = upgrade(db, e);
    if (rc == RC_OK)
        rc = queue_clock_schema(db, e);
    return rc == RC_OK ? outbound_schema(db, e) : rc;
}
