/* mbox files: RFC 4155, and the separators and fields that programs write. */
#include "fmt/mbox.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void separators(void **state)
{
    static const struct {
        const char *line;
        int64_t seconds; /* -1: it is none */
    } rows[] = {
        {"From joe@example.com Thu Jan  1 00:00:10 1970", 10},
        {"From MAILER-DAEMON Fri Jul 17 09:44:25 2026", 1784281465},
        {"From joe@example.com Thu Jan  1 00:01 1970", 60},
        {"From joe Thu Jan  1 01:00:10 +0100 1970", 10},
        {"From joe Thu Jan  1 01:00:10 1970 +0100", 10},
        {"From joe Thu Jan  1 00:00:10 EST 1970", 10},
        {"From \"joe b\" Thu Jan  1 00:00:10 1970", 10},
        {"From  Thu Jan  1 00:00:10 1970", 10},
        {"From here on", -1},
        {"From now Jan 1 we", -1},
        {"From joe Thu Jan 41 00:00:10 1970", -1},
        {"From joe Thu Jan  1 00:00:10 1970 and more", -1},
        {"from joe Thu Jan  1 00:00:10 1970", -1},
        {">From joe Thu Jan  1 00:00:10 1970", -1},
        {"From", -1},
        {"", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t seconds = -1;
        assert_int_equal(mbox_is_separator(str_c(rows[i].line), &seconds), rows[i].seconds >= 0);
        assert_int_equal(seconds, rows[i].seconds);
    }
}

static void written_separators_read_back(void **state)
{
    static const int64_t times[] = {0, 10, 951782399, 951782400, 1784281465, 4102444800};
    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(1000);
        int64_t seconds = -1;
        mbox_put_separator(&out, i ? S("joe@example.com") : S(""), times[i]);
        assert_true(str_ends(buf_str(&out), S("\n")));
        assert_true(mbox_is_separator(str_trim(buf_str(&out)), &seconds));
        assert_int_equal(seconds, times[i]);
    }
    AUTO(buf_deinit) struct buf out = BUF_INIT(1000);
    mbox_put_separator(&out, S("joe"), 1784281465);
    assert_string_equal(buf_cstr(&out), "From joe Fri Jul 17 09:44:25 2026\n");
}

static void quoting(void **state)
{
    static const char *const rows[][2] = {
        {"Subject: x\n\nFrom here\n>From\n>From there\nFromage\n",
         "Subject: x\n\n>From here\n>From\n>>From there\nFromage\n\n"},
        {"no end", "no end\n\n"},
        {"", "\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(1000);
        mbox_put_message(&out, str_c(rows[i][0]));
        assert_string_equal(buf_cstr(&out), rows[i][1]);
    }
    assert_true(str_eq(mbox_unquoted(S(">From x")), S("From x")));
    assert_true(str_eq(mbox_unquoted(S(">>From x")), S(">From x")));
    assert_true(str_eq(mbox_unquoted(S(">Fromage")), S(">Fromage")));
    assert_true(str_eq(mbox_unquoted(S("From x")), S("From x")));
}

static void flags(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
    AUTO(buf_deinit) struct buf out = BUF_INIT(1000), clean = BUF_INIT(1000);
    struct mbox_flags f = {MAILDIR_SEEN | MAILDIR_REPLIED | MAILDIR_TRASHED, S("work $Forwarded")};
    mbox_put_flags(&out, &f);
    assert_string_equal(buf_cstr(&out), "Status: RO\nX-Status: AD\nX-Keywords: work $Forwarded\n");
    buf_puts(&out, S("Subject: x\nX-UID: 7\nContent-Length: 4\nstatus: O\n\nStatus: R\n"));
    struct mbox_flags again;
    assert_int_equal(mbox_take_flags(buf_str(&out), a, &clean, &again), RC_OK);
    assert_int_equal(again.flags, f.flags);
    assert_true(str_eq(again.keywords, f.keywords));
    assert_string_equal(buf_cstr(&clean), "Subject: x\n\nStatus: R\n");

    buf_reset(&clean);
    assert_int_equal(mbox_take_flags(S("Subject: x\r\n\r\nbody\r\n"), a, &clean, &again), RC_OK);
    assert_int_equal(again.flags, 0);
    assert_string_equal(buf_cstr(&clean), "Subject: x\r\n\r\nbody\r\n");

    buf_reset(&out);
    mbox_put_flags(&out, &(struct mbox_flags){0});
    assert_int_equal(out.n, 0);
    assert_int_equal(mbox_take_flags(S("Subject: DON'T DELETE\nX-IMAP: 1 2\n\nx\n"), a, &clean, &again),
                     RC_GONE);
    AUTO(buf_deinit) struct buf small = BUF_INIT(4);
    assert_int_equal(mbox_take_flags(S("Subject: x\n\nx\n"), a, &small, &again), RC_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(separators),
                                       cmocka_unit_test(written_separators_read_back),
                                       cmocka_unit_test(quoting), cmocka_unit_test(flags)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
