/* The wrapper of libidn2: the one file that includes its header. */
#include "fmt/idn.h"

#include "base/utf8.h"

#include <idn2.h>

static void idn_freep(char **s)
{
    idn2_free(*s);
}

/* The library maps what only looks like a letter: a full-width "/" becomes "/", a wide space a space, and
 * such a byte is never a label's (RFC 5890 §2.3.1). "_" is let through as in mailaddr.h. */
static bool is_ldh(str name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!ascii_alnum(name.p[i]) && !strchr("-._", name.p[i]))
            return false;
    return true;
}

enum rc idn_put_ascii(struct buf *out, str domain)
{
    char z[4 * DOMAIN_MAX];
    AUTO(idn_freep) char *ascii = NULL;
    if (str_copy(z, sizeof z, domain))
        return RC_LIMIT;
    str name = domain;
    if (!utf8_is_ascii(domain)) {
        if (idn2_to_ascii_8z(z, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
            return RC_INVALID;
        name = str_c(ascii);
        if (!is_ldh(name))
            return RC_INVALID;
    }
    if (name.n > DOMAIN_MAX)
        return RC_LIMIT;
    for (size_t i = 0; i < name.n; i++)
        buf_putc(out, ascii_lower(name.p[i]));
    return out->overflow ? RC_LIMIT : RC_OK;
}

enum rc idn_put_unicode(struct buf *out, str domain)
{
    char z[DOMAIN_MAX + 1];
    AUTO(idn_freep) char *name = NULL;
    if (str_copy(z, sizeof z, domain))
        return RC_LIMIT;
    if (idn2_to_unicode_8z8z(z, &name, 0) != IDN2_OK)
        return RC_INVALID;
    buf_puts(out, str_c(name));
    return out->overflow ? RC_LIMIT : RC_OK;
}
