/* auth_limit: the counts of failed log-ins behind auth.h's rules. Pure bookkeeping; time is handed in; not
 * thread-safe. */
#ifndef ACCOUNT_AUTH_LIMIT_H
#define ACCOUNT_AUTH_LIMIT_H

#include "account/throttle.h"

struct conf;

struct auth_limit {
    struct throttle *failures; /* of accounts and of networks */
    struct throttle *repeats;  /* wrong passwords that were counted already */
    struct throttle *known;    /* networks from which an account has logged in */
};

#define AUTH_KNOWN_MS ((msec)30 * 24 * 3600 * 1000)

void auth_limit_init(struct auth_limit *a);
void auth_limit_deinit(struct auth_limit *a);
/* Whether a try may be made. RC_LIMIT: *ret_why is "account" or "network". */
MUST_USE enum rc auth_limit_check(const struct auth_limit *a, const struct conf *c, str account,
                                  str client_ip, msec now, const char **ret_why);
/* credential: a keyed hash of the wrong password, empty when it is not known. Returns the delay of the
 * answer. */
msec auth_limit_failed(struct auth_limit *a, const struct conf *c, str account, str client_ip, str credential,
                       msec now);
void auth_limit_succeeded(struct auth_limit *a, str account, str client_ip, msec now);

#endif
