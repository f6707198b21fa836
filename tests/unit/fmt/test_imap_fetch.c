/* FETCH items: RFC 9051 §6.4.5 and §9, with the examples of RFC 3501 §6.4.5. */
#include "fmt/imap_fetch.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define FAST (FETCH_FLAGS | FETCH_INTERNALDATE | FETCH_SIZE)

static enum rc parse(struct arena *a, str text, struct imap_fetch *ret, struct imap_lex *lex)
{
    imap_lex_init(lex, text, a);
    enum rc rc = imap_fetch_parse(lex, ret);
    return rc == RC_OK ? imap_eol(lex) : rc;
}

static void test_items(void **state)
{
    static const struct {
        const char *text;
        unsigned items;
    } rows[] = {
        {"FAST", FAST},
        {"all", FAST | FETCH_ENVELOPE},
        {"FULL", FAST | FETCH_ENVELOPE | FETCH_BODY},
        {"FLAGS", FETCH_FLAGS},
        {"uid", FETCH_UID},
        {"RFC822.SIZE", FETCH_SIZE},
        {"INTERNALDATE", FETCH_INTERNALDATE},
        {"ENVELOPE", FETCH_ENVELOPE},
        {"BODY", FETCH_BODY},
        {"BODYSTRUCTURE", FETCH_BODYSTRUCTURE},
        {"(FLAGS)", FETCH_FLAGS},
        {"(UID FLAGS  BODY)", FETCH_UID | FETCH_FLAGS | FETCH_BODY},
        {"(FLAGS FLAGS)", FETCH_FLAGS},
        {"(MODSEQ SAVEDATE)", FETCH_MODSEQ | FETCH_SAVEDATE},
        {"PREVIEW", FETCH_PREVIEW},
        {"preview (lazy)", FETCH_PREVIEW},
        {"(PREVIEW (LAZY) UID)", FETCH_PREVIEW | FETCH_UID},
    };
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct imap_lex lex;
        struct imap_fetch f;
        assert_int_equal(parse(a, str_c(rows[i].text), &f, &lex), RC_OK);
        assert_int_equal(f.items, rows[i].items);
        assert_null(f.sections);
        assert_false(imap_fetch_sets_seen(&f));
    }
}

static void test_sections(void **state)
{
    static const struct {
        const char *text, *echo;
        enum fetch_part part;
        unsigned path, fields;
        bool peek;
    } rows[] = {
        {"BODY[]", "BODY[]", FETCH_PART_ALL, 0, 0, false},
        {"body.peek[]", "BODY[]", FETCH_PART_ALL, 0, 0, true},
        {"RFC822", "RFC822", FETCH_PART_ALL, 0, 0, false},
        {"rfc822.header", "RFC822.HEADER", FETCH_PART_HEADER, 0, 0, true},
        {"RFC822.TEXT", "RFC822.TEXT", FETCH_PART_TEXT, 0, 0, false},
        {"BODY[HEADER]", "BODY[HEADER]", FETCH_PART_HEADER, 0, 0, false},
        {"BODY[TEXT]", "BODY[TEXT]", FETCH_PART_TEXT, 0, 0, false},
        {"BODY[1]", "BODY[1]", FETCH_PART_ALL, 1, 0, false},
        {"BODY[4.2.2.1]", "BODY[4.2.2.1]", FETCH_PART_ALL, 4, 0, false},
        {"BODY[4.1.mime]", "BODY[4.1.MIME]", FETCH_PART_MIME, 2, 0, false},
        {"BODY[3.HEADER]", "BODY[3.HEADER]", FETCH_PART_HEADER, 1, 0, false},
        {"BODY[3.TEXT]", "BODY[3.TEXT]", FETCH_PART_TEXT, 1, 0, false},
        {"BODY[HEADER.FIELDS (DATE FROM)]", "BODY[HEADER.FIELDS (DATE FROM)]", FETCH_PART_FIELDS, 0, 2,
         false},
        {"BODY.PEEK[header.fields (\"Date\" {2}\r\ncc)]", "BODY[HEADER.FIELDS (DATE CC)]", FETCH_PART_FIELDS,
         0, 2, true},
        {"BODY[2.HEADER.FIELDS.NOT (x)]", "BODY[2.HEADER.FIELDS.NOT (X)]", FETCH_PART_FIELDS_NOT, 1, 1,
         false},
        {"BODY[HEADER.FIELDS (\"a b\")]", "BODY[HEADER.FIELDS (\"A B\")]", FETCH_PART_FIELDS, 0, 1, false},
        {"BODY[]<0.2048>", "BODY[]<0>", FETCH_PART_ALL, 0, 0, false},
        {"BODY.PEEK[1]<9223372036854775807.1>", "BODY[1]<9223372036854775807>", FETCH_PART_ALL, 1, 0, true},
    };
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct imap_lex lex;
        struct imap_fetch f;
        assert_int_equal(parse(a, str_c(rows[i].text), &f, &lex), RC_OK);
        const struct fetch_section *sec = f.sections;
        assert_non_null(sec);
        assert_null(sec->next);
        assert_int_equal(f.items, 0);
        assert_true(str_eq(sec->echo, str_c(rows[i].echo)));
        assert_int_equal(sec->part, rows[i].part);
        assert_int_equal(sec->n_path, rows[i].path);
        assert_int_equal(sec->n_fields, rows[i].fields);
        assert_int_equal(sec->peek, rows[i].peek);
        assert_int_equal(imap_fetch_sets_seen(&f), !rows[i].peek);
    }
}

static void test_values(void **state)
{
    struct imap_lex lex;
    struct imap_fetch f;
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    assert_int_equal(parse(a, S("(BODY.PEEK[4.2.1]<17.99> FLAGS BODY[TEXT])"), &f, &lex), RC_OK);
    const struct fetch_section *sec = f.sections;
    assert_int_equal(sec->path[0], 4);
    assert_int_equal(sec->path[1], 2);
    assert_int_equal(sec->path[2], 1);
    assert_true(sec->partial);
    assert_int_equal(sec->offset, 17);
    assert_int_equal(sec->length, 99);
    assert_true(str_eq(sec->next->echo, S("BODY[TEXT]")));
    assert_int_equal(sec->form, FETCH_FORM_STORED);
    assert_false(sec->next->partial);
    assert_int_equal(f.items, FETCH_FLAGS);
    assert_true(imap_fetch_sets_seen(&f));
}

/* RFC 3516 §4.1 to §4.3, §7 */
static void test_binary(void **state)
{
    static const struct {
        const char *text, *echo;
        enum fetch_form form;
        unsigned path;
        bool peek;
    } rows[] = {
        {"BINARY[1]", "BINARY[1]", FETCH_FORM_BINARY, 1, false},
        {"binary.peek[1.2]", "BINARY[1.2]", FETCH_FORM_BINARY, 2, true},
        {"BINARY[]", "BINARY[]", FETCH_FORM_BINARY, 0, false},
        {"BINARY.PEEK[3]<5.7>", "BINARY[3]<5>", FETCH_FORM_BINARY, 1, true},
        {"BINARY.SIZE[4]", "BINARY.SIZE[4]", FETCH_FORM_BINARY_SIZE, 1, true},
        {"BINARY.SIZE[]", "BINARY.SIZE[]", FETCH_FORM_BINARY_SIZE, 0, true},
    };
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct imap_lex lex;
        struct imap_fetch f;
        assert_int_equal(parse(a, str_c(rows[i].text), &f, &lex), RC_OK);
        assert_true(str_eq(f.sections->echo, str_c(rows[i].echo)));
        assert_int_equal(f.sections->form, rows[i].form);
        assert_int_equal(f.sections->n_path, rows[i].path);
        assert_int_equal(imap_fetch_sets_seen(&f), !rows[i].peek);
    }
}

static void test_refused(void **state)
{
    static const char *const rows[] = {
        "BINARY",
        "BINARY[TEXT]",
        "BINARY[1.MIME]",
        "BINARY[1.]",
        "BINARY.SIZE[1]<0.5>",
        "BINARY.SIZE",
        "",
        "()",
        "FLAG",
        "FLAGS UID",
        "(FLAGS",
        "(FLAGS )",
        "(FLAGS,UID)",
        "((FLAGS))",
        "(ALL)",
        "BODY.PEEK",
        "BODYX",
        "BODY[",
        "BODY[0]",
        "BODY[01.0]",
        "BODY[1.]",
        "BODY[.1]",
        "BODY[1..2]",
        "BODY[MIME]",
        "BODY[1.MIME",
        "BODY[HEADERS]",
        "BODY[HEADER.FIELDS]",
        "BODY[HEADER.FIELDS ()]",
        "BODY[HEADER.FIELDS (a]",
        "BODY[HEADER.FIELDS (\"\")]",
        "BODY[HEADER.FIELDS ({3}\r\na\r\n)]",
        "BODY[TEXT.1]",
        "BODY[1]<0>",
        "BODY[1]<0.0>",
        "BODY[1]<.5>",
        "BODY[1]<0.5",
        "BODY[1]<-1.5>",
        "BODY[1]<9223372036854775808.5>",
        "BODY[4294967296]",
        "RFC822[]",
        "RFC822.HEADERS",
        "FLAGS[1]",
    };
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct imap_lex lex;
        struct imap_fetch f;
        if (parse(a, str_c(rows[i]), &f, &lex) != RC_INVALID)
            fail_msg("accepted: %s", rows[i]);
        assert_non_null(lex.expected);
    }
}

static void test_modifiers(void **state)
{
    static const struct {
        const char *text;
        enum rc want;
        uint64_t since;
        bool vanished, partial;
    } rows[] = {
        {"", RC_OK, 0, false, false},
        {" ", RC_OK, 0, false, false},
        {" (CHANGEDSINCE 12345)", RC_OK, 12345, false, false},
        {" (changedsince 12345 vanished)", RC_OK, 12345, true, false},
        {" (VANISHED CHANGEDSINCE 1 PARTIAL -1:-30)", RC_OK, 1, true, true},
        {" (PARTIAL 1:5)", RC_OK, 0, false, true},
        {" (VANISHED)", RC_INVALID, 0, false, false}, /* RFC 7162 §3.2.6 */
        {" (CHANGEDSINCE)", RC_INVALID, 0, false, false},
        {" (CHANGEDSINCE x)", RC_INVALID, 0, false, false},
        {" (CHANGEDSINCE 9223372036854775808)", RC_INVALID, 0, false, false},
        {" (CHANGEDSINCE 1 CHANGEDSINCE 2)", RC_INVALID, 0, false, false},
        {" (PARTIAL 5)", RC_INVALID, 0, false, false},
        {" ()", RC_INVALID, 0, false, false},
        {" (FOO)", RC_INVALID, 0, false, false},
        {" CHANGEDSINCE 1", RC_INVALID, 0, false, false},
    };
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct imap_lex lex;
        struct imap_fetch f = {0};
        imap_lex_init(&lex, str_c(rows[i].text), a);
        if (imap_fetch_modifiers(&lex, &f) != rows[i].want)
            fail_msg("%s", rows[i].text);
        if (rows[i].want != RC_OK)
            continue;
        assert_true(imap_at_end(&lex));
        assert_int_equal(f.has_since, rows[i].since > 0);
        assert_true(f.since == rows[i].since);
        assert_int_equal(f.vanished, rows[i].vanished);
        assert_int_equal(f.partial.given, rows[i].partial);
    }
}

/* Puts `count` times the unit between head and tail. */
static str repeated(struct buf *b, const char *head, const char *unit, size_t count, const char *tail)
{
    buf_reset(b);
    buf_puts(b, str_c(head));
    for (size_t i = 0; i < count; i++)
        buf_puts(b, str_c(unit));
    buf_puts(b, str_c(tail));
    return buf_str(b);
}

static void test_limits(void **state)
{
    static const struct {
        const char *head, *unit, *tail;
        size_t max; /* units that are allowed */
    } rows[] = {
        {"(BODY[]", " BODY[]", ")", FETCH_SECTIONS_MAX - 1},
        {"BODY[1", ".1", "]", FETCH_PATH_MAX - 1},
        {"BODY[HEADER.FIELDS (a", " a", ")]", FETCH_FIELDS_MAX - 1},
    };
    (void)state;
    AUTO(buf_deinit) struct buf text = BUF_INIT(1 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
        struct imap_lex lex;
        struct imap_fetch f;
        str most = repeated(&text, rows[i].head, rows[i].unit, rows[i].max, rows[i].tail);
        assert_int_equal(parse(a, most, &f, &lex), RC_OK);
        str more = repeated(&text, rows[i].head, rows[i].unit, rows[i].max + 1, rows[i].tail);
        assert_int_equal(parse(a, more, &f, &lex), RC_LIMIT);
        AUTO(arena_freep) struct arena *small = arena_new(256);
        assert_int_equal(parse(small, most, &f, &lex), RC_LIMIT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items),     cmocka_unit_test(test_sections), cmocka_unit_test(test_values),
        cmocka_unit_test(test_modifiers), cmocka_unit_test(test_binary),   cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
