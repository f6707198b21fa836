/* SRS addresses.
 *
 *   srs0      = "SRS0" sep hash "=" timestamp "=" domain "=" local
 *   srs1      = "SRS1" sep hash "=" first-forwarder "=" rest     ; rest: what stood behind "SRS0", with its
 * separator sep       = "=" / "+" / "-" timestamp = 2base32                                           ; days,
 * modulo 1024 */
#include "fmt/srs.h"

#include "base/enc.h"
#include "fmt/mailaddr.h"
#include "os/crypto.h"

enum { DAY = 86400, TIME_MODULUS = 1024, TAG = 5 /* "SRS0=" */ };

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* "SRS0" or "SRS1" by its digit, with a separator behind it. */
static bool has_tag(str local, char digit)
{
    return local.n > TAG && str_istarts(local, S("SRS")) && local.p[3] == digit &&
           strchr("=+-", local.p[4]) && local.p[4];
}

bool srs_is_rewritten(str local)
{
    return has_tag(local, '0') || has_tag(local, '1');
}

/* The hash of some parts of an address, lower-cased, one behind the other. */
static void put_hash(struct buf *out, str secret, const str *parts, size_t n, size_t length)
{
    unsigned char mac[CRYPTO_DIGEST_MAX];
    AUTO(buf_deinit) struct buf data = BUF_INIT(4096), text = BUF_INIT(100);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < parts[i].n; k++)
            buf_putc(&data, ascii_lower(parts[i].p[k]));
    crypto_hmac(CRYPTO_SHA1, secret, buf_str(&data), mac);
    enc_base64(&text, str_mem(mac, crypto_hash_size(CRYPTO_SHA1)));
    buf_puts(out, str_sub(buf_str(&text), 0, length));
}

/* Whether one of the secrets gives the hash. All are tried, in time that tells nothing about them. */
static bool hash_is_ours(const struct srs *s, str hash, const str *parts, size_t n)
{
    bool found = false;
    if (hash.n < s->hash_length || hash.n > SRS_HASH_MAX)
        return false;
    for (size_t i = 0; i < s->secret_count; i++) {
        AUTO(buf_deinit) struct buf want = BUF_INIT(SRS_HASH_MAX);
        char a[SRS_HASH_MAX], b[SRS_HASH_MAX];
        put_hash(&want, s->secrets[i], parts, n, hash.n);
        for (size_t k = 0; k < hash.n; k++) {
            a[k] = ascii_lower(hash.p[k]);
            b[k] = ascii_lower(want.p[k]);
        }
        found |= str_eq_const_time(str_mem(a, hash.n), str_mem(b, hash.n));
    }
    return found;
}

static unsigned today(const struct srs *s)
{
    return (unsigned)(s->now / DAY % TIME_MODULUS);
}

static int base32_value(char c)
{
    const char *at = c ? strchr(base32, ascii_upper(c)) : NULL;
    return at ? (int)(at - base32) : -1;
}

/* RC_GONE: older than max_age_days. The modulus makes a day in the future very old; one is allowed for
 * clocks. */
static enum rc check_time(const struct srs *s, str stamp)
{
    int high = stamp.n == 2 ? base32_value(stamp.p[0]) : -1,
        low = stamp.n == 2 ? base32_value(stamp.p[1]) : -1;
    if (high < 0 || low < 0)
        return RC_INVALID;
    unsigned then = (unsigned)high * 32 + (unsigned)low;
    unsigned age = (today(s) + 1 + TIME_MODULUS - then) % TIME_MODULUS; /* one more than it is */
    return age <= s->max_age_days + 1 ? RC_OK : RC_GONE;
}

/* Text that can stand in an unquoted local part. */
static bool is_plain(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f || strchr("\"@<>()[]\\,;:", s.p[i]))
            return false;
    return s.n > 0;
}

/* A domain that does not end where another part begins. */
static bool is_domain(str s)
{
    return is_plain(s) && str_chr(s, '=') < 0;
}

static void check_settings(const struct srs *s)
{
    must(s->secret_count >= 1 && s->secret_count <= SRS_SECRETS_MAX);
    must(s->hash_length >= SRS_HASH_MIN && s->hash_length <= SRS_HASH_MAX);
    must(s->max_age_days >= 1 && s->max_age_days <= 1000 && s->now >= 0);
    must(s->separator == '=' || s->separator == '+' || s->separator == '-');
}

static void begin(const struct srs *s, struct buf *out, char digit, const str *parts, size_t n)
{
    buf_puts(out, S("SRS"));
    buf_putc(out, digit);
    buf_putc(out, s->separator);
    put_hash(out, s->secrets[0], parts, n, s->hash_length);
    buf_putc(out, '=');
}

static void forward_first(const struct srs *s, str local, str domain, struct buf *out)
{
    unsigned day = today(s);
    char stamp[2] = {base32[day / 32], base32[day % 32]};
    begin(s, out, '0', (str[]){str_mem(stamp, 2), domain, local}, 3);
    buf_put(out, stamp, 2);
    buf_putc(out, '=');
    buf_puts(out, domain);
    buf_putc(out, '=');
    buf_puts(out, local);
}

/* The first forwarder and the rest of an SRS1 address. */
static enum rc split_srs1(str local, str *ret_hash, str *ret_host, str *ret_rest)
{
    str rest = str_from(local, TAG), hash = str_take(&rest, '='), host = str_take(&rest, '=');
    if (hash.n == 0 || host.n == 0 || rest.n < 2 || !strchr("=+-", rest.p[0]) || !rest.p[0])
        return RC_INVALID;
    *ret_hash = hash;
    *ret_host = host;
    *ret_rest = rest;
    return RC_OK;
}

static void forward_again(const struct srs *s, str host, str rest, struct buf *out)
{
    begin(s, out, '1', (str[]){host, rest}, 2);
    buf_puts(out, host);
    buf_putc(out, '=');
    buf_puts(out, rest);
}

enum rc srs_forward(const struct srs *s, str sender, struct buf *out)
{
    AUTO(buf_deinit) struct buf local_out = BUF_INIT(MAILADDR_LOCAL_MAX);
    ptrdiff_t at = str_rchr(sender, '@');
    str local = str_sub(sender, 0, at < 0 ? 0 : (size_t)at),
        domain = str_from(sender, at < 0 ? 0 : (size_t)at + 1);
    str hash, host, rest;
    check_settings(s);
    if (at < 0 || !is_plain(local) || !is_domain(domain))
        return RC_INVALID;
    if (str_ieq(domain, s->domain)) {
        buf_puts(out, sender);
        return out->overflow ? RC_LIMIT : RC_OK;
    }
    if (has_tag(local, '1')) { /* the same first forwarder, our hash */
        if (split_srs1(local, &hash, &host, &rest))
            return RC_INVALID;
        forward_again(s, host, rest, &local_out);
    } else if (has_tag(local, '0')) {
        forward_again(s, domain, str_from(local, 4), &local_out);
    } else {
        forward_first(s, local, domain, &local_out);
    }
    if (local_out.overflow || out->overflow || local_out.n + 1 + s->domain.n > out->max - out->n)
        return RC_LIMIT;
    buf_puts(out, buf_str(&local_out));
    buf_putc(out, '@');
    buf_puts(out, s->domain);
    return RC_OK;
}

static enum rc put_address(struct buf *out, str prefix, str local, str domain)
{
    if (out->overflow || prefix.n + local.n + 1 + domain.n > out->max - out->n)
        return RC_LIMIT;
    buf_puts(out, prefix);
    buf_puts(out, local);
    buf_putc(out, '@');
    buf_puts(out, domain);
    return RC_OK;
}

static enum rc reverse_first(const struct srs *s, str local, struct buf *out)
{
    str rest = str_from(local, TAG), hash = str_take(&rest, '='), stamp = str_take(&rest, '=');
    str domain = str_take(&rest, '=');
    if (stamp.n != 2 || domain.n == 0 || rest.n == 0)
        return RC_INVALID;
    if (!hash_is_ours(s, hash, (str[]){stamp, domain, rest}, 3))
        return RC_PERM;
    enum rc rc = check_time(s, stamp);
    return rc ? rc : put_address(out, STR_NONE, rest, domain);
}

enum rc srs_reverse(const struct srs *s, str local, struct buf *out)
{
    str hash, host, rest;
    check_settings(s);
    if (!is_plain(local))
        return RC_INVALID;
    if (has_tag(local, '0'))
        return reverse_first(s, local, out);
    if (!has_tag(local, '1') || split_srs1(local, &hash, &host, &rest))
        return RC_INVALID;
    if (!hash_is_ours(s, hash, (str[]){host, rest}, 2))
        return RC_PERM;
    return put_address(out, S("SRS0"), rest, host); /* its age is for the first forwarder to judge */
}
