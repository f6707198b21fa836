/* What the files of dovecot_24 share. */
#ifndef CONF_DOVECOT_24_IMPL_H
#define CONF_DOVECOT_24_IMPL_H

#include "base/buf.h"
#include "conf/dovecot_24.h"

enum { DOVECOT_24_VALUE_MAX = 16 << 10, DOVECOT_24_ADDED_MAX = 200 };

struct dovecot_24_adding { /* settings of 2.3 that stand for others; room for DOVECOT_24_ADDED_MAX */
    struct dovecot_setting *list;
    size_t n;
    bool full; /* one did not fit */
};
/* One in the block, as if it stood where `from` does. */
void dovecot_24_add(struct dovecot_24_adding *to, const struct dovecot_block *block,
                    const struct dovecot_setting *from, str name, str value);

/* dovecot_24_quota.c: what quota { } and mailboxes say of quotas as settings of a block plugin, which is put
 * into conf. RC_LIMIT; RC_PERM with *e filled. */
MUST_USE enum rc dovecot_24_quota(struct dovecot_24 *x, struct dovecot_conf *conf,
                                  struct dovecot_24_adding *to, struct err *e);

/* The setting of this name in the block (NULL: at the top); it counts as asked for. */
const struct dovecot_setting *dovecot_24_find(struct dovecot_24 *x, const struct dovecot_block *b, str name);
/* A setting of a database by its whole name, "passdb_sql_query": in the block also without "passdb_", and
 * without "passdb_sql_"; then at the top. */
const struct dovecot_setting *dovecot_24_own(struct dovecot_24 *x, const struct dovecot_block *b,
                                             const char *name);
/* The block of this kind in another (NULL: at the top); NULL: there is none. */
const struct dovecot_block *dovecot_24_inner(const struct dovecot_24 *x, const struct dovecot_block *b,
                                             const char *kind);
str dovecot_24_driver(struct dovecot_24 *x, const struct dovecot_block *b);
/* Appends the value with its variables in the words of 2.3. */
MUST_USE enum rc dovecot_24_put(struct dovecot_24 *x, const struct dovecot_setting *s, struct buf *out,
                                struct err *e);

/* dovecot_24_oauth2.c: the settings of oauth2 { }, likewise. */
MUST_USE enum rc dovecot_24_oauth2(struct dovecot_24 *x, dovecot_24_fn *fn, void *fn_ctx, struct err *e);

/* dovecot_24_tables.c: the settings of an SQL or LDAP database, as dovecot_24_read gives them. */
MUST_USE enum rc dovecot_24_table(struct dovecot_24 *x, const struct dovecot_block *b, dovecot_24_fn *fn,
                                  void *fn_ctx, struct err *e);

#endif
