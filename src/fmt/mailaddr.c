/* mailaddr: the grammar of mailboxes.
 *
 *   Mailbox        = Local-part "@" ( Domain / address-literal )
 *   Local-part     = Dot-string / Quoted-string            ; RFC 5321 §4.1.2
 *   Dot-string     = Atom *("." Atom)
 *   Quoted-string  = DQUOTE *QcontentSMTP DQUOTE
 *   QcontentSMTP   = qtextSMTP / "\" %d32-126
 *   Domain         = sub-domain *("." sub-domain)
 *   sub-domain     = Let-dig [Ldh-str] / U-label           ; RFC 6531 §3.3
 *   address-literal = "[" ( IPv4-address / "IPv6:" IPv6-address ) "]"   ; RFC 5321 §4.1.3 */
#include "fmt/mailaddr.h"

#include "base/utf8.h"
#include "fmt/idn.h"
#include "fmt/ip.h"

/* atext (RFC 5322 §3.2.3), and UTF-8 beyond ASCII (RFC 6531 §3.3), whose validity is checked on the whole. */
static bool is_atext(char c)
{
    return ascii_alnum(c) || (unsigned char)c >= 0x80 || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool is_domain_byte(char c)
{
    return ascii_alnum(c) || c == '-' || c == '_' || c == '.' || (unsigned char)c >= 0x80;
}

static size_t span(str s, bool (*member)(char))
{
    size_t n = 0;
    while (n < s.n && member(s.p[n]))
        n++;
    return n;
}

static enum rc take_dot_string(str *text, str *ret)
{
    size_t n = 0;
    for (;;) {
        size_t atom = span(str_from(*text, n), is_atext);
        if (atom == 0)
            return RC_INVALID;
        n += atom;
        if (n == text->n || text->p[n] != '.')
            break;
        n++;
    }
    *ret = str_sub(*text, 0, n);
    *text = str_from(*text, n);
    return RC_OK;
}

static enum rc take_quoted_string(str *text, struct arena *a, str *ret)
{
    char plain[MAILADDR_LOCAL_MAX];
    size_t n = 0;
    for (size_t i = 1; i < text->n; i++) {
        unsigned char c = (unsigned char)text->p[i];
        if (c == '"') {
            *text = str_from(*text, i + 1);
            *ret = n ? arena_str(a, str_mem(plain, n)) : S("");
            return ret->p ? RC_OK : RC_LIMIT;
        }
        if (c == '\\')
            c = ++i < text->n ? (unsigned char)text->p[i] : '\0';
        if (c < 0x20 || c == 0x7f)
            return RC_INVALID;
        if (n == sizeof plain)
            return RC_LIMIT;
        plain[n++] = (char)c;
    }
    return RC_INVALID;
}

/* Labels of 1 to 63 bytes that neither begin nor end with a hyphen (RFC 1035 §2.3.4, RFC 5321 §4.1.2). */
static bool domain_is_valid(str domain)
{
    if (domain.n == 0 || domain.n > MAILADDR_DOMAIN_MAX || domain.p[domain.n - 1] == '.')
        return false;
    while (domain.n) {
        str label = str_take(&domain, '.');
        if (label.n == 0 || label.n > 63 || label.p[0] == '-' || label.p[label.n - 1] == '-')
            return false;
    }
    return true;
}

/* The inside of an address literal. IPv6 is the one tag that is registered. */
static bool literal_is_valid(str inside)
{
    struct ip_net ip;
    str v6 = str_from(inside, 5);
    if (str_istarts(inside, S("IPv6:")))
        return str_chr(v6, ':') >= 0 && ip_parse(v6, &ip) == RC_OK;
    return str_chr(inside, ':') < 0 && ip_parse(inside, &ip) == RC_OK;
}

enum rc mailaddr_take_domain(str *text, str *ret)
{
    size_t n;
    if (text->n && text->p[0] == '[') {
        ptrdiff_t end = str_chr(*text, ']');
        if (end < 0 || !literal_is_valid(str_sub(*text, 1, (size_t)end - 1)))
            return RC_INVALID;
        n = (size_t)end + 1;
    } else {
        n = span(*text, is_domain_byte);
        if (n > MAILADDR_DOMAIN_MAX)
            return RC_LIMIT;
        if (!domain_is_valid(str_sub(*text, 0, n)))
            return RC_INVALID;
    }
    *ret = str_sub(*text, 0, n);
    *text = str_from(*text, n);
    return RC_OK;
}

static enum rc normalise_domain(str domain, struct arena *a, str *ret)
{
    AUTO(buf_deinit) struct buf ascii = BUF_INIT(MAILADDR_DOMAIN_MAX);
    enum rc rc = idn_put_ascii(&ascii, domain);
    if (rc)
        return rc;
    if (domain.p[0] != '[' && !domain_is_valid(buf_str(&ascii)))
        return RC_INVALID;
    *ret = arena_str(a, buf_str(&ascii));
    return ret->p ? RC_OK : RC_LIMIT;
}

enum rc mailaddr_take(str *text, struct arena *a, struct mailaddr *ret)
{
    str whole = *text, local, domain;
    struct mailaddr out = {.utf8 = false};
    bool quoted = text->n && text->p[0] == '"';
    enum rc rc = quoted ? take_quoted_string(text, a, &local) : take_dot_string(text, &local);
    if (rc)
        return rc;
    if (local.n > MAILADDR_LOCAL_MAX)
        return RC_LIMIT;
    if (text->n == 0 || text->p[0] != '@')
        return RC_INVALID;
    *text = str_from(*text, 1);
    if ((rc = mailaddr_take_domain(text, &domain)))
        return rc;
    whole = str_sub(whole, 0, whole.n - text->n);
    if (!utf8_valid(whole))
        return RC_INVALID;
    if (whole.n > MAILADDR_MAX)
        return RC_LIMIT;
    out.utf8 = !utf8_is_ascii(whole);
    out.literal = domain.p[0] == '[';
    out.local = quoted ? local : arena_str(a, local);
    if (!out.local.p)
        return RC_LIMIT;
    if ((rc = normalise_domain(domain, a, &out.domain)))
        return rc;
    if (out.domain.n > domain.n && whole.n - domain.n + out.domain.n > MAILADDR_MAX)
        return RC_LIMIT; /* its A-labels are longer */
    *ret = out;
    return RC_OK;
}

enum rc mailaddr_parse(str text, struct arena *a, struct mailaddr *ret)
{
    struct mailaddr addr;
    enum rc rc = mailaddr_take(&text, a, &addr);
    if (rc == RC_OK && text.n)
        rc = RC_INVALID;
    if (rc == RC_OK)
        *ret = addr;
    return rc;
}

void mailaddr_put(struct buf *out, const struct mailaddr *addr)
{
    str rest = addr->local, dot_string;
    if (take_dot_string(&rest, &dot_string) == RC_OK && rest.n == 0) {
        buf_puts(out, addr->local);
    } else {
        buf_putc(out, '"');
        for (size_t i = 0; i < addr->local.n; i++) {
            if (addr->local.p[i] == '"' || addr->local.p[i] == '\\')
                buf_putc(out, '\\');
            buf_putc(out, addr->local.p[i]);
        }
        buf_putc(out, '"');
    }
    buf_putc(out, '@');
    buf_puts(out, addr->domain);
}

str mailaddr_str(struct arena *a, const struct mailaddr *addr)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(2 * MAILADDR_LOCAL_MAX + MAILADDR_DOMAIN_MAX + 3);
    mailaddr_put(&text, addr);
    must(!text.overflow);
    return arena_str(a, buf_str(&text));
}

bool mailaddr_split_detail(str local, str delimiters, str *ret_base, str *ret_detail)
{
    for (size_t i = 1; i < local.n; i++) {
        if (str_chr(delimiters, local.p[i]) < 0)
            continue;
        *ret_base = str_sub(local, 0, i);
        *ret_detail = str_from(local, i + 1);
        return true;
    }
    return false;
}
