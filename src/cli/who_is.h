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
    bool password_fits; /* a password was given; also where the user is not found afterwards */
};

/* An account of the database, or a user of the databases of userdb, or of the system where the settings have
 * these; a name without domain that is no user is an account of the first domain. password: NULL, or checked
 * as at a log-in, with PAM for users of the system. CLI_FINE, or a sentence was printed: there are no
 * settings, no child. */
int cli_who_is(struct cli *cli, const char *name, const char *password, struct who_is *ret);

/* The same for a command that is about one account: without one, or when it cannot be used, a sentence was
 * printed, too. */
int cli_find_account(struct cli *cli, const char *name, struct account_identity *ret);

/* Whom the passdb knows by this name: *ret as above, of id the account alone. RC_INVALID: it only verifies
 * passwords. */
int cli_look_up(struct cli *cli, const char *name, struct who_is *ret);

/* Calls fn for every account of the database, then every user whom a database of userdb can list and every
 * user of the system who may have mail. fn is called in a child for the former: it may print, and that is
 * all. A status as above. */
int cli_each_user(struct cli *cli, void (*fn)(void *ctx, const char *name), void *ctx);

#endif
