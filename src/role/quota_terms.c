#include "role/quota_terms.h"

#include "base/log.h"
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
                                .trash = c->quota_trash.v,
                                .n_trash = c->quota_trash.n,
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

static void tell_mailbox(void *ctx, const struct quota_terms *q, const struct quota_use *use)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(IPC_MAX);
    const int *link = ctx;
    ipc_begin(&b, MSG_MAIL_USED);
    ipc_put_str(&b, q->account);
    ipc_put_u64(&b, use->bytes);
    ipc_put_u64(&b, use->messages);
    if (ipc_send(*link, &b, NULL, 0, IPC_NOWAIT) != RC_OK)
        log_debug("mailbox does not hear what " STR_FMT " has; the next change says it", STR_ARG(q->account));
}

void quota_terms_domain(const struct conf *c, const int *total, int *link, struct quota_terms *q)
{
    if (*total < 0 || !c->quota)
        return;
    q->domain_total = total;
    q->tell = tell_mailbox;
    q->tell_ctx = link;
}
