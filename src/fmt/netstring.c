/* Netstrings. The limit is known before the payload is waited for. */
#include "fmt/netstring.h"

#include "base/num.h"

enum { DIGITS_MAX = 10 };

void netstring_put(struct buf *out, str payload)
{
    buf_put_u64(out, payload.n);
    buf_putc(out, ':');
    buf_puts(out, payload);
    buf_putc(out, ',');
}

enum rc netstring_parse(str in, size_t max, str *ret_payload, size_t *ret_used)
{
    uint64_t length;
    size_t digits = 0;
    while (digits < in.n && digits <= DIGITS_MAX && ascii_digit(in.p[digits]))
        digits++;
    if (digits > DIGITS_MAX)
        return RC_LIMIT;
    if (digits > 1 && in.p[0] == '0')
        return RC_INVALID;
    if (digits == in.n)
        return RC_TEMP;
    if (digits == 0 || in.p[digits] != ':')
        return RC_INVALID;
    enum rc rc = num_parse_u64(str_sub(in, 0, digits), max, &length);
    if (rc != RC_OK)
        return rc;
    size_t begin = digits + 1, used = begin + (size_t)length + 1;
    if (in.n < used)
        return RC_TEMP;
    if (in.p[used - 1] != ',')
        return RC_INVALID;
    *ret_payload = str_sub(in, begin, (size_t)length);
    *ret_used = used;
    return RC_OK;
}
