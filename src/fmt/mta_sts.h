/* mta_sts: what a domain says of TLS at its mail servers (RFC 8461): the TXT record that announces a policy,
 * and the policy. Pure; results are views of the text. */
#ifndef FMT_MTA_STS_H
#define FMT_MTA_STS_H

#include "base/buf.h"

enum {
    MTA_STS_ID_MAX = 32,
    MTA_STS_MX_MAX = 64,            /* patterns of one policy */
    MTA_STS_AGE_MAX = 31557600,     /* seconds, RFC 8461 §3.2 */
    MTA_STS_TEXT_MAX = 20000,       /* what mta_sts_format makes at most */
    MTA_STS_POLICY_MAX = 64 * 1024, /* of a policy as it is served, RFC 8461 §3.3 */
};

/* The id of the record at _mta-sts.DOMAIN, from the data of all its TXT records as on the wire. RC_GONE: no
 * record announces a policy, or several do; RC_INVALID: the one that does is malformed (RFC 8461 §3.1). */
MUST_USE enum rc mta_sts_record(const str *rdata, size_t n, char ret_id[MTA_STS_ID_MAX + 1]);

enum mta_sts_mode { MTA_STS_NONE, MTA_STS_TESTING, MTA_STS_ENFORCE };

struct mta_sts_policy {
    enum mta_sts_mode mode;
    uint32_t max_age;       /* seconds */
    str mx[MTA_STS_MX_MAX]; /* "mail.example.com" or "*.example.net" */
    size_t n_mx;            /* 0 only with MTA_STS_NONE */
};

/* RC_INVALID: not a policy of this version, or a field is missing or malformed; RC_LIMIT: too many mx. */
MUST_USE enum rc mta_sts_parse(str text, struct mta_sts_policy *ret);
/* Adds the policy, at most MTA_STS_TEXT_MAX bytes, so that mta_sts_parse reads the same again. */
void mta_sts_format(const struct mta_sts_policy *p, struct buf *out);
const char *mta_sts_mode_name(enum mta_sts_mode m); /* "none", "testing", "enforce" */

/* Whether the policy names this host (RFC 8461 §4.1): "*" stands for one whole label, the first. */
bool mta_sts_has_mx(const struct mta_sts_policy *p, str host);

#endif
