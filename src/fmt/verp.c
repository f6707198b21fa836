/* local d1 recipient-local d2 recipient-domain "@" domain */
#include "fmt/verp.h"

#include "fmt/mailaddr.h"

bool verp_delimiters_are_valid(str delimiters)
{
    for (size_t i = 0; i < delimiters.n; i++)
        if (!delimiters.p[i] ||
            (!ascii_alnum(delimiters.p[i]) && !strchr("!#$%&'*+-/=?^_`{|}~", delimiters.p[i])))
            return false;
    return delimiters.n == 2;
}

static bool split(str address, str *ret_local, str *ret_domain)
{
    ptrdiff_t at = str_rchr(address, '@');
    if (at <= 0 || str_chr(address, '@') != at || (size_t)at + 1 == address.n || address.p[0] == '"')
        return false;
    *ret_local = str_sub(address, 0, (size_t)at);
    *ret_domain = str_from(address, (size_t)at + 1);
    return true;
}

enum rc verp_encode(str sender, str recipient, str delimiters, struct buf *out)
{
    str local, domain, rcpt_local, rcpt_domain;
    if (!verp_delimiters_are_valid(delimiters) || !split(sender, &local, &domain) ||
        !split(recipient, &rcpt_local, &rcpt_domain))
        return RC_INVALID;
    size_t n = local.n + 1 + rcpt_local.n + 1 + rcpt_domain.n;
    if (n > MAILADDR_LOCAL_MAX || out->overflow || n + 1 + domain.n > out->max - out->n)
        return RC_LIMIT;
    buf_puts(out, local);
    buf_putc(out, delimiters.p[0]);
    buf_puts(out, rcpt_local);
    buf_putc(out, delimiters.p[1]);
    buf_puts(out, rcpt_domain);
    buf_putc(out, '@');
    buf_puts(out, domain);
    return RC_OK;
}

/* The local part of the recipient may hold the delimiters, its domain cannot hold "=" but may hold "-": the
 * last second delimiter counts, with which both sides of "a-b=c-d" come out right for "+=". */
enum rc verp_decode(str address, str sender, str delimiters, struct buf *out)
{
    str local, domain, made, made_domain;
    if (!verp_delimiters_are_valid(delimiters) || !split(sender, &local, &domain) ||
        !split(address, &made, &made_domain))
        return RC_INVALID;
    if (!str_ieq(domain, made_domain) || !str_istarts(made, local) || made.n <= local.n ||
        made.p[local.n] != delimiters.p[0])
        return RC_INVALID;
    str rest = str_from(made, local.n + 1);
    ptrdiff_t at = str_rchr(rest, delimiters.p[1]);
    if (at <= 0 || (size_t)at + 1 == rest.n)
        return RC_INVALID;
    if (out->overflow || rest.n > out->max - out->n)
        return RC_LIMIT;
    buf_puts(out, str_sub(rest, 0, (size_t)at));
    buf_putc(out, '@');
    buf_puts(out, str_from(rest, (size_t)at + 1));
    return RC_OK;
}
