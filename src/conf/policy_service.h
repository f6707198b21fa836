/* policy_service: how a policy server is asked: smtpd_policy_service_..., unless its restriction says
 * otherwise
 * ("check_policy_service { inet:127.0.0.1:10023, timeout = 10s }"). */
#ifndef CONF_POLICY_SERVICE_H
#define CONF_POLICY_SERVICE_H

#include "conf/conf.h"
#include "fmt/restriction.h"

struct conf_policy_service {
    str server; /* "inet:host:port" or "unix:/path" */
    int64_t timeout_ms, max_idle_ms, max_ttl_ms, retry_delay_ms;
    uint32_t request_limit; /* 0: none */
    uint32_t try_limit;
    str default_action, context;
};

/* r is a RESTRICTION_POLICY; views of c and r. RC_INVALID with e: an option that there is not, or its value.
 */
MUST_USE enum rc conf_policy_service(const struct conf *c, const struct restriction *r,
                                     struct conf_policy_service *ret, struct err *e);

/* The table (src/table) through which it is asked: "policy:SERVER;TIMEOUT;IDLE;TTL;REQUESTS", in
 * milliseconds. */
void conf_policy_spec(const struct conf_policy_service *p, struct buf *out);

#endif
