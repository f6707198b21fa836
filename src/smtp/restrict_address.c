/* Restrictions on the sender's and the recipient's address. */
#include "fmt/helo_name.h"
#include "fmt/tablespec.h"
#include "smtp/restrict_impl.h"
#include "smtp/rules.h"
#include "table/settings.h"

enum { MX_MAX = 50 };

/* --- whose an address is --- */

static bool probes(const struct conf *c)
{
    bool any = str_find(str_c(c->smtpd_restriction_classes), S("reject_unverified")) >= 0;
    for (int i = 0; i < RESTRICTION_LISTS; i++)
        any = any || str_find(conf_restrictions(c, (enum restriction_list)i), S("reject_unverified")) >= 0;
    return any;
}

/* Servers that are asked about an address may ask in turn whether the asker would take a notification. Nobody
 * reads it: what really comes is returned, to the null sender. */
static void accept_asker(struct smtp_session *s)
{
    struct smtp_judged *j = &s->rcpt;
    if ((j->rc != RC_PERM && j->rc != RC_GONE) || s->tx.sender.n > 0 || smtp_is_lmtp(s) ||
        !str_eq(j->address, rules_probe_sender(s->conf, s->cmd_arena)) || !probes(s->conf))
        return;
    j->targets = arena_make(s->tx.arena, struct smtp_target);
    if (!j->targets)
        return;
    *j->targets = (struct smtp_target){.unlisted = true, .uid = UINT32_MAX, .address = j->address};
    j->n_targets = 1;
    j->rc = RC_OK;
}

enum rc smtp_judge(struct smtp_session *s)
{
    struct smtp_judged *j = &s->rcpt;
    if (!j->asked) {
        j->why = (struct err){.rc = RC_OK};
        j->rc = s->env->resolve(s->p->env_ctx, j->address, s->tx.arena, &j->targets, &j->n_targets, &j->why);
        j->asked = true;
        accept_asker(s);
    }
    return j->rc;
}

/* A mailbox that is full, or not to be reached, is ours all the same. */
static enum rc whose(enum rc rc, const struct err *why)
{
    if (rc == RC_TEMP && (why->code == 0 || why->code == 451))
        return RC_TEMP;
    return rc == RC_GONE ? RC_GONE : RC_OK;
}

enum rc restrict_destination(struct smtp_session *s)
{
    enum rc rc = smtp_judge(s);
    rc = whose(rc, &s->rcpt.why);
    return rc == RC_GONE ? smtp_is_relay_address(s, s->rcpt.address) : rc;
}

enum verdict restrict_dict_retry(struct smtp_session *s, str address)
{
    return restrict_refuse(s, BY_FAULT, 451, "4.3.0", "<" STR_FMT ">: Temporary lookup failure",
                           STR_ARG(address));
}

static enum rc find_sender(struct smtp_session *s, struct err *why)
{
    struct smtp_target *targets;
    size_t n = 0;
    return s->env->resolve(s->p->env_ctx, s->restrict_.sender, s->restrict_.arena, &targets, &n, why);
}

/* --- where mail may go --- */

static enum verdict on_destination(struct smtp_session *s, const struct restriction *r)
{
    bool later = r->kind == RESTRICTION_DEFER_DESTINATION;
    switch (restrict_destination(s)) {
    case RC_OK:
        return r->kind == RESTRICTION_PERMIT_DESTINATION ? PERMITTED : DUNNO;
    case RC_GONE:
        if (r->kind == RESTRICTION_PERMIT_DESTINATION)
            return DUNNO;
        return restrict_refuse(s, BY_POLICY, s->conf->relay_domains_reject_code - (later ? 100 : 0),
                               later ? "4.7.1" : "5.7.1", "<" STR_FMT ">: Relay access denied",
                               STR_ARG(s->rcpt.address));
    default:
        return restrict_dict_retry(s, s->rcpt.address);
    }
}

/* Whether one of the host's addresses is the one that this client connected to or of own_addresses, and
 * whether one of them is in permit_mx_backup_networks. */
static enum rc look_at_host(struct smtp_session *s, str host, bool *ret_here, bool *ret_in_networks)
{
    static const enum dns_type types[] = {DNS_A, DNS_AAAA};
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct restrict_records records;
    struct ip_net here, ip = {.bits = 128};
    bool has_here = ip_parse(s->p->server_address, &here) == RC_OK;
    for (size_t t = 0; t < 2; t++) {
        if (restrict_dns(s, host, types[t], &records) == RC_TEMP)
            return RC_TEMP;
        for (size_t i = 0; i < records.n; i++) {
            bool v4 = types[t] == DNS_A;
            if (records.v[i].n != (v4 ? 4 : 16))
                continue;
            memcpy(ip.addr, mapped, sizeof mapped);
            memcpy(ip.addr + (v4 ? 12 : 0), records.v[i].p, records.v[i].n);
            *ret_here = *ret_here || (has_here && memcmp(here.addr, ip.addr, sizeof ip.addr) == 0) ||
                        conf_list_has_address(&s->conf->own_addresses, &ip);
            *ret_in_networks =
                *ret_in_networks || conf_list_has_address(&s->conf->permit_mx_backup_networks, &ip);
        }
    }
    return RC_OK;
}

static unsigned preference_of(str rdata)
{
    return rdata.n < 2 ? UINT16_MAX : (unsigned)(unsigned char)rdata.p[0] << 8 | (unsigned char)rdata.p[1];
}

static enum verdict cannot_look_up(struct smtp_session *s, str what)
{
    return restrict_if_reject(s, 450, "4.4.4",
                              "<" STR_FMT ">: " CLASS_RECIPIENT " rejected: Unable to look up " STR_FMT
                              ": Host not found, try again",
                              STR_ARG(s->rcpt.address), STR_ARG(what));
}

/* This server is among the mail servers of the domain, and the first of those is in the networks that were
 * named. */
enum verdict restrict_mx_backup(struct smtp_session *s)
{
    struct restrict_records records;
    str domain = restrict_domain(s->rcpt.address);
    bool here = false, all_first = true;
    unsigned best = UINT16_MAX;
    enum rc rc = restrict_destination(s);
    if (rc != RC_GONE)
        return rc == RC_OK ? PERMITTED : restrict_dict_retry(s, s->rcpt.address);
    for (ptrdiff_t i = 0; s->rcpt.address.p + i < domain.p - 1; i++)
        if (strchr("@%!", s->rcpt.address.p[i])) /* it says where to go from there */
            return DUNNO;
    rc = restrict_dns(s, domain, DNS_MX, &records);
    if (rc == RC_TEMP)
        return cannot_look_up(s, S("mail exchanger information"));
    for (size_t i = 0; i < records.n; i++)
        best = preference_of(records.v[i]) < best ? preference_of(records.v[i]) : best;
    for (size_t i = 0; i < records.n && i < MX_MAX; i++) {
        bool in_networks = false;
        str host = restrict_dns_name(s, records.v[i], DNS_MX);
        if (look_at_host(s, host, &here, &in_networks) == RC_TEMP)
            return cannot_look_up(
                s, arena_printf(s->restrict_.arena, "host " STR_FMT " as mail exchanger", STR_ARG(host)));
        all_first = all_first && (preference_of(records.v[i]) > best || in_networks);
    }
    return here && (all_first || s->conf->permit_mx_backup_networks.n == 0) ? PERMITTED : DUNNO;
}

/* --- what an address looks like --- */

static enum verdict on_non_fqdn(struct smtp_session *s, str address, const char *class)
{
    str domain = str_rchr(address, '@') < 0 ? S("") : restrict_domain(address);
    if (domain.n > 2 && domain.p[0] == '[' && domain.p[domain.n - 1] == ']')
        return DUNNO;
    if (helo_name_is_valid(domain) && str_chr(domain, '.') >= 0)
        return DUNNO;
    return restrict_refuse(s, BY_POLICY, s->conf->non_fqdn_reject_code, "4.5.2",
                           "<" STR_FMT ">: %s rejected: need fully-qualified address", STR_ARG(address),
                           class);
}

/* RFC 7505 §3 */
static bool is_null_mx(const struct restrict_records *r)
{
    return r->n == 1 && r->v[0].n == 3 && r->v[0].p[2] == '\0';
}

/* RC_OK: the domain can receive mail, or says that it does not (*ret_null); RC_GONE: there is no such domain.
 */
static enum rc find_mail_host(struct smtp_session *s, str domain, bool *ret_null)
{
    static const enum dns_type types[] = {DNS_MX, DNS_A, DNS_AAAA};
    struct restrict_records records;
    enum rc worst = RC_GONE;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        enum rc rc = restrict_dns(s, domain, types[i], &records);
        *ret_null = types[i] == DNS_MX && is_null_mx(&records);
        if (rc == RC_OK)
            return rc;
        if (rc != RC_GONE)
            worst = RC_TEMP;
    }
    return worst;
}

static enum verdict on_unknown_domain(struct smtp_session *s, str address, const char *class, bool sender)
{
    str domain = restrict_domain(address);
    bool null = false;
    const char *status = sender ? "4.1.8" : "4.1.2";
    if (str_rchr(address, '@') < 0 || (domain.n > 2 && domain.p[0] == '['))
        return DUNNO;
    enum rc rc = find_mail_host(s, domain, &null);
    if (rc == RC_OK && !null)
        return DUNNO;
    if (rc == RC_OK)
        return restrict_refuse(s, BY_POLICY, sender ? 550 : 556, sender ? "4.7.27" : "4.1.10",
                               "<" STR_FMT ">: %s rejected: Domain " STR_FMT " does not accept mail (nullMX)",
                               STR_ARG(address), class, STR_ARG(domain));
    if (rc == RC_GONE)
        return restrict_refuse(s, BY_POLICY, s->conf->unknown_address_reject_code, status,
                               "<" STR_FMT ">: %s rejected: Domain not found", STR_ARG(address), class);
    return restrict_if_permit(s, s->conf->unknown_address_tempfail_action == CONF_TEMPFAIL_DEFER, 450, status,
                              "<" STR_FMT ">: %s rejected: Domain not found", STR_ARG(address), class);
}

static enum verdict refuse_unlisted(struct smtp_session *s, str address, const char *class,
                                    const struct err *why, const char *status)
{
    return restrict_refuse(s, BY_POLICY, why->code ? why->code : 550, status,
                           "<" STR_FMT ">: %s rejected: %s", STR_ARG(address), class,
                           why->peer[0] ? why->peer : "User unknown");
}

static enum verdict on_sender(struct smtp_session *s, const struct restriction *r)
{
    str sender = s->restrict_.sender;
    struct err why = {.rc = RC_OK};
    if (!s->restrict_.has_sender || sender.n == 0)
        return DUNNO;
    if (r->kind == RESTRICTION_NON_FQDN_ADDRESS)
        return on_non_fqdn(s, sender, CLASS_SENDER);
    enum rc rc = find_sender(s, &why);
    if (r->kind == RESTRICTION_UNLISTED)
        s->restrict_.sender_listed = true;
    if (whose(rc, &why) == RC_TEMP)
        return restrict_dict_retry(s, sender);
    if (r->kind == RESTRICTION_UNVERIFIED)
        return restrict_verify(s, sender, CLASS_SENDER, rc, &why);
    if (r->kind == RESTRICTION_UNLISTED)
        return rc == RC_PERM ? refuse_unlisted(s, sender, CLASS_SENDER, &why, "5.1.0") : DUNNO;
    return rc == RC_GONE ? on_unknown_domain(s, sender, CLASS_SENDER, true) : DUNNO;
}

/* What is not known now is told where the recipient is accepted (cmd_rcpt.c). */
static enum verdict on_recipient(struct smtp_session *s, const struct restriction *r)
{
    struct smtp_judged *j = &s->rcpt;
    if (!s->restrict_.has_recipient)
        return DUNNO;
    if (r->kind == RESTRICTION_NON_FQDN_ADDRESS)
        return on_non_fqdn(s, j->address, CLASS_RECIPIENT);
    enum rc rc = smtp_judge(s);
    if (r->kind == RESTRICTION_UNLISTED) {
        s->restrict_.recipient_listed = true;
        return rc == RC_PERM ? refuse_unlisted(s, j->address, CLASS_RECIPIENT, &j->why,
                                               j->why.enhanced[0] ? j->why.enhanced : "5.1.1")
                             : DUNNO;
    }
    if (whose(rc, &j->why) == RC_TEMP)
        return restrict_dict_retry(s, j->address);
    if (r->kind == RESTRICTION_UNVERIFIED)
        return restrict_verify(s, j->address, CLASS_RECIPIENT, rc, &j->why);
    return rc == RC_GONE ? on_unknown_domain(s, j->address, CLASS_RECIPIENT, false) : DUNNO;
}

/* --- who may send as whom --- */

static bool is_ours(void *ctx, str domain)
{
    return conf_has_domain(ctx, domain);
}

static bool names_account(str owners, str account)
{
    str name;
    while (tablespec_take(&owners, &name) == RC_OK)
        if (str_ieq(name, account))
            return true;
    return false;
}

static enum verdict on_login(struct smtp_session *s, const struct restriction *r)
{
    struct table_list *owners = smtp_tables(s, TABLES_SENDER_LOGIN);
    const struct maps_rules rules = {
        .delimiters = s->conf->recipient_delimiter, .is_ours = is_ours, .ctx = (void *)(uintptr_t)s->conf};
    bool logged_in = smtp_is_authenticated(s);
    str sender = s->restrict_.sender;
    struct maps_found found;
    struct err e = {0};
    if (!s->restrict_.has_sender || sender.n == 0 ||
        !(r->logins & (logged_in ? RESTRICTION_LOGINS_WITH : RESTRICTION_LOGINS_WITHOUT)))
        return DUNNO;
    enum rc rc = owners ? maps_find_address(owners, sender, &rules, s->restrict_.arena, &found, &e) : RC_GONE;
    if (rc != RC_OK && rc != RC_GONE)
        return restrict_dict_retry(s, sender);
    if (!logged_in)
        return rc == RC_GONE ? DUNNO
                             : restrict_refuse(s, BY_POLICY, 553, "5.7.1",
                                               "<" STR_FMT ">: " CLASS_SENDER " rejected: not logged in",
                                               STR_ARG(sender));
    if (rc == RC_GONE ? (r->logins & RESTRICTION_LOGINS_KNOWN) != 0 : names_account(found.value, s->account))
        return DUNNO;
    return restrict_refuse(s, BY_POLICY, 553, "5.7.1",
                           "<" STR_FMT ">: " CLASS_SENDER " rejected: not owned by user " STR_FMT,
                           STR_ARG(sender), STR_ARG(s->account));
}

enum verdict restrict_address(struct smtp_session *s, const struct restriction *r, const struct about *about)
{
    switch (r->kind) {
    case RESTRICTION_PERMIT_MX_BACKUP:
        return s->restrict_.has_recipient ? restrict_mx_backup(s) : DUNNO;
    case RESTRICTION_PERMIT_DESTINATION:
    case RESTRICTION_REJECT_DESTINATION:
    case RESTRICTION_DEFER_DESTINATION:
        return s->restrict_.has_recipient ? on_destination(s, r) : DUNNO;
    case RESTRICTION_LOGIN_MISMATCH:
        return on_login(s, r);
    default:
        return r->subject == RESTRICTION_OF_SENDER ? on_sender(s, r) : on_recipient(s, r);
    }
}
