/* check_result: right-hand sides of header_checks(5). */
#include "fmt/check_result.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void results(void **state)
{
    static const struct {
        const char *value;
        enum check_action action;
        const char *enhanced, *text;
        bool bad_status;
        const char *fault_of_header, *fault_of_body;
    } rows[] = {
        {"OK", CHECK_DUNNO, "", ""},
        {"dunno whatever", CHECK_DUNNO, "", "whatever"},
        {"REJECT", CHECK_REJECT, "5.7.1", ""},
        {"reject\tgo away ", CHECK_REJECT, "5.7.1", "go away"},
        {"REJECT 5.6.7 no", CHECK_REJECT, "5.6.7", "no"},
        {"REJECT 4.2.0 later", CHECK_REJECT, "4.2.0", "later"},
        {"REJECT 2.0.0 odd", CHECK_REJECT, "4.0.0", "odd", true},
        {"IGNORE x", CHECK_IGNORE, "", "x"},
        {"STRIP", CHECK_STRIP, "", ""},
        {"WARN hear", CHECK_WARN, "", "hear"},
        {"INFO", CHECK_INFO, "", ""},
        {"PASS", CHECK_PASS, "", ""},
        {"HOLD", CHECK_HOLD, "", ""},
        {"DISCARD hush", CHECK_DISCARD, "", "hush"},
        {"PREPEND X-A: b", CHECK_PREPEND, "", "X-A: b"},
        {"PREPEND", CHECK_PREPEND, "", "", false, "a text", "a text"},
        {"REPLACE line", CHECK_REPLACE, "", "line", false, "\"headername: headervalue\"", NULL},
        {"BCC a@b.example", CHECK_BCC, "", "a@b.example"},
        {"BCC a", CHECK_BCC, "", "a", false, "user@domain", "user@domain"},
        {"REDIRECT", CHECK_REDIRECT, "", "", false, "user@domain", "user@domain"},
        {"FILTER smtp:[127.0.0.1]:10024", CHECK_FILTER, "", "smtp:[127.0.0.1]:10024"},
        {"FILTER x", CHECK_FILTER, "", "x", false, "transport:destination", "transport:destination"},
        {"REJECTED", CHECK_UNKNOWN, "", "", false, "one of the actions of header_checks(5)",
         "one of the actions of header_checks(5)"},
        {"", CHECK_UNKNOWN, "", "", false, "one of the actions of header_checks(5)",
         "one of the actions of header_checks(5)"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct check_result r;
        char text[100];
        check_result_parse(str_c(rows[i].value), &r);
        assert_true(str_copy(text, sizeof text, r.text) == RC_OK);
        assert_int_equal(r.action, rows[i].action);
        assert_string_equal(r.enhanced, rows[i].enhanced);
        assert_string_equal(text, rows[i].text);
        assert_int_equal(r.bad_status, rows[i].bad_status);
        const char *header = check_result_fault(&r, true), *body = check_result_fault(&r, false);
        assert_string_equal(header ? header : "", rows[i].fault_of_header ? rows[i].fault_of_header : "");
        assert_string_equal(body ? body : "", rows[i].fault_of_body ? rows[i].fault_of_body : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(results)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
