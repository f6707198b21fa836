/* address: mail addresses in the form in which accounts, aliases and domains are stored and looked up.
 *
 * The local part is case-folded (Unicode, NFC) and without quotes, the domain is lower-case A-labels. RFC
 * 5321 §2.4 lets only the final host fold local parts: it does, as every mailbox server in use. */
#ifndef ACCOUNT_ADDRESS_H
#define ACCOUNT_ADDRESS_H

#include "base/buf.h"

enum { ADDRESS_MAX = 320 }; /* bytes of local part, "@" and domain; RFC 5321 §4.5.3.1 */

struct address_key {
    char text[ADDRESS_MAX + 1]; /* "local@domain", "local" alone, or "@domain" */
    size_t n, local_n;
};

static inline str address_text(const struct address_key *k)
{
    return str_mem(k->text, k->n);
}
static inline str address_local(const struct address_key *k)
{
    return str_mem(k->text, k->local_n);
}
static inline str address_domain(const struct address_key *k) /* empty without "@" */
{
    return str_from(address_text(k), k->local_n + 1);
}

/* RC_INVALID: broken quoting, no domain name behind the "@", a control byte, nothing at all; RC_LIMIT: too
 * long. An address without "@" keeps an empty domain; "@domain" has an empty local part. */
MUST_USE enum rc address_parse(str address, struct address_key *ret);
/* As address_parse, from parts that are folded already. RC_LIMIT: too long. */
MUST_USE enum rc address_join(str local, str domain, struct address_key *ret);
/* Appends a domain in its stored form. RC_INVALID: no domain name; RC_LIMIT: too long, or out is full. */
MUST_USE enum rc address_put_domain(str domain, struct buf *out);
/* Whether an account may have this name: it becomes part of a path and of log lines. */
bool address_is_safe_name(const struct address_key *key);

#endif
