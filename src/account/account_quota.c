/* What the account database says of an account's quota, as rules beside those of the settings. */
#include "account/account.h"

#include "conf/conf.h"
#include "fmt/quota_rule.h"

static uint64_t limit_of(int64_t own, int64_t of_domain, uint64_t general)
{
    int64_t n = own ? own : of_domain;
    return n == ACCOUNT_UNLIMITED ? 0 : n ? (uint64_t)n : general;
}

/* In the place of the general rule, which comes first; else behind all. */
static void put_place(const struct conf *c, struct buf *out)
{
    struct quota_rule first;
    if (c->quota_rule.n == 0 || (quota_rule_parse(c->quota_rule.v[0], &first) == RC_OK && first.general))
        return;
    for (size_t i = 0; i < c->quota_rule.n; i++)
        buf_putc(out, '\n');
}

void account_put_quota(const struct conf *c, const struct account *a, struct buf *out)
{
    AUTO(buf_deinit) struct buf rules = BUF_INIT(QUOTA_RULES_BYTES);
    if (!a->quota.bytes && !a->quota.messages && !a->domain_quota.bytes && !a->domain_quota.messages)
        return;
    conf_quota_rules(c, STR_NONE, &rules);
    struct quota_limits l = quota_limits_of(buf_str(&rules), STR_NONE, '.');
    l.bytes = limit_of(a->quota.bytes, a->domain_quota.bytes, l.bytes);
    l.messages = limit_of(a->quota.messages, a->domain_quota.messages, l.messages);
    put_place(c, out);
    quota_rule_put(out, &l);
}
