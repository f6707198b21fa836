/* fmt/milter: packets as libmilter writes and reads them, and what is none. */
#include "fmt/milter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void lengths(void **state)
{
    size_t n = 0;
    assert_int_equal(milter_length("\0\0\0\1", &n), RC_OK);
    assert_int_equal(n, 1);
    assert_int_equal(milter_length("\0\20\0\0", &n), RC_OK);
    assert_int_equal(n, MILTER_PACKET_MAX);
    assert_int_equal(milter_length("\0\0\0\0", &n), RC_INVALID);
    assert_int_equal(milter_length("\0\20\0\1", &n), RC_LIMIT);
    assert_int_equal(milter_length("\377\377\377\377", &n), RC_LIMIT);
    assert_int_equal(n, MILTER_PACKET_MAX);
}

static void heads(void **state)
{
    char head[MILTER_HEAD];
    const struct milter_part parts[] = {
        {.bytes = S("name"), .text = true}, {.bytes = S("4")}, {.bytes = S("cut\0here"), .text = true}};
    assert_int_equal(milter_head(MILTER_CONNECT, parts, 3, head), RC_OK);
    assert_memory_equal(head, "\0\0\0\013C", MILTER_HEAD); /* 1 + 5 + 1 + 4 */
    assert_true(str_eq(milter_part_bytes(&parts[2]), S("cut")));
    assert_int_equal(milter_head(MILTER_QUIT, NULL, 0, head), RC_OK);
    assert_memory_equal(head, "\0\0\0\1Q", MILTER_HEAD);
    const struct milter_part huge[] = {{.bytes = {"", (size_t)INT32_MAX}}};
    assert_int_equal(milter_head(MILTER_BODY, huge, 1, head), RC_LIMIT);
}

static void options(void **state)
{
    struct milter_options o;
    /* without macros; with those of two stages, one of a stage that is not known, and an empty list */
    assert_int_equal(milter_parse_options(S("O\0\0\0\2\0\0\0\77\0\0\0\0"), &o), RC_OK);
    assert_int_equal(o.version, 2);
    assert_int_equal(o.actions, 63);
    assert_int_equal(o.macros[MILTER_AT_CONNECT].n, 0);
    assert_int_equal(milter_parse_options(S("O\0\0\0\6\0\0\1\377\0\20\0\0\0\0\0\2i {mail_addr}\0\0\0\0\11x\0"
                                            "\0\0\0\5\0"),
                                          &o),
                     RC_OK);
    assert_int_equal(o.version, 6);
    assert_int_equal(o.actions, MILTER_ACTIONS);
    assert_int_equal(o.protocol, MILTER_LEADING_SPACE);
    assert_true(str_eq(o.macros[MILTER_AT_MAIL], S("i {mail_addr}")));
    assert_int_equal(o.macros[MILTER_AT_END_OF_BODY].n, 0);
    static const str wrong[] = {S(""),
                                S("O"),
                                S("O\0\0\0\6\0\0\0\0\0\0\0"),
                                S("c\0\0\0\6\0\0\0\0\0\0\0\0"),
                                S("O\0\0\0\6\0\0\0\0\0\0\0\0\0\0\0"),
                                S("O\0\0\0\6\0\0\0\0\0\0\0\0\0\0\0\1no end")};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(milter_parse_options(wrong[i], &o), RC_INVALID);
}

static void messages(void **state)
{
    static const struct {
        str packet;
        struct milter_message want;
    } rows[] = {
        {S("c"), {.answer = MILTER_CONTINUE}},
        {S("+<a@b>\0"), {.answer = MILTER_ADD_RCPT, .name = S("<a@b>")}},
        {S("2<a@b>\0NOTIFY=NEVER\0"),
         {.answer = MILTER_ADD_RCPT_ARGS, .name = S("<a@b>"), .value = S("NOTIFY=NEVER")}},
        {S("2<a@b>\0"), {.answer = MILTER_ADD_RCPT_ARGS, .name = S("<a@b>")}},
        {S("-a@b\0"), {.answer = MILTER_DELETE_RCPT, .name = S("a@b")}},
        {S("e<>\0"), {.answer = MILTER_CHANGE_SENDER, .name = S("<>")}},
        {S("hX-A\0one\n two\0"), {.answer = MILTER_ADD_HEADER, .name = S("X-A"), .value = S("one\n two")}},
        {S("i\0\0\0\1X-A\0v\0"),
         {.answer = MILTER_INSERT_HEADER, .index = 1, .name = S("X-A"), .value = S("v")}},
        {S("m\0\0\1\2Subject\0\0"),
         {.answer = MILTER_CHANGE_HEADER, .index = 258, .name = S("Subject"), .value = S("")}},
        {S("b\0x\r\n"), {.answer = MILTER_REPLACE_BODY, .value = S("\0x\r\n")}},
        {S("b"), {.answer = MILTER_REPLACE_BODY, .value = S("")}},
        {S("qwhy\0"), {.answer = MILTER_QUARANTINE, .value = S("why\0")}},
        {S("y550 5.7.1 no\0"), {.answer = MILTER_REPLY_CODE, .value = S("550 5.7.1 no\0")}},
        {S("?anything"), {.answer = '?'}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct milter_message m;
        assert_int_equal(milter_parse_message(rows[i].packet, &m), RC_OK);
        assert_int_equal(m.answer, rows[i].want.answer);
        assert_int_equal(m.index, rows[i].want.index);
        assert_true(str_eq(m.name, rows[i].want.name) && str_eq(m.value, rows[i].want.value));
    }
    static const str wrong[] = {S(""),        S("cx"),         S("a\0"),          S("p1"),
                                S("+"),       S("+<a@b>"),     S("+a\0b\0"),      S("2a\0b\0c"),
                                S("ea\0b"),   S("hX\0"),       S("hX\0y"),        S("hX\0y\0z"),
                                S("i\0\0\0"), S("i\0\0\0\1X"), S("m\0\0\0\1X\0"), S("m\0\0\0\1X\0y\0z")};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct milter_message m;
        assert_int_equal(milter_parse_message(wrong[i], &m), RC_INVALID);
    }
}

static void replies(void **state)
{
    static const struct {
        str packet;
        int code;
        const char *enhanced, *text;
    } rows[] = {
        {S("550 5.7.1 go away\0"), 550, "5.7.1", "go away"},
        {S("451 4.7.1 100%% sure %x"), 451, "4.7.1", "100% sure x"},
        {S("550 no status"), 550, "", "no status"},
        {S("550 5.7.1"), 550, "5.7.1", ""},
        {S("421 4.7.0 bye"), 421, "4.7.0", "bye"},
        {S("550-5.7.1 one\r\n550-5.7.1 two\r\n550 5.7.1 three\r\n"), 550, "5.7.1", "one\ntwo\nthree"},
        {S("450-one\n450 two"), 450, "", "one\ntwo"},
        {S("554 "), 554, "", ""},
    };
    AUTO(buf_deinit) struct buf out = BUF_INIT(100);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct milter_reply r;
        assert_int_equal(milter_parse_reply(rows[i].packet, &out, &r), RC_OK);
        assert_int_equal(r.code, rows[i].code);
        assert_string_equal(r.enhanced, rows[i].enhanced);
        assert_true(str_eq(r.text, str_c(rows[i].text)));
    }
    static const str wrong[] = {
        S(""),      S("\0"),          S("250 ok"),         S("350 x"),           S("55"), S("550"), S("550x"),
        S("5a0 x"), S("550 4.7.1 x"), S("550-a\r\n450 b"), S("550 5.7.1 a\r\nb")};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct milter_reply r;
        assert_int_equal(milter_parse_reply(wrong[i], &out, &r), RC_INVALID);
    }
    AUTO(buf_deinit) struct buf small = BUF_INIT(3);
    struct milter_reply r;
    assert_int_equal(milter_parse_reply(S("550 long"), &small, &r), RC_LIMIT);
}

static void versions(void **state)
{
    assert_true(milter_is_version(2) && milter_is_version(3) && milter_is_version(4) && milter_is_version(6));
    assert_false(milter_is_version(1) || milter_is_version(5) || milter_is_version(7));
    assert_false(milter_events(2) & MILTER_NO_UNKNOWN);
    assert_true(milter_events(3) & MILTER_NO_UNKNOWN && !(milter_events(3) & MILTER_NO_DATA));
    assert_true(milter_events(5) & MILTER_NO_DATA && !(milter_events(5) & MILTER_CAN_SKIP));
    assert_int_equal(milter_events(6), 0x1fffff);
    assert_int_equal(milter_unwanted(MILTER_BODY), MILTER_NO_BODY);
    assert_int_equal(milter_mute(MILTER_HEADER), MILTER_MUTE_HEADERS);
    assert_int_equal(milter_unwanted(MILTER_ABORT) | milter_mute(MILTER_END_OF_BODY), 0);
    assert_string_equal(milter_command_name(MILTER_HELO), "SMFIC_HELO");
    assert_string_equal(milter_answer_name('s'), "SMFIR_SKIP");
    assert_string_equal(milter_answer_name('?'), "(unknown filter reply)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths),  cmocka_unit_test(heads),   cmocka_unit_test(options),
        cmocka_unit_test(messages), cmocka_unit_test(replies), cmocka_unit_test(versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
