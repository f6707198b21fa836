/* MX hosts and addresses. The resolver follows CNAMEs and validates; what it could not validate is not used.
 */
#include "net/mx.h"

#include "net/resolver_impl.h"
#include "os/crypto.h"

#include <netinet/in.h>
#include <stdlib.h>

/* --- MX --- */

static enum rc temporary(struct err *e, str name, const char *why)
{
    (void)err_set(e, RC_TEMP, 451, "4.4.3",
                  "Host or domain name not found. Name service error for name=" STR_FMT ": %s", STR_ARG(name),
                  why);
    return RC_TEMP;
}

static enum rc ask(const struct dns_asker *asker, str name, enum dns_type type, msec deadline,
                   const struct dns_answer **ret, struct err *e)
{
    enum rc rc = dns_ask(asker, name, type, deadline, ret);
    if (rc == RC_GONE)
        return err_set(e, RC_TEMP, 451, "4.7.0",
                       "Error looking up name=" STR_FMT ": DNS reply filter drops all results",
                       STR_ARG(name));
    if (rc == RC_INVALID)
        return err_set(e, RC_PERM, 550, "5.1.2", "Bad destination host name: " STR_FMT, STR_ARG(name));
    if (rc != RC_OK)
        return temporary(e, name, "no answer in time");
    if ((*ret)->security != DNS_BOGUS)
        return RC_OK;
    err_note(e, "DNSSEC: %s", (*ret)->why);
    *ret = dns_answer_free(*ret);
    return temporary(e, name, "the answer fails DNSSEC validation");
}

static int by_preference(const void *a, const void *b)
{
    const struct mx_host *x = a, *y = b;
    if (x->preference != y->preference)
        return x->preference < y->preference ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

static bool read_mx(str rdata, struct mx_host *ret)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(DNS_NAME_TEXT_MAX);
    if (rdata.n < 3 || dns_name_from_wire(str_from(rdata, 2), &name) != RC_OK)
        return false;
    ret->preference = (unsigned)(unsigned char)rdata.p[0] << 8 | (unsigned char)rdata.p[1];
    crypto_random(&ret->order, sizeof ret->order); /* RFC 5321 §5.1: equal preferences share the load */
    return str_copy(ret->name, sizeof ret->name, buf_str(&name)) == RC_OK;
}

/* Leaves out this server and whatever is behind it. */
static void cut_at_own(struct mx_list *l, str own)
{
    size_t first = 0;
    while (first < l->n && !str_ieq(str_c(l->hosts[first].name), own))
        first++;
    if (first == l->n)
        return;
    unsigned preference = l->hosts[first].preference;
    while (l->n > 0 && l->hosts[l->n - 1].preference >= preference)
        l->n--;
}

static enum rc implicit(str domain, bool nxdomain, struct mx_list *l, struct err *e)
{
    if (nxdomain)
        return err_set(e, RC_PERM, 550, "5.1.2", "Host or domain name not found: " STR_FMT " does not exist",
                       STR_ARG(domain));
    if (str_copy(l->hosts[0].name, sizeof l->hosts[0].name, domain) != RC_OK)
        return err_set(e, RC_PERM, 550, "5.1.2", "Bad destination host name: " STR_FMT, STR_ARG(domain));
    l->n = 1;
    return RC_OK;
}

enum rc mx_find(const struct dns_asker *asker, str domain, str own, msec deadline, struct mx_list *ret,
                struct err *e)
{
    AUTO(dns_answer_freep) const struct dns_answer *a = NULL;
    struct mx_list l = {0};
    enum rc rc = ask(asker, domain, DNS_MX, deadline, &a, e);
    if (rc != RC_OK)
        return rc;
    l.secure = a->security == DNS_SECURE;
    for (size_t i = 0; i < a->n && l.n < MX_HOSTS_MAX; i++)
        l.n += read_mx(a->rdata[i], &l.hosts[l.n]);
    if (a->n == 1 && l.n == 1 && str_eq(str_c(l.hosts[0].name), S(".")))
        return err_set(e, RC_PERM, 556, "5.1.10", "Domain " STR_FMT " does not accept mail (nullMX)",
                       STR_ARG(domain));
    if (a->n == 0) {
        rc = implicit(domain, a->nxdomain, &l, e);
        if (rc != RC_OK)
            return rc;
    }
    qsort(l.hosts, l.n, sizeof *l.hosts, by_preference);
    cut_at_own(&l, own);
    if (l.n == 0 && a->n > 0)
        return err_set(e, RC_PERM, 550, "5.4.6", "mail for " STR_FMT " loops back to myself",
                       STR_ARG(domain));
    if (l.n == 0)
        return temporary(e, domain, "malformed MX records");
    *ret = l;
    return RC_OK;
}

/* --- addresses --- */

void mx_sockaddr(const struct ip_net *address, int port, struct sockaddr_storage *ret)
{
    memset(ret, 0, sizeof *ret);
    if (ip_is_mapped_v4(address)) {
        struct sockaddr_in *in = (struct sockaddr_in *)(void *)ret;
        in->sin_family = AF_INET;
        in->sin_port = htons((uint16_t)port);
        memcpy(&in->sin_addr, address->addr + 12, 4);
    } else {
        struct sockaddr_in6 *in = (struct sockaddr_in6 *)(void *)ret;
        in->sin6_family = AF_INET6;
        in->sin6_port = htons((uint16_t)port);
        memcpy(&in->sin6_addr, address->addr, 16);
    }
}

static bool read_address(str rdata, enum dns_type type, struct ip_net *ret)
{
    *ret = (struct ip_net){.bits = 128};
    if (rdata.n != (type == DNS_A ? 4 : 16))
        return false;
    if (type == DNS_A)
        ret->addr[10] = ret->addr[11] = 0xff;
    memcpy(ret->addr + 16 - rdata.n, rdata.p, rdata.n);
    return true;
}

static enum rc add_family(const struct dns_asker *asker, str host, enum dns_type type, msec deadline,
                          struct mx_addresses *found, struct err *e)
{
    AUTO(dns_answer_freep) const struct dns_answer *a = NULL;
    enum rc rc = ask(asker, host, type, deadline, &a, e);
    found->secure = a && a->security == DNS_SECURE; /* also when a filter left nothing */
    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < a->n && found->n < MX_ADDRESSES_MAX / 2; i++) {
        struct ip_net ip;
        if (read_address(a->rdata[i], type, &ip))
            mx_sockaddr(&ip, 0, &found->v[found->n++]);
    }
    return RC_OK;
}

enum rc mx_addresses(const struct dns_asker *asker, str host, enum mx_families families, msec deadline,
                     struct mx_addresses *ret, struct err *e)
{
    struct mx_addresses v6 = {0}, v4 = {0}, all = {0};
    enum rc rc6 = RC_OK, rc4 = RC_OK;
    if (families != MX_IPV4)
        rc6 = add_family(asker, host, DNS_AAAA, deadline, &v6, e);
    if (families != MX_IPV6)
        rc4 = add_family(asker, host, DNS_A, deadline, &v4, e);
    for (size_t i = 0; i < MX_ADDRESSES_MAX / 2; i++) {
        if (i < v6.n)
            all.v[all.n++] = v6.v[i];
        if (i < v4.n)
            all.v[all.n++] = v4.v[i];
    }
    all.secure = (families == MX_IPV4 || v6.secure) && (families == MX_IPV6 || v4.secure);
    if (all.n == 0 && (rc6 != RC_OK || rc4 != RC_OK))
        return rc6 == RC_PERM || rc4 == RC_PERM ? RC_PERM : RC_TEMP;
    if (all.n == 0)
        return err_set(e, RC_GONE, 550, "5.4.4", "Host " STR_FMT " has no address", STR_ARG(host));
    *ret = all;
    return RC_OK;
}

enum rc mx_addresses_in_hosts(struct resolver *r, str host, enum mx_families families,
                              struct mx_addresses *ret)
{
    struct ip_net found[MX_ADDRESSES_MAX];
    struct mx_addresses all = {.n = 0};
    size_t n = hosts_addresses(r->hosts, host, found, MX_ADDRESSES_MAX);
    for (size_t i = 0; i < n; i++)
        if (families == MX_ANY || (families == MX_IPV4) == ip_is_mapped_v4(&found[i]))
            mx_sockaddr(&found[i], 0, &all.v[all.n++]);
    if (all.n == 0)
        return RC_GONE;
    *ret = all;
    return RC_OK;
}
