/* aliases: entries, every kind of target, quoting, and mistakes that do not hide the entries behind them. */
#include "base/buf.h"
#include "fmt/aliases.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct arena *arena;

/* "A:joe" and so on: address, command, file, include; a "!" behind the letter: final. */
static void describe(struct buf *out, const struct alias *alias)
{
    static const char letters[] = "ACFI";
    buf_printf(out, "%zu " STR_FMT " =", alias->line, STR_ARG(alias->name));
    for (size_t i = 0; i < alias->count; i++) {
        const struct alias_target *t = &alias->targets[i];
        buf_printf(out, " [%c%s " STR_FMT "]", letters[t->kind], t->final ? "!" : "", STR_ARG(t->text));
    }
    buf_putc(out, '\n');
}

static void describe_file(struct buf *out, str file)
{
    struct aliases_iter it = aliases_iter(file);
    struct alias alias;
    struct err e = {.code = 0};
    enum rc rc;
    while ((rc = aliases_next(&it, arena, &alias, &e)) != RC_GONE) {
        if (rc == RC_OK)
            describe(out, &alias);
        else
            buf_printf(out, "%s\n", e.peer);
    }
}

static void entries(void **state)
{
    static const char file[] =
        "# comment: no entry\n"
        "postmaster:    root\n"
        "\n"
        "root:\tjoe,\n"
        "   # a comment in between\n"
        "\n"
        "\tann@example.org ,\n"
        " ,bob\r\n"
        "Nobody:\n"
        "\"a, b: c\" : \"|/bin/prog -a \\\"x, y\\\" \\\\\", /var/mail/box, \"/var/my box/\"\n"
        "list: :include:/etc/list, \":INCLUDE:/etc/my list\"\n"
        "me: \\me, |\"/bin/vacation me\" , |/bin/prog  x\n"
        "mail: Joe Doe <joe@example.org>, \"Doe, Joe\" <doe@example.org>, \"j d\"@example.org\n"
        "hash: a#b, \"#c\"\n"
        "last: joe";
    static const char want[] =
        "2 postmaster = [A root]\n"
        "4 root = [A joe] [A ann@example.org] [A bob]\n"
        "9 Nobody =\n"
        "10 a, b: c = [C /bin/prog -a \"x, y\" \\] [F /var/mail/box] [F /var/my box/]\n"
        "11 list = [I /etc/list] [I /etc/my list]\n"
        "12 me = [A! me] [C /bin/vacation me] [C /bin/prog  x]\n"
        "13 mail = [A joe@example.org] [A doe@example.org] [A \"j d\"@example.org]\n"
        "14 hash = [A a#b] [A #c]\n"
        "15 last = [A joe]\n";
    AUTO(buf_deinit) struct buf out = BUF_INIT(10000);
    describe_file(&out, str_c(file));
    assert_string_equal(buf_cstr(&out), want);
}

static void mistakes(void **state)
{
    static const char file[] = "  continued: x\n"
                               "no colon\n"
                               "a b: x\n"
                               ": x\n"
                               "good: x\n"
                               "quote: \"x\n"
                               "quote: \"x\\\n"
                               "space: x y\n"
                               "pipe: |\n"
                               "include: :include:relative\n"
                               "fail: :fail: gone\n"
                               "control: \"a\001b\"\n"
                               "empty: \"\"\n"
                               "also: good\n";
    static const char want[] = "line 1: continues nothing\n"
                               "line 2: no colon behind the name\n"
                               "line 3: bad name\n"
                               "line 4: bad name\n"
                               "5 good = [A x]\n"
                               "line 6: a quote has no end\n"
                               "line 7: a quote has no end\n"
                               "line 8: white space in an address\n"
                               "line 9: an empty target\n"
                               "line 10: :include: needs an absolute path\n"
                               "line 11: unknown kind of target\n"
                               "line 12: a control character\n"
                               "line 13: an empty target\n"
                               "14 also = [A good]\n";
    AUTO(buf_deinit) struct buf out = BUF_INIT(10000);
    describe_file(&out, str_c(file));
    assert_string_equal(buf_cstr(&out), want);
}

static void forwards(void **state)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(1000);
    struct alias alias;
    struct err e = {.code = 0};
    assert_int_equal(
        aliases_parse_targets(S("\\joe, \"|/usr/bin/vacation joe\"\n# away\n\n  joe@example.org\n/dev/null"),
                              arena, &alias, &e),
        RC_OK);
    describe(&out, &alias);
    assert_string_equal(buf_cstr(&out),
                        "1  = [A! joe] [C /usr/bin/vacation joe] [A joe@example.org] [F /dev/null]\n");
    assert_int_equal(aliases_parse_targets(S("joe\n\n\"ann"), arena, &alias, &e), RC_INVALID);
    assert_string_equal(e.peer, "line 3: a quote has no end");
    assert_int_equal(aliases_parse_targets(S(""), arena, &alias, &e), RC_OK);
    assert_int_equal(alias.count, 0);
}

static void limits(void **state)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(1 << 20);
    struct alias alias;
    struct err e = {.code = 0};
    for (size_t i = 0; i < ALIASES_TARGETS_MAX; i++)
        buf_puts(&text, S("x,"));
    assert_int_equal(aliases_parse_targets(buf_str(&text), arena, &alias, &e), RC_OK);
    assert_int_equal(alias.count, ALIASES_TARGETS_MAX);
    assert_true(str_eq(alias.targets[ALIASES_TARGETS_MAX - 1].text, S("x")));
    buf_puts(&text, S("x"));
    assert_int_equal(aliases_parse_targets(buf_str(&text), arena, &alias, &e), RC_LIMIT);
    buf_reset(&text);
    for (size_t i = 0; i < ALIASES_TEXT_MAX; i++)
        buf_putc(&text, 'x');
    assert_int_equal(aliases_parse_targets(buf_str(&text), arena, &alias, &e), RC_OK);
    buf_putc(&text, 'x');
    assert_int_equal(aliases_parse_targets(buf_str(&text), arena, &alias, &e), RC_LIMIT);
    struct arena *small = arena_new(100);
    assert_int_equal(aliases_parse_targets(S("a,b,c,d,e,f,g,h,i"), small, &alias, &e), RC_LIMIT);
    arena_free(small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(entries), cmocka_unit_test(mistakes),
                                       cmocka_unit_test(forwards), cmocka_unit_test(limits)};
    arena = arena_new(8 << 20);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(arena);
    return failed;
}
