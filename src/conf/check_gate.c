/* What is wrong with the settings of the gate. */
#include "conf/build.h"
#include "fmt/gate_sites.h"
#include "fmt/tablespec.h"

static void report(struct conf_build *b, enum conf_option option, str text, const char *why)
{
    const struct conf_origin *o = &b->conf->origin[option];
    conf_error(b->report, o->file ? o->file : b->file, o->line, "%s: \"" STR_FMT "\" %s",
               conf_options.v[option].name, STR_ARG(str_sub(text, 0, 60)), why);
}

static void check_sites(struct conf_build *b)
{
    struct gate_site site;
    str list = str_c(b->conf->gate_dnsbl_sites), text = STR_NONE;
    size_t n = 0;
    enum rc rc;
    while ((rc = gate_site_take(&list, &site, &text)) != RC_GONE && ++n <= GATE_SITES_MAX)
        if (rc != RC_OK)
            report(b, CONF_gate_dnsbl_sites, text, "is no list such as bl.example=127.0.0.[2..9]*2");
    if (n > GATE_SITES_MAX)
        report(b, CONF_gate_dnsbl_sites, text, "is one list too many");
}

static void check_access(struct conf_build *b)
{
    str list = str_c(b->conf->gate_access_list), item = list, type, name;
    enum rc rc;
    while ((rc = tablespec_take(&list, &item)) == RC_OK)
        if (!str_ieq(item, S("permit_mynetworks")) && tablespec_split(item, &type, &name) != RC_OK)
            report(b, CONF_gate_access_list, item, "is neither permit_mynetworks nor a table");
    if (rc != RC_GONE)
        report(b, CONF_gate_access_list, item, "has braces that do not match");
}

static void check_interfaces(struct conf_build *b)
{
    const struct conf_list *l = &b->conf->gate_allowlist_interfaces;
    for (size_t i = 0; i < l->n; i++) {
        struct ip_net net;
        str entry = l->v[i], address = str_from(entry, str_starts(entry, S("!")));
        if (!str_eq(entry, S("static:all")) && ip_net_parse(address, &net) != RC_OK)
            report(b, CONF_gate_allowlist_interfaces, entry, "is neither static:all nor a network");
    }
}

void conf_check_gate(struct conf_build *b)
{
    check_sites(b);
    check_access(b);
    check_interfaces(b);
    if (b->conf->gate_dnsbl_min_ttl_ms > b->conf->gate_dnsbl_max_ttl_ms)
        report(b, CONF_gate_dnsbl_min_ttl, S("gate_dnsbl_min_ttl"), "is more than gate_dnsbl_max_ttl");
}
