/* databases: users and passwords in the databases that the options passdb and userdb name (fmt/authdb.h),
 * asked in their order and by their rules, as Dovecot's auth does. Role `auth`, and programs of root;
 * thread-safe.
 *
 * All that is uncertain is RC_TEMP: a database that is down neither lets anybody in nor says that somebody is
 * not there. No user of uid 0, of gid 0 or outside first_valid_uid..last_valid_uid exists, whatever a
 * database says. */
#ifndef ACCOUNT_DATABASES_H
#define ACCOUNT_DATABASES_H

#include "account/resolve.h"
#include "fmt/authdb.h"
#include "fmt/authdb_fields.h"

enum { DATABASES_ARENA = 512 << 10 /* enough for one question */ };

struct databases {
    struct authdb pass[AUTHDB_MAX], user[AUTHDB_MAX]; /* views of the configuration */
    size_t n_pass, n_user;
};

/* NULL: the options are empty. They were checked when the configuration was read. */
struct databases *databases_new(const struct conf *c);
struct databases *databases_free(struct databases *d); /* accepts NULL, returns NULL */

/* The name that is looked up: with auth_default_realm, auth_username_translation and auth_username_format
 * applied, in the arena. RC_GONE: it has characters that auth_username_chars does not allow, or is empty; *e
 * says so. */
MUST_USE enum rc databases_name(const struct conf *c, str name, struct arena *a, str *ret, struct err *e);

/* With auth_master_user_separator in the name "user*master", *name becomes the master's and *ret_user the
 * user's in whose place it logs in; else *ret_user is as before. */
void databases_split_master(const struct conf *c, str *name, str *ret_user);
/* Whether a database of passdb is for masters. */
bool databases_have_masters(const struct databases *d);

struct database_login {
    str name;     /* as the client gave it */
    str login_as; /* the user in whose place a master of this name logs in; empty: nobody's */
    str password;
    bool token;   /* the password is a token: only databases for such are asked, and those that deny, of which
                     none hears of it; the name may be empty then, and the token says whose it is */
    bool look_up; /* nobody logs in: what is there of the user is told, and nothing is verified */
    str client_ip, service, mechanism;
    /* Whether the password is the stored one (password.h) or, with STR_NONE, what PAM knows of the user.
     * RC_OK, RC_PERM, RC_INVALID (no known scheme), RC_TEMP with e. Not called for a look_up. */
    enum rc (*check)(void *ctx, str user, str stored, struct err *e);
    void *ctx;
};

struct database_found {
    char account[ADDRESS_MAX + 1];
    struct authdb_fields fields;  /* of the passdb; "password" with its scheme in front */
    char master[ADDRESS_MAX + 1]; /* who logged in as the account; "": it itself */
    bool only_name; /* no passdb was asked for the account, so that whether it is there is not known */
};

/* A master is verified by the databases for masters alone, and nobody else by these. When such a database
 * says "continue" (pass = yes), the others tell of the user in whose place it logs in, and check no password.
 *
 * RC_OK; RC_PERM: wrong password, or may not log in, with the fields that the last database gave; RC_GONE:
 * nobody has the name; RC_INVALID: a look-up met a database that only verifies (PAM, auth_bind); RC_TEMP. *e
 * says why, for the log. All lies in the arena.
 */
MUST_USE enum rc databases_log_in(const struct account_lookup *l, const struct database_login *in,
                                  struct arena *a, struct database_found *ret, struct err *e);

/* Calls fn for each user that an SQL or LDAP database lists. RC_OK, RC_TEMP and RC_PERM with *e. */
MUST_USE enum rc databases_each_in_table(const struct table_settings *tables, const struct authdb *db,
                                         void (*fn)(void *ctx, str name), void *ctx, struct err *e);

/* Who somebody is, with mail paths. login: what databases_log_in found, when it was that who logged in; NULL:
 * not. RC_GONE; RC_PERM: may not be used, e says why; RC_TEMP. */
MUST_USE enum rc databases_find_user(const struct account_lookup *l, str name,
                                     const struct database_found *login, struct account_identity *ret,
                                     struct err *e);

#endif
