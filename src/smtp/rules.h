/* rules: who may send where. The relay decision is a pure function with a table test of its own: never an
 * open relay. */
#ifndef SMTP_RULES_H
#define SMTP_RULES_H

#include "conf/conf.h"
#include "fmt/ip.h"
#include "smtp/session.h"

struct rules_relay {
    enum smtp_kind kind;
    bool local_rcpt;    /* the recipient's domain is ours */
    bool authenticated; /* the client logged in */
    bool in_mynetworks; /* the client's address is one that the administrator trusts */
};

enum rules_verdict {
    RULES_DELIVER,  /* into a mailbox here */
    RULES_RELAY,    /* to another server, for a client that may ask so */
    RULES_NO_RELAY, /* another server's recipient, from a client that may not */
    RULES_LOG_IN    /* nothing before AUTH (RFC 6409 §4.3) */
};

enum rules_verdict rules_relay(const struct rules_relay *r);

/* Whether one of the networks of the list holds the address. Entries that are no network match nothing. */
bool rules_in_networks(const struct conf_list *networks, const struct ip_net *address);

#endif
