#include "table/named.h"

#include "conf/checks.h"
#include "conf/policy_service.h"
#include "conf/restrictions.h"
#include "fmt/authdb.h"
#include "fmt/tablespec.h"
#include "table/table.h"

struct walk {
    const struct conf *c;
    table_named_fn *fn;
    void *ctx;
};

static void name_server(const struct walk *w, enum conf_option option, const struct restriction *r)
{
    AUTO(buf_deinit) struct buf spec = BUF_INIT(2048);
    struct conf_policy_service p;
    if (conf_policy_service(w->c, r, &p, NULL) != RC_OK)
        return;
    conf_policy_spec(&p, &spec);
    if (!spec.overflow)
        w->fn(w->ctx, option, buf_str(&spec));
}

static void walk_list(const struct walk *w, enum conf_option option, str list, enum restriction_list which)
{
    struct restriction r;
    enum rc rc;
    str classes = str_c(w->c->smtpd_restriction_classes);
    while ((rc = restriction_take(&list, which, classes, &r, NULL)) != RC_GONE) {
        if (rc == RC_OK && r.kind == RESTRICTION_ACCESS)
            w->fn(w->ctx, option, r.argument);
        else if (rc == RC_OK && r.kind == RESTRICTION_POLICY)
            name_server(w, option, &r);
    }
}

/* Tables of clients: mynetworks_maps, and of the gate, where what has no ":" is permit_mynetworks. */
static void walk_clients(const struct walk *w)
{
    str list = str_c(w->c->gate_access_list), item;
    if (w->c->mynetworks_maps[0])
        w->fn(w->ctx, CONF_mynetworks_maps, str_c(w->c->mynetworks_maps));
    while (w->c->gate && tablespec_take(&list, &item) == RC_OK)
        if (str_chr(item, ':') >= 0)
            w->fn(w->ctx, CONF_gate_access_list, item);
}

/* Tables of commands; what has no ":" is a command. */
static void walk_commands(const struct walk *w)
{
    const struct {
        enum conf_option option;
        const char *list;
    } lists[] = {{CONF_smtpd_forbidden_commands, w->c->smtpd_forbidden_commands},
                 {CONF_smtpd_noop_commands, w->c->smtpd_noop_commands},
                 {CONF_gate_forbidden_commands, w->c->gate_forbidden_commands}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        str list = str_c(lists[i].list), item;
        while (tablespec_take(&list, &item) == RC_OK)
            if (str_chr(item, ':') >= 0)
                w->fn(w->ctx, lists[i].option, str_from(item, str_starts(item, S("!"))));
    }
}

/* header_checks and its like: the whole value is one list of tables. */
static void walk_checks(const struct walk *w)
{
    for (int i = 0; i < CONF_CHECKS; i++) {
        str list = conf_checks(w->c, (enum check_stream_kind)i);
        if (list.n)
            w->fn(w->ctx, conf_checks_option((enum check_stream_kind)i), list);
    }
}

static void walk_milters(const struct walk *w)
{
    const struct {
        enum conf_option option;
        const char *list;
    } lists[] = {{CONF_smtpd_milter_maps, w->c->smtpd_milter_maps},
                 {CONF_milter_header_checks, w->c->milter_header_checks}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (lists[i].list[0])
            w->fn(w->ctx, lists[i].option, str_c(lists[i].list));
}

static void walk_conf(const struct conf *c, table_named_fn *fn, void *ctx)
{
    const struct walk w = {c, fn, ctx};
    str classes = str_c(c->smtpd_restriction_classes), name, list;
    enum rc rc;
    for (int i = 0; i < RESTRICTION_LISTS; i++) {
        enum restriction_list which = (enum restriction_list)i;
        walk_list(&w, conf_restrictions_option(which), conf_restrictions(c, which), which);
    }
    while ((rc = restriction_take_class(&classes, &name, &list, NULL)) != RC_GONE)
        if (rc == RC_OK)
            walk_list(&w, CONF_smtpd_restriction_classes, list, RESTRICTION_RECIPIENT);
    walk_clients(&w);
    walk_commands(&w);
    walk_checks(&w);
    walk_milters(&w);
}

void table_named_each(const struct conf *c, table_named_fn *fn, void *ctx)
{
    walk_conf(c, fn, ctx);
    for (size_t i = 0; i < c->listener_count; i++)
        if (c->listeners[i].own)
            walk_conf(c->listeners[i].own, fn, ctx);
}

static void walk_users(enum conf_option option, const char *text, table_named_fn *fn, void *ctx)
{
    struct authdb list[AUTHDB_MAX];
    size_t n = 0;
    if (authdb_parse(str_c(text), option == CONF_passdb, list, &n, NULL) != RC_OK)
        return;
    for (size_t i = 0; i < n; i++) {
        AUTO(buf_deinit) struct buf spec = BUF_INIT(TABLE_SPEC_MAX);
        if (!authdb_table(&list[i]))
            continue;
        buf_printf(&spec, "dovecot-%s:" STR_FMT, authdb_table(&list[i]), STR_ARG(list[i].path));
        if (!spec.overflow)
            fn(ctx, option, buf_str(&spec));
    }
}

void table_users_each(const struct conf *c, table_named_fn *fn, void *ctx)
{
    walk_users(CONF_passdb, c->passdb, fn, ctx);
    walk_users(CONF_userdb, c->userdb, fn, ctx);
}
