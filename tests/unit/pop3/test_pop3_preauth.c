/* pop3/preauth: the AUTHORIZATION state: commands, refusals, limits, and what is left over for the session.
 */
#include "pop3/preauth.h"

#include "login_talk.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define GREETING "+OK malle ready.\r\n"

static const struct {
    const char *input, *answer; /* behind the greeting */
    bool logged_in;
    const char *left;
} rows[] = {
    {"QUIT\r\n", "+OK Logging out.\r\n"},
    {"NOOP\r\n", "-ERR Log in first.\r\n"},
    {"STAT\r\n", "-ERR Log in first.\r\n"},
    {"XYZZY\r\n", "-ERR Unknown command.\r\n"},
    {"QUIT now\r\n", "-ERR Wrong arguments.\r\n"},
    {"STLS\r\n", "-ERR TLS is not available.\r\n"},
    {"CAPA\r\n",
     "+OK\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nPIPELINING\r\nEXPIRE NEVER\r\nAUTH-RESP-CODE\r\nUSER\r\n"
     "SASL PLAIN SCRAM-SHA-256\r\nIMPLEMENTATION malle\r\n.\r\n"},
    {"USER joe\r\nPASS secret\r\n", "+OK Send the password.\r\n", true},
    {"user joe\r\npass secret\r\nSTAT\r\n", "+OK Send the password.\r\n", true, "STAT\r\n"},
    {"USER joe\r\nPASS  secret\r\n", "+OK Send the password.\r\n-ERR [AUTH] Authentication failed.\r\n"},
    {"USER joe\r\nPASS x\r\nPASS secret\r\n",
     "+OK Send the password.\r\n-ERR [AUTH] Authentication failed.\r\n-ERR USER comes first.\r\n"},
    {"PASS secret\r\n", "-ERR USER comes first.\r\n"},
    {"USER\r\n", "-ERR Wrong arguments.\r\n"},
    {"USER temp\r\nPASS x\r\n",
     "+OK Send the password.\r\n-ERR [SYS/TEMP] Log-ins cannot be checked now, try again later.\r\n"},
    {"USER full\r\nPASS secret\r\n",
     "+OK Send the password.\r\n-ERR [IN-USE] Too many sessions of this account.\r\n"},
    {"USER none\r\nPASS secret\r\n", "+OK Send the password.\r\n-ERR [SYS/PERM] No mailbox here.\r\n"},
    {"USER down\r\nPASS secret\r\n",
     "+OK Send the password.\r\n-ERR [SYS/TEMP] The mailbox cannot be opened now, try again later.\r\n"},
    /* RFC 5034 §4, §6 */
    {"AUTH\r\n", "+OK\r\nPLAIN\r\nSCRAM-SHA-256\r\n.\r\n"},
    {"AUTH PLAIN AGpvZQBzZWNyZXQ=\r\n", "", true},
    {"AUTH PLAIN\r\nAGpvZQBzZWNyZXQ=\r\n", "+ \r\n", true},
    {"AUTH PLAIN\r\n*\r\n", "+ \r\n-ERR Authentication cancelled.\r\n"},
    {"AUTH PLAIN ?\r\n", "-ERR The initial response is not base64, or too long.\r\n"},
    {"AUTH PLAIN =\r\n", "-ERR [AUTH] Authentication failed.\r\n"},
    {"AUTH KERBEROS_V4\r\n", "-ERR This mechanism is not supported.\r\n"},
    {"AUTH SCRAM-SHA-256 eA==\r\nYTE=\r\n\r\nSTAT\r\n", "+ cTE=\r\n+ Zmlu\r\n", true, "STAT\r\n"},
};

static void dialogues(void **state)
{
    for (int bytewise = 0; bytewise < 2; bytewise++) {
        struct login_talk t = {.run = pop3_preauth, .bytewise = bytewise == 1};
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            login_talk(&t, str_c(rows[i].input));
            assert_true(str_starts(str_c(t.answer), S(GREETING)));
            assert_string_equal(t.answer + strlen(GREETING), rows[i].answer);
            assert_int_equal(t.outcome.end == LOGIN_DONE, rows[i].logged_in);
            if (!bytewise) /* otherwise it depends on how much had arrived */
                assert_string_equal(t.left, rows[i].left ? rows[i].left : "");
        }
        login_talk_deinit(&t);
    }
}

static void passwords_wait_for_tls(void **state)
{
    static const char *const refused[] = {"USER joe\r\n", "PASS x\r\n", "AUTH PLAIN\r\n"};
    struct login_talk t = {.run = pop3_preauth, .starttls = true, .plaintext_forbidden = true};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        login_talk(&t, str_c(refused[i]));
        assert_string_equal(t.answer + strlen(GREETING),
                            "-ERR [AUTH] Passwords are accepted only after STLS.\r\n");
        assert_true(t.outcome.tried_plaintext);
    }
    login_talk(&t, S("CAPA\r\n"));
    assert_non_null(strstr(t.answer, "\r\nSTLS\r\n"));
    assert_null(strstr(t.answer, "\r\nUSER\r\n"));
    assert_non_null(strstr(t.answer, "\r\nSASL SCRAM-SHA-256\r\n"));
    login_talk_deinit(&t);
}

static void nothing_is_carried_over_stls(void **state)
{
    struct login_talk t = {.run = pop3_preauth, .starttls = true};
    login_talk(&t, S("STLS\r\nUSER joe\r\n"));
    assert_string_equal(t.answer + strlen(GREETING),
                        "-ERR Nothing may follow STLS before the handshake.\r\n");
    assert_int_equal(t.tls_started, 0);
    login_talk(&t, S("STLS\r\n"));
    assert_int_equal(t.tls_started, 1);
    login_talk_deinit(&t);
}

static void limits_end_the_dialogue(void **state)
{
    struct login_talk t = {.run = pop3_preauth, .command_max = 5};
    struct buf in = BUF_INIT(1 << 20);
    for (int i = 0; i < 20; i++)
        buf_puts(&in, S("CAPA\r\n"));
    login_talk(&t, buf_str(&in));
    assert_string_equal(t.outcome.reason, "Disconnected: Too many commands");
    buf_reset(&in);
    t.command_max = 0;
    for (int i = 0; i < 20; i++)
        buf_puts(&in, S("XYZZY\r\n"));
    login_talk(&t, buf_str(&in));
    assert_string_equal(t.outcome.reason, "Disconnected: Too many invalid commands");
    buf_reset(&in);
    while (in.n < 100000)
        buf_puts(&in, S("xxxxxxxxxx"));
    buf_puts(&in, S("\r\nQUIT\r\n"));
    login_talk(&t, buf_str(&in));
    assert_string_equal(t.answer + strlen(GREETING), "-ERR The line is too long.\r\n+OK Logging out.\r\n");
    buf_deinit(&in);
    login_talk_deinit(&t);
}

static void silence_ends_at_the_deadline(void **state)
{
    struct login_talk t = {.run = pop3_preauth, .keep_open = true, .deadline_ms = 50};
    static const char *const inputs[] = {"", "US", "AUTH PLAIN\r\n"};
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        login_talk(&t, str_c(inputs[i]));
        assert_string_equal(t.outcome.reason, "Disconnected: Inactivity");
        assert_non_null(strstr(t.answer, "-ERR Disconnected for inactivity.\r\n"));
    }
    login_talk_deinit(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dialogues),
        cmocka_unit_test(passwords_wait_for_tls),
        cmocka_unit_test(nothing_is_carried_over_stls),
        cmocka_unit_test(limits_end_the_dialogue),
        cmocka_unit_test(silence_ends_at_the_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
