#include "fmt/nexthop.h"

#include "base/num.h"
#include "fmt/dns_name.h"

static enum rc parse_port(str text, int *ret)
{
    uint32_t port;
    if (num_parse_u32(text, UINT16_MAX, &port) != RC_OK || port < 1)
        return RC_INVALID;
    *ret = (int)port;
    return RC_OK;
}

/* Inside of brackets: an address, a literal of RFC 5321 §4.1.3, or a name. */
static enum rc parse_bracketed(str text, struct nexthop *ret)
{
    str bare = str_istarts(text, S("IPv6:")) ? str_from(text, 5) : text;
    ret->host = text;
    if (ip_parse(bare, &ret->address) == RC_OK) {
        ret->host = bare;
        ret->is_address = true;
        return RC_OK;
    }
    return dns_name_is_valid(text) ? RC_OK : RC_INVALID;
}

enum rc nexthop_parse(str text, struct nexthop *ret)
{
    struct nexthop v = {.mx = true};
    str rest;
    if (str_starts(text, S("["))) {
        ptrdiff_t close = str_chr(text, ']');
        if (close < 0 || parse_bracketed(str_sub(text, 1, (size_t)close - 1), &v) != RC_OK)
            return RC_INVALID;
        v.mx = false;
        rest = str_from(text, (size_t)close + 1);
    } else {
        ptrdiff_t colon = str_chr(text, ':');
        v.host = colon < 0 ? text : str_sub(text, 0, (size_t)colon);
        rest = colon < 0 ? STR_NONE : str_from(text, (size_t)colon);
        if (!dns_name_is_valid(v.host))
            return RC_INVALID;
    }
    if (rest.n && (rest.p[0] != ':' || parse_port(str_from(rest, 1), &v.port) != RC_OK))
        return RC_INVALID;
    *ret = v;
    return RC_OK;
}
