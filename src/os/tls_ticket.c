/* Session tickets (RFC 5077, RFC 8446 §4.6.1): keys live in memory only and are drawn anew every few hours.
 *
 * Two keys are held: tickets are made with the newer one, and those of the older one are still accepted (and
 * replaced), so a ticket is good for one to two periods and a stolen memory image opens no older traffic.
 * Shared by the threads of a role, hence the lock. */
#include "base/clock.h"
#include "os/tls_impl.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>

enum { TICKET_PERIOD_MS = 6 * 3600 * 1000 };

struct ticket_key {
    unsigned char name[16], cipher[32], mac[32];
    bool valid;
};

struct tls_tickets {
    pthread_mutex_t lock;
    struct ticket_key current, previous;
    msec rotate_at;
};

struct tls_tickets *tls_tickets_new(void)
{
    struct tls_tickets *t = calloc(1, sizeof *t);
    must(t && pthread_mutex_init(&t->lock, NULL) == 0);
    return t;
}

struct tls_tickets *tls_tickets_free(struct tls_tickets *t)
{
    if (t) {
        pthread_mutex_destroy(&t->lock);
        explicit_bzero(t, sizeof *t);
        free(t);
    }
    return NULL;
}

/* Call with the lock held. After two idle periods the older key is too old as well. */
static void rotate(struct tls_tickets *t)
{
    msec now = clock_mono();
    if (t->current.valid && now < t->rotate_at)
        return;
    t->previous = t->current;
    if (now >= t->rotate_at + TICKET_PERIOD_MS)
        t->previous.valid = false;
    struct ticket_key *k = &t->current;
    k->valid = RAND_bytes(k->name, sizeof k->name) == 1 &&
               RAND_priv_bytes(k->cipher, sizeof k->cipher) == 1 &&
               RAND_priv_bytes(k->mac, sizeof k->mac) == 1;
    t->rotate_at = now + TICKET_PERIOD_MS;
}

static bool set_mac(EVP_MAC_CTX *mac, struct ticket_key *k)
{
    static char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, k->mac, sizeof k->mac),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(mac, params) == 1;
}

enum {
    TICKET_ERROR = -1,
    TICKET_FULL_HANDSHAKE = 0,
    TICKET_GOOD = 1,
    TICKET_RENEW = 2
}; /* OpenSSL's answers */

static int seal(struct ticket_key *k, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                EVP_MAC_CTX *mac)
{
    if (!k->valid)
        return TICKET_FULL_HANDSHAKE;
    memcpy(name, k->name, sizeof k->name);
    if (RAND_bytes(iv, 16) != 1 || EVP_EncryptInit_ex2(cipher, EVP_aes_256_cbc(), k->cipher, iv, NULL) != 1 ||
        !set_mac(mac, k))
        return TICKET_ERROR;
    return TICKET_GOOD;
}

static int unseal(struct tls_tickets *t, const unsigned char *name, const unsigned char *iv,
                  EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    struct ticket_key *k = NULL;
    if (t->current.valid && memcmp(name, t->current.name, sizeof t->current.name) == 0)
        k = &t->current;
    else if (t->previous.valid && memcmp(name, t->previous.name, sizeof t->previous.name) == 0)
        k = &t->previous;
    if (!k)
        return TICKET_FULL_HANDSHAKE;
    if (EVP_DecryptInit_ex2(cipher, EVP_aes_256_cbc(), k->cipher, iv, NULL) != 1 || !set_mac(mac, k))
        return TICKET_ERROR;
    return k == &t->current ? TICKET_GOOD : TICKET_RENEW;
}

static int ticket_callback(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                           EVP_MAC_CTX *mac, int sealing)
{
    struct tls_tickets *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    pthread_mutex_lock(&t->lock);
    rotate(t);
    int answer = sealing ? seal(&t->current, name, iv, cipher, mac) : unseal(t, name, iv, cipher, mac);
    pthread_mutex_unlock(&t->lock);
    return answer;
}

bool tls_tickets_use(struct tls_tickets *t, SSL_CTX *ctx)
{
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* tickets need no memory here */
    return SSL_CTX_set_app_data(ctx, t) == 1 &&
           SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, ticket_callback) == 1 &&
           SSL_CTX_set_num_tickets(ctx, 1) == 1;
}
