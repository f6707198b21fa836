/* Submission (RFC 6409) and AUTH (RFC 4954): who may log in how, what a logged-in client may send, what is
 * added. The sessions run on loopback with disable_plaintext_auth off, so that no TLS is needed; the secured
 * cases are wire tests. */
#include "talk.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define LOOPBACK "disable_plaintext_auth = no\n"
#define HELLO                                           \
    {NULL, "220 "},                                     \
    {                                                   \
        "EHLO client.example\r\n", "250-mx.example.org" \
    }
#define AUTH_ALICE                                          \
    {                                                       \
        "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n", "235 2.7.0 " \
    }

static void run_steps(const char *address, const char *settings, const struct talk_step *steps, size_t n)
{
    struct talk t;
    talk_init(&t, SMTP_KIND_SUBMISSION, settings);
    t.params.client_address = str_c(address);
    talk_begin(&t);
    talk_run(&t, steps, n);
    talk_end(&t);
    fake_world_deinit(&t.world);
}
#define RUN(address, settings, steps) \
    run_steps((address), (settings), (steps), sizeof(steps) / sizeof *(steps))

static void nothing_before_login(void **state)
{
    static const struct talk_step steps[] = {
        HELLO,
        {"MAIL FROM:<alice@example.org>\r\n", "530 5.7.0 Authentication required"},
        {"VRFY alice\r\n", "530 5.7.0 "},
        {"RCPT TO:<bob@example.org>\r\n", "530 5.7.0 "},
        {"DATA\r\n", "530 5.7.0 "},
        {"BDAT 3 LAST\r\nx\r\n", "503 5.5.1 "},
        {"NOOP\r\n", "250 "},
    };
    RUN("127.0.0.1", LOOPBACK, steps);
}

static void no_password_in_the_clear(void **state)
{
    static const struct talk_step steps[] = {
        HELLO,
        {"AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n", "538 5.7.11 "},
        {"MAIL FROM:<alice@example.org>\r\n", "530 5.7.0 "},
    };
    RUN("192.0.2.7", LOOPBACK, steps);
    RUN("127.0.0.1", "disable_plaintext_auth = yes\n", steps);
}

/* RFC 4954 §4, and §4.1's examples in shape */
static void mechanisms(void **state)
{
    static const struct talk_step steps[] = {
        {NULL, "220 "},
        {"AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n", "503 5.5.1 "},
        {"EHLO client.example\r\n", "250-"},
        {"AUTH\r\n", "501 5.5.4 "},
        {"AUTH FOOBAR\r\n", "504 5.5.4 "},
        {"AUTH SCRAM-SHA-256-PLUS\r\n", "504 5.5.4 "}, /* no TLS to bind to */
        {"AUTH PLAIN !!!\r\n", "501 5.5.2 "},
        {"AUTH PLAIN\r\n", "334 \r"},
        {"*\r\n", "501 5.7.0 "},
        {"AUTH PLAIN AGFsaWNlAHdyb25n\r\n", "535 5.7.8 "},
        {"AUTH LOGIN\r\n", "334 VXNlcm5hbWU6\r"},
        {"YWxpY2U=\r\n", "334 UGFzc3dvcmQ6\r"},
        {"d3Jvbmc=\r\n", "535 5.7.8 "},
        {"AUTH PLAIN\r\n", "334 \r"},
        {"AGFsaWNlAHNlY3JldA==\r\n", "235 2.7.0 "},
        {"AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n", "503 5.5.1 "},
    };
    static const struct talk_step scram[] = {
        HELLO,
        {"AUTH SCRAM-SHA-256 biwsbj11c2VyLHI9eA==\r\n", "334 cj1ub25jZQ==\r"},
        {"Yz1iaXdz\r\n", "334 dj1wcm9vZg==\r"},
        {"\r\n", "235 2.7.0 "},
        {"AUTH LOGIN\r\n", "503 5.5.1 "},
    };
    RUN("127.0.0.1", LOOPBACK, steps);
    const char *log = talk_log();
    assert_non_null(strstr(log, "warning: client.example[127.0.0.1]: SASL PLAIN authentication failed: "
                                "password mismatch, sasl_username=(unavailable)\n"));
    assert_null(strstr(log, "secret"));
    assert_null(strstr(log, "AGFsaWNl"));
    RUN("::1", LOOPBACK, scram);
}

static bool mechanisms_elsewhere(void *ctx, struct buf *out)
{
    buf_puts(out, S(" CRAM-MD5 PLAIN"));
    return true;
}

/* Where another server verifies passwords, its mechanisms are offered, and no other is taken. */
static void mechanisms_of_another_server(void **state)
{
    struct talk t;
    struct smtp_env env = fake_env;
    env.sasl_mechanisms = mechanisms_elsewhere;
    static const struct talk_step steps[] = {
        {"AUTH LOGIN\r\n", "504 5.5.4 "},
        {"AUTH CRAM\r\n", "504 5.5.4 "},
        {"AUTH plain AGFsaWNlAHNlY3JldA==\r\n", "235 2.7.0 "},
    };
    talk_init(&t, SMTP_KIND_SUBMISSION, LOOPBACK);
    t.params.client_address = S("127.0.0.1");
    t.params.env = &env;
    talk_begin(&t);
    (void)talk_hear(&t);
    talk_say(&t, S("EHLO client.example\r\n"));
    assert_true(str_find(talk_hear(&t), S("250-AUTH CRAM-MD5 PLAIN\r\n")) > 0);
    TALK(&t, steps);
    talk_end(&t);
    fake_world_deinit(&t.world);
}

static void sender_must_be_ones_own(void **state)
{
    static const struct talk_step steps[] = {
        HELLO,
        AUTH_ALICE,
        {"MAIL FROM:<bob@example.org>\r\n",
         "553 5.7.1 <bob@example.org>: Sender address rejected: not owned by user "},
        {"MAIL FROM:<>\r\n", "250 "},
        {"AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n", "503 5.5.1 "},
        {"RSET\r\n", "250 "},
        {"MAIL FROM:<alice@example.org>\r\n", "250 "},
        {"RCPT TO:<x@elsewhere.example>\r\n", "250 2.1.5 Ok\n"},
        {"RCPT TO:<bob@example.org>\r\n", "250 "},
    };
    RUN("127.0.0.1", LOOPBACK, steps);
    const char *log = talk_log();
    assert_non_null(strstr(
        log, ": client=client.example[127.0.0.1], sasl_method=PLAIN, sasl_username=alice@example.org\n"));
    assert_non_null(strstr(log, "proto=ESMTPA helo=<client.example>\n"));
}

static void sender_may_be_anybodys(void **state)
{
    static const struct talk_step anybody[] = {
        HELLO,
        AUTH_ALICE,
        {"MAIL FROM:<bob@example.org>\r\n", "250 "},
        {"RCPT TO:<x@elsewhere.example>\r\n", "250 2.1.5 Ok\n"},
    };
    static const struct talk_step owner[] = {
        HELLO,
        AUTH_ALICE,
        {"MAIL FROM:<bob@example.org>\r\n", "250 "},
        {"RCPT TO:<x@elsewhere.example>\r\n",
         "553 5.7.1 <bob@example.org>: Sender address rejected: not owned by user alice@example.org"},
    };
    RUN("127.0.0.1", LOOPBACK "sender_must_be_own = no\n", anybody);
    RUN("127.0.0.1",
        LOOPBACK "sender_must_be_own = no\nsmtpd_sender_restrictions = reject_sender_login_mismatch\n",
        owner);
}

/* How often part occurs in the header of mail. */
static unsigned count_in_header(const char *mail, const char *part)
{
    unsigned n = 0;
    const char *end = strstr(mail, "\n\n");
    assert_non_null(end);
    for (const char *at = strcasestr(mail, part); at && at < end; at = strcasestr(at + 1, part))
        n++;
    return n;
}

/* RFC 6409 §8.2, §8.3: afterwards there is exactly one of each. */
static void missing_fields_are_added(void **state)
{
    static const char *const messages[] = {
        "Subject: x\r\n\r\nDate: in the body\r\nMessage-ID: too\r\n.\r\n",
        "Date: there\r\nSubject: x\r\n\r\n.\r\n",
        "Subject: x\r\nMessage-Id: <1@x>\r\n\r\n.\r\n",
        "Message-ID:\r\n <1@x>\r\nDATE: there\r\n\r\n.\r\n",
    };
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        const struct talk_step steps[] = {
            HELLO,
            AUTH_ALICE,
            {"MAIL FROM:<alice@example.org>\r\n", "250 "},
            {"RCPT TO:<bob@example.org>\r\n", "250 "},
            {"DATA\r\n", "354 "},
            {messages[i], "250 "},
        };
        struct talk t;
        talk_init(&t, SMTP_KIND_SUBMISSION, LOOPBACK);
        t.params.client_address = S("127.0.0.1");
        talk_begin(&t);
        TALK(&t, steps);
        talk_end(&t);
        const char *mail = buf_cstr(&t.world.delivered), *log = talk_log();
        assert_int_equal(count_in_header(mail, "\nDate:"), 1);
        assert_int_equal(count_in_header(mail, "\nMessage-ID:"), 1);
        assert_non_null(strstr(log, i < 2 ? "@mx.example.org>\n" : ": message-id=<1@x>\n"));
        fake_world_deinit(&t.world);
    }
}

/* RFC 3207 §4.2: what comes behind STARTTLS in the clear was put there by somebody else. */
static void input_behind_starttls(void **state)
{
    static const struct talk_step injected[] = {HELLO, {"STARTTLS\r\nNOOP\r\n", "554 5.5.0 \n"}};
    static const struct talk_step without_tls[] = {
        HELLO, {"STARTTLS now\r\n", "501 5.5.4 "}, {"STARTTLS\r\n", "502 5.5.1 "}, {"NOOP\r\n", "250 "}};
    RUN("192.0.2.7", "", injected);
    RUN("192.0.2.7", "", without_tls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_before_login),
        cmocka_unit_test(no_password_in_the_clear),
        cmocka_unit_test(mechanisms),
        cmocka_unit_test(mechanisms_of_another_server),
        cmocka_unit_test(sender_must_be_ones_own),
        cmocka_unit_test(sender_may_be_anybodys),
        cmocka_unit_test(missing_fields_are_added),
        cmocka_unit_test(input_behind_starttls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
