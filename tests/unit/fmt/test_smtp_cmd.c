/* smtp_cmd: command lines, paths and parameters. */
#include "fmt/smtp_cmd.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct arena *arena;

static void split(void **state)
{
    static const struct {
        const char *line, *verb, *args;
    } rows[] = {{"MAIL FROM:<a@b>", "MAIL", "FROM:<a@b>"},
                {"quit", "quit", ""},
                {"NOOP  x  y ", "NOOP", "x  y"},
                {"", "", ""},
                {"   ", "", ""},
                {"RSET\t", "RSET", ""}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        str verb, args;
        smtp_cmd_split(str_c(rows[i].line), &verb, &args);
        assert_true(str_eq(verb, str_c(rows[i].verb)));
        assert_true(str_eq(args, str_c(rows[i].args)));
    }
}

static void mail_replies(void **state)
{
    static const struct {
        const char *args;
        int code;         /* 0: accepted */
        const char *want; /* sender, or enhanced status */
    } rows[] = {
        {"FROM:<Smith@bar.com>", 0, "Smith@bar.com"},
        {"from:<a@b>", 0, "a@b"},
        {"FROM: <a@b> ", 0, "a@b"},
        {"FROM:<>", 0, ""},
        {"FROM:<@hosta.int,@jkl.org:userc@d.bar.org>", 0, "userc@d.bar.org"}, /* RFC 5321 Appendix D.3 */
        {"FROM:<a@b> SIZE=1000000 BODY=8BITMIME", 0, "a@b"},
        {"FROM:<a@b> size=0 body=7bit smtputf8 RET=HDRS ENVID=QQ314159 AUTH=e+3Dmc2@example.com", 0, "a@b"},
        {"FROM:<a@b> AUTH=<>", 0, "a@b"},
        {"FROM:<\"a b>c\"@b>", 0, "\"a b>c\"@b"},
        {"", 501, "5.5.4"},
        {"FROM", 501, "5.5.4"},
        {"TO:<a@b>", 501, "5.5.4"},
        {"FROM:a@b", 501, "5.5.4"},
        {"FROM:<a@b", 501, "5.1.7"},
        {"FROM:<a>", 501, "5.1.7"},
        {"FROM:< a@b>", 501, "5.1.7"},
        {"FROM:<@a,b:c@d>", 501, "5.1.7"},
        {"FROM:<@a>", 501, "5.1.7"},
        {"FROM:<a@b>SIZE=1", 501, "5.5.4"},
        {"FROM:<a@b> SIZE", 501, "5.5.4"},
        {"FROM:<a@b> SIZE=", 501, "5.5.4"},
        {"FROM:<a@b> SIZE=-1", 501, "5.5.4"},
        {"FROM:<a@b> SIZE=123456789012345678901", 501, "5.5.4"},
        {"FROM:<a@b> SIZE=1 SIZE=1", 501, "5.5.4"},
        {"FROM:<a@b> BODY=BINARYMIME", 501, "5.5.4"},
        {"FROM:<a@b> SMTPUTF8=yes", 501, "5.5.4"},
        {"FROM:<a@b> RET=SOME", 501, "5.5.4"},
        {"FROM:<a@b> ENVID=a+0A", 501, "5.5.4"},
        {"FROM:<a@b> ENVID=a+2b", 501, "5.5.4"}, /* hexchar has upper-case digits */
        {"FROM:<a@b> AUTH=a", 501, "5.5.4"},
        {"FROM:<a@b> =x", 501, "5.5.4"},
        {"FROM:<a@b> NOTIFY=NEVER", 555, "5.5.4"},
        {"FROM:<a@b> HOLDFOR=3", 555, "5.5.4"},
        {"FROM:<a@b> HOLDUNTIL=1985-04-12T23:20:50Z", 555, "5.5.4"},
        {"FROM:<a@b> MT-PRIORITY=3", 555, "5.5.4"},
        {"FROM:<a@b> BY=120;R", 555, "5.5.4"},
        {"FROM:<a@b> REQUIRETLS", 555, "5.5.4"},
        {"FROM:<jos\xc3\xa9@b> SMTPUTF8", 0, "jos\xc3\xa9@b"},
        {"FROM:<jos\xc3\xa9@b>", 553, "5.6.7"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct smtp_mail mail;
        struct err e = {.code = 0};
        enum rc rc = smtp_cmd_parse_mail(str_c(rows[i].args), 0, arena, &mail, &e);
        if ((rc == RC_OK) != (rows[i].code == 0) ||
            (rc && (e.code != rows[i].code || strcmp(e.enhanced, rows[i].want))))
            fail_msg("%s: %s %d %s", rows[i].args, rc_name(rc), e.code, e.enhanced);
        if (rc == RC_OK && mail.null_sender)
            assert_string_equal(rows[i].want, "");
        else if (rc == RC_OK)
            assert_true(str_eq(mailaddr_str(arena, &mail.from), str_c(rows[i].want)));
        arena_reset(arena);
    }
}

static void mail_values(void **state)
{
    struct smtp_mail mail;
    struct err e;
    assert_int_equal(
        smtp_cmd_parse_mail(S("FROM:<a@b> SIZE=99999999999999999999 BODY=8bitmime SMTPUTF8 RET=FULL "
                              "ENVID=QQ+20+2B314 AUTH=e+3Dmc2@example.com"),
                            0, arena, &mail, &e),
        RC_OK);
    assert_true(mail.size == UINT64_MAX);
    assert_int_equal(mail.body, SMTP_BODY_8BITMIME);
    assert_true(mail.smtputf8);
    assert_int_equal(mail.ret, SMTP_RET_FULL);
    assert_true(str_eq(mail.envid, S("QQ +314")));
    assert_true(str_eq(mail.auth, S("e=mc2@example.com"))); /* RFC 4954 §5's example */
    arena_reset(arena);
}

/* Parameters of extensions that were announced. */
static void mail_extensions(void **state)
{
    static const struct {
        const char *param;
        bool ok;
        struct smtp_mail want;
    } rows[] = {
        {"BODY=binarymime", true, {.body = SMTP_BODY_BINARYMIME}},
        {"BODY=8BITMIME", true, {.body = SMTP_BODY_8BITMIME}},
        {"MT-PRIORITY=0", true, {.has_priority = true}},
        {"mt-priority=-9", true, {.has_priority = true, .priority = -9}},
        {"MT-PRIORITY=6", true, {.has_priority = true, .priority = 6}},
        {"MT-PRIORITY=10", false, {0}},
        {"MT-PRIORITY=-0", false, {0}},
        {"MT-PRIORITY=+1", false, {0}},
        {"MT-PRIORITY", false, {0}},
        {"HOLDFOR=86400", true, {.hold_for = 86400}},
        {"HOLDFOR=999999999", true, {.hold_for = 999999999}},
        {"HOLDFOR=1000000000", false, {0}},
        {"HOLDFOR=0", false, {0}},
        {"HOLDFOR=-1", false, {0}},
        {"HOLDUNTIL=1996-12-20T00:39:57Z", true, {.hold_until = 851042397}},
        {"HOLDUNTIL=1996-12-19T16:39:57-08:00", true, {.hold_until = 851042397}},
        {"HOLDUNTIL=tomorrow", false, {0}},
        {"HOLDUNTIL=1996-12-20T00:39:57Z HOLDFOR=1", false, {0}},
        {"HOLDFOR=1 HOLDUNTIL=1996-12-20T00:39:57Z", false, {0}},
        {"BY=120;R", true, {.by = SMTP_BY_RETURN, .by_seconds = 120}}, /* RFC 2852 §6 */
        {"BY=+120;rt", true, {.by = SMTP_BY_RETURN, .by_seconds = 120, .by_trace = true}},
        {"BY=-98;N", true, {.by = SMTP_BY_NOTIFY, .by_seconds = -98}},
        {"BY=0;NT", true, {.by = SMTP_BY_NOTIFY, .by_trace = true}},
        {"BY=0;R", false, {0}},
        {"BY=-1;R", false, {0}},
        {"BY=1234567890;R", false, {0}},
        {"BY=120", false, {0}},
        {"BY=120;", false, {0}},
        {"BY=120;T", false, {0}},
        {"BY=120;RX", false, {0}},
        {"BY=120;RTT", false, {0}},
        {"BY=;R", false, {0}},
        {"REQUIRETLS", true, {.require_tls = true}},
        {"REQUIRETLS=yes", false, {0}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf args = BUF_INIT(200);
        struct smtp_mail mail = {.hold_for = 1};
        const struct smtp_mail *want = &rows[i].want;
        struct err e = {.code = 0};
        buf_printf(&args, "FROM:<> %s", rows[i].param);
        enum rc rc = smtp_cmd_parse_mail(buf_str(&args), ~0u, arena, &mail, &e);
        if ((rc == RC_OK) != rows[i].ok || (rc && e.code != 501))
            fail_msg("%s: %s %d", rows[i].param, rc_name(rc), e.code);
        if (rc)
            continue;
        assert_int_equal(mail.body, want->body);
        assert_int_equal(mail.has_priority, want->has_priority);
        assert_int_equal(mail.priority, want->priority);
        assert_int_equal(mail.hold_for, want->hold_for);
        assert_int_equal(mail.hold_until, want->hold_until);
        assert_int_equal(mail.by, want->by);
        assert_int_equal(mail.by_seconds, want->by_seconds);
        assert_int_equal(mail.by_trace, want->by_trace);
        assert_int_equal(mail.require_tls, want->require_tls);
    }
    arena_reset(arena);
}

static void rcpt_replies(void **state)
{
    static const struct {
        const char *args;
        bool utf8;
        int code;
        const char *want;
    } rows[] = {
        {"TO:<Jones@XYZ.COM>", false, 0, "Jones@xyz.com"},
        {"TO:<PostMaster>", false, 0, "postmaster"},
        {"TO:<Postmaster@x>", false, 0, "Postmaster@x"},
        {"TO:<a@b> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Bob@Example.COM", false, 0, "a@b"},
        {"TO:<a@b> NOTIFY=NEVER", false, 0, "a@b"},
        {"TO:<>", false, 501, "5.1.3"},
        {"TO:<a>", false, 501, "5.1.3"},
        {"TO:<postmaster", false, 501, "5.1.3"},
        {"TO:<a@b> NOTIFY=", false, 501, "5.5.4"},
        {"TO:<a@b> NOTIFY=NEVER,DELAY", false, 501, "5.5.4"},
        {"TO:<a@b> NOTIFY=SUCCESS,", false, 501, "5.5.4"},
        {"TO:<a@b> ORCPT=Bob@Example.COM", false, 501, "5.5.4"},
        {"TO:<a@b> ORCPT=;x", false, 501, "5.5.4"},
        {"TO:<a@b> ORCPT=utf-8;\\x{0A}", false, 501, "5.5.4"},
        {"TO:<a@b> ORCPT=utf-8;jos\xc3\xa9@b", true, 0, "a@b"},
        {"TO:<a@b> SIZE=3", false, 555, "5.5.4"},
        {"TO:<\xc3\xa9@b>", false, 553, "5.6.7"},
        {"TO:<\xc3\xa9@b>", true, 0, "\xc3\xa9@b"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct smtp_rcpt rcpt;
        struct err e = {.code = 0};
        enum rc rc = smtp_cmd_parse_rcpt(str_c(rows[i].args), rows[i].utf8, arena, &rcpt, &e);
        if ((rc == RC_OK) != (rows[i].code == 0) ||
            (rc && (e.code != rows[i].code || strcmp(e.enhanced, rows[i].want))))
            fail_msg("%s: %s %d %s", rows[i].args, rc_name(rc), e.code, e.enhanced);
        if (rc == RC_OK && rcpt.postmaster)
            assert_true(str_eq(rcpt.to.local, str_c(rows[i].want)));
        else if (rc == RC_OK)
            assert_true(str_eq(mailaddr_str(arena, &rcpt.to), str_c(rows[i].want)));
        arena_reset(arena);
    }
}

/* RFC 3461 §10.1's example */
static void rcpt_values(void **state)
{
    struct smtp_rcpt rcpt;
    struct err e;
    assert_int_equal(
        smtp_cmd_parse_rcpt(
            S("TO:<Dana@Ivory.EDU> NOTIFY=SUCCESS,FAILURE,delay ORCPT=rfc822;Dana+2BX@Ivory.EDU"), false,
            arena, &rcpt, &e),
        RC_OK);
    assert_int_equal(rcpt.notify, SMTP_NOTIFY_SUCCESS | SMTP_NOTIFY_FAILURE | SMTP_NOTIFY_DELAY);
    assert_true(str_eq(rcpt.orcpt_type, S("rfc822")));
    assert_true(str_eq(rcpt.orcpt, S("Dana+X@Ivory.EDU")));
    assert_int_equal(
        smtp_cmd_parse_rcpt(S("TO:<a@b> ORCPT=UTF-8;jos\\x{E9}\\x{2B}x@b"), false, arena, &rcpt, &e), RC_OK);
    assert_true(str_eq(rcpt.orcpt, S("jos\xc3\xa9+x@b"))); /* RFC 6533 §3 */
    arena_reset(arena);
}

static void helo_names(void **state)
{
    static const struct {
        const char *text;
        enum rc want;
    } rows[] = {{"client.example", RC_OK}, {"[192.0.2.1]", RC_OK}, {"my_pc", RC_OK},        {"", RC_INVALID},
                {"a b", RC_INVALID},       {"a\x01", RC_INVALID},  {"\xc3\xa9", RC_INVALID}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(smtp_cmd_check_helo(str_c(rows[i].text)), rows[i].want);
    char longest[256];
    memset(longest, 'x', sizeof longest);
    assert_int_equal(smtp_cmd_check_helo(str_mem(longest, 255)), RC_OK);
    assert_int_equal(smtp_cmd_check_helo(str_mem(longest, 256)), RC_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(split),           cmocka_unit_test(mail_replies), cmocka_unit_test(mail_values),
        cmocka_unit_test(mail_extensions), cmocka_unit_test(rcpt_replies), cmocka_unit_test(rcpt_values),
        cmocka_unit_test(helo_names),
    };
    arena = arena_new(1 << 20);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(arena);
    return failed;
}
