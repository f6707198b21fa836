/* The confirmed name of a client: PTR records, and then the addresses of each name that they give. */
#include "net/resolver_impl.h"

#include "fmt/dns_name.h"

#include <netinet/in.h>

enum { NAMES_MAX = 4, V4_OFFSET = 12 };

static bool address_of(const struct sockaddr_storage *s, struct ip_net *ret)
{
    *ret = (struct ip_net){.bits = 128};
    if (s->ss_family == AF_INET6) {
        memcpy(ret->addr, &((const struct sockaddr_in6 *)s)->sin6_addr, sizeof ret->addr);
        return true;
    }
    if (s->ss_family != AF_INET)
        return false;
    ret->addr[V4_OFFSET - 2] = ret->addr[V4_OFFSET - 1] = 0xff;
    memcpy(ret->addr + V4_OFFSET, &((const struct sockaddr_in *)s)->sin_addr, 4);
    return true;
}

/* Whether one of the name's addresses is this one. RC_GONE: none is. */
static enum rc confirm(struct resolver *r, str name, const struct ip_net *ip, msec deadline)
{
    AUTO(dns_answer_freep) const struct dns_answer *a = NULL;
    bool v4 = ip_is_mapped_v4(ip);
    str own = v4 ? str_mem(ip->addr + V4_OFFSET, 4) : str_mem(ip->addr, sizeof ip->addr);
    enum rc rc = resolver_query(r, name, v4 ? DNS_A : DNS_AAAA, deadline, &a);
    if (rc != RC_OK)
        return rc == RC_INVALID ? RC_GONE : rc;
    for (size_t i = 0; i < a->n; i++)
        if (str_eq(a->rdata[i], own))
            return RC_OK;
    return RC_GONE;
}

/* The first confirmed name of a few: who controls an address could list any number. */
static enum rc first_confirmed(struct resolver *r, const struct dns_answer *a, const struct ip_net *ip,
                               msec deadline, struct buf *ret_name, struct buf *ret_any)
{
    struct buf name = BUF_INIT(DNS_NAME_TEXT_MAX);
    enum rc result = RC_GONE;
    for (size_t i = 0; i < a->n && i < NAMES_MAX && result != RC_OK; i++) {
        buf_reset(&name);
        if (dns_name_from_wire(a->rdata[i], &name) != RC_OK || !dns_name_is_host(buf_str(&name)))
            continue;
        if (ret_any && ret_any->n == 0)
            buf_puts(ret_any, buf_str(&name));
        enum rc rc = confirm(r, buf_str(&name), ip, deadline);
        if (rc != RC_GONE)
            result = rc;
    }
    if (result == RC_OK)
        buf_puts(ret_name, buf_str(&name));
    buf_deinit(&name);
    return result;
}

enum rc resolver_ptr_name(struct resolver *r, const struct sockaddr_storage *client, msec deadline,
                          struct buf *ret_name, struct buf *ret_any)
{
    AUTO(dns_answer_freep) const struct dns_answer *a = NULL;
    struct buf reverse = BUF_INIT(DNS_NAME_MAX);
    struct ip_net ip;
    if (!address_of(client, &ip))
        return RC_GONE;
    str known = hosts_name(r->hosts, &ip);
    if (known.n || ip_is_loopback(&ip)) {
        buf_puts(ret_name, known);
        if (ret_any)
            buf_puts(ret_any, known);
        return known.n ? RC_OK : RC_GONE;
    }
    dns_name_put_reverse(&reverse, &ip);
    enum rc rc = resolver_query(r, buf_str(&reverse), DNS_PTR, deadline, &a);
    buf_deinit(&reverse);
    return rc == RC_OK ? first_confirmed(r, a, &ip, deadline, ret_name, ret_any) : rc;
}
