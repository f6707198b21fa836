/* Which settings name tables, and who asks them. */
#include "table/settings.h"

#include "conf/key.h"
#include "conf/report.h"

static const struct {
    enum conf_option option;
    const char *role;
    bool no_substitution;
} settings[TABLES_COUNT] = {
    [TABLES_TRANSPORT] = {CONF_transport_maps, "queue", true},
    [TABLES_SENDER_RELAYHOST] = {CONF_sender_dependent_relayhost_maps, "queue", true},
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
};

static str value_of(const struct conf *c, size_t i)
{
    const struct conf_key *key = &conf_options.v[settings[i].option];
    return str_c(*(const char *const *)(const void *)((const char *)c + key->offset));
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

static enum rc open_setting(const struct conf *c, size_t i, const struct table_env *base,
                            struct table_list **ret, struct conf_report *report)
{
    struct opening o = {.report = report,
                        .name = conf_options.v[settings[i].option].name,
                        .origin = &c->origin[settings[i].option]};
    struct table_env env = base ? *base : (struct table_env){0};
    struct err e = {0};
    env.warn = add_warning;
    env.ctx = &o;
    env.no_substitution = settings[i].no_substitution;
    str value = value_of(c, i);
    enum rc rc = table_list_open(&value, 1, &env, ret, &e);
    if (rc != RC_OK)
        add_issue(&o, false, err_text(&e));
    return rc;
}

struct table_settings *table_settings_open(const struct conf *c, const char *role,
                                           const struct table_env *base, struct conf_report *report)
{
    struct table_settings *t = calloc(1, sizeof *t);
    bool fine = true;
    must(t);
    for (size_t i = 0; i < TABLES_COUNT; i++)
        if ((!role || str_eq(str_c(role), str_c(settings[i].role))) && value_of(c, i).n > 0)
            fine &= open_setting(c, i, base, &t->v[i], report) == RC_OK;
    return fine ? t : table_settings_close(t);
}

struct table_settings *table_settings_close(struct table_settings *t)
{
    for (size_t i = 0; t && i < TABLES_COUNT; i++)
        table_list_close(t->v[i]);
    free(t);
    return NULL;
}

bool table_settings_stale(const struct table_settings *old, const struct conf *was, const struct conf *now,
                          const char *role)
{
    for (size_t i = 0; i < TABLES_COUNT; i++) {
        if (!str_eq(str_c(role), str_c(settings[i].role)))
            continue;
        if (!str_eq(value_of(was, i), value_of(now, i)) || (old->v[i] && table_list_changed(old->v[i])))
            return true;
    }
    return false;
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

void table_settings_each_asking(const struct conf *c, table_asking_fn *fn, void *ctx)
{
    for (size_t i = 0; i < TABLES_COUNT; i++) {
        struct asking a = {settings[i].role, fn, ctx};
        table_each_asking(value_of(c, i), pass_on, &a);
    }
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
    return false;
}
