/* fmt/localmail: what programs give sendmail becomes a message that can be sent. */
#include "fmt/localmail.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct {
    const char *in, *want, *want_dots; /* without and with -i */
} inputs[] = {
    {"", "", ""},
    {"a\nb\n", "a\nb\n", "a\nb\n"},
    {"a\r\nb\r\n", "a\nb\n", "a\nb\n"},
    {"a\rb\r\r\n", "a\rb\r\n", "a\rb\r\n"},
    {"unfinished", "unfinished\n", "unfinished\n"},
    {"a\r", "a\r\n", "a\r\n"},
    {"a\n.\nb\n", "a\n", "a\n.\nb\n"},
    {"a\r\n.\r\nb\r\n", "a\n", "a\n.\nb\n"},
    {"a\n.", "a\n", "a\n.\n"},
    {".", "", ".\n"},
    {"a\n..\n.b\n .\n", "a\n..\n.b\n .\n", "a\n..\n.b\n .\n"},
    {".\r", ".\r\n", ".\r\n"},
};

static void reading(void **state)
{
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        for (int dots = 0; dots < 2; dots++) {
            str in = str_c(inputs[i].in);
            for (size_t cut = 0; cut <= in.n; cut++) {
                struct localmail_reader r = {.dot_ends = !dots};
                struct buf out = BUF_INIT(1000);
                localmail_feed(&r, &out, str_sub(in, 0, cut));
                localmail_feed(&r, &out, str_from(in, cut));
                localmail_finish(&r, &out);
                assert_string_equal(buf_cstr(&out), dots ? inputs[i].want_dots : inputs[i].want);
                buf_deinit(&out);
            }
        }
    }
}

/* The recipients with spaces between them. */
static void join(const struct localmail_addresses *list, struct buf *out)
{
    for (size_t i = 0; i < list->n; i++)
        buf_printf(out, "%s" STR_FMT, i ? " " : "", STR_ARG(list->v[i]));
}

static const struct {
    const char *raw, *header, *body, *recipients; /* with -t */
} headers[] = {
    {"To: a@b.example\nBcc: c@d.example\n\nx\n", "To: a@b.example\nFrom: me@o\n\n", "x\n",
     "a@b.example c@d.example"},
    {"From: x@y\nTo: A <a@b>,\n \"q, r\"@d\nCC: Friends: f@g, h@i;\n\n",
     "From: x@y\nTo: A <a@b>,\n \"q, r\"@d\nCC: Friends: f@g, h@i;\n\n", "", "a@b \"q, r\"@d f@g h@i"},
    {"From: a@b\nTo: Undisclosed recipients\nBcc: c@d\n\n", "From: a@b\nTo: Undisclosed recipients\n\n", "",
     "c@d"},
    /* as cron writes it */
    {"From: root (Cron Daemon)\nTo: root\nSubject: Cron\n\nout\n",
     "From: Cron Daemon <root@o>\nTo: root@o\nSubject: Cron\n\n", "out\n", "root@o"},
    {"From: a\nTo: joe, Group: ann, x@y;, \"J. Doe\" <j>\n\n",
     "From: a@o\nTo: joe@o,\n Group: ann@o,\n x@y;,\n \"J. Doe\" <j@o>\n\n", "", "joe@o ann@o x@y j@o"},
    /* what was sent on goes to whom it is sent on to */
    {"From: a@b\nTo: old@x\nResent-To: new@x\nResent-Bcc: secret@x\n\n",
     "From: a@b\nTo: old@x\nResent-To: new@x\n\n", "", "new@x secret@x"},
    {"From joe Thu Jan  1 00:00:00 1970\nFrom: a@b\nReturn-Path: <x@y>\nContent-Length: 3\nbcc:\n "
     "folded@x\n\nb\n",
     "From: a@b\n\n", "b\n", "folded@x"},
    /* no header, or one that ends without an empty line */
    {"just text\n", "From: me@o\n\n", "just text\n", ""},
    {"see: http://x is no header\n", "see: http://x is no header\nFrom: me@o\n\n", "", ""},
    {"From: a@b\nno header here\nTo: x@y\n", "From: a@b\n\n", "no header here\nTo: x@y\n", ""},
    {"\nTo: x@y\n", "From: me@o\n\n", "To: x@y\n", ""},
    {" folded: first\n", "From: me@o\n\n", " folded: first\n", ""},
    {"", "From: me@o\n\n", "", ""},
};

static void header(void **state)
{
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        const struct localmail_header h = {.origin = S("o"), .from = S("me@o"), .recipients = true};
        AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
        struct buf out = BUF_INIT(4096), to = BUF_INIT(4096);
        struct localmail_addresses rcpts = {0};
        str body;
        assert_int_equal(localmail_put_header(&h, str_c(headers[i].raw), a, &out, &rcpts, &body), RC_OK);
        join(&rcpts, &to);
        assert_string_equal(buf_cstr(&out), headers[i].header);
        assert_true(str_eq(body, str_c(headers[i].body)));
        assert_string_equal(buf_cstr(&to), headers[i].recipients);
        buf_deinit(&out);
        buf_deinit(&to);
    }
}

static void no_recipients_are_gathered_without_t(void **state)
{
    const struct localmail_header h = {.origin = S("o")};
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    AUTO(buf_deinit) struct buf out = BUF_INIT(4096);
    struct localmail_addresses rcpts = {0};
    str body;
    assert_int_equal(localmail_put_header(&h, S("To: a@b\nBcc: c@d\n\n"), a, &out, &rcpts, &body), RC_OK);
    assert_string_equal(buf_cstr(&out), "To: a@b\n\n");
    assert_int_equal(rcpts.n, 0);
}

static void arguments(void **state)
{
    static const struct {
        const char *text, *want;
        enum rc rc;
    } rows[] = {
        {"joe", "joe@o", RC_OK},
        {"Joe Doe <joe@x>, ann", "joe@x ann@o", RC_OK},
        {"\"a b\"@x", "\"a b\"@x", RC_OK},
        {"a b", "", RC_INVALID},
        {"\"a\x01"
         "b\"@x",
         "", RC_INVALID},
        {"", "", RC_OK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
        AUTO(buf_deinit) struct buf out = BUF_INIT(4096);
        struct localmail_addresses list = {0};
        enum rc rc = localmail_add(&list, str_c(rows[i].text), S("o"), a);
        join(&list, &out);
        assert_string_equal(buf_cstr(&out), rows[i].want);
        assert_int_equal(rc, rows[i].rc);
    }
}

/* RFC 5322 §3.2.4 */
static void from_fields(void **state)
{
    static const struct {
        const char *name, *want;
    } rows[] = {
        {"", "a@b"},
        {"Joe Doe", "Joe Doe <a@b>"},
        {"J. \"Q\" Doe", "\"J. \\\"Q\\\" Doe\" <a@b>"},
        {"x\r\nBcc: y", "\"x  Bcc: y\" <a@b>"},
        {"J\xc3\xb6rg", "J\xc3\xb6rg <a@b>"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(4096);
        localmail_put_mailbox(&out, str_c(rows[i].name), S("a@b"));
        assert_string_equal(buf_cstr(&out), rows[i].want);
    }
}

static void limits(void **state)
{
    const struct localmail_header h = {.origin = S("o"), .recipients = true};
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    AUTO(buf_deinit) struct buf out = BUF_INIT(10);
    struct localmail_addresses rcpts = {0};
    str body;
    assert_int_equal(localmail_put_header(&h, S("Subject: too long\n\n"), a, &out, &rcpts, &body), RC_LIMIT);
}

static void commands(void **state)
{
    char *words[] = {(char *)"sendmail", (char *)"-f", (char *)"", (char *)"a b"}, **back;
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    AUTO(buf_deinit) struct buf out = BUF_INIT(1000);
    size_t n;
    str rest;
    localmail_put_command(&out, words, 4);
    buf_puts(&out, S("From: x\n\n"));
    assert_int_equal(localmail_take_command(buf_str(&out), a, &back, &n, &rest), RC_OK);
    assert_int_equal(n, 4);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(back[i], words[i]);
    assert_null(back[n]);
    assert_true(str_eq(rest, S("From: x\n\n")));
    static const str wrong[] = {{"", 0},
                                {"malle 2 0\n", 10},
                                {"malle 1 0", 9},
                                {"malle 1 x\n", 10},
                                {"malle 1 20001\n", 14},
                                {"malle 1 2\na\0b", 13}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(localmail_take_command(wrong[i], a, &back, &n, &rest), RC_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading),     cmocka_unit_test(header),
        cmocka_unit_test(arguments),   cmocka_unit_test(no_recipients_are_gathered_without_t),
        cmocka_unit_test(from_fields), cmocka_unit_test(limits),
        cmocka_unit_test(commands)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
