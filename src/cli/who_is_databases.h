/* who_is_databases: the part of who_is (cli/who_is.h) that asks the databases of passdb and userdb. As root,
 * and without the server: files are read, databases connected to, PAM asked, here. */
#ifndef CLI_WHO_IS_DATABASES_H
#define CLI_WHO_IS_DATABASES_H

#include "cli/who_is.h"

/* As cli_look_up. */
int who_is_looked_up(const struct conf *c, const char *name, struct who_is *ret);

/* As cli_who_is; mail_uid and mail_gid own the mail of users for whom no database says somebody else does. */
int who_is_in_databases(const struct conf *c, uid_t mail_uid, gid_t mail_gid, const char *name,
                        const char *password, struct who_is *ret);

/* Calls fn for each user that the databases of userdb can list; those of the system are left out. */
int who_is_each_in_databases(const struct conf *c, void (*fn)(void *ctx, const char *name), void *ctx);

#endif
