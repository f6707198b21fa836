/* Sort programs and thread algorithms: RFC 5256 §5, RFC 5957 §4. */
#include "fmt/imap_sort.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static enum rc parse(struct arena *a, const char *text, struct imap_sort *ret)
{
    struct imap_lex lex;
    imap_lex_init(&lex, str_c(text), a);
    enum rc rc = imap_sort_parse(&lex, ret);
    return rc == RC_OK ? imap_eol(&lex) : rc;
}

static void test_keys(void **state)
{
    struct imap_sort s;
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
    assert_int_equal(parse(a, "(SUBJECT reverse date REVERSE SIZE)", &s), RC_OK);
    assert_int_equal(s.n, 3);
    assert_true(s.by[0].key == SORT_SUBJECT && !s.by[0].reverse);
    assert_true(s.by[1].key == SORT_DATE && s.by[1].reverse);
    assert_true(s.by[2].key == SORT_SIZE && s.by[2].reverse);
    assert_int_equal(parse(a, "(ARRIVAL CC DISPLAYFROM DISPLAYTO FROM TO)", &s), RC_OK);
    assert_int_equal(s.n, 6);
    assert_true(s.by[2].key == SORT_DISPLAYFROM && s.by[5].key == SORT_TO);
}

static void test_refused(void **state)
{
    static const struct {
        const char *text;
        enum rc want;
    } rows[] = {
        {"", RC_INVALID},
        {"()", RC_INVALID},
        {"DATE", RC_INVALID},
        {"(DATE", RC_INVALID},
        {"(REVERSE)", RC_INVALID},
        {"(REVERSE REVERSE DATE)", RC_INVALID},
        {"(BCC)", RC_INVALID},
        {"(DATE )", RC_INVALID},
        {"(CC CC CC CC CC CC CC CC CC CC CC CC CC CC CC CC)", RC_OK},
        {"(CC CC CC CC CC CC CC CC CC CC CC CC CC CC CC CC CC)", RC_LIMIT},
    };
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct imap_sort s;
        if (parse(a, rows[i].text, &s) != rows[i].want)
            fail_msg("%s", rows[i].text);
    }
}

static void test_algorithms(void **state)
{
    static const struct {
        const char *text;
        enum rc rc;
        enum thread_algorithm want;
    } rows[] = {
        {"ORDEREDSUBJECT", RC_OK, THREAD_ORDEREDSUBJECT},
        {"references", RC_OK, THREAD_REFERENCES},
        {"REFS", RC_OK, THREAD_REFS},
        {"REF", RC_INVALID, THREAD_REFS},
        {"", RC_INVALID, THREAD_REFS},
    };
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct imap_lex lex;
        enum thread_algorithm got = THREAD_REFS;
        imap_lex_init(&lex, str_c(rows[i].text), a);
        assert_int_equal(imap_thread_algorithm(&lex, &got), rows[i].rc);
        assert_int_equal(got, rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_algorithms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
