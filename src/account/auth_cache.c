/* A direct-mapped table of keyed hashes: a newer log-in may push an older one out, which then only costs
 * time. */
#include "account/auth_cache.h"

#include "base/buf.h"
#include "os/crypto.h"
#include "os/secret_pages.h"

struct auth_cache {
    unsigned char key[32];
    struct {
        unsigned char mac[AUTH_CACHE_MAC];
        msec expires;
    } entry[AUTH_CACHE_ENTRIES];
};

struct auth_cache *auth_cache_new(void)
{
    struct auth_cache *c = secret_pages_new(sizeof *c);
    crypto_random(c->key, sizeof c->key);
    return c;
}

struct auth_cache *auth_cache_free(struct auth_cache *c)
{
    return secret_pages_free(c, sizeof *c);
}

void auth_cache_mac(const struct auth_cache *c, str account, str stored, str password,
                    unsigned char ret[AUTH_CACHE_MAC])
{
    AUTO(buf_wipe) struct buf text = BUF_INIT(16 << 10);
    str parts[] = {account, stored, password};
    for (int i = 0; i < 3; i++) {
        buf_put(&text, &parts[i].n, sizeof parts[i].n); /* lengths keep the parts apart */
        buf_puts(&text, parts[i]);
    }
    must(!text.overflow);
    crypto_hmac(CRYPTO_SHA256, str_mem(c->key, sizeof c->key), buf_str(&text), ret);
}

static size_t place(const unsigned char *mac)
{
    uint32_t n;
    memcpy(&n, mac, sizeof n);
    return n % AUTH_CACHE_ENTRIES;
}

bool auth_cache_has(const struct auth_cache *c, const unsigned char mac[AUTH_CACHE_MAC], msec now)
{
    size_t i = place(mac);
    return c->entry[i].expires > now &&
           str_eq_const_time(str_mem(c->entry[i].mac, AUTH_CACHE_MAC), str_mem(mac, AUTH_CACHE_MAC));
}

void auth_cache_put(struct auth_cache *c, const unsigned char mac[AUTH_CACHE_MAC], msec expires)
{
    size_t i = place(mac);
    memcpy(c->entry[i].mac, mac, AUTH_CACHE_MAC);
    c->entry[i].expires = expires;
}

void auth_cache_clear(struct auth_cache *c)
{
    crypto_wipe(c->entry, sizeof c->entry);
}
