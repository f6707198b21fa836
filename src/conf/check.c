/* Rules over whole values that a type cannot express: addresses, domains, locations, and options that
 * contradict each other. Pure: whether a file exists or a port is free is for `malle run` to find out. */
#include "base/num.h"
#include "conf/build.h"
#include "fmt/capability_list.h"
#include "fmt/ip.h"
#include "fmt/macro.h"
#include "fmt/nexthop.h"
#include "fmt/pipe_def.h"
#include "fmt/sasl.h"

#include <arpa/inet.h>

/* Numeric address of either family in a NUL-terminated view. */
static bool parse_address(str s, unsigned *ret_bits)
{
    unsigned char raw[16];
    char text[64];
    if (str_copy(text, sizeof text, s) != RC_OK)
        return false;
    *ret_bits = inet_pton(AF_INET, text, raw) == 1 ? 32 : inet_pton(AF_INET6, text, raw) == 1 ? 128 : 0;
    return *ret_bits != 0;
}

static bool valid_ip(str s)
{
    unsigned bits;
    return parse_address(s, &bits);
}

static bool valid_listen(str s)
{
    return str_eq(s, S("*")) || valid_ip(s);
}

static bool valid_ipv4(str s)
{
    unsigned bits;
    return !s.n || (parse_address(s, &bits) && bits == 32);
}

static bool valid_ipv6(str s)
{
    unsigned bits;
    return !s.n || (parse_address(s, &bits) && bits == 128);
}

static bool valid_network(str s)
{
    struct ip_net net;
    return ip_net_parse(s, &net) == RC_OK;
}

/* address [ "@" port ] */
static bool valid_resolver(str s)
{
    unsigned bits;
    uint32_t port;
    str rest = s, address = str_take(&rest, '@');
    if (!parse_address(address, &bits))
        return false;
    return address.n == s.n || (num_parse_u32(rest, 65535, &port) == RC_OK && port > 0);
}

/* domain = label *("." label); RFC 1035 §2.3.1, digits first allowed by RFC 1123 §2.1, at most 63 and 253
 * bytes */
static bool valid_domain(str s)
{
    if (!s.n || s.n > 253)
        return false;
    for (str rest = s; rest.p;) {
        str label = str_take(&rest, '.');
        if (!label.n || label.n > 63 || label.p[0] == '-' || label.p[label.n - 1] == '-')
            return false;
        for (size_t i = 0; i < label.n; i++)
            if (!ascii_alnum(label.p[i]) && label.p[i] != '-' && !((unsigned char)label.p[i] & 0x80))
                return false;
    }
    return true;
}

static bool valid_helo_name(str s)
{
    return !s.n || valid_domain(s);
}

/* [ "." ] domain */
static bool valid_relay_domain(str s)
{
    return valid_domain(str_from(s, str_starts(s, S("."))));
}

static bool valid_masquerade(str s)
{
    while (str_starts(s, S("!")))
        s = str_from(s, 1);
    return valid_domain(s);
}

/* Not a table, nor a file of names. */
static bool valid_name(str s)
{
    return str_chr(s, ':') < 0 && str_chr(s, '/') < 0 && str_chr(s, '@') < 0;
}

static bool valid_hostname(str s)
{
    return valid_domain(s) && str_chr(s, '.') > 0;
}

static bool valid_location(str s)
{
    struct buf text AUTO(buf_deinit) = BUF_INIT(4096);
    struct conf_location location;
    return conf_expand_location(s, S("user@example.com"), S("/home/user"), &text) == RC_OK &&
           conf_parse_location(buf_str(&text), &location) == RC_OK;
}

/* What the address of a Unix socket has room for. */
static bool valid_socket(str s)
{
    return str_starts(s, S("/")) && s.n <= 107;
}

/* Dovecot's socket: "" / path / "inet:" host ":" port */
static bool valid_sasl_path(str s)
{
    struct nexthop hop;
    if (str_starts(s, S("inet:")))
        return nexthop_parse(str_from(s, 5), &hop) == RC_OK && hop.port > 0;
    return s.n == 0 || valid_socket(s);
}

/* "" / "inet:" host ":" port / "unix:" path */
static bool valid_proxy_filter(str s)
{
    return str_starts(s, S("unix:")) ? valid_socket(str_from(s, 5))
                                     : !s.n || (str_starts(s, S("inet:")) && valid_sasl_path(s));
}

static bool valid_mailbox_transport(str s)
{
    str transport = str_take(&s, ':');
    return !str_eq(transport, S("local")) && !str_eq(transport, S("virtual"));
}

static bool valid_certificate(str s)
{
    str rest = s, chain = str_take(&rest, ':');
    return str_starts(chain, S("/")) && str_starts(rest, S("/"));
}

static bool valid_host_lookup(str s)
{
    return str_eq(s, S("dns")) || str_eq(s, S("native"));
}

static bool valid_log_target(str s)
{
    return str_eq(s, S("stderr")) || str_eq(s, S("syslog")) || str_starts(s, S("/"));
}

static bool valid_separator(str s)
{
    return str_eq(s, S(".")) || str_eq(s, S("/"));
}

static bool valid_mechanism(str s)
{
    enum sasl_mech mech;
    return sasl_mech_parse(s, &mech) == RC_OK;
}

static bool valid_client_mechanism(str s)
{
    static const char *const known[] = {"plain", "login", "scram-sha-1", "scram-sha-256", "xoauth2"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (str_ieq(s, str_c(known[i])))
            return true;
    return false;
}

static bool valid_security_option(str s)
{
    return str_eq(s, S("noplaintext")) || str_eq(s, S("noanonymous"));
}

static bool valid_delimiter(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '@' || ascii_alnum(s.p[i]) || s.p[i] <= ' ')
            return false;
    return true;
}

static bool valid_address(str s)
{
    ptrdiff_t at = str_rchr(s, '@');
    return at > 0 && valid_domain(str_from(s, (size_t)at + 1));
}

static bool valid_postmaster(str s)
{
    return !s.n || valid_address(s);
}

bool conf_is_one_of(str s, const char *const *words)
{
    for (; *words; words++)
        if (str_eq(s, str_c(*words)))
            return true;
    return false;
}

static bool valid_sender_class(str s)
{
    static const char *const words[] = {"envelope_sender", "header_sender", NULL};
    return conf_is_one_of(s, words);
}

static bool valid_recipient_class(str s)
{
    static const char *const words[] = {"envelope_recipient", "header_recipient", NULL};
    return conf_is_one_of(s, words);
}

static bool valid_class(str s)
{
    return valid_sender_class(s) || valid_recipient_class(s);
}

static bool valid_notify_class(str s)
{
    static const char *const words[] = {"bounce", "2bounce",  "delay",    "policy", "protocol",
                                        "data",   "resource", "software", NULL};
    return conf_is_one_of(s, words);
}

static bool valid_internal_class(str s)
{
    return str_eq(s, S("bounce")) || str_eq(s, S("notify"));
}

static bool valid_propagation(str s)
{
    return str_eq(s, S("canonical")) || str_eq(s, S("virtual"));
}

/* "" / name ":" text */
static bool valid_field(str s)
{
    size_t n = 0;
    while (n < s.n && s.p[n] > ' ' && s.p[n] < 0x7f && s.p[n] != ':')
        n++;
    return s.n == 0 || (n > 0 && n < s.n && s.p[n] == ':');
}

static bool valid_rewrite_client(str s)
{
    static const char *const words[] = {"permit", "permit_inet_interfaces", "permit_mynetworks",
                                        "permit_sasl_authenticated", NULL};
    return conf_is_one_of(s, words);
}

static bool valid_override(str s)
{
    static const char *const words[] = {"no_unknown_recipient_checks", "no_address_mappings",
                                        "no_header_body_checks", "no_milters", NULL};
    return conf_is_one_of(s, words);
}

/* One rule an option; of a list every element must keep it. */
static bool valid_relayhost(str s)
{
    struct nexthop hop;
    return s.n == 0 || nexthop_parse(s, &hop) == RC_OK;
}

static bool valid_program_place(str s)
{
    return str_eq(s, S("alias")) || str_eq(s, S("forward"));
}

static bool valid_parent_feature(str s)
{
    return str_eq(s, S("smtpd_access_maps")) || str_eq(s, S("relay_domains"));
}

static bool no_value(void *ctx, str name, str *ret)
{
    return false;
}

static bool valid_expansion(str s)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(2048);
    const struct macro_env env = {.find = no_value};
    return macro_expand(s, &env, &out, NULL) == RC_OK;
}

static const struct {
    enum conf_option option;
    bool (*valid)(str s);
    const char *expected;
} rules[] = {
    {CONF_domains, valid_domain, "a domain name"},
    {CONF_listen, valid_listen, "*, :: or an IP address"},
    {CONF_own_addresses, valid_ip, "an IP address"},
    {CONF_mynetworks, valid_network, "an IP address or a network such as 192.0.2.0/24"},
    {CONF_smtpd_client_event_limit_exceptions, valid_network,
     "an IP address or a network such as 192.0.2.0/24"},
    {CONF_smtpd_sasl_exceptions_networks, valid_network, "an IP address or a network such as 192.0.2.0/24"},
    {CONF_propagate_unmatched_extensions, valid_propagation, "canonical or virtual"},
    {CONF_undisclosed_recipients_header, valid_field, "a field such as To: undisclosed-recipients:;"},
    {CONF_smtpd_authorized_xclient_hosts, valid_network, "an IP address or a network such as 192.0.2.0/24"},
    {CONF_smtpd_authorized_xforward_hosts, valid_network, "an IP address or a network such as 192.0.2.0/24"},
    {CONF_login_trusted_networks, valid_network, "an IP address or a network such as 192.0.2.0/24"},
    {CONF_haproxy_trusted_networks, valid_network, "an IP address or a network such as 192.0.2.0/24"},
    {CONF_permit_mx_backup_networks, valid_network, "an IP address or a network such as 192.0.2.0/24"},
    {CONF_parent_domain_matches_subdomains, valid_parent_feature, "smtpd_access_maps or relay_domains"},
    {CONF_relay_domains, valid_relay_domain, "a domain name, or one with a dot in front"},
    {CONF_myorigin, valid_helo_name, "a domain name"},
    {CONF_postmaster_address, valid_postmaster, "an address such as postmaster@example.com"},
    {CONF_verp_senders, valid_address, "an address such as owner-list@example.com"},
    {CONF_canonical_classes, valid_class,
     "one of envelope_sender, envelope_recipient, header_sender, header_recipient"},
    {CONF_sender_canonical_classes, valid_sender_class, "envelope_sender or header_sender"},
    {CONF_recipient_canonical_classes, valid_recipient_class, "envelope_recipient or header_recipient"},
    {CONF_local_header_rewrite_clients, valid_rewrite_client,
     "one of permit, permit_inet_interfaces, permit_mynetworks, permit_sasl_authenticated"},
    {CONF_receive_override_options, valid_override,
     "one of no_unknown_recipient_checks, no_address_mappings, no_header_body_checks, no_milters"},
    {CONF_smtpd_reject_footer, valid_expansion, "a text with $client_address, $server_name and the like"},
    {CONF_srs_domain, valid_helo_name, "a domain name"},
    {CONF_smtp_bind_address, valid_ipv4, "an IPv4 address"},
    {CONF_smtp_bind_address6, valid_ipv6, "an IPv6 address"},
    {CONF_lmtp_sockets, valid_socket, "an absolute path of at most 107 bytes"},
    {CONF_smtp_helo_name, valid_helo_name, "a name such as mail.example.com"},
    {CONF_smtp_sasl_mechanism_filter, valid_client_mechanism,
     "one of plain, login, scram-sha-1, scram-sha-256, xoauth2"},
    {CONF_smtp_sasl_security_options, valid_security_option, "noplaintext or noanonymous"},
    {CONF_mail_location, valid_location, "a location such as maildir:/var/mail/vhosts/%d/%n"},
    {CONF_system_mail_location, valid_location, "a location such as maildir:~/Maildir"},
    {CONF_recipient_delimiter, valid_delimiter, "a set of punctuation characters such as +"},
    {CONF_hierarchy_separator, valid_separator, ". or /"},
    {CONF_imap_capability, capability_list_is_valid, "names of capabilities, with + or - in front"},
    {CONF_auth_mechanisms, valid_mechanism,
     "one of plain, login, scram-sha-1, scram-sha-256, scram-sha-1-plus, scram-sha-256-plus, external, "
     "oauthbearer, xoauth2"},
    {CONF_tls_certificates, valid_certificate, "CHAIN.pem:KEY.pem with absolute paths"},
    {CONF_smtp_host_lookup, valid_host_lookup, "dns or native"},
    {CONF_smtp_tls_certificates, valid_certificate, "CHAIN.pem:KEY.pem with absolute paths"},
    {CONF_dns_resolvers, valid_resolver, "ADDRESS or ADDRESS@PORT"},
    {CONF_smtp_fallback_relay, valid_relayhost, "a domain, [host] or either with :port"},
    {CONF_masquerade_domains, valid_masquerade, "a domain name, or one with ! in front"},
    {CONF_masquerade_classes, valid_class,
     "one of envelope_sender, envelope_recipient, header_sender, header_recipient"},
    {CONF_masquerade_exceptions, valid_name, "a name, as in front of the @"},
    {CONF_notify_classes, valid_notify_class,
     "one of bounce, 2bounce, delay, policy, protocol, data, resource, software"},
    {CONF_internal_mail_filter_classes, valid_internal_class, "bounce or notify"},
    {CONF_luser_relay, valid_expansion, "an address, with $user, ${extension} and the like"},
    {CONF_local_domains, valid_domain, "a domain name"},
    {CONF_alias_domains, valid_domain, "a domain name"},
    {CONF_relayhost, valid_relayhost, "a domain, [host] or either with :port"},
    {CONF_mailbox_transport, valid_mailbox_transport,
     "a transport and where it goes, such as lmtp:unix:/run/dovecot/lmtp"},
    {CONF_allow_mail_to_commands, valid_program_place, "alias or forward"},
    {CONF_allow_mail_to_files, valid_program_place, "alias or forward"},
    {CONF_default_rbl_reply, valid_expansion, "a text with $rbl_code, $rbl_what and the like"},
    {CONF_forward_path, valid_expansion, "paths with $home, $user, ${extension} and the like"},
    {CONF_smtpd_sasl_path, valid_sasl_path, "an absolute path of at most 107 bytes or inet:host:port"},
    {CONF_smtpd_proxy_filter, valid_proxy_filter,
     "inet:host:port or unix: and an absolute path of at most 107 bytes"},
    {CONF_smtp_socks5_proxy, valid_relayhost, "a host or [address] with :port"},
    {CONF_log_target, valid_log_target, "stderr, syslog or an absolute path"},
};

static void check_values(struct conf_build *b)
{
    for (size_t r = 0; r < sizeof rules / sizeof *rules; r++) {
        const struct conf_key *key = &conf_options.v[rules[r].option];
        const void *member = (const char *)b->conf + key->offset;
        str one = key->type == CONF_TYPE_LIST ? STR_NONE : str_c(*(const char *const *)member);
        struct conf_list list =
            key->type == CONF_TYPE_LIST ? *(const struct conf_list *)member : (struct conf_list){&one, 1};
        const struct conf_origin *o = &b->conf->origin[rules[r].option];
        for (size_t i = 0; i < list.n; i++)
            if (!rules[r].valid(list.v[i]))
                conf_error(b->report, o->file ? o->file : b->file, o->line, "%s: \"%.*s\" is not %s",
                           key->name, (int)(list.v[i].n < 80 ? list.v[i].n : 80), list.v[i].p,
                           rules[r].expected);
    }
}

static void check_hostname(struct conf_build *b)
{
    const struct conf_origin *o = &b->conf->origin[CONF_hostname];
    if (o->file && !valid_hostname(str_c(b->conf->hostname)))
        conf_error(b->report, o->file, o->line,
                   "hostname: \"%.80s\" is not a full name such as mail.example.com", b->conf->hostname);
    else if (!o->file && !valid_hostname(str_c(b->conf->hostname)))
        conf_error(
            b->report, b->file, 0,
            "hostname is not set and the machine's own name \"%.80s\" has no domain; add a line such as "
            "hostname = mail.example.com",
            b->conf->hostname);
}

static void check_sections(struct conf_build *b)
{
    const struct conf *c = b->conf;
    unsigned bits;
    for (size_t i = 0; i < c->listener_count; i++) {
        const struct conf_list *list = &c->listeners[i].addresses;
        for (size_t j = 0; j < list->n; j++)
            if (!str_eq(list->v[j], S("*")) && !parse_address(list->v[j], &bits))
                conf_error(b->report, b->listener_lines[i].file, b->listener_lines[i].line,
                           "the address \"%.80s\" of the listener %s is not *, :: or an IP address",
                           list->v[j].p, c->listeners[i].name);
    }
    for (size_t i = 0; i < c->domain_section_count; i++)
        if (!valid_domain(str_c(c->domain_sections[i].name)))
            conf_error(b->report, b->domain_lines[i].file, b->domain_lines[i].line,
                       "\"%.80s\" is not a domain name", c->domain_sections[i].name);
}

static enum rc valid_pipe_arguments(const struct pipe_def *d, struct err *e)
{
    for (size_t i = 0; i < d->argc; i++)
        if (!valid_expansion(d->argv[i]))
            return err_set(e, RC_INVALID, 0, "",
                           "the transport \"" STR_FMT "\": \"" STR_FMT "\" does not expand", STR_ARG(d->name),
                           STR_ARG(str_sub(d->argv[i], 0, 60)));
    return RC_OK;
}

static void check_pipes(struct conf_build *b)
{
    const struct conf_origin *o = &b->conf->origin[CONF_pipe_transports];
    str rest = str_c(b->conf->pipe_transports);
    struct pipe_def d, first;
    struct err e = {0};
    enum rc rc;
    while ((rc = pipe_def_take(&rest, &d, &e)) != RC_GONE) {
        if (rc == RC_OK && pipe_def_find(str_c(b->conf->pipe_transports), d.name, &first) == RC_OK &&
            first.name.p != d.name.p)
            rc = err_set(&e, RC_INVALID, 0, "", "the transport \"" STR_FMT "\" is there twice",
                         STR_ARG(d.name));
        if (rc == RC_OK)
            rc = valid_pipe_arguments(&d, &e);
        if (rc != RC_OK)
            conf_error(b->report, o->file ? o->file : b->file, o->line, "pipe_transports: %s", err_text(&e));
    }
}

static void check_sasl(struct conf_build *b)
{
    const struct conf_origin *o = &b->conf->origin[CONF_smtpd_sasl_type];
    if (b->conf->smtpd_sasl_type == CONF_SASL_DOVECOT && !b->conf->smtpd_sasl_path[0])
        conf_error(b->report, o->file ? o->file : b->file, o->line,
                   "smtpd_sasl_type = dovecot needs smtpd_sasl_path");
}

/* Settings of which one must not be less than the other. */
static void check_order(struct conf_build *b)
{
    const struct conf *c = b->conf;
    const struct conf_origin *last = &c->origin[CONF_last_valid_uid];
    const struct conf_origin *most = &c->origin[CONF_maximal_backoff_time];
    if (c->last_valid_uid && c->last_valid_uid < c->first_valid_uid)
        conf_error(b->report, last->file ? last->file : b->file, last->line,
                   "last_valid_uid %d is less than first_valid_uid %d", c->last_valid_uid,
                   c->first_valid_uid);
    if (c->maximal_backoff_time_ms < c->minimal_backoff_time_ms)
        conf_error(b->report, most->file ? most->file : b->file, most->line,
                   "maximal_backoff_time is less than minimal_backoff_time");
}

void conf_check(struct conf_build *b)
{
    check_hostname(b);
    check_values(b);
    check_sections(b);
    check_order(b);
    check_sasl(b);
    conf_check_listeners(b);
    check_pipes(b);
    conf_check_transports(b);
    conf_check_restrictions(b);
    conf_check_gate(b);
    conf_check_shared(b);
    conf_check_commands(b);
    conf_check_milters(b);
    conf_check_logs(b);
    conf_check_databases(b);
    conf_check_quota(b);
}
