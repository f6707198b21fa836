/* pool: the connections of one table to its database or server. A query takes one that is free, or waits for
 * one until its deadline. A server that fails is left alone for a second, then twice as long each time, up to
 * a minute; until then queries fail at once. Thread-safe. */
#ifndef TABLE_POOL_H
#define TABLE_POOL_H

#include "table/table_impl.h"

struct pool_type {
    /* RC_TEMP or RC_PERM with *e filled. */
    enum rc (*connect)(struct table *t, msec deadline, void **ret, struct err *e);
    void (*disconnect)(void *connection);
    /* Appends the value to out. As table_find, and RC_INVALID: the connection is of no use any more, *e
     * filled. */
    enum rc (*ask)(struct table *t, void *connection, str key, msec deadline, struct buf *out, struct err *e);
};

struct pool;

struct pool *pool_new(const struct pool_type *type, size_t connections);
struct pool *pool_free(struct pool *p); /* closes the connections; accepts NULL, returns NULL */
/* Connects when nothing is connected yet. RC_TEMP or RC_PERM with *e filled. */
MUST_USE enum rc pool_probe(struct pool *p, struct table *t, struct err *e);

/* table_find for a table with a pool. */
MUST_USE enum rc pool_find(struct pool *p, struct table *t, str key, struct arena *a, str *ret,
                           struct err *e);

#endif
