/* check_stream: fields and lines of a message, whatever pieces it comes in. */
#include "fmt/check_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A letter for each unit's kind, its text, and "/" for a line end; BODY with its offset. */
static void note(void *ctx, const struct check_stream_unit *u)
{
    static const char letters[] = "HMNB";
    struct buf *log = ctx;
    buf_printf(log, "|%c", letters[u->kind]);
    if (u->kind == CHECK_STREAM_BODY)
        buf_printf(log, "%llu:", (unsigned long long)u->offset);
    if (u->is_rest)
        buf_puts(log, S("+"));
    for (size_t i = 0; i < u->text.n; i++)
        buf_putc(log, u->text.p[i] == '\n' ? '~' : u->text.p[i]);
    buf_puts(log, u->ends_line ? S("/") : S(""));
}

static void feed(struct buf *log, str raw, size_t step)
{
    struct check_stream c;
    check_stream_init(&c, note, log);
    for (size_t at = 0; at < raw.n; at += step)
        check_stream_feed(&c, str_sub(raw, at, step));
    check_stream_finish(&c);
    check_stream_deinit(&c);
}

static void expect(str raw, const char *want)
{
    for (size_t step = 1; step <= raw.n; step++) {
        struct buf log = BUF_INIT(1 << 16);
        feed(&log, raw, step);
        assert_string_equal(buf_cstr(&log), want);
        buf_deinit(&log);
    }
}

static void units(void **state)
{
    expect(S("Subject: x\n y\nTo : a\n\none\n\ntwo"), "|HSubject: x~ y/|HTo: a/|B0:/|B1:one/|B5:/|B6:two");
    expect(S("Subject: x\n"), "|HSubject: x/");
    expect(S("\nSubject: x\n"), "|B0:/|B1:Subject: x/");
    expect(S("Subject: x\nno field\nTo: a\n\nb\n"),
           "|HSubject: x/|B0:/|B1:no field/|B10:To: a/|B16:/|B17:b/");
    expect(S(" Subject: x\nTo: a\n"), "|B0:/|B1: Subject: x/|B13:To: a/");
}

static void parts(void **state)
{
    expect(
        S("Content-Type: multipart/mixed; boundary=b\nSubject: s\n\npre\n--b\nA: 1\nContent-Type: "
          "text/plain\n\n"
          "one\n--b\nContent-Type: message/rfc822\n\nSubject: in\nMIME-Version: 1.0\n\nbody\n--b--\nepi\n"),
        "|MContent-Type: multipart/mixed; boundary=b/|HSubject: s/|B0:/|B1:pre/|B5:--b/|MA: 1/"
        "|MContent-Type: text/plain/|B0:/|B1:one/|B5:--b/|MContent-Type: message/rfc822/|B0:/|NSubject: in/"
        "|MMIME-Version: 1.0/|B0:/|B1:body/|B6:--b--/|B12:epi/");
}

/* What ends a header for the tables ends it for readers, whatever the header said before. */
static void broken(void **state)
{
    expect(S("Content-Type: message/rfc822\nX\nSubject: s\n\nb\n"),
           "|MContent-Type: message/rfc822/|B0:/|B0:/|B1:X/|B3:Subject: s/|B14:/|B15:b/");
    expect(
        S("Content-Type: multipart/mixed; boundary=b\nSub ject: s\n\n--b\nA: 1\nX\nB: 2\n\none\n--b--\n"),
        "|MContent-Type: multipart/mixed; boundary=b/|B0:/|B1:Sub ject: s/|B13:/|B14:--b/|MA: 1/|B0:/|B1:X/"
        "|B3:B: 2/|B8:/|B9:one/|B13:--b--/");
    expect(S("A: 1\nSubject\r: s\n"), "|HA: 1/|B0:/|B1:Subject\r: s/");
    expect(S("A: 1\n:\n b\n"), "|HA: 1/|B0:/|B1::/|B3: b/");
    expect(S("A: 1\n\xc3\xa9: b"), "|HA: 1/|B0:/|B1:\xc3\xa9: b");
}

static struct buf filled(size_t n, const char *front)
{
    struct buf b = BUF_INIT(n + 100);
    buf_puts(&b, str_c(front));
    while (b.n < n)
        buf_putc(&b, 'x');
    return b;
}

static void long_ones(void **state)
{
    struct buf log = BUF_INIT(1 << 20), line = filled(1 + 2 * CHECK_STREAM_LINE_MAX, "\n");
    buf_puts(&line, S("\nyz"));
    feed(&log, buf_str(&line), 1000);
    assert_true(str_starts(buf_str(&log), S("|B0:/|B1:xxx")));
    assert_true(str_find(buf_str(&log), S("x|B2049:xx")) > 0);
    assert_true(str_ends(buf_str(&log), S("x/|B4098:yz")));
    buf_reset(&log);
    struct buf field = filled(CHECK_STREAM_FIELD_MAX, "A: ");
    buf_puts(&field, S("rest\nB: 1\n\n"));
    feed(&log, buf_str(&field), 5000);
    assert_true(str_starts(buf_str(&log), S("|HA: xxx")));
    assert_true(str_ends(buf_str(&log), S("x|H+rest/|HB: 1/|B0:/")));
    buf_deinit(&log);
    buf_deinit(&line);
    buf_deinit(&field);
}

static void names(void **state)
{
    assert_int_equal(mime_walk_name_size(S("Subject: x")), 7);
    assert_int_equal(mime_walk_name_size(S("Subject \t: x")), 7);
    assert_int_equal(mime_walk_name_size(S("Sub ject: x")), 0);
    assert_int_equal(mime_walk_name_size(S(": x")), 0);
    assert_int_equal(mime_walk_name_size(S("Subject")), 0);
    assert_int_equal(mime_walk_name_size(S("S\xc3\xa9: x")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(units), cmocka_unit_test(parts),
                                       cmocka_unit_test(broken), cmocka_unit_test(long_ones),
                                       cmocka_unit_test(names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
