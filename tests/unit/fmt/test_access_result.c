/* access_result: right-hand sides of access(5). */
#include "fmt/access_result.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void results(void **state)
{
    static const struct {
        const char *value;
        enum access_action action;
        int code;
        const char *enhanced, *text;
    } rows[] = {
        {"OK", ACCESS_OK, 0, "", ""},
        {" relay ", ACCESS_OK, 0, "", ""},
        {"1234", ACCESS_OK, 0, "", ""},
        {"dunno", ACCESS_DUNNO, 0, "", ""},
        {"REJECT", ACCESS_REJECT, 0, "", ""},
        {"Reject go away", ACCESS_REJECT, 0, "", "go away"},
        {"REJECT 5.1.2 no such domain", ACCESS_REJECT, 0, "5.1.2", "no such domain"},
        {"REJECT 5.1.2", ACCESS_REJECT, 0, "5.1.2", ""},
        {"REJECT 5.1.2x", ACCESS_REJECT, 0, "", "5.1.2x"},
        {"REJECT 3.1.2 x", ACCESS_REJECT, 0, "", "3.1.2 x"},
        {"DEFER 4.2.0 Greylisted", ACCESS_DEFER, 0, "4.2.0", "Greylisted"},
        {"550 no", ACCESS_CODE, 550, "", "no"},
        {"450", ACCESS_OK, 0, "", ""},
        {"521 5.7.1 bye", ACCESS_CODE, 521, "5.7.1", "bye"},
        {"350 x", ACCESS_LIST, 0, "", "350 x"},
        {"5500 x", ACCESS_LIST, 0, "", "5500 x"},
        {"defer_if_permit 4.1.0 x", ACCESS_DEFER_IF_PERMIT, 0, "4.1.0", "x"},
        {"DEFER_IF_REJECT later", ACCESS_DEFER_IF_REJECT, 0, "", "later"},
        {"DISCARD", ACCESS_DISCARD, 0, "", ""},
        {"HOLD for now", ACCESS_HOLD, 0, "", "for now"},
        {"BCC a@b.example", ACCESS_BCC, 0, "", "a@b.example"},
        {"REDIRECT a@b.example", ACCESS_REDIRECT, 0, "", "a@b.example"},
        {"PREPEND X-A: 5.1.2 b", ACCESS_PREPEND, 0, "", "X-A: 5.1.2 b"},
        {"FILTER smtp:[x]:1", ACCESS_FILTER, 0, "", "smtp:[x]:1"},
        {"INFO hear", ACCESS_INFO, 0, "", "hear"},
        {"WARN hear", ACCESS_WARN, 0, "", "hear"},
        {"reject_unknown_client_hostname, permit", ACCESS_LIST, 0, "",
         "reject_unknown_client_hostname, permit"},
        {"", ACCESS_LIST, 0, "", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct access_result r;
        access_result_parse(str_c(rows[i].value), &r);
        if (r.action != rows[i].action || r.code != rows[i].code || !str_eq(r.text, str_c(rows[i].text)) ||
            !str_eq(str_c(r.enhanced), str_c(rows[i].enhanced)))
            fail_msg("%s: %d %d %s", rows[i].value, r.action, r.code, r.enhanced);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(results)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
