/* What accounts have now, for the totals of their domains; and a line in the log where one passes a threshold
 * of quota_warning. */
#include "account/domain_total.h"
#include "account/resolve.h"
#include "base/log.h"
#include "role/auth_impl.h"
#include "role/ipc.h"
#include "role/quota_terms.h"

static void warn(void *ctx, str domain, const struct domain_total *before, const struct domain_total *after)
{
    const struct conf *c = *(const struct conf **)ctx;
    struct quota_warning w;
    for (size_t i = 0; i < c->quota_warning.n; i++) {
        str text = c->quota_warning.v[i];
        if (quota_warning_parse(text, &w) != RC_OK || w.below ||
            !quota_warning_crossed(&w, &after->limits, &before->used, &after->used))
            continue;
        str threshold = str_word(&text); /* a command may stand behind it */
        log_warn(STR_FMT ": the mail of its accounts passed " STR_FMT ": %llu bytes, %llu messages",
                 STR_ARG(domain), STR_ARG(threshold), (unsigned long long)after->used.bytes,
                 (unsigned long long)after->used.messages);
        return;
    }
}

enum rc auth_mail_counts(const struct auth_peer *p, struct ipc_msg *m, struct buf *reply)
{
    const struct account_lookup *l = atomic_load(&p->server->lookup);
    const struct conf *c = l->conf;
    struct account_use v[MAIL_COUNTS_MAX];
    struct err e = {0};
    uint32_t n = ipc_get_u32(m);
    if (n > MAIL_COUNTS_MAX)
        return RC_INVALID;
    for (uint32_t i = 0; i < n; i++) {
        v[i].account = ipc_get_str(m, IDENTITY_ACCOUNT_MAX);
        v[i].use.bytes = ipc_get_u64(m);
        v[i].use.messages = ipc_get_u64(m);
        if (v[i].use.bytes > INT64_MAX || v[i].use.messages > INT64_MAX)
            return RC_INVALID;
    }
    if (ipc_end(m) != RC_OK)
        return RC_INVALID;
    e.rc = domain_total_note(l->db, v, n, warn, &c, &e);
    ipc_begin(reply, MSG_MAIL_COUNTED);
    ipc_put_err(reply, &e);
    return RC_OK;
}
