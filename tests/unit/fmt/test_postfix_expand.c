/* postfix_expand: what postconf -x of Postfix 3.7 makes of the same texts. */
#include "base/num.h"
#include "fmt/postfix_expand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool find(void *ctx, str name, str *ret)
{
    static const struct {
        const char *name, *value;
    } rows[] = {{"u", "uv"},
                {"u2", "$u"},
                {"e", ""},
                {"e2", "$e"},
                {"dd", "a$$u"},
                {"level", "3.6"},
                {"loop", "$loop"},
                {"loop1", "x${u?$loop2}"},
                {"loop2", "$loop1"},
                {"loop3", "${{$loop3} == {x} ? y}"},
                {"loop4", "${loop4?x}"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (str_eq(name, str_c(rows[i].name))) {
            *ret = str_c(rows[i].value);
            return true;
        }
    return false;
}

struct row {
    const char *text, *wanted; /* NULL: RC_INVALID */
};

static void check(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(200);
        const struct postfix_expand_env env = {.find = find};
        struct err e = {0};
        enum rc rc = postfix_expand(str_c(rows[i].text), &env, &out, &e);
        if (rows[i].wanted ? rc != RC_OK || !str_eq(buf_str(&out), str_c(rows[i].wanted))
                           : rc != RC_INVALID || !e.peer[0])
            fail_msg("%s: %s, \"%s\", \"%s\"", rows[i].text, rc_name(rc), buf_cstr(&out), e.peer);
    }
}
#define CHECK(rows) check((rows), sizeof(rows) / sizeof *(rows))

static void names(void **state)
{
    static const struct row rows[] = {
        {"", ""},
        {"plain {text} a}b", "plain {text} a}b"},
        {"$u", "uv"},
        {"${u}$(u)${ u }", "uvuvuv"},
        {"$u-x", "uv-x"},
        {"$u2 $dd", "uv a$u"},
        {"$$u $$$u", "$u $uv"},
        {"[$e][$n][$e2]${ }$1$_x", "[][][]"},
        {"$", NULL},
        {"$-", NULL},
        {"a$\tb", NULL},
        {"${}x", NULL},
        {"${u", NULL},
        {"$(u", NULL},
        {"$(u}", NULL},
        {"${u-x}", NULL},
        {"${u x}", NULL},
        {"${u!x}", NULL},
        {"$\xc3\xbc", NULL},
    };
    CHECK(rows);
}

static void results(void **state)
{
    static const struct row rows[] = {
        {"${u?yes}${u:no}", "yes"},
        {"${n?yes}${n:no}", "no"},
        {"${e?yes}${e:no}", "no"},
        {"${e2?yes}${e2:no}", "yes"}, /* it is not expanded for this */
        {"${u? yes }", " yes "},
        {"${u ? { yes } : { no } }", " yes "},
        {"${n?{yes}: no }", " no "},
        {"${n?{yes}:b{c}d}", "b{c}d"},
        {"${u?{a}\t:\t{b}}", "a"},
        {"${u?x:y}${n?x:y}", "x:y"},
        {"${u?{a{b}c}:{c}}", "a{b}c"},
        {"$(u?{a}:{b})$(n:z)", "az"},
        {"$(u?a)b)", "ab)"},
        {"${u?}${u:}${n?{x}:}", ""},
        {"${u?${u?$u2}}", "uv"},
        {"${n?{$}:{b}}${u:$-}", "b"}, /* what is not taken may be broken */
        {"${a?{$(}}:x}", ":x}"},
        {"${n:{no}:x}", NULL},
        {"${n:{no} x}", NULL},
        {"${u?{x} y}", NULL},
        {"${u?{x}{y}}", NULL},
        {"${n?{a}:{b}c}", NULL},
        {"$(u?{)})", NULL},
        {"${u?{$}}", NULL},
    };
    CHECK(rows);
}

static void comparisons(void **state)
{
    static const struct row rows[] = {
        {"${{a} == {a}}${{a} == {b}}", "true"},
        {"${{a} == {b} ? {x} : {y}}", "y"},
        {"${ {a}=={a}? x}", " x"},
        {"$({a}!={b}?{x}:{y})", "x"},
        {"${{a}<{b}?1}${{a}<={a}?2}${{b}>{a}?3}${{b}>={b}?4}", "1234"},
        {"${{a}<{a}?1}${{b}<={a}?2}${{a}>{a}?3}${{a}>={b}?4}${{a}!={a}?5}", ""},
        {"${{10}>{9}?{x}:{y}}${{010}=={10}?{x}:{y}}", "xx"},
        {"${{10a}>{9}?{x}:{y}}${{+1}=={1}?{x}:{y}}", "yy"},
        {"${{}<{9}?{x}:{y}}${{$n}=={}?{x}:{y}}", "xx"},
        {"${{ a }=={a}?{x}:{y}}", "y"},
        {"${{$u2}=={uv}?{x}:{y}}${{$$u}=={uv}?{x}:{y}}", "xy"},
        {"${{\xc3\xbc}<{a}?{x}:{y}}", "y"},
        {"${{9223372036854775807} > {9223372036854775806}?x}", "x"},
        {"${{$level} <level {3.10} ? {x} : {y}}", "x"},
        {"${{1}==level{1.0.0}?x}${{1.2}>=level{1.2.0}?y}${{1}!=level{1.0.0}?z}", "xy"},
        {"${{01. 1}==level{+1.1}?x}${{2147483647.1023.1023}>level{1}?y}", "xy"},
        {"${{9223372036854775808} > {1}?x}", NULL},
        {"${{1} > {9223372036854775808}?x}", NULL},
        {"${{x}<=level{0.9}?x}", NULL},
        {"${{}<=level{0.9}?x}", NULL},
        {"${{1.2.3.4}<=level{0.9}?x}", NULL},
        {"${{1.1024}<=level{9}?x}", NULL},
        {"${{1}<=level{1.}?x}", NULL},
        {"${{1 }<=level{1}?x}", NULL},
        {"${{1}<levelx{2}?x}", NULL},
        {"${{a}}", NULL},
        {"${{a} =}", NULL},
        {"${{a} == b}", NULL},
        {"${{a} === {b}?x}", NULL},
        {"${{a} == {b} z?x}", NULL},
        {"${{a}=={b}=={c}?x}", NULL},
        {"${{1} < level {2}?x}", NULL},
        {"${{a == {b}}", NULL},
        {"${{$}=={a}?x}", NULL},
    };
    CHECK(rows);
}

static void loops(void **state)
{
    static const struct row rows[] = {{"$loop", NULL},  {"${loop?x}", "x"}, {"$loop1", NULL},
                                      {"$loop3", NULL}, {"$loop4", "x"},    {"${{$loop}=={x}?y}", NULL}};
    AUTO(buf_deinit) struct buf out = BUF_INIT(200);
    const struct postfix_expand_env env = {.find = find};
    struct err e = {0};
    CHECK(rows);
    assert_int_equal(postfix_expand(S("$loop1"), &env, &out, &e), RC_INVALID);
    assert_non_null(strstr(e.peer, "refers to itself: \"loop1\""));
}

struct chain {
    unsigned length;
    char values[200][32];
};

/* "aN" is "$a(N+1)", "cN" twice "$c(N+1)", and the last "x". */
static bool find_chain(void *ctx, str name, str *ret)
{
    struct chain *c = ctx;
    uint32_t n = 0;
    assert_int_equal(num_parse_u32(str_from(name, 1), 198, &n), RC_OK);
    if (n + 1 == c->length)
        snprintf(c->values[n], sizeof c->values[n], "x");
    else if (name.p[0] == 'a')
        snprintf(c->values[n], sizeof c->values[n], "$a%u", n + 1);
    else
        snprintf(c->values[n], sizeof c->values[n], "$c%u$c%u", n + 1, n + 1);
    *ret = str_c(c->values[n]);
    return true;
}

static void bounds(void **state)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(10), text = BUF_INIT(1000), large = BUF_INIT(1 << 20);
    struct chain chain = {.length = POSTFIX_EXPAND_DEPTH_MAX};
    struct postfix_expand_env env = {.find = find};
    struct err e = {0};
    assert_int_equal(postfix_expand(S("0123456789"), &env, &out, &e), RC_OK);
    assert_int_equal(postfix_expand(S("$u"), &env, &out, &e), RC_LIMIT);
    for (int i = 0; i < POSTFIX_EXPAND_DEPTH_MAX; i++)
        buf_puts(&text, S("${u?"));
    for (int i = 0; i < POSTFIX_EXPAND_DEPTH_MAX; i++)
        buf_putc(&text, '}');
    assert_int_equal(postfix_expand(buf_str(&text), &env, &large, &e), RC_OK);
    env = (struct postfix_expand_env){find_chain, &chain};
    assert_int_equal(postfix_expand(S("$a0"), &env, &large, &e), RC_OK);
    chain.length++;
    assert_int_equal(postfix_expand(S("$a0"), &env, &large, &e), RC_LIMIT);
    assert_non_null(strstr(e.peer, "deeply"));
    chain.length = 60; /* 2^60 without a bound */
    buf_reset(&large);
    assert_int_equal(postfix_expand(S("$c0"), &env, &large, &e), RC_LIMIT);
    assert_non_null(strstr(e.peer, "too much"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names), cmocka_unit_test(results),
                                       cmocka_unit_test(comparisons), cmocka_unit_test(loops),
                                       cmocka_unit_test(bounds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
