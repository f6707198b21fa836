/* The keys that tokens are signed with: a set of them (RFC 7517) from a file or a server, or a folder with a
 * file for each, as Dovecot's local_validation_key_dict names it.
 *
 * A set of a server is asked for anew each hour, and when a token names a key that is not in it, but once a
 * minute at most, whatever tokens come; as long as there are none, once a second. While it cannot be had the
 * old keys count. */
#include "table/oauth2_impl.h"

#include "os/file.h"

enum { FRESH_MS = 3600 * 1000, AGAIN_MS = 60 * 1000, RETRY_MS = 1000, PEM_FILE_MAX = 16384 };

static void drop(struct oauth2_key *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(v[i].kid);
        free(v[i].alg);
        signature_key_free(v[i].key);
    }
}

void oauth2_keys_deinit(struct oauth2_keys *k)
{
    drop(k->v, k->n);
    pthread_mutex_destroy(&k->lock);
}

static size_t make_keys(const struct jwk *from, size_t n, struct oauth2_key *ret)
{
    size_t made = 0;
    for (size_t i = 0; i < n; i++) {
        struct signature_key *key;
        enum rc rc = from[i].type == JWK_RSA ? signature_key_rsa(from[i].n, from[i].e, &key)
                                             : signature_key_ec(from[i].curve, from[i].x, from[i].y, &key);
        if (rc == RC_OK)
            ret[made++] = (struct oauth2_key){str_dup(from[i].kid), str_dup(from[i].alg), key};
    }
    return made;
}

enum rc oauth2_keys_take(struct oauth2_keys *k, str set)
{
    AUTO(arena_freep) struct arena *a = arena_new(OAUTH2_ARENA);
    struct jwk list[OAUTH2_KEYS_MAX];
    struct oauth2_key fresh[OAUTH2_KEYS_MAX];
    size_t n;
    if (jwk_read_set(set, a, OAUTH2_KEYS_MAX, list, &n) != RC_OK)
        return RC_INVALID;
    n = make_keys(list, n, fresh);
    if (n == 0)
        return RC_INVALID;
    must(pthread_mutex_lock(&k->lock) == 0);
    drop(k->v, k->n);
    memcpy(k->v, fresh, n * sizeof *fresh);
    k->n = n;
    must(pthread_mutex_unlock(&k->lock) == 0);
    return RC_OK;
}

/* RC_OK, RC_PERM; RC_GONE: there is no key of that name. */
static enum rc check_with_set(struct oauth2_keys *k, const struct jwt *token)
{
    enum rc rc = RC_GONE;
    must(pthread_mutex_lock(&k->lock) == 0);
    for (size_t i = 0; i < k->n && rc != RC_OK; i++) {
        str kid = str_c(k->v[i].kid), alg = str_c(k->v[i].alg);
        if ((token->kid.n > 0 && !str_eq(kid, token->kid)) || (alg.n > 0 && !str_eq(alg, token->alg)))
            continue;
        rc = signature_check(k->v[i].key, token->alg, token->signed_text, token->signature);
    }
    must(pthread_mutex_unlock(&k->lock) == 0);
    return rc == RC_INVALID ? RC_PERM : rc;
}

/* Whether the set has to be asked for; who is told so does it. */
static bool is_due(struct oauth2_keys *k, bool lacks_one)
{
    msec now = clock_mono();
    must(pthread_mutex_lock(&k->lock) == 0);
    bool old = k->fetched == 0 || now - k->fetched > FRESH_MS;
    bool due = (old || lacks_one) && (k->tried == 0 || now - k->tried > (k->n > 0 ? AGAIN_MS : RETRY_MS));
    if (due)
        k->tried = now;
    must(pthread_mutex_unlock(&k->lock) == 0);
    return due;
}

static enum rc fetch_set(struct table *t, msec deadline, struct err *e)
{
    struct oauth2 *o = t->state;
    AUTO(buf_deinit) struct buf body = BUF_INIT(OAUTH2_ANSWER_MAX);
    enum rc rc = oauth2_fetch(t, &(struct oauth2_request){.place = &o->key_set}, deadline, &body, e);
    if (rc != RC_OK)
        return rc == RC_GONE ? table_fail(t, e, RC_TEMP, "jwks: the server gives no keys") : rc;
    if (oauth2_keys_take(&o->keys, buf_str(&body)) != RC_OK)
        return table_fail(t, e, RC_TEMP, "jwks: what the server gives has no key that is of use");
    must(pthread_mutex_lock(&o->keys.lock) == 0);
    o->keys.fetched = clock_mono();
    must(pthread_mutex_unlock(&o->keys.lock) == 0);
    return RC_OK;
}

/* --- a folder of keys --- */

/* A part of a path from a token: "/" and "%" stand as "%2f" and "%25", as Dovecot has it. */
static void put_part(struct buf *out, str part)
{
    buf_putc(out, '/');
    if (part.n > 0 && part.p[0] == '.') { /* neither ".." nor hidden files */
        buf_puts(out, S("%2e"));
        part = str_from(part, 1);
    }
    for (size_t i = 0; i < part.n; i++) {
        if (part.p[i] == '/' || part.p[i] == '%' || part.p[i] == '\0')
            buf_printf(out, "%%%02x", (unsigned)(unsigned char)part.p[i]);
        else
            buf_putc(out, part.p[i]);
    }
}

/* FOLDER/AZP/ALG/KID */
static enum rc check_with_file(const struct oauth2 *o, const struct jwt *token, const char **ret_why)
{
    AUTO(buf_deinit) struct buf path = BUF_INIT(4096), pem = BUF_INIT(PEM_FILE_MAX);
    AUTO(signature_key_freep) struct signature_key *key = NULL;
    str azp = json_find_text(token->claims, S("azp"));
    buf_puts(&path, o->key_folder);
    put_part(&path, azp.n > 0 ? azp : S("default"));
    put_part(&path, token->alg);
    put_part(&path, token->kid.n > 0 ? token->kid : S("default"));
    if (path.overflow || file_read(buf_cstr(&path), &pem) != RC_OK ||
        signature_key_pem(buf_str(&pem), &key) != RC_OK) {
        *ret_why = "there is no key for the token";
        return RC_PERM;
    }
    *ret_why = "the token's signature is wrong";
    return signature_check(key, token->alg, token->signed_text, token->signature) == RC_OK ? RC_OK : RC_PERM;
}

enum rc oauth2_keys_check(struct table *t, const struct jwt *token, msec deadline, const char **ret_why,
                          struct err *e)
{
    struct oauth2 *o = t->state;
    struct err why = {0};
    enum rc fetched = RC_OK;
    if (o->key_folder.n > 0)
        return check_with_file(o, token, ret_why);
    if (o->key_set.url.host.p && is_due(&o->keys, false))
        fetched = fetch_set(t, deadline, &why);
    enum rc rc = check_with_set(&o->keys, token);
    if (rc == RC_GONE && o->key_set.url.host.p && is_due(&o->keys, true)) {
        fetched = fetch_set(t, deadline, &why);
        rc = check_with_set(&o->keys, token);
    }
    if (rc == RC_GONE && (fetched != RC_OK || o->keys.n == 0)) {
        *e = why;
        return fetched != RC_OK ? RC_TEMP : table_fail(t, e, RC_TEMP, "jwks: there are no keys yet");
    }
    *ret_why = rc == RC_GONE ? "there is no key for the token" : "the token's signature is wrong";
    return rc == RC_OK ? RC_OK : RC_PERM;
}
