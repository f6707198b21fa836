/* Connections to servers that the configuration names: a Dovecot, milters. What is on the network is reached
 * from here; Unix sockets by way of the master, as this process sees no files. */
#include "base/log.h"
#include "fmt/nexthop.h"
#include "net/dial.h"
#include "net/mx.h"
#include "role/smtpd_impl.h"
#include "role/unix_connect.h"

/* RFC 6761 §6.3: that name is asked of nobody. */
static bool find_localhost(str host, struct mx_addresses *ret)
{
    static const str loopback[] = {S("127.0.0.1"), S("::1")};
    if (!str_ieq(host, S("localhost")))
        return false;
    for (ret->n = 0; ret->n < sizeof loopback / sizeof *loopback; ret->n++) {
        struct ip_net address;
        must(ip_parse(loopback[ret->n], &address) == RC_OK);
        mx_sockaddr(&address, 0, &ret->v[ret->n]);
    }
    return true;
}

static enum rc find_addresses(struct smtpd *d, struct nexthop *hop, msec deadline, struct mx_addresses *ret,
                              struct err *e)
{
    if (hop->is_address || ip_parse(hop->host, &hop->address) == RC_OK) { /* brackets are not needed here */
        ret->n = 1;
        mx_sockaddr(&hop->address, 0, &ret->v[0]);
        return RC_OK;
    }
    if (find_localhost(hop->host, ret))
        return RC_OK;
    enum rc rc =
        mx_addresses(&(struct dns_asker){.resolver = d->resolver}, hop->host, MX_ANY, deadline, ret, e);
    if (rc == RC_GONE)
        rc = err_set(e, RC_TEMP, 0, "4.4.1", "the host " STR_FMT " has no address", STR_ARG(hop->host));
    return rc;
}

static enum rc connect_inet(struct smtpd *d, str where, msec deadline, int *ret_fd, struct err *e)
{
    struct nexthop hop;
    struct mx_addresses found = {.n = 0};
    const struct dial_way straight = {0};
    char name[DNS_NAME_MAX + 1];
    if (nexthop_parse(where, &hop) != RC_OK || str_copy(name, sizeof name, hop.host) != RC_OK)
        return err_set(e, RC_TEMP, 0, "4.4.1", "that is no host and port");
    if (find_addresses(d, &hop, deadline, &found, e) != RC_OK)
        return RC_TEMP;
    for (size_t i = 0; i < found.n; i++) {
        socket_set_port(&found.v[i], hop.port);
        if (dial(&found.v[i], &straight, name, deadline, ret_fd, e) == RC_OK)
            return RC_OK;
    }
    return RC_TEMP;
}

enum rc smtpd_connect(struct smtpd *d, str place, msec deadline, size_t in_max, struct stream **ret,
                      struct err *e)
{
    str path = str_starts(place, S("unix:")) ? str_from(place, 5) : place;
    int fd = -1;
    enum rc rc = str_starts(place, S("inet:")) ? connect_inet(d, str_from(place, 5), deadline, &fd, e)
                                               : unix_connect(d->role, path, &fd, e);
    if (rc != RC_OK)
        return RC_TEMP;
    *ret = stream_new(fd, in_max);
    stream_set_deadline(*ret, deadline);
    return RC_OK;
}
