#include "net/dane.h"

enum { HEAD = 3 }; /* usage, selector, matching type; RFC 6698 §2.1 */

static enum rc held_up(struct err *e, str host, const char *why)
{
    return err_set(e, RC_TEMP, 451, "4.7.5", "TLSA lookup error for " STR_FMT ": %s", STR_ARG(host), why);
}

static void add(struct dane *d, struct arena *a, str rdata)
{
    if (rdata.n <= HEAD || d->n_usable == DANE_RECORDS_MAX)
        return;
    struct tls_tlsa t = {.usage = (uint8_t)rdata.p[0],
                         .selector = (uint8_t)rdata.p[1],
                         .matching = (uint8_t)rdata.p[2],
                         .data = arena_str(a, str_from(rdata, HEAD))};
    if (tls_tlsa_is_usable(&t))
        d->usable[d->n_usable++] = t;
}

enum rc dane_find(const struct dns_asker *asker, str host, int port, msec deadline, struct arena *a,
                  struct dane *ret, struct err *e)
{
    AUTO(dns_answer_freep) const struct dns_answer *answer = NULL;
    struct dane d = {.usable = arena_array(a, DANE_RECORDS_MAX, sizeof *d.usable)};
    str name = arena_printf(a, "_%d._tcp." STR_FMT, port, STR_ARG(host));
    if (arena_exhausted(a))
        return err_set(e, RC_TEMP, 451, "4.3.0", "Insufficient system resources");
    enum rc rc = dns_ask(asker, name, DNS_TLSA, deadline, &answer);
    if (rc == RC_GONE)
        return held_up(e, host, "DNS reply filter drops all results");
    if (rc != RC_OK)
        return held_up(e, host, "no answer");
    if (answer->security == DNS_BOGUS)
        return held_up(e, host, "the answer fails DNSSEC validation");
    for (size_t i = 0; answer->security == DNS_SECURE && i < answer->n; i++)
        add(&d, a, answer->rdata[i]);
    d.any = answer->security == DNS_SECURE && answer->n > 0;
    *ret = d;
    return RC_OK;
}
