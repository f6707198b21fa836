/* The parameters of MAIL and RCPT: each goes where the server offers it and nowhere else; what a message
 * needs and the server lacks is known before anything is sent. */
#include "fmt/smtp_cmd.h"
#include "os/tls.h"
#include "scripted.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct arena *arena;

static int set_up(void **state)
{
    arena = arena_new(1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    arena = arena_free(arena);
    return 0;
}

#define ALL                                                                                                 \
    "250-SIZE 100000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n250-MT-PRIORITY\r\n250-DELIVERBY 60\r\n" \
    "250-CHUNKING\r\n250-BINARYMIME\r\n"

static struct smtp_client_message plain_message(struct smtp_client_rcpt *rcpt)
{
    *rcpt = (struct smtp_client_rcpt){.address = S("a@example.org")};
    return (struct smtp_client_message){
        .sender = S("s@example.net"), .header = S("A: b\n\n"), .fd = -1, .rcpts = rcpt, .n_rcpts = 1};
}

/* What the client says for the message up to the content, with these offers; "" when it says nothing. */
static const char *said_for(struct smtp_client_message *m, const char *offers)
{
    static char lines[4000], hello[1000];
    snprintf(hello, sizeof hello, "250-mx\r\n%s250 HELP\r\n", offers);
    const struct script_step steps[] = {{NULL, "220 mx\r\n"}, {"EHLO *", hello},     {"*", "250 ok\r\n"},
                                        {"*", "250 ok\r\n"},  {"*", "550 stop\r\n"}, {NULL, SAY_NOTHING}};
    struct scripted server = {0};
    struct smtp_client *c = NULL;
    struct smtp_client_failure f;
    struct smtp_client_params p = scripted_params;
    arena_reset(arena);
    assert_int_equal(
        smtp_client_open(&p, scripted_begin(&server, steps, sizeof steps / sizeof *steps), arena, &c, &f),
        RC_OK);
    smtp_client_send(c, arena, m);
    smtp_client_free(c);
    pthread_join(server.thread, NULL);
    str heard = buf_str(&server.lines);
    (void)str_take(&heard, '\n');
    ptrdiff_t end = str_find(heard, S("\nDATA"));
    if (end < 0)
        end = str_find(heard, S("\nBDAT"));
    snprintf(lines, sizeof lines, STR_FMT, STR_ARG(str_sub(heard, 0, end < 0 ? heard.n : (size_t)end)));
    scripted_free(&server);
    return lines;
}

static void everything_is_passed_where_offered(void **state)
{
    struct smtp_client_rcpt rcpt;
    struct smtp_client_message m = plain_message(&rcpt);
    m.size_bytes = 1234;
    m.content = SMTP_CONTENT_8BIT;
    m.ret = SMTP_RET_HDRS;
    m.envid = S("id+=1 \xff");
    m.has_priority = true;
    m.priority = -4;
    m.by_mode = 'R';
    m.by_trace = true;
    m.by_seconds = 120;
    rcpt.notify = SMTP_NOTIFY_SUCCESS | SMTP_NOTIFY_FAILURE | SMTP_NOTIFY_DELAY;
    rcpt.orcpt_type = S("rfc822");
    rcpt.orcpt = S("a+b@example.org");
    assert_string_equal(
        said_for(&m, ALL),
        "MAIL FROM:<s@example.net> SIZE=1234 BODY=8BITMIME RET=HDRS ENVID=id+2B+3D1+20+FF "
        "MT-PRIORITY=-4 BY=120;RT\n"
        "RCPT TO:<a@example.org> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;a+2Bb@example.org");
    m.by_mode = 'N';
    m.by_seconds = -5;
    m.by_trace = false;
    m.content = SMTP_CONTENT_7BIT;
    m.ret = SMTP_RET_FULL;
    m.envid = STR_NONE;
    rcpt.notify = SMTP_NOTIFY_NEVER;
    rcpt.orcpt = STR_NONE;
    assert_string_equal(said_for(&m, ALL),
                        "MAIL FROM:<s@example.net> SIZE=1234 RET=FULL MT-PRIORITY=-4 BY=-5;N\n"
                        "RCPT TO:<a@example.org> NOTIFY=NEVER");
    assert_string_equal(said_for(&m, ""), "MAIL FROM:<s@example.net>\nRCPT TO:<a@example.org>");
    m.sender = S("");
    m.priority = 10; /* no such level */
    assert_string_equal(said_for(&m, "250-MT-PRIORITY\r\n250-SIZE\r\n"),
                        "MAIL FROM:<> SIZE=1234\nRCPT TO:<a@example.org>");
}

static void utf8_is_passed(void **state)
{
    struct smtp_client_rcpt rcpt;
    struct smtp_client_message m = plain_message(&rcpt);
    m.smtputf8 = true;
    m.sender = S("j\xc3\xb6@example.net");
    rcpt.address = S("\xe4\xb8\xad@example.org");
    rcpt.orcpt_type = S("utf-8");
    rcpt.orcpt = S("\xe4\xb8\xad+@example.org");
    assert_string_equal(said_for(&m, ALL),
                        "MAIL FROM:<j\xc3\xb6@example.net> SMTPUTF8\n"
                        "RCPT TO:<\xe4\xb8\xad@example.org> ORCPT=utf-8;\xe4\xb8\xad+2B@example.org");
    m.smtputf8 = false; /* RFC 6533 §3: the address in ASCII */
    m.sender = S("j@example.net");
    rcpt.address = S("a@example.org");
    assert_string_equal(said_for(&m, ALL), "MAIL FROM:<j@example.net>\n"
                                           "RCPT TO:<a@example.org> ORCPT=utf-8;\\x{4E2D}+2B@example.org");
    rcpt.address = S("\xe4\xb8\xad@example.org"); /* the message was not said to need it */
    assert_string_equal(said_for(&m, ALL), "");
    assert_string_equal(rcpt.outcome.enhanced, "5.6.7");
    assert_int_equal(rcpt.outcome.rc, RC_PERM);
}

static void binary_goes_as_it_is(void **state)
{
    struct smtp_client_rcpt rcpt;
    struct smtp_client_message m = plain_message(&rcpt);
    m.content = SMTP_CONTENT_BINARY;
    assert_string_equal(said_for(&m, ALL),
                        "MAIL FROM:<s@example.net> BODY=BINARYMIME\nRCPT TO:<a@example.org>");
}

static void refused_unsent(struct smtp_client_message *m, const char *offers, const char *enhanced,
                           const char *text)
{
    assert_string_equal(said_for(m, offers), "");
    const struct smtp_outcome *o = &m->rcpts[0].outcome;
    if (!str_eq(o->text, str_c(text)))
        fail_msg("wanted \"%s\", got \"" STR_FMT "\"", text, STR_ARG(o->text));
    assert_int_equal(o->rc, RC_PERM);
    assert_int_equal(o->phase, SMTP_PHASE_CHECK);
    assert_int_equal(o->code, 0);
    assert_string_equal(o->enhanced, enhanced);
    assert_int_equal(m->outcome.rc, RC_PERM);
    assert_true(m->rcpts[0].tried);
}

static void what_is_lacking_is_known_before(void **state)
{
    struct smtp_client_rcpt rcpt;
    struct smtp_client_message m = plain_message(&rcpt);
    m.smtputf8 = true;
    refused_unsent(&m, "250-8BITMIME\r\n", "5.6.7",
                   "SMTPUTF8 is required, but host mx.example[192.0.2.1] does not offer it");
    m = plain_message(&rcpt);
    m.size_bytes = 100001;
    refused_unsent(&m, ALL, "5.3.4",
                   "message size 100001 exceeds size limit 100000 of server mx.example[192.0.2.1]");
    m.size_bytes = 100000;
    assert_string_not_equal(said_for(&m, ALL), "");
    m = plain_message(&rcpt);
    m.by_mode = 'R';
    m.by_seconds = 100;
    refused_unsent(&m, "250-DSN\r\n", "5.3.3",
                   "delivery by a time is required, but host mx.example[192.0.2.1] does not offer DELIVERBY");
    m.by_seconds = 59;
    refused_unsent(&m, ALL, "5.4.7",
                   "delivery time expired: 59 seconds are left, and host mx.example[192.0.2.1] needs 60");
    m = plain_message(&rcpt);
    m.requiretls = true;
    refused_unsent(&m, "250-REQUIRETLS\r\n", "5.7.10",
                   "REQUIRETLS is required, but the connection to host mx.example[192.0.2.1] has no TLS");
}

static void eight_bits_can_be_converted(void **state)
{
    struct smtp_client_rcpt rcpt;
    struct smtp_client_message m = plain_message(&rcpt);
    m.content = SMTP_CONTENT_8BIT;
    refused_unsent(&m, "250-DSN\r\n", "5.6.3",
                   "transport of 8-bit content is required, but host mx.example[192.0.2.1] does not offer "
                   "8BITMIME");
    assert_true(m.needs_7bit);
    m.content = SMTP_CONTENT_BINARY;
    refused_unsent(&m, "250-CHUNKING\r\n250-8BITMIME\r\n", "5.6.3",
                   "transport of binary content is required, but host mx.example[192.0.2.1] does not offer "
                   "BINARYMIME");
    assert_true(m.needs_7bit);
    m.content = SMTP_CONTENT_7BIT;
    assert_string_not_equal(said_for(&m, "250-DSN\r\n"), "");
    assert_false(m.needs_7bit);
}

/* Whatever stands in an address, it is no second command. */
static void addresses_cannot_carry_commands(void **state)
{
    struct smtp_client_rcpt rcpt;
    struct smtp_client_message m = plain_message(&rcpt);
    m.sender = S("a>\r\nRCPT TO:<x@example.org");
    refused_unsent(&m, ALL, "5.1.7", "malformed sender address");
    m = plain_message(&rcpt);
    rcpt.address = S("a\n@example.org");
    refused_unsent(&m, ALL, "5.1.3", "malformed recipient address");
    rcpt.address = S("");
    refused_unsent(&m, ALL, "5.1.3", "malformed recipient address");
}

/* --- what was passed on --- */

static unsigned passed(struct smtp_client_message *m, const char *offers, const char *rcpt_reply)
{
    char hello[1000];
    snprintf(hello, sizeof hello, "250-mx\r\n%s250 HELP\r\n", offers);
    const struct script_step steps[] = {{NULL, "220 mx\r\n"},     {"EHLO *", hello},
                                        {"MAIL *", "250 ok\r\n"}, {"RCPT *", rcpt_reply},
                                        {"DATA", "354 go\r\n"},   {HEAR_DOTS, "250 ok\r\n"}};
    struct scripted server = {0};
    struct smtp_client *c = NULL;
    struct smtp_client_failure f;
    size_t n = rcpt_reply[0] == '2' ? 6 : 4;
    assert_int_equal(smtp_client_open(&scripted_params, scripted_begin(&server, steps, n), arena, &c, &f),
                     RC_OK);
    smtp_client_send(c, arena, m);
    smtp_client_free(c);
    scripted_end(&server);
    scripted_free(&server);
    return m->passed;
}

static void what_was_passed_is_told(void **state)
{
    struct smtp_client_rcpt rcpt;
    struct smtp_client_message m = plain_message(&rcpt);
    m.has_priority = true;
    m.by_mode = 'N';
    m.by_seconds = 100;
    assert_int_equal(passed(&m, "250-DSN\r\n", "250 ok\r\n"), SMTP_PASSED_DSN);
    assert_int_equal(passed(&m, "250-DSN\r\n", "550 no\r\n"), 0);
    assert_int_equal(passed(&m, "", "250 ok\r\n"), 0);
    assert_int_equal(passed(&m, "250-DELIVERBY\r\n250-MT-PRIORITY\r\n", "250 ok\r\n"),
                     SMTP_PASSED_DELIVERBY | SMTP_PASSED_PRIORITY);
    m.smtputf8 = true;
    assert_int_equal(passed(&m, "250-SMTPUTF8\r\n", "250 ok\r\n"), SMTP_PASSED_SMTPUTF8);
}

/* AUTH goes with MAIL only after this client has logged in; REQUIRETLS only under TLS. */
static void after_tls_and_auth(void **state)
{
    static const struct script_step steps[] = {
        {NULL, SAY_TLS},
        {NULL, "220 mx\r\n"},
        {"EHLO *", "250-mx\r\n250-REQUIRETLS\r\n250 AUTH PLAIN\r\n"},
        {"AUTH PLAIN *", "235 ok\r\n"},
        {"MAIL FROM:<s@example.net> AUTH=<> REQUIRETLS", "250 ok\r\n"},
        {"RCPT *", "250 ok\r\n"},
        {"DATA", "354 go\r\n"},
        {HEAR_DOTS, "250 ok\r\n"},
        {"MAIL FROM:<s@example.net> AUTH=s+2Bt@example.net", "550 no\r\n"},
    };
    struct buf chain = BUF_INIT(65536), key = BUF_INIT(65536);
    struct err e = {0};
    struct scripted server = {0};
    struct smtp_client_params p = scripted_params;
    assert_int_equal(tls_self_signed(S("mx.example"), &chain, &key), RC_OK);
    struct tls_pem pem = {.chain = buf_str(&chain), .key = buf_str(&key), .name = S("test")};
    assert_int_equal(tls_server_new(&pem, 1, S("TLSv1.2"), S(""), &server.tls, &e), RC_OK);
    struct tls_client_settings set = {.no_ca = true, .min_version = S("TLSv1.2")};
    assert_int_equal(tls_client_new(&set, &p.tls, &e), RC_OK);
    struct smtp_client_auth auth = {.user = S("u"), .password = S("p")};
    p.auth = &auth;
    p.tls_level = SMTP_TLS_ENCRYPT;
    p.tls_implicit = true;

    struct smtp_client *c = NULL;
    struct smtp_client_failure f;
    struct smtp_client_rcpt rcpt;
    struct smtp_client_message m = plain_message(&rcpt);
    m.auth = S("<>");
    m.requiretls = true;
    struct tls_server *server_tls = server.tls;
    assert_int_equal(
        smtp_client_open(&p, scripted_begin(&server, steps, sizeof steps / sizeof *steps), arena, &c, &f),
        RC_OK);
    smtp_client_send(c, arena, &m);
    assert_int_equal(m.passed, SMTP_PASSED_REQUIRETLS);
    m.requiretls = false;
    m.auth = S("s+t@example.net");
    smtp_client_send(c, arena, &m);
    smtp_client_free(c);
    scripted_end(&server);
    scripted_free(&server);
    tls_server_unref(server_tls);
    tls_client_unref(p.tls);
    buf_deinit(&chain);
    buf_deinit(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_passed_where_offered),
        cmocka_unit_test(utf8_is_passed),
        cmocka_unit_test(binary_goes_as_it_is),
        cmocka_unit_test(what_is_lacking_is_known_before),
        cmocka_unit_test(eight_bits_can_be_converted),
        cmocka_unit_test(addresses_cannot_carry_commands),
        cmocka_unit_test(what_was_passed_is_told),
        cmocka_unit_test(after_tls_and_auth),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
