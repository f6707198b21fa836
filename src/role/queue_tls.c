/* What smtp wants to be remembered of TLS at other domains. */
#include "fmt/dns_name.h"
#include "role/ipc.h"
#include "role/queue_impl.h"

enum { ANSWER_ARENA = 64 << 10, DAY_SECONDS = 86400 };

enum rc queue_tls_find(const struct queue_role *s, struct ipc_msg *m, struct buf *reply)
{
    AUTO(arena_freep) struct arena *a = arena_new(ANSWER_ARENA);
    struct tls_db_policy p = {0};
    struct err e = {0};
    str domain = ipc_get_str(m, DNS_NAME_MAX);
    if (ipc_end(m) != RC_OK)
        return RC_INVALID;
    e.rc = domain.n ? tls_db_find(s->tls, domain, a, &p, &e)
                    : tls_db_find_due(s->tls, clock_seconds(), a, &p, &e);
    ipc_begin(reply, MSG_STS_POLICY);
    ipc_put_err(reply, &e);
    ipc_put_str(reply, p.domain);
    ipc_put_str(reply, p.id);
    ipc_put_u64(reply, (uint64_t)p.expires);
    ipc_put_u64(reply, (uint64_t)p.refresh);
    ipc_put_str(reply, p.text);
    return RC_OK;
}

enum rc queue_tls_keep(const struct queue_role *s, struct ipc_msg *m, struct buf *reply)
{
    struct err e = {0};
    struct tls_db_policy p = {.domain = ipc_get_str(m, DNS_NAME_MAX), .id = ipc_get_str(m, MTA_STS_ID_MAX)};
    p.expires = (int64_t)ipc_get_u64(m);
    p.refresh = (int64_t)ipc_get_u64(m);
    p.text = ipc_get_str(m, MTA_STS_TEXT_MAX);
    if (ipc_end(m) != RC_OK || !p.domain.n)
        return RC_INVALID;
    e.rc = tls_db_put(s->tls, &p, &e);
    ipc_begin(reply, MSG_STS_KEPT);
    ipc_put_err(reply, &e);
    return RC_OK;
}

enum rc queue_tls_count(const struct queue_role *s, struct ipc_msg *m, struct buf *reply)
{
    struct err e = {0};
    struct tls_db_count c = {.day = clock_seconds() / DAY_SECONDS, .domain = ipc_get_str(m, DNS_NAME_MAX)};
    uint32_t policy = ipc_get_u32(m), result = ipc_get_u32(m);
    c.mx = ipc_get_str(m, DNS_NAME_MAX);
    if (ipc_end(m) != RC_OK || policy >= TLSRPT_POLICIES || result >= TLSRPT_RESULTS || !c.domain.n)
        return RC_INVALID;
    c.policy = (enum tlsrpt_policy)policy;
    c.result = (enum tlsrpt_result)result;
    e.rc = tls_db_add(s->tls, &c, &e);
    ipc_begin(reply, MSG_TLS_SESSION_COUNTED);
    ipc_put_err(reply, &e);
    return RC_OK;
}
