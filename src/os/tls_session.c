/* A client's sessions for resumption (RFC 8446 §2.2, RFC 5077): a table of fixed size.
 *
 * A key is the SHA-256 of all that a session depends on, so its first bytes choose the slot and a collision
 * only costs a full handshake. A ticket is used until the server sends another or it is too old: what RFC
 * 8446 §C.4 warns of, being recognised, is nothing new to the servers that a mail host connects to. OpenSSL
 * marks a session that was used once as spent, so the table keeps and gives copies. Shared by the threads of
 * a role, hence the lock. */
#include "base/clock.h"
#include "os/tls_impl.h"

#include <pthread.h>

enum { SLOTS = 1024, LIFETIME_MS = 3600 * 1000 };

struct slot {
    unsigned char key[TLS_SESSION_KEY_BYTES];
    SSL_SESSION *session; /* NULL: empty */
    msec expires;
};

struct tls_sessions {
    pthread_mutex_t lock;
    struct slot slots[SLOTS];
};

struct tls_sessions *tls_sessions_new(void)
{
    struct tls_sessions *t = calloc(1, sizeof *t);
    must(t && pthread_mutex_init(&t->lock, NULL) == 0);
    return t;
}

static void empty(struct slot *slot)
{
    SSL_SESSION_free(slot->session);
    slot->session = NULL;
}

struct tls_sessions *tls_sessions_free(struct tls_sessions *t)
{
    if (t) {
        for (size_t i = 0; i < SLOTS; i++)
            empty(&t->slots[i]);
        pthread_mutex_destroy(&t->lock);
        free(t);
    }
    return NULL;
}

static struct slot *slot_of(struct tls_sessions *t, const unsigned char *key)
{
    return &t->slots[(key[0] | (size_t)key[1] << 8) % SLOTS];
}

void tls_sessions_put(struct tls_sessions *t, const unsigned char key[TLS_SESSION_KEY_BYTES],
                      const SSL_SESSION *session)
{
    SSL_SESSION *copy = SSL_SESSION_dup(session);
    pthread_mutex_lock(&t->lock);
    struct slot *slot = slot_of(t, key);
    empty(slot);
    memcpy(slot->key, key, sizeof slot->key);
    slot->session = copy;
    slot->expires = clock_mono() + LIFETIME_MS;
    pthread_mutex_unlock(&t->lock);
}

SSL_SESSION *tls_sessions_find(struct tls_sessions *t, const unsigned char key[TLS_SESSION_KEY_BYTES])
{
    SSL_SESSION *found = NULL;
    pthread_mutex_lock(&t->lock);
    struct slot *slot = slot_of(t, key);
    if (slot->session && memcmp(slot->key, key, sizeof slot->key) == 0) {
        if (clock_mono() >= slot->expires)
            empty(slot);
        else
            found = SSL_SESSION_dup(slot->session);
    }
    pthread_mutex_unlock(&t->lock);
    return found;
}
