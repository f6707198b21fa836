/* postfix_master: master.cf as Postfix reads it, and what its master and postconf refuse. */
#include "fmt/postfix_master.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct postfix_master parse(struct arena *a, const char *text)
{
    struct postfix_master m = {0};
    assert_int_equal(postfix_master_parse(str_c(text), a, &m), RC_OK);
    return m;
}

static void services(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    struct postfix_master m = parse(a, "# service type\n"
                                       "smtp inet n - y - - smtpd\n"
                                       "pickup\tunix n n n 60? 1 pickup\n"
                                       "\n"
                                       "maildrop unix - n n - 0 pipe\n"
                                       "  flags=DR user=vmail\r\n"
                                       "# between\n"
                                       "  argv=/bin/m -f ${sender} { a  b } {{c} d} x{y z}w {} }\n"
                                       "postlog unix-dgram y y - 0 - postlogd\n"
                                       "f fifo - - - 007 - x\n"
                                       "p pass - - - - - x\n");
    assert_int_equal(m.faults.n, 0);
    assert_int_equal(m.n, 6);
    const struct postfix_service *s = m.services;
    assert_true(str_eq(s->name, S("smtp")) && str_eq(s->port, S("smtp")) && s->host.n == 0);
    assert_true(s->type == POSTFIX_INET && s->priv == POSTFIX_NO && s->unpriv == POSTFIX_DEFAULT);
    assert_true(s->chroot == POSTFIX_YES && s->wakeup_s == POSTFIX_NOT_SET && !s->wakeup_when_used);
    assert_true(s->maxproc == POSTFIX_NOT_SET && str_eq(s->command, S("smtpd")) && s->n_args == 0);
    assert_int_equal(s->line, 2);
    s++;
    assert_true(s->type == POSTFIX_UNIX && s->wakeup_s == 60 && s->wakeup_when_used && s->maxproc == 1);
    s++;
    assert_int_equal(s->line, 5);
    assert_int_equal(s->maxproc, 0);
    static const char *const args[] = {"flags=DR", "user=vmail", "argv=/bin/m", "-f", "${sender}",
                                       "a  b",     "{c} d",      "x{y z}w",     "",   "}"};
    assert_int_equal(s->n_args, sizeof args / sizeof *args);
    for (size_t i = 0; i < s->n_args; i++)
        assert_true(str_eq(s->args[i], str_c(args[i])));
    assert_true(s[1].type == POSTFIX_UNIX_DGRAM && s[1].priv == POSTFIX_YES && s[1].wakeup_s == 0);
    assert_true(s[2].type == POSTFIX_FIFO && s[2].wakeup_s == 7 && s[3].type == POSTFIX_PASS);
}

static void inet_names(void **state)
{
    static const struct {
        const char *name, *host, *port; /* NULL: refused */
    } rows[] = {{"smtp", "", "smtp"},
                {"25", "", "25"},
                {":25", "", "25"},
                {"127.0.0.1:submission", "127.0.0.1", "submission"},
                {"localhost:25", "localhost", "25"},
                {"a_b-c.example:25", "a_b-c.example", "25"},
                {"[::1]:465", "::1", "465"},
                {"[127.0.0.1]:smtps", "127.0.0.1", "smtps"},
                {"::1:25", "::1", "25"},
                {"[::1", NULL, NULL},
                {"[::1]", NULL, NULL},
                {"[::1]x:25", NULL, NULL},
                {"[::1]:", NULL, NULL},
                {"[]:25", NULL, NULL},
                {"127.0.0.1", NULL, NULL},
                {"127.0.0.1:", NULL, NULL},
                {"127.0.0.999:25", NULL, NULL},
                {"a/b:25", NULL, NULL},
                {"25x", NULL, NULL},
                {"65536", NULL, NULL}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
        struct postfix_master m =
            parse(a, arena_printf(a, "%s inet n - - - - smtpd\nx unix - - - - - x", rows[i].name).p);
        if (m.n != (rows[i].host ? 2 : 1) || m.faults.n != (rows[i].host ? 0 : 1))
            fail_msg("%s", rows[i].name);
        if (rows[i].host && (!str_eq(m.services[0].host, str_c(rows[i].host)) ||
                             !str_eq(m.services[0].port, str_c(rows[i].port))))
            fail_msg("%s", rows[i].name);
    }
}

static void faults(void **state)
{
    static const struct {
        const char *line, *why, *text;
    } rows[] = {{"smtp inet n - y - -", "eight fields", "smtp inet n - y - -"},
                {"smtp", "eight fields", "smtp"},
                {"smtp foo n - y - - smtpd", "the type", "foo"},
                {"smtp INET n - y - - smtpd", "the type", "INET"},
                {"smtp - n - y - - smtpd", "the type", "-"},
                {"smtp inet x - y - - smtpd", "y, n or -", "x"},
                {"smtp inet n yes y - - smtpd", "y, n or -", "yes"},
                {"smtp inet n - Y - - smtpd", "y, n or -", "Y"},
                {"smtp inet - - y - - smtpd", "cannot be private", "smtp"},
                {"smtp inet y - y - - smtpd", "cannot be private", "smtp"},
                {"smtp inet n - y ? - smtpd", "numbers", "?"},
                {"smtp inet n - y -? - smtpd", "needs a wakeup time", "-?"},
                {"smtp inet n - y 5?? - smtpd", "numbers", "5??"},
                {"smtp inet n - y -5 - smtpd", "numbers", "-5"},
                {"smtp inet n - y 5x - smtpd", "numbers", "5x"},
                {"smtp inet n - y - 5? smtpd", "numbers", "5?"},
                {"smtp inet n - y - 2147483648 smtpd", "too large", "2147483648"},
                {"smtp inet n - y - - -", "the command", "-"},
                {"smtp inet n - y - - {smtpd a}", "the command", "{smtpd"},
                {"smtp inet n -\fy - - - smtpd", "y, n or -", "-\fy"},
                {"smtp inet n - y - - smtpd {a}b", "behind the closing", "{a}b"},
                {"smtp inet n - y - - smtpd -v {a} { b", "not closed", "{ b"},
                {"  smtp inet n - y - - smtpd\n  -v", "must not begin", "  smtp inet n - y - - smtpd  -v"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
        struct postfix_master m = parse(a, arena_printf(a, "%s\nx unix - - - - - x", rows[i].line).p);
        if (m.n != 1 || m.faults.n != 1 || m.faults.list[0].line != 1 ||
            !strstr(m.faults.list[0].why, rows[i].why) || !str_eq(m.faults.list[0].text, str_c(rows[i].text)))
            fail_msg("%s", rows[i].line);
    }
}

static void options(void **state)
{
    static const struct {
        const char *args, *wanted;
        size_t faults;
    } rows[] = {{"", "|", 0},
                {"-v -vo a=b -oc=d -o e=f", "v;v;o a=b;o c=d;o e=f;|", 0},
                {"-o { g = h  i } -o {j=k} -o{ l = m } x -o y=z", "o g=h  i;o j=k;o l=m;|x -o y=z", 0},
                {"{ -o } a= {-ob=c d}", "o a=;o b=c d;|", 0},
                {"-o a={b c} -o { d = {e f} g }", "o a={b c};o d={e f} g;|", 0},
                {"-v -- -o a=b", "v;|-o a=b", 0},
                {"- -o a=b", "|- -o a=b", 0},
                {"{} -v", "| -v", 0},
                {"-o a -o {} -o =b -o c=d -o", "o;o;o;o c=d;o;|", 4},
                {"-o a = b", "o;|= b", 1},
                {"-Do", "D;o;|", 1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
        AUTO(buf_deinit) struct buf out = BUF_INIT(1000);
        struct postfix_master m = parse(a, arena_printf(a, "x unix - - - - - x %s", rows[i].args).p);
        struct postfix_option one;
        assert_int_equal(m.n, 1);
        struct postfix_options o = postfix_options_of(m.services);
        while (postfix_options_next(&o, &one)) {
            buf_printf(&out, "%c", one.letter);
            if (one.override_name.n)
                buf_printf(&out, " " STR_FMT "=" STR_FMT, STR_ARG(one.override_name),
                           STR_ARG(one.override_value));
            buf_putc(&out, ';');
        }
        assert_false(postfix_options_next(&o, &one));
        for (size_t k = o.arg; k < m.services->n_args; k++)
            buf_printf(&out, "%s" STR_FMT, k == o.arg ? "|" : " ", STR_ARG(m.services->args[k]));
        if (o.arg == m.services->n_args)
            buf_putc(&out, '|');
        if (!str_eq(buf_str(&out), str_c(rows[i].wanted)) || m.faults.n != rows[i].faults)
            fail_msg("%s: %s", rows[i].args, buf_cstr(&out));
    }
}

static void overrides(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
    struct postfix_master m = parse(a, "x unix - - - - - x -v -o a=1 -o b -o c= -o a=2 -- -o a=3");
    struct postfix_options o = postfix_options_of(m.services);
    str name, value = STR_NONE;
    const char *const wanted[] = {"a", "c", "a"};
    for (size_t i = 0; i < 3; i++)
        assert_true(postfix_overrides_next(&o, &name, &value) && str_eq(name, str_c(wanted[i])));
    assert_false(postfix_overrides_next(&o, &name, &value));
    assert_true(postfix_override_find(m.services, S("a"), &value) && str_eq(value, S("2")));
    assert_true(postfix_override_find(m.services, S("c"), &value) && value.n == 0);
    assert_false(postfix_override_find(m.services, S("b"), &value));
}

static void later_wins(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
    struct postfix_master m = parse(a, "x unix - - - - - one\nx inet n - - - - two\n"
                                       "x unix - - - - - three\nx unix - - - - - four\n");
    const int overridden_by[] = {4, 0, 4, 0};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(m.services[i].overridden_by, overridden_by[i]);
    assert_ptr_equal(postfix_master_find(&m, S("x"), POSTFIX_UNIX), &m.services[3]);
    assert_ptr_equal(postfix_master_find(&m, S("x"), POSTFIX_INET), &m.services[1]);
    assert_null(postfix_master_find(&m, S("x"), POSTFIX_PASS));
    assert_null(postfix_master_find(&m, S("y"), POSTFIX_UNIX));
}

static void format(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
    AUTO(buf_deinit) struct buf out = BUF_INIT(1000);
    struct postfix_master m = parse(
        a, "x\tunix  y - n 5? 010 x -o  { a = b c }  {d} {} {{e} f} {{g}} h{i j} }\ny pass - - - 0 - y");
    for (size_t i = 0; i < m.n; i++)
        postfix_service_format(&m.services[i], &out);
    assert_string_equal(buf_cstr(&out), "x unix y - n 5? 10 x -o {a = b c} d {} {{e} f} {{g}} h{i j} }\n"
                                        "y pass - - - 0 - y\n");
}

static void limits(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(64 << 20);
    AUTO(arena_freep) struct arena *small = arena_new(2000);
    AUTO(buf_deinit) struct buf text = BUF_INIT(4 << 20);
    struct postfix_master m = {0};
    for (int i = 0; i < POSTFIX_SERVICES_MAX; i++)
        buf_printf(&text, "s%d unix - - - - - x\n", i);
    assert_int_equal(postfix_master_parse(buf_str(&text), small, &m), RC_LIMIT);
    assert_int_equal(postfix_master_parse(buf_str(&text), a, &m), RC_OK);
    buf_puts(&text, S("more unix - - - - - x\n"));
    assert_int_equal(postfix_master_parse(buf_str(&text), a, &m), RC_LIMIT);
    assert_int_equal(m.n, POSTFIX_SERVICES_MAX);
    buf_reset(&text);
    buf_puts(&text, S("x unix - - - - - x"));
    for (int i = 0; i < POSTFIX_ARGS_MAX; i++)
        buf_puts(&text, S(" a"));
    assert_int_equal(postfix_master_parse(buf_str(&text), a, &m), RC_OK);
    buf_puts(&text, S(" a"));
    assert_int_equal(postfix_master_parse(buf_str(&text), a, &m), RC_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(services),  cmocka_unit_test(inet_names),
                                       cmocka_unit_test(faults),    cmocka_unit_test(options),
                                       cmocka_unit_test(overrides), cmocka_unit_test(later_wins),
                                       cmocka_unit_test(format),    cmocka_unit_test(limits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
