/* The services of master.cf: those of smtpd are listeners, those of pipe are transports, as are those of smtp
 * and lmtp (postfix_transports.c); the other programs of Postfix are parts of malle. */
#include "conf/postfix.h"

#include "base/num.h"
#include "conf/report.h"
#include "fmt/pipe_def.h"

#include <netdb.h>

/* Of services that /etc/services may lack. */
uint32_t postfix_port(struct postfix *p, str name)
{
    static const struct {
        const char *name;
        uint32_t port;
    } known[] = {{"smtp", 25},   {"submission", 587}, {"submissions", 465},
                 {"smtps", 465}, {"ssmtp", 465},      {"lmtp", 24}};
    uint32_t port;
    if (num_parse_u32(name, 65535, &port) == RC_OK)
        return port;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (str_eq(name, str_c(known[i].name)))
            return known[i].port;
    const struct servent *entry = getservbyname(arena_str(p->f->a, name).p, "tcp");
    return entry ? ntohs((uint16_t)entry->s_port) : 0;
}

/* "inet", "NAME.inet", and with a "!" in front what is not; the first that fits counts. */
static bool is_disabled(struct postfix *p, str list, const struct postfix_service *s)
{
    str type = str_c(postfix_service_type_name(s->type)), word;
    str whole = arena_printf(p->f->a, STR_FMT "." STR_FMT, STR_ARG(s->name), STR_ARG(type));
    while ((word = folder_word(&list)).n) {
        bool off = !str_starts(word, S("!"));
        str pattern = str_from(word, !off);
        if (str_ieq(pattern, type) || str_ieq(pattern, whole))
            return off;
    }
    return false;
}

void postfix_drop_disabled(struct postfix *p)
{
    str list = postfix_value(p, "master_service_disable").text;
    size_t n = 0;
    for (size_t i = 0; i < p->master.n; i++)
        if (!is_disabled(p, list, &p->master.services[i]))
            p->master.services[n++] = p->master.services[i];
    p->master.n = n;
}

/* The name of malle's own listener at this port, else one made of the service's. */
static str listener_name(struct postfix *p, const struct postfix_service *s, uint32_t port)
{
    const char *own = port == 25 ? "smtp" : port == 587 ? "submission" : port == 465 ? "submissions" : NULL;
    str name = arena_str(p->f->a, s->name);
    if (own && !s->host.n)
        return str_c(own);
    for (size_t i = 0; i < name.n; i++)
        if (!ascii_alnum(name.p[i]) && name.p[i] != '.')
            ((char *)name.p)[i] = '-';
    return name;
}

static const char *tls_of(struct postfix *p)
{
    str level = postfix_value(p, "smtpd_tls_security_level").text;
    if (postfix_is_on(p, "smtpd_tls_wrappermode"))
        return "implicit";
    if (!level.n)
        return postfix_is_on(p, "smtpd_enforce_tls") ? "required"
               : postfix_is_on(p, "smtpd_use_tls")   ? "starttls"
                                                     : "none";
    return str_ieq(level, S("none")) ? "none" : str_ieq(level, S("may")) ? "starttls" : "required";
}

/* "permit_sasl_authenticated, reject": nobody but those who have logged in. */
static bool only_logged_in(str list)
{
    str word, last = STR_NONE;
    bool login = false;
    while ((word = folder_word(&list)).n) {
        if (str_istarts(word, S("reject")) && !str_ieq(word, S("reject")))
            continue;
        if (!str_ieq(word, S("permit_sasl_authenticated")) && !str_ieq(word, S("reject")))
            return false;
        login = login || str_ieq(word, S("permit_sasl_authenticated"));
        last = word;
    }
    return login && str_ieq(last, S("reject"));
}

static bool is_submission(struct postfix *p)
{
    static const char *const lists[] = {"smtpd_client_restrictions", "smtpd_relay_restrictions",
                                        "smtpd_recipient_restrictions"};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (only_logged_in(postfix_value(p, lists[i]).text))
            return postfix_is_on(p, "smtpd_sasl_auth_enable");
    return false;
}

bool postfix_runs(const struct postfix_service *s, const char *command)
{
    ptrdiff_t slash = str_rchr(s->command, '/');
    return str_eq(slash < 0 ? s->command : str_from(s->command, (size_t)slash + 1), str_c(command));
}

/* Postfix trusts whoever reaches a port where it expects a proxy. */
static void set_proxy(struct postfix *p, const struct postfix_service *s, struct conf_section l)
{
    bool gate = postfix_runs(s, "postscreen");
    const char *timeout = gate ? "postscreen_upstream_proxy_timeout" : "smtpd_upstream_proxy_timeout";
    const char *name = gate ? "postscreen_upstream_proxy_protocol" : "smtpd_upstream_proxy_protocol";
    struct postfix_value v = postfix_value(p, name), time = postfix_value(p, timeout);
    if (!v.text.n)
        return;
    if (!str_eq(v.text, S("haproxy"))) {
        conf_error(p->f->b->report, v.file, v.line, "%s: it can be haproxy only", name);
        return;
    }
    folder_set_in(p->f, l, v.file, v.line, "proxy_protocol", S("yes"));
    folder_set_in(p->f, l, v.file, v.line, "haproxy_trusted_networks", S("0.0.0.0/0, ::/0"));
    postfix_set_same(p, l, timeout, "haproxy_timeout", &time);
}

/* Behind a postscreen, sessions are those of the service that it passes connections to. */
static const struct postfix_service *service_of_sessions(struct postfix *p, const struct postfix_service *s)
{
    if (!postfix_runs(s, "postscreen"))
        return s;
    p->service = s;
    str name = postfix_value(p, "smtpd_service_name").text;
    const struct postfix_service *passed = postfix_master_find(&p->master, name, POSTFIX_PASS);
    if (!passed)
        conf_warning(p->f->b->report, p->master_file, s->line,
                     "there is no service \"" STR_FMT
                     " pass\": Postfix's postscreen would let nobody in; malle's gate does",
                     STR_ARG(name));
    return passed ? passed : s;
}

/* The filter of p->service: "host:port", "port", "inet:host:port", "unix:path". */
static void set_filter(struct postfix *p, struct conf_section l)
{
    struct postfix_value v = postfix_value(p, "smtpd_proxy_filter"), place = v;
    bool has_kind = str_starts(v.text, S("inet:")) || str_starts(v.text, S("unix:"));
    bool has_host = str_chr(v.text, ':') > 0;
    if (!v.text.n)
        return;
    if (!has_kind)
        place.text = arena_printf(p->f->a, "inet:%s" STR_FMT,
                                  has_host                     ? ""
                                  : str_starts(v.text, S(":")) ? "localhost"
                                                               : "localhost:",
                                  STR_ARG(v.text));
    folder_set_in(p->f, l, v.file, v.line, "smtpd_proxy_filter", postfix_milters(p, &place));
}

/* "-o local_recipient_maps=", of what a filter hands back: all recipients exist there. */
static void set_unlisted(struct postfix *p, struct conf_section l)
{
    str ignored;
    struct postfix_value v = postfix_value(p, "local_recipient_maps");
    if (postfix_override_find(p->service, S("local_recipient_maps"), &ignored) && !v.text.n)
        folder_set_in(p->f, l, v.file, v.line, "smtpd_reject_unlisted_recipient", S("no"));
}

static void set_listener(struct postfix *p, const struct postfix_service *s)
{
    uint32_t port = postfix_port(p, s->port);
    str ignored;
    if (!port) {
        conf_error(p->f->b->report, p->master_file, s->line, "there is no port called " STR_FMT,
                   STR_ARG(s->port));
        return;
    }
    p->service = service_of_sessions(p, s);
    struct conf_section l = folder_listener(p->f, p->master_file, s->line, listener_name(p, s, port));
    folder_set_in(p->f, l, p->master_file, s->line, "protocol",
                  is_submission(p) ? S("submission") : S("smtp"));
    folder_set_in(p->f, l, p->master_file, s->line, "port", arena_printf(p->f->a, "%u", port));
    folder_set_in(p->f, l, p->master_file, s->line, "tls", str_c(tls_of(p)));
    folder_set_in(p->f, l, p->master_file, s->line, "disable_plaintext_auth",
                  postfix_value(p, "smtpd_tls_auth_only").text);
    if (s->host.n)
        folder_set_in(p->f, l, p->master_file, s->line, "addresses", s->host);
    postfix_take_overrides(p, l);
    if (postfix_override_find(p->service, S("mynetworks"), &ignored))
        postfix_set_mynetworks(p, l);
    if (postfix_override_find(p->service, S("smtpd_sasl_exceptions_networks"), &ignored))
        postfix_set_exceptions(p, l, "smtpd_sasl_exceptions_networks");
    set_unlisted(p, l);
    postfix_set_listener_checks(p, l);
    postfix_set_milters(p, l);
    set_filter(p, l);
    p->service = s;
    set_proxy(p, s, l);
    if (postfix_runs(s, "postscreen"))
        postfix_set_gate(p, l);
    p->service = NULL;
}

/* What stands behind the options, attributes and a command, as malle writes it. */
static void put_words(const struct postfix_service *s, struct buf *out)
{
    struct postfix_options o = postfix_options_of(s);
    struct postfix_option option;
    while (postfix_options_next(&o, &option)) {
    }
    for (size_t i = o.arg; i < s->n_args; i++) {
        bool braces = str_chr(s->args[i], ';') >= 0 || str_chr(s->args[i], ' ') >= 0;
        buf_printf(out, braces ? " {" STR_FMT "}" : " " STR_FMT, STR_ARG(s->args[i]));
    }
}

/* One that malle cannot run is left out: Debian's master.cf has some that few people use. Mail for it waits,
 * as for any transport that is not there. */
static void add_pipe(struct postfix *p, const struct postfix_service *s, struct buf *out)
{
    AUTO(buf_deinit) struct buf one = BUF_INIT(64 << 10);
    struct pipe_def def;
    struct err e = {0};
    buf_puts(&one, s->name);
    put_words(s, &one);
    str text = buf_str(&one);
    if (pipe_def_take(&text, &def, &e) != RC_OK)
        conf_warning(p->f->b->report, p->master_file, s->line, "malle does not take it: %s", err_text(&e));
    else
        buf_printf(out, "%s" STR_FMT, out->n ? "; " : "", STR_ARG(buf_str(&one)));
}

/* 0 is no limit. */
static void set_process_limit(struct postfix *p, const struct postfix_service *s, struct conf_section l)
{
    enum { MOST = 2000 };
    uint32_t n = 0;
    str usual = postfix_value(p, "default_process_limit").text;
    if (s->maxproc != POSTFIX_NOT_SET)
        n = (uint32_t)s->maxproc;
    else if (num_parse_u32(usual, UINT32_MAX, &n) != RC_OK)
        return;
    folder_set_in(p->f, l, p->master_file, s->line, "process_limit",
                  arena_printf(p->f->a, "%u", n == 0 || n > MOST ? MOST : n));
}

static str socket_of(struct postfix *p, const struct postfix_service *s)
{
    str queue = postfix_value(p, "queue_directory").text;
    return arena_printf(p->f->a, STR_FMT "/%s/" STR_FMT, STR_ARG(queue),
                        s->priv == POSTFIX_NO ? "public" : "private", STR_ARG(s->name));
}

/* A policy server, often. One that malle cannot run is left out: its clients are told to come again. A socket
 * that Postfix would have in its folder for itself alone is for malle alone, wherever that folder is. */
static void add_spawn(struct postfix *p, const struct postfix_service *s)
{
    AUTO(buf_deinit) struct buf words = BUF_INIT(64 << 10);
    struct pipe_def d;
    uint32_t port = s->type == POSTFIX_INET ? postfix_port(p, s->port) : 0;
    put_words(s, &words);
    if (pipe_def_program(buf_str(&words), &d) != RC_OK || str_eq(d.user, S("root")) ||
        (s->type == POSTFIX_INET && !port)) {
        conf_warning(
            p->f->b->report, p->master_file, s->line,
            "malle does not take it: it needs a port or socket, user=, which is not root, and argv=");
        return;
    }
    struct conf_section l = folder_listener(p->f, p->master_file, s->line, listener_name(p, s, 0));
    folder_set_in(p->f, l, p->master_file, s->line, "protocol", S("spawn"));
    folder_set_in(p->f, l, p->master_file, s->line, "program", str_trim(buf_str(&words)));
    if (port)
        folder_set_in(p->f, l, p->master_file, s->line, "port", arena_printf(p->f->a, "%u", port));
    else
        folder_set_in(p->f, l, p->master_file, s->line, "socket", socket_of(p, s));
    if (!port)
        folder_set_in(p->f, l, p->master_file, s->line, "mode",
                      s->priv == POSTFIX_NO ? S("0666") : S("0600"));
    if (s->host.n)
        folder_set_in(p->f, l, p->master_file, s->line, "addresses", s->host);
    set_process_limit(p, s, l);
    p->service = s;
    postfix_take_overrides(p, l);
    postfix_set_time_limit(p, s, l);
    p->service = NULL;
}

/* Without these Postfix would accept no mail or keep what it accepts. */
static void look_for_parts(struct postfix *p)
{
    static const char *const parts[] = {"pickup", "cleanup", "qmgr", "rewrite", "bounce", "smtp", "local"};
    AUTO(buf_deinit) struct buf missing = BUF_INIT(1000);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!postfix_master_find(&p->master, str_c(parts[i]), POSTFIX_UNIX))
            buf_printf(&missing, "%s%s", missing.n ? ", " : "", parts[i]);
    if (missing.n)
        conf_warning(p->f->b->report, p->master_file, 0,
                     "has no %s: Postfix would not work without; malle does not need them",
                     buf_cstr(&missing));
}

void postfix_set_services(struct postfix *p)
{
    AUTO(buf_deinit) struct buf pipes = BUF_INIT(256 << 10);
    for (size_t i = 0; i < p->master.n; i++) {
        const struct postfix_service *s = &p->master.services[i];
        if (s->overridden_by)
            conf_warning(p->f->b->report, p->master_file, s->line, "has no effect: line %d says it again",
                         s->overridden_by);
        else if (s->type == POSTFIX_INET && (postfix_runs(s, "smtpd") || postfix_runs(s, "postscreen")))
            set_listener(p, s);
        else if (postfix_runs(s, "pipe"))
            add_pipe(p, s, &pipes);
        else if (postfix_runs(s, "spawn"))
            add_spawn(p, s);
        else if (postfix_runs(s, "qmqpd"))
            conf_warning(p->f->b->report, p->master_file, s->line, "malle does not speak QMQP");
    }
    postfix_set_transports(p);
    postfix_set_pickup(p);
    if (pipes.n)
        folder_set(p->f, p->master_file, 0, "pipe_transports", buf_str(&pipes));
    if (p->master_file[0])
        look_for_parts(p);
}
