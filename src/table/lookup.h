/* lookup: what the database types share (ldap_table(5), pgsql_table(5), sqlite_table(5)): the settings in a
 * .cf file, the domains whose keys are asked for, and the making of values from rows. */
#ifndef TABLE_LOOKUP_H
#define TABLE_LOOKUP_H

#include "table/table_impl.h"

struct lookup;

/* Reads the file; names: the settings that the type knows beside the shared ones (domain, result_format,
 * expansion_limit), ending in NULL; others are warned of. Errors as of table_open. On failure *ret is NULL.
 */
MUST_USE enum rc lookup_open(struct table *t, str path, const char *const *names, struct lookup **ret,
                             struct err *e);
struct lookup *lookup_free(struct lookup *l); /* accepts NULL, returns NULL */

/* The text of a setting, or its default. */
const char *lookup_get(const struct lookup *l, const char *name, const char *otherwise);
/* A number of at most max. RC_PERM with *e filled: it is none. */
MUST_USE enum rc lookup_get_number(struct table *t, const struct lookup *l, const char *name,
                                   uint32_t otherwise, uint32_t max, uint32_t *ret, struct err *e);
bool lookup_get_bool(const struct lookup *l, const char *name); /* "yes"; no is the default */

/* The statement of an SQL type: `query`, or what pgsql_table(5) made of select_field and its like before. The
 * caller frees it. RC_PERM: there is none, or its % are wrong. */
MUST_USE enum rc lookup_make_query(struct table *t, const struct lookup *l, char **ret, struct err *e);
extern const char *const lookup_sql_names[]; /* the settings that lookup_make_query reads */

/* Whether the key may be asked for at all. RC_OK: yes; RC_GONE: no; RC_TEMP: a table of domains cannot say.
 */
MUST_USE enum rc lookup_check_key(const struct lookup *l, str key, struct err *e);
/* Appends one value in its result_format. RC_TEMP: more than expansion_limit. Start with *count 0; it counts
 * what was appended. */
MUST_USE enum rc lookup_put_value(struct table *t, const struct lookup *l, str key, str value,
                                  struct buf *out, uint32_t *count, struct err *e);

#endif
