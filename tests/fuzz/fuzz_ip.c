/* Addresses and networks: text that is accepted means the same after printing, and a network holds exactly
 * the addresses whose first bits are its own. Input: 16 bytes of an address, the length of a prefix, then
 * text. */
#include "fmt/ip.h"

#include <arpa/inet.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_v4(const struct ip_net *ip)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(ip->addr, mapped, sizeof mapped) == 0;
}

/* Prints the address, with "/bits" unless that is negative, and gives its length. */
static str print(const struct ip_net *ip, int bits, char room[INET6_ADDRSTRLEN + 8])
{
    const uint8_t *bytes = is_v4(ip) ? ip->addr + 12 : ip->addr;
    must(inet_ntop(is_v4(ip) ? AF_INET : AF_INET6, bytes, room, INET6_ADDRSTRLEN));
    size_t n = strlen(room);
    if (bits >= 0)
        n += (size_t)snprintf(room + n, 8, "/%d", bits);
    return str_mem(room, n);
}

static bool first_bits_equal(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    for (unsigned i = 0; i < bits; i++)
        if ((a[i / 8] ^ b[i / 8]) >> (7 - i % 8) & 1)
            return false;
    return true;
}

static void check_text(str text)
{
    struct ip_net ip, net, again;
    char room[INET6_ADDRSTRLEN + 8];
    if (ip_parse(text, &ip) == RC_OK) {
        must(ip.bits == 128 && ip_net_parse(text, &net) == RC_OK && ip_net_has(&net, &ip));
        must(ip_parse(print(&ip, -1, room), &again) == RC_OK);
        must(memcmp(&ip, &again, sizeof ip) == 0 && ip_is_v6(text) == !is_v4(&ip));
    }
    if (ip_net_parse(text, &net) == RC_OK)
        must(net.bits <= 128 && ip_net_has(&net, &net));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 17)
        return 0;
    struct ip_net ip = {.bits = 128}, net, other;
    char room[INET6_ADDRSTRLEN + 8];
    memcpy(ip.addr, data, 16);
    int max = is_v4(&ip) ? 32 : 128, bits = data[16] % (max + 1);
    must(ip_net_parse(print(&ip, bits, room), &net) == RC_OK);
    must(net.bits == (unsigned)(bits + 128 - max) && ip_net_has(&net, &ip));
    must(ip_net_parse(print(&ip, max + 1, room), &other) == RC_INVALID);
    for (unsigned i = 0; i < 128; i++) {
        other = ip;
        other.addr[i / 8] ^= (uint8_t)(0x80 >> i % 8);
        must(ip_net_has(&net, &other) == first_bits_equal(net.addr, other.addr, net.bits));
    }
    check_text(str_mem(data + 17, size - 17));
    return 0;
}
