/* fmt/pop3_cmd: every verb with right and wrong arguments. */
#include "fmt/pop3_cmd.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void commands_of_all_shapes(void **state)
{
    static const struct {
        const char *line;
        enum rc rc;
        enum pop3_verb verb;
        uint32_t number, lines;
        const char *text, *initial;
    } rows[] = {
        {"STAT", RC_OK, POP3_STAT},
        {"stat", RC_OK, POP3_STAT},
        {"STAT ", RC_OK, POP3_STAT},
        {"STAT 1", RC_INVALID},
        {"STATS", RC_PERM},
        {"", RC_PERM},
        {" STAT", RC_PERM},
        {"LIST", RC_OK, POP3_LIST},
        {"LIST 3", RC_OK, POP3_LIST, 3},
        {"LIST 0", RC_INVALID},
        {"LIST -1", RC_INVALID},
        {"LIST 1 2", RC_INVALID},
        {"LIST x", RC_INVALID},
        {"LIST 4294967295", RC_OK, POP3_LIST, 4294967295u},
        {"LIST 4294967296", RC_INVALID},
        {"UIDL", RC_OK, POP3_UIDL},
        {"UIDL 7", RC_OK, POP3_UIDL, 7},
        {"RETR", RC_INVALID},
        {"RETR 1", RC_OK, POP3_RETR, 1},
        {"DELE 2", RC_OK, POP3_DELE, 2},
        {"DELE", RC_INVALID},
        {"TOP 1 10", RC_OK, POP3_TOP, 1, 10},
        {"TOP 1 0", RC_OK, POP3_TOP, 1, 0},
        {"TOP 1", RC_INVALID},
        {"TOP 1 2 3", RC_INVALID},
        {"TOP 0 1", RC_INVALID},
        {"XCLIENT ADDR=192.0.2.1 PORT=1", RC_OK, POP3_XCLIENT, 0, 0, "ADDR=192.0.2.1 PORT=1"},
        {"XCLIENT", RC_OK, POP3_XCLIENT, 0, 0, ""},
        {"USER joe", RC_OK, POP3_USER, 0, 0, "joe"},
        {"USER  joe doe ", RC_OK, POP3_USER, 0, 0, "joe doe"},
        {"USER", RC_INVALID},
        {"PASS a b ", RC_OK, POP3_PASS, 0, 0, "a b "},
        {"PASS  x", RC_OK, POP3_PASS, 0, 0, " x"},
        {"PASS", RC_INVALID},
        {"AUTH", RC_OK, POP3_AUTH, 0, 0, ""},
        {"AUTH PLAIN", RC_OK, POP3_AUTH, 0, 0, "PLAIN"},
        {"AUTH PLAIN =", RC_OK, POP3_AUTH, 0, 0, "PLAIN", "="},
        {"AUTH PLAIN a b", RC_INVALID},
        {"APOP joe c4c9334bac560ecc979e58001b3e22fb", RC_OK, POP3_APOP, 0, 0,
         "joe c4c9334bac560ecc979e58001b3e22fb"},
        {"QUIT", RC_OK, POP3_QUIT},
        {"RSET", RC_OK, POP3_RSET},
        {"NOOP", RC_OK, POP3_NOOP},
        {"CAPA", RC_OK, POP3_CAPA},
        {"STLS", RC_OK, POP3_STLS},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pop3_cmd cmd = {.verb = POP3_VERB_COUNT};
        assert_int_equal(pop3_cmd_parse(str_c(rows[i].line), &cmd), rows[i].rc);
        if (rows[i].rc != RC_OK) {
            assert_int_equal(cmd.verb, POP3_VERB_COUNT); /* untouched */
            continue;
        }
        assert_int_equal(cmd.verb, rows[i].verb);
        assert_int_equal(cmd.number, rows[i].number);
        assert_int_equal(cmd.has_number, rows[i].number != 0);
        assert_int_equal(cmd.lines, rows[i].lines);
        assert_true(str_eq(cmd.text, str_c(rows[i].text)));
        assert_int_equal(cmd.has_initial, rows[i].initial != NULL);
        assert_true(str_eq(cmd.initial, str_c(rows[i].initial)));
    }
    struct pop3_cmd cmd;
    assert_int_equal(pop3_cmd_parse(S("PASS a\0b"), &cmd), RC_INVALID);
    assert_int_equal(pop3_cmd_parse(S("USER a\0b"), &cmd), RC_INVALID);
    assert_string_equal(pop3_verb_name(POP3_UIDL), "UIDL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(commands_of_all_shapes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
