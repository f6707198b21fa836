/* TLS policies of next hops, and the passwords for them. */
#include "role/smtp_login.h"
#include "role/smtp_policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

struct world {
    struct conf *conf;
    struct table_settings *tables;
    struct arena *arena;
};

static void world_open(struct world *w, const char *more)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(8000);
    struct conf_report report = {0};
    buf_printf(&text, "hostname = mail.example.org\n%s", more);
    w->conf = conf_parse(buf_str(&text), "test", &report);
    assert_non_null(w->conf);
    w->tables = table_settings_open(w->conf, "smtp", NULL, &report);
    assert_non_null(w->tables);
    w->arena = arena_new(1 << 20);
    conf_report_deinit(&report);
}

static void world_close(struct world *w)
{
    arena_free(w->arena);
    table_settings_close(w->tables);
    conf_freep(&w->conf);
}

static void parsing(void **state)
{
    static const struct {
        const char *text;
        enum rc rc;
        struct smtp_policy policy;
    } rows[] = {
        {"none", RC_OK, {.level = SMTP_POLICY_NONE}},
        {"May", RC_OK, {.level = SMTP_POLICY_MAY}},
        {" encrypt ", RC_OK, {.level = SMTP_POLICY_ENCRYPT}},
        {"dane", RC_OK, {.level = SMTP_POLICY_DANE}},
        {"dane-only", RC_OK, {.level = SMTP_POLICY_DANE_ONLY}},
        {"sts", RC_OK, {.level = SMTP_POLICY_DANE, .sts = true}},
        {"verify match=hostname:.example.com", RC_OK, {.level = SMTP_POLICY_VERIFY, .n_match = 2}},
        {"secure match=a match=b:c", RC_OK, {.level = SMTP_POLICY_SECURE, .n_match = 3}},
        {"encrypt protocols=>=TLSv1.3", RC_OK, {.level = SMTP_POLICY_ENCRYPT, .tls_1_3 = true}},
        {"encrypt protocols=TLSv1.3", RC_OK, {.level = SMTP_POLICY_ENCRYPT, .tls_1_3 = true}},
        {"encrypt protocols=!SSLv2:!SSLv3:!TLSv1.2", RC_OK, {.level = SMTP_POLICY_ENCRYPT, .tls_1_3 = true}},
        {"encrypt protocols=TLSv1.2:TLSv1.3 ciphers=high", RC_OK, {.level = SMTP_POLICY_ENCRYPT}},
        {"encrypt protocols=!SSLv3,!TLSv1", RC_OK, {.level = SMTP_POLICY_ENCRYPT}},
        {"encrypt protocols=!TLSv1.3", RC_INVALID, {.level = 0}},
        {"encrypt protocols=<=TLSv1.2", RC_INVALID, {.level = 0}},
        {"encrypt servername=x.example",
         RC_OK,
         {.level = SMTP_POLICY_ENCRYPT, .server_name = {"x.example", 9}}},
        {"", RC_INVALID, {.level = 0}},
        {"fingerprint match=aa", RC_INVALID, {.level = 0}},
        {"encrypt exclude=RC4", RC_INVALID, {.level = 0}},
        {"encrypt match", RC_OK, {.level = SMTP_POLICY_ENCRYPT}},
        {"secure match=a:b:c:d:e:f:g:h:i:j:k:l:m:n:o:p:q", RC_INVALID, {.level = 0}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct smtp_policy p = {.level = SMTP_POLICY_SECURE};
        struct err e = {0};
        if (smtp_policy_parse(str_c(rows[i].text), &p, &e) != rows[i].rc)
            fail_msg("%s: %s", rows[i].text, err_text(&e));
        if (rows[i].rc != RC_OK)
            continue;
        assert_int_equal(p.level, rows[i].policy.level);
        assert_int_equal(p.n_match, rows[i].policy.n_match);
        assert_int_equal(p.tls_1_3, rows[i].policy.tls_1_3);
        assert_int_equal(p.sts, rows[i].policy.sts);
        assert_true(str_eq(p.server_name, rows[i].policy.server_name));
    }
}

static const char policies[] =
    "smtp_tls_security_level = may\n"
    "smtp_tls_policy_maps = inline:{ {[a.example]:587 = encrypt}, {b.example = "
    "secure}, {.c.example = verify},"
    " {[d.example] = nonsense}, {lmtp = none}, {e.example = sts}, {f.example = may} }\n";

static void looking_up(void **state)
{
    static const struct {
        enum site_transport transport;
        const char *next;
        enum rc rc;
        enum smtp_policy_level level;
        bool sts;
    } rows[] = {
        {SITE_SMTP, "[a.example]:587", RC_OK, SMTP_POLICY_ENCRYPT},
        {SITE_SMTP, "[a.example]", RC_OK, SMTP_POLICY_MAY, true},
        {SITE_SMTP, "a.example", RC_OK, SMTP_POLICY_MAY, true},
        {SITE_SMTP, "b.example", RC_OK, SMTP_POLICY_SECURE},
        {SITE_SMTP, "B.Example", RC_OK, SMTP_POLICY_SECURE},
        {SITE_SMTP, "x.b.example", RC_OK, SMTP_POLICY_MAY, true},
        {SITE_SMTP, "e.example", RC_OK, SMTP_POLICY_DANE, true},
        {SITE_SMTP, "f.example", RC_OK, SMTP_POLICY_MAY},
        {SITE_SMTP, "x.c.example", RC_OK, SMTP_POLICY_VERIFY},
        {SITE_SMTP, "[x.c.example]", RC_OK, SMTP_POLICY_MAY, true}, /* parents are of domains */
        {SITE_SMTP, "[d.example]", RC_TEMP, 0},
        {SITE_LMTP, "inet:b.example:24", RC_OK, SMTP_POLICY_MAY},
    };
    struct world w;
    world_open(&w, policies);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct smtp_policy p = {0};
        struct err e = {0};
        const struct site_name site = {rows[i].transport, str_c(rows[i].next)};
        assert_int_equal(smtp_policy_find(w.conf, w.tables, &site, w.arena, &p, &e), rows[i].rc);
        if (p.level != rows[i].level)
            fail_msg("%s: %d", rows[i].next, p.level);
        assert_int_equal(p.sts, rows[i].sts);
    }
    world_close(&w);
}

/* What settings have for a level, and what a table has in its place. */
static void names_of_levels(void **state)
{
    static const struct {
        const char *settings, *next, *names, *server_name;
    } rows[] = {
        {"smtp_tls_security_level = verify\n", "a.example", "hostname ", ""},
        {"smtp_tls_security_level = secure\n", "a.example", "nexthop dot-nexthop ", ""},
        {"smtp_tls_security_level = encrypt\n", "a.example", "", ""},
        {"smtp_tls_security_level = verify\nsmtp_tls_verify_cert_match = nexthop, .b.example\n"
         "smtp_tls_servername = nexthop\n",
         "a.example", "nexthop .b.example ", "nexthop"},
        {"smtp_tls_security_level = secure\nsmtp_tls_secure_cert_match = c.example\n", "a.example",
         "c.example ", ""},
        {"smtp_tls_verify_cert_match = nexthop\nsmtp_tls_servername = d.example\n"
         "smtp_tls_policy_maps = inline:{ {a.example = verify match=x.example servername=e.example} }\n",
         "a.example", "x.example ", "e.example"},
        {"smtp_tls_verify_cert_match = nexthop\nsmtp_tls_servername = d.example\n"
         "smtp_tls_policy_maps = inline:{ {a.example = verify} }\n",
         "a.example", "nexthop ", "d.example"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf names = BUF_INIT(200);
        const struct site_name site = {SITE_SMTP, str_c(rows[i].next)};
        struct world w;
        struct smtp_policy p = {0};
        struct smtp_client_params params = {0};
        struct err e = {0};
        world_open(&w, rows[i].settings);
        assert_int_equal(smtp_policy_find(w.conf, w.tables, &site, w.arena, &p, &e), RC_OK);
        for (size_t k = 0; k < p.n_match; k++)
            buf_printf(&names, STR_FMT " ", STR_ARG(p.match[k]));
        assert_string_equal(buf_cstr(&names), rows[i].names);
        assert_true(str_eq(p.server_name, str_c(rows[i].server_name)));
        const struct dane none = {0};
        assert_int_equal(
            smtp_policy_apply(&p, &none, NULL, S("a.example"), S("mx.example"), w.arena, &params, &e), RC_OK);
        str sni = params.tls_params.server_name;
        assert_true(str_eq(p.server_name, S("nexthop")) ? str_eq(sni, S("a.example"))
                    : p.server_name.n                   ? str_eq(sni, p.server_name)
                                                        : str_eq(sni, S("mx.example")));
        world_close(&w);
    }
}

/* A table that fails never means less TLS. */
static void failing(void **state)
{
    struct world w;
    struct smtp_policy p;
    struct smtp_client_auth auth;
    struct err e = {0};
    const struct site_name site = {SITE_SMTP, S("a.example")};
    world_open(
        &w, "smtp_tls_policy_maps = fail:x\nsmtp_sasl_password_maps = fail:x\nsmtp_sasl_auth_enable = yes\n");
    assert_int_equal(smtp_policy_find(w.conf, w.tables, &site, w.arena, &p, &e), RC_TEMP);
    assert_int_equal(
        smtp_login_find(w.conf, w.tables, S(""), S("a.example"), S("mx.example"), w.arena, &auth, &e),
        RC_TEMP);
    world_close(&w);
}

/* RFC 8689 §4.2: what a message says of TLS makes a policy stricter or laxer. */
static void demanding(void **state)
{
    static const struct {
        enum smtp_policy_level level, optional, required;
    } rows[] = {
        {SMTP_POLICY_NONE, SMTP_POLICY_NONE, SMTP_POLICY_REQUIRETLS},
        {SMTP_POLICY_MAY, SMTP_POLICY_MAY, SMTP_POLICY_REQUIRETLS},
        {SMTP_POLICY_ENCRYPT, SMTP_POLICY_MAY, SMTP_POLICY_REQUIRETLS},
        {SMTP_POLICY_DANE, SMTP_POLICY_MAY, SMTP_POLICY_REQUIRETLS},
        {SMTP_POLICY_DANE_ONLY, SMTP_POLICY_MAY, SMTP_POLICY_DANE_ONLY},
        {SMTP_POLICY_VERIFY, SMTP_POLICY_MAY, SMTP_POLICY_VERIFY},
        {SMTP_POLICY_SECURE, SMTP_POLICY_MAY, SMTP_POLICY_SECURE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct smtp_policy lax = {.level = rows[i].level}, same = lax, strict = lax;
        smtp_policy_demand(&lax, SMTP_TLS_OPTIONAL);
        smtp_policy_demand(&same, SMTP_TLS_AS_POLICY);
        smtp_policy_demand(&strict, SMTP_TLS_REQUIRED);
        assert_int_equal(lax.level, rows[i].optional);
        assert_int_equal(same.level, rows[i].level);
        assert_int_equal(strict.level, rows[i].required);
    }
}

static void applying(void **state)
{
    static struct tls_tlsa record = {.usage = 3, .selector = 1, .matching = 1};
    static const struct {
        struct smtp_policy policy;
        enum rc rc;
        enum smtp_client_tls level;
        enum tls_verify verify;
        const char *names; /* joined */
        struct dane dane;
    } rows[] = {
        {{.level = SMTP_POLICY_DANE},
         RC_OK,
         SMTP_TLS_ENCRYPT,
         TLS_VERIFY_DANE,
         "mx.b.example ",
         {&record, 1, true}},
        {{.level = SMTP_POLICY_DANE},
         RC_OK,
         SMTP_TLS_ENCRYPT,
         TLS_VERIFY_NONE,
         "mx.b.example ",
         {NULL, 0, true}},
        {{.level = SMTP_POLICY_DANE_ONLY},
         RC_OK,
         SMTP_TLS_ENCRYPT,
         TLS_VERIFY_DANE,
         "mx.b.example ",
         {&record, 1, true}},
        {{.level = SMTP_POLICY_DANE_ONLY}, RC_TEMP, SMTP_TLS_NONE, TLS_VERIFY_NONE, "", {NULL, 0, true}},
        {{.level = SMTP_POLICY_MAY},
         RC_OK,
         SMTP_TLS_MAY,
         TLS_VERIFY_NONE,
         "mx.b.example ",
         {&record, 1, true}},
        {{.level = SMTP_POLICY_NONE}, RC_OK, SMTP_TLS_NONE, TLS_VERIFY_NONE, "mx.b.example "},
        {{.level = SMTP_POLICY_NONE, .implicit = true},
         RC_OK,
         SMTP_TLS_ENCRYPT,
         TLS_VERIFY_NONE,
         "mx.b.example "},
        {{.level = SMTP_POLICY_MAY}, RC_OK, SMTP_TLS_MAY, TLS_VERIFY_NONE, "mx.b.example "},
        {{.level = SMTP_POLICY_MAY, .implicit = true},
         RC_OK,
         SMTP_TLS_ENCRYPT,
         TLS_VERIFY_NONE,
         "mx.b.example "},
        {{.level = SMTP_POLICY_DANE}, RC_OK, SMTP_TLS_MAY, TLS_VERIFY_NONE, "mx.b.example "},
        {{.level = SMTP_POLICY_DANE_ONLY}, RC_TEMP, SMTP_TLS_NONE, TLS_VERIFY_NONE, ""},
        {{.level = SMTP_POLICY_REQUIRETLS}, RC_OK, SMTP_TLS_ENCRYPT, TLS_VERIFY_CA, "mx.b.example "},
        {{.level = SMTP_POLICY_REQUIRETLS},
         RC_OK,
         SMTP_TLS_ENCRYPT,
         TLS_VERIFY_DANE,
         "mx.b.example ",
         {&record, 1, true}},
        {{.level = SMTP_POLICY_REQUIRETLS},
         RC_OK,
         SMTP_TLS_ENCRYPT,
         TLS_VERIFY_CA,
         "mx.b.example ",
         {NULL, 0, true}},
        {{.level = SMTP_POLICY_ENCRYPT}, RC_OK, SMTP_TLS_ENCRYPT, TLS_VERIFY_NONE, "mx.b.example "},
        {{.level = SMTP_POLICY_VERIFY}, RC_OK, SMTP_TLS_ENCRYPT, TLS_VERIFY_CA, "mx.b.example "},
        {{.level = SMTP_POLICY_SECURE, .match = {{"nexthop", 7}, {"dot-nexthop", 11}}, .n_match = 2},
         RC_OK,
         SMTP_TLS_ENCRYPT,
         TLS_VERIFY_CA,
         "b.example .b.example "},
        {{.level = SMTP_POLICY_SECURE, .match = {{"hostname", 8}, {".x", 2}, {"nexthop", 7}}, .n_match = 3},
         RC_OK,
         SMTP_TLS_ENCRYPT,
         TLS_VERIFY_CA,
         "mx.b.example .x b.example "},
    };
    struct world w;
    world_open(&w, "");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct smtp_client_params p = {.tls_level = SMTP_TLS_NONE};
        struct err e = {0};
        AUTO(buf_deinit) struct buf names = BUF_INIT(200);
        assert_int_equal(smtp_policy_apply(&rows[i].policy, &rows[i].dane, NULL, S("b.example"),
                                           S("mx.b.example"), w.arena, &p, &e),
                         rows[i].rc);
        for (size_t k = 0; k < p.tls_params.n_names; k++)
            buf_printf(&names, STR_FMT " ", STR_ARG(p.tls_params.names[k]));
        assert_int_equal(p.tls_level, rows[i].level);
        assert_int_equal(p.tls_params.verify, rows[i].verify);
        assert_int_equal(p.tls_implicit, rows[i].policy.implicit);
        assert_string_equal(buf_cstr(&names), rows[i].names);
        assert_true(rows[i].rc != RC_OK || p.tls_params.required);
    }
    world_close(&w);
}

/* RFC 8461 §5, and beside DANE §2. */
static void applying_sts(void **state)
{
    static struct tls_tlsa record = {.usage = 3, .selector = 1, .matching = 1};
    static const struct {
        enum mta_sts_mode mode;
        const char *host;
        enum smtp_policy_level policy;
        struct dane dane;
        enum rc rc;
        enum smtp_client_tls level;
        enum tls_verify verify;
        bool required;
    } rows[] = {
        {MTA_STS_ENFORCE, "mx.b.example", SMTP_POLICY_MAY, {0}, RC_OK, SMTP_TLS_ENCRYPT, TLS_VERIFY_CA, true},
        {MTA_STS_ENFORCE, "mx.c.example", SMTP_POLICY_MAY, {0}, RC_TEMP, 0, 0, 0},
        {MTA_STS_TESTING, "mx.b.example", SMTP_POLICY_MAY, {0}, RC_OK, SMTP_TLS_MAY, TLS_VERIFY_CA, false},
        {MTA_STS_TESTING,
         "mx.c.example",
         SMTP_POLICY_ENCRYPT,
         {0},
         RC_OK,
         SMTP_TLS_ENCRYPT,
         TLS_VERIFY_CA,
         false},
        {MTA_STS_NONE, "mx.c.example", SMTP_POLICY_MAY, {0}, RC_OK, SMTP_TLS_MAY, TLS_VERIFY_NONE, true},
        {MTA_STS_ENFORCE,
         "mx.b.example",
         SMTP_POLICY_DANE,
         {&record, 1, true},
         RC_OK,
         SMTP_TLS_ENCRYPT,
         TLS_VERIFY_DANE,
         true},
        {MTA_STS_ENFORCE, "mx.c.example", SMTP_POLICY_DANE, {&record, 1, true}, RC_TEMP, 0, 0, 0},
        {MTA_STS_TESTING,
         "mx.c.example",
         SMTP_POLICY_DANE,
         {&record, 1, true},
         RC_OK,
         SMTP_TLS_ENCRYPT,
         TLS_VERIFY_DANE,
         true},
        {MTA_STS_ENFORCE,
         "mx.b.example",
         SMTP_POLICY_DANE,
         {NULL, 0, true},
         RC_OK,
         SMTP_TLS_ENCRYPT,
         TLS_VERIFY_CA,
         true},
    };
    struct world w;
    world_open(&w, "");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct smtp_client_params p = {.tls_level = SMTP_TLS_NONE};
        struct err e = {0};
        const struct smtp_policy policy = {.level = rows[i].policy, .sts = true};
        const struct mta_sts_policy sts = {
            .mode = rows[i].mode, .max_age = 1, .mx = {S("*.b.example")}, .n_mx = 1};
        enum rc rc = smtp_policy_apply(&policy, &rows[i].dane, &sts, S("b.example"), str_c(rows[i].host),
                                       w.arena, &p, &e);
        if (rc != rows[i].rc)
            fail_msg("%zu: %s", i, err_text(&e));
        if (rc != RC_OK)
            continue;
        assert_true(p.tls_level == rows[i].level && p.tls_params.verify == rows[i].verify);
        assert_true(p.tls_params.required == rows[i].required && p.tls_params.n_names == 1);
        assert_true(str_eq(p.tls_params.names[0], str_c(rows[i].host)));
    }
    world_close(&w);
}

static void passwords(void **state)
{
    static const struct {
        const char *sender, *hop, *host;
        enum rc rc;
        const char *user;
    } rows[] = {
        {"joe@a.example", "[r.example]:587", "r.example", RC_OK, "joe"},
        {"joe+x@a.example", "[r.example]:587", "r.example", RC_OK, "joe"},
        {"ann@b.example", "[r.example]:587", "r.example", RC_OK, "hop"},
        {"ann@b.example", "[q.example]:587", "mx.example", RC_OK, "host"},
        {"", "[q.example]:587", "mx.example", RC_OK, "host"},
        {"ann@b.example", "[q.example]", "q.example", RC_GONE, ""},
        {"ann@b.example", "[empty.example]", "q.example", RC_TEMP, ""}, /* postconf(5): no answer */
        {"ann@b.example", "[half.example]", "q.example", RC_TEMP, ""},
        {"ann@b.example", "[nobody.example]", "q.example", RC_TEMP, ""},
    };
    struct world w;
    world_open(
        &w, "smtp_sasl_auth_enable = yes\nsmtp_sender_dependent_authentication = yes\n"
            "smtp_sasl_mechanism_filter = PLAIN, scram-sha-256\n"
            "smtp_sasl_password_maps = inline:{ {joe@a.example=joe:s:t}, {[r.example]:587=hop:s:t},"
            " {mx.example=host:s:t}, {[empty.example]=}, {[half.example]=user}, {[nobody.example]=:x} }\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct smtp_client_auth auth = {.user = STR_NONE};
        struct err e = {0};
        enum rc rc = smtp_login_find(w.conf, w.tables, str_c(rows[i].sender), str_c(rows[i].hop),
                                     str_c(rows[i].host), w.arena, &auth, &e);
        if (rc != rows[i].rc)
            fail_msg("%s %s: %s", rows[i].sender, rows[i].hop, rc_name(rc));
        assert_true(str_eq(auth.user, str_c(rows[i].user)));
        if (rc != RC_OK)
            continue;
        assert_true(str_eq(auth.password, S("s:t")));
        assert_int_equal(auth.mechanisms, EHLO_AUTH_PLAIN | EHLO_AUTH_SCRAM_SHA_256);
        assert_int_equal(auth.token.n, 0); /* without its name in the filter */
        assert_false(auth.allow_plaintext);
    }
    w.conf->smtp_sender_dependent_authentication = false;
    struct smtp_client_auth auth;
    struct err e = {0};
    assert_int_equal(smtp_login_find(w.conf, w.tables, S("joe@a.example"), S("[r.example]:587"),
                                     S("r.example"), w.arena, &auth, &e),
                     RC_OK);
    assert_true(str_eq(auth.user, S("hop")));
    w.conf->smtp_sasl_auth_enable = false;
    assert_int_equal(smtp_login_find(w.conf, w.tables, S("joe@a.example"), S("[r.example]:587"),
                                     S("r.example"), w.arena, &auth, &e),
                     RC_GONE);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parsing),      cmocka_unit_test(looking_up), cmocka_unit_test(names_of_levels),
        cmocka_unit_test(failing),      cmocka_unit_test(demanding),  cmocka_unit_test(applying),
        cmocka_unit_test(applying_sts), cmocka_unit_test(passwords),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
