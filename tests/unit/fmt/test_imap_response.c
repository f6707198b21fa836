/* Responses of IMAP servers: RFC 9051 §7 with its examples, and what other servers say. */
#include "base/buf.h"
#include "fmt/imap_response.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static enum rc parse(struct arena *a, const char *text, struct imap_response *ret, struct imap_lex *lex)
{
    imap_lex_init(lex, str_c(text), a);
    return imap_response_parse(lex, ret);
}

static bool is(str s, const char *text)
{
    return str_eq(s, str_c(text));
}

static void heads(void **state)
{
    static const struct {
        const char *line, *tag;
        enum imap_condition condition;
        const char *code, *text, *word;
        uint32_t number;
    } rows[] = {
        {"* OK IMAP4rev2 Service Ready", "", IMAP_SAYS_OK, "", "IMAP4rev2 Service Ready", "OK", 0},
        {"a1 OK [READ-WRITE] SELECT completed", "a1", IMAP_SAYS_OK, "READ-WRITE", "SELECT completed", "OK",
         0},
        {"a1 NO [TRYCREATE]", "a1", IMAP_SAYS_NO, "TRYCREATE", "", "NO", 0},
        {"* OK [PERMANENTFLAGS (\\Deleted \\*)] Limited", "", IMAP_SAYS_OK, "PERMANENTFLAGS (\\Deleted \\*)",
         "Limited", "OK", 0},
        {"a1 bad", "a1", IMAP_SAYS_BAD, "", "", "bad", 0},
        {"* BYE Autologout; idle for too long", "", IMAP_SAYS_BYE, "", "Autologout; idle for too long", "BYE",
         0},
        {"* PREAUTH [CAPABILITY IMAP4rev1] x", "", IMAP_SAYS_PREAUTH, "CAPABILITY IMAP4rev1", "x", "PREAUTH",
         0},
        {"+ idling", "", IMAP_SAYS_CONTINUE, "", "idling", "", 0},
        {"+", "", IMAP_SAYS_CONTINUE, "", "", "", 0},
        {"* OK [broken", "", IMAP_SAYS_OK, "", "[broken", "OK", 0},
        {"* 18 EXISTS", "", IMAP_SAYS_DATA, "", "", "EXISTS", 18},
        {"* LIST (\\Noselect) \"/\" foo", "", IMAP_SAYS_DATA, "", "", "LIST", 0},
    };
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct imap_lex lex;
        struct imap_response r;
        assert_int_equal(parse(a, rows[i].line, &r, &lex), RC_OK);
        assert_true(is(r.tag, rows[i].tag) && is(r.code, rows[i].code) && is(r.text, rows[i].text));
        assert_true(is(r.word, rows[i].word));
        assert_int_equal(r.condition, rows[i].condition);
        assert_int_equal(r.number, rows[i].number);
    }
    static const char *const wrong[] = {
        "", "*", "* ", "a1", "a1 FETCH", "a1 3 OK", "* 3", "HTTP/1.1 200 OK", "* 4294967296 EXISTS"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct imap_lex lex;
        struct imap_response r;
        assert_int_equal(parse(a, wrong[i], &r, &lex), RC_INVALID);
    }
}

static void capabilities(void **state)
{
    (void)state;
    assert_true(imap_capability_has(S("IMAP4rev1 AUTH=PLAIN literal+"), S("LITERAL+")));
    assert_false(imap_capability_has(S("IMAP4rev1 LITERAL-"), S("LITERAL+")));
    assert_false(imap_capability_has(S(""), S("IDLE")));
}

/* The cursor behind the word of an untagged response. */
static void begin(struct arena *a, const char *text, struct imap_lex *lex)
{
    struct imap_response r;
    assert_int_equal(parse(a, text, &r, lex), RC_OK);
    assert_int_equal(r.condition, IMAP_SAYS_DATA);
}

static void lists(void **state)
{
    static const struct {
        const char *line, *name;
        char separator;
        bool selectable, subscribed;
        const char *use;
    } rows[] = {
        {"* LIST (\\Noselect) \"/\" ~/Mail/foo", "~/Mail/foo", '/', false, false, ""},
        {"* LIST (\\HasNoChildren \\Subscribed \\Sent) \".\" \"Sent Mail\"", "Sent Mail", '.', true, true,
         "\\Sent"},
        {"* LIST () NIL inbox", "INBOX", '\0', true, false, ""},
        {"* LIST (\\NonExistent) \"\\\\\" {3}\r\na b", "a b", '\\', false, false, ""},
        {"* LIST () \"/\" \"K&APY-ln\"", "K\303\266ln", '/', true, false, ""},
        {"* LIST (\\HasChildren) \"/\" x (\"CHILDINFO\" (\"SUBSCRIBED\"))", "x", '/', true, false, ""},
    };
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    struct imap_lex lex;
    struct imap_listed l;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin(a, rows[i].line, &lex);
        assert_int_equal(imap_response_list(&lex, &l), RC_OK);
        assert_true(is(l.name, rows[i].name) && is(l.use, rows[i].use));
        assert_int_equal(l.separator, rows[i].separator);
        assert_int_equal(l.selectable, rows[i].selectable);
        assert_int_equal(l.subscribed, rows[i].subscribed);
    }
    static const char *const wrong[] = {"* LIST", "* LIST ()", "* LIST () x y", "* LIST () \"/\"",
                                        "* LIST (\\a \"/\" x"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        begin(a, wrong[i], &lex);
        assert_int_equal(imap_response_list(&lex, &l), RC_INVALID);
    }
}

static void namespaces(void **state)
{
    static const char *const rows[][2] = {
        {"* NAMESPACE ((\"\" \"/\")) NIL NIL", ""},
        {"* NAMESPACE ((\"INBOX.\" \".\" \"X-PARAM\" (\"a\"))) ((\"#s/\" \"/\")) NIL", "INBOX."},
        {"* NAMESPACE NIL NIL ((\"\" \".\"))", ""},
    };
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    struct imap_lex lex;
    str prefix;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin(a, rows[i][0], &lex);
        assert_int_equal(imap_response_namespace(&lex, &prefix), RC_OK);
        assert_true(is(prefix, rows[i][1]));
    }
    begin(a, "* NAMESPACE (NIL)", &lex);
    assert_int_equal(imap_response_namespace(&lex, &prefix), RC_INVALID);
}

static void counts(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    struct imap_lex lex;
    struct imap_counts c;
    begin(a, "* STATUS blurdybloop (MESSAGES 231 UIDNEXT 44292 MAILBOXID (F2212ea87) SIZE 5000000000)", &lex);
    assert_int_equal(imap_response_status(&lex, &c), RC_OK);
    assert_true(is(c.mailbox, "blurdybloop") && is(c.id, "F2212ea87"));
    assert_int_equal(c.v[IMAP_MESSAGES], 231);
    assert_int_equal(c.v[IMAP_UIDNEXT], 44292);
    assert_int_equal(c.v[IMAP_SIZE], 5000000000);
    assert_int_equal(c.v[IMAP_UNSEEN], 0);
    static const char *const wrong[] = {"* STATUS x", "* STATUS x (MESSAGES)", "* STATUS x (MESSAGES y)",
                                        "* STATUS x (MESSAGES 1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        begin(a, wrong[i], &lex);
        assert_int_equal(imap_response_status(&lex, &c), RC_INVALID);
    }
}

static void searches(void **state)
{
    static const struct {
        const char *line;
        uint32_t count;
        const char *all;
    } rows[] = {
        {"* ESEARCH (TAG \"A282\") MIN 2 COUNT 3", 3, ""},
        {"* ESEARCH (TAG \"A283\") UID ALL 2,10:11", 0, "2,10:11"},
        {"* ESEARCH (TAG \"A284\") UID COUNT 2 ALL 4,7 MODSEQ 917162500", 2, "4,7"},
        {"* ESEARCH (TAG \"A285\")", 0, ""},
        {"* ESEARCH", 0, ""},
    };
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    struct imap_lex lex;
    struct imap_found f;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin(a, rows[i].line, &lex);
        assert_int_equal(imap_response_esearch(&lex, &f), RC_OK);
        assert_int_equal(f.count, rows[i].count);
        assert_true(is(f.all, rows[i].all));
    }
    begin(a, "* ESEARCH (TAG \"x\" COUNT 3", &lex);
    assert_int_equal(imap_response_esearch(&lex, &f), RC_INVALID);
}

static void fetches(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    struct imap_lex lex;
    struct imap_fetched f;
    begin(
        a,
        "* 12 FETCH (FLAGS (\\Seen $Forwarded) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 4286 "
        "ENVELOPE (\"Wed\" NIL ((\"T\" NIL \"gray\" \"x\"))) MODSEQ (65402) EMAILID (M6d99) SAVEDATE NIL UID "
        "7 BODY (\"a\" NIL) BODY[] {6}\r\na)b]\"c)",
        &lex);
    assert_int_equal(imap_response_fetch(&lex, &f), RC_OK);
    assert_true(imap_at_end(&lex));
    assert_int_equal(f.uid, 7);
    assert_int_equal(f.size, 4286);
    assert_int_equal(f.modseq, 65402);
    assert_true(is(f.email_id, "M6d99") && !f.has_saved && is(f.short_structure, "(\"a\" NIL)"));
    assert_true(is(f.envelope, "(\"Wed\" NIL ((\"T\" NIL \"gray\" \"x\")))") && f.bodystructure.n == 0);
    assert_true(f.has_date && f.has_flags);
    assert_int_equal(f.date, 837596665);
    assert_int_equal(f.n_flags, 2);
    assert_true(is(f.flags[1], "$Forwarded"));
    assert_true(is(f.body, "a)b]\"c"));

    begin(a, "* 1 FETCH (BODY[HEADER.FIELDS (\"X]Y\" DATE)]<0> \"\" FLAGS ())", &lex);
    assert_int_equal(imap_response_fetch(&lex, &f), RC_OK);
    assert_true(f.body.p && f.body.n == 0 && f.has_flags && f.n_flags == 0 && f.uid == 0 && !f.has_date);

    begin(a, "* 1 FETCH (BODY[] NIL FLAGS (a[b]c \\x*))", &lex);
    assert_int_equal(imap_response_fetch(&lex, &f), RC_OK);
    assert_true(!f.body.p && f.n_flags == 2 && is(f.flags[0], "a[b]c"));

    static const char *const wrong[] = {"* 1 FETCH",
                                        "* 1 FETCH (",
                                        "* 1 FETCH (UID 0)",
                                        "* 1 FETCH (UID)",
                                        "* 1 FETCH (BODY[ x)",
                                        "* 1 FETCH (BODY[] {9}\r\nabc)",
                                        "* 1 FETCH (FLAGS \\Seen)",
                                        "* 1 FETCH (X (a)"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        begin(a, wrong[i], &lex);
        assert_int_equal(imap_response_fetch(&lex, &f), RC_INVALID);
    }
}

static void nesting_is_limited(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    AUTO(buf_deinit) struct buf text = BUF_INIT(1 << 20);
    struct imap_lex lex;
    struct imap_fetched f;
    buf_puts(&text, S("* 1 FETCH (X "));
    for (int i = 0; i < 100000; i++)
        buf_putc(&text, '(');
    begin(a, buf_cstr(&text), &lex);
    assert_int_equal(imap_response_fetch(&lex, &f), RC_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(heads),   cmocka_unit_test(capabilities),
                                       cmocka_unit_test(lists),   cmocka_unit_test(namespaces),
                                       cmocka_unit_test(counts),  cmocka_unit_test(searches),
                                       cmocka_unit_test(fetches), cmocka_unit_test(nesting_is_limited)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
