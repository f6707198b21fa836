/* base/err: what is filled, what is cleaned, and that a broken invariant ends the process. */
#include "base/err.h"

#include "base/log.h"
#include "base/str.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void fills_everything(void **state)
{
    struct err e = {.log = "left over"};
    assert_int_equal(err_set(&e, RC_PERM, 550, "5.1.1", "no user %s", "bob"), RC_PERM);
    assert_int_equal(e.rc, RC_PERM);
    assert_int_equal(e.code, 550);
    assert_string_equal(e.enhanced, "5.1.1");
    assert_string_equal(e.peer, "no user bob");
    assert_string_equal(e.log, "");
    assert_string_equal(err_text(&e), "no user bob");
    err_note(&e, "%s/cur", "/var/mail/bob");
    assert_string_equal(err_text(&e), "/var/mail/bob/cur");
    assert_string_equal(e.peer, "no user bob");
}

static void null_is_allowed(void **state)
{
    assert_int_equal(err_set(NULL, RC_TEMP, 451, "4.3.0", "x"), RC_TEMP);
    err_note(NULL, "x");
    struct err e;
    assert_int_equal(err_set(&e, RC_GONE, 0, NULL, "x"), RC_GONE);
    assert_string_equal(e.enhanced, "");
}

static void texts_are_one_clean_line(void **state)
{
    struct err e;
    (void)err_set(&e, RC_INVALID, 501, "5.5.4", "a\r\nb\tc\x7f\xc3\xa9");
    assert_string_equal(e.peer, "a??b?c???");
    err_note(&e, "a\r\nb\xc3\xa9");
    assert_string_equal(e.log, "a??b\xc3\xa9");
}

static void own_texts_as_arguments(void **state)
{
    struct err e;
    (void)err_set(&e, RC_TEMP, 451, "4.3.0", "inner");
    (void)err_set(&e, RC_PERM, 554, e.enhanced, "outer: %s", e.peer);
    assert_string_equal(e.peer, "outer: inner");
    assert_string_equal(e.enhanced, "4.3.0");
    err_note(&e, "%s!", e.peer);
    err_note(&e, "note: %s", e.log);
    assert_string_equal(e.log, "note: outer: inner!");
}

static void long_texts_are_cut(void **state)
{
    char text[1000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct err e;
    (void)err_set(&e, RC_TEMP, 451, text, "%s", text);
    err_note(&e, "%s", text);
    assert_int_equal(strlen(e.enhanced), sizeof e.enhanced - 1);
    assert_int_equal(strlen(e.peer), sizeof e.peer - 1);
    assert_int_equal(strlen(e.log), sizeof e.log - 1);
}

static void names(void **state)
{
    static const char *const rows[] = {"ok", "temp", "perm", "invalid", "limit", "gone"};
    for (int i = 0; i < 6; i++)
        assert_string_equal(rc_name((enum rc)i), rows[i]);
    assert_string_equal(rc_name((enum rc)99), "unknown");
}

static void must_ends_the_process(void **state)
{
    must(1 + 1 == 2);
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        signal(SIGABRT, SIG_DFL);
        log_init("malle/test", "host", ends[1], LOG_TEXT, LOG_LEVEL_INFO);
        must(pid != 0);
        _exit(0);
    }
    close(ends[1]);
    char line[300] = "";
    assert_true(read(ends[0], line, sizeof line - 1) > 0);
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(line, "test_err.c:"));
    assert_non_null(strstr(line, ": pid != 0\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_everything),         cmocka_unit_test(null_is_allowed),
        cmocka_unit_test(texts_are_one_clean_line), cmocka_unit_test(own_texts_as_arguments),
        cmocka_unit_test(long_texts_are_cut),       cmocka_unit_test(names),
        cmocka_unit_test(must_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
