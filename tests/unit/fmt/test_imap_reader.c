/* imap_reader: each sample's sequence of events, fed whole, split at every byte, and byte by byte. */
#include "fmt/imap_reader.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct imap_reader_limits LIMITS = {
    .line_max = 40, .literal_max = 20, .command_max = 100, .literals_max = 3};

/* What the reader's owner would do and see, as text: C(command), L(size), s(streamed bytes), E(end of
 * stream), T(too long). Literals whose command begins with "s" are streamed, with "r" refused, else gathered
 * or, past a limit, refused with X. */
static void literal_answer(struct imap_reader *r, struct buf *seen)
{
    char first = r->text.n > 0 ? r->text.p[0] : '\0';
    buf_printf(seen, "L%llu%s%s", (unsigned long long)r->literal.size, r->literal.nonsync ? "+" : "",
               r->literal.binary ? "~" : "");
    if (first == 's') {
        imap_reader_stream(r);
    } else if (first == 'r') {
        imap_reader_refuse(r);
    } else if (imap_reader_gather(r)) {
        buf_putc(seen, 'X');
        imap_reader_refuse(r);
    }
    buf_putc(seen, ';');
}

static void feed(struct imap_reader *r, str in, struct buf *seen, struct buf *streamed)
{
    for (;;) {
        enum imap_event ev = imap_reader_feed(r, &in);
        if (ev == IMAP_READ_MORE)
            return;
        if (ev == IMAP_READ_LITERAL)
            literal_answer(r, seen);
        else if (ev == IMAP_READ_COMMAND)
            buf_printf(seen, "C(" STR_FMT ");", STR_ARG(buf_str(&r->text)));
        else if (ev == IMAP_READ_CHUNK)
            buf_puts(streamed, r->chunk);
        else if (ev == IMAP_READ_TOO_LONG)
            buf_printf(seen, "T%zu;", r->text.n);
        else
            buf_printf(seen, "E(" STR_FMT ");", STR_ARG(buf_str(streamed)));
    }
}

static void check_split(str in, size_t step, size_t at, const char *want)
{
    struct imap_reader r;
    struct buf seen = BUF_INIT(4096), streamed = BUF_INIT(4096);
    imap_reader_init(&r, &LIMITS);
    for (size_t i = 0; step && i < in.n; i += step)
        feed(&r, str_sub(in, i, step), &seen, &streamed);
    if (!step) {
        feed(&r, str_sub(in, 0, at), &seen, &streamed);
        feed(&r, str_from(in, at), &seen, &streamed);
    }
    assert_string_equal(buf_cstr(&seen), want);
    imap_reader_deinit(&r);
    buf_deinit(&seen);
    buf_deinit(&streamed);
}

static const struct {
    const char *in, *want;
} SAMPLES[] = {
    {"a NOOP\r\nb NOOP\r\n", "C(a NOOP);C(b NOOP);"},
    {"a NOOP\n\r\n", "C(a NOOP);C();"},
    {"a LOGIN {3}\r\njoe {4+}\r\npass\r\nb\r\n", "L3;L4+;C(a LOGIN {3}\r\njoe {4+}\r\npass);C(b);"},
    {"a X {3}\njoe\n", "L3;C(a X {3}\r\njoe);"},
    {"a X {0}\r\n\r\nb\r\n", "L0;C(a X {0}\r\n);C(b);"},
    {"a X ~{2+}\r\n\r\n\r\n", "L2+~;C(a X ~{2+}\r\n\r\n);"},
    {"a X {2}\r\n{}{2}\r\nab\r\n", "L2;L2;C(a X {2}\r\n{}{2}\r\nab);"},
    /* no announcements */
    {"a X {}\r\na {+}\r\na 3}\r\na {3} \r\na {-1}\r\n", "C(a X {});C(a {+});C(a 3});C(a {3} );C(a {-1});"},
    {"a {000000000000000000003}\r\n", "C(a {000000000000000000003});"},
    {"a {99999999999999999999}\r\nb\r\n", "L18446744073709551615X;C(b);"},
    /* streamed */
    {"s A {5}\r\nhello x\r\nb\r\n", "L5;E(hello);C( x);C(b);"},
    {"s A {0}\r\n\r\n", "L0;E();C();"},
    /* refused: RFC 7888 §4, a synchronizing literal never comes, another is skipped with all that follows */
    {"r A {5}\r\nb NOOP\r\n", "L5;C(b NOOP);"},
    {"r A {5+}\r\nb NO\n X {3+}\r\n\r\n\r\r\nc\r\n", "L5+;C(c);"},
    {"r A {0+}\r\nx\r\nc\r\n", "L0+;C(c);"},
    {"r A {5+}\r\n12345 {3}\r\nc\r\n", "L5+;C(c);"},
    /* limits */
    {"a {21+}\r\n123456789012345678901\r\nb\r\n", "L21+X;C(b);"},
    {"a {1+}\r\n1 {1+}\r\n1 {1+}\r\n1 {1+}\r\n1\r\nb\r\n", "L1+;L1+;L1+;L1+X;C(b);"},
    {"a 345678901234567890123456789012345678901\r\nb\r\n", "T40;C(b);"},
    {"a 3456789012345678901234567890123456 {3+}\r\nb\r\r\nb\r\n", "T40;C(b);"},
    {"a 345678901234567890123456789012345678901 {3}\r\nb\r\n", "T40;C(b);"},
    {"a 34567890123456789012345678901234567\r\nb\r\n", "C(a 34567890123456789012345678901234567);C(b);"},
    {"a {20+}\r\n12345678901234567890 {20+}\r\n12345678901234567890 123456789012345678901\r\nb\r\n",
     "L20+;L20+;C(a {20+}\r\n12345678901234567890 {20+}\r\n12345678901234567890 "
     "123456789012345678901);C(b);"},
    {"a {20+}\r\n12345678901234567890 {20+}\r\n12345678901234567890 {20+}\r\n12345678901234567890 "
     "234567890123\r\nb\r\n",
     "L20+;L20+;L20+;T98;C(b);"},
};

static void test_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof SAMPLES / sizeof *SAMPLES; i++) {
        str in = str_c(SAMPLES[i].in);
        for (size_t at = 0; at <= in.n; at++)
            check_split(in, 0, at, SAMPLES[i].want);
        check_split(in, 1, 0, SAMPLES[i].want);
        check_split(in, 3, 0, SAMPLES[i].want);
    }
}

static void test_refuse_streamed(void **state)
{
    struct imap_reader r;
    str in = S("s A {6+}\r\nabcdef {2+}\r\nxy\r\nb\r\n");
    (void)state;
    imap_reader_init(&r, &LIMITS);
    assert_int_equal(imap_reader_feed(&r, &in), IMAP_READ_LITERAL);
    imap_reader_stream(&r);
    str part = str_sub(in, 0, 3);
    assert_int_equal(imap_reader_feed(&r, &part), IMAP_READ_CHUNK);
    in = str_from(in, 3);
    imap_reader_refuse(&r);
    assert_true(imap_reader_within(&r));
    assert_int_equal(imap_reader_feed(&r, &in), IMAP_READ_COMMAND);
    assert_true(str_eq(buf_str(&r.text), S("b")));
    assert_false(imap_reader_within(&r));
    imap_reader_deinit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_refuse_streamed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
