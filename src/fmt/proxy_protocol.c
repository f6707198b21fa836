/* HAProxy's "The PROXY protocol, versions 1 & 2", §2. */
#include "fmt/proxy_protocol.h"

#include "base/num.h"
#include "fmt/ip.h"

#define SIGNATURE_2 S("\r\n\r\n\0\r\nQUIT\n")

enum {
    LINE_MAX_1 = 107, /* §2.1: with its CRLF */
    HEAD_2 = 16,
    COMMAND_LOCAL = 0x20,
    COMMAND_PROXY = 0x21,
    UNSPEC = 0x00,
    TCP4 = 0x11,
    TCP6 = 0x21,
    SIZE_4 = 12, /* two addresses and two ports */
    SIZE_6 = 36
};

/* --- version 1 --- */

static bool take_address(str *line, bool v6, struct proxy_end *ret)
{
    struct ip_net ip;
    str text = str_take(line, ' ');
    if (ip_parse(text, &ip) != RC_OK || (str_chr(text, ':') >= 0) != v6)
        return false;
    memcpy(ret->address, ip.addr, sizeof ret->address);
    return true;
}

/* No zeros in front. */
static bool take_port(str *line, struct proxy_end *ret)
{
    uint32_t port;
    str text = str_take(line, ' ');
    if (num_parse_u32(text, 65535, &port) != RC_OK || (text.n > 1 && text.p[0] == '0'))
        return false;
    ret->port = (uint16_t)port;
    return true;
}

/* "PROXY" SP ( "UNKNOWN" [ SP anything ] / ( "TCP4" / "TCP6" ) SP address SP address SP port SP port ) */
static enum rc parse_line(str line, struct proxy_header *ret)
{
    struct proxy_header h = {.local = false};
    str word = str_take(&line, ' ');
    if (!str_eq(word, S("PROXY")))
        return RC_INVALID;
    word = str_take(&line, ' ');
    bool v6 = str_eq(word, S("TCP6"));
    if (str_eq(word, S("UNKNOWN"))) {
        *ret = (struct proxy_header){.local = true};
        return RC_OK;
    }
    if (!v6 && !str_eq(word, S("TCP4")))
        return RC_INVALID;
    if (!take_address(&line, v6, &h.client) || !take_address(&line, v6, &h.server) ||
        !take_port(&line, &h.client) || !take_port(&line, &h.server) || line.p)
        return RC_INVALID;
    *ret = h;
    return RC_OK;
}

/* The line ends with CRLF, of which LF may be the next byte. */
static enum rc parse_1(str bytes, size_t *ret_missing, struct proxy_header *ret)
{
    if (str_ends(bytes, S("\r\n")))
        return parse_line(str_sub(bytes, 0, bytes.n - 2), ret);
    size_t missing = str_ends(bytes, S("\r")) ? 1 : 2;
    if (bytes.n + missing > LINE_MAX_1 || str_chr(bytes, '\n') >= 0)
        return RC_INVALID;
    *ret_missing = missing;
    return RC_TEMP;
}

/* --- version 2 --- */

static unsigned at(str bytes, size_t i)
{
    return (unsigned char)bytes.p[i];
}

static void take_end(str addresses, size_t size, size_t index, struct proxy_end *ret)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    size_t port = 2 * size + 2 * index;
    memcpy(ret->address, mapped, sizeof mapped);
    memcpy(ret->address + sizeof ret->address - size, addresses.p + index * size, size);
    ret->port = (uint16_t)(at(addresses, port) << 8 | at(addresses, port + 1));
}

/* What follows the addresses (TLVs) is none of our business. */
static enum rc parse_whole_2(str bytes, struct proxy_header *ret)
{
    str addresses = str_from(bytes, HEAD_2);
    unsigned command = at(bytes, 12), family = at(bytes, 13);
    if (command != COMMAND_LOCAL && command != COMMAND_PROXY)
        return RC_INVALID;
    struct proxy_header h = {.local = command == COMMAND_LOCAL || family == UNSPEC};
    if (!h.local) {
        size_t size = family == TCP4 ? 4 : 16;
        if ((family != TCP4 && family != TCP6) || addresses.n < (family == TCP4 ? SIZE_4 : SIZE_6))
            return RC_INVALID;
        take_end(addresses, size, 0, &h.client);
        take_end(addresses, size, 1, &h.server);
    }
    *ret = h;
    return RC_OK;
}

static enum rc parse_2(str bytes, size_t *ret_missing, struct proxy_header *ret)
{
    size_t size = HEAD_2;
    if (bytes.n >= HEAD_2)
        size += at(bytes, 14) << 8 | at(bytes, 15);
    if (size > PROXY_PROTOCOL_MAX)
        return RC_LIMIT;
    if (bytes.n > size)
        return RC_INVALID;
    if (bytes.n == size)
        return parse_whole_2(bytes, ret);
    *ret_missing = size - bytes.n;
    return RC_TEMP;
}

/* Both versions are longer than the signature of the second. */
enum rc proxy_protocol_parse(str bytes, size_t *ret_missing, struct proxy_header *ret)
{
    str signature = SIGNATURE_2, begin = S("PROXY ");
    if (bytes.n < signature.n) {
        *ret_missing = signature.n - bytes.n;
        return RC_TEMP;
    }
    if (str_starts(bytes, signature))
        return parse_2(bytes, ret_missing, ret);
    return str_starts(bytes, begin) ? parse_1(bytes, ret_missing, ret) : RC_INVALID;
}
