/* The relay decision, pure. Only four things open the way to other servers: a log-in, and on the MX listener
 * an address in mynetworks, or for one recipient alone that it is in relay_domains, or that a restriction
 * permits it; LMTP never relays. */
#include "smtp/rules.h"

enum rules_verdict rules_relay(const struct rules_relay *r)
{
    if (r->kind == SMTP_KIND_SUBMISSION && !r->authenticated)
        return RULES_LOG_IN;
    if (r->local_rcpt)
        return RULES_DELIVER;
    if (r->kind == SMTP_KIND_LMTP)
        return RULES_NO_RELAY;
    if (r->authenticated)
        return RULES_RELAY;
    bool may = r->in_mynetworks || r->relay_domain || r->permitted;
    return r->kind == SMTP_KIND_MX && may ? RULES_RELAY : RULES_NO_RELAY;
}

str rules_relay_domain(str address)
{
    ptrdiff_t at = str_rchr(address, '@');
    for (ptrdiff_t i = 0; i < at; i++)
        if (strchr("@%!", address.p[i])) /* a NUL counts, too */
            return STR_NONE;
    return at > 0 ? str_from(address, (size_t)at + 1) : STR_NONE;
}

bool rules_may_submit(const struct conf *c, str user)
{
    for (size_t i = 0; i < c->authorized_submit_users.n; i++) {
        str word = c->authorized_submit_users.v[i];
        bool may = !str_starts(word, S("!"));
        str name = may ? word : str_from(word, 1);
        if (str_eq(name, user) || str_eq(name, S("*")))
            return may;
    }
    return false;
}

bool rules_overrides(const struct conf *c, str word)
{
    return conf_list_has(&c->receive_override_options, word);
}

bool rules_rejects_unlisted(const struct conf *c)
{
    return c->smtpd_reject_unlisted_recipient && !rules_overrides(c, S("no_unknown_recipient_checks"));
}

str rules_probe_sender(const struct conf *c, struct arena *a)
{
    str sender = str_c(c->address_verify_sender);
    if (sender.n == 0 || str_eq(sender, S("<>")))
        return S("");
    return str_chr(sender, '@') >= 0 ? sender : arena_printf(a, STR_FMT "@%s", STR_ARG(sender), c->hostname);
}

bool rules_any_canonical(const struct conf *c)
{
    return c->canonical_maps[0] || c->sender_canonical_maps[0] || c->recipient_canonical_maps[0] ||
           c->masquerade_domains.n > 0;
}

bool rules_any_rewriting(const struct conf *c)
{
    return rules_any_canonical(c) || c->append_at_myorigin || c->append_dot_mydomain;
}

bool rules_rewrites_header(const struct conf *c, const struct rules_relay *r, bool is_local, bool is_here)
{
    bool permitted = is_local;
    for (size_t i = 0; i < c->local_header_rewrite_clients.n && r->kind != SMTP_KIND_LMTP; i++) {
        str word = c->local_header_rewrite_clients.v[i];
        permitted |= str_eq(word, S("permit")) || (str_eq(word, S("permit_inet_interfaces")) && is_here) ||
                     (str_eq(word, S("permit_mynetworks")) && r->in_mynetworks) ||
                     (str_eq(word, S("permit_sasl_authenticated")) && r->authenticated);
    }
    return permitted;
}

str rules_origin(const struct conf *c)
{
    if (c->myorigin[0])
        return str_c(c->myorigin);
    return c->domains.n ? c->domains.v[0] : str_c(c->hostname);
}
