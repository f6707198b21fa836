/* SEARCH programs: RFC 9051 §6.4.4 and §9, RFC 3501 §6.4.4. Trees are compared in a written form: "(and
 * ...)",
 * "!" for negated, arguments behind a colon. */
#include "base/buf.h"
#include "fmt/imap_search.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void put_node(struct buf *out, const struct search_node *node)
{
    static const char *const names[] = {
        "and",    "or",     "seq",     "uid",     "flag", "keyword", "recent",  "before",  "on",
        "since",  "larger", "smaller", "sbefore", "son",  "ssince",  "header",  "body",    "text",
        "modseq", "older",  "younger", "vbefore", "von",  "vsince",  "emailid", "threadid"};
    static const char *const flags[] = {"answered", "deleted", "draft", "flagged", "seen"};
    buf_puts(out, node->negated ? S("!") : S(""));
    buf_puts(out, node->fuzzy ? S("~") : S(""));
    if (node->key == SEARCH_AND || node->key == SEARCH_OR) {
        buf_printf(out, "(%s", names[node->key]);
        for (const struct search_node *child = node->child; child; child = child->next) {
            buf_putc(out, ' ');
            put_node(out, child);
        }
        buf_putc(out, ')');
        return;
    }
    buf_puts(out, str_c(node->key == SEARCH_FLAG ? flags[node->flag] : names[node->key]));
    if (node->field.p)
        buf_printf(out, ":" STR_FMT, STR_ARG(node->field));
    if (node->text.p)
        buf_printf(out, ":" STR_FMT, STR_ARG(node->text));
    if (node->number)
        buf_printf(out, ":%lld", (long long)node->number);
}

static enum rc parse(struct arena *a, str text, struct search_node **ret, struct imap_lex *lex)
{
    imap_lex_init(lex, text, a);
    enum rc rc = imap_search_parse(lex, ret);
    return rc == RC_OK ? imap_eol(lex) : rc;
}

static void test_trees(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        /* RFC 3501 §6.4.4, examples */
        {"FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\"", "(and flagged since:8797 !(and header:From:Smith))"},
        {"TEXT \"string not in mailbox\"", "(and text:string not in mailbox)"},
        {"CHARSET UTF-8 TEXT {6}\r\n\xd0\xb1\xd0\xb5\xd0\xbb", "(and text:\xd0\xb1\xd0\xb5\xd0\xbb)"},
        {"ALL", "(and (and))"},
        {"all  unseen ", "(and (and) !seen)"},
        {"ANSWERED DELETED DRAFT FLAGGED SEEN RECENT", "(and answered deleted draft flagged seen recent)"},
        {"UNANSWERED UNDELETED UNDRAFT UNFLAGGED UNSEEN OLD",
         "(and !answered !deleted !draft !flagged !seen !recent)"},
        {"NEW", "(and (and recent !seen))"},
        /* RFC 7162 §3.1.5, RFC 5032 §3, RFC 8514 §4.3 */
        {"MODSEQ 620162338", "(and modseq:620162338)"},
        {"MODSEQ \"/flags/\\\\draft\" all 620162338", "(and modseq:620162338)"},
        {"OR NOT MODSEQ 720162338 LARGER 50000", "(and (or !(and modseq:720162338) larger:50000))"},
        {"YOUNGER 259200 OLDER 1", "(and younger:259200 older:1)"},
        {"SAVEDBEFORE 1-Feb-1994 SAVEDON 1-Feb-1994 SAVEDSINCE 1-Feb-1994 SAVEDATESUPPORTED",
         "(and vbefore:8797 von:8797 vsince:8797 (and))"},
        {"BCC a CC b FROM c TO d SUBJECT e",
         "(and header:Bcc:a header:Cc:b header:From:c header:To:d header:Subject:e)"},
        {"HEADER Message-ID \"\"", "(and header:Message-ID:)"},
        {"BODY x TEXT \"y z\"", "(and body:x text:y z)"},
        {"KEYWORD $Forwarded UNKEYWORD work", "(and keyword:$Forwarded !keyword:work)"},
        {"LARGER 1000 SMALLER 9223372036854775807", "(and larger:1000 smaller:9223372036854775807)"},
        {"BEFORE 2-Jan-1970 ON \"2-Jan-1970\" SINCE 03-Jan-1970", "(and before:1 on:1 since:2)"},
        {"SENTBEFORE 2-Jan-1970 SENTON 2-Jan-1970 SENTSINCE 2-Jan-1970", "(and sbefore:1 son:1 ssince:1)"},
        {"2,4:7,9 UID 12:* $", "(and seq:2,4:7,9 uid:12:* seq:$)"},
        {"UID $", "(and uid:$)"},
        {"OR SEEN (FLAGGED DRAFT)", "(and (or seen (and flagged draft)))"},
        {"OR NOT SEEN OR DRAFT NOT NOT DELETED", "(and (or !(and seen) (or draft !(and !(and deleted)))))"},
        {"(SEEN) (((DRAFT)))", "(and (and seen) (and (and (and draft))))"},
        {"CHARSET ISO-8859-1 SUBJECT {4}\r\ncaf\xe9", "(and header:Subject:caf\xc3\xa9)"},
        {"CHARSET \"us-ascii\" SUBJECT cafe", "(and header:Subject:cafe)"},
        /* RFC 9738 §3.2 */
        {"UIDAFTER 5 UIDBEFORE 9", "(and uid:6:4294967295 uid:1:8)"},
        {"UIDAFTER 4294967295 NOT UIDBEFORE 1", "(and !(and) !(and !(and)))"},
        /* RFC 6203 §3: of the key behind it alone */
        {"FUZZY SUBJECT work FROM x", "(and ~(and ~header:Subject:work) header:From:x)"},
        {"FUZZY (SEEN FUZZY NEW) NOT FUZZY TEXT x",
         "(and ~(and ~(and ~seen ~(and ~(and ~recent !~seen)))) !(and ~(and ~text:x)))"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
        AUTO(buf_deinit) struct buf got = BUF_INIT(65536);
        struct imap_lex lex;
        struct search_node *root = NULL;
        assert_int_equal(parse(a, str_c(rows[i].text), &root, &lex), RC_OK);
        put_node(&got, root);
        assert_string_equal(buf_cstr(&got), rows[i].want);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *text;
        enum rc want;
    } rows[] = {
        {"", RC_INVALID},
        {"SEENX", RC_INVALID},
        {"MODSEQ x", RC_INVALID},
        {"MODSEQ \"/annotations/x\" all 1", RC_INVALID},
        {"MODSEQ \"/flags/x\" 1", RC_INVALID},
        {"OLDER 0", RC_INVALID},
        {"YOUNGER -1", RC_INVALID},
        {"SEEN,DRAFT", RC_INVALID},
        {"()", RC_INVALID},
        {"(SEEN", RC_INVALID},
        {"SEEN)", RC_INVALID},
        {"NOT", RC_INVALID},
        {"OR SEEN", RC_INVALID},
        {"FROM", RC_INVALID},
        {"HEADER x", RC_INVALID},
        {"SINCE yesterday", RC_INVALID},
        {"SINCE 30-Feb-2026", RC_INVALID},
        {"LARGER -1", RC_INVALID},
        {"LARGER 9223372036854775808", RC_INVALID},
        {"UID x", RC_INVALID},
        {"KEYWORD \\Seen", RC_INVALID},
        {"SUBJECT {2}\r\n\xff\xfe", RC_INVALID},
        {"CHARSET UTF-8", RC_INVALID},
        {"CHARSET nothing-known SUBJECT x", RC_PERM},
        {"CHARSET nothing-known (", RC_PERM},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
        struct imap_lex lex;
        struct search_node *root = NULL;
        enum rc rc = parse(a, str_c(rows[i].text), &root, &lex);
        if (rc != rows[i].want)
            fail_msg("%s: %s", rows[i].text, rc_name(rc));
    }
}

static void test_limits(void **state)
{
    static const struct {
        const char *unit, *tail;
        size_t max;
    } rows[] = {
        {"NOT ", "SEEN", IMAP_NESTING_MAX},
        {"OR SEEN ", "SEEN", IMAP_NESTING_MAX},
        {"(", "SEEN", IMAP_NESTING_MAX},
        {"SEEN ", "SEEN", SEARCH_NODES_MAX - 2},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t over = 0; over < 2; over++) {
            AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
            AUTO(buf_deinit) struct buf text = BUF_INIT(1 << 20);
            struct imap_lex lex;
            struct search_node *root = NULL;
            size_t count = rows[i].max + over;
            for (size_t k = 0; k < count; k++)
                buf_puts(&text, str_c(rows[i].unit));
            buf_puts(&text, str_c(rows[i].tail));
            for (size_t k = 0; k < count && rows[i].unit[0] == '('; k++)
                buf_putc(&text, ')');
            assert_int_equal(parse(a, buf_str(&text), &root, &lex), over ? RC_LIMIT : RC_OK);
        }
    }
}

static void test_arena_exhausted(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(300);
    struct imap_lex lex;
    struct search_node *root = NULL;
    assert_int_equal(parse(a, S("SEEN SEEN SEEN SEEN SEEN"), &root, &lex), RC_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trees),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_arena_exhausted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
