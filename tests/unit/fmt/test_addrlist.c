/* addrlist: RFC 5322 appendix A, obsolete forms, and what senders get wrong. */
#include "base/buf.h"
#include "fmt/addrlist.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void put(struct buf *out, str s, char end)
{
    buf_puts(out, s.p ? s : S("~"));
    buf_putc(out, end);
}

/* "name|route|mailbox|host" a line, "~" for NULL */
static void expect_list(const char *value, const char *want)
{
    struct arena *a = arena_new(1 << 20);
    struct buf out = BUF_INIT(10000);
    for (struct address *e = addrlist_parse(str_c(value), a); e; e = e->next) {
        put(&out, e->name, '|');
        put(&out, e->route, '|');
        put(&out, e->mailbox, '|');
        put(&out, e->host, '\n');
    }
    assert_string_equal(buf_cstr(&out), want);
    buf_deinit(&out);
    arena_free(a);
}

static void test_rfc_examples(void **state)
{
    static const struct {
        const char *value, *want;
    } rows[] = {
        /* RFC 5322 §A.1 */
        {"John Doe <jdoe@machine.example>", "John Doe|~|jdoe|machine.example\n"},
        {"\"Joe Q. Public\" <john.q.public@example.com>", "Joe Q. Public|~|john.q.public|example.com\n"},
        {"Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
         "Mary Smith|~|mary|x.test\n~|~|jdoe|example.org\nWho?|~|one|y.test\n"},
        {"<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>",
         "~|~|boss|nil.test\nGiant; \"Big\" Box|~|sysservices|example.net\n"},
        {"A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",
         "~|~|A Group|~\nEd Jones|~|c|a.test\n~|~|joe|where.test\nJohn|~|jdoe|one.test\n~|~|~|~\n"},
        {"Undisclosed recipients:;", "~|~|Undisclosed recipients|~\n~|~|~|~\n"},
        /* RFC 5322 §A.5 */
        {"Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", "Pete|~|pete|silly.test\n"},
        {"A Group(Some people)\n     :Chris Jones <c@(Chris's host.)public.example>,\n         "
         "joe@example.org,\n"
         "  John <jdoe@one.test> (my dear friend); (the end of the group)",
         "~|~|A Group|~\nChris "
         "Jones|~|c|public.example\n~|~|joe|example.org\nJohn|~|jdoe|one.test\n~|~|~|~\n"},
        {"(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;",
         "~|~|Hidden recipients|~\n~|~|~|~\n"},
        /* RFC 5322 §A.6 */
        {"Joe Q. Public <john.q.public@example.com>", "Joe Q. Public|~|john.q.public|example.com\n"},
        {"Mary Smith <@node.test:mary@example.net>, , jdoe@test   . example",
         "Mary Smith|@node.test|mary|example.net\n~|~|jdoe|test.example\n"},
        {"John Doe <jdoe@machine(comment).  example>", "John Doe|~|jdoe|machine.example\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_list(rows[i].value, rows[i].want);
}

static void test_forms(void **state)
{
    static const struct {
        const char *value, *want;
    } rows[] = {
        {"", ""},
        {" \r\n\t", ""},
        {",,;,", ""},
        {"user@domain", "~|~|user|domain\n"},
        {"user@[192.0.2.1]", "~|~|user|[192.0.2.1]\n"},
        {"user@[IPv6: 2001:db8::1 ]", "~|~|user|[IPv6:2001:db8::1]\n"},
        {"\"a b\\\"c\"@d", "~|~|a b\"c|d\n"},
        {"john . doe @ example . org", "~|~|john.doe|example.org\n"},
        {"user@host (Real (nested) Name)", "Real (nested) Name|~|user|host\n"},
        {"<@a,@b:user@host>", "~|@a,@b|user|host\n"},
        {"hello <@a ,@b:user@host>", "hello|@a,@b|user|host\n"},
        {"=?utf-8?q?J=C3=B6rg?= <j@example.org>", "=?utf-8?q?J=C3=B6rg?=|~|j|example.org\n"},
        {"J\xc3\xb6rg <j\xc3\xb6@b\xc3\xbc.example>", "J\xc3\xb6rg|~|j\xc3\xb6|b\xc3\xbc.example\n"},
        {"a: b@c, d: e@f;", "~|~|a|~\n~|~|b|c\n~|~|e|f\n~|~|~|~\n"},
        {"a@b; c@d", "~|~|a|b\n~|~|c|d\n"},
        {"group: a@b", "~|~|group|~\n~|~|a|b\n~|~|~|~\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_list(rows[i].value, rows[i].want);
}

static void test_broken(void **state)
{
    static const struct {
        const char *value, *want;
    } rows[] = {
        {"user", "~|~|user|\n"},
        {"hello <user>", "hello|~|user|\n"},
        {"user (hello)", "hello|~|user|\n"},
        {"Real Name", "Real Name|~||\n"},
        {"@domain", "~|~||domain\n"},
        {"<>", "~|~||\n"},
        {"a@b c@d", "~|~|a|b\n~|~|c|d\n"},
        {"user@host <user@host>", "user@host|~|user|host\n"},
        {"Real Name user@host", "Real Name|~|user|host\n"},
        {"a <b@c, d@e", "a|~|b|c\n~|~|d|e\n"},
        {"\"unclosed <a@b>", "unclosed <a@b>|~||\n"},
        {"a@b (unclosed", "unclosed|~|a|b\n"},
        {"a@@b", "~|~|a|\n~|~||b\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_list(rows[i].value, rows[i].want);
}

/* A list that is too long for its arena is cut, not lost; time stays linear. */
static void test_long_list(void **state)
{
    struct buf b = BUF_INIT(8 << 20);
    for (int i = 0; i < 100000; i++)
        buf_printf(&b, "n%d <u%d@h>, ", i, i);
    struct arena *a = arena_new(64 << 20), *small = arena_new(100000);
    size_t n = 0, cut = 0;
    for (struct address *e = addrlist_parse(buf_str(&b), a); e; e = e->next)
        n++;
    for (struct address *e = addrlist_parse(buf_str(&b), small); e; e = e->next, cut++)
        assert_non_null(e->host.p);
    assert_int_equal(n, 100000);
    assert_true(cut > 100 && cut < 2000 && arena_exhausted(small));
    arena_free(a);
    arena_free(small);
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc_examples),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_long_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
