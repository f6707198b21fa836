/* proxy_protocol: the header that a proxy sends before a client's own bytes, to say who the client is: the
 * PROXY protocol of HAProxy, version 1 (a line) and version 2 (binary). Pure. It is read to the byte, since
 * the client's words, perhaps a TLS handshake, follow at once: the parser tells how many more bytes it needs.
 */
#ifndef FMT_PROXY_PROTOCOL_H
#define FMT_PROXY_PROTOCOL_H

#include "base/str.h"

enum {
    PROXY_PROTOCOL_MAX = 4096
}; /* bytes of the longest header, with what a version 2 adds to the addresses */

struct proxy_end {
    uint8_t address[16]; /* IPv4 mapped, as in fmt/ip.h */
    uint16_t port;
};

struct proxy_header {
    bool local; /* the proxy speaks for itself, or cannot say for whom: who connected is the client */
    struct proxy_end client, server;
};

/* RC_OK: bytes is the whole header; RC_TEMP: *ret_missing more bytes are needed at least; RC_INVALID:
 * malformed, or the client is not one of TCP; RC_LIMIT: longer than PROXY_PROTOCOL_MAX. bytes never has more
 * than was asked for, beginning with none. */
MUST_USE enum rc proxy_protocol_parse(str bytes, size_t *ret_missing, struct proxy_header *ret);

#endif
