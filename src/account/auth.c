/* Verifying log-ins: limits, the account, the password, the cache, and the count of failures. */
#include "account/auth.h"

#include "account/auth_cache.h"
#include "account/auth_limit.h"
#include "account/databases.h"
#include "conf/conf.h"

#include <pthread.h>

struct auth {
    struct auth_backend backend;
    pthread_mutex_t lock; /* around cache and limit; never held while a password is hashed */
    struct auth_cache *cache;
    struct auth_limit limit;
    char nobody[PASSWORD_STORED_MAX + 1]; /* verified in the place of an account that is not there */
};

struct auth *auth_new(const struct auth_backend *backend)
{
    struct auth *a = calloc(1, sizeof *a);
    unsigned char random[16];
    AUTO(buf_wipe) struct buf hash = BUF_INIT(PASSWORD_STORED_MAX);
    must(a && pthread_mutex_init(&a->lock, NULL) == 0);
    a->backend = *backend;
    a->cache = auth_cache_new();
    auth_limit_init(&a->limit);
    crypto_random(random, sizeof random);
    for (size_t i = 0; i < sizeof random; i++)
        random[i] |= 1; /* no NUL, which crypt(3) refuses */
    must(password_hash(PASSWORD_YESCRYPT, str_mem(random, sizeof random), &hash) == RC_OK);
    must(str_copy(a->nobody, sizeof a->nobody, buf_str(&hash)) == RC_OK);
    return a;
}

struct auth *auth_free(struct auth *a)
{
    if (!a)
        return NULL;
    auth_cache_free(a->cache);
    auth_limit_deinit(&a->limit);
    pthread_mutex_destroy(&a->lock);
    free(a);
    return NULL;
}

static void lock(struct auth *a)
{
    must(pthread_mutex_lock(&a->lock) == 0);
}

static void unlock(struct auth *a)
{
    must(pthread_mutex_unlock(&a->lock) == 0);
}

void auth_forget(struct auth *a)
{
    lock(a);
    auth_cache_clear(a->cache);
    unlock(a);
}

/* The name under which failures are counted, folded when it is an address at all. */
static str count_name(str name, struct address_key *room)
{
    return address_parse(name, room) == RC_OK ? address_text(room) : str_sub(name, 0, ADDRESS_MAX);
}

static enum rc check_limit(struct auth *a, const struct account_lookup *l, str name, str client_ip, msec now,
                           struct auth_outcome *ret)
{
    struct address_key key;
    const char *why = "";
    lock(a);
    enum rc rc = auth_limit_check(&a->limit, l->conf, count_name(name, &key), client_ip, now, &why);
    unlock(a);
    if (rc == RC_OK)
        return RC_OK;
    *ret = (struct auth_outcome){.rc = RC_TEMP, .delay_ms = l->conf->auth_failure_delay_ms};
    err_set(&ret->err, RC_TEMP, 454, "4.7.0", "too many failed log-ins, try again later");
    err_note(&ret->err, "too many failed log-ins of this %s", why);
    return RC_LIMIT;
}

static void fail(struct auth *a, const struct account_lookup *l, str name, str client_ip, str credential,
                 msec now, const char *why, struct auth_outcome *ret)
{
    struct address_key key;
    *ret = (struct auth_outcome){.rc = RC_PERM};
    lock(a);
    ret->delay_ms = auth_limit_failed(&a->limit, l->conf, count_name(name, &key), client_ip, credential, now);
    unlock(a);
    err_set(&ret->err, RC_PERM, 535, "5.7.8", "authentication failed");
    err_note(&ret->err, "%s", why);
}

static void succeed(struct auth *a, str name, str account, str client_ip, msec now, struct auth_outcome *ret)
{
    struct address_key key;
    *ret = (struct auth_outcome){.rc = RC_OK};
    must(str_copy(ret->account, sizeof ret->account, account) == RC_OK);
    lock(a);
    auth_limit_succeeded(&a->limit, count_name(name, &key), client_ip, now);
    unlock(a);
}

void auth_conclude(struct auth *a, const struct account_lookup *l, str name, str account, str client_ip,
                   msec now, const char *why, struct auth_outcome *ret)
{
    if (account.n > 0)
        succeed(a, name, account, client_ip, now, ret);
    else
        fail(a, l, name, client_ip, STR_NONE, now, why, ret);
}

/* One try that came past the limits. */
struct attempt {
    struct auth *a;
    const struct account_lookup *l;
    const struct account *account; /* NULL: there is none */
    enum auth_proof proof;
    bool system;
    str password, client_ip;
    msec now;
    unsigned char mac[AUTH_CACHE_MAC];
};

/* stored: STR_NONE of users of the system. RC_OK, RC_PERM, RC_TEMP, RC_INVALID (the stored form is of no
 * known scheme). */
static enum rc check_password(void *ctx, str user, str stored, struct err *e)
{
    struct attempt *t = ctx;
    struct auth *a = t->a;
    auth_cache_mac(a->cache, user, stored, t->password, t->mac);
    lock(a);
    bool cached = auth_cache_has(a->cache, t->mac, t->now);
    unlock(a);
    if (cached)
        return RC_OK;
    enum rc rc = RC_PERM;
    if (stored.n > 0)
        rc = password_verify(stored, t->password);
    else if (a->backend.check_system)
        rc = a->backend.check_system(a->backend.ctx, user, t->password, t->client_ip, e);
    if (rc == RC_OK && t->l->conf->auth_cache_ttl_ms > 0) {
        lock(a);
        auth_cache_put(a->cache, t->mac, t->now + t->l->conf->auth_cache_ttl_ms);
        unlock(a);
    }
    return rc;
}

static void cannot_say(const struct err *why, struct auth_outcome *ret)
{
    *ret = (struct auth_outcome){.rc = RC_TEMP};
    err_set(&ret->err, RC_TEMP, 454, "4.7.0", "temporary authentication failure");
    err_note(&ret->err, "%s", err_text(why));
}

/* Takes the time that an account's hash would take. */
static void fail_unknown(struct attempt *t, str name, const char *why, struct auth_outcome *ret)
{
    (void)!password_verify(str_c(t->a->nobody), t->password);
    auth_cache_mac(t->a->cache, name, STR_NONE, t->password, t->mac);
    fail(t->a, t->l, name, t->client_ip, str_mem(t->mac, sizeof t->mac), t->now, why, ret);
}

/* What a userdb "prefetch" will want. */
static enum rc keep_userdb(const struct database_found *found, struct auth_outcome *ret)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(AUTH_USERDB_MAX);
    struct authdb_fields kept = {.n = 0};
    for (size_t i = 0; i < found->fields.n; i++)
        if (str_starts(found->fields.v[i].name, S("userdb_")))
            must(authdb_fields_set(&kept, found->fields.v[i].name, found->fields.v[i].value) == RC_OK);
    authdb_fields_put(&text, &kept);
    return text.overflow ? RC_LIMIT : str_copy(ret->userdb, sizeof ret->userdb, buf_str(&text));
}

/* A master, and who brings a token, may log in only as somebody who is there. */
static void succeed_as(struct attempt *t, str name, const struct database_found *found,
                       struct auth_outcome *ret)
{
    struct account_identity id;
    struct err why = {0};
    str account = str_c(found->account);
    enum rc rc = RC_OK;
    if (t->proof == AUTH_BY_TOKEN) {
        rc = account_find_user(t->l, account, &id, &why);
        account = str_c(rc == RC_OK ? id.account : "");
    } else if (found->only_name) {
        rc = account_identify(t->l, account, &id, &why);
    }
    if (rc == RC_TEMP) {
        cannot_say(&why, ret);
    } else if (rc != RC_OK) {
        fail(t->a, t->l, name, t->client_ip, str_mem(t->mac, sizeof t->mac), t->now, err_text(&why), ret);
    } else {
        succeed(t->a, name, account, t->client_ip, t->now, ret);
        memcpy(ret->master, found->master, sizeof ret->master);
        ret->database = !found->only_name && t->proof != AUTH_BY_TOKEN;
    }
}

static void keep_token_fault(const struct authdb_fields *f, struct auth_token_fault *ret)
{
    ret->scope_missing = str_eq(authdb_fields_value(f, S("oauth2_error")), S("insufficient_scope"));
    (void)!str_copy(ret->scope, sizeof ret->scope, authdb_fields_value(f, S("oauth2_scope")));
    (void)!str_copy(ret->configuration, sizeof ret->configuration,
                    authdb_fields_value(f, S("oauth2_configuration")));
}

/* login_as: the user in whose place a master logs in; empty: nobody's. */
static void verify_in_databases(struct attempt *t, str name, str login_as, const struct auth_client *client,
                                struct auth_outcome *ret)
{
    const struct database_login in = {.name = name,
                                      .login_as = login_as,
                                      .password = t->password,
                                      .token = t->proof == AUTH_BY_TOKEN,
                                      .client_ip = client->ip,
                                      .service = client->service,
                                      .mechanism = client->mechanism,
                                      .check = check_password,
                                      .ctx = t};
    struct database_found found = {0};
    struct err why = {0};
    AUTO(arena_freep) struct arena *a = arena_new(DATABASES_ARENA);
    enum rc rc = databases_log_in(t->l, &in, a, &found, &why);
    auth_cache_mac(t->a->cache, name, STR_NONE, t->password,
                   t->mac); /* of what was typed, whatever was compared */
    if (rc == RC_OK) {
        succeed_as(t, name, &found, ret);
        if (ret->rc == RC_OK && keep_userdb(&found, ret) != RC_OK) {
            err_note(&why, "the passdb gives more than %d bytes of fields for the userdb", AUTH_USERDB_MAX);
            cannot_say(&why, ret);
        }
    } else if (rc == RC_TEMP) {
        cannot_say(&why, ret);
    } else if (rc == RC_GONE) {
        fail_unknown(t, name, err_text(&why), ret);
    } else {
        fail(t->a, t->l, name, t->client_ip, str_mem(t->mac, sizeof t->mac), t->now, err_text(&why), ret);
        keep_token_fault(&found.fields, &ret->token);
    }
}

static void judge(struct attempt *t, str name, struct auth_outcome *ret)
{
    struct err why = {0};
    str stored = t->system ? STR_NONE : str_c(t->account->secret.hash);
    enum rc rc =
        t->proof == AUTH_BY_CERTIFICATE ? RC_OK : check_password(t, str_c(t->account->address), stored, &why);
    if (rc == RC_OK && t->account->enabled) {
        succeed(t->a, name, str_c(t->account->address), t->client_ip, t->now, ret);
        return;
    }
    if (rc == RC_TEMP) {
        cannot_say(&why, ret);
        return;
    }
    fail(t->a, t->l, name, t->client_ip, str_mem(t->mac, sizeof t->mac), t->now,
         rc == RC_OK        ? "the account is disabled"
         : rc == RC_INVALID ? "the stored password is of no known scheme"
                            : "wrong password",
         ret);
}

void auth_verify(struct auth *a, const struct account_lookup *l, str name, str password,
                 const struct auth_client *client, msec now, struct auth_outcome *ret)
{
    struct account account = {0};
    struct attempt t = {.a = a,
                        .l = l,
                        .account = &account,
                        .proof = client->proof,
                        .password = password,
                        .client_ip = client->ip,
                        .now = now};
    struct err why = {0};
    str login_as = client->authzid;
    if (check_limit(a, l, name, client->ip, now, ret) != RC_OK)
        return;
    if (l->databases && client->proof == AUTH_BY_PASSWORD)
        databases_split_master(l->conf, &name, &login_as);
    if (l->databases && (login_as.n > 0 || client->proof == AUTH_BY_TOKEN)) {
        verify_in_databases(&t, name, login_as, client, ret);
        return;
    }
    enum rc rc =
        client->proof == AUTH_BY_TOKEN ? RC_GONE : account_find_login(l, name, &account, &t.system, &why);
    if (rc == RC_OK && t.system && (!a->backend.check_system || client->proof == AUTH_BY_CERTIFICATE))
        rc = RC_GONE;
    if (rc == RC_OK)
        judge(&t, name, ret);
    else if (rc == RC_GONE && l->databases)
        verify_in_databases(&t, name, S(""), client, ret);
    else if (rc == RC_GONE)
        fail_unknown(&t, name,
                     client->proof == AUTH_BY_TOKEN ? "there is no passdb for tokens" : "unknown user", ret);
    else
        cannot_say(&why, ret);
    account_secret_wipe(&account.secret);
}

/* Keys that no password has, with a salt that is the same each time: strangers cannot tell which accounts
 * exist. */
static void make_up_keys(const struct account_lookup *l, enum crypto_hash hash, str name,
                         struct scram_keys *ret)
{
    unsigned char key[ACCOUNT_KEY_SIZE], salt[CRYPTO_DIGEST_MAX];
    struct address_key folded;
    AUTO(buf_wipe) struct buf text = BUF_INIT(ADDRESS_MAX + 32);
    buf_printf(&text, "scram salt %d ", (int)hash);
    buf_puts(&text, count_name(name, &folded));
    account_db_key(l->db, key);
    crypto_hmac(CRYPTO_SHA256, str_mem(key, sizeof key), buf_str(&text), salt);
    *ret = (struct scram_keys){.hash = hash, .iterations = SCRAM_ITERATIONS, .salt_n = SCRAM_SALT_SIZE};
    memcpy(ret->salt, salt, SCRAM_SALT_SIZE);
    crypto_random(ret->stored_key, sizeof ret->stored_key);
    crypto_random(ret->server_key, sizeof ret->server_key);
    crypto_wipe(key, sizeof key);
}

/* The keys of a user of the databases of passdb, in *ret as of an account: stored ones, or made of a stored
 * clear password. RC_GONE: there are none. */
static enum rc find_stored(const struct account_lookup *l, enum crypto_hash hash, str name, str client_ip,
                           struct account *ret, struct err *e)
{
    const struct database_login in = {.name = name,
                                      .client_ip = client_ip,
                                      .look_up = true,
                                      .mechanism =
                                          hash == CRYPTO_SHA1 ? S("SCRAM-SHA-1") : S("SCRAM-SHA-256")};
    struct database_found found;
    AUTO(arena_freep) struct arena *a = arena_new(DATABASES_ARENA);
    AUTO(buf_wipe) struct buf text = BUF_INIT(PASSWORD_STORED_MAX);
    enum rc rc = databases_log_in(l, &in, a, &found, e);
    if (rc != RC_OK)
        return rc == RC_TEMP ? rc : RC_GONE;
    str stored = authdb_fields_value(&found.fields, S("password")), data = stored;
    str scheme = str_from(str_take(&data, '}'), 1);
    struct scram_keys keys;
    if (str_ieq(scheme, S("PLAIN")) || str_ieq(scheme, S("CLEAR")) || str_ieq(scheme, S("CLEARTEXT"))) {
        scram_keys_make(hash, data, &keys);
        scram_keys_put(&text, &keys);
        crypto_wipe(&keys, sizeof keys);
    } else {
        buf_puts(&text, stored);
    }
    *ret = (struct account){.enabled = true};
    char *room = hash == CRYPTO_SHA1 ? ret->secret.scram_sha_1 : ret->secret.scram_sha_256;
    if (text.overflow || str_copy(room, PASSWORD_STORED_MAX + 1, buf_str(&text)) != RC_OK)
        return RC_GONE;
    memcpy(ret->address, found.account, sizeof ret->address);
    return RC_OK;
}

enum rc auth_scram_keys(struct auth *a, const struct account_lookup *l, enum crypto_hash hash, str name,
                        str client_ip, msec now, struct scram_keys *ret_keys,
                        char ret_account[ADDRESS_MAX + 1], struct auth_outcome *ret)
{
    struct account account = {0};
    struct err why = {0};
    bool system = false;
    if (check_limit(a, l, name, client_ip, now, ret) != RC_OK)
        return RC_LIMIT;
    enum rc rc = account_find_login(l, name, &account, &system, &why);
    if (rc == RC_GONE && l->databases)
        rc = find_stored(l, hash, name, client_ip, &account, &why);
    if (rc != RC_OK && rc != RC_GONE) {
        cannot_say(&why, ret);
        return RC_TEMP;
    }
    const char *stored = hash == CRYPTO_SHA1 ? account.secret.scram_sha_1 : account.secret.scram_sha_256;
    bool usable =
        rc == RC_OK && !system && account.enabled && scram_keys_parse(str_c(stored), ret_keys) == RC_OK;
    if (usable)
        memcpy(ret_account, account.address, ADDRESS_MAX + 1);
    else
        ret_account[0] = '\0';
    if (!usable || ret_keys->hash != hash) {
        make_up_keys(l, hash, name, ret_keys);
        ret_account[0] = '\0';
    }
    account_secret_wipe(&account.secret);
    return RC_OK;
}
