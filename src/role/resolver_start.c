#include "role/resolver_start.h"

#include "base/log.h"

#include <unistd.h>

static _Noreturn void give_up(const struct err *e)
{
    log_error("%s", err_text(e));
    _exit(1);
}

struct resolver *role_resolver_new(const struct conf *c)
{
    struct resolver *r = NULL;
    struct err e = {0};
    struct resolver_conf rc = {.servers = c->dns_resolvers.v,
                               .n_servers = c->dns_resolvers.n,
                               .trust_anchor = c->dns_trust_anchor,
                               .hosts = "/etc/hosts",
                               .resolv_conf = "/etc/resolv.conf"};
    if (resolver_new(&rc, &r, &e) != RC_OK)
        give_up(&e);
    return r;
}

void role_resolver_start(struct resolver *r)
{
    struct err e = {0};
    if (resolver_start(r, &e) != RC_OK)
        give_up(&e);
}
