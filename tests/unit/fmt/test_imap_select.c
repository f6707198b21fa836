/* Parameters of SELECT: RFC 7162 §3.1.8, §3.2.5 and §7. */
#include "fmt/imap_select.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static enum rc parse(struct arena *a, const char *text, struct imap_select_params *ret)
{
    struct imap_lex lex;
    imap_lex_init(&lex, str_c(text), a);
    enum rc rc = imap_select_params(&lex, ret);
    return rc == RC_OK ? imap_eol(&lex) : rc;
}

static void test_params(void **state)
{
    static const struct {
        const char *text;
        bool condstore, qresync;
        uint32_t uidvalidity;
        uint64_t modseq;
        const char *known, *seqs, *uids;
    } rows[] = {
        {"", false, false, 0, 0, "", "", ""},
        {" ", false, false, 0, 0, "", "", ""},
        {" (CONDSTORE)", true, false, 0, 0, "", "", ""},
        {" (condstore QRESYNC (7 1))", true, true, 7, 1, "", "", ""},
        /* the examples of RFC 7162 §3.2.5 */
        {" (QRESYNC (67890007 20050715194045000 41,43:211,214:541))", false, true, 67890007,
         20050715194045000, "41,43:211,214:541", "", ""},
        {" (QRESYNC (67890007 90060115194045000 41:211,214:541 (1,3,5 1,7,19)))", false, true, 67890007,
         90060115194045000, "41:211,214:541", "1,3,5", "1,7,19"},
        {" (QRESYNC (67890007 90060115194045000 (5 9)))", false, true, 67890007, 90060115194045000, "", "5",
         "9"},
        {" (QRESYNC (4294967295 9223372036854775807))", false, true, UINT32_MAX, INT64_MAX, "", "", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
        struct imap_select_params p = {0};
        assert_int_equal(parse(a, rows[i].text, &p), RC_OK);
        assert_int_equal(p.condstore, rows[i].condstore);
        assert_int_equal(p.qresync, rows[i].qresync);
        assert_int_equal(p.uidvalidity, rows[i].uidvalidity);
        assert_true(p.modseq == rows[i].modseq);
        assert_true(str_eq(p.known_uids, str_c(rows[i].known)));
        assert_true(str_eq(p.match_seqs, str_c(rows[i].seqs)));
        assert_true(str_eq(p.match_uids, str_c(rows[i].uids)));
    }
}

static void test_refused(void **state)
{
    static const char *const rows[] = {
        " CONDSTORE",
        " ()",
        " (FOO)",
        " (CONDSTORE",
        " (QRESYNC)",
        " (QRESYNC 1 2)",
        " (QRESYNC ())",
        " (QRESYNC (1))",
        " (QRESYNC (0 1))",
        " (QRESYNC (1 -1))",
        " (QRESYNC (1 9223372036854775808))",
        " (QRESYNC (4294967296 1))",
        " (QRESYNC (1 1 1:*))", /* RFC 7162 §3.2.5: "*" is not allowed */
        " (QRESYNC (1 1 $))",
        " (QRESYNC (1 1 1:5 1:6))",
        " (QRESYNC (1 1 (1:5)))",
        " (QRESYNC (1 1 (1:5 *)))",
        " (QRESYNC (1 1 (1 1) (2 2)))",
        " (QRESYNC (1 1 (1 1) 2))",
        " (QRESYNC (1 1)) x",
        " (QRESYNC (1 1) QRESYNC (1 1))",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
        struct imap_select_params p = {0};
        if (parse(a, rows[i], &p) != RC_INVALID)
            fail_msg("accepted: %s", rows[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_params),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
