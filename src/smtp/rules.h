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
    bool relay_domain;  /* the recipient is of a domain for which mail is passed on: smtp_is_relay_address */
    bool permitted;     /* a restriction said so, in the list that decides about it */
};

enum rules_verdict {
    RULES_DELIVER,  /* into a mailbox here */
    RULES_RELAY,    /* to another server, for a client that may ask so */
    RULES_NO_RELAY, /* another server's recipient, from a client that may not */
    RULES_LOG_IN    /* nothing before AUTH (RFC 6409 §4.3) */
};

enum rules_verdict rules_relay(const struct rules_relay *r);

/* The domain of an address to which mail may be accepted from anyone and passed on, if it is one of
 * relay_domains; empty: never, as the part before it says where to go from there ("user%elsewhere",
 * "user@elsewhere", "elsewhere!user"). */
str rules_relay_domain(str address);

/* Whether authorized_submit_users let this user of the system send. */
bool rules_may_submit(const struct conf *c, str user);

/* Whether receive_override_options has this word. */
bool rules_overrides(const struct conf *c, str word);
/* Whether recipients that do not exist are refused. */
bool rules_rejects_unlisted(const struct conf *c);

/* The sender of probes, "" for the null sender; what had to be made lies in the arena. */
str rules_probe_sender(const struct conf *c, struct arena *a);

/* Whether addresses may have another canonical form (account_canonical). */
bool rules_any_canonical(const struct conf *c);
/* Whether headers are rewritten for anybody: cheap, for each message. */
bool rules_any_rewriting(const struct conf *c);
/* Whether they are for this client (local_header_rewrite_clients); is_local: a program that uses the socket
 * for local mail; is_here: see smtp_params. LMTP brings the mail of strangers. */
bool rules_rewrites_header(const struct conf *c, const struct rules_relay *r, bool is_local, bool is_here);

/* The domain of addresses that local programs give without one: myorigin, else the first of `domains`, else
 * hostname. */
str rules_origin(const struct conf *c);

#endif
