/* Lists of milters in the configuration: what holds for each, what `malle check` says, and which sockets the
 * master connects to. */
#include "conf/milter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MINIMAL "hostname = mail.example.com\n"

static struct conf *load(const char *text, struct conf_report *report)
{
    AUTO(buf_deinit) struct buf whole = BUF_INIT(10000);
    buf_printf(&whole, MINIMAL "%s", text);
    return conf_parse(buf_str(&whole), "f", report);
}

static void faults(void **state)
{
    static const struct {
        const char *text, *want; /* NULL: fine */
    } rows[] = {
        {"smtpd_milters = inet:localhost:8891, unix:/run/x.sock\n", NULL},
        {"smtpd_milters = { inet:[::1]:8891, default_action = accept, {protocol = 2 no_header_reply}}\n",
         NULL},
        {"smtpd_milters = inet:localhost\n",
         "f:2: smtpd_milters: \"inet:localhost\" is no place of a milter such as inet:127.0.0.1:8891\n"},
        {"non_smtpd_milters = /run/x.sock\n",
         "f:2: non_smtpd_milters: \"/run/x.sock\" is no place of a milter: inet:host:port or unix:/path\n"},
        {"smtpd_milters = unix:run/x\n", "f:2: smtpd_milters: the path of unix:run/x must be absolute"},
        {"smtpd_milters = { inet:localhost:1, timeout = 3s }\n",
         "f:2: smtpd_milters: \"timeout\" is no setting of a milter\n"},
        {"smtpd_milters = { inet:localhost:1, connect_timeout = soon }\n",
         "f:2: smtpd_milters: connect_timeout = \"soon\" is not understood\n"},
        {"smtpd_milters = { inet:localhost:1, default_action = tempfale }\n",
         "f:2: smtpd_milters: default_action = \"tempfale\" is not understood\n"},
        {"smtpd_milters = { inet:localhost:1, protocol = 5 }\n",
         "f:2: smtpd_milters: protocol = \"5\" is not understood\n"},
        {"smtpd_milters = { inet:localhost:1\n", "f:2: smtpd_milters: a brace is not closed"},
        {"milter_macro_defaults = a=1, {b = two words}\n", NULL},
        {"milter_macro_defaults = a\n", "f:2: milter_macro_defaults: \"a\" is no name=value\n"},
        {"milter_default_action = forget\n", "f:2: milter_default_action: "},
        {"[listener submission]\nsmtpd_milters = nowhere\n", "f:3: smtpd_milters: \"nowhere\" is no place"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct conf_report report = {0};
        AUTO(buf_deinit) struct buf text = BUF_INIT(10000);
        AUTO(conf_freep) struct conf *c = load(rows[i].text, &report);
        conf_report_format(&report, &text);
        if (rows[i].want ? strstr(buf_cstr(&text), rows[i].want) == NULL : text.n > 0)
            fail_msg("%s gave:\n%s", rows[i].text, buf_cstr(&text));
        assert_int_equal(c == NULL, rows[i].want != NULL);
        conf_report_deinit(&report);
    }
}

static void settings(void **state)
{
    struct conf_report report = {0};
    AUTO(conf_freep)
    struct conf *c = load("milter_connect_timeout = 7s\nmilter_default_action = reject\n"
                          "smtpd_milters = unix:/a, {inet:h:1, command_timeout=2s, content_timeout = 3m, "
                          "default_action = quarantine, {protocol = 4 no_header_reply}}\n",
                          &report);
    struct conf_milter m;
    assert_non_null(c);
    str list = str_c(c->smtpd_milters);
    assert_int_equal(conf_milter_take(c, &list, &m, NULL), RC_OK);
    assert_true(str_eq(m.place, S("unix:/a")));
    assert_int_equal(m.connect_timeout_ms, 7000);
    assert_int_equal(m.command_timeout_ms, 30000);
    assert_int_equal(m.content_timeout_ms, 300000);
    assert_int_equal(m.action, CONF_MILTER_REJECT);
    assert_int_equal(m.version, 6);
    assert_false(m.mute_headers);
    assert_int_equal(conf_milter_take(c, &list, &m, NULL), RC_OK);
    assert_true(str_eq(m.place, S("inet:h:1")));
    assert_int_equal(m.connect_timeout_ms, 7000);
    assert_int_equal(m.command_timeout_ms, 2000);
    assert_int_equal(m.content_timeout_ms, 180000);
    assert_int_equal(m.action, CONF_MILTER_QUARANTINE);
    assert_int_equal(m.version, 4);
    assert_true(m.mute_headers);
    assert_int_equal(conf_milter_take(c, &list, &m, NULL), RC_GONE);
    conf_report_deinit(&report);
}

static void sockets(void **state)
{
    struct conf_report report = {0};
    AUTO(conf_freep)
    struct conf *c = load("smtpd_milters = inet:a:1, unix:/one\nnon_smtpd_milters = {unix:/two}\n"
                          "[listener submission]\nsmtpd_milters = unix:/three\n",
                          &report);
    assert_non_null(c);
    assert_true(conf_milter_names_socket(c, S("/one")) && conf_milter_names_socket(c, S("/two")) &&
                conf_milter_names_socket(c, S("/three")));
    assert_false(conf_milter_names_socket(c, S("/four")) || conf_milter_names_socket(c, S("")) ||
                 conf_milter_names_socket(c, S("/on")));
    conf_report_deinit(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(faults), cmocka_unit_test(settings),
                                       cmocka_unit_test(sockets)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
