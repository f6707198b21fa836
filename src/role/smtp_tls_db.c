#include "role/smtp_tls_db.h"

#include "base/log.h"
#include "fmt/dns_name.h"
#include "role/ipc.h"

enum { ANSWER_MS = 5000 };

static enum rc ask(struct channel_pool *queue, struct buf *b, uint16_t reply, struct ipc_msg *ret)
{
    enum rc rc = channel_pool_call(queue, b, NULL, 0, reply, ret, clock_mono() + ANSWER_MS);
    if (rc != RC_OK)
        log_warn("queue does not answer what is known of TLS at other domains");
    return rc;
}

bool smtp_tls_db_find(struct channel_pool *queue, str domain, struct arena *a, struct tls_db_policy *ret)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(IPC_MAX);
    struct ipc_msg m;
    struct err e = {0};
    ipc_begin(&b, MSG_STS_FIND);
    ipc_put_str(&b, domain);
    if (ask(queue, &b, MSG_STS_POLICY, &m) != RC_OK)
        return false;
    ipc_get_err(&m, &e);
    *ret = (struct tls_db_policy){.domain = arena_str(a, ipc_get_str(&m, DNS_NAME_MAX)),
                                  .id = arena_str(a, ipc_get_str(&m, MTA_STS_ID_MAX))};
    ret->expires = (int64_t)ipc_get_u64(&m);
    ret->refresh = (int64_t)ipc_get_u64(&m);
    ret->text = arena_str(a, ipc_get_str(&m, MTA_STS_TEXT_MAX));
    bool fine = ipc_end(&m) == RC_OK && e.rc == RC_OK && !arena_exhausted(a);
    ipc_msg_deinit(&m);
    return fine;
}

static void ask_plainly(struct channel_pool *queue, struct buf *b, uint16_t reply, const char *what)
{
    struct ipc_msg m;
    struct err e = {0};
    if (ask(queue, b, reply, &m) != RC_OK)
        return;
    ipc_get_err(&m, &e);
    ipc_msg_deinit(&m);
    if (e.rc != RC_OK)
        log_warn("%s is not kept: %s", what, err_text(&e));
}

void smtp_tls_db_keep(struct channel_pool *queue, const struct tls_db_policy *p)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(IPC_MAX);
    ipc_begin(&b, MSG_STS_KEEP);
    ipc_put_str(&b, p->domain);
    ipc_put_str(&b, p->id);
    ipc_put_u64(&b, (uint64_t)p->expires);
    ipc_put_u64(&b, (uint64_t)p->refresh);
    ipc_put_str(&b, p->text);
    ask_plainly(queue, &b, MSG_STS_KEPT, "an MTA-STS policy");
}

void smtp_tls_db_count(struct channel_pool *queue, str domain, enum tlsrpt_policy policy,
                       enum tlsrpt_result result, str host)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(IPC_MAX);
    ipc_begin(&b, MSG_TLS_SESSION);
    ipc_put_str(&b, domain);
    ipc_put_u32(&b, policy);
    ipc_put_u32(&b, result);
    ipc_put_str(&b, host);
    ask_plainly(queue, &b, MSG_TLS_SESSION_COUNTED, "a TLS session");
}
