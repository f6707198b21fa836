/* SMTP sessions (RFC 5321) against the fake world: order of commands, replies, messages, limits, log lines.
 */
#include "talk.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#define HELLO                                           \
    {NULL, "220 mx.example.org ESMTP"},                 \
    {                                                   \
        "EHLO client.example\r\n", "250-mx.example.org" \
    }

static void expect_in(const char *text, const char *part)
{
    if (!part || strstr(text, part))
        return;
    print_error("missing \"%s\" in:\n%s\n", part, text);
    fail();
}

static void run_steps(enum smtp_kind kind, const char *settings, const struct talk_step *steps, size_t n)
{
    struct talk t;
    talk_init(&t, kind, settings);
    talk_begin(&t);
    talk_run(&t, steps, n);
    talk_end(&t);
    fake_world_deinit(&t.world);
}
#define RUN(kind, settings, steps) run_steps((kind), (settings), (steps), sizeof(steps) / sizeof *(steps))

/* RFC 5321 Appendix D.1 */
static void typical_transaction(void **state)
{
    static const struct talk_step steps[] = {
        HELLO,
        {"MAIL FROM:<Smith@bar.example>\r\n", "250 2.1.0 "},
        {"RCPT TO:<alice@example.org>\r\n", "250 2.1.5 "},
        {"RCPT TO:<Green@example.org>\r\n",
         "550 5.1.1 <Green@example.org>: Recipient address rejected: User unknown"},
        {"RCPT TO:<bob@EXAMPLE.org>\r\n", "250 2.1.5 "},
        {"DATA\r\n", "354 "},
        {"Message-ID: <1@bar>\r\n\r\nBlah blah blah...\r\n..etc.\r\n.\r\n", "250 2.0.0 Ok: delivered as "},
        {"QUIT\r\n", "221 2.0.0 \n"},
    };
    struct talk t;
    talk_init(&t, SMTP_KIND_MX, "");
    talk_begin(&t);
    TALK(&t, steps);
    talk_end(&t);
    assert_int_equal(t.world.deliveries, 2);
    const char *mail = buf_cstr(&t.world.delivered), *log = talk_log();
    expect_in(mail, "Return-Path: <Smith@bar.example>\nDelivered-To: alice@example.org\n"
                    "Received: from client.example (client.example [192.0.2.7])\n\tby mx.example.org (malle) "
                    "with ESMTP id ");
    expect_in(mail, "Message-ID: <1@bar>\n\nBlah blah blah...\n.etc.\n");
    expect_in(mail, "Delivered-To: bob@example.org\n");
    assert_null(strstr(mail, "for <"));
    assert_int_equal(t.world.last_lines, 4);
    expect_in(log, "malle/smtpd[");
    expect_in(log, "]: connect from client.example[192.0.2.7]\n");
    expect_in(log, ": client=client.example[192.0.2.7]\n");
    expect_in(log, ": message-id=<1@bar>\n");
    expect_in(
        log,
        ": reject: RCPT from client.example[192.0.2.7]: 550 5.1.1 <Green@example.org>: Recipient address "
        "rejected: User unknown in virtual mailbox table; from=<Smith@bar.example> to=<Green@example.org> "
        "proto=ESMTP helo=<client.example>\n");
    expect_in(log, ": to=<alice@example.org>, relay=local, delay=");
    expect_in(log, ", dsn=2.0.0, status=sent (delivered to maildir)\n");
    expect_in(
        log,
        "]: disconnect from client.example[192.0.2.7] ehlo=1 mail=1 rcpt=2/3 data=1 quit=1 commands=6/7\n");
    expect_in(log, t.world.last_id);
    fake_world_deinit(&t.world);
}

/* RFC 5321 §4.1.4 */
static void order_of_commands(void **state)
{
    static const struct talk_step steps[] = {
        {NULL, "220 "},
        {"MAIL FROM:<a@b.example>\r\n", "503 5.5.1 "},
        {"RCPT TO:<alice@example.org>\r\n", "503 5.5.1 "},
        {"NOOP\r\n", "250 2.0.0 "},
        {"HELO\r\n", "501 5.5.4 "},
        {"EHLO two words\r\n", "501 5.5.4 "},
        {"HELO client.example\r\n", "250 mx.example.org"},
        {"RCPT TO:<alice@example.org>\r\n", "503 5.5.1 "},
        {"DATA\r\n", "503 5.5.1 "},
        {"MAIL FROM:<>\r\n", "250 2.1.0 "},
        {"MAIL FROM:<a@b.example>\r\n", "503 5.5.1 "},
        {"DATA\r\n", "503 5.5.1 "},
        {"RCPT TO:<nobody@example.org>\r\n", "550 "},
        {"DATA\r\n", "554 5.5.1 "},
        {"RCPT TO:<alice@example.org>\r\n", "250 "},
        {"EHLO client.example\r\n", "250-"},
        {"DATA\r\n", "503 5.5.1 "},
        {"MAIL FROM:<>\r\n", "250 "},
        {"RSET\r\n", "250 2.0.0 "},
        {"RCPT TO:<alice@example.org>\r\n", "503 "},
        {"LHLO client.example\r\n", "500 5.5.2 "},
        {"VRFY alice\r\n", "252 2.0.0 "},
        {"VRFY\r\n", "501 5.5.4 "},
        {"EXPN list\r\n", "502 5.5.1 "},
        {"HELP\r\n", "214 2.0.0 "},
        {"RSET now\r\n", "501 5.5.4 "},
        {"\r\n", "500 5.5.2 "},
        {"quit\r\n", "221 \n"},
    };
    RUN(SMTP_KIND_MX, "", steps);
}

static void ehlo_keywords(void **state)
{
    static const char *const want[] = {"250-PIPELINING\r\n",
                                       "250-SIZE 4096\r\n",
                                       "250-ENHANCEDSTATUSCODES\r\n",
                                       "250-8BITMIME\r\n",
                                       "250-DSN\r\n",
                                       "250-SMTPUTF8\r\n",
                                       "250-CHUNKING\r\n",
                                       "250 LIMITS RCPTMAX=100 MAILMAX="};
    struct talk t;
    talk_init(&t, SMTP_KIND_MX, "message_size_limit = 4k\nsmtpd_recipient_limit = 100\n");
    talk_begin(&t);
    assert_true(str_starts(talk_hear(&t), S("220 ")));
    talk_say(&t, S("EHLO x\r\n"));
    str reply = talk_hear(&t);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        assert_true(str_find(reply, str_c(want[i])) > 0);
    assert_true(str_find(reply, S("AUTH")) < 0);
    assert_true(str_find(reply, S("STARTTLS")) < 0);
    talk_end(&t);
    fake_world_deinit(&t.world);
}

/* RFC 5321 §7.1 */
static void never_an_open_relay(void **state)
{
    static const struct talk_step steps[] = {
        HELLO,
        {"MAIL FROM:<alice@example.org>\r\n", "250 "},
        {"RCPT TO:<x@elsewhere.example>\r\n", "554 5.7.1 <x@elsewhere.example>: Relay access denied"},
        {"RCPT TO:<@example.org:x@elsewhere.example>\r\n", "554 5.7.1 "},
        {"RCPT TO:<x%elsewhere.example@example.org>\r\n", "550 5.1.1 "},
        {"RCPT TO:<\"x@elsewhere.example\"@example.org>\r\n", "550 5.1.1 "},
        {"RCPT TO:<x@[192.0.2.1]>\r\n", "554 5.7.1 "},
        {"DATA\r\n", "554 5.5.1 "},
    };
    static const struct talk_step trusted[] = {
        HELLO,
        {"MAIL FROM:<alice@example.org>\r\n", "250 "},
        {"RCPT TO:<x@elsewhere.example>\r\n", "250 2.1.5 Ok\n"},
    };
    RUN(SMTP_KIND_MX, "", steps);
    RUN(SMTP_KIND_LMTP, "mynetworks = 192.0.2.0/24\n",
        ((const struct talk_step[]){{NULL, "220 "},
                                    {"LHLO c\r\n", "250-"},
                                    {"MAIL FROM:<>\r\n", "250 "},
                                    {"RCPT TO:<x@elsewhere.example>\r\n", "554 5.7.1 "}}));
    RUN(SMTP_KIND_MX, "mynetworks = 192.0.2.0/24\n", trusted);
}

/* RFC 2920 §3.1: a whole session in one piece, cut at every byte. */
static void pipelined_and_cut_anywhere(void **state)
{
    str session = S("EHLO c\r\nMAIL FROM:<a@b.example> SIZE=100 BODY=8BITMIME\r\nRCPT "
                    "TO:<postmaster>\r\nRCPT TO:<no@example.org>\r\n"
                    "DATA\r\nA: b\r\n\r\n...\r\n..x\r\n.\r\nQUIT\r\n");
    static const struct talk_step replies[] = {
        {NULL, "220 \n250-\n250 2.1.0\n250 2.1.5\n550 5.1.1\n354 \n250 2.0.0 Ok\n221 \n"}};
    for (size_t cut = 0; cut <= session.n; cut++) {
        struct talk t;
        talk_init(&t, SMTP_KIND_MX, "");
        talk_begin(&t);
        talk_say(&t, str_sub(session, 0, cut));
        if (cut % 8 == 0)
            sched_yield();
        talk_say(&t, str_from(session, cut));
        TALK(&t, replies);
        talk_end(&t);
        assert_int_equal(t.world.deliveries, 1);
        expect_in(buf_cstr(&t.world.delivered), "Delivered-To: postmaster@example.org\n");
        expect_in(buf_cstr(&t.world.delivered), "A: b\n\n..\n.x\n");
        fake_world_deinit(&t.world);
    }
}

/* RFC 5321 §4.1.1.4, §2.3.8: only CRLF ends lines; what pretends to is refused after all of it is read. */
static void bare_line_ends_are_refused(void **state)
{
    static const char *const bodies[] = {"a\nb\r\n.\r\n",      "a\r\n.\nMAIL FROM:<x@y>\r\n.\r\n",
                                         "a\rb\r\n.\r\n",      "a\n.\r\nb\r\n.\r\n",
                                         "a\r\n.\rb\r\n.\r\n", "a\r\r\n.\r\n"};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        const struct talk_step steps[] = {
            HELLO,
            {"MAIL FROM:<a@b.example>\r\n", "250 "},
            {"RCPT TO:<alice@example.org>\r\n", "250 "},
            {"DATA\r\n", "354 "},
            {bodies[i], "550 5.6.0 "},
            {"NOOP\r\n", "250 "},
        };
        RUN(SMTP_KIND_MX, "", steps);
    }
}

static void line_feed_alone(void **state)
{
    static const struct talk_step typed[] = {
        {NULL, "220 "}, {"EHLO c\n", "250-"}, {"NOOP\n", "250 "}, {"QUIT\n", "221 \n"}};
    static const struct talk_step grouped[] = {
        {NULL, "220 "}, {"EHLO c\r\n", "250-"}, {"NOOP\nNOOP\r\nRSET\n", "500 5.5.2 \n250 \n500 5.5.2 "}};
    RUN(SMTP_KIND_MX, "", typed);
    RUN(SMTP_KIND_MX, "", grouped);
}

static void wrong_bytes_in_commands(void **state)
{
    struct talk t;
    talk_init(&t, SMTP_KIND_MX, "line_length_limit = 512\n");
    talk_begin(&t);
    char line[3000];
    memset(line, 'x', sizeof line);
    assert_true(str_starts(talk_hear(&t), S("220 ")));
    talk_say(&t, S("NO\0OP\r\n"));
    assert_true(str_starts(talk_hear(&t), S("500 5.5.2 Error: NUL")));
    talk_say(&t, str_mem(line, sizeof line));
    talk_say(&t, S("\r\n"));
    assert_true(str_starts(talk_hear(&t), S("500 5.5.2 Error: line too long")));
    talk_say(&t, S("NOOP a\rb\r\n"));
    assert_true(str_starts(talk_hear(&t), S("500 5.5.2 Error: bare <CR>")));
    talk_say(&t, S("NOOP\r\n"));
    assert_true(str_starts(talk_hear(&t), S("250 ")));
    talk_end(&t);
    fake_world_deinit(&t.world);
}

/* RFC 1870 §6: exactly the limit passes, one byte more does not. */
static void size_limit(void **state)
{
    enum { LIMIT = 4096 };
    static const struct talk_step announce[] = {
        HELLO,
        {"MAIL FROM:<a@b.example> SIZE=4097\r\n", "552 5.3.4 "},
        {"MAIL FROM:<a@b.example> SIZE=99999999999999999999\r\n", "552 5.3.4 "},
        {"MAIL FROM:<a@b.example> SIZE=4096\r\n", "250 "},
    };
    RUN(SMTP_KIND_MX, "message_size_limit = 4k\n", announce);
    for (int over = 0; over <= 1; over++) {
        char body[LIMIT + 8];
        memset(body, 'x', sizeof body);
        memcpy(body, "A: b\r\n\r\n", 8);
        memcpy(body + LIMIT + over - 2, "\r\n", 3);
        struct talk t;
        talk_init(&t, SMTP_KIND_MX, "message_size_limit = 4k\n");
        talk_begin(&t);
        const struct talk_step steps[] = {HELLO,
                                          {"MAIL FROM:<a@b.example>\r\n", "250 "},
                                          {"RCPT TO:<alice@example.org>\r\n", "250 "},
                                          {"DATA\r\n", "354 "},
                                          {body, NULL},
                                          {".\r\nNOOP\r\n", over ? "552 5.3.4 \n250 " : "250 2.0.0 \n250 "}};
        TALK(&t, steps);
        talk_end(&t);
        assert_int_equal(t.world.deliveries, !over);
        fake_world_deinit(&t.world);
    }
}

/* RFC 3030 §4.2 and §2 */
static void chunking(void **state)
{
    static const struct talk_step steps[] = {
        HELLO,
        {"BDAT 5\r\nQUIT\r", "503 5.5.1 "},
        {"MAIL FROM:<a@b.example>\r\n", "250 "},
        {"BDAT 6 LAST\r\nQUIT\r\n", "503 5.5.1 "},
        {"RCPT TO:<alice@example.org>\r\n", "250 "},
        {"BDAT 4\r\nA: b", "250 2.0.0 Ok: 4 bytes"},
        {"RCPT TO:<bob@example.org>\r\n", "503 5.5.1 "},
        {"DATA\r\n", "503 5.5.1 "},
        {"MAIL FROM:<>\r\n", "503 5.5.1 "},
        {"BDAT 5\r\n\r\n\r\n.BDAT 2\r\n\r\nBDAT 0 LAST\r\n",
         "250 2.0.0 \n250 2.0.0 \n250 2.0.0 Ok: delivered"},
        {"MAIL FROM:<a@b.example>\r\n", "250 "},
        {"RCPT TO:<alice@example.org>\r\n", "250 "},
        {"BDAT 3\r\na\nb", "250 "},
        {"RSET\r\n", "250 "},
        {"MAIL FROM:<a@b.example>\r\n", "250 "},
        {"RCPT TO:<alice@example.org>\r\n", "250 "},
        {"BDAT 3 last\r\na\nb", "550 5.6.0 "},
        {"BDAT x\r\n", "501 5.5.4 \n"},
    };
    struct talk t;
    talk_init(&t, SMTP_KIND_MX, "");
    talk_begin(&t);
    TALK(&t, steps);
    talk_end(&t);
    assert_int_equal(t.world.deliveries, 1);
    expect_in(buf_cstr(&t.world.delivered), "A: b\n\n.\n");
    fake_world_deinit(&t.world);
}

static void failures_abort_all(void **state)
{
    static const struct talk_step steps[] = {
        HELLO,
        {"MAIL FROM:<a@b.example>\r\n", "250 "},
        {"RCPT TO:<full@example.org>\r\n", "452 4.2.2 "},
        {"RCPT TO:<alice@example.org>\r\n", "250 "},
        {"RCPT TO:<broken@example.org>\r\n", "250 "},
        {"DATA\r\n", "354 "},
        {"x\r\n.\r\n", "451 4.2.0 "},
        {"MAIL FROM:<a@b.example>\r\n", "250 "},
        {"RCPT TO:<vanished@example.org>\r\n", "250 "},
        {"DATA\r\n", "354 "},
        {"x\r\n.\r\n", "550 5.2.1 "},
        {"MAIL FROM:<a@b.example>\r\n", "250 "},
        {"RCPT TO:<vanished@example.org>\r\n", "250 "},
        {"RCPT TO:<alice@example.org>\r\n", "250 "},
        {"DATA\r\n", "354 "},
        {"x\r\n.\r\n", "451 4.3.0 "},
    };
    struct talk t;
    talk_init(&t, SMTP_KIND_MX, "");
    talk_begin(&t);
    TALK(&t, steps);
    talk_end(&t);
    assert_int_equal(t.world.deliveries, 0);
    const char *log = talk_log();
    expect_in(log, "to=<broken@example.org>, relay=local");
    expect_in(log, "dsn=4.2.0, status=deferred (mailbox is busy)");
    expect_in(log, "dsn=5.2.1, status=bounced (mailbox is gone)");
    expect_in(log, "status=deferred (aborted, another recipient failed)");
    fake_world_deinit(&t.world);
}

static void an_address_gets_one_copy(void **state)
{
    static const struct talk_step steps[] = {
        HELLO,
        {"MAIL FROM:<a@b.example>\r\n", "250 "},
        {"RCPT TO:<team@example.org>\r\n", "250 "},
        {"RCPT TO:<alice@example.org>\r\n", "250 "},
        {"RCPT TO:<alice@example.org>\r\n", "250 "},
        {"DATA\r\n", "354 "},
        {"x\r\n.\r\n", "250 "},
    };
    struct talk t;
    talk_init(&t, SMTP_KIND_MX, "");
    talk_begin(&t);
    TALK(&t, steps);
    talk_end(&t);
    assert_int_equal(t.world.deliveries, 2);
    expect_in(talk_log(), "to=<bob@example.org>, orig_to=<team@example.org>, relay=local");
    fake_world_deinit(&t.world);
}

/* RFC 2033 §4.2: as many replies as recipients were accepted, also after BDAT LAST and for a refused message.
 */
static void lmtp_replies_for_each(void **state)
{
    static const struct talk_step steps[] = {
        {NULL, "220 mx.example.org LMTP"},
        {"EHLO c\r\n", "500 "},
        {"HELO c\r\n", "500 "},
        {"LHLO c\r\n", "250-"},
        {"AUTH PLAIN\r\n", "500 "},
        {"MAIL FROM:<a@b.example>\r\n", "250 "},
        {"DATA\r\n", "503 5.5.1 "},
        {"RCPT TO:<alice@example.org>\r\n", "250 "},
        {"RCPT TO:<nobody@example.org>\r\n", "550 "},
        {"RCPT TO:<broken@example.org>\r\n", "250 "},
        {"RCPT TO:<vanished@example.org>\r\n", "250 "},
        {"DATA\r\n", "354 "},
        {"x\r\n.\r\n", "250 2.0.0 <alice@example.org>\n451 4.2.0 \n550 5.2.1 "},
        {"MAIL FROM:<a@b.example>\r\n", "250 "},
        {"RCPT TO:<alice@example.org>\r\n", "250 "},
        {"RCPT TO:<alice@example.org>\r\n", "250 "},
        {"BDAT 3 LAST\r\nx\r\n", "250 \n250 "},
        {"MAIL FROM:<a@b.example>\r\n", "250 "},
        {"RCPT TO:<alice@example.org>\r\n", "250 "},
        {"RCPT TO:<bob@example.org>\r\n", "250 "},
        {"BDAT 3 LAST\r\nx\ny", "550 5.6.0\n550 5.6.0"},
        {"QUIT\r\n", "221 \n"},
    };
    struct talk t;
    talk_init(&t, SMTP_KIND_LMTP, "");
    talk_begin(&t);
    TALK(&t, steps);
    talk_end(&t);
    assert_int_equal(t.world.deliveries, 3);
    expect_in(buf_cstr(&t.world.delivered), " with LMTP id ");
    fake_world_deinit(&t.world);
}

/* A delivery that fails as a whole: the log says what the client was told. */
static void failed_as_a_whole(void **state)
{
    static const struct talk_step lmtp[] = {
        {NULL, "220 "},
        {"LHLO c\r\n", "250-"},
        {"MAIL FROM:<a@b.example>\r\n", "250 "},
        {"RCPT TO:<alice@example.org>\r\n", "250 "},
        {"DATA\r\n", "354 "},
        {"x\r\n.\r\n", "451 4.3.0 "},
    };
    static const struct talk_step smtp[] = {
        HELLO,
        {"MAIL FROM:<a@b.example>\r\n", "250 "},
        {"RCPT TO:<alice@example.org>\r\n", "250 "},
        {"DATA\r\n", "354 "},
        {"x\r\n.\r\n", "451 4.3.0 "},
    };
    for (int i = 0; i < 2; i++) {
        struct talk t;
        talk_init(&t, i ? SMTP_KIND_MX : SMTP_KIND_LMTP, "");
        t.world.deliver_result = RC_TEMP;
        talk_begin(&t);
        if (i)
            TALK(&t, smtp);
        else
            TALK(&t, lmtp);
        talk_end(&t);
        const char *log = talk_log();
        expect_in(log, "to=<alice@example.org>, relay=local");
        expect_in(log, "dsn=4.3.0, status=deferred (the delivery failed)");
        assert_null(strstr(log, "status=sent"));
        fake_world_deinit(&t.world);
    }
}

/* RFC 5321 §6.3 */
static void loops_and_large_headers(void **state)
{
    struct buf mail = BUF_INIT(1 << 20);
    for (int hops = 50; hops <= 51; hops++) {
        buf_reset(&mail);
        for (int i = 0; i < hops; i++)
            buf_puts(&mail, S("Received: from a\r\n\tby b\r\n"));
        buf_puts(&mail, S("\r\nReceived: in the body\r\n.\r\n"));
        const struct talk_step steps[] = {
            HELLO,
            {"MAIL FROM:<>\r\n", "250 "},
            {"RCPT TO:<alice@example.org>\r\n", "250 "},
            {"DATA\r\n", "354 "},
            {buf_cstr(&mail), hops == 50 ? "250 " : "554 5.4.6 "},
        };
        RUN(SMTP_KIND_MX, "hop_count_limit = 50\n", steps);
    }
    buf_reset(&mail);
    for (int i = 0; i < 101; i++)
        buf_puts(&mail, S("X: y\r\n"));
    buf_puts(&mail, S("\r\n.\r\n"));
    const struct talk_step steps[] = {
        HELLO,
        {"MAIL FROM:<>\r\n", "250 "},
        {"RCPT TO:<alice@example.org>\r\n", "250 "},
        {"DATA\r\n", "354 "},
        {buf_cstr(&mail), "552 5.3.4 "},
    };
    RUN(SMTP_KIND_MX, "header_count_limit = 100\n", steps);
    buf_deinit(&mail);
}

static void sink_failures(void **state)
{
    static const struct {
        enum rc rc;
        const char *want;
    } rows[] = {{RC_LIMIT, "452 4.3.1 "}, {RC_TEMP, "451 4.3.0 "}};
    for (size_t i = 0; i < 2; i++) {
        const struct talk_step steps[] = {
            HELLO,
            {"MAIL FROM:<>\r\n", "250 "},
            {"RCPT TO:<alice@example.org>\r\n", "250 "},
            {"DATA\r\n", "354 "},
            {"a\r\nb\r\n.\r\n", rows[i].want},
            {"NOOP\r\n", "250 "},
        };
        struct talk t;
        talk_init(&t, SMTP_KIND_MX, "");
        t.world.sink_result = rows[i].rc;
        talk_begin(&t);
        TALK(&t, steps);
        talk_end(&t);
        assert_int_equal(t.world.deliveries, 0);
        fake_world_deinit(&t.world);
    }
}

static void limits_of_patience(void **state)
{
    static const struct talk_step errors[] = {
        {NULL, "220 "},
        {"X\r\nX\r\nX\r\n", "500 \n500 \n421 4.7.0 mx.example.org Error: too many errors\n"},
    };
    static const struct talk_step junk[] = {
        {NULL, "220 "},
        {"NOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\n", "250 \n250 \n250 \n250 \n250 \n421 4.7.0 \n"},
    };
    static const struct talk_step late[] = {
        {NULL, "220 \n421 4.4.2 mx.example.org Error: timeout exceeded\n"}};
    RUN(SMTP_KIND_MX, "smtpd_hard_error_limit = 2\n", errors);
    expect_in(talk_log(), "]: too many errors after UNKNOWN from client.example[192.0.2.7]\n");
    RUN(SMTP_KIND_MX, "smtpd_hard_error_limit = 3\nsmtpd_junk_command_limit = 2\n", junk);
    RUN(SMTP_KIND_MX, "smtpd_timeout = 1s\n", late);
    expect_in(talk_log(), "]: timeout after CONNECT from client.example[192.0.2.7]\n");
}

static void too_many_recipients(void **state)
{
    struct talk t;
    talk_init(&t, SMTP_KIND_MX, "smtpd_recipient_limit = 100\n");
    talk_begin(&t);
    static const struct talk_step open[] = {HELLO, {"MAIL FROM:<>\r\n", "250 "}};
    TALK(&t, open);
    for (int i = 0; i <= 101; i++) {
        talk_say(&t, S("RCPT TO:<alice@example.org>\r\n"));
        assert_true(str_starts(talk_hear(&t), i < 100 ? S("250 2.1.5 ") : S("452 4.5.3 ")));
    }
    talk_end(&t);
    fake_world_deinit(&t.world);
}

/* An alias counts with all its mailboxes: what one transaction cannot deliver is refused at RCPT. */
static void too_many_mailboxes(void **state)
{
    static const struct talk_step steps[] = {
        HELLO,
        {"MAIL FROM:<>\r\n", "250 "},
        {"RCPT TO:<crowd@example.org>\r\n", "250 2.1.5 "},
        {"RCPT TO:<crowd@example.org>\r\n", "250 2.1.5 "},
        {"RCPT TO:<crowd@example.org>\r\n", "452 4.5.3 "},
        {"RCPT TO:<alice@example.org>\r\n", "250 2.1.5 "},
        {"RSET\r\n", "250 "},
        {"MAIL FROM:<>\r\n", "250 "},
        {"RCPT TO:<crowd@example.org>\r\n", "250 2.1.5 "},
    };
    RUN(SMTP_KIND_MX, "", steps);
}

static void endings(void **state)
{
    static const struct talk_step in_data[] = {HELLO,
                                               {"MAIL FROM:<>\r\n", "250 "},
                                               {"RCPT TO:<alice@example.org>\r\n", "250 "},
                                               {"DATA\r\n", "354 "},
                                               {"half a mess", NULL}};
    static const struct talk_step browser[] = {
        {NULL, "220 "}, {"GET / HTTP/1.1\r\n", "221 2.7.0 Error: I can break rules, too. Goodbye.\n"}};
    RUN(SMTP_KIND_MX, "", in_data);
    expect_in(talk_log(), "]: lost connection after DATA from client.example[192.0.2.7]\n");
    RUN(SMTP_KIND_MX, "", browser);
    expect_in(talk_log(), "]: warning: non-SMTP command from client.example[192.0.2.7]: GET / HTTP/1.1\n");
    struct talk t;
    talk_init(&t, SMTP_KIND_MX, "");
    t.world.stopping = true;
    talk_begin(&t);
    static const struct talk_step ending[] = {{NULL, "220 "},
                                              {"NOOP\r\n", "250 \n421 4.3.2 mx.example.org\n"}};
    TALK(&t, ending);
    talk_end(&t);
    fake_world_deinit(&t.world);
}

/* RFC 6531 §3.4, §3.5, §4.3 */
static void internationalised(void **state)
{
    static const struct talk_step steps[] = {
        HELLO,
        {"MAIL FROM:<jos\xc3\xa9@b.example>\r\n", "553 5.6.7 "},
        {"MAIL FROM:<a@b.example>\r\n", "250 "},
        {"RCPT TO:<jos\xc3\xa9@example.org>\r\n", "553 5.6.7 "},
        {"RSET\r\n", "250 "},
        {"MAIL FROM:<jos\xc3\xa9@b\xc3\xbc"
         "cher.example> SMTPUTF8\r\n",
         "250 "},
        {"RCPT TO:<jos\xc3\xa9@b\xc3\xbc"
         "cher.example>\r\n",
         "250 "},
        {"DATA\r\n", "354 "},
        {"x\r\n.\r\n", "250 "},
    };
    struct talk t;
    talk_init(&t, SMTP_KIND_MX, "");
    talk_begin(&t);
    TALK(&t, steps);
    talk_end(&t);
    expect_in(buf_cstr(&t.world.delivered), "Return-Path: <jos\xc3\xa9@xn--bcher-kva.example>\n");
    expect_in(buf_cstr(&t.world.delivered), " with UTF8SMTP id ");
    expect_in(buf_cstr(&t.world.delivered), "\n\tfor <jos\xc3\xa9@xn--bcher-kva.example>; ");
    fake_world_deinit(&t.world);
}

static void connection_refused(void **state)
{
    struct talk t;
    struct err e;
    int fd[2];
    talk_init(&t, SMTP_KIND_MX, "");
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    struct stream *io = stream_new(fd[0], 1024);
    (void)err_set(&e, RC_LIMIT, 421, "4.7.0", "Error: too many connections");
    smtp_session_refuse(&t.params, io, &e);
    stream_freep(&io);
    t.fd = fd[1];
    assert_true(str_eq(talk_hear(&t), S("421 4.7.0 mx.example.org Error: too many connections\r\n")));
    close(fd[1]);
    table_settings_close(t.tables);
    conf_free(t.conf);
    buf_deinit(&t.in);
    fake_world_deinit(&t.world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(typical_transaction),
        cmocka_unit_test(order_of_commands),
        cmocka_unit_test(ehlo_keywords),
        cmocka_unit_test(never_an_open_relay),
        cmocka_unit_test(pipelined_and_cut_anywhere),
        cmocka_unit_test(bare_line_ends_are_refused),
        cmocka_unit_test(line_feed_alone),
        cmocka_unit_test(wrong_bytes_in_commands),
        cmocka_unit_test(size_limit),
        cmocka_unit_test(chunking),
        cmocka_unit_test(failures_abort_all),
        cmocka_unit_test(an_address_gets_one_copy),
        cmocka_unit_test(lmtp_replies_for_each),
        cmocka_unit_test(failed_as_a_whole),
        cmocka_unit_test(loops_and_large_headers),
        cmocka_unit_test(sink_failures),
        cmocka_unit_test(limits_of_patience),
        cmocka_unit_test(too_many_recipients),
        cmocka_unit_test(too_many_mailboxes),
        cmocka_unit_test(endings),
        cmocka_unit_test(internationalised),
        cmocka_unit_test(connection_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
