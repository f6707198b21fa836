/* The services of master.cf by which mail leaves: each that differs from smtp becomes a [transport NAME]
 * section. And the parameters that say which of them has what mail. */
#include "conf/postfix.h"

#include "base/num.h"
#include "conf/params.h"
#include "conf/report.h"

static const struct conf_section all = {CONF_SECTION_MAIN, 0};

/* Parameters with the transport's name in front, whose defaults are those of smtp. */
static const struct {
    const char *end, *option;
    uint32_t most; /* 0, which is no limit, becomes this; 0: a time */
} families[] = {{"_destination_concurrency_limit", "smtp_destination_concurrency_limit", 1000},
                {"_destination_recipient_limit", "smtp_destination_recipient_limit", 100},
                {"_initial_destination_concurrency", "initial_destination_concurrency", 1000},
                {"_destination_rate_delay", "smtp_destination_rate_delay", 0},
                {"_transport_rate_delay", "smtp_transport_rate_delay", 0}};

enum { FAMILIES = sizeof families / sizeof *families, COMMANDS_MOST = 200 };

static const char *protocol_of(const struct postfix_service *s)
{
    static const char *const programs[] = {"smtp", "lmtp", "pipe"};
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
        if (s->type == POSTFIX_UNIX && !s->overridden_by && postfix_runs(s, programs[i]))
            return programs[i];
    return NULL;
}

static bool is_builtin(str name)
{
    return str_eq(name, S("smtp")) || str_eq(name, S("relay")) || str_eq(name, S("lmtp"));
}

/* The value of TRANSPORT_end; *ret_differs: it is not the one of smtp. */
static struct postfix_value family_value(struct postfix *p, str name, size_t i, bool *ret_differs)
{
    const char *end = families[i].end;
    struct postfix_value v = postfix_value(p, arena_printf(p->f->a, STR_FMT "%s", STR_ARG(name), end).p);
    struct postfix_value usual = postfix_value(p, arena_printf(p->f->a, "smtp%s", end).p);
    *ret_differs = !str_eq(v.text, usual.text) || (v.is_set && !str_eq(name, S("smtp")));
    return v;
}

static struct postfix_value time_limit(struct postfix *p, const struct postfix_service *s)
{
    return postfix_value(p, arena_printf(p->f->a, STR_FMT "_time_limit", STR_ARG(s->name)).p);
}

void postfix_set_time_limit(struct postfix *p, const struct postfix_service *s, struct conf_section section)
{
    struct postfix_value v = time_limit(p, s);
    if (v.is_set)
        postfix_set_same(p, section, "command_time_limit", "command_time_limit", &v);
}

/* Whether a section has to say something about this service. */
static bool needs_section(struct postfix *p, const struct postfix_service *s, const char *protocol)
{
    struct postfix_options o = postfix_options_of(s);
    const struct postfix_service *smtp = postfix_master_find(&p->master, S("smtp"), POSTFIX_UNIX);
    str name, value;
    bool differs = s->maxproc > 0 || (!is_builtin(s->name) && strcmp(protocol, "pipe") != 0);
    if (strcmp(protocol, "pipe") == 0)
        differs |= time_limit(p, s).is_set;
    while (postfix_overrides_next(&o, &name, &value)) {
        const struct conf_param *known = conf_param_find(CONF_DIALECT_POSTFIX, name);
        differs |= strcmp(protocol, "pipe") != 0 && known && known->status != CONF_PARAM_HARMLESS;
    }
    for (size_t i = 0; i < FAMILIES && !differs; i++)
        (void)family_value(p, s->name, i, &differs);
    /* relay has nothing of what smtp has for itself */
    return differs || (str_eq(s->name, S("relay")) && smtp && needs_section(p, smtp, "smtp"));
}

static void set_families(struct postfix *p, const struct postfix_service *s, struct conf_section t,
                         bool is_pipe)
{
    for (size_t i = 0; i < FAMILIES; i++) {
        bool differs, runs = is_pipe && i == 0;
        struct postfix_value v = family_value(p, s->name, i, &differs);
        uint32_t n, most = runs ? COMMANDS_MOST : families[i].most;
        if (!differs)
            continue;
        if (most > 0 && num_parse_u32(v.text, UINT32_MAX, &n) == RC_OK && (n == 0 || n > most))
            v.text = arena_printf(p->f->a, "%u", most);
        postfix_set_same(p, t, arena_printf(p->f->a, STR_FMT "%s", STR_ARG(s->name), families[i].end).p,
                         runs ? "command_destination_concurrency_limit" : families[i].option, &v);
    }
}

/* What lmtp(8) has under a name of its own: "lmtp_rcpt_timeout" is smtp_rcpt_timeout of its transports. */
static void set_lmtp(struct postfix *p, struct conf_section t)
{
    postfix_set_client_certificates(p, t, "lmtp");
    for (size_t i = 0; i < conf_postfix_params.n; i++) {
        const struct conf_param *known = &conf_postfix_params.v[i];
        if (!str_starts(str_c(known->name), S("lmtp_")) || known->status != CONF_PARAM_MAPPED ||
            !str_starts(str_c(known->option), S("smtp_")) ||
            str_eq(str_c(known->option), S("smtp_tls_certificates")))
            continue;
        const struct conf_key *key = conf_key_find(conf_options, str_c(known->option));
        struct postfix_value v = postfix_value(p, known->name);
        if (key && key->per_transport && v.is_set)
            postfix_set_same(p, t, known->name, known->option, &v);
    }
}

/* Whether main.cf, or the service, is to do without the DNS. */
static bool shuns_dns(struct postfix *p, struct postfix_value *ret_by)
{
    struct postfix_value level = postfix_value(p, "smtp_dns_support_level");
    *ret_by = level.text.n ? level : postfix_value(p, "disable_dns_lookups");
    return level.text.n ? str_ieq(level.text, S("disabled")) : postfix_is_on(p, "disable_dns_lookups");
}

/* For the section of p->service, or for all: where that is not what holds anyway. */
static void set_lookups(struct postfix *p, struct conf_section s)
{
    struct postfix_value by;
    const struct postfix_service *service = p->service;
    p->service = NULL;
    bool usual = service && shuns_dns(p, &by);
    p->service = service;
    bool off = shuns_dns(p, &by);
    if (off == usual)
        return;
    folder_set_in(p->f, s, by.file, by.line, "smtp_host_lookup",
                  off ? S("native") : postfix_value(p, "smtp_host_lookup").text);
    folder_set_in(p->f, s, by.file, by.line, "smtp_mx_lookup", off ? S("no") : S("yes"));
}

/* As p->service has it. */
static void set_port(struct postfix *p, struct conf_section s)
{
    struct postfix_value v = postfix_value(p, "smtp_tcp_port");
    uint32_t port = postfix_port(p, v.text);
    if (port)
        folder_set_in(p->f, s, v.file, v.line, "smtp_tcp_port", arena_printf(p->f->a, "%u", port));
    else
        conf_error(p->f->b->report, v.file, v.line, "smtp_tcp_port: there is no port called " STR_FMT,
                   STR_ARG(v.text));
}

static bool overrides(const struct postfix_service *s, const char *client, const char *what)
{
    char name[64];
    str ignored;
    snprintf(name, sizeof name, "%s_%s", client, what);
    return postfix_override_find(s, str_c(name), &ignored);
}

/* What -o says of a client. */
static void set_client(struct postfix *p, const struct postfix_service *s, struct conf_section t,
                       const char *client)
{
    struct postfix_value helo = postfix_value(p, "smtp_helo_name");
    str ignored;
    postfix_take_overrides(p, t);
    set_lookups(p, t);
    if (overrides(s, client, "tls_security_level") || overrides(s, client, "use_tls") ||
        overrides(s, client, "enforce_tls") || overrides(s, client, "tls_enforce_peername"))
        postfix_set_client_tls(p, t, client);
    if (overrides(s, "smtp", "tcp_port"))
        set_port(p, t);
    if (postfix_overrides(s, client, "smtp_tls_certificates"))
        postfix_set_client_certificates(p, t, client);
    if (postfix_override_find(s, S("myhostname"), &ignored))
        folder_set_in(p->f, t, p->master_file, s->line, "smtp_helo_name", helo.text);
}

static bool any_lmtp(struct postfix *p)
{
    for (size_t i = 0; i < p->main.n; i++) {
        const struct conf_param *known = conf_param_find(CONF_DIALECT_POSTFIX, p->main.params[i].name);
        const struct conf_key *key = known ? conf_key_find(conf_options, str_c(known->option)) : NULL;
        if (str_starts(p->main.params[i].name, S("lmtp_")) && known->status == CONF_PARAM_MAPPED && key &&
            key->per_transport && str_starts(str_c(key->name), S("smtp_")))
            return true;
    }
    return false;
}

static void set_service(struct postfix *p, const struct postfix_service *s)
{
    const char *protocol = protocol_of(s);
    bool is_pipe = protocol && strcmp(protocol, "pipe") == 0,
         is_lmtp = protocol && strcmp(protocol, "lmtp") == 0;
    if (!protocol || !(needs_section(p, s, protocol) || (is_lmtp && any_lmtp(p))))
        return;
    struct conf_section t = folder_transport(p->f, p->master_file, s->line, s->name);
    folder_set_in(p->f, t, p->master_file, s->line, "protocol", str_c(protocol));
    if (s->maxproc > 0)
        folder_set_in(p->f, t, p->master_file, s->line, "process_limit",
                      arena_printf(p->f->a, "%d", s->maxproc < 2000 ? s->maxproc : 2000));
    set_families(p, s, t, is_pipe);
    if (is_pipe)
        postfix_set_time_limit(p, s, t);
    p->service = s;
    if (is_lmtp)
        set_lmtp(p, t);
    if (!is_pipe)
        set_client(p, s, t, protocol);
    p->service = NULL;
}

static void set_way(struct postfix *p, const char *name)
{
    struct postfix_value v = postfix_value(p, name);
    folder_set(p->f, v.file, v.line, name, postfix_whole_transport(p, v.text));
}

void postfix_set_transports(struct postfix *p)
{
    struct postfix_value delay = postfix_value(p, "smtp_transport_rate_delay");
    for (size_t i = 0; i < p->master.n; i++)
        set_service(p, &p->master.services[i]);
    set_lookups(p, all);
    set_port(p, all);
    set_way(p, "default_transport");
    set_way(p, "relay_transport");
    if (delay.is_set || postfix_value(p, "default_transport_rate_delay").is_set)
        postfix_set_same(p, all, "smtp_transport_rate_delay", "smtp_transport_rate_delay", &delay);
}
