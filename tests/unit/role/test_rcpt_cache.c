/* role/rcpt_cache: answers are kept for a second and belong to their address alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "role/rcpt_cache.h"

static struct buf out = BUF_INIT(4096);
static enum rc answered;

static bool found(struct rcpt_cache *c, str address, msec now)
{
    buf_reset(&out);
    return rcpt_cache_find(c, address, now, &out, &answered);
}

static void kept_for_a_second(void **state)
{
    struct rcpt_cache *c = rcpt_cache_new();
    assert_false(found(c, S("a@b"), 1000));
    rcpt_cache_put(c, S("a@b"), RC_OK, S("answer"), 1000);
    assert_true(found(c, S("a@b"), 1000 + RCPT_CACHE_TTL_MS - 1));
    assert_true(str_eq(buf_str(&out), S("answer")) && answered == RC_OK);
    assert_false(found(c, S("A@b"), 1000));
    assert_false(found(c, S("a@b"), 1000 + RCPT_CACHE_TTL_MS));
    rcpt_cache_put(c, S("a@b"), RC_GONE, S("other"), 5000);
    assert_true(found(c, S("a@b"), 5000));
    assert_true(str_eq(buf_str(&out), S("other")) && answered == RC_GONE);
    rcpt_cache_clear(c);
    assert_false(found(c, S("a@b"), 5000));
    rcpt_cache_free(c);
}

static void too_long_is_not_kept(void **state)
{
    static char text[RCPT_CACHE_ANSWER_MAX + 1];
    struct rcpt_cache *c = rcpt_cache_new();
    memset(text, 'x', sizeof text);
    rcpt_cache_put(c, S("a@b"), RC_OK, str_mem(text, sizeof text), 0);
    assert_false(found(c, S("a@b"), 0));
    rcpt_cache_put(c, str_mem(text, RCPT_CACHE_ADDRESS_MAX + 1), RC_OK, S("answer"), 0);
    assert_false(found(c, str_mem(text, RCPT_CACHE_ADDRESS_MAX + 1), 0));
    rcpt_cache_put(c, str_mem(text, RCPT_CACHE_ADDRESS_MAX), RC_OK, str_mem(text, RCPT_CACHE_ANSWER_MAX), 0);
    assert_true(found(c, str_mem(text, RCPT_CACHE_ADDRESS_MAX), 0));
    assert_int_equal(out.n, RCPT_CACHE_ANSWER_MAX);
    rcpt_cache_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(kept_for_a_second),
                                       cmocka_unit_test(too_long_is_not_kept)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    buf_deinit(&out);
    return failed;
}
