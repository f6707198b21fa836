/* dotstream: RFC 5321 §4.5.2 in both forms, every sample split at every offset. */
#include "fmt/dotstream.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { OUT_MAX = 256 };

struct run {
    struct dotstream d;
    char out[OUT_MAX];
    size_t out_n, taken;
    bool end;
};

static void feed(struct run *r, str in)
{
    size_t n = 0;
    if (r->end)
        return;
    assert_true(r->out_n + in.n + 1 <= OUT_MAX);
    r->taken += dotstream_feed(&r->d, in, r->out + r->out_n, &n, &r->end);
    r->out_n += n;
}

struct sample {
    str in, out;
    size_t rest; /* bytes behind the end */
    bool end, bare_cr, bare_lf;
};

static void check(const struct run *r, const struct sample *s)
{
    uint64_t lines = 0;
    assert_true(str_eq(str_mem(r->out, r->out_n), s->out));
    assert_int_equal(r->end, s->end);
    assert_int_equal(r->d.bare_cr, s->bare_cr);
    assert_int_equal(r->d.bare_lf, s->bare_lf);
    assert_int_equal(r->taken, s->in.n - s->rest);
    assert_int_equal(r->d.content_bytes, s->out.n);
    for (size_t i = 0; i < s->out.n; i++)
        lines += s->out.p[i] == '\n';
    if (!s->bare_lf)
        assert_int_equal(r->d.lines, lines);
}

static void dots(void **state)
{
    static const struct sample samples[] = {
        {S(".\r\n"), S(""), 0, true, false, false},
        {S("a\r\n.\r\n"), S("a\n"), 0, true, false, false},
        {S("a\r\n.\r\nQUIT\r\n"), S("a\n"), 6, true, false, false},
        {S("a\r\n..\r\n...b\r\n.c\r\n.\r\n"), S("a\n.\n..b\nc\n"), 0, true, false, false},
        {S("a.\r\n.b.\r\n\r\n.\r\n"), S("a.\nb.\n\n"), 0, true, false, false},
        {S("a\r\nb"), S("a\nb"), 0, false, false, false},
        {S("a\n.\nb\r\n.\r\n"), S("a\n.\nb\n"), 0, true, false, true},
        {S("a\n.\r\nb\r\n.\r\n"), S("a\n.\nb\n"), 0, true, false, true},
        {S("a\r\n.\nb\r\n.\r\n"), S("a\n\nb\n"), 0, true, false, true},
        {S("a\rb\r\n.\r\n"), S("a\rb\n"), 0, true, true, false},
        {S("a\r\r\n.\r\n"), S("a\r\n"), 0, true, true, false},
        {S("a\r.\r\nb\r\n.\r\n"), S("a\r.\nb\n"), 0, true, true, false},
        {S("a\r\n.\rb\r\n.\r\n"), S("a\n\rb\n"), 0, true, true, false},
        {S("a\r\n.\r\r\n.\r\n"), S("a\n\r\n"), 0, true, true, false},
        {S("a\0b\xff\r\n.\r\n"), S("a\0b\xff\n"), 0, true, false, false},
        {S("\r\n\r\n.\r\n"), S("\n\n"), 0, true, false, false},
    };
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        for (size_t cut = 0; cut <= samples[i].in.n; cut++) {
            struct run r = {.out_n = 0};
            dotstream_init_dots(&r.d);
            feed(&r, str_sub(samples[i].in, 0, cut));
            feed(&r, str_from(samples[i].in, cut));
            check(&r, &samples[i]);
        }
        struct run r = {.out_n = 0};
        dotstream_init_dots(&r.d);
        for (size_t at = 0; at < samples[i].in.n; at++)
            feed(&r, str_sub(samples[i].in, at, 1));
        check(&r, &samples[i]);
    }
}

static void counted(void **state)
{
    static const struct sample samples[] = {
        {S(""), S(""), 0, false, false, false},
        {S("a\r\n.\r\nb\r\n"), S("a\n.\nb\n"), 0, false, false, false},
        {S("..\r\n"), S("..\n"), 0, false, false, false},
        {S("a"), S("a\n"), 0, false, false, false},
        {S("a\r"), S("a\r\n"), 0, false, true, false},
        {S("a\nb\r\n"), S("a\nb\n"), 0, false, false, true},
    };
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        for (size_t cut = 0; cut <= samples[i].in.n; cut++) {
            struct run r = {.out_n = 0};
            dotstream_init_counted(&r.d);
            feed(&r, str_sub(samples[i].in, 0, cut));
            feed(&r, str_from(samples[i].in, cut));
            r.out_n += dotstream_finish(&r.d, r.out + r.out_n);
            check(&r, &samples[i]);
        }
    }
}

/* RFC 1870 §5 */
static void measures(void **state)
{
    struct run r = {.out_n = 0};
    dotstream_init_dots(&r.d);
    feed(&r, S("12345\r\n..\r\n1234567\r\n\r\n.\r\n"));
    assert_int_equal(dotstream_crlf_bytes(&r.d), 7 + 3 + 9 + 2);
    assert_int_equal(r.d.lines, 4);
}

/* RFC 3030 §3 */
static void binary(void **state)
{
    const str in = S("a\r\n\nb\r\0\n.\r\n.");
    for (size_t step = 1; step <= in.n; step++) {
        struct dotstream d;
        char out[40];
        size_t n = 0, got;
        bool end;
        dotstream_init_binary(&d);
        for (size_t at = 0; at < in.n; at += step, n += got)
            (void)dotstream_feed(&d, str_sub(in, at, step), out + n, &got, &end);
        n += dotstream_finish(&d, out + n);
        assert_true(str_eq(str_mem(out, n), in));
        assert_false(d.bare_cr || d.bare_lf || end);
        assert_int_equal(dotstream_crlf_bytes(&d), in.n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(binary), cmocka_unit_test(dots),
                                       cmocka_unit_test(counted), cmocka_unit_test(measures)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
