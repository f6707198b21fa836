/* dns_record: a record of the DNS as one line, in the form in which Postfix looks it up in the tables of
 * smtp_dns_reply_filter (postconf(5)):
 *
 *   name "." SP ttl SP "IN" SP type SP value
 *
 * The value of an MX record is "preference host."; names end in a dot, bytes that are not printable are "?"
 * in texts. Pure. */
#ifndef FMT_DNS_RECORD_H
#define FMT_DNS_RECORD_H

#include "base/buf.h"

/* Types of records (RFC 1035 §3.2.2 and those after it). */
enum dns_type {
    DNS_A = 1,
    DNS_NS = 2,
    DNS_PTR = 12,
    DNS_MX = 15,
    DNS_TXT = 16,
    DNS_AAAA = 28,
    DNS_TLSA = 52
};

/* Enough for any record whose data has at most 64 KiB. */
enum { DNS_RECORD_TEXT_MAX = 144 << 10 };
/* name: the one that was asked for, with or without its last dot; rdata: on the wire, without compression.
 * RC_INVALID, with nothing added: it is none of that type. */
MUST_USE enum rc dns_record_put(struct buf *out, str name, enum dns_type type, int ttl_s, str rdata);

#endif
