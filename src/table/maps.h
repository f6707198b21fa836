/* maps: the orders in which Postfix's manuals look up an address, a domain or a host in a list of tables:
 * virtual(5), canonical(5), relocated(5), aliases(5), transport(5), access(5). Tables that take whole keys
 * only (regexp, pcre, cidr, tcp...) are asked the first key alone. A table that cannot answer now (RC_TEMP)
 * ends the search. Results as of table_find. */
#ifndef TABLE_MAPS_H
#define TABLE_MAPS_H

#include "table/table.h"

struct maps_rules {
    const char
        *delimiters; /* recipient_delimiter: each character separates user and extension; "" or NULL: none */
    /* parent_domain_matches_subdomains names this feature: "example.com" stands for its subdomains, too, and
     * ".example.com" is not asked for. */
    bool parents_match;
    /* Whether a bare user name stands for user@domain: mydestination, myorigin, the interfaces' addresses.
     * NULL: never. */
    bool (*is_ours)(void *ctx, str domain);
    void *ctx;
};

struct maps_found {
    str value;
    str key; /* the key that was found */
    /* "+ext" of the address when the key that was found has none, for propagate_unmatched_extensions; else
     * empty. */
    str extension;
};

/* virtual(5), canonical(5), relocated(5), sender_dependent_relayhost_maps: user+ext@domain, user@domain, and
 * for our domains user+ext and user, then @domain. Without "@" as in aliases(5): user+ext, user. */
MUST_USE enum rc maps_find_address(struct table_list *l, str address, const struct maps_rules *rules,
                                   struct arena *a, struct maps_found *ret, struct err *e);

/* transport(5): user+ext@domain, user@domain, domain, .domain for each parent, "*". */
MUST_USE enum rc maps_find_transport(struct table_list *l, str address, const struct maps_rules *rules,
                                     struct arena *a, struct maps_found *ret, struct err *e);

/* domain, .domain for each parent: smtp_tls_policy_maps and other tables of next hops. */
MUST_USE enum rc maps_find_domain(struct table_list *l, str domain, const struct maps_rules *rules,
                                  struct arena *a, struct maps_found *ret, struct err *e);

/* access(5) for a mail address: user+ext@domain, user@domain, domain, .domain for each parent, user+ext@,
 * user@. The null sender is the caller's key ("<>"). */
MUST_USE enum rc maps_find_access(struct table_list *l, str address, const struct maps_rules *rules,
                                  struct arena *a, struct maps_found *ret, struct err *e);

/* access(5) for a host: its name and the name's parents (name empty: unknown), then its address and the
 * networks that remain when its last ".octet" or ":pair" is taken off. Each of both is a first key, so that a
 * table of whole keys gets the name and the address. */
MUST_USE enum rc maps_find_host(struct table_list *l, str name, str address, const struct maps_rules *rules,
                                struct arena *a, struct maps_found *ret, struct err *e);

/* The text of a result of virtual(5) or canonical(5), with "@otherdomain" in front completed to the same user
 * in otherdomain. STR_NONE when the arena is exhausted. */
str maps_complete(str value, str address, struct arena *a);

#endif
