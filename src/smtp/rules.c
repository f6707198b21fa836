/* The relay decision, pure. Only two things open the way to other servers: a log-in, or an address in
 * mynetworks on the MX listener; LMTP never relays. */
#include "smtp/rules.h"

enum rules_verdict rules_relay(const struct rules_relay *r)
{
    if (r->kind == SMTP_KIND_SUBMISSION && !r->authenticated)
        return RULES_LOG_IN;
    if (r->local_rcpt)
        return RULES_DELIVER;
    if (r->kind == SMTP_KIND_LMTP)
        return RULES_NO_RELAY;
    if (r->authenticated)
        return RULES_RELAY;
    return r->kind == SMTP_KIND_MX && r->in_mynetworks ? RULES_RELAY : RULES_NO_RELAY;
}

bool rules_in_networks(const struct conf_list *networks, const struct ip_net *address)
{
    for (size_t i = 0; i < networks->n; i++) {
        struct ip_net net;
        if (ip_net_parse(networks->v[i], &net) == RC_OK && ip_net_has(&net, address))
            return true;
    }
    return false;
}
