/* header_rewrite: what is an address in a header, and that nothing else changes. */
#include "fmt/header_rewrite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct header_completion none,
    both = {.origin = S("origin.example"), .parent_domain = S("corp.example")};

/* Each address becomes "<n>local@new.example", or stays when its local part begins with "keep". */
static void rewrite(str raw, const struct header_completion *how, struct buf *out)
{
    AUTO(arena_freep) struct arena *a = arena_new(4 << 20);
    struct header_addresses list;
    assert_int_equal(header_rewrite_scan(raw, how, a, &list), RC_OK);
    for (size_t i = 0; i < list.n && how == &none; i++) {
        str local = str_sub(list.v[i].address, 0, (size_t)str_rchr(list.v[i].address, '@'));
        if (!str_starts(local, S("keep")))
            list.v[i].to = arena_printf(a, "%c%zu@new.example", list.v[i].recipient ? 'r' : 's', i);
    }
    header_rewrite_put(out, raw, &list);
}

static void check(str raw, const struct header_completion *how, str want)
{
    struct buf out AUTO(buf_deinit) = BUF_INIT(2 << 20);
    rewrite(raw, how, &out);
    if (!str_eq(buf_str(&out), want))
        fail_msg("<" STR_FMT "> became <" STR_FMT ">", STR_ARG(raw), STR_ARG(buf_str(&out)));
}

static void addresses(void **state)
{
    static const struct {
        str raw, want;
    } rows[] = {
        {S("From: joe@a.example\n"), S("From: s0@new.example\n")},
        {S("From:joe@a.example"), S("From:s0@new.example")},
        {S("from : joe@a.example\r\n\r\n"), S("from : s0@new.example\r\n\r\n")},
        {S("To: Joe Doe <joe@a.example>\n"), S("To: Joe Doe <r0@new.example>\n")},
        {S("To: \"Doe, Joe\" <joe@a.example> (his, office)\n"),
         S("To: \"Doe, Joe\" <r0@new.example> (his, office)\n")},
        {S("Cc: (first) joe@a.example (a@b), keep@x.example,\n\t=?utf-8?q?J=2C?= < ann@b.example >\n"),
         S("Cc: (first) r0@new.example (a@b), keep@x.example,\n\t=?utf-8?q?J=2C?= < r2@new.example >\n")},
        {S("To: John Q. Public <j@a.example>,,\n , x@[192.0.2.1],\"a b\"@c.example\n"),
         S("To: John Q. Public <r0@new.example>,,\n , r1@new.example,r2@new.example\n")},
        {S("To: A Group:joe@a.example,Ed <ed@a.example>;, last@a.example\n"),
         S("To: A Group:r0@new.example,Ed <r1@new.example>;, r2@new.example\n")},
        {S("To: undisclosed-recipients:;\n"), S("To: undisclosed-recipients:;\n")},
        {S("Reply-To: <@r.example,@s.example:joe@a.example>\n"),
         S("Reply-To: <@r.example,@s.example:s0@new.example>\n")},
        {S("Sender: <>\n"), S("Sender: <>\n")},
        {S("From: joe@a.example\nSubject: joe@a.example\nX: joe@a.example\nResent-Cc: "
           "joe@a.example\nReturn-Receipt-To: a@b.example\n\nTo: joe@a.example\n"),
         S("From: s0@new.example\nSubject: joe@a.example\nX: joe@a.example\nResent-Cc: "
           "r1@new.example\nReturn-Receipt-To: s2@new.example\n\nTo: joe@a.example\n")},
        {S("From: j\xc3\xb6@a.example\n"), S("From: s0@new.example\n")},
        /* one that is left alone beside one that is not */
        {S("To: joe (x) @a.example, joe @ b.example, <joe\n @c.example>, ed@d.example\n"),
         S("To: joe (x) @a.example, joe @ b.example, <joe\n @c.example>, r0@new.example\n")},
        {S("To: a..b@c.example, .a@c.example, b.@c.example, a@-.example, local, ed@d.example\n"),
         S("To: a..b@c.example, .a@c.example, b.@c.example, a@-.example, local, r0@new.example\n")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check(rows[i].raw, &none, rows[i].want);
}

/* What does not keep the grammar stays, the whole field. */
static void garbage(void **state)
{
    static const char *const values[] = {
        "a@b.example <c@d.example>",
        "Joe Doe",
        "a@b.example c@d.example",
        "a@b.example; c@d.example",
        "g: h: a@b.example;;",
        "g: a@b.example",
        "<a@b.example",
        "a@b.example>",
        "<a@b.example> x, c@d.example",
        "\"a@b.example",
        "(a@b.example",
        "(((())) a@b.example",
        "a@b.example (x",
        "a@",
        "@b.example",
        "a@@b.example",
        "a@b.example, <c@d.example",
        "a@b.example \\",
        "a@[b",
        "<a@b@c.example>",
        "a@b.example,\001",
        "a@b.example \177",
        "<@a.example b@c.example>",
        "<@:a@b.example>",
        "g:a@b.example;x",
        "<<a@b.example>>",
        "a.\"b\"@c.example",
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct buf raw AUTO(buf_deinit) = BUF_INIT(300);
        buf_printf(&raw, "To: %s\nCc: %s\n folded\nX: y\n\nbody a@b.example", values[i], values[i]);
        check(buf_str(&raw), &none, buf_str(&raw));
    }
    check(S("To: a@b.example\0, c@d.example\n"), &none, S("To: a@b.example\0, c@d.example\n"));
    check(S("From me\nTo: a@b.example\n"), &none, S("From me\nTo: a@b.example\n"));
    check(S("To: a@b.example\nno field\nTo: a@b.example\n"), &none,
          S("To: r0@new.example\nno field\nTo: a@b.example\n"));
    check(S(""), &none, S(""));
    check(S("To:"), &none, S("To:"));
}

static void completed(void **state)
{
    check(S("To: joe, Ann <ann>, ed@host, x@b.example, \"a b\", <y@Host>, z@[192.0.2.1]\n"), &both,
          S("To: joe@origin.example, Ann <ann@origin.example>, ed@host.corp.example, x@b.example, "
            "\"a b\"@origin.example, <y@host.corp.example>, z@[192.0.2.1]\n"));
    check(S("To: joe, ed@host\n"), &(struct header_completion){.origin = S("o.example")},
          S("To: joe@o.example, ed@host\n"));
    check(S("To: joe, ed@host\n"), &(struct header_completion){.parent_domain = S("c.example")},
          S("To: joe, ed@host.c.example\n"));
    check(S("To: Joe Doe, g:;\n"), &both, S("To: Joe Doe, g:;\n"));
}

static void limits(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(4 << 20);
    struct buf raw AUTO(buf_deinit) = BUF_INIT(1 << 20), out AUTO(buf_deinit) = BUF_INIT(1 << 20);
    struct header_addresses list = {0};
    buf_puts(&raw, S("To: a@b.example"));
    for (int i = 1; i < HEADER_REWRITE_ADDRESSES_MAX; i++)
        buf_puts(&raw, S(",\n a@b.example"));
    assert_int_equal(header_rewrite_scan(buf_str(&raw), &none, a, &list), RC_OK);
    assert_int_equal(list.n, HEADER_REWRITE_ADDRESSES_MAX);
    buf_puts(&raw, S(", a@b.example"));
    assert_int_equal(header_rewrite_scan(buf_str(&raw), &none, a, &list), RC_LIMIT);
    /* a line that would be too long */
    buf_reset(&raw);
    buf_puts(&raw, S("To: a@b.example\nCc:"));
    for (int i = 0; i < 70; i++)
        buf_puts(&raw, S(" a@b.example,"));
    buf_puts(&raw, S("\nFrom: a@b.example\n"));
    assert_int_equal(header_rewrite_scan(buf_str(&raw), &none, a, &list), RC_OK);
    assert_int_equal(list.n, 72);
    for (size_t i = 0; i < list.n; i++)
        list.v[i].to = S("another@longer.example");
    header_rewrite_put(&out, buf_str(&raw), &list);
    assert_true(str_starts(buf_str(&out), S("To: another@longer.example\nCc: a@b.example, a@b.example,")));
    assert_true(str_ends(buf_str(&out), S(" a@b.example,\nFrom: another@longer.example\n")));
    assert_int_equal(out.n, raw.n + 2 * 11);
    /* comments without end in one field cost no more than its length */
    buf_reset(&raw);
    buf_puts(&raw, S("To: "));
    for (int i = 0; i < 100000; i++)
        buf_puts(&raw, S("(,"));
    check(buf_str(&raw), &none, buf_str(&raw));
    assert_int_equal(header_rewrite_scan(S("DKIM-signature: x\nFrom: a@b.example\n"), &none, a, &list),
                     RC_OK);
    assert_true(list.is_signed && list.n == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(addresses), cmocka_unit_test(garbage),
                                       cmocka_unit_test(completed), cmocka_unit_test(limits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
