/* Requests to look-up servers, and their replies. */
#include "fmt/tablewire.h"

#include "base/enc.h"

void tablewire_put_tcp(struct buf *out, str key)
{
    buf_puts(out, S("get "));
    for (size_t i = 0; i < key.n; i++) {
        unsigned char c = (unsigned char)key.p[i];
        if (c <= ' ' || c >= 0x7f || c == '%')
            buf_printf(out, "%%%02X", c);
        else
            buf_putc(out, key.p[i]);
    }
    buf_putc(out, '\n');
}

void tablewire_put_socketmap(struct buf *out, str name, str key)
{
    buf_puts(out, name);
    buf_putc(out, ' ');
    buf_puts(out, key);
}

static enum rc put_decoded(str s, struct buf *out)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '%') {
            buf_putc(out, s.p[i]);
            continue;
        }
        if (s.n - i < 3 || enc_hex_decode(out, str_sub(s, i + 1, 2)) != RC_OK)
            return out->overflow ? RC_LIMIT : RC_INVALID;
        i += 2;
    }
    return out->overflow ? RC_LIMIT : RC_OK;
}

enum rc tablewire_parse_tcp(str line, struct buf *out)
{
    if (line.n < 4 || line.p[3] != ' ')
        return RC_INVALID;
    str code = str_sub(line, 0, 3);
    enum rc said = str_eq(code, S("200"))   ? RC_OK
                   : str_eq(code, S("400")) ? RC_TEMP
                   : str_eq(code, S("500")) ? RC_GONE
                                            : RC_INVALID;
    if (said == RC_INVALID)
        return said;
    enum rc rc = put_decoded(str_from(line, 4), out);
    return rc == RC_OK ? said : rc;
}

enum rc tablewire_parse_socketmap(str payload, struct buf *out)
{
    static const struct {
        str word;
        enum rc rc;
    } words[] = {
        {S("OK"), RC_OK},        {S("NOTFOUND"), RC_GONE}, {S("TEMP"), RC_TEMP},
        {S("TIMEOUT"), RC_TEMP}, {S("PERM"), RC_PERM},
    };
    str rest = payload, word = str_take(&rest, ' ');
    if (word.n == payload.n)
        return RC_INVALID;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (str_eq(word, words[i].word)) {
            buf_puts(out, rest);
            return out->overflow ? RC_LIMIT : words[i].rc;
        }
    }
    return RC_INVALID;
}
