/* domains: the `domain` setting of database tables: names, /files of names, type:name tables, each perhaps
 * with "!" in front. The first that matches decides. */
#ifndef TABLE_DOMAINS_H
#define TABLE_DOMAINS_H

#include "table/table_impl.h"

struct domains;

/* Errors as of table_open. */
MUST_USE enum rc domains_open(struct table *t, str list, struct domains **ret, struct err *e);
struct domains *domains_free(struct domains *d); /* accepts NULL, returns NULL */
bool domains_empty(const struct domains *d);
/* RC_OK, RC_GONE, or RC_TEMP and RC_PERM of a table. */
MUST_USE enum rc domains_find(const struct domains *d, str domain, struct err *e);

#endif
