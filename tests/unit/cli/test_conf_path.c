/* What -c and MAIL_CONFIG of Postfix's and Dovecot's programs name, and where malle's settings are then. */
#include "cli/conf_path.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char top[64];

static int setup(void **state)
{
    snprintf(top, sizeof top, "/tmp/malle-conf-path-XXXXXX");
    if (!mkdtemp(top) || chdir(top) != 0)
        return -1;
    const char *const folders[] = {"etc",       "etc/postfix", "etc/dovecot",    "etc/postfix-out",
                                   "etc/malle", "dovecot",     "dovecot/postfix"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (mkdir(folders[i], 0755) != 0)
            return -1;
    const char *const files[] = {"etc/postfix-out/main.cf", "etc/dovecot/dovecot.conf",
                                 "etc/malle/malle.conf", "dovecot/postfix/main.cf"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        close(open(files[i], O_CREAT | O_WRONLY, 0644));
    return 0;
}

static int teardown(void **state)
{
    char command[100];
    snprintf(command, sizeof command, "rm -r %s", top);
    return system(command);
}

static void check(const char *given, const char *expected)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(4096);
    buf_puts(&out, S("what was there before"));
    conf_path_of(given, &out);
    assert_string_equal(buf_cstr(&out), expected);
}

static void check_absolute(const char *given, const char *expected)
{
    char from[200], to[200];
    snprintf(from, sizeof from, "%s/%s", top, given);
    snprintf(to, sizeof to, "%s%s%s", top, expected[0] ? "/" : "", expected);
    check(from, to);
}

static void folders_of_postfix_and_dovecot(void **state)
{
    static const struct {
        const char *given, *expected;
    } rows[] = {
        {"etc/postfix", "etc"}, /* by its name, although it holds nothing */
        {"etc/postfix/", "etc"},
        {"etc/postfix///", "etc"},
        {"etc/dovecot", "etc"},
        {"etc/postfix-out", "etc"}, /* by what it holds */
        {"dovecot/postfix", "dovecot"},
        {"etc/dovecot/dovecot.conf", "etc"},
        {"etc/postfix-out/main.cf", "etc"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        check(rows[i].given, rows[i].expected);
        check_absolute(rows[i].given, rows[i].expected);
    }
}

static void anything_else_is_itself(void **state)
{
    static const char *const rows[] = {
        "dovecot",       "dovecot/",    "etc",     "etc/", "etc/malle", "etc/malle/malle.conf",
        "nosuch/folder", "nosuch.conf", "postfix", ""};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check(rows[i], rows[i]);
}

static void relative_to_where_we_are(void **state)
{
    assert_int_equal(chdir("etc"), 0);
    check("postfix", ".");
    check("./postfix", ".");
    check("dovecot/dovecot.conf", ".");
    assert_int_equal(chdir("postfix-out"), 0);
    check(".", "./..");
    check("main.cf", "./..");
    check("../postfix-out", "..");
    check("/", "/");
    assert_int_equal(chdir("../.."), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_of_postfix_and_dovecot),
        cmocka_unit_test(anything_else_is_itself),
        cmocka_unit_test(relative_to_where_we_are),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
