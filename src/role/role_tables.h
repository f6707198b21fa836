/* role_tables: the tables that a role asks. Those that ask a database or a server are asked by proxymap, over
 * a pool of channels; while it does not answer, they cannot say (RC_TEMP). */
#ifndef ROLE_ROLE_TABLES_H
#define ROLE_ROLE_TABLES_H

#include "role/role.h"
#include "table/settings.h"

/* For the start of a role; ends the process when a table cannot be opened. */
struct table_settings *role_tables_open(const struct role *r);
/* Takes a link to proxymap. False: the link is another's. */
bool role_tables_link(const struct role_link *l);

#endif
