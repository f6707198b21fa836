/* verify_db: what other servers said of addresses when they were asked with a probe
 * (reject_unverified_sender, reject_unverified_recipient). A database of its own beside the queue's;
 * thread-safe.
 *
 * Losing it costs probes, so writes are not synced one by one. Times are milliseconds since 1970. */
#ifndef QUEUE_VERIFY_DB_H
#define QUEUE_VERIFY_DB_H

#include "base/arena.h"

struct verify_db;

enum {
    VERIFY_DB_MAX = 1000000, /* addresses */
    VERIFY_TEXT_MAX = 250    /* bytes kept of what a server said */
};

enum verify_status { VERIFY_OK, VERIFY_UNDELIVERABLE, VERIFY_DEFERRED, VERIFY_UNKNOWN };

struct verify_entry {
    enum verify_status status; /* UNKNOWN: no probe has come back yet */
    str text;                  /* what the server said */
    int64_t updated;           /* when that was; 0: never */
    int64_t probed;            /* when the last probe went out that has not come back; 0: none */
};

MUST_USE enum rc verify_db_open(const char *path, struct verify_db **ret, struct err *e);
struct verify_db *verify_db_close(struct verify_db *v); /* accepts NULL, returns NULL */

/* The entry, with its text in the arena. RC_GONE: there is none. */
MUST_USE enum rc verify_db_find(struct verify_db *v, str address, struct arena *a, struct verify_entry *ret,
                                struct err *e);
/* A probe goes out; whatever was known stays. RC_LIMIT: there are too many addresses; those of which nothing
 * was heard since `old` were forgotten before. */
MUST_USE enum rc verify_db_note_probe(struct verify_db *v, str address, int64_t now, int64_t old,
                                      struct err *e);
/* It came back. */
MUST_USE enum rc verify_db_put(struct verify_db *v, str address, enum verify_status status, str text,
                               int64_t now, struct err *e);
/* Probes that went out since then and have not come back. */
MUST_USE enum rc verify_db_pending(struct verify_db *v, int64_t since, int64_t *ret, struct err *e);

#endif
