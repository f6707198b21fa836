/* imap/preauth: the commands before log-in, refusals, limits on what strangers may send, and what is left
 * over. */
#include "imap/preauth.h"

#include "login_talk.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define LOGIN_CAPS                                                                         \
    "IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE IDLE LANGUAGE UTF8=ACCEPT AUTH=PLAIN " \
    "AUTH=SCRAM-SHA-256"
#define GREETING "* OK [CAPABILITY " LOGIN_CAPS "] malle ready.\r\n"

struct row {
    const char *input, *answer; /* behind the greeting */
    bool logged_in;
    const char *left;
};

static void check(struct login_talk *t, const struct row *row)
{
    login_talk(t, str_c(row->input));
    assert_true(str_starts(str_c(t->answer), S(GREETING)));
    assert_string_equal(t->answer + strlen(GREETING), row->answer);
    assert_int_equal(t->outcome.end == LOGIN_DONE, row->logged_in);
    assert_string_equal(t->left, row->left ? row->left : "");
}

static const struct row rows[] = {
    {"a NOOP\r\n", "a OK NOOP completed.\r\n"},
    {"a noop\n", "a OK NOOP completed.\r\n"},
    {"a CAPABILITY\r\n", "* CAPABILITY " LOGIN_CAPS "\r\na OK CAPABILITY completed.\r\n"},
    {"a LOGOUT\r\n", "* BYE Logging out\r\na OK LOGOUT completed.\r\n"},
    {"a ID NIL\r\n", "* ID (\"name\" \"malle\")\r\na OK ID completed.\r\n"},
    {"a ID (\"name\" \"x\" \"os\" NIL)\r\n", "* ID (\"name\" \"malle\")\r\na OK ID completed.\r\n"},
    {"a ID ()\r\n", "* ID (\"name\" \"malle\")\r\na OK ID completed.\r\n"},
    {"a ID (\"name\")\r\n", "a BAD ID needs NIL or a list of pairs.\r\n"},
    {"a NOOP x\r\n", "a BAD NOOP has no arguments.\r\n"},
    {"a SELECT INBOX\r\n", "a BAD Unknown command, or one that needs a log-in first.\r\n"},
    {"a\r\n", "a BAD A command's name is missing.\r\n"},
    {"\r\n", "* BAD A command begins with a tag.\r\n"},
    {"a STARTTLS\r\n", "a BAD TLS is not available.\r\n"},
    /* LOGIN in all its forms */
    {"a LOGIN joe secret\r\n", "", true},
    {"a login \"joe\" \"secret\"\r\nb SELECT INBOX\r\n", "", true, "b SELECT INBOX\r\n"},
    {"a LOGIN {3+}\r\njoe {6+}\r\nsecret\r\n", "", true},
    {"a LOGIN {3}\r\njoe {6}\r\nsecret\r\n", "+ OK\r\n+ OK\r\n", true},
    {"a LOGIN joe wrong\r\n", "a NO [AUTHENTICATIONFAILED] Authentication failed.\r\n"},
    {"a LOGIN temp x\r\n", "a NO [UNAVAILABLE] Log-ins cannot be checked now, try again later.\r\n"},
    {"a LOGIN joe\r\n", "a BAD LOGIN needs a user name and a password.\r\n"},
    {"a LOGIN \"\" x\r\n", "a NO [AUTHENTICATIONFAILED] Authentication failed.\r\n"},
    {"a LOGIN full secret\r\n", "a NO [LIMIT] Too many sessions of this account.\r\n"},
    {"a LOGIN none secret\r\n", "a NO [AUTHORIZATIONFAILED] No mailbox here.\r\n"},
    {"a LOGIN down secret\r\n", "a NO [UNAVAILABLE] The mailbox cannot be opened now, try again later.\r\n"},
    {"a LOGIN joe wrong\r\nb LOGIN joe secret\r\n", "a NO [AUTHENTICATIONFAILED] Authentication failed.\r\n",
     true},
    /* AUTHENTICATE: RFC 9051 §6.2.2 */
    {"a AUTHENTICATE PLAIN AGpvZQBzZWNyZXQ=\r\n", "", true},
    {"a AUTHENTICATE plain\r\nAGpvZQBzZWNyZXQ=\r\n", "+ \r\n", true},
    {"a AUTHENTICATE PLAIN\r\n*\r\n", "+ \r\na BAD Authentication cancelled.\r\n"},
    {"a AUTHENTICATE PLAIN\r\n!!\r\n", "+ \r\na BAD The response is not base64, or too long.\r\n"},
    {"a AUTHENTICATE PLAIN =\r\n", "a NO [AUTHENTICATIONFAILED] Authentication failed.\r\n"},
    {"a AUTHENTICATE PLAIN ?\r\n", "a BAD The initial response is not base64, or too long.\r\n"},
    {"a AUTHENTICATE\r\n", "a BAD AUTHENTICATE needs the name of a mechanism.\r\n"},
    {"a AUTHENTICATE GSSAPI\r\n", "a NO [CANNOT] This mechanism is not supported.\r\n"},
    {"a AUTHENTICATE SCRAM-SHA-256-PLUS\r\n", "a NO [CANNOT] This mechanism is not supported.\r\n"},
    {"a AUTHENTICATE SCRAM-SHA-256 eA==\r\nYTE=\r\n\r\nb NOOP\r\n", "+ cTE=\r\n+ Zmlu\r\n", true,
     "b NOOP\r\n"},
    {"a AUTHENTICATE SCRAM-SHA-256 eA==\r\nYTI=\r\n",
     "+ cTE=\r\na NO [AUTHENTICATIONFAILED] Authentication failed.\r\n"},
    /* what no one may send: a literal of 4 GB, with and without waiting */
    {"a LOGIN {4294967296}\r\nb NOOP\r\n",
     "a BAD [LIMIT] The literal is too large before logging in.\r\nb OK NOOP completed.\r\n"},
    {"a LOGIN {4294967296+}\r\n", "a BAD [LIMIT] The literal is too large before logging in.\r\n* BYE "
                                  "[LIMIT] The literal is too large.\r\n"},
};

static void dialogues(void **state)
{
    struct login_talk t = {.run = imap_preauth};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check(&t, &rows[i]);
    login_talk_deinit(&t);
}

/* The leftover depends on how much had arrived, the answer must not. */
static void dialogues_byte_by_byte(void **state)
{
    struct login_talk t = {.run = imap_preauth, .bytewise = true};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        login_talk(&t, str_c(rows[i].input));
        assert_string_equal(t.answer + strlen(GREETING), rows[i].answer);
        assert_int_equal(t.outcome.end == LOGIN_DONE, rows[i].logged_in);
    }
    login_talk_deinit(&t);
}

static void passwords_wait_for_tls(void **state)
{
    static const char *const refused[] = {
        "a LOGIN joe secret\r\n",
        "a LOGIN {3}\r\n", /* the client is stopped before it sends the password */
        "a AUTHENTICATE PLAIN AGpvZQBzZWNyZXQ=\r\n",
        "a AUTHENTICATE PLAIN\r\n",
    };
    struct login_talk t = {.run = imap_preauth, .starttls = true, .plaintext_forbidden = true};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        login_talk(&t, str_c(refused[i]));
        assert_non_null(strstr(t.answer, "STARTTLS LOGINDISABLED AUTH=SCRAM-SHA-256]"));
        assert_non_null(strstr(t.answer, "\r\na NO [PRIVACYREQUIRED] "));
        assert_null(strstr(t.answer, "\r\n+ "));
        assert_true(t.outcome.tried_plaintext && t.outcome.end != LOGIN_DONE);
    }
    login_talk(&t, S("a AUTHENTICATE SCRAM-SHA-256 eA==\r\nYTE=\r\n\r\n"));
    assert_int_equal(t.outcome.end, LOGIN_DONE);
    login_talk_deinit(&t);
}

static void nothing_is_carried_over_starttls(void **state)
{
    struct login_talk t = {.run = imap_preauth, .starttls = true};
    login_talk(&t, S("a STARTTLS\r\nb NOOP\r\n"));
    assert_non_null(strstr(t.answer, "\r\na BAD Nothing may follow STARTTLS"));
    assert_non_null(strstr(t.answer, "\r\n* BYE "));
    assert_null(strstr(t.answer, "b OK"));
    assert_int_equal(t.tls_started, 0);
    login_talk(&t, S("a STARTTLS\r\n"));
    assert_non_null(strstr(t.answer, "\r\na OK Begin TLS"));
    assert_int_equal(t.tls_started, 1);
    login_talk_deinit(&t);
}

static void limits_end_the_dialogue(void **state)
{
    struct login_talk t = {.run = imap_preauth, .command_max = 5};
    struct buf in = BUF_INIT(1 << 20);
    for (int i = 0; i < 20; i++)
        buf_puts(&in, S("a NOOP\r\n"));
    login_talk(&t, buf_str(&in));
    assert_string_equal(t.outcome.reason, "Disconnected: Too many commands");
    t.command_max = 0;
    buf_reset(&in);
    for (int i = 0; i < 20; i++)
        buf_puts(&in, S("a XYZZY\r\n"));
    login_talk(&t, buf_str(&in));
    assert_string_equal(t.outcome.reason, "Disconnected: Too many invalid commands");
    buf_reset(&in);
    while (in.n < 200000)
        buf_puts(&in, S("xxxxxxxxxx"));
    buf_puts(&in, S("\r\nb NOOP\r\n"));
    login_talk(&t, buf_str(&in)); /* an overlong line is one error */
    assert_non_null(strstr(t.answer, "\r\n* BAD The command is too long.\r\nb OK"));
    buf_reset(&in);
    for (int i = 0; i < 9; i++) { /* 8 KiB each, 72 in all */
        buf_puts(&in, S("a ID {8192+}\r\n"));
        memset(buf_room(&in, 8192), 'y', 8192);
        buf_added(&in, 8192);
        buf_puts(&in, S("\r\n"));
    }
    login_talk(&t, buf_str(&in));
    assert_string_equal(t.outcome.reason, "Disconnected: Too large literal");
    buf_deinit(&in);
    login_talk_deinit(&t);
}

static void silence_ends_at_the_deadline(void **state)
{
    struct login_talk t = {.run = imap_preauth, .keep_open = true, .deadline_ms = 50};
    static const char *const inputs[] = {"", "a NO", "a AUTHENTICATE PLAIN\r\n", "a LOGIN {5}\r\nab"};
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        login_talk(&t, str_c(inputs[i]));
        assert_string_equal(t.outcome.reason, "Disconnected: Inactivity");
    }
    t.keep_open = false;
    login_talk(&t, S("a AUTHENTICATE PLAIN\r\n"));
    assert_string_equal(t.outcome.reason, "Disconnected: Connection closed");
    assert_int_equal(t.cancelled, 1);
    login_talk_deinit(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dialogues),
        cmocka_unit_test(dialogues_byte_by_byte),
        cmocka_unit_test(passwords_wait_for_tls),
        cmocka_unit_test(nothing_is_carried_over_starttls),
        cmocka_unit_test(limits_end_the_dialogue),
        cmocka_unit_test(silence_ends_at_the_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
