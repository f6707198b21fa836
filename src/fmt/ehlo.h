/* ehlo: the reply to EHLO and LHLO as what the server can do (RFC 5321 §4.1.1.1).
 *
 * Pure. Fed the lines of the reply one by one; unknown keywords and malformed parameters are skipped, because
 * a server that writes one line wrong still takes mail. */
#ifndef FMT_EHLO_H
#define FMT_EHLO_H

#include "base/str.h"

enum ehlo_keyword {                               /* bits */
                    EHLO_8BITMIME = 1 << 0,       /* RFC 6152 */
                    EHLO_PIPELINING = 1 << 1,     /* RFC 2920 */
                    EHLO_SIZE = 1 << 2,           /* RFC 1870 */
                    EHLO_SMTPUTF8 = 1 << 3,       /* RFC 6531 */
                    EHLO_CHUNKING = 1 << 4,       /* RFC 3030 */
                    EHLO_BINARYMIME = 1 << 5,     /* RFC 3030 */
                    EHLO_STARTTLS = 1 << 6,       /* RFC 3207 */
                    EHLO_AUTH = 1 << 7,           /* RFC 4954 */
                    EHLO_ENHANCED = 1 << 8,       /* ENHANCEDSTATUSCODES, RFC 2034 */
                    EHLO_DSN = 1 << 9,            /* RFC 3461 */
                    EHLO_MT_PRIORITY = 1 << 10,   /* RFC 6710 */
                    EHLO_FUTURERELEASE = 1 << 11, /* RFC 4865 */
                    EHLO_DELIVERBY = 1 << 12,     /* RFC 2852 */
                    EHLO_REQUIRETLS = 1 << 13,    /* RFC 8689 */
                    EHLO_LIMITS = 1 << 14,        /* RFC 9422 */
                    EHLO_XORIGIN = 1 << 15,       /* malle's own */
                    EHLO_XFORWARD = 1 << 16       /* Postfix's */
};

enum ehlo_auth { /* bits: SASL mechanisms that malle has as a client */
                 EHLO_AUTH_PLAIN = 1 << 0,
                 EHLO_AUTH_LOGIN = 1 << 1,
                 EHLO_AUTH_SCRAM_SHA_1 = 1 << 2,
                 EHLO_AUTH_SCRAM_SHA_256 = 1 << 3,
                 EHLO_AUTH_XOAUTH2 = 1 << 4
};

enum { EHLO_NAME_MAX = 255, EHLO_KEYWORDS_MAX = 100 /* lines that are looked at */ };

struct ehlo {
    char name[EHLO_NAME_MAX + 1]; /* what the server calls itself; "" when it says nothing printable */
    unsigned keywords, auth;
    uint64_t size_max;                            /* bytes; 0: no fixed limit */
    char priority_profile[21];                    /* MT-PRIORITY; "": none named */
    uint32_t hold_max;                            /* FUTURERELEASE: seconds */
    uint32_t deliver_by_min;                      /* DELIVERBY: seconds; 0: none */
    uint32_t rcpt_max, mail_max, rcpt_domain_max; /* LIMITS; 0: none */
    char origin[EHLO_NAME_MAX + 1]; /* XORIGIN, said to local programs: the domain of addresses without one */
    unsigned xforward;              /* XFORWARD: bits 1 << enum smtp_attr_name */
    unsigned lines;                 /* fed so far */
};

/* One line's text, without the reply code: the first names the server, each later one is a keyword with its
 * parameters. Zero *ret first. */
void ehlo_feed(struct ehlo *ret, str line);
static inline bool ehlo_has(const struct ehlo *e, unsigned keywords)
{
    return (e->keywords & keywords) == keywords;
}
str ehlo_auth_name(enum ehlo_auth mechanism); /* "SCRAM-SHA-256" */

/* The bit of a keyword, whatever its case; 0: it is none of these. */
unsigned ehlo_keyword_find(str name);
/* Whether the word may stand in a list of keywords to be discarded: one of these, one that only servers have
 * (ETRN, VRFY, EXPN, XCLIENT), or "silent-discard". */
bool ehlo_may_discard(str word);

#endif
