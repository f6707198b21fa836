/* Addresses brought to the form in which they are compared. */
#include "account/address.h"

#include "fmt/idn.h"
#include "fmt/mailaddr.h"
#include "fmt/unicode.h"

/* quoted-string = DQUOTE *( qtextSMTP / quoted-pairSMTP ) DQUOTE (RFC 5321 §4.1.2) */
static enum rc put_unquoted(str local, struct buf *out)
{
    if (!str_starts(local, S("\""))) {
        buf_puts(out, local);
        return RC_OK;
    }
    if (local.n < 2 || !str_ends(local, S("\"")))
        return RC_INVALID;
    str inner = str_sub(local, 1, local.n - 2);
    for (size_t i = 0; i < inner.n; i++) {
        if (inner.p[i] == '\\' && ++i == inner.n)
            return RC_INVALID;
        buf_putc(out, inner.p[i]);
    }
    return RC_OK;
}

enum rc address_put_domain(str domain, struct buf *out)
{
    str rest = domain, name;
    if (str_ends(rest, S(".")))
        rest.n--;
    if (mailaddr_take_domain(&rest, &name) != RC_OK || rest.n > 0)
        return RC_INVALID;
    return idn_put_ascii(out, name);
}

static bool has_control(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return true;
    }
    return false;
}

enum rc address_join(str local, str domain, struct address_key *ret)
{
    struct address_key key = {.local_n = local.n, .n = local.n + (domain.n > 0) + domain.n};
    if (key.n > ADDRESS_MAX)
        return RC_LIMIT;
    if (local.n > 0)
        memcpy(key.text, local.p, local.n);
    if (domain.n > 0) {
        key.text[local.n] = '@';
        memcpy(key.text + local.n + 1, domain.p, domain.n);
    }
    *ret = key;
    return RC_OK;
}

enum rc address_parse(str address, struct address_key *ret)
{
    AUTO(buf_deinit) struct buf plain = BUF_INIT(ADDRESS_MAX), local = BUF_INIT(ADDRESS_MAX);
    AUTO(buf_deinit) struct buf domain = BUF_INIT(DOMAIN_MAX);
    ptrdiff_t at = str_rchr(address, '@');
    str before = at < 0 ? address : str_sub(address, 0, (size_t)at);
    if (address.n == 0 || has_control(address))
        return RC_INVALID;
    enum rc rc = put_unquoted(before, &plain);
    if (rc == RC_OK)
        rc = plain.overflow ? RC_LIMIT : unicode_casefold(buf_str(&plain), &local);
    if (rc == RC_OK && at >= 0)
        rc = address_put_domain(str_from(address, (size_t)at + 1), &domain);
    if (rc == RC_OK)
        rc = address_join(buf_str(&local), buf_str(&domain), ret);
    return rc;
}

bool address_is_safe_name(const struct address_key *key)
{
    str s = address_local(key);
    if (s.n == 0 || s.p[0] == '.' || s.p[0] == '-' || s.p[s.n - 1] == '.')
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (strchr("/:@\\\"<>(),;[] \t", s.p[i]) || (unsigned char)s.p[i] < ' ')
            return false;
    }
    return true;
}
