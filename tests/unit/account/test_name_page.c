/* name_page: names in any order give pages in order, each name once. */
#include "account/name_page.h"

#include "account/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void pages(void **state)
{
    char after[32] = "", name[32];
    unsigned seen = 0;
    for (;;) {
        AUTO(arena_freep) struct arena *a = arena_new(NAME_PAGE_ARENA);
        struct name_page p = {.a = a, .after = str_c(after)};
        for (unsigned i = 0; i < 2 * NAME_PAGE_MAX + 500; i++) {
            snprintf(name, sizeof name, "u%05u", i * 7919 % (2 * NAME_PAGE_MAX + 500));
            name_page_add(&p, str_c(name));
            name_page_add(&p, str_c(name));
        }
        assert_int_equal(name_page_cut(&p), RC_OK);
        assert_true(p.n <= NAME_PAGE_MAX);
        if (p.n == 0)
            break;
        for (size_t i = 0; i < p.n; i++) {
            snprintf(name, sizeof name, "u%05u", seen++);
            assert_true(str_eq(p.v[i], str_c(name)));
        }
        snprintf(after, sizeof after, STR_FMT, STR_ARG(p.v[p.n - 1]));
    }
    assert_int_equal(seen, 2 * NAME_PAGE_MAX + 500);
}

static void names_of_no_use(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(NAME_PAGE_ARENA);
    char longer[IDENTITY_ACCOUNT_MAX + 2];
    struct name_page p = {.a = a, .after = S("b")};
    memset(longer, 'x', sizeof longer);
    name_page_add(&p, S(""));
    name_page_add(&p, S("a"));
    name_page_add(&p, S("b"));
    name_page_add(&p, S("c\0d"));
    name_page_add(&p, str_mem(longer, IDENTITY_ACCOUNT_MAX + 1));
    name_page_add(&p, str_mem(longer, IDENTITY_ACCOUNT_MAX));
    assert_int_equal(name_page_cut(&p), RC_OK);
    assert_int_equal(p.n, 1);
}

static void too_many(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(4096);
    struct name_page p = {.a = a};
    char name[32];
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "u%05u", i);
        name_page_add(&p, str_c(name));
    }
    assert_int_equal(name_page_cut(&p), RC_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages),
        cmocka_unit_test(names_of_no_use),
        cmocka_unit_test(too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
