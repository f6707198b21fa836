/* smtp_policy: how TLS to a next hop has to be: smtp_tls_security_level, or what smtp_tls_policy_maps says of
 * the next hop.
 *
 *   policy    = level *(1*WSP attribute)
 *   level     = "none" / "may" / "encrypt" / "dane" / "dane-only" / "verify" / "secure" / "sts"
 *   attribute = "match=" name *(":" name) / "protocols=" list / "servername=" name / "ciphers=" grade
 *
 * The domain's own MTA-STS policy (RFC 8461) comes on top where the setting decides, and is none of the
 * strict levels dane-only, verify and secure; a table's word stands for itself, but for "sts", which is dane
 * and MTA-STS.
 *
 * A policy that cannot be read or looked up is RC_TEMP: the mail waits, and never goes with less TLS. */
#ifndef ROLE_SMTP_POLICY_H
#define ROLE_SMTP_POLICY_H

#include "fmt/mta_sts.h"
#include "net/dane.h"
#include "queue/site_name.h"
#include "smtp/client.h"
#include "table/settings.h"

enum { SMTP_POLICY_NAMES_MAX = 16 };

enum smtp_policy_level {
    SMTP_POLICY_NONE,
    SMTP_POLICY_MAY,
    SMTP_POLICY_ENCRYPT,
    SMTP_POLICY_DANE,      /* without usable TLSA records the same as may */
    SMTP_POLICY_DANE_ONLY, /* without usable TLSA records no delivery */
    SMTP_POLICY_VERIFY,    /* the certificate is for the host that the DNS named */
    SMTP_POLICY_SECURE,    /* for the next hop, or a name below it */
    SMTP_POLICY_REQUIRETLS /* by TLSA records where there are usable ones, else as verify (RFC 8689 §2) */
};

/* What a message says of TLS; each serves for mail that needs no more than those before it. */
enum smtp_tls_demand {
    SMTP_TLS_OPTIONAL, /* TLS-Required: No */
    SMTP_TLS_AS_POLICY,
    SMTP_TLS_REQUIRED /* REQUIRETLS */
};

struct smtp_policy {
    enum smtp_policy_level level;
    bool sts;                         /* the domain's MTA-STS policy counts, too */
    bool implicit;                    /* smtp_tls_wrappermode */
    bool tls_1_3;                     /* nothing older */
    str server_name;                  /* SNI, when it is not the host: words as in match; may be empty */
    str match[SMTP_POLICY_NAMES_MAX]; /* "hostname", "nexthop", "dot-nexthop", names, ".parents" */
    size_t n_match;                   /* 0: the host */
};

/* The text of a table. *ret: level, match and so on, views of the text. RC_INVALID with e. */
MUST_USE enum rc smtp_policy_parse(str text, struct smtp_policy *ret, struct err *e);

/* The policy for a site of SMTP or LMTP; its texts are in the arena. */
MUST_USE enum rc smtp_policy_find(const struct conf *c, const struct table_settings *t,
                                  const struct site_name *site, struct arena *a, struct smtp_policy *ret,
                                  struct err *e);

/* Makes the policy as strict or as lax as a message demands (RFC 8689 §4.2). */
void smtp_policy_demand(struct smtp_policy *p, enum smtp_tls_demand demand);

/* Whether TLSA records decide. */
bool smtp_policy_wants_dane(const struct smtp_policy *p);

/* The settings of a connection to a host of the site (names without brackets): tls_level, tls_implicit, and
 * server_name, verify, required, names and tlsa of tls_params. dane: of the host, all zero when it has none;
 * sts: the domain's policy, NULL when it has none. RC_TEMP: there can be none. */
MUST_USE enum rc smtp_policy_apply(const struct smtp_policy *p, const struct dane *dane,
                                   const struct mta_sts_policy *sts, str nexthop, str host, struct arena *a,
                                   struct smtp_client_params *ret, struct err *e);

#endif
