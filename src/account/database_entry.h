/* database_entry: what passwd-files and shadow say of somebody, read by whoever may: auth-worker, for `auth`,
 * and programs of root. Files are kept in memory and read anew when they changed; thread-safe. */
#ifndef ACCOUNT_DATABASE_ENTRY_H
#define ACCOUNT_DATABASE_ENTRY_H

#include "account/account.h"
#include "fmt/authdb.h"
#include "fmt/authdb_fields.h"

#include <sys/types.h>

/* Only databases that the configuration names are looked into: driver and args are those of one of its passdb
 * or userdb. Fields: password of a passdb, uid, gid and home of a userdb, and "extra", the last part of a
 * passwd-file's line. RC_OK, RC_GONE, RC_TEMP with e: the file is missing or cannot be read, or the
 * configuration names no such database. */
MUST_USE enum rc database_entry_find(const struct conf *c, bool passdb, enum authdb_driver driver, str args,
                                     str user, struct arena *a, struct authdb_fields *ret, struct err *e);

/* Calls fn for the name of each user in the passwd-file of a userdb, without those whose path depends on the
 * user. RC_OK, RC_TEMP with e. */
MUST_USE enum rc database_entry_each(const struct authdb *db, void (*fn)(void *ctx, str name), void *ctx,
                                     struct err *e);

/* The same of a database that the configuration names, or of passwd: those of its users who may have mail.
 * RC_OK, RC_TEMP with e. */
MUST_USE enum rc database_entry_list(const struct conf *c, enum authdb_driver driver, str args,
                                     void (*fn)(void *ctx, str name), void *ctx, struct err *e);

/* Numbers of a user and a group of the system; an empty name is not asked for. RC_GONE: there is none;
 * RC_TEMP. */
MUST_USE enum rc database_entry_ids(str user, str group, uid_t *ret_uid, gid_t *ret_gid, struct err *e);

#endif
