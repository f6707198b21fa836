/* Which settings name tables, and who asks them. */
#include "table/settings.h"

#include "conf/key.h"
#include "conf/report.h"
#include "table/named.h"

static const struct {
    enum conf_option option;
    const char *roles; /* words */
    bool no_substitution;
} settings[TABLES_COUNT] = {
    [TABLES_TRANSPORT] = {CONF_transport_maps, "queue", true},
    [TABLES_SENDER_RELAYHOST] = {CONF_sender_dependent_relayhost_maps, "queue", true},
    [TABLES_SENDER_TRANSPORT] = {CONF_sender_dependent_default_transport_maps, "queue", true},
    [TABLES_SASL_PASSWORD] = {CONF_smtp_sasl_password_maps, "smtp", true},
    [TABLES_TLS_POLICY] = {CONF_smtp_tls_policy_maps, "smtp", true},
    [TABLES_BIND_ADDRESS] = {CONF_sender_dependent_bind_address_maps, "smtp", true},
    [TABLES_VIRTUAL_ALIAS] = {CONF_virtual_alias_maps, "auth", false},
    [TABLES_RELAY_RECIPIENT] = {CONF_relay_recipient_maps, "auth", false},
    [TABLES_ALIAS] = {CONF_alias_maps, "auth", true},
    [TABLES_RELOCATED] = {CONF_relocated_maps, "auth", false},
    [TABLES_CANONICAL] = {CONF_canonical_maps, "auth", false},
    [TABLES_SENDER_CANONICAL] = {CONF_sender_canonical_maps, "auth", false},
    [TABLES_RECIPIENT_CANONICAL] = {CONF_recipient_canonical_maps, "auth", false},
    [TABLES_SENDER_LOGIN] = {CONF_smtpd_sender_login_maps, "smtpd", false},
    [TABLES_RBL_REPLY] = {CONF_rbl_reply_maps, "smtpd", false},
    [TABLES_RELAY_CCERT] = {CONF_relay_clientcerts, "smtpd", false},
    [TABLES_DISCARD_EHLO] = {CONF_smtpd_discard_ehlo_keyword_address_maps, "smtpd", false},
    [TABLES_GATE_REPLY] = {CONF_gate_dnsbl_reply_maps, "smtpd", false},
    [TABLES_SENDER_BCC] = {CONF_sender_bcc_maps, "smtpd", false},
    [TABLES_RECIPIENT_BCC] = {CONF_recipient_bcc_maps, "smtpd", false},
    [TABLES_REJECT_FOOTER] = {CONF_smtpd_reject_footer_maps, "smtpd", false},
    [TABLES_COMMAND_FILTER] = {CONF_smtpd_command_filter, "smtpd", false},
    [TABLES_GENERIC] = {CONF_smtp_generic_maps, "smtp", false},
    [TABLES_SMTP_HEADER] = {CONF_smtp_header_checks, "smtp", false},
    [TABLES_SMTP_MIME] = {CONF_smtp_mime_header_checks, "smtp", false},
    [TABLES_SMTP_NESTED] = {CONF_smtp_nested_header_checks, "smtp", false},
    [TABLES_SMTP_BODY] = {CONF_smtp_body_checks, "smtp", false},
    [TABLES_REPLY_FILTER] = {CONF_smtp_reply_filter, "smtp", false},
    [TABLES_SMTP_DNS_FILTER] = {CONF_smtp_dns_reply_filter, "smtp", false},
    [TABLES_SMTP_STATUS_FILTER] = {CONF_smtp_delivery_status_filter, "smtp", false},
    [TABLES_LOCAL_STATUS_FILTER] = {CONF_local_delivery_status_filter, "queue", false},
    [TABLES_PIPE_STATUS_FILTER] = {CONF_pipe_delivery_status_filter, "queue", false},
    [TABLES_VIRTUAL_STATUS_FILTER] = {CONF_virtual_delivery_status_filter, "queue", false},
    [TABLES_SMTPD_DNS_FILTER] = {CONF_smtpd_dns_reply_filter, "smtpd", false},
    [TABLES_DOMAIN] = {CONF_domain_maps, "auth", false},
    [TABLES_RELAY_DOMAIN] = {CONF_relay_domain_maps, "auth smtpd queue", false},
    [TABLES_MAILBOX_TRANSPORT] = {CONF_mailbox_transport_maps, "queue", true},
    [TABLES_MAILBOX_COMMAND] = {CONF_mailbox_command_maps, "command", true},
    [TABLES_FALLBACK_TRANSPORT] = {CONF_fallback_transport_maps, "auth", true},
    [TABLES_LOCAL_RECIPIENT] = {CONF_local_recipient_maps, "auth", false},
    [TABLES_COUNTRY] = {CONF_outbound_country_maps, "queue", false},
};

static str value_of(const struct conf *c, size_t i)
{
    const struct conf_key *key = &conf_options.v[settings[i].option];
    return str_c(*(const char *const *)(const void *)((const char *)c + key->offset));
}

/* What smtpd asks, submission asks, too: they are the same code. */
static bool is_of(const char *owners, const char *role)
{
    str rest = str_c(owners), owner;
    bool is = false;
    while ((owner = str_word(&rest)).n > 0)
        is = is || str_eq(owner, str_c(role)) ||
             (str_eq(owner, S("smtpd")) && str_eq(str_c(role), S("submission")));
    return is;
}

/* The tables of a role that a section has of its own; own: NULL for none. */
static void each_of_section(const struct conf *c, const struct conf *own, const char *role,
                            table_named_fn *fn, void *ctx)
{
    for (size_t k = 0; own && k < TABLES_COUNT; k++) {
        str value = value_of(own, k);
        if (is_of(settings[k].roles, role) && value.n > 0 && !str_eq(value, value_of(c, k)))
            fn(ctx, settings[k].option, value);
    }
}

static void each_of_transports(const struct conf *c, table_named_fn *fn, void *ctx)
{
    for (size_t i = 0; i < c->transport_count; i++)
        each_of_section(c, c->transports[i].own, "smtp", fn, ctx);
}

/* Those of listeners, and those that restrictions name. */
static void each_of_sessions(const struct conf *c, table_named_fn *fn, void *ctx)
{
    table_named_each(c, fn, ctx);
    for (size_t i = 0; i < c->listener_count; i++)
        each_of_section(c, c->listeners[i].own, "smtpd", fn, ctx);
}

struct opening {
    struct conf_report *report;
    const char *name;
    const struct conf_origin *origin;
};

static void add_issue(const struct opening *o, bool warning, const char *text)
{
    conf_report_add(o->report, warning, o->origin->file ? o->origin->file : "(default)", o->origin->line,
                    "%s: %.300s", o->name, text);
}

static void add_warning(void *ctx, const char *text)
{
    add_issue(ctx, true, text);
}

static enum rc open_list(const struct conf *c, enum conf_option option, str value, struct table_env env,
                         struct table_list **ret, struct conf_report *report)
{
    struct opening o = {.report = report, .name = conf_options.v[option].name, .origin = &c->origin[option]};
    struct err e = {0};
    env.warn = add_warning;
    env.ctx = &o;
    enum rc rc = table_list_open(&value, 1, &env, ret, &e);
    if (rc != RC_OK)
        add_issue(&o, false, err_text(&e));
    return rc;
}

struct naming {
    const struct conf *c;
    struct table_env env;
    struct conf_report *report;
    struct table_settings *t;
    bool failed;
};

static void open_named(void *ctx, enum conf_option option, str spec)
{
    struct naming *n = ctx;
    struct table_env env = n->env;
    struct table_list *list = NULL;
    if (table_settings_find(n->t, spec))
        return;
    for (size_t i = 0; i < TABLES_COUNT; i++)
        env.no_substitution |= settings[i].option == option && settings[i].no_substitution;
    if (str_starts(spec, S("policy:")) && env.ask)
        env.timeout_ms = table_policy_timeout(spec) + TABLE_ON_THE_WAY_MS;
    if (open_list(n->c, option, spec, env, &list, n->report) != RC_OK) {
        n->failed = true;
        return;
    }
    n->t->named = reallocarray(n->t->named, n->t->n_named + 1, sizeof *n->t->named);
    must(n->t->named);
    n->t->named[n->t->n_named++] = (struct table_named){str_dup(spec), list};
}

struct table_list *table_settings_find(const struct table_settings *t, str spec)
{
    for (size_t i = 0; t && i < t->n_named; i++)
        if (str_eq(spec, str_c(t->named[i].spec)))
            return t->named[i].list;
    return NULL;
}

struct table_list *table_settings_of(const struct table_settings *t, const struct conf *own,
                                     enum table_setting which)
{
    str value = value_of(own, which);
    struct table_list *named = value.n > 0 ? table_settings_find(t, value) : NULL;
    return named || !t || value.n == 0 ? named : t->v[which];
}

bool table_settings_any(const struct conf *c, enum table_setting which)
{
    bool any = value_of(c, which).n > 0;
    for (size_t i = 0; i < c->transport_count; i++)
        any = any || (c->transports[i].own && value_of(c->transports[i].own, which).n > 0);
    return any;
}

struct table_settings *table_settings_open(const struct conf *c, const char *role,
                                           const struct table_env *base, struct conf_report *report)
{
    struct table_settings *t = calloc(1, sizeof *t);
    struct naming n = {.c = c, .env = base ? *base : (struct table_env){0}, .report = report, .t = t};
    must(t);
    for (size_t i = 0; i < TABLES_COUNT; i++) {
        struct table_env env = n.env;
        env.no_substitution = settings[i].no_substitution;
        if ((!role || is_of(settings[i].roles, role)) && value_of(c, i).n > 0)
            n.failed |= open_list(c, settings[i].option, value_of(c, i), env, &t->v[i], report) != RC_OK;
    }
    if (!role || is_of("smtpd", role))
        each_of_sessions(c, open_named, &n);
    if (!role || is_of("auth", role))
        table_users_each(c, open_named, &n);
    if (!role || is_of("smtp", role))
        each_of_transports(c, open_named, &n);
    return n.failed ? table_settings_close(t) : t;
}

struct table_settings *table_settings_close(struct table_settings *t)
{
    for (size_t i = 0; t && i < TABLES_COUNT; i++)
        table_list_close(t->v[i]);
    for (size_t i = 0; t && i < t->n_named; i++) {
        table_list_close(t->named[i].list);
        free(t->named[i].spec);
    }
    if (t)
        free(t->named);
    free(t);
    return NULL;
}

static void put_spec(void *ctx, enum conf_option option, str spec)
{
    buf_printf(ctx, STR_FMT "\n", STR_ARG(spec));
}

typedef void each_named(const struct conf *c, table_named_fn *fn, void *ctx);

static bool named_stale(const struct table_settings *old, const struct conf *was, const struct conf *now,
                        each_named *each)
{
    AUTO(buf_deinit) struct buf then_text = BUF_INIT(16 << 20), now_text = BUF_INIT(16 << 20);
    each(was, put_spec, &then_text);
    each(now, put_spec, &now_text);
    bool stale = !str_eq(buf_str(&then_text), buf_str(&now_text));
    for (size_t i = 0; i < old->n_named; i++)
        stale = stale || table_list_changed(old->named[i].list);
    return stale;
}

bool table_settings_stale(const struct table_settings *old, const struct conf *was, const struct conf *now,
                          const char *role)
{
    for (size_t i = 0; i < TABLES_COUNT; i++) {
        if (!is_of(settings[i].roles, role))
            continue;
        if (!str_eq(value_of(was, i), value_of(now, i)) || (old->v[i] && table_list_changed(old->v[i])))
            return true;
    }
    if (is_of("auth", role) && named_stale(old, was, now, table_users_each))
        return true;
    if (is_of("smtp", role) && named_stale(old, was, now, each_of_transports))
        return true;
    return is_of("smtpd", role) && named_stale(old, was, now, each_of_sessions);
}

/* --- tables that ask a database or a server --- */

struct asking {
    const char *role;
    table_asking_fn *fn;
    void *ctx;
};

static void pass_on(void *ctx, str spec)
{
    const struct asking *a = ctx;
    a->fn(a->ctx, a->role, spec);
}

static void each_asking_of(str specs, const char *owners, table_asking_fn *fn, void *ctx)
{
    static const char *const roles[] = {"auth", "queue", "command", "smtp", "smtpd", "submission"};
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        struct asking a = {roles[i], fn, ctx};
        if (is_of(owners, roles[i]))
            table_each_asking(specs, pass_on, &a);
    }
}

static void users_asking(void *ctx, enum conf_option option, str spec)
{
    const struct asking *a = ctx;
    each_asking_of(spec, "auth", a->fn, a->ctx);
}

static void named_asking(void *ctx, enum conf_option option, str spec)
{
    const struct asking *a = ctx;
    each_asking_of(spec, "smtpd", a->fn, a->ctx);
}

static void transports_asking(void *ctx, enum conf_option option, str spec)
{
    const struct asking *a = ctx;
    each_asking_of(spec, "smtp", a->fn, a->ctx);
}

void table_settings_each_asking(const struct conf *c, table_asking_fn *fn, void *ctx)
{
    struct asking named = {"smtpd", fn, ctx};
    for (size_t i = 0; i < TABLES_COUNT; i++)
        each_asking_of(value_of(c, i), settings[i].roles, fn, ctx);
    each_of_sessions(c, named_asking, &named);
    table_users_each(c, users_asking, &named);
    each_of_transports(c, transports_asking, &named);
}

static void note_one(void *ctx, const char *role, str spec)
{
    *(bool *)ctx = true;
}

bool table_settings_ask(const struct conf *c)
{
    bool any = false;
    table_settings_each_asking(c, note_one, &any);
    return any;
}

static void put_name(void *ctx, const char *role, str spec)
{
    buf_printf(ctx, "%s " STR_FMT "\n", role, STR_ARG(spec));
}

bool table_settings_asking_stale(const struct table_settings *old, const struct conf *was,
                                 const struct conf *now)
{
    AUTO(buf_deinit) struct buf then_text = BUF_INIT(16 << 20), now_text = BUF_INIT(16 << 20);
    table_settings_each_asking(was, put_name, &then_text);
    table_settings_each_asking(now, put_name, &now_text);
    if (!str_eq(buf_str(&then_text), buf_str(&now_text)))
        return true;
    for (size_t i = 0; i < TABLES_COUNT; i++)
        if (old->v[i] && table_list_asking_changed(old->v[i]))
            return true;
    for (size_t i = 0; i < old->n_named; i++)
        if (table_list_asking_changed(old->named[i].list))
            return true;
    return false;
}
