#include "net/dns_asker.h"

#include "net/answer_cache.h"

/* The records that count, to the front of kept. What cannot be written as text counts. */
static enum rc judge_all(const struct dns_asker *asker, str name, enum dns_type type,
                         const struct dns_answer *a, str *kept, size_t *ret_n)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(DNS_RECORD_TEXT_MAX);
    size_t n = 0;
    for (size_t i = 0; i < a->n; i++) {
        buf_reset(&text);
        enum rc rc = dns_record_put(&text, name, type, a->ttl_s, a->rdata[i]) == RC_OK
                         ? asker->judge(asker->ctx, buf_str(&text))
                         : RC_OK;
        if (rc != RC_OK && rc != RC_GONE)
            return RC_TEMP;
        if (rc == RC_OK)
            kept[n++] = a->rdata[i];
    }
    *ret_n = n;
    return RC_OK;
}

enum rc dns_ask(const struct dns_asker *asker, str name, enum dns_type type, msec deadline,
                const struct dns_answer **ret)
{
    const struct dns_answer *a = NULL;
    enum rc rc = resolver_query(asker->resolver, name, type, deadline, &a);
    if (rc != RC_OK || !asker->judge || a->n == 0) {
        if (rc == RC_OK)
            *ret = a;
        return rc;
    }
    str *kept = calloc(a->n, sizeof *kept);
    size_t n = 0;
    must(kept);
    rc = judge_all(asker, name, type, a, kept, &n);
    if (rc == RC_OK) {
        struct dns_answer *left = dns_answer_new(a->security, a->nxdomain, kept, n, str_c(a->why));
        left->ttl_s = a->ttl_s;
        *ret = left;
    }
    dns_answer_free(a);
    free(kept);
    return rc == RC_OK && n == 0 ? RC_GONE : rc;
}
