/* header_checks(5) and body_checks: what each action does to a message, its reply and the log. */
#include "talk.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <unistd.h>

#define CLIENT                                                                                \
    " from client.example[192.0.2.7]; from=<a@b.example> to=<alice@example.org> proto=ESMTP " \
    "helo=<c.example>"

static struct talk talk; /* as the last exchange left it */
static char log_text[1 << 16];

/* One message through tables with these rules; the reply to its end. */
static const char *exchange(enum smtp_kind kind, const char *header_rules, const char *body_rules,
                            const char *settings, const char *message)
{
    static char reply[1000];
    char header[] = "/tmp/malle-header-XXXXXX", body[] = "/tmp/malle-body-XXXXXX", text[4000];
    int h = mkstemp(header), b = mkstemp(body);
    must(dprintf(h, "%s\n", header_rules) > 0 && dprintf(b, "%s\n", body_rules) > 0);
    snprintf(text, sizeof text, "header_checks = regexp:%s\nbody_checks = pcre:%s\n%s", header, body,
             settings);
    const char *hello = kind == SMTP_KIND_LMTP ? "LHLO c.example\r\n" : "EHLO c.example\r\n";
    const char *lines[] = {NULL, hello, "MAIL FROM:<a@b.example>\r\n", "RCPT TO:<alice@example.org>\r\n",
                           "DATA\r\n"};
    talk_init(&talk, kind, text);
    talk_begin(&talk);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        talk_say(&talk, str_c(lines[i]));
        (void)talk_hear(&talk);
    }
    talk_say(&talk, str_c(message));
    talk_say(&talk, S(".\r\n"));
    str heard = talk_hear(&talk);
    snprintf(reply, sizeof reply, STR_FMT, STR_ARG(heard));
    talk_end(&talk);
    snprintf(log_text, sizeof log_text, "%s", talk_log());
    close(h);
    close(b);
    unlink(header);
    unlink(body);
    return reply;
}

static void expect_in(const char *text, const char *part)
{
    if (part[0] == '!' ? strstr(text, part + 1) == NULL : strstr(text, part) != NULL)
        return;
    fail_msg("wanted \"%s\" in:\n%s", part, text);
}

static void actions(void **state)
{
    static const struct {
        const char *header, *body, *settings, *message, *reply, *log, *kept;
    } rows[] = {
        {"/^Subject: bad/ REJECT go away", "", "", "Subject: bad\r\n\r\nx\r\n", "550 5.7.1 go away\r\n",
         ": reject: header Subject: bad" CLIENT ": 5.7.1 go away\n", "!Subject"},
        {"/^Subject: bad/ REJECT", "", "", "Subject: bad\r\n\r\nx\r\n",
         "550 5.7.1 message content rejected\r\n", ": 5.7.1 message content rejected\n", "!Subject"},
        {"/^Subject: bad/ REJECT 4.2.0 later", "", "", "Subject: bad\r\n\r\nx\r\n", "451 4.2.0 later\r\n",
         ": 4.2.0 later\n", "!Subject"},
        {"/^Subject: a b/ WARN seen", "", "", "Subject: a b\r\n\r\nx\r\n",
         "250 2.0.0 Ok: ", ": warning: header Subject: a b" CLIENT ": seen\n", "Subject: a b\n\nx\n"},
        {"/^To: (.*)\n (.*)/ INFO $2", "", "", "To: one\r\n two\r\n\r\n", "250 ",
         ": info: header To: one? two" CLIENT ": two\n", "To: one\n two\n\n"},
        {"/^Subject:/ IGNORE", "", "", "To: a\r\nSubject: b\r\n c\r\nCc: d\r\n\r\n", "250 ",
         "!header Subject", "To: a\nCc: d\n\n"},
        {"/^Subject:/ STRIP why", "", "", "To: a\r\nSubject: b\r\nCc: d\r\n\r\n", "250 ",
         ": strip: header Subject: b" CLIENT ": why\n", "To: a\nCc: d\n\n"},
        {"/^Subject: (.*)/ REPLACE Subject: [x] $1", "", "", "To: a\r\nSubject: b\r\nCc: d\r\n\r\n", "250 ",
         ": replace: header Subject: b" CLIENT ": Subject: [x] b\n", "To: a\nSubject: [x] b\nCc: d\n\n"},
        {"/^Subject: (.*)/ PREPEND X-Was: $1", "", "", "To: a\r\nSubject: b\r\n\r\n", "250 ",
         ": prepend: header Subject: b" CLIENT ": X-Was: b\n", "To: a\nX-Was: b\nSubject: b\n\n"},
        {"/^Subject: (.*)/ REPLACE nothing", "", "", "Subject: b\r\n\r\n", "250 ",
         "; need \"headername: headervalue\"", "Subject: b\n\n"},
        {"/^Subject:/ DISCARD hush", "", "", "Subject: b\r\n\r\n", "250 2.0.0 Ok: queued as ",
         ": discard: header Subject: b" CLIENT ": hush\n", "!Subject"},
        {"/^Subject:/ PASS\n/^To:/ REJECT", "/x/ REJECT", "", "Subject: b\r\nTo: a\r\n\r\nx\r\n", "250 ",
         ": pass: header Subject: b" CLIENT "\n", "Subject: b\nTo: a\n\nx\n"},
        {"/^Subject:/ BCC bob@example.org", "", "", "Subject: b\r\n\r\n", "250 ",
         ": bcc: header Subject: b" CLIENT ": bob@example.org\n", "Delivered-To: bob@example.org\n"},
        {"/^Subject:/ REDIRECT bob@example.org\n/^To:/ REJECT", "", "", "Subject: b\r\nTo: a\r\n\r\n", "250 ",
         ": redirect: header Subject: b" CLIENT ": bob@example.org\n", "!Delivered-To: alice@example.org\n"},
        {"/^Received:/ IGNORE", "", "", "Subject: b\r\n\r\n", "250 ", "!header Received", "!Received:"},
        {"/^Received: from [^ ]* (.*)/ REPLACE Received: from x $1", "", "", "Subject: b\r\n\r\n", "250 ",
         ": replace: header Received: from c.example",
         "\nReceived: from x (client.example [192.0.2.7])\n\tby "},
        {"/^Received:/ REJECT", "", "", "Subject: b\r\n\r\n", "550 5.7.1 ",
         ": reject: header Received: from ", "!Subject"},
        {"/^X/ DUNNO", "/^one (.*)/ REPLACE 1 $1", "", "A: b\r\n\r\none two\r\nthree\r\n", "250 ",
         ": replace: body one two" CLIENT ": 1 two\n", "A: b\n\n1 two\nthree\n"},
        {"/^X/ DUNNO", "/^two/ IGNORE", "", "A: b\r\n\r\none\r\ntwo\r\nthree\r\n", "250 ", "!body two",
         "A: b\n\none\nthree\n"},
        {"/^X/ DUNNO", "/^two/ PREPEND 1.5", "", "A: b\r\n\r\none\r\ntwo\r\n", "250 ",
         ": prepend: body two" CLIENT, "A: b\n\none\n1.5\ntwo\n"},
        {"/^X/ DUNNO", "/^two/ REJECT", "", "A: b\r\n\r\none\r\ntwo\r\n", "550 5.7.1 ",
         ": reject: body two" CLIENT ": 5.7.1 message", "!one"},
        {"/^X/ DUNNO", "/^two/ REJECT", "body_checks_size_limit = 6\n", "A: b\r\n\r\none1\r\ntwo\r\n", "250 ",
         "!reject", "two\n"},
        {"/^X/ DUNNO", "/^two/ REJECT", "body_checks_size_limit = 7\n", "A: b\r\n\r\none1\r\ntwo\r\n", "550 ",
         "reject", "!two\n"},
        {"/^Content-Type: image/ REJECT no pictures", "", "",
         "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: "
         "image/png\r\n\r\nx\r\n--b--\r\n",
         "550 5.7.1 no pictures", ": reject: header Content-Type: image/png" CLIENT, "!image"},
        {"/^Content-Type: image/ REJECT no pictures", "", "mime_header_checks =\n",
         "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: "
         "image/png\r\n\r\nx\r\n--b--\r\n",
         "250 ", "!reject", "image/png"},
        {"/^Subject: in/ REJECT", "", "nested_header_checks =\n",
         "Subject: out\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nx\r\n", "250 ", "!reject",
         "Subject: in"},
        {"/^Subject: in/ REJECT", "", "",
         "Subject: out\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nx\r\n", "550 ",
         ": reject: header Subject: in" CLIENT, "!Subject"},
        {"/^Subject: bad/ REJECT", "/^bad/ REJECT", "", "A: b\r\nno field\r\nSubject: bad\r\n\r\nx\r\n",
         "250 ", "!reject", "A: b\n\nno field\nSubject: bad\n\nx\n"},
        {"/./ REJECT", "/./ REJECT", "receive_override_options = no_header_body_checks\n",
         "Subject: b\r\n\r\nx\r\n", "250 ", "!reject", "Subject: b\n\nx\n"},
        {"/^Subject:/ NONSENSE", "", "", "Subject: b\r\n\r\n", "250 ",
         "bad entry in header_checks map: \"NONSENSE\"", "Subject: b\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *reply =
            exchange(SMTP_KIND_MX, rows[i].header, rows[i].body, rows[i].settings, rows[i].message);
        if (!str_starts(str_c(reply), str_c(rows[i].reply)))
            fail_msg("row %zu: wanted %s, got %s", i, rows[i].reply, reply);
        expect_in(log_text, rows[i].log);
        expect_in(buf_cstr(&talk.world.delivered), rows[i].kept);
        fake_world_deinit(&talk.world);
    }
}

/* The limit is for what is kept, too; a field that is longer than what is looked at shares its beginning's
 * fate. */
static void sizes(void **state)
{
    static char message[200000];
    size_t n = (size_t)snprintf(message, sizeof message, "To: a\r\nX-Long: ");
    memset(message + n, 'x', 100000);
    snprintf(message + n + 100000, 100, "\r\nSubject: s\r\n\r\nbody\r\n");
    assert_true(str_starts(str_c(exchange(SMTP_KIND_MX, "/^X-Long: x/ REPLACE X-Short: y", "", "", message)),
                           S("250 ")));
    expect_in(buf_cstr(&talk.world.delivered), "To: a\nX-Short: y\nSubject: s\n\nbody\n");
    assert_int_equal(talk.world.last_lines, 5);
    fake_world_deinit(&talk.world);
    assert_true(str_starts(str_c(exchange(SMTP_KIND_MX, "/^X-Long: x/ IGNORE", "", "", message)), S("250 ")));
    expect_in(buf_cstr(&talk.world.delivered), "To: a\nSubject: s\n\nbody\n");
    fake_world_deinit(&talk.world);
    n = (size_t)snprintf(message, sizeof message, "To: a\r\n\r\n");
    for (int i = 0; i < 20; i++)
        n += (size_t)snprintf(message + n, sizeof message - n, "a\r\n");
    char rule[300];
    snprintf(rule, sizeof rule, "/^a/ PREPEND %0200d", 1);
    assert_string_equal(exchange(SMTP_KIND_MX, "/^X/ DUNNO", rule, "message_size_limit = 2000\n", message),
                        "552 5.3.4 Error: message file too big\r\n");
    fake_world_deinit(&talk.world);
}

/* What LMTP brings was looked at before. */
static void lmtp(void **state)
{
    assert_true(
        str_starts(str_c(exchange(SMTP_KIND_LMTP, "/./ REJECT", "/./ REJECT", "", "Subject: b\r\n\r\nx\r\n")),
                   S("250 ")));
    fake_world_deinit(&talk.world);
}

/* What is dropped is missing for submission. */
static void completed(void **state)
{
    const char *rule = "/^Message-ID:/ IGNORE";
    (void)exchange(SMTP_KIND_MX, rule, "", "", "Message-ID: <1@x>\r\nDate: x\r\n\r\n");
    expect_in(buf_cstr(&talk.world.delivered), "!Message-ID");
    expect_in(log_text, ": message-id=\n");
    fake_world_deinit(&talk.world);
}

static void no_binary(void **state)
{
    struct talk t;
    talk_init(&t, SMTP_KIND_MX, "body_checks = inline:{ x=REJECT }\n");
    talk_begin(&t);
    (void)talk_hear(&t);
    talk_say(&t, S("EHLO c.example\r\n"));
    assert_true(str_find(talk_hear(&t), S("BINARYMIME")) < 0);
    talk_end(&t);
    fake_world_deinit(&t.world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(actions), cmocka_unit_test(sizes),
                                       cmocka_unit_test(lmtp), cmocka_unit_test(completed),
                                       cmocka_unit_test(no_binary)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
