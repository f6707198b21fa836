#include "role/quota_terms.h"

#include "os/ipc.h"
#include "role/ipc.h"

void quota_terms_fill(const struct conf *c, const char *account, const char *own, struct buf *rules,
                      struct quota_terms *ret)
{
    conf_quota_rules(c, str_c(own), rules);
    *ret = (struct quota_terms){.account = str_c(account),
                                .hostname = str_c(c->hostname),
                                .rules = buf_str(rules),
                                .grace = str_c(c->quota_grace),
                                .refusal = str_c(c->quota_exceeded_message),
                                .mail_max = c->quota ? c->quota_max_mail_size : 0,
                                .tempfail = c->quota_full_tempfail,
                                .warnings = c->quota_warning.v,
                                .n_warnings = c->quota_warning.n,
                                .separator = c->hierarchy_separator[0]};
}
