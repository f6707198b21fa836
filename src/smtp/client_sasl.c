/* The client's side of SASL: PLAIN (RFC 4616), LOGIN, XOAUTH2, SCRAM (RFC 5802, RFC 7677) without channel
 * binding. */
#include "account/scram_keys.h"
#include "base/enc.h"
#include "fmt/sasl.h"
#include "fmt/saslprep.h"
#include "fmt/scram.h"
#include "smtp/client_impl.h"

enum { NONCE_BYTES = 18 }; /* 24 characters of base64 */

struct client_sasl {
    enum ehlo_auth mechanism;
    const struct smtp_client_auth *auth;
    int step;
    bool done;
    /* SCRAM */
    struct buf nonce, transcript;               /* transcript: client-first-bare, then the AuthMessage */
    unsigned char signature[CRYPTO_DIGEST_MAX]; /* that the server must show */
};

static bool is_scram(const struct client_sasl *s)
{
    return s->mechanism == EHLO_AUTH_SCRAM_SHA_1 || s->mechanism == EHLO_AUTH_SCRAM_SHA_256;
}

static enum crypto_hash hash_of(const struct client_sasl *s)
{
    return s->mechanism == EHLO_AUTH_SCRAM_SHA_1 ? CRYPTO_SHA1 : CRYPTO_SHA256;
}

struct client_sasl *client_sasl_new(enum ehlo_auth mechanism, const struct smtp_client_auth *auth)
{
    struct client_sasl *s = calloc(1, sizeof *s);
    must(s);
    s->mechanism = mechanism;
    s->auth = auth;
    s->done = !is_scram(s);
    buf_init(&s->nonce, SCRAM_NONCE_MAX);
    buf_init(&s->transcript, 3 * SCRAM_MESSAGE_MAX);
    return s;
}

struct client_sasl *client_sasl_free(struct client_sasl *s)
{
    if (s) {
        buf_wipe(&s->nonce);
        buf_wipe(&s->transcript);
        crypto_wipe(s, sizeof *s);
        free(s);
    }
    return NULL;
}

void client_sasl_freep(struct client_sasl **s)
{
    *s = client_sasl_free(*s);
}

bool client_sasl_is_done(const struct client_sasl *s)
{
    return s->done;
}

static void scram_first(struct client_sasl *s, struct buf *ret)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(SASL_NAME_MAX * 4);
    unsigned char random[NONCE_BYTES];
    crypto_random(random, sizeof random);
    enc_base64(&s->nonce, str_mem(random, sizeof random));
    if (saslprep(s->auth->user, false, &name) != RC_OK) {
        buf_reset(&name);
        buf_puts(&name, s->auth->user);
    }
    struct scram_client_first first = {
        .binding = SCRAM_BINDING_NONE, .name = buf_str(&name), .nonce = buf_str(&s->nonce)};
    scram_client_first_put(ret, &first);
    buf_puts(&s->transcript, str_from(buf_str(ret), 3)); /* without "n,," */
}

bool client_sasl_first(struct client_sasl *s, struct buf *ret)
{
    const struct smtp_client_auth *a = s->auth;
    switch (s->mechanism) {
    case EHLO_AUTH_PLAIN:
        sasl_plain_put(ret, &(struct sasl_plain){.authcid = a->user, .password = a->password});
        return true;
    case EHLO_AUTH_XOAUTH2:
        buf_printf(ret, "user=" STR_FMT "\001auth=Bearer ", STR_ARG(a->user));
        buf_puts(ret, a->token);
        buf_puts(ret, S("\001\001"));
        return true;
    case EHLO_AUTH_LOGIN:
        return false;
    default:
        scram_first(s, ret);
        return true;
    }
}

/* RFC 5802 §3: the proof, and what the server must answer. salt: raw bytes. */
static void scram_prove(struct client_sasl *s, str password, str salt, uint32_t iterations, struct buf *ret)
{
    unsigned char proof[CRYPTO_DIGEST_MAX];
    struct scram_keys keys;
    enum crypto_hash hash = hash_of(s);
    scram_keys_derive(hash, password, salt, iterations, &keys);
    scram_keys_sign(&keys, buf_str(&s->transcript), s->signature);
    scram_client_proof(hash, password, salt, iterations, buf_str(&s->transcript), proof);
    scram_proof_put(ret, str_mem(proof, crypto_hash_size(hash)));
    crypto_wipe(&keys, sizeof keys);
    crypto_wipe(proof, sizeof proof);
}

static enum rc scram_final(struct client_sasl *s, str challenge, struct buf *ret)
{
    struct scram_server_first first;
    AUTO(buf_deinit) struct buf salt = BUF_INIT(SCRAM_SALT_MAX);
    AUTO(buf_wipe) struct buf password = BUF_INIT(SASL_PASSWORD_MAX * 4);
    if (scram_server_first_parse(challenge, &first) != RC_OK || enc_base64_decode(&salt, first.salt) != RC_OK)
        return RC_INVALID;
    if (!str_starts(first.nonce, buf_str(&s->nonce)) || first.nonce.n == s->nonce.n)
        return RC_INVALID; /* RFC 5802 §5.1: the server's part of the nonce is missing, or ours is another */
    must(buf_room(&password, password.max));
    if (saslprep(s->auth->password, false, &password) != RC_OK)
        return RC_INVALID;
    scram_client_final_put(ret, S("n,,"), first.nonce);
    buf_putc(&s->transcript, ',');
    buf_puts(&s->transcript, challenge);
    buf_putc(&s->transcript, ',');
    buf_puts(&s->transcript, buf_str(ret));
    if (s->transcript.overflow)
        return RC_INVALID;
    scram_prove(s, buf_str(&password), buf_str(&salt), first.iterations, ret);
    return RC_OK;
}

static enum rc scram_check(struct client_sasl *s, str challenge)
{
    struct scram_server_final final;
    AUTO(buf_deinit) struct buf shown = BUF_INIT(SCRAM_KEY_MAX);
    if (scram_server_final_parse(challenge, &final) != RC_OK || final.error.n ||
        enc_base64_decode(&shown, final.verifier) != RC_OK)
        return RC_INVALID;
    s->done = str_eq_const_time(buf_str(&shown), str_mem(s->signature, crypto_hash_size(hash_of(s))));
    return s->done ? RC_OK : RC_INVALID; /* the response is empty */
}

enum rc client_sasl_next(struct client_sasl *s, str challenge, struct buf *ret)
{
    int step = s->step++;
    if (s->mechanism == EHLO_AUTH_LOGIN && step < 2) {
        buf_puts(ret, step == 0 ? s->auth->user : s->auth->password);
        return RC_OK;
    }
    if (s->mechanism == EHLO_AUTH_XOAUTH2 && step == 0)
        return RC_OK; /* the challenge is an error in JSON; an empty response brings the real reply */
    if (is_scram(s) && step == 0)
        return scram_final(s, challenge, ret);
    if (is_scram(s) && step == 1)
        return scram_check(s, challenge);
    return RC_INVALID;
}
