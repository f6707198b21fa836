/* dnsbl: lists in the DNS as restrictions name them (RFC 5782): "list.example", or with those answers that
 * count "list.example=127.0.0.[2;4..11]".
 *
 *   name   = domain [ "=" filter ]
 *   filter = part "." part "." part "." part
 *   part   = number / "[" range *( ";" range ) "]"
 *   range  = number [ ".." number ]                     ; 0 to 255
 *
 * Pure. */
#ifndef FMT_DNSBL_H
#define FMT_DNSBL_H

#include "base/buf.h"
#include "fmt/ip.h"

struct dnsbl {
    str domain;
    bool filtered;
    uint8_t matches[4][32]; /* a bit for each number that counts at this place */
};

/* domain is a view. RC_INVALID: not the grammar. */
MUST_USE enum rc dnsbl_parse(str name, struct dnsbl *ret);
/* Whether an answer, the 4 bytes of an A record, counts. */
bool dnsbl_counts(const struct dnsbl *list, str rdata);
/* Adds the name that is asked for an address: "1.2.0.192.list.example", or 32 nibbles. */
void dnsbl_put_address(struct buf *out, const struct dnsbl *list, const struct ip_net *address);

#endif
