/* dns_asker: questions to the DNS of which some answers do not count, because an administrator has said so
 * (smtp_dns_reply_filter and its like). */
#ifndef NET_DNS_ASKER_H
#define NET_DNS_ASKER_H

#include "net/resolver.h"

struct dns_asker {
    struct resolver *resolver;
    /* Whether a record counts, as dns_record_put writes it: RC_OK; RC_GONE: it does not; RC_TEMP: that cannot
     * be said now. NULL: all do. */
    enum rc (*judge)(void *ctx, str record);
    void *ctx;
};

/* As resolver_query, with those records that count. RC_GONE: there are records and none counts; *ret is an
 * answer without any then. */
MUST_USE enum rc dns_ask(const struct dns_asker *asker, str name, enum dns_type type, msec deadline,
                         const struct dns_answer **ret);

#endif
