/* Addresses with an address literal in the place of a domain that is this server: one of own_addresses, or
 * one that `listen` names. */
#include "account/resolve_impl.h"

#include "conf/conf.h"
#include "fmt/ip.h"

/* "[192.0.2.1]", "[ipv6:2001:db8::1]", as keys have it. */
static bool parse_literal(str domain, struct ip_net *ret)
{
    bool v6 = str_istarts(domain, S("[ipv6:"));
    size_t open = v6 ? strlen("[ipv6:") : strlen("[");
    return domain.n > open + 1 && domain.p[0] == '[' &&
           ip_parse(str_sub(domain, open, domain.n - open - 1), ret) == RC_OK;
}

void resolve_own_literal(const struct conf *c, struct address_key *key)
{
    struct ip_net address;
    struct address_key named;
    if (parse_literal(address_domain(key), &address) &&
        (conf_list_has_address(&c->own_addresses, &address) || conf_list_has_address(&c->listen, &address)) &&
        address_join(address_local(key), str_c(c->hostname), &named) == RC_OK)
        *key = named;
}
