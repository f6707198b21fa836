/* Queries of doveadm-search-query(7) as programs of SEARCH. */
#include "fmt/doveadm_query.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { WORDS_MAX = 32, NOW = 1784281465 };

static enum rc format(const char *words, struct arena *a, struct doveadm_program *ret, struct err *e)
{
    static char text[1000];
    char *v[WORDS_MAX];
    size_t n = 0;
    assert_int_equal(str_copy(text, sizeof text, str_c(words)), RC_OK);
    for (char *at = *text ? text : NULL; at && n < WORDS_MAX;) { /* '|' stands between words */
        v[n++] = at;
        if ((at = strchr(at, '|')))
            *at++ = '\0';
    }
    const struct doveadm_query q = {
        .words = v, .n = n, .mailbox = S("Work.One"), .guid = S("abc"), .separator = '.', .now = NOW};
    return doveadm_query_format(&q, a, ret, e);
}

static void programs(void **state)
{
    static const struct {
        const char *words, *program;
        bool bound, never;
    } rows[] = {
        {"", "ALL", false},
        {"all", "(ALL)", false},
        {"SEEN|flagged", "(SEEN FLAGGED)", false},
        {"seen|OR|flagged|answered", "OR SEEN OR FLAGGED ANSWERED", false},
        {"(|seen|or|flagged|)|deleted", "(OR SEEN FLAGGED DELETED)", false},
        {"not|seen", "(NOT (SEEN))", false},
        {"not|(|seen|draft|)", "(NOT ((SEEN DRAFT)))", false},
        {"subject|two words|from|a\"b", "(SUBJECT \"two words\" FROM \"a\\\"b\")", false},
        {"header|X-Y|", "(HEADER \"X-Y\" \"\")", false},
        {"subject|k\303\266ln", "(SUBJECT {5}\r\nk\303\266ln)", false},
        {"1:3,*", "(1:3,*)", false},
        {"uid|1:*|keyword|$Forwarded", "(UID 1:* KEYWORD $Forwarded)", false},
        {"guid|abc-1", "(EMAILID abc-1)", false},
        {"mailbox|Work.One|seen", "(ALL SEEN)", true},
        {"mailbox|Work.*", "(ALL)", true},
        {"mailbox|Work.%|mailbox|INBOX", "(ALL NOT ALL)", true, true},
        {"mailbox|INBOX|or|mailbox|Sent", "OR NOT ALL NOT ALL", true, true},
        {"mailbox|INBOX|or|seen", "OR NOT ALL SEEN", false},
        {"mailbox-guid|ABC", "(ALL)", true},
        {"not|mailbox|INBOX", "(NOT (NOT ALL))", false},
        {"since|2026-07-01|before|1-Aug-2026", "(SINCE 1-Jul-2026 BEFORE 1-Aug-2026)", false},
        {"senton|2026-07-01|savedsince|2026-07-02", "(SENTON 1-Jul-2026 SAVEDSINCE 2-Jul-2026)", false},
        {"since|2 days|before|1w", "(YOUNGER 172800 OLDER 604801)", false},
        {"since|1784281405|before|1784281406", "(YOUNGER 60 OLDER 60)", false},
        {"since|1784281466|before|1784281467", "(NOT ALL ALL)", false},
        {"older|1h|younger|90", "(OLDER 3600 YOUNGER 90)", false},
        {"larger|10k|smaller|1M", "(LARGER 10240 SMALLER 1048576)", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
        struct err e = {0};
        struct doveadm_program p;
        assert_int_equal(format(rows[i].words, a, &p, &e), RC_OK);
        assert_string_equal(p.text.p, rows[i].program);
        assert_int_equal(p.bound, rows[i].bound);
        assert_int_equal(p.never, rows[i].never);
    }
}

static void refused(void **state)
{
    static const char *const rows[][2] = {
        {"fly", "Unknown argument fly"},
        {"seen|subject", "Missing parameter for SUBJECT"},
        {"header|x", "Missing parameter for HEADER"},
        {"not", "Missing parameter for NOT"},
        {"(|seen", "Missing ')'"},
        {"seen|)", "Unexpected ')'"},
        {"since|yesterday", "Invalid parameter for SINCE: yesterday"},
        {"since|2026-13-01", "Invalid parameter for SINCE: 2026-13-01"},
        {"on|2 days", "ON needs a day"},
        {"sentsince|1w", "SENTSINCE needs a day"},
        {"older|soon", "Invalid parameter for OLDER: soon"},
        {"larger|much", "Invalid parameter for LARGER: much"},
        {"uid|x", "Invalid parameter for UID: x"},
        {"keyword|a b", "Invalid parameter for KEYWORD: a b"},
        {"modseq|1)", "Invalid parameter for MODSEQ: 1)"},
        {"1|2)", "Unknown argument 2)"},
        {":", "Unknown argument :"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
        struct err e = {0};
        struct doveadm_program p;
        assert_int_equal(format(rows[i][0], a, &p, &e), RC_INVALID);
        assert_string_equal(err_text(&e), rows[i][1]);
    }
}

static void nesting_is_limited(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    struct err e = {0};
    struct doveadm_program p;
    char *words[100];
    for (size_t i = 0; i < 100; i++)
        words[i] = (char *)(i % 2 ? "(" : "not");
    const struct doveadm_query q = {.words = words, .n = 100};
    assert_int_not_equal(doveadm_query_format(&q, a, &p, &e), RC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(programs), cmocka_unit_test(refused),
                                       cmocka_unit_test(nesting_is_limited)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
