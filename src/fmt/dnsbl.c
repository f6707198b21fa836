#include "fmt/dnsbl.h"

#include "base/num.h"
#include "fmt/dns_name.h"

static enum rc take_number(str text, uint32_t *ret)
{
    return num_parse_u32(text, 255, ret) == RC_OK ? RC_OK : RC_INVALID;
}

static enum rc take_range(str text, uint8_t *bits)
{
    uint32_t from, to;
    ptrdiff_t dots = str_find(text, S(".."));
    str first = dots < 0 ? text : str_sub(text, 0, (size_t)dots);
    str last = dots < 0 ? text : str_from(text, (size_t)dots + 2);
    if (take_number(first, &from) || take_number(last, &to) || from > to)
        return RC_INVALID;
    for (uint32_t n = from; n <= to; n++)
        bits[n / 8] |= (uint8_t)(1u << n % 8);
    return RC_OK;
}

/* One part and the dot behind it, which there must be unless it is the last. */
static enum rc take_part(str *text, bool last, uint8_t *bits)
{
    str part;
    if (str_starts(*text, S("["))) {
        ptrdiff_t end = str_chr(*text, ']');
        if (end < 0)
            return RC_INVALID;
        part = str_sub(*text, 1, (size_t)end - 1);
        *text = str_from(*text, (size_t)end + 1);
        if (last ? text->n > 0 : !str_starts(*text, S(".")))
            return RC_INVALID;
        *text = str_from(*text, 1);
    } else {
        bool dot = str_chr(*text, '.') >= 0;
        if (dot == last)
            return RC_INVALID;
        part = str_take(text, '.');
    }
    do {
        str range = str_take(&part, ';');
        if (take_range(range, bits))
            return RC_INVALID;
    } while (part.p);
    return RC_OK;
}

enum rc dnsbl_parse(str name, struct dnsbl *ret)
{
    struct dnsbl list = {.filtered = str_chr(name, '=') >= 0};
    str filter = name;
    list.domain = str_take(&filter, '=');
    if (!dns_name_is_valid(list.domain))
        return RC_INVALID;
    for (int i = 0; list.filtered && i < 4; i++)
        if (take_part(&filter, i == 3, list.matches[i]))
            return RC_INVALID;
    *ret = list;
    return RC_OK;
}

bool dnsbl_counts(const struct dnsbl *list, str rdata)
{
    if (rdata.n != 4)
        return false;
    for (size_t i = 0; list->filtered && i < 4; i++) {
        uint8_t byte = (uint8_t)rdata.p[i];
        if (!(list->matches[i][byte / 8] >> byte % 8 & 1))
            return false;
    }
    return true;
}

void dnsbl_put_address(struct buf *out, const struct dnsbl *list, const struct ip_net *address)
{
    size_t from = out->n;
    dns_name_put_reverse(out, address);
    str reverse = str_from(buf_str(out), from);
    size_t arpa = ip_is_mapped_v4(address) ? sizeof "in-addr.arpa" - 1 : sizeof "ip6.arpa" - 1;
    if (out->overflow)
        return;
    buf_truncate(out, from + reverse.n - arpa);
    buf_puts(out, list->domain);
}
