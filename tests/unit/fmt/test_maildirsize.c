/* The file maildirsize, as Dovecot, Courier and we write it. */
#include "fmt/maildirsize.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void files(void **state)
{
    static const struct {
        const char *text;
        uint64_t limit, count;
        int64_t bytes, messages;
    } table[] = {
        {"1000S,10C\n500 3\n", 1000, 10, 500, 3},
        {"10C,1000S\n500 3\n-200 -1\n", 1000, 10, 300, 2},
        {"1000S\n", 1000, 0, 0, 0},
        {"\n500 3\n", 0, 0, 500, 3},
        {"\n", 0, 0, 0, 0},
        {"1000S\n         500            3\n", 1000, 0, 500, 3},
        {"1000S\n500 3  \n", 1000, 0, 500, 3},
        {"1000S\n-500 -3\n", 1000, 0, -500, -3},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct maildirsize m;
        assert_int_equal(maildirsize_parse(str_c(table[i].text), &m), RC_OK);
        assert_true(m.limits.bytes == table[i].limit && m.limits.messages == table[i].count);
        assert_true(m.bytes == table[i].bytes && m.messages == table[i].messages);
    }
}

static void others(void **state)
{
    static const char *const wrong[] = {
        "",
        "1000S",
        "1000S\n500 3",
        "1000S\n500\n",
        "1000S\n500 3 4\n",
        "1000S\n500 x\n",
        "1000X\n",
        "S\n",
        "-1S\n",
        "1000S\n\n",
        "1000S\n5 3\nx",
        "1000S\n- 1\n",
        "1000S\n5 +3\n",
        "1000S\n9223372036854775808 1\n",
        "1000S\n9223372036854775807 1\n1 1\n",
    };
    struct maildirsize m;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (maildirsize_parse(str_c(wrong[i]), &m) != RC_INVALID)
            fail_msg("\"%s\" was taken", wrong[i]);
}

static void written(void **state)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(200);
    maildirsize_put_limits(&out, &(struct quota_limits){1000, 10, false});
    maildirsize_put_change(&out, 5, 1);
    maildirsize_put_change(&out, -5, -1);
    maildirsize_put_limits(&out, &(struct quota_limits){0, 10, false});
    maildirsize_put_limits(&out, &(struct quota_limits){0, 0, false});
    assert_string_equal(buf_cstr(&out), "1000S,10C\n5 1\n-5 -1\n10C\n\n");
}

static void totals(void **state)
{
    static const struct {
        struct quota_limits limits;
        int64_t bytes, messages;
    } table[] = {{{0, 0, false}, 0, 0},
                 {{1000, 10, false}, 5, 1},
                 {{UINT64_MAX, UINT64_MAX, false}, INT64_MIN, INT64_MIN}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(2 * MAILDIRSIZE_TOTAL_BYTES);
        struct maildirsize m;
        maildirsize_put_total(&out, &table[i].limits, table[i].bytes, table[i].messages);
        assert_int_equal(out.n, MAILDIRSIZE_TOTAL_BYTES);
        maildirsize_put_total(&out, &table[i].limits, table[i].bytes, table[i].messages);
        assert_int_equal(out.n, 2 * MAILDIRSIZE_TOTAL_BYTES);
        buf_truncate(&out, MAILDIRSIZE_TOTAL_BYTES);
        if (i == 2) /* longer than any there is */
            continue;
        assert_int_equal(maildirsize_parse(buf_str(&out), &m), RC_OK);
        assert_true(m.limits.bytes == table[i].limits.bytes && m.limits.messages == table[i].limits.messages);
        assert_true(m.bytes == table[i].bytes && m.messages == table[i].messages);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(files), cmocka_unit_test(others),
                                       cmocka_unit_test(written), cmocka_unit_test(totals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
