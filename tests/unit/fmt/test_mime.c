/* mime: the tree, its offsets and sizes, section numbers, and hostile nesting. */
#include "base/buf.h"
#include "fmt/crlf.h"
#include "fmt/mime.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct mime_part *parse(struct arena *a, str raw, const struct mime_limits *limits)
{
    struct mime_part *root = NULL;
    assert_int_equal(mime_parse(raw, a, limits, &root), RC_OK);
    assert_non_null(root);
    return root;
}

static void expect_bytes(str raw, struct mime_span s, const char *want)
{
    assert_int_equal(s.end - s.start, strlen(want));
    assert_memory_equal(raw.p + s.start, want, strlen(want));
}

static void expect_str(str have, const char *want)
{
    assert_int_equal(have.n, strlen(want));
    assert_memory_equal(have.p, want, have.n);
}

/* RFC 2046 §5.1.1, the example of a simple multipart message */
static const char simple[] = "MIME-Version: 1.0\n"
                             "Content-type: multipart/mixed; boundary=\"simple boundary\"\n"
                             "\n"
                             "This is the preamble.\n"
                             "\n"
                             "--simple boundary\n"
                             "\n"
                             "This is implicitly typed plain US-ASCII text.\n"
                             "It does NOT end with a linebreak.\n"
                             "--simple boundary\n"
                             "Content-type: text/plain; charset=us-ascii\n"
                             "\n"
                             "This is explicitly typed plain US-ASCII text.\n"
                             "It DOES end with a linebreak.\n"
                             "\n"
                             "--simple boundary--\n"
                             "\n"
                             "This is the epilogue.\n";

static void check_simple(str raw, const char *eol)
{
    struct arena *a = arena_new(1 << 20);
    struct mime_part *root = parse(a, raw, NULL), *first = root->child, *second = first->next;
    char want[200];
    assert_int_equal(root->kind, MIME_MULTIPART);
    assert_true(mime_is(root, S("MULTIPART"), S("Mixed")) && !second->next);
    assert_false(first->type.p);
    assert_true(mime_is(first, S("text"), S("plain")));
    snprintf(want, sizeof want,
             "This is implicitly typed plain US-ASCII text.%sIt does NOT end with a linebreak.", eol);
    expect_bytes(raw, first->body, want);
    expect_bytes(raw, first->header, eol);
    assert_int_equal(first->body.lines, 1);
    assert_int_equal(first->body.crlf, 80);
    assert_int_equal(first->header.crlf, 2);
    assert_int_equal(second->body.lines, 2);
    assert_int_equal(second->body.crlf, 78);
    assert_int_equal(root->header.crlf + root->body.crlf, crlf_size(raw));
    expect_str(mime_param(&second->params, S("Charset")), "us-ascii");
    arena_free(a);
}

static void test_simple(void **state)
{
    struct buf crlf = BUF_INIT(10000);
    struct crlf_state s = {0};
    check_simple(str_c(simple), "\n");
    crlf_encode(&s, &crlf, str_c(simple));
    check_simple(buf_str(&crlf), "\r\n");
    buf_deinit(&crlf);
}

static void test_fields(void **state)
{
    str raw =
        S("Content-Type: Application / X-Foo (comment) ; name=\"a \\\"b\\\"\n c\"; broken; n*0*=utf-8''%e4;\n"
          "\tn*1=b ; q==?utf-8?q?x_y?= ; a=b/c\r\n"
          "Content-Type: text/second\n"
          "Content-Disposition: ATTACHMENT; filename=\"x;y.txt\"\n"
          "Content-Transfer-Encoding: Base64 (really)\n"
          "Content-ID: <id@x>\nContent-Description: two\n  lines\nContent-MD5: abc==\n"
          "Content-Location: http://x/ y\nContent-Language: en, de-CH (Swiss),fr\n\n");
    struct arena *a = arena_new(1 << 20);
    struct mime_part *p = parse(a, raw, NULL);
    expect_str(p->type, "Application");
    expect_str(p->subtype, "X-Foo");
    assert_int_equal(p->params.n, 5);
    expect_str(mime_param(&p->params, S("NAME")), "a \"b\" c");
    expect_str(mime_param(&p->params, S("n*0*")), "utf-8''%e4");
    expect_str(mime_param(&p->params, S("n*1")), "b");
    expect_str(mime_param(&p->params, S("q")), "=?utf-8?q?x_y?=");
    expect_str(mime_param(&p->params, S("a")), "b/c");
    expect_str(p->disposition, "ATTACHMENT");
    expect_str(mime_param(&p->disposition_params, S("filename")), "x;y.txt");
    expect_str(p->encoding, "Base64");
    expect_str(p->id, "<id@x>");
    expect_str(p->description, "two  lines");
    expect_str(p->md5, "abc==");
    expect_str(p->location, "http://x/ y");
    assert_int_equal(p->language_count, 3);
    expect_str(p->languages[1], "de-CH");
    assert_int_equal(p->body.start, raw.n);
    arena_free(a);
}

/* One boundary a prefix of another, inner ones never closed, parts without empty line, boundary with padding.
 */
static void test_boundaries(void **state)
{
    str raw = S("Content-Type: multipart/mixed; boundary=b\n\n"
                "--b \t\nContent-Type: multipart/mixed; boundary=bb\n\n"
                "--bb\n\none\n--bb junk\n\ntwo\n"
                "--b\nX: only a header\n--b\n"
                "--b--\n--bb\nepilogue");
    struct arena *a = arena_new(1 << 20);
    struct mime_part *root = parse(a, raw, NULL), *inner = root->child;
    assert_int_equal(inner->kind, MIME_MULTIPART);
    expect_bytes(raw, inner->child->body, "one");
    expect_bytes(raw, inner->child->next->body, "two");
    assert_null(inner->child->next->next);
    expect_bytes(raw, inner->next->header, "X: only a header\n");
    expect_bytes(raw, inner->next->body, "");
    expect_bytes(raw, inner->next->next->header, "");
    assert_null(inner->next->next->next);
    assert_int_equal(root->body.end, raw.n);
    arena_free(a);
}

/* The inner boundary is the prefix of the outer: a line with the longer one belongs to the outer multipart.
 */
static void test_prefix_inside(void **state)
{
    str raw = S("Content-Type: multipart/mixed; boundary=bb\n\n"
                "--bb\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--bb\n\ntwo\n--bb--\n");
    struct arena *a = arena_new(1 << 20);
    struct mime_part *root = parse(a, raw, NULL);
    expect_bytes(raw, root->child->child->body, "one");
    assert_null(root->child->child->next);
    expect_bytes(raw, root->child->next->body, "two");
    arena_free(a);
}

static void test_digest(void **state)
{
    str raw = S("Content-Type: multipart/digest; boundary=d\n\n--d\n\nSubject: inner\n\nbody\n--d\n"
                "Content-Type: text/plain\n\ntext\n--d--\n");
    struct arena *a = arena_new(1 << 20);
    struct mime_part *root = parse(a, raw, NULL), *message = root->child;
    assert_int_equal(message->kind, MIME_MESSAGE);
    expect_bytes(raw, message->child->header, "Subject: inner\n\n");
    expect_bytes(raw, message->child->body, "body");
    assert_int_equal(message->next->kind, MIME_LEAF);
    arena_free(a);
}

/* The message of RFC 9051 §6.4.5.1:
 * 1 text/plain, 2 octet-stream, 3 message/rfc822 of a multipart of two, 4 multipart/mixed of 4.1 image/gif
 * and 4.2 message/rfc822 of 4.2.1 text/plain and 4.2.2 multipart/alternative of two. */
static const char numbered[] =
    "Content-Type: multipart/mixed; boundary=A\n\n"
    "--A\n\n1\n--A\nContent-Type: application/octet-stream\n\n2\n"
    "--A\nContent-Type: message/rfc822\n\nSubject: m3\nContent-Type: multipart/mixed; boundary=B\n\n"
    "--B\n\n3.1\n--B\nContent-Type: application/octet-stream\n\n3.2\n--B--\n"
    "--A\nContent-Type: multipart/mixed; boundary=C\n\n"
    "--C\nContent-Type: image/gif\n\n4.1\n"
    "--C\nContent-Type: message/rfc822\n\nSubject: m42\nContent-Type: multipart/mixed; boundary=D\n\n"
    "--D\n\n4.2.1\n--D\nContent-Type: multipart/alternative; boundary=E\n\n"
    "--E\n\n4.2.2.1\n--E\nContent-Type: text/richtext\n\n4.2.2.2\n--E--\n--D--\n--C--\n"
    "--A--\n";

static void test_section_numbers(void **state)
{
    static const struct {
        uint32_t numbers[4];
        size_t n;
        const char *body; /* NULL: no such part */
    } rows[] = {
        {{1}, 1, "1"},
        {{2}, 1, "2"},
        {{3, 1}, 2, "3.1"},
        {{3, 2}, 2, "3.2"},
        {{4, 1}, 2, "4.1"},
        {{4, 2, 1}, 3, "4.2.1"},
        {{4, 2, 2, 1}, 4, "4.2.2.1"},
        {{4, 2, 2, 2}, 4, "4.2.2.2"},
        {{5}, 1, NULL},
        {{0}, 1, NULL},
        {{1, 1}, 2, NULL},
        {{3, 3}, 2, NULL},
        {{4, 1, 1}, 3, NULL},
        {{4, 2, 3}, 3, NULL},
    };
    struct arena *a = arena_new(1 << 20);
    str raw = str_c(numbered);
    struct mime_part *root = parse(a, raw, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mime_span s;
        bool found = mime_section(root, rows[i].numbers, rows[i].n, MIME_SECTION_BODY, &s);
        assert_int_equal(found, rows[i].body != NULL);
        if (found)
            expect_bytes(raw, s, rows[i].body);
    }
    assert_ptr_equal(mime_find(root, NULL, 0), root);
    arena_free(a);
}

static void test_sections(void **state)
{
    struct arena *a = arena_new(1 << 20);
    str raw = str_c(numbered);
    struct mime_part *root = parse(a, raw, NULL);
    struct mime_span s;
    assert_true(mime_section(root, NULL, 0, MIME_SECTION_BODY, &s));
    assert_int_equal(s.crlf, crlf_size(raw));
    assert_true(mime_section(root, NULL, 0, MIME_SECTION_HEADER, &s));
    expect_bytes(raw, s, "Content-Type: multipart/mixed; boundary=A\n\n");
    assert_true(mime_section(root, (uint32_t[]){3}, 1, MIME_SECTION_HEADER, &s));
    expect_bytes(raw, s, "Subject: m3\nContent-Type: multipart/mixed; boundary=B\n\n");
    assert_true(mime_section(root, (uint32_t[]){3}, 1, MIME_SECTION_MIME, &s));
    expect_bytes(raw, s, "Content-Type: message/rfc822\n\n");
    assert_true(mime_section(root, (uint32_t[]){4, 2}, 2, MIME_SECTION_TEXT, &s));
    assert_memory_equal(raw.p + s.start, "--D\n", 4);
    assert_false(mime_section(root, NULL, 0, MIME_SECTION_MIME, &s));
    assert_false(mime_section(root, (uint32_t[]){1}, 1, MIME_SECTION_HEADER, &s));
    assert_false(mime_section(root, (uint32_t[]){4}, 1, MIME_SECTION_TEXT, &s));
    arena_free(a);
}

/* RFC 9051 §6.4.5.1: a message that is not multipart has part 1 only, nested ones too. */
static void test_single_part(void **state)
{
    static const uint32_t one[] = {1, 1, 1};
    struct arena *a = arena_new(1 << 20);
    str raw = S("Subject: a\n\nbody\n"), nested = S("Content-Type: message/rfc822\n\nSubject: b\n\ninner\n");
    struct mime_part *root = parse(a, raw, NULL);
    assert_ptr_equal(mime_find(root, one, 1), root);
    assert_null(mime_find(root, one, 2));
    root = parse(a, nested, NULL);
    assert_ptr_equal(mime_find(root, one, 1), root);
    assert_ptr_equal(mime_find(root, one, 2), root->child);
    assert_null(mime_find(root, one, 3));
    struct mime_span s;
    assert_true(mime_section(root, one, 1, MIME_SECTION_HEADER, &s));
    expect_bytes(nested, s, "Subject: b\n\n");
    arena_free(a);
}

static size_t depth_of(const struct mime_part *part)
{
    size_t depth = 0;
    for (; part->child; part = part->child)
        depth++;
    return depth;
}

/* 1,000 multiparts inside one another, then 1,000 messages: leaves below the limit, and a tree that is still
 * sound. */
static void test_deep(void **state)
{
    struct buf b = BUF_INIT(8 << 20), m = BUF_INIT(1 << 20);
    for (int i = 0; i < 1000; i++)
        buf_printf(&b, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i);
    for (int i = 0; i < 100000; i++)
        buf_puts(&b, S("--b\n--c1234567890\n"));
    for (int i = 999; i >= 0; i--)
        buf_printf(&b, "--b%d--\n", i);
    for (int i = 0; i < 1000; i++)
        buf_puts(&m, S("Content-Type: message/rfc822\n\n"));
    struct arena *a = arena_new(64 << 20);
    struct mime_part *root = parse(a, buf_str(&b), NULL);
    assert_int_equal(depth_of(root), 100);
    assert_int_equal(root->body.end, b.n);
    assert_int_equal(depth_of(parse(a, buf_str(&m), NULL)), 100);
    struct mime_limits flat = {.depth = 0, .parts = 1};
    assert_int_equal(parse(a, buf_str(&m), &flat)->kind, MIME_LEAF);
    arena_free(a);
    buf_deinit(&b);
    buf_deinit(&m);
}

static void test_many_parts(void **state)
{
    struct buf b = BUF_INIT(8 << 20);
    buf_puts(&b, S("Content-Type: multipart/mixed; boundary=b\n\n"));
    for (int i = 0; i < 20000; i++)
        buf_puts(&b, S("--b\n\nx\n"));
    struct arena *a = arena_new(64 << 20), *small = arena_new(100000);
    struct mime_part *root = parse(a, buf_str(&b), NULL);
    size_t n = 1;
    for (struct mime_part *p = root->child; p; p = p->next)
        n++;
    assert_int_equal(n, 10000);
    assert_int_equal(root->last_child->body.end, b.n);
    assert_int_equal(mime_parse(buf_str(&b), small, NULL, &root), RC_LIMIT);
    arena_free(a);
    arena_free(small);
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_simple),     cmocka_unit_test(test_fields),
        cmocka_unit_test(test_boundaries), cmocka_unit_test(test_prefix_inside),
        cmocka_unit_test(test_digest),     cmocka_unit_test(test_section_numbers),
        cmocka_unit_test(test_sections),   cmocka_unit_test(test_single_part),
        cmocka_unit_test(test_deep),       cmocka_unit_test(test_many_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
