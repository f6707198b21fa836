/* dns_name: names of the DNS as text and on the wire, and the names under which addresses are looked up.
 * Text is in the form of a zone file without the dot at its end; the root is ".". */
#ifndef FMT_DNS_NAME_H
#define FMT_DNS_NAME_H

#include "base/buf.h"
#include "fmt/ip.h"

enum {
    DNS_NAME_MAX = 253,       /* bytes of a name as text, without escapes */
    DNS_NAME_TEXT_MAX = 1012, /* the same when every byte is written as \DDD */
    DNS_LABEL_MAX = 63
};

/* Adds the uncompressed name that makes up all of wire (RFC 1035 §3.1). Dots and backslashes within a label
 * are written with a backslash, bytes that are not printable as \DDD (RFC 1035 §5.1). RC_INVALID, with
 * nothing added, when malformed. */
MUST_USE enum rc dns_name_from_wire(str wire, struct buf *out);

/* A name that can be asked for as it stands: labels of 1 to 63 printable bytes without backslash, in all at
 * most 253; it may end in a dot. */
bool dns_name_is_valid(str name);
/* The name of a host (RFC 1123 §2.1): letters, digits and hyphens inside of labels, the last of which is not
 * a number. Underscores are tolerated, as they occur. */
bool dns_name_is_host(str name);

/* Adds the name with the PTR records of an address: "1.2.0.192.in-addr.arpa" (RFC 1035 §3.5), or nibbles
 * below ip6.arpa (RFC 3596 §2.5). */
void dns_name_put_reverse(struct buf *out, const struct ip_net *address);

#endif
