/* Previews: RFC 8970 §3.2. */
#include "fmt/preview.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void check(const char *raw, const char *want)
{
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    AUTO(buf_deinit) struct buf got = BUF_INIT(10000);
    struct mime_part *root;
    assert_int_equal(mime_parse(str_c(raw), a, NULL, &root), RC_OK);
    preview_put(&got, str_c(raw), root);
    if (!str_eq(buf_str(&got), str_c(want)))
        fail_msg("%s\ngives \"%s\" and not \"%s\"", raw, buf_cstr(&got), want);
}

static void test_plain(void **state)
{
    (void)state;
    check("Subject: x\n\n", "");
    check("Subject: x\n\n  Hello,\n\nhow  are\tyou?\n", "Hello, how are you?");
    check("Subject: x\n\n> You wrote this\n>> and that\nMy answer.\n", "My answer.");
    check("Subject: x\n\na > b\n", "a > b");
    check("Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: "
          "quoted-printable\n\ncaf=E9\x01\n",
          "caf\xc3\xa9");
    check("Content-Type: application/pdf\n\nJVBERi0\n", "");
}

static void test_html(void **state)
{
    (void)state;
    check("Content-Type: "
          "text/html\n\n<html><head><title>T</title><style>p{a>b}</style></head><body><p>One<br>two &amp; "
          "&lt;three&gt;&nbsp;four</p>\n<script>if (a<b) x();</script>end</body>",
          "One two & <three> four end");
    check("Content-Type: text/html\n\nAT&T and &x y <b", "AT&T and &x y");
    check("Content-Type: text/html\n\n<STYLE>a</STYLE>b", "b");
}

static void test_parts(void **state)
{
    (void)state;
    check("Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: "
          "text/html\n\n<b>bold</b>\n--b\n\nplain\n--b--\n",
          "plain");
    check("Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Disposition: "
          "attachment\n\nfile\n--b\nContent-Type: "
          "text/html\n\n<b>bold</b>\n--b--\n",
          "bold");
    check("Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo\n--b--\n", "one");
}

/* 200 characters, whatever their bytes. */
static void test_limit(void **state)
{
    AUTO(buf_deinit) struct buf raw = BUF_INIT(10000);
    AUTO(buf_deinit) struct buf want = BUF_INIT(10000);
    (void)state;
    buf_puts(&raw, S("Content-Type: text/plain; charset=utf-8\n\n"));
    for (int i = 0; i < 300; i++) {
        buf_puts(&raw, S("\xe6\x97\xa5"));
        if (i < PREVIEW_CHARACTERS_MAX)
            buf_puts(&want, S("\xe6\x97\xa5"));
    }
    check(buf_cstr(&raw), buf_cstr(&want));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_html),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
