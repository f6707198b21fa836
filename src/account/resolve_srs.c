/* The sender of what is forwarded, and the way back (fmt/srs.h). The secret is srs_secret, or one that is
 * made of the account database's random key and so lives as long as that. */
#include "account/resolve_impl.h"

#include "base/clock.h"
#include "conf/conf.h"
#include "fmt/mailaddr.h"
#include "fmt/srs.h"
#include "os/crypto.h"

enum {
    SRS_HASH_LENGTH = 8,
    SRS_MAX_AGE_DAYS = 21,
    SRS_ADDRESS_MAX = MAILADDR_LOCAL_MAX + 1 + MAILADDR_DOMAIN_MAX
};

struct secret {
    unsigned char mac[CRYPTO_DIGEST_MAX];
    str text;
};

static str srs_domain(const struct conf *c)
{
    return str_c(c->srs_domain[0] ? c->srs_domain : c->hostname);
}

static void get_secret(const struct account_lookup *l, struct secret *ret)
{
    unsigned char key[ACCOUNT_KEY_SIZE];
    ret->text = str_c(l->conf->srs_secret);
    if (ret->text.n > 0)
        return;
    account_db_key(l->db, key);
    crypto_hmac(CRYPTO_SHA256, str_mem(key, sizeof key), S("srs"), ret->mac);
    ret->text = str_mem(ret->mac, crypto_hash_size(CRYPTO_SHA256));
    crypto_wipe(key, sizeof key);
}

static struct srs settings_of(const struct account_lookup *l, const struct secret *secret)
{
    return (struct srs){.domain = srs_domain(l->conf),
                        .secrets = &secret->text,
                        .secret_count = 1,
                        .separator = '=',
                        .hash_length = SRS_HASH_LENGTH,
                        .max_age_days = SRS_MAX_AGE_DAYS,
                        .now = clock_seconds()};
}

enum rc resolve_srs(struct resolver *r, str address, unsigned depth, struct err *e)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(SRS_ADDRESS_MAX);
    struct secret secret;
    ptrdiff_t at = str_rchr(address, '@');
    str local = str_sub(address, 0, at < 0 ? 0 : (size_t)at);
    if (at < 0 || !r->l->conf->srs_enable || !srs_is_rewritten(local) ||
        !str_ieq(str_from(address, (size_t)at + 1), srs_domain(r->l->conf)))
        return RC_GONE;
    get_secret(r->l, &secret);
    const struct srs s = settings_of(r->l, &secret);
    enum rc rc = srs_reverse(&s, local, &out);
    crypto_wipe(secret.mac, sizeof secret.mac);
    if (rc == RC_OK) {
        str back = arena_str(r->a, buf_str(&out));
        return arena_exhausted(r->a) ? resolve_too_many(e) : resolve_follow(r, back, depth + 1, e);
    }
    r->dead = address;
    if (depth > 0)
        return RC_OK;
    return err_set(e, RC_PERM, 550, "5.1.1",
                   rc == RC_GONE ? "the return address is too old" : "the return address is not one of ours");
}

enum rc account_forwarded_sender(const struct account_lookup *l, str sender, struct arena *a, str *ret,
                                 struct err *e)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(SRS_ADDRESS_MAX);
    struct secret secret;
    enum rc rc = RC_OK;
    ptrdiff_t at = str_rchr(sender, '@');
    str domain = at < 0 ? STR_NONE : str_from(sender, (size_t)at + 1);
    *ret = sender;
    if (domain.n > 0 && l->conf->srs_enable)
        rc = account_domain_is_local(l, domain, e);
    if (rc != RC_GONE)
        return rc;
    get_secret(l, &secret);
    const struct srs s = settings_of(l, &secret);
    rc = srs_forward(&s, sender, &out);
    crypto_wipe(secret.mac, sizeof secret.mac);
    if (rc == RC_OK)
        *ret = arena_str(a, buf_str(&out));
    /* what does not fit 64 bytes, or is quoted, goes unchanged */
    return arena_exhausted(a) ? err_set(e, RC_TEMP, 451, "4.3.0", "Insufficient system resources") : RC_OK;
}
