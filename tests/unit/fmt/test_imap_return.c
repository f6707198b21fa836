/* Return options of SEARCH: RFC 4731 §3.1, RFC 5182 §2.1, RFC 5267 §4, RFC 5465 §7, RFC 9394 §3.1, §4. */
#include "fmt/imap_return.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static enum rc parse(struct arena *a, const char *text, struct imap_return *ret)
{
    struct imap_lex lex;
    imap_lex_init(&lex, str_c(text), a);
    enum rc rc = imap_return_parse(&lex, ret);
    if (rc == RC_OK)
        assert_true(str_eq(imap_rest(&lex), S("ALL"))); /* the first search key */
    return rc;
}

static void test_options(void **state)
{
    static const struct {
        const char *text;
        unsigned options;
        bool given;
        const char *partial, *of_new;
    } rows[] = {
        {"ALL", 0, false, "", ""},
        {"RETURN () ALL", RETURN_ALL, true, "", ""},
        {"return (min) ALL", RETURN_MIN, true, "", ""},
        {"RETURN (MIN MAX COUNT ALL SAVE) ALL",
         RETURN_MIN | RETURN_MAX | RETURN_COUNT | RETURN_ALL | RETURN_SAVE, true, "", ""},
        {"RETURN (SAVE) ALL", RETURN_SAVE, true, "", ""},
        {"RETURN (PARTIAL 1:500 COUNT) ALL", RETURN_PARTIAL | RETURN_COUNT, true, "1:500", ""},
        {"RETURN (PARTIAL 500:1) ALL", RETURN_PARTIAL, true, "1:500", ""},
        {"RETURN (PARTIAL -1:-100) ALL", RETURN_PARTIAL, true, "-1:-100", ""},
        {"RETURN (PARTIAL -4294967295:-1) ALL", RETURN_PARTIAL, true, "-1:-4294967295", ""},
        {"RETURN (CONTEXT COUNT) ALL", RETURN_CONTEXT | RETURN_COUNT, true, "", ""},
        {"RETURN (UPDATE PARTIAL 1:2) ALL", RETURN_UPDATE | RETURN_PARTIAL, true, "1:2", ""},
        {"RETURN (update (UID FLAGS) MIN) ALL", RETURN_UPDATE | RETURN_MIN, true, "", "(UID FLAGS)"},
        {"RETURN (UPDATE(BODY.PEEK[HEADER.FIELDS (TO)])) ALL", RETURN_UPDATE, true, "",
         "(BODY.PEEK[HEADER.FIELDS (TO)])"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
        AUTO(buf_deinit) struct buf partial = BUF_INIT(100);
        struct imap_return r = {0};
        assert_int_equal(parse(a, rows[i].text, &r), RC_OK);
        assert_int_equal(r.options, rows[i].options);
        assert_int_equal(r.given, rows[i].given);
        if (r.partial.given)
            imap_partial_put(&partial, &r.partial);
        assert_string_equal(buf_cstr(&partial), rows[i].partial);
        assert_true(str_eq(r.of_new, str_c(rows[i].of_new)));
    }
}

static void test_refused(void **state)
{
    static const char *const rows[] = {
        "RETURN",
        "RETURN MIN ALL",
        "RETURN (MIN",
        "RETURN (MIN)",
        "RETURN (MIN )  ALL",
        "RETURN (FOO) ALL",
        "RETURN ((MIN)) ALL",
        "RETURN (PARTIAL) ALL",
        "RETURN (PARTIAL 1) ALL",
        "RETURN (PARTIAL 0:5) ALL",
        "RETURN (PARTIAL 1:-5) ALL",
        "RETURN (PARTIAL -1:5) ALL",
        "RETURN (PARTIAL 1:*) ALL",
        "RETURN (PARTIAL 1:4294967296) ALL",
        "RETURN (PARTIAL 1:5 PARTIAL 6:9) ALL",
        "RETURN (PARTIAL 1:5 ALL) ALL", /* RFC 9394 §3.1 */
        "RETURN (UPDATE ()) ALL",
        "RETURN (UPDATE (UID) ALL",
        "RETURN (UPDATE (XYZZY)) ALL",
        "RETURN (UPDATE ALL (UID)) ALL",
        "RETURN (UPDATE (UID)(UID)) ALL",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
        struct imap_return r = {0};
        if (parse(a, rows[i], &r) != RC_INVALID)
            fail_msg("accepted: %s", rows[i]);
        assert_false(r.given);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
