/* pipe_def: definitions of transports, and what is wrong with others. */
#include "base/buf.h"
#include "fmt/pipe_def.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void whole(void **state)
{
    struct pipe_def d;
    struct err e = {0};
    str text =
        S("mailman user=list:mail flags=FR. size=10k recipients=7 directory=/var/lib null_sender= "
          "argv=/usr/bin/mm ${nexthop} {two words; and more} ${user?{a b}:{c}} ;; second  user=x argv=/y ");
    assert_int_equal(pipe_def_take(&text, &d, &e), RC_OK);
    assert_true(str_eq(d.name, S("mailman")) && str_eq(d.user, S("list")) && str_eq(d.group, S("mail")));
    assert_int_equal(d.flags, PIPE_FROM_LINE | PIPE_RETURN_PATH | PIPE_DOTS);
    assert_int_equal(d.size_max, 10240);
    assert_int_equal(d.recipients, 7);
    assert_true(str_eq(d.directory, S("/var/lib")) && d.null_sender.n == 0);
    assert_int_equal(d.argc, 4);
    assert_true(str_eq(d.argv[0], S("/usr/bin/mm")) && str_eq(d.argv[1], S("${nexthop}")));
    assert_true(str_eq(d.argv[2], S("two words; and more")) && str_eq(d.argv[3], S("${user?{a b}:{c}}")));
    assert_int_equal(pipe_def_take(&text, &d, &e), RC_OK);
    assert_true(str_eq(d.name, S("second")) && d.group.n == 0 && str_eq(d.null_sender, S("MAILER-DAEMON")));
    assert_int_equal(d.recipients, 50);
    assert_int_equal(pipe_def_take(&text, &d, &e), RC_GONE);
}

static void flags(void **state)
{
    static const struct {
        const char *letters;
        unsigned flags, recipients;
    } rows[] = {
        {"B", PIPE_BLANK_LINE, 50},  {"D", PIPE_DELIVERED, 1},    {"F", PIPE_FROM_LINE, 50},
        {"O", PIPE_ORIGINAL, 1},     {"R", PIPE_RETURN_PATH, 50}, {"X", PIPE_FINAL, 50},
        {"h", PIPE_FOLD_DOMAIN, 50}, {"q", PIPE_QUOTE_LOCAL, 50}, {"u", PIPE_FOLD_USER, 50},
        {".", PIPE_DOTS, 50},        {">", PIPE_QUOTE_FROM, 50},  {"", 0, 50},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf text = BUF_INIT(100);
        struct pipe_def d;
        buf_printf(&text, "p user=x flags=%s argv=/y", rows[i].letters);
        assert_int_equal(pipe_def_find(buf_str(&text), S("p"), &d), RC_OK);
        assert_int_equal(d.flags, rows[i].flags);
        assert_int_equal(d.recipients, rows[i].recipients);
    }
}

static void broken(void **state)
{
    static const char *const texts[] = {"p",
                                        "p user=x",
                                        "p argv=/y",
                                        "p user= argv=/y",
                                        "p user=x argv=",
                                        "p user=x argv=y",
                                        "p user=x argv=/y {z",
                                        "p user=x flags=Z argv=/y",
                                        "p user=x flags=^ argv=/y",
                                        "p user=x other=1 argv=/y",
                                        "p user=x word argv=/y",
                                        "p user=x recipients=0 argv=/y",
                                        "p user=x recipients=51 argv=/y",
                                        "p user=x size=big argv=/y",
                                        "p user=x directory=here argv=/y",
                                        "smtp user=x argv=/y",
                                        "local user=x argv=/y",
                                        "a:b user=x argv=/y",
                                        "name-that-is-longer-than-they-may-be user=x argv=/y"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        str text = str_c(texts[i]);
        struct pipe_def d;
        struct err e = {0};
        if (pipe_def_take(&text, &d, &e) != RC_INVALID || !e.peer[0])
            fail_msg("%s", texts[i]);
    }
}

static void find(void **state)
{
    struct pipe_def d;
    str text = S("a user=x argv=/a; b user=y argv=/b");
    assert_int_equal(pipe_def_find(text, S("b"), &d), RC_OK);
    assert_true(str_eq(d.user, S("y")));
    assert_int_equal(pipe_def_find(text, S("c"), &d), RC_GONE);
    assert_int_equal(pipe_def_find(S(""), S("c"), &d), RC_GONE);
    assert_int_equal(pipe_def_find(S("x; c user=y argv=/c"), S("c"), &d), RC_INVALID);
}

static void program(void **state)
{
    static const char *const wrong[] = {"",
                                        "argv=/a",
                                        "user=x",
                                        "user= argv=/a",
                                        "user=x argv=a",
                                        "user=x argv=",
                                        "user=x flags=q argv=/a",
                                        "name user=x argv=/a",
                                        "user=x argv=/a {b"};
    struct pipe_def d;
    assert_int_equal(pipe_def_program(S("user=x:g  argv=/a {b c;} -d"), &d), RC_OK);
    assert_true(str_eq(d.user, S("x")) && str_eq(d.group, S("g")) && d.argc == 3);
    assert_true(str_eq(d.argv[0], S("/a")) && str_eq(d.argv[1], S("b c;")) && str_eq(d.argv[2], S("-d")));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (pipe_def_program(str_c(wrong[i]), &d) != RC_INVALID)
            fail_msg("%s", wrong[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(whole), cmocka_unit_test(flags),
                                       cmocka_unit_test(broken), cmocka_unit_test(find),
                                       cmocka_unit_test(program)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
