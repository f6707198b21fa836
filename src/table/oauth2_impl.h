/* oauth2_impl: shared by oauth2.c, oauth2_keys.c and oauth2_fetch.c only. */
#ifndef TABLE_OAUTH2_IMPL_H
#define TABLE_OAUTH2_IMPL_H

#include "fmt/http_url.h"
#include "fmt/jwt.h"
#include "fmt/oauth2.h"
#include "os/signature.h"
#include "os/tls_client.h"
#include "table/server.h"
#include "table/users.h"

#include <pthread.h>

enum { OAUTH2_ANSWER_MAX = 64 << 10, OAUTH2_KEYS_MAX = 32, OAUTH2_ARENA = 1 << 20 };

struct oauth2_place { /* url.host.p NULL: it is not set */
    struct http_url url;
    struct server server;
};

enum oauth2_mode { OAUTH2_ASK_BEARER, OAUTH2_ASK_GET, OAUTH2_ASK_POST, OAUTH2_LOCAL };

struct oauth2_key {
    char *kid, *alg;
    struct signature_key *key;
};

struct oauth2_keys {
    pthread_mutex_t lock;
    struct oauth2_key v[OAUTH2_KEYS_MAX];
    size_t n;
    msec fetched, tried; /* clock_mono(); 0: never */
};

struct oauth2 {
    struct table_texts *settings;
    struct oauth2_rules rules;
    struct oauth2_place token_info, introspection, key_set;
    str key_folder; /* "": none */
    int mode;
    struct tls_client *tls; /* NULL: nothing is asked over TLS, or not from here */
    struct oauth2_keys keys;
};

/* --- oauth2_fetch.c --- */
/* RC_PERM with *e filled: it is no address. A setting that is empty leaves *ret as it is. */
MUST_USE enum rc oauth2_set_place(struct table *t, const char *name, struct oauth2_place *ret, struct err *e);
struct oauth2_request {
    const struct oauth2_place *place;
    str more;          /* behind the path */
    str authorization; /* of the place's own when empty */
    str form;
};
/* RC_OK: the body of an answer of status 200; RC_GONE: one that refuses what was asked (400, 401, 403);
 * RC_TEMP with *e filled: all else. */
MUST_USE enum rc oauth2_fetch(struct table *t, const struct oauth2_request *q, msec deadline,
                              struct buf *body, struct err *e);

/* --- oauth2_keys.c --- */
/* Replaces the keys by those of a set. RC_INVALID: it is none, or has no key that is of use; nothing changed.
 */
MUST_USE enum rc oauth2_keys_take(struct oauth2_keys *k, str set);
void oauth2_keys_deinit(struct oauth2_keys *k);
/* Whether the token was signed by one of the keys. RC_OK; RC_PERM: it was not, *ret_why says so; RC_TEMP with
 * *e filled: the keys cannot be had now. */
MUST_USE enum rc oauth2_keys_check(struct table *t, const struct jwt *token, msec deadline,
                                   const char **ret_why, struct err *e);

#endif
