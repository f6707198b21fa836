/* auth: who may log in: verifies passwords and SCRAM proofs, and keeps count of failures. Role `auth`;
 * thread-safe.
 *
 * A failed log-in costs the same time whether the account exists or not, and is answered later
 * (outcome.delay_ms, which the role waits). Too many failures of one account, or from one network (an IPv4
 * address, an IPv6 /64), refuse further tries for a while: at most auth_account_failures or
 * auth_network_failures in auth_failure_window. The same wrong password again counts once (a forgotten
 * phone); a network from which the account logged in before is not held up by others' failures on that
 * account; loopback has no limit of its own, so that the server never bans itself. */
#ifndef ACCOUNT_AUTH_H
#define ACCOUNT_AUTH_H

#include "account/resolve.h"
#include "account/scram_keys.h"
#include "base/clock.h"

struct auth;

struct auth_backend {
    /* Checks the password of a user of the system: RC_OK, RC_PERM wrong, RC_TEMP. NULL: there are none. */
    enum rc (*check_system)(void *ctx, str user, str password, str client_ip, struct err *e);
    void *ctx;
};
struct auth *auth_new(const struct auth_backend *backend);
struct auth *auth_free(struct auth *a); /* accepts NULL, returns NULL */
/* Forgets which passwords were right lately. */
void auth_forget(struct auth *a);

enum { AUTH_USERDB_MAX = 2048, AUTH_TOKEN_TEXT_MAX = 500 };

struct auth_token_fault { /* what the client of a refused token is told (fmt/oauth2.h) */
    bool scope_missing;
    char scope[AUTH_TOKEN_TEXT_MAX + 1], configuration[AUTH_TOKEN_TEXT_MAX + 1];
};

struct auth_outcome {
    enum rc rc;     /* RC_OK; RC_PERM wrong name or password; RC_TEMP; RC_INVALID broken message */
    struct err err; /* for the peer (535 5.7.8...), and for the log, which says why */
    char account[ADDRESS_MAX + 1]; /* RC_OK: who logged in, as account_identify wants it */
    char master[ADDRESS_MAX + 1];  /* the master who did in the account's place; "": nobody */
    bool database; /* by the databases of passdb (databases.h), which gave these fields "userdb_...", as text
                    */
    char userdb[AUTH_USERDB_MAX + 1];
    msec delay_ms;                 /* the answer is held back for so long */
    struct auth_token_fault token; /* RC_PERM */
};

/* What shows who the client is. */
enum auth_proof {
    AUTH_BY_PASSWORD,
    AUTH_BY_CERTIFICATE, /* its name was found in a certificate that is trusted; there is no password */
    AUTH_BY_TOKEN /* of OAuth 2, in the place of a password; without a name it says itself whose it is */
};

struct auth_client {
    enum auth_proof proof;
    str ip, service, mechanism; /* "imap", "PLAIN" */
    str authzid;                /* as whom, when it is somebody else: only masters may */
};

/* Verifies a password: an account's, a user's of the system, or as the databases of the option passdb do. Of
 * users with a certificate the databases must ask for no password (nopassword), and users of the system are
 * only let in by databases. Tokens are for databases alone. now: clock_mono(). */
void auth_verify(struct auth *a, const struct account_lookup *l, str name, str password,
                 const struct auth_client *client, msec now, struct auth_outcome *ret);

/* For SCRAM: the keys of an account, or made-up ones that stay the same over restarts, for which no proof is
 * right
 * (*ret_account then is ""). RC_TEMP; RC_LIMIT: too many failures (filled in *ret). */
MUST_USE enum rc auth_scram_keys(struct auth *a, const struct account_lookup *l, enum crypto_hash hash,
                                 str name, str client_ip, msec now, struct scram_keys *ret_keys,
                                 char ret_account[ADDRESS_MAX + 1], struct auth_outcome *ret);
/* The end of an exchange that auth_verify did not see: counts it and fills the outcome. account "" is a
 * failure. */
void auth_conclude(struct auth *a, const struct account_lookup *l, str name, str account, str client_ip,
                   msec now, const char *why, struct auth_outcome *ret);

#endif
