/* imap_lex: each rule of RFC 9051 §9 with what it takes, what it leaves and what it refuses. */
#include "base/buf.h"
#include "fmt/imap_lex.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct arena *arena;

typedef enum rc str_rule(struct imap_lex *lex, str *ret);

static const struct {
    str_rule *rule;
    str in;
    const char *want; /* NULL: RC_INVALID */
    size_t left;
} STRINGS[] = {
    {imap_tag, {"A142 X", 6}, "A142", 2},
    {imap_tag, {"a+b X", 5}, "a", 4},
    {imap_tag, {"+ X", 3}, NULL, 0},
    {imap_tag, {"", 0}, NULL, 0},
    {imap_atom, {"SELECT x", 8}, "SELECT", 2},
    {imap_atom, {"a]", 2}, "a", 1},
    {imap_atom, {"\"a\"", 3}, NULL, 0},
    {imap_atom, {"\x80", 1}, NULL, 0},
    {imap_atom, {"\0", 1}, NULL, 0},
    {imap_astring, {"a]b)", 4}, "a]b", 1},
    {imap_astring, {"\"\"", 2}, "", 0},
    {imap_astring, {"\"a \\\"b\\\\\" ", 10}, "a \"b\\", 1},
    {imap_astring, {"\"\xc3\xa9\"", 4}, "\xc3\xa9", 0},
    {imap_astring, {"\"a", 2}, NULL, 0},
    {imap_astring, {"\"a\\x\"", 5}, NULL, 0},
    {imap_astring, {"\"a\\", 3}, NULL, 0},
    {imap_astring, {"\"a\0b\"", 5}, NULL, 0},
    {imap_astring, {"\"a\rb\"", 5}, NULL, 0},
    {imap_astring, {"{3}\r\na\r\n x", 10}, "a\r\n", 2},
    {imap_astring, {"{3+}\r\nabc", 9}, "abc", 0},
    {imap_astring, {"{0}\r\n", 5}, "", 0},
    {imap_astring, {"{4}\r\nabc", 8}, NULL, 0},
    {imap_astring, {"{3}\r\na\0c", 8}, NULL, 0},
    {imap_astring, {"{3}abc", 6}, NULL, 0},
    {imap_astring, {"{99999999999999999999}\r\n", 24}, NULL, 0},
    {imap_nstring, {"nil)", 4}, "", 1},
    {imap_nstring, {"\"NIL\"", 5}, "NIL", 0},
    {imap_nstring, {"NILX", 4}, NULL, 0},
    {imap_nstring, {"~{1}\r\nx", 7}, NULL, 0},
    {imap_nstring, {"{1}\r\n\0", 6}, NULL, 0},
    {imap_nstring8, {"NIL ", 4}, "", 1},
    {imap_nstring8, {"\"x\"", 3}, "x", 0},
    {imap_nstring8, {"{1}\r\nx", 6}, "x", 0},
    {imap_nstring8, {"~{1+}\r\nx)", 9}, "x", 1},
    {imap_nstring8, {"~{2}\r\nx", 7}, NULL, 0},
    {imap_nstring8, {"~\"x\"", 4}, NULL, 0},
    {imap_nstring8, {"{1}\r\n\0", 6}, NULL, 0},
    {imap_mailbox, {"inBox", 5}, "INBOX", 0},
    {imap_mailbox, {"&U,BTFw-", 8}, "\u53f0\u5317", 0}, /* RFC 3501 §5.1.3 */
    {imap_mailbox, {"\"Entw\xc3\xbcrfe\"", 11}, "Entw\u00fcrfe", 0},
    {imap_mailbox, {"\"\xff\"", 3}, NULL, 0},
    {imap_mailbox, {"&bad", 4}, NULL, 0},
    {imap_mailbox, {"a%", 2}, "a", 1},
    {imap_list_mailbox, {"a/%* x", 6}, "a/%*", 2},
    {imap_set_text, {"2,4:7,9,12:* FLAGS", 18}, "2,4:7,9,12:*", 6},
    {imap_set_text, {"$ x", 3}, "$", 2},
    {imap_set_text, {"x", 1}, NULL, 0},
    {imap_flag, {"\\Seen)", 6}, "\\Seen", 1},
    {imap_flag, {"$Forwarded", 10}, "$Forwarded", 0},
    {imap_flag, {"\\*", 2}, NULL, 0},
};

static void test_strings(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof STRINGS / sizeof *STRINGS; i++) {
        struct imap_lex lex;
        str got = S("untouched");
        imap_lex_init(&lex, STRINGS[i].in, arena);
        enum rc rc = STRINGS[i].rule(&lex, &got);
        if (!STRINGS[i].want) {
            assert_int_equal(rc, RC_INVALID);
            assert_true(str_eq(got, S("untouched")));
            assert_non_null(lex.expected);
            continue;
        }
        assert_int_equal(rc, RC_OK);
        assert_true(str_eq(got, str_c(STRINGS[i].want)));
        assert_int_equal(imap_rest(&lex).n, STRINGS[i].left);
    }
}

static void test_numbers(void **state)
{
    static const struct {
        const char *in;
        bool ok32, ok_nz, ok64;
    } rows[] = {
        {"0", true, false, true},
        {"1", true, true, true},
        {"4294967295", true, true, true},
        {"4294967296", false, false, true},
        {"9223372036854775807", false, false, true},
        {"9223372036854775808", false, false, false},
        {"", false, false, false},
        {"-1", false, false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct imap_lex lex;
        uint32_t n;
        uint64_t n64;
        imap_lex_init(&lex, str_c(rows[i].in), arena);
        assert_int_equal(imap_number(&lex, &n) == RC_OK, rows[i].ok32);
        imap_lex_init(&lex, str_c(rows[i].in), arena);
        assert_int_equal(imap_nz_number(&lex, &n) == RC_OK, rows[i].ok_nz);
        imap_lex_init(&lex, str_c(rows[i].in), arena);
        assert_int_equal(imap_number64(&lex, &n64) == RC_OK, rows[i].ok64);
    }
}

static void test_flag_list(void **state)
{
    struct imap_lex lex;
    struct buf many = BUF_INIT(4096);
    const str *names;
    size_t n;
    (void)state;
    imap_lex_init(&lex, S("(\\Seen $a b) x"), arena);
    assert_int_equal(imap_flag_list(&lex, &names, &n), RC_OK);
    assert_int_equal(n, 3);
    assert_true(str_eq(names[2], S("b")));
    imap_lex_init(&lex, S("()"), arena);
    assert_int_equal(imap_flag_list(&lex, &names, &n), RC_OK);
    assert_int_equal(n, 0);
    imap_lex_init(&lex, S("(a"), arena);
    assert_int_equal(imap_flag_list(&lex, &names, &n), RC_INVALID);
    for (int i = 0; i < IMAP_FLAGS_MAX; i++)
        buf_printf(&many, "%ck%d", i ? ' ' : '(', i);
    buf_puts(&many, S(" x)"));
    imap_lex_init(&lex, buf_str(&many), arena);
    assert_int_equal(imap_flag_list(&lex, &names, &n), RC_LIMIT);
    buf_truncate(&many, many.n - 3);
    buf_putc(&many, ')');
    imap_lex_init(&lex, buf_str(&many), arena);
    assert_int_equal(imap_flag_list(&lex, &names, &n), RC_OK);
    assert_int_equal(n, IMAP_FLAGS_MAX);
    assert_true(str_eq(names[IMAP_FLAGS_MAX - 1], S("k127")));
    buf_deinit(&many);
}

static void test_dates(void **state)
{
    struct imap_lex lex;
    int64_t v;
    (void)state;
    imap_lex_init(&lex, S("1-Feb-1994 x"), arena); /* RFC 9051 §6.4.4 */
    assert_int_equal(imap_date(&lex, &v), RC_OK);
    assert_int_equal(v, 8797);
    imap_lex_init(&lex, S("\"1-Feb-1994\""), arena);
    assert_int_equal(imap_date(&lex, &v), RC_OK);
    imap_lex_init(&lex, S("30-Feb-1994"), arena);
    assert_int_equal(imap_date(&lex, &v), RC_INVALID);
    imap_lex_init(&lex, S("\"17-Jul-1996 02:44:25 -0700\""), arena);
    assert_int_equal(imap_date_time(&lex, &v), RC_OK);
    assert_int_equal(v, 837596665);
    imap_lex_init(&lex, S("17-Jul-1996 02:44:25 -0700"), arena);
    assert_int_equal(imap_date_time(&lex, &v), RC_INVALID);
}

static void test_structure(void **state)
{
    struct imap_lex lex;
    str s;
    (void)state;
    imap_lex_init(&lex, S("UID  uids (x) {310+}\r\n"), arena);
    assert_true(imap_take_word(&lex, S("uid")));
    assert_int_equal(imap_sp(&lex), RC_OK);
    assert_false(imap_take_word(&lex, S("UID")));
    assert_int_equal(imap_atom(&lex, &s), RC_OK);
    assert_int_equal(imap_sp(&lex), RC_OK);
    assert_int_equal(imap_list_begin(&lex), RC_OK);
    assert_int_equal(imap_char(&lex, ')'), RC_INVALID);
    assert_string_equal(lex.expected, ")");
    assert_int_equal(lex.expected_at, 11);
    assert_true(imap_take(&lex, 'x'));
    assert_int_equal(imap_list_end(&lex), RC_OK);
    assert_int_equal(imap_eol(&lex), RC_INVALID);
    assert_int_equal(imap_literal_mark(&lex), RC_OK);
    imap_lex_init(&lex, S("  "), arena);
    assert_int_equal(imap_eol(&lex), RC_OK);
}

static void test_nesting(void **state)
{
    char deep[IMAP_NESTING_MAX + 1];
    struct imap_lex lex;
    (void)state;
    memset(deep, '(', sizeof deep);
    imap_lex_init(&lex, str_mem(deep, sizeof deep), arena);
    for (int i = 0; i < IMAP_NESTING_MAX; i++)
        assert_int_equal(imap_list_begin(&lex), RC_OK);
    assert_int_equal(imap_list_begin(&lex), RC_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings), cmocka_unit_test(test_numbers),   cmocka_unit_test(test_flag_list),
        cmocka_unit_test(test_dates),   cmocka_unit_test(test_structure), cmocka_unit_test(test_nesting),
    };
    arena = arena_new(1 << 16);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_freep(&arena);
    return failed;
}
