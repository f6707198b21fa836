/* Where mail goes: transport(5), sender-dependent relayhosts, and the names of sites. */
#include "queue/queue_impl.h"
#include "queue/site_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct conf *settings(const char *more)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(8000);
    struct conf_report report = {0};
    buf_printf(&text, "hostname = mail.example.org\n%s", more);
    struct conf *c = conf_parse(buf_str(&text), "test", &report);
    assert_non_null(c);
    conf_report_deinit(&report);
    return c;
}

static struct table_settings *tables_of(const struct conf *c, const char *role)
{
    struct conf_report report = {0};
    struct table_settings *t = table_settings_open(c, role, NULL, &report);
    if (!t)
        fail_msg("%s", report.v[0].text);
    conf_report_deinit(&report);
    return t;
}

static void check(const char *conf_text, const char *sender, const char *address, const char *wanted)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(QUEUE_SITE_MAX);
    AUTO(conf_freep) struct conf *c = settings(conf_text);
    struct table_settings *t = tables_of(c, "queue");
    const struct queue_rcpt r = {.address = str_c(address)};
    struct err e = {0};
    enum rc rc = queue_route(c, t, str_c(sender), &r, &name, &e);
    assert_int_equal(rc, wanted ? RC_OK : RC_TEMP);
    assert_string_equal(buf_cstr(&name), wanted ? wanted : "");
    table_settings_close(t);
}

static const char transports[] =
    "pipe_transports = prog user=daemon argv=/bin/true\n"
    "default_filter_nexthop = next.example\n"
    "relayhost = [relay.example]\n"
    "transport_maps = inline:{ {user+ext@a.example = smtp:[ext.example]:26}, {user@a.example = "
    "smtp:[user.example]},"
    " {a.example = relay:other.example}, {.b.example = lmtp:[192.0.2.1]:24}, {c.example = "
    "lmtp:inet:c.example},"
    " {d.example = lmtp:unix:/run/lmtp}, {e.example = error:5.7.1 go away}, {f.example = retry:4.3.2 later},"
    " {g.example = discard:gone}, {h.example = :[hop.example]:587}, {i.example = :}, {j.example = smtp:},"
    " {k.example = local:}, {l.example = slow:x}, {m.example = smtp:bad..name}, {n.example = smtp:lmtp:24},"
    " {q.example = prog:}, {r.example = prog:[next]:x}, {o.example = error:}, {p.example = lmtp:},"
    " {s.example = amavis:}, {t.example = amavis:[t]:1}, {u.example = dspam:unix:/run/u}, {v.example = "
    "dspam:} }\n"
    "[transport amavis]\n[transport dspam]\nprotocol = lmtp\n";

static void vias(void **state)
{
    static const struct {
        const char *via, *wanted;
    } rows[] = {{"user:1000:ann:tag", "command:ann"},
                {"mailbox:1000:ann:", "command:ann"},
                {"forward:1000:1:0123456789abcdef:ann:", "command:ann"},
                {"alias:1:0123456789abcdef:list", "command:|list"},
                {"filter:smtp:[127.0.0.1]:10024", "[127.0.0.1]:10024"},
                {"filter:amavis:[127.0.0.1]:10024", "smtp/amavis:[127.0.0.1]:10024"},
                {"filter:dspam:unix:/run/dspam", "lmtp/dspam:unix:/run/dspam"},
                {"filter:prog", "pipe:prog:next.example"},
                {"filter:smtp:", "next.example"},
                {"transport:smtp:[192.0.2.1]:25", "[192.0.2.1]:25"},
                {"transport:amavis", "smtp/amavis:a.example"},
                {"transport:lmtp:unix:/run/x", "lmtp:unix:/run/x"},
                {"transport:unknown:x", "retry:4.3.5 there is no mail transport \"unknown\""},
                {"filter:unknown:x", "retry:4.3.5 there is no mail transport \"unknown\""},
                {"nonsense", "retry:4.3.0 the recipient cannot be read"},
                {"", "local"}};
    AUTO(conf_freep) struct conf *c = settings(transports);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf name = BUF_INIT(QUEUE_SITE_MAX);
        const struct queue_rcpt r = {.address = S("ann@a.example"), .local = true, .via = str_c(rows[i].via)};
        struct err e = {0};
        assert_int_equal(queue_route(c, NULL, S("me@x.example"), &r, &name, &e), RC_OK);
        assert_string_equal(buf_cstr(&name), rows[i].wanted);
        assert_int_equal(site_name_is_command(buf_cstr(&name)[0] == 'c' ? buf_str(&name) : S("local")),
                         i < 4);
    }
}

static void transport_5(void **state)
{
    static const struct {
        const char *address, *site;
    } rows[] = {
        {"user+ext@a.example", "[ext.example]:26"},
        {"user+else@a.example", "[user.example]"},
        {"user@a.example", "[user.example]"},
        {"USER@A.Example", "[user.example]"},
        {"joe@a.example", "other.example"},
        {"joe@b.example", "[relay.example]"}, /* ".b.example" is for what lies below */
        {"joe@x.b.example", "lmtp:inet:[192.0.2.1]:24"},
        {"joe@c.example", "lmtp:inet:c.example"},
        {"joe@d.example", "lmtp:unix:/run/lmtp"},
        {"joe@e.example", "error:5.7.1 go away"},
        {"joe@f.example", "retry:4.3.2 later"},
        {"joe@g.example", "discard:gone"},
        {"joe@h.example", "[hop.example]:587"},
        {"joe@i.example", "[relay.example]"}, /* as without the table */
        {"joe@J.example", "j.example"},       /* a transport without next hop: its domain */
        {"joe@k.example", "local"},
        {"joe@l.example", "retry:4.3.5 there is no mail transport \"slow\""},
        {"joe@q.example", "pipe:prog:q.example"},
        {"joe@r.example", "pipe:prog:[next]:x"},
        {"joe@m.example", "retry:4.3.5 bad next hop \"bad..name\""},
        {"joe@n.example", "smtp:lmtp:24"},
        {"joe@o.example", "error:the address is undeliverable"},
        {"joe@p.example", "lmtp:inet:p.example"},
        {"joe@s.example", "smtp/amavis:s.example"},
        {"joe@t.example", "smtp/amavis:[t]:1"},
        {"joe@u.example", "lmtp/dspam:unix:/run/u"},
        {"joe@v.example", "lmtp/dspam:inet:v.example"},
        {"joe@z.example", "[relay.example]"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check(transports, "s@example.org", rows[i].address, rows[i].site);
}

static void wildcard(void **state)
{
    const char *text = "transport_maps = inline:{{*=smtp:[all.example]}, {x.example=:}}\n";
    check(text, "s@example.org", "joe@y.example", "[all.example]");
    check(text, "s@example.org", "joe@x.example", "x.example");
}

static void senders(void **state)
{
    const char *text = "relayhost = [relay.example]\n"
                       "transport_maps = inline:{{t.example=smtp:[t.example]}}\n"
                       "sender_dependent_relayhost_maps = inline:{{joe@a.example=[joe.example]:587},"
                       " {@a.example=[a.example]}, {@b.example=DUNNO}, {<>=[null.example]}}\n";
    check(text, "joe@a.example", "x@y.example", "[joe.example]:587");
    check(text, "joe+tag@a.example", "x@y.example", "[joe.example]:587");
    check(text, "ann@a.example", "x@y.example", "[a.example]");
    check(text, "ann@b.example", "x@y.example", "[relay.example]");
    check(text, "ann@c.example", "x@y.example", "[relay.example]");
    check(text, "", "x@y.example", "[null.example]");
    check(text, "joe@a.example", "x@t.example", "[t.example]"); /* the table of transports goes first */
}

/* Where no table says by what mail leaves: the sender's transport, default_transport or relay_transport,
 * whose next hop comes before relayhosts. */
static void default_ways(void **state)
{
    static const char ways[] =
        "relay_domains = r.example\nrelayhost = [relay.example]\n"
        "transport_maps = inline:{{t.example=:[t.example]}, {u.example=:}}\n"
        "sender_dependent_relayhost_maps = inline:{{joe@a.example=[joe.example]}}\n"
        "sender_dependent_default_transport_maps = inline:{{@b.example=slow:}, {ann@b.example=slow:[ann]},"
        " {bob@b.example=DUNNO}, {eve@b.example=error:5.7.1 not you}}\n";
    AUTO(buf_deinit) struct buf text = BUF_INIT(4000), hop = BUF_INIT(4000);
    check(ways, "x@b.example", "j@y.example", "retry:4.3.5 there is no mail transport \"slow\"");
    buf_printf(&text, "%sdefault_transport = fast\n[transport slow]\n[transport fast]\n[transport relay]\n",
               ways);
    check(buf_cstr(&text), "x@b.example", "j@y.example", "smtp/slow:[relay.example]");
    check(buf_cstr(&text), "ann@b.example", "j@y.example", "smtp/slow:[ann]");
    check(buf_cstr(&text), "bob@b.example", "j@y.example", "smtp/fast:[relay.example]");
    check(buf_cstr(&text), "eve@b.example", "j@y.example", "error:5.7.1 not you");
    check(buf_cstr(&text), "joe@a.example", "j@y.example", "smtp/fast:[joe.example]");
    check(buf_cstr(&text), "joe@a.example", "j@t.example", "smtp/fast:[t.example]");
    check(buf_cstr(&text), "x@b.example", "j@u.example", "smtp/slow:[relay.example]");
    check(buf_cstr(&text), "x@b.example", "j@r.example", "smtp/relay:[relay.example]");
    buf_printf(&hop, "%srelay_transport = lmtp:[r]\ndefault_transport = smtp:[d]:26\n", ways);
    check(buf_cstr(&hop), "joe@a.example", "j@y.example", "[d]:26");
    check(buf_cstr(&hop), "joe@a.example", "j@r.example", "lmtp:inet:[r]");
    check("relay_domain_maps = inline:{{.r.example=x}}\nrelay_transport = smtp:[r]\n", "x@a.example",
          "j@s.r.example", "[r]");
    check("relay_domain_maps = inline:{{r.example=x}}\nrelay_transport = smtp:[r]\n", "x@a.example",
          "j@s.r.example", "s.r.example");
    check("relay_domain_maps = inline:{{r.example=x}}\nrelay_transport = smtp:[r]\n"
          "parent_domain_matches_subdomains = relay_domains\n",
          "x@a.example", "j@s.r.example", "[r]");
    check("relay_domain_maps = fail:x\n", "x@a.example", "j@r.example", NULL);
    check("relay_domains = r.example\n", "x@a.example", "j@r.example", "r.example");
    check("[transport smtp]\nsmtp_helo_name = a.example\n", "x@a.example", "j@r.example", "r.example");
    check("default_transport = error:5.7.1 no mail leaves\n", "x@a.example", "j@y.example",
          "error:5.7.1 no mail leaves");
}

/* A table that cannot answer never opens another way. */
static void failing(void **state)
{
    check("relayhost = [relay.example]\ntransport_maps = fail:x\n", "s@a.example", "x@y.example", NULL);
    check("relayhost = [relay.example]\nsender_dependent_relayhost_maps = fail:x\n", "s@a.example",
          "x@y.example", NULL);
    check("sender_dependent_default_transport_maps = fail:x\n", "s@a.example", "x@y.example", NULL);
    check("transport_maps = inline:{y.example=:}, fail:x\nsender_dependent_relayhost_maps = fail:x\n",
          "s@a.example", "x@y.example", NULL);
}

static void without_tables(void **state)
{
    check("", "s@a.example", "joe@Example.COM", "example.com");
    check("", "s@a.example", "joe@local", "smtp:local");
    check("relayhost = [relay.example]:25\n", "", "joe@example.com", "[relay.example]:25");
}

static void names(void **state)
{
    static const struct {
        enum site_transport transport;
        const char *next, *name;
        bool remote;
        const char *service;
    } rows[] = {
        {SITE_SMTP, "example.com", "example.com", true, "smtp"},
        {SITE_SMTP, "[::1]:25", "[::1]:25", true, "smtp"},
        {SITE_SMTP, "error:25", "smtp:error:25", true, "smtp"},
        {SITE_SMTP, "smtp:25", "smtp:smtp:25", true, "smtp"},
        {SITE_SMTP, "smtp/x:25", "smtp:smtp/x:25", true, "smtp"},
        {SITE_SMTP, "local", "smtp:local", true, "smtp"},
        {SITE_SMTP, "example.com", "smtp/slow:example.com", true, "slow"},
        {SITE_SMTP, "[::1]:25", "smtp/lmtp:[::1]:25", true, "lmtp"},
        {SITE_LMTP, "inet:[::1]:24", "lmtp:inet:[::1]:24", true, "lmtp"},
        {SITE_LMTP, "unix:/x", "lmtp/dspam:unix:/x", true, "dspam"},
        {SITE_PIPE, "prog:x", "pipe:prog:x", false, "prog"},
        {SITE_LOCAL, "", "local", false, ""},
        {SITE_ROUTE, "", "route:", false, ""},
        {SITE_ERROR, "5.1.1 no", "error:5.1.1 no", false, ""},
        {SITE_RETRY, "later", "retry:later", false, ""},
        {SITE_DISCARD, "", "discard:", false, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf name = BUF_INIT(QUEUE_SITE_MAX);
        assert_int_equal(
            site_name_put_service(&name, rows[i].transport, str_c(rows[i].service), str_c(rows[i].next)),
            RC_OK);
        assert_string_equal(buf_cstr(&name), rows[i].name);
        struct site_name parsed = site_name_parse(buf_str(&name));
        assert_int_equal(parsed.transport, rows[i].transport);
        assert_true(str_eq(parsed.next, str_c(rows[i].next)));
        assert_true(str_eq(parsed.service, str_c(rows[i].service)));
        assert_int_equal(site_name_is_remote(buf_str(&name)), rows[i].remote);
    }
}

static void long_names(void **state)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(QUEUE_SITE_MAX);
    char text[400];
    memset(text, 'x', sizeof text);
    assert_int_equal(site_name_put(&name, SITE_SMTP, str_mem(text, sizeof text)), RC_LIMIT);
    assert_int_equal(name.n, 0);
    assert_int_equal(site_name_put(&name, SITE_ERROR, str_mem(text, sizeof text)), RC_OK);
    assert_int_equal(name.n, QUEUE_SITE_MAX);
    assert_false(name.overflow);
}

/* What cannot be opened is told by the name of the setting. */
static void refused_types(void **state)
{
    static const char *const specs[] = {"pgsql:/nonexistent/x.cf",        "tcp:127.0.0.1",
                                        "unionmap:{socketmap:inet:h:1:}", "proxy:ldap:/nonexistent/x",
                                        "hash:/nonexistent/table",        "nonsense:x"};
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        AUTO(buf_deinit) struct buf text = BUF_INIT(200);
        struct conf_report report = {0};
        buf_printf(&text, "transport_maps = %s\n", specs[i]);
        AUTO(conf_freep) struct conf *c = settings(buf_cstr(&text));
        assert_null(table_settings_open(c, "queue", NULL, &report));
        assert_int_equal(report.errors, 1);
        assert_true(str_starts(str_c(report.v[0].text), S("transport_maps: ")));
        assert_int_equal(report.v[0].line, 2);
        conf_report_deinit(&report);
    }
}

/* A role is started again when a setting of its tables changed, not for another role's. */
static void staleness(void **state)
{
    AUTO(conf_freep) struct conf *a = settings("transport_maps = inline:{a=b}\n");
    AUTO(conf_freep) struct conf *b = settings("transport_maps = inline:{a=c}\n");
    struct table_settings *t = tables_of(a, NULL);
    assert_false(table_settings_stale(t, a, a, "queue"));
    assert_true(table_settings_stale(t, a, b, "queue"));
    assert_false(table_settings_stale(t, a, b, "smtp"));
    AUTO(conf_freep)
    struct conf *relayed = settings("transport_maps = inline:{a=b}\nrelay_domain_maps = inline:{a=b}\n");
    static const char *const askers[] = {"queue", "auth", "smtpd", "submission"};
    for (size_t i = 0; i < sizeof askers / sizeof *askers; i++)
        assert_true(table_settings_stale(t, a, relayed, askers[i]));
    assert_false(table_settings_stale(t, a, relayed, "smtp"));
    table_settings_close(t);
}

static void name_one(void *ctx, const char *role, str spec)
{
    buf_printf(ctx, "%s=" STR_FMT "\n", role, STR_ARG(spec));
}

/* Which tables another process asks, and for whom. */
static void asking(void **state)
{
    AUTO(buf_deinit) struct buf names = BUF_INIT(1000);
    AUTO(conf_freep) struct conf *none = settings("transport_maps = inline:{a=tcp:h:1}, hash:/x\n");
    AUTO(conf_freep)
    struct conf *c =
        settings("transport_maps = hash:/x, proxy:tcp:h:1, unionmap:{inline:{a=b} pipemap:{tcp:h:2 "
                 "sqlite:/a}}\nsmtp_tls_policy_maps = tcp:h:1\n");
    assert_false(table_settings_ask(none));
    assert_true(table_settings_ask(c));
    table_settings_each_asking(c, name_one, &names);
    assert_string_equal(buf_cstr(&names), "queue=tcp:h:1\nqueue=tcp:h:2\nqueue=sqlite:/a\nsmtp=tcp:h:1\n");
}

/* A transport has the tables of all, but for those that its section names. */
static void tables_of_transports(void **state)
{
    AUTO(buf_deinit) struct buf names = BUF_INIT(1000);
    AUTO(conf_freep)
    struct conf *c = settings("smtp_tls_policy_maps = inline:{a=may}\nsmtp_generic_maps = inline:{a=b}\n"
                              "[transport slow]\nsmtp_tls_policy_maps = inline:{a=none}, tcp:h:1\n"
                              "smtp_generic_maps =\n"
                              "[transport fast]\nsmtp_helo_name = x.example\n");
    AUTO(conf_freep)
    struct conf *other = settings("[transport slow]\nsmtp_tls_policy_maps = inline:{a=may}\n");
    AUTO(conf_freep) struct conf *same = settings("[transport slow]\n");
    const struct conf *slow = conf_of_transport(c, S("slow")), *fast = conf_of_transport(c, S("fast"));
    struct table_settings *t = tables_of(c, "smtp"), *queue = tables_of(c, "queue");
    assert_ptr_equal(conf_of_transport(c, S("smtp")), c);
    assert_non_null(table_settings_of(t, slow, TABLES_TLS_POLICY));
    assert_ptr_not_equal(table_settings_of(t, slow, TABLES_TLS_POLICY),
                         table_settings_of(t, c, TABLES_TLS_POLICY));
    assert_ptr_equal(table_settings_of(t, fast, TABLES_TLS_POLICY),
                     table_settings_of(t, c, TABLES_TLS_POLICY));
    assert_null(table_settings_of(t, slow, TABLES_GENERIC));
    assert_non_null(table_settings_of(t, fast, TABLES_GENERIC));
    assert_int_equal(queue->n_named, 0);
    assert_false(table_settings_stale(t, c, c, "smtp"));
    assert_true(table_settings_stale(t, same, other, "smtp"));
    assert_false(table_settings_stale(t, same, other, "queue"));
    assert_true(table_settings_any(other, TABLES_TLS_POLICY) && !table_settings_any(same, TABLES_TLS_POLICY));
    table_settings_each_asking(c, name_one, &names);
    assert_string_equal(buf_cstr(&names), "smtp=tcp:h:1\n");
    table_settings_close(t);
    table_settings_close(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transport_5),
        cmocka_unit_test(wildcard),
        cmocka_unit_test(senders),
        cmocka_unit_test(failing),
        cmocka_unit_test(names),
        cmocka_unit_test(long_names),
        cmocka_unit_test(without_tables),
        cmocka_unit_test(staleness),
        cmocka_unit_test(refused_types),
        cmocka_unit_test(asking),
        cmocka_unit_test(vias),
        cmocka_unit_test(default_ways),
        cmocka_unit_test(tables_of_transports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
