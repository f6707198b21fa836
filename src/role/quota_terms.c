#include "role/quota_terms.h"

#include "os/ipc.h"
#include "role/ipc.h"

void quota_terms_fill(const struct conf *c, const char *account, const char *own, struct buf *rules,
                      struct quota_terms *ret)
{
    conf_quota_rules(c, str_c(own), rules);
    *ret = (struct quota_terms){.account = str_c(account),
                                .hostname = str_c(c->hostname),
                                .postmaster = str_c(c->postmaster_address),
                                .rules = buf_str(rules),
                                .grace = str_c(c->quota_grace),
                                .refusal = str_c(c->quota_exceeded_message),
                                .mail_max = c->quota ? c->quota_max_mail_size : 0,
                                .tempfail = c->quota_full_tempfail,
                                .warnings = c->quota_warning.v,
                                .n_warnings = c->quota_warning.n,
                                .separator = c->hierarchy_separator[0]};
}

static bool ask_mailbox(void *ctx, const struct quota_terms *q, size_t warning)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(IPC_MAX);
    const int *link = ctx;
    ipc_begin(&b, MSG_QUOTA_CROSSED);
    ipc_put_u32(&b, (uint32_t)warning);
    ipc_put_str(&b, q->account);
    return ipc_send(*link, &b, NULL, 0, IPC_NOWAIT) == RC_OK;
}

void quota_terms_run(const struct conf *c, int *link, struct quota_terms *q)
{
    if (!c->quota_warning_programs[0])
        return;
    q->run = ask_mailbox;
    q->run_ctx = link;
}
