/* Who shares mailboxes with whom: what was said last counts, and goes with the accounts. */
#include "account/shared_with.h"

#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct fixture f;
static struct err e;

static int setup(void **state)
{
    e = (struct err){0};
    fixture_open(&f);
    fixture_add(&f, "ann@example.org");
    fixture_add(&f, "bob@example.org");
    return 0;
}

static int teardown(void **state)
{
    fixture_close(&f);
    return 0;
}

static void share(const char *owner, const char *one, const char *other)
{
    const str users[] = {str_c(one), str_c(other)};
    assert_int_equal(shared_with_set(f.db, str_c(owner), users, (one != NULL) + (other != NULL), &e), RC_OK);
}

static void expect(const char *user, const char *want)
{
    AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
    AUTO(buf_deinit) struct buf text = BUF_INIT(1000);
    str *owners;
    size_t n;
    assert_int_equal(shared_with_find(f.db, str_c(user), 2, a, &owners, &n, &e), RC_OK);
    for (size_t i = 0; i < n; i++)
        buf_printf(&text, STR_FMT " ", STR_ARG(owners[i]));
    assert_string_equal(buf_cstr(&text), want);
}

static void said_last(void **state)
{
    expect("bob@example.org", "");
    share("ann@example.org", "bob@example.org", "carl@example.org");
    share("ann@example.org", "carl@example.org", "bob@example.org");
    expect("bob@example.org", "ann@example.org ");
    share("ann@example.org", "carl@example.org", NULL);
    expect("bob@example.org", "");
    expect("carl@example.org", "ann@example.org ");
    share("ann@example.org", NULL, NULL);
    expect("carl@example.org", "");
}

static void everybody(void **state)
{
    share("bob@example.org", "anyone", NULL);
    share("ann@example.org", "anyone", "carl@example.org");
    expect("carl@example.org", "ann@example.org bob@example.org ");
    expect("bob@example.org", "ann@example.org "); /* never oneself */
    share("joe", "carl@example.org", NULL);
    expect("carl@example.org", "ann@example.org bob@example.org "); /* no more than were asked for */
}

static void goes_with_accounts(void **state)
{
    share("ann@example.org", "bob@example.org", NULL);
    share("bob@example.org", "ann@example.org", NULL);
    assert_int_equal(account_del(f.db, S("bob@example.org"), &e), RC_OK);
    expect("ann@example.org", "");
    expect("bob@example.org", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(said_last, setup, teardown),
        cmocka_unit_test_setup_teardown(everybody, setup, teardown),
        cmocka_unit_test_setup_teardown(goes_with_accounts, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
