/* lmdb: the files of hash: and lmdb: tables, made by postmap. One unnamed database in one file
 * (MDB_NOSUBDIR), keys and values with a NUL behind them, as Postfix's lmdb tables have it; both programs
 * read each other's.
 *
 * A file is never changed but replaced, so that readers need no locks. */
#ifndef TABLE_LMDB_H
#define TABLE_LMDB_H

#include "base/str.h"

#include <sys/types.h>

enum { LMDB_KEY_MAX = 510 }; /* bytes of a key without its NUL; LMDB's own limit is 511 */

struct lmdb_writer;

/* Begins a new file that will be named `path`; content_bytes: about how much will be put. RC_TEMP or RC_PERM
 * with *e filled. */
MUST_USE enum rc lmdb_create(const char *path, mode_t mode, size_t content_bytes, struct lmdb_writer **ret,
                             struct err *e);
/* RC_GONE: the key is there and keeps its value, unless replace is set; RC_LIMIT: the key is longer than
 * LMDB_KEY_MAX or empty; otherwise *e is filled. */
MUST_USE enum rc lmdb_put(struct lmdb_writer *w, str key, str value, bool replace, struct err *e);
/* Puts the file, synced, in the place of an older one. */
MUST_USE enum rc lmdb_commit(struct lmdb_writer *w, struct err *e);
/* Ends the writer; what was not committed is removed. Accepts NULL, returns NULL. */
struct lmdb_writer *lmdb_free(struct lmdb_writer *w);
void lmdb_freep(struct lmdb_writer **w);

/* All entries of a file in the order of its keys, until fn gives something else than RC_OK, which is returned
 * then. RC_GONE: there is no such file. */
typedef enum rc lmdb_entry_fn(void *ctx, str key, str value);
MUST_USE enum rc lmdb_each(const char *path, lmdb_entry_fn *fn, void *ctx, struct err *e);

#endif
