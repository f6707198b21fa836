/* Message ids of References and In-Reply-To: RFC 5322 §3.6.4, RFC 5256 §3. */
#include "fmt/references.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_table(void **state)
{
    static const struct {
        const char *header, *want;
    } rows[] = {
        {"\r\n", ""},
        {"References: <a@b> <c@d>\r\n\r\n", "<a@b> <c@d>"},
        {"References: <a@b>\r\n\t<c@d><e@f>\r\n\r\n", "<a@b> <c@d> <e@f>"},
        {"In-Reply-To: <a@b> <c@d>\r\n\r\n", "<a@b>"},
        {"References: <a@b>\r\nIn-Reply-To: <c@d>\r\n\r\n", "<a@b>"},
        {"References: nothing\r\nIn-Reply-To: Your message <c@d>\r\n\r\n", "<c@d>"},
        {"References: <a b> <> <c <d@e> <f\r\n\r\n", "<d@e>"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf got = BUF_INIT(1000);
        references_put(&got, str_c(rows[i].header));
        assert_string_equal(buf_cstr(&got), rows[i].want);
    }
}

static void test_take(void **state)
{
    str text = S("<a@b> <c@d>");
    (void)state;
    assert_true(str_eq(references_take(&text), S("a@b")));
    assert_true(str_eq(references_take(&text), S("c@d")));
    assert_null(references_take(&text).p);
    assert_null(references_take(&text).p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_take),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
