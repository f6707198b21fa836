/* Reading ENVELOPE texts back: RFC 9051 §7.5.2. */
#include "fmt/envelope.h"
#include "fmt/envelope_read.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Absent is "-". */
static void put(struct buf *out, str s)
{
    buf_puts(out, s.p ? s : S("-"));
    buf_putc(out, '|');
}

static void put_address(struct buf *out, const struct envelope_address *a)
{
    put(out, a->name);
    put(out, a->mailbox);
    put(out, a->host);
}

static void test_table(void **state)
{
    static const struct {
        const char *header, *want;
    } rows[] = {
        {"\r\n", "-|-|-|-|-|-|-|-|-|-|-|-|-|"},
        {"Date: today\r\nSubject: \"a\\b\"\r\nFrom: A B <a@b.example>, c@d.example\r\nTo: x@y.example\r\n"
         "Cc: list: m@n.example;\r\nIn-Reply-To: <1@x>\r\nMessage-ID: <2@x>\r\n\r\n",
         "today|\"a\\b\"|<1@x>|<2@x>|A B|a|b.example|-|x|y.example|-|list|-|"},
        {"Subject:\r\nFrom: \"x \\\"y\\\"\" <a@b.example>\r\n\r\n",
         "-||-|-|x \"y\"|a|b.example|-|-|-|-|-|-|"},
        {"Subject: h\xc3\xa9\r\n\r\n", "-|h\xc3\xa9|-|-|-|-|-|-|-|-|-|-|-|"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
        AUTO(buf_deinit) struct buf text = BUF_INIT(10000);
        AUTO(buf_deinit) struct buf got = BUF_INIT(10000);
        struct envelope_fields f, front;
        envelope_put(&text, str_c(rows[i].header), a);
        envelope_read(buf_str(&text), a, &f);
        envelope_read_subject(buf_str(&text), a, &front);
        assert_true(str_eq(front.date, f.date) && str_eq(front.subject, f.subject) && !front.from.mailbox.p);
        put(&got, f.date);
        put(&got, f.subject);
        put(&got, f.in_reply_to);
        put(&got, f.message_id);
        put_address(&got, &f.from);
        put_address(&got, &f.to);
        put_address(&got, &f.cc);
        assert_string_equal(buf_cstr(&got), rows[i].want);
    }
}

static void test_damaged(void **state)
{
    static const char *const rows[] = {
        "",
        "(",
        "NIL",
        "(NIL)",
        "(NIL NIL NIL NIL NIL NIL NIL NIL NIL)",
        "(NIL NIL () NIL NIL NIL NIL NIL NIL NIL",
        "(\"a\" \"b\" ((NIL NIL)) NIL NIL NIL NIL NIL NIL NIL)",
        "(\"a\" {9}\r\nb NIL NIL NIL NIL NIL NIL NIL NIL)",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
        struct envelope_fields f = {.date = S("x")};
        envelope_read(str_c(rows[i]), a, &f);
        assert_null(f.date.p);
        assert_null(f.subject.p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
