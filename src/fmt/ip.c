/* Parsing of addresses goes through inet_pton, which touches nothing outside; networks are prefix and length.
 */
#include "fmt/ip.h"

#include "base/num.h"

#include <arpa/inet.h>

#define V4_OFFSET 12 /* the four bytes of a mapped IPv4 address begin here */
#define V4_BITS   96

static const uint8_t v4_mapped[V4_OFFSET] = {[10] = 0xff, [11] = 0xff};

static enum rc parse_address(str text, struct ip_net *ret, bool *ret_v4)
{
    char z[INET6_ADDRSTRLEN];
    struct ip_net out = {.bits = 128};
    if (str_copy(z, sizeof z, text))
        return RC_INVALID;
    bool v4 = inet_pton(AF_INET, z, out.addr + V4_OFFSET) == 1;
    if (v4)
        memcpy(out.addr, v4_mapped, V4_OFFSET);
    else if (inet_pton(AF_INET6, z, out.addr) != 1)
        return RC_INVALID;
    *ret = out;
    *ret_v4 = v4;
    return RC_OK;
}

enum rc ip_parse(str text, struct ip_net *ret)
{
    bool v4;
    return parse_address(text, ret, &v4);
}

bool ip_is_v6(str text)
{
    struct ip_net ip;
    return ip_parse(text, &ip) == RC_OK && !ip_is_mapped_v4(&ip);
}

bool ip_is_mapped_v4(const struct ip_net *address)
{
    return memcmp(address->addr, v4_mapped, V4_OFFSET) == 0;
}

enum rc ip_net_parse(str text, struct ip_net *ret)
{
    struct ip_net net;
    bool v4;
    str length = text, address = str_take(&length, '/');
    if (address.n > 2 && address.p[0] == '[' && address.p[address.n - 1] == ']')
        address = str_sub(address, 1, address.n - 2);
    if (parse_address(address, &net, &v4))
        return RC_INVALID;
    if (str_chr(text, '/') >= 0) {
        uint32_t bits;
        if (num_parse_u32(length, v4 ? 32 : 128, &bits))
            return RC_INVALID;
        net.bits = v4 ? bits + V4_BITS : bits;
    }
    *ret = net;
    return RC_OK;
}

bool ip_net_has(const struct ip_net *net, const struct ip_net *address)
{
    unsigned whole = net->bits / 8, rest = net->bits % 8;
    if (memcmp(net->addr, address->addr, whole) != 0)
        return false;
    if (rest == 0)
        return true;
    unsigned mask = 0xffu << (8 - rest) & 0xffu;
    return ((net->addr[whole] ^ address->addr[whole]) & mask) == 0;
}

bool ip_is_loopback(const struct ip_net *address)
{
    static const uint8_t v6_loopback[16] = {[15] = 1};
    if (ip_is_mapped_v4(address))
        return address->addr[V4_OFFSET] == 127;
    return memcmp(address->addr, v6_loopback, sizeof v6_loopback) == 0;
}
