/* who_is: whom a name means, for programs that go on as root, or as that user, afterwards: the account
 * database is opened by a child (cli/folder.h). */
#ifndef CLI_WHO_IS_H
#define CLI_WHO_IS_H

#include "account/identity.h"
#include "cli/cli.h"

struct who_is {
    enum rc
        rc; /* RC_OK; RC_GONE: there is nobody of this name; RC_PERM: not to be used, e says why; RC_TEMP */
    struct err e;
    struct account_identity id;
    bool password_fits; /* RC_OK, and a password was given */
};

/* An account of the database, or a user of the databases of userdb, or of the system where the settings have
 * these; a name without domain that is no user is an account of the first domain. password: NULL, or checked
 * as at a log-in, with PAM for users of the system. CLI_FINE, or a sentence was printed: there are no
 * settings, no child. */
int cli_who_is(struct cli *cli, const char *name, const char *password, struct who_is *ret);

/* Calls fn for every account of the database, then every user whom a database of userdb can list and every
 * user of the system who may have mail. fn is called in a child for the former: it may print, and that is
 * all. A status as above. */
int cli_each_user(struct cli *cli, void (*fn)(void *ctx, const char *name), void *ctx);

#endif
