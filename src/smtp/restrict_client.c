/* Restrictions on the client's address and name, and on the name that it gives with HELO. */
#include "fmt/helo_name.h"
#include "smtp/restrict_impl.h"
#include "smtp/rules.h"

static enum verdict refuse_client(struct smtp_session *s, bool uncertain, const char *enhanced,
                                  const char *what)
{
    return restrict_refuse(s, BY_POLICY, uncertain ? 450 : s->conf->unknown_client_reject_code, enhanced,
                           "Client host rejected: cannot find your %s, [" STR_FMT "]", what,
                           STR_ARG(s->p->client_address));
}

/* Who connects from an address of this machine has it for a name of the server, too. */
static bool is_here(const struct smtp_session *s)
{
    return s->has_address && str_eq(s->p->client_address, s->p->server_address);
}

static enum verdict permit_networks(struct smtp_session *s)
{
    enum rc rc = smtp_in_mynetworks(s);
    if (rc == RC_TEMP)
        return restrict_refuse(s, BY_FAULT, 451, "4.3.0", "<" STR_FMT ">: Temporary lookup failure",
                               STR_ARG(s->p->client_address));
    return rc == RC_OK ? PERMITTED : DUNNO;
}

enum verdict restrict_client(struct smtp_session *s, const struct restriction *r)
{
    const struct smtp_params *p = s->p;
    switch (r->kind) {
    case RESTRICTION_PERMIT_INTERFACES:
        return is_here(s) ? PERMITTED : DUNNO;
    case RESTRICTION_PERMIT_NETWORKS:
        return permit_networks(s);
    case RESTRICTION_UNKNOWN_REVERSE:
        return str_eq(p->client_reverse_name, S("unknown"))
                   ? refuse_client(s, p->reverse_is_uncertain, "4.7.1", "reverse hostname")
                   : DUNNO;
    default:
        return str_eq(p->client_name, S("unknown"))
                   ? refuse_client(s, p->name_is_uncertain, "4.7.25", "hostname")
                   : DUNNO;
    }
}

/* --- HELO --- */

static enum verdict refuse_helo(struct smtp_session *s, int code, const char *enhanced, const char *why)
{
    return restrict_refuse(s, BY_POLICY, code, enhanced, "<" STR_FMT ">: " CLASS_HELO " rejected: %s",
                           STR_ARG(s->helo), why);
}

static enum verdict on_unknown(struct smtp_session *s, str name)
{
    static const enum dns_type types[] = {DNS_A, DNS_AAAA, DNS_MX};
    struct restrict_records records;
    bool uncertain = false;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        enum rc rc = restrict_dns(s, name, types[i], &records);
        if (rc == RC_OK)
            return DUNNO;
        uncertain = uncertain || rc != RC_GONE;
    }
    if (!uncertain)
        return refuse_helo(s, s->conf->unknown_hostname_reject_code, "4.7.1", "Host not found");
    return restrict_if_permit(s, s->conf->unknown_helo_hostname_tempfail_action == CONF_TEMPFAIL_DEFER, 450,
                              "4.7.1", "<" STR_FMT ">: " CLASS_HELO " rejected: Host not found",
                              STR_ARG(s->helo));
}

enum verdict restrict_helo_name(struct smtp_session *s, const struct restriction *r)
{
    str name = s->helo;
    if (name.p[0] == '[')
        return helo_name_is_literal(name)
                   ? DUNNO
                   : refuse_helo(s, s->conf->invalid_hostname_reject_code, "5.5.2", "invalid ip address");
    if (name.p[name.n - 1] == '.')
        name = str_sub(name, 0, name.n - 1);
    bool valid = helo_name_is_valid(name);
    struct ip_net ip;
    switch (r->kind) {
    case RESTRICTION_INVALID_HELO: /* an address without brackets is tolerated */
        return valid || ip_parse(name, &ip) == RC_OK
                   ? DUNNO
                   : refuse_helo(s, s->conf->invalid_hostname_reject_code, "5.5.2", "Invalid name");
    case RESTRICTION_NON_FQDN_HELO:
        return valid && str_chr(name, '.') >= 0
                   ? DUNNO
                   : refuse_helo(s, s->conf->non_fqdn_reject_code, "5.5.2", "need fully-qualified hostname");
    default:
        return on_unknown(s, name);
    }
}
