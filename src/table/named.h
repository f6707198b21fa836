/* named: the tables and policy servers that the restriction lists of a configuration and its gate name, those
 * of commands, the tables for the content of mail that comes in and for milters, and the databases of users.
 */
#ifndef TABLE_NAMED_H
#define TABLE_NAMED_H

#include "conf/conf.h"

/* Calls fn for each, with the option that names it; the same may come more than once. Of those for content
 * and of mynetworks_maps, spec is the whole value: several tables. What cannot be read in a list is passed
 * over; `malle check` says so. */
typedef void table_named_fn(void *ctx, enum conf_option option, str spec);
void table_named_each(const struct conf *c, table_named_fn *fn, void *ctx);
/* The same for the tables that the databases sql and ldap of passdb and userdb are (users.h); of the role
 * auth. */
void table_users_each(const struct conf *c, table_named_fn *fn, void *ctx);

#endif
