/* One row a name. What Postfix has under two names is here twice. */
#include "fmt/restriction.h"

#include "base/num.h"
#include "fmt/tablespec.h"

#define NONE      .takes = RESTRICTION_NO_ARGUMENT
#define TABLE     .takes = RESTRICTION_TABLE
#define DOMAIN    .takes = RESTRICTION_DOMAIN
#define CLIENT    .subject = RESTRICTION_OF_CLIENT
#define REVERSE   .subject = RESTRICTION_OF_REVERSE_CLIENT
#define HELO      .subject = RESTRICTION_OF_HELO
#define SENDER    .subject = RESTRICTION_OF_SENDER
#define RECIPIENT .subject = RESTRICTION_OF_RECIPIENT
#define NS        .servers = RESTRICTION_ITS_NS
#define MX        .servers = RESTRICTION_ITS_MX
#define ADDRESSES .servers = RESTRICTION_ITS_A

struct word {
    const char *name;
    enum restriction_kind kind;
    enum restriction_argument takes;
    enum restriction_subject subject;
    enum restriction_servers servers;
    unsigned logins;
};

static const struct word words[] = {
    {"permit", RESTRICTION_PERMIT, NONE},
    {"reject", RESTRICTION_REJECT, NONE},
    {"defer", RESTRICTION_DEFER, NONE},
    {"warn_if_reject", RESTRICTION_WARN_IF_REJECT, NONE},
    {"defer_if_permit", RESTRICTION_DEFER_IF_PERMIT, NONE},
    {"defer_if_reject", RESTRICTION_DEFER_IF_REJECT, NONE},
    {"sleep", RESTRICTION_SLEEP, RESTRICTION_NUMBER},
    {"reject_plaintext_session", RESTRICTION_REJECT_PLAINTEXT, NONE},
    {"reject_unauth_pipelining", RESTRICTION_REJECT_PIPELINING, NONE},
    {"check_policy_service", RESTRICTION_POLICY, RESTRICTION_SERVER},

    {"permit_inet_interfaces", RESTRICTION_PERMIT_INTERFACES, NONE},
    {"permit_mynetworks", RESTRICTION_PERMIT_NETWORKS, NONE},
    {"permit_sasl_authenticated", RESTRICTION_PERMIT_SASL, NONE},
    {"permit_auth_destination", RESTRICTION_PERMIT_DESTINATION, NONE},
    {"permit_mx_backup", RESTRICTION_PERMIT_MX_BACKUP, NONE},
    {"reject_unauth_destination", RESTRICTION_REJECT_DESTINATION, NONE},
    {"defer_unauth_destination", RESTRICTION_DEFER_DESTINATION, NONE},

    {"check_client_access", RESTRICTION_ACCESS, TABLE, CLIENT},
    {"check_client_ns_access", RESTRICTION_ACCESS, TABLE, CLIENT, NS},
    {"check_client_mx_access", RESTRICTION_ACCESS, TABLE, CLIENT, MX},
    {"check_client_a_access", RESTRICTION_ACCESS, TABLE, CLIENT, ADDRESSES},
    {"check_reverse_client_hostname_access", RESTRICTION_ACCESS, TABLE, REVERSE},
    {"check_reverse_client_hostname_ns_access", RESTRICTION_ACCESS, TABLE, REVERSE, NS},
    {"check_reverse_client_hostname_mx_access", RESTRICTION_ACCESS, TABLE, REVERSE, MX},
    {"check_reverse_client_hostname_a_access", RESTRICTION_ACCESS, TABLE, REVERSE, ADDRESSES},
    {"check_helo_access", RESTRICTION_ACCESS, TABLE, HELO},
    {"check_helo_ns_access", RESTRICTION_ACCESS, TABLE, HELO, NS},
    {"check_helo_mx_access", RESTRICTION_ACCESS, TABLE, HELO, MX},
    {"check_helo_a_access", RESTRICTION_ACCESS, TABLE, HELO, ADDRESSES},
    {"check_sender_access", RESTRICTION_ACCESS, TABLE, SENDER},
    {"check_sender_ns_access", RESTRICTION_ACCESS, TABLE, SENDER, NS},
    {"check_sender_mx_access", RESTRICTION_ACCESS, TABLE, SENDER, MX},
    {"check_sender_a_access", RESTRICTION_ACCESS, TABLE, SENDER, ADDRESSES},
    {"check_recipient_access", RESTRICTION_ACCESS, TABLE, RECIPIENT},
    {"check_recipient_ns_access", RESTRICTION_ACCESS, TABLE, RECIPIENT, NS},
    {"check_recipient_mx_access", RESTRICTION_ACCESS, TABLE, RECIPIENT, MX},
    {"check_recipient_a_access", RESTRICTION_ACCESS, TABLE, RECIPIENT, ADDRESSES},
    {"check_ccert_access", RESTRICTION_ACCESS, TABLE, .subject = RESTRICTION_OF_CCERT},
    {"permit_tls_clientcerts", RESTRICTION_PERMIT_CCERT, NONE},
    {"permit_tls_all_clientcerts", RESTRICTION_PERMIT_ALL_CCERT, NONE},
    {"check_sasl_access", RESTRICTION_ACCESS, TABLE, .subject = RESTRICTION_OF_SASL},

    {"reject_rbl_client", RESTRICTION_RBL, DOMAIN, CLIENT},
    {"reject_rbl", RESTRICTION_RBL, DOMAIN, CLIENT},
    {"permit_dnswl_client", RESTRICTION_DNSWL, DOMAIN, CLIENT},
    {"permit_rhswl_client", RESTRICTION_RHSWL, DOMAIN, CLIENT},
    {"reject_rhsbl_client", RESTRICTION_RHSBL, DOMAIN, CLIENT},
    {"reject_rhsbl_reverse_client", RESTRICTION_RHSBL, DOMAIN, REVERSE},
    {"reject_rhsbl_helo", RESTRICTION_RHSBL, DOMAIN, HELO},
    {"reject_rhsbl_sender", RESTRICTION_RHSBL, DOMAIN, SENDER},
    {"reject_rhsbl_recipient", RESTRICTION_RHSBL, DOMAIN, RECIPIENT},

    {"reject_unknown_client_hostname", RESTRICTION_UNKNOWN_CLIENT, NONE},
    {"reject_unknown_client", RESTRICTION_UNKNOWN_CLIENT, NONE},
    {"reject_unknown_reverse_client_hostname", RESTRICTION_UNKNOWN_REVERSE, NONE},

    {"reject_invalid_helo_hostname", RESTRICTION_INVALID_HELO, NONE},
    {"reject_invalid_hostname", RESTRICTION_INVALID_HELO, NONE},
    {"reject_non_fqdn_helo_hostname", RESTRICTION_NON_FQDN_HELO, NONE},
    {"reject_non_fqdn_hostname", RESTRICTION_NON_FQDN_HELO, NONE},
    {"reject_unknown_helo_hostname", RESTRICTION_UNKNOWN_HELO, NONE},
    {"reject_unknown_hostname", RESTRICTION_UNKNOWN_HELO, NONE},

    {"reject_non_fqdn_sender", RESTRICTION_NON_FQDN_ADDRESS, NONE, SENDER},
    {"reject_non_fqdn_recipient", RESTRICTION_NON_FQDN_ADDRESS, NONE, RECIPIENT},
    {"reject_unknown_sender_domain", RESTRICTION_UNKNOWN_DOMAIN, NONE, SENDER},
    {"reject_unknown_address", RESTRICTION_UNKNOWN_DOMAIN, NONE, SENDER},
    {"reject_unknown_recipient_domain", RESTRICTION_UNKNOWN_DOMAIN, NONE, RECIPIENT},
    {"reject_unlisted_sender", RESTRICTION_UNLISTED, NONE, SENDER},
    {"reject_unlisted_recipient", RESTRICTION_UNLISTED, NONE, RECIPIENT},
    {"check_recipient_maps", RESTRICTION_UNLISTED, NONE, RECIPIENT},
    {"reject_sender_login_mismatch", RESTRICTION_LOGIN_MISMATCH, NONE, SENDER,
     .logins = RESTRICTION_LOGINS_WITH | RESTRICTION_LOGINS_WITHOUT},
    {"reject_authenticated_sender_login_mismatch", RESTRICTION_LOGIN_MISMATCH, NONE, SENDER,
     .logins = RESTRICTION_LOGINS_WITH},
    {"reject_known_sender_login_mismatch", RESTRICTION_LOGIN_MISMATCH, NONE, SENDER,
     .logins = RESTRICTION_LOGINS_WITH | RESTRICTION_LOGINS_KNOWN},
    {"reject_unauthenticated_sender_login_mismatch", RESTRICTION_LOGIN_MISMATCH, NONE, SENDER,
     .logins = RESTRICTION_LOGINS_WITHOUT},
    {"reject_multi_recipient_bounce", RESTRICTION_MULTI_RECIPIENT_BOUNCE, NONE},

    /* addresses are not probed, ETRN is not done */
    {"check_etrn_access", RESTRICTION_UNSUPPORTED, TABLE},
    {"reject_unverified_sender", RESTRICTION_UNVERIFIED, NONE, SENDER},
    {"reject_unverified_recipient", RESTRICTION_UNVERIFIED, NONE, RECIPIENT},
    {"permit_naked_ip_address", RESTRICTION_UNSUPPORTED, NONE},
    {"reject_maps_rbl", RESTRICTION_UNSUPPORTED, NONE},
    {"check_relay_domains", RESTRICTION_UNSUPPORTED, NONE},
};

enum { WORDS = sizeof words / sizeof *words };

const char *restriction_name(size_t i)
{
    return i < WORDS ? words[i].name : NULL;
}

static const struct word *find_word(str name)
{
    for (size_t i = 0; i < WORDS; i++)
        if (str_ieq(name, str_c(words[i].name)))
            return &words[i];
    return NULL;
}

/* --- classes --- */

/* The part before the first ";" that is not in braces. */
static str take_definition(str *classes)
{
    int depth = 0;
    size_t n = 0;
    for (; n < classes->n && (classes->p[n] != ';' || depth > 0); n++)
        depth += classes->p[n] == '{' ? 1 : classes->p[n] == '}' && depth > 0 ? -1 : 0;
    str definition = str_sub(*classes, 0, n);
    *classes = str_from(*classes, n < classes->n ? n + 1 : n);
    return str_trim(definition);
}

static bool is_class_name(str name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!ascii_alnum(name.p[i]) && name.p[i] != '_' && name.p[i] != '-' && name.p[i] != '.')
            return false;
    return name.n > 0;
}

enum rc restriction_take_class(str *classes, str *ret_name, str *ret_list, struct err *e)
{
    str definition = STR_NONE;
    while (definition.n == 0) {
        if (str_trim(*classes).n == 0)
            return RC_GONE;
        definition = take_definition(classes);
    }
    ptrdiff_t equals = str_chr(definition, '=');
    str name = equals < 0 ? definition : str_trim(str_sub(definition, 0, (size_t)equals));
    if (equals < 0 || !is_class_name(name))
        return err_set(e, RC_INVALID, 0, "", "\"" STR_FMT "\" is not NAME = list of restrictions",
                       STR_ARG(str_sub(definition, 0, 60)));
    if (find_word(name))
        return err_set(e, RC_INVALID, 0, "", "\"" STR_FMT "\" is a restriction already", STR_ARG(name));
    *ret_name = name;
    *ret_list = str_trim(str_from(definition, (size_t)equals + 1));
    return RC_OK;
}

bool restriction_find_class(str classes, str name, str *ret_list)
{
    str found, list;
    enum rc rc;
    while ((rc = restriction_take_class(&classes, &found, &list, NULL)) != RC_GONE)
        if (rc == RC_OK && str_ieq(found, name)) {
            *ret_list = list;
            return true;
        }
    return false;
}

/* --- arguments --- */

static enum rc wrong(struct err *e, const struct restriction *r, const char *needs)
{
    return err_set(e, RC_INVALID, 0, "", STR_FMT " needs %s", STR_ARG(str_sub(r->name, 0, 60)), needs);
}

static enum rc set_server(struct restriction *r, struct err *e)
{
    static const char needs[] = "a server such as inet:127.0.0.1:10023 or unix:/path/of/socket";
    str inside, type, name, option, value;
    if (str_starts(r->argument, S("{"))) {
        if (tablespec_braced(r->argument, &inside) != RC_OK || tablespec_take(&inside, &r->argument) != RC_OK)
            return wrong(e, r, needs);
        r->options = inside;
    }
    bool inet = tablespec_split(r->argument, &type, &name) == RC_OK && str_eq(type, S("inet"));
    if ((!inet || str_rchr(name, ':') <= 0) &&
        (tablespec_split(r->argument, &type, &name) != RC_OK || !str_eq(type, S("unix"))))
        return wrong(e, r, needs);
    for (str rest = r->options;;) {
        enum rc rc = restriction_take_option(&rest, &option, &value);
        if (rc == RC_GONE)
            return RC_OK;
        if (rc != RC_OK)
            return wrong(e, r, "name = value behind the server");
    }
}

enum rc restriction_take_option(str *options, str *ret_name, str *ret_value)
{
    str item, next, rest;
    enum rc rc = tablespec_take(options, &item);
    if (rc != RC_OK)
        return rc;
    if (str_starts(item, S("{")))
        return tablespec_pair(item, ret_name, ret_value);
    rest = *options; /* "name = value" are three words */
    if (str_chr(item, '=') < 0 && tablespec_take(&rest, &next) == RC_OK && str_eq(next, S("="))) {
        rc = tablespec_take(&rest, ret_value);
        *ret_name = item;
        *options = rest;
        return rc == RC_OK ? RC_OK : RC_INVALID;
    }
    return tablespec_pair(item, ret_name, ret_value);
}

static bool is_table(str s)
{
    str type, name;
    return tablespec_split(s, &type, &name) == RC_OK;
}

static enum rc take_argument(str *list, struct restriction *r, struct err *e)
{
    uint32_t n;
    if (r->takes == RESTRICTION_NO_ARGUMENT)
        return RC_OK;
    if (tablespec_take(list, &r->argument) != RC_OK)
        r->argument = STR_NONE;
    switch (r->takes) {
    case RESTRICTION_TABLE:
        return is_table(r->argument) ? RC_OK : wrong(e, r, "a table such as hash:/etc/postfix/access");
    case RESTRICTION_DOMAIN:
        return r->argument.n > 0 && !find_word(r->argument) ? RC_OK : wrong(e, r, "the domain of a DNS list");
    case RESTRICTION_NUMBER:
        if (num_parse_u32(r->argument, RESTRICTION_SLEEP_MAX, &n) != RC_OK)
            return wrong(e, r, "a number of seconds, at most 600");
        r->seconds = n;
        return RC_OK;
    case RESTRICTION_SERVER:
        return set_server(r, e);
    case RESTRICTION_NO_ARGUMENT:
        break;
    }
    return RC_OK;
}

/* A table that stands alone is asked as the list that it stands in says. */
static enum rc set_table(enum restriction_list where, str table, struct restriction *r, struct err *e)
{
    static const char *const meant[RESTRICTION_LISTS] = {
        [RESTRICTION_CLIENT] = "check_client_access",       [RESTRICTION_HELO] = "check_helo_access",
        [RESTRICTION_SENDER] = "check_sender_access",       [RESTRICTION_RELAY] = "check_recipient_access",
        [RESTRICTION_RECIPIENT] = "check_recipient_access",
    };
    if (!meant[where])
        return err_set(e, RC_INVALID, 0, "", "check_..._access is needed before \"" STR_FMT "\"",
                       STR_ARG(str_sub(table, 0, 100)));
    const struct word *w = find_word(str_c(meant[where]));
    *r = (struct restriction){
        .kind = w->kind, .subject = w->subject, .takes = w->takes, .name = str_c(w->name), .argument = table};
    return RC_OK;
}

enum rc restriction_take(str *list, enum restriction_list where, str classes, struct restriction *ret,
                         struct err *e)
{
    str name, of_class;
    enum rc rc = tablespec_take(list, &name);
    if (rc == RC_GONE)
        return rc;
    *ret = (struct restriction){.kind = RESTRICTION_UNKNOWN, .name = rc == RC_OK ? name : *list};
    if (rc != RC_OK) {
        *list = STR_NONE;
        return err_set(e, RC_INVALID, 0, "", "a brace is not closed, or not opened");
    }
    if (is_table(name))
        return set_table(where, name, ret, e);
    const struct word *w = find_word(name);
    if (w) {
        *ret = (struct restriction){.kind = w->kind,
                                    .subject = w->subject,
                                    .servers = w->servers,
                                    .logins = w->logins,
                                    .takes = w->takes,
                                    .name = name};
        rc = take_argument(list, ret, e);
        return rc == RC_OK && w->kind == RESTRICTION_UNSUPPORTED
                   ? err_set(e, RC_PERM, 0, "", "\"%s\" is not supported", w->name)
                   : rc;
    }
    if (restriction_find_class(classes, name, &of_class)) {
        ret->kind = RESTRICTION_CLASS;
        ret->argument = of_class;
        return RC_OK;
    }
    return err_set(e, RC_INVALID, 0, "", "\"" STR_FMT "\" is no restriction", STR_ARG(str_sub(name, 0, 80)));
}
