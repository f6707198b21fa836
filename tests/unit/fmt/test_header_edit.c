/* fmt/header_edit: fields added, inserted, changed and deleted, and that no value ends the header. */
#include "fmt/header_edit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void sizes(void **state)
{
    static const struct {
        const char *raw;
        size_t fields, body;
    } rows[] = {
        {"", 0, 0},
        {"\nbody", 0, 1},
        {"A: b", 4, 4},
        {"A: b\n", 5, 5},
        {"A: b\n\n", 5, 6},
        {"A: b\n c\n\nbody\n", 8, 9},
        {"A: b\nno field\nB: c\n", 5, 5},
        {" A: b\n", 0, 0},
        {"A : b\n\n", 6, 7},
        {"A: b\n: c\n", 5, 5},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t body = 99;
        assert_int_equal(header_edit_size(str_c(rows[i].raw), &body), rows[i].fields);
        assert_int_equal(body, rows[i].body);
    }
}

static void field_texts(void **state)
{
    static const struct {
        str name, value;
        const char *want; /* NULL: refused */
    } rows[] = {
        {S("X"), S(" a"), "X: a"},
        {S("X"), S(""), "X:"},
        {S("X"), S(" a\n b"), "X: a\n b"},
        {S("X"), S(" a\r\n\tb\r\n"), "X: a\n\tb"},
        {S("X"), S(" a\nEvil: yes"), "X: a\n\tEvil: yes"},
        {S("X"), S(" a\n\nbody"), "X: a\n\tbody"},
        {S("X"), S(" a\n \n\t\n b"), "X: a\n b"},
        {S("X"), S(" a\rb\r"), "X: ab"},
        {S("X"), S("\n b"), "X:\n b"},
        {S("X"), S(" a\0b"), "X: ab"},
        {S(""), S(" a"), NULL},
        {S("X Y"), S(" a"), NULL},
        {S("X:"), S(" a"), NULL},
        {S("X\n"), S(" a"), NULL},
    };
    AUTO(arena_freep) struct arena *a = arena_new(10000);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        str text = STR_NONE;
        enum rc rc = header_edit_field_text(a, rows[i].name, rows[i].value, &text);
        assert_int_equal(rc, rows[i].want ? RC_OK : RC_INVALID);
        if (rows[i].want)
            assert_true(str_eq(text, str_c(rows[i].want)));
    }
    AUTO(arena_freep) struct arena *small = arena_new(16);
    str text;
    assert_int_equal(
        header_edit_field_text(small, S("X"), S(" longer than there is room for it here"), &text), RC_LIMIT);
}

static const char *edited(const struct header_edit *h)
{
    static char text[1000];
    AUTO(buf_deinit) struct buf out = BUF_INIT(sizeof text - 1);
    header_edit_put(h, &out);
    assert_int_equal(out.n, header_edit_bytes(h));
    snprintf(text, sizeof text, STR_FMT, STR_ARG(buf_str(&out)));
    return text;
}

static void edits(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(100000);
    struct header_edit h;
    header_edit_init(&h, a);
    assert_int_equal(header_edit_parse(&h, S("Received: ours\n")), RC_OK);
    h.v[0].hidden = true;
    assert_int_equal(header_edit_parse(&h, S("received : theirs\n by\nSubject: a\nX: 1\nX: 2")), RC_OK);
    assert_int_equal(h.n, 5);
    assert_false(h.changed);
    assert_true(str_eq(h.v[1].name, S("received")));

    /* names are counted without what is hidden, places with it */
    assert_int_equal(header_edit_change(&h, S("Received"), 1, S("Received: new")), RC_OK);
    assert_int_equal(header_edit_insert(&h, 1, S("Second: 2")), RC_OK);
    assert_int_equal(header_edit_insert(&h, 0, S("First: 1")), RC_OK);
    assert_int_equal(header_edit_insert(&h, 99, S("Last: 9")), RC_OK);
    assert_true(h.changed);
    assert_string_equal(edited(&h),
                        "First: 1\nReceived: ours\nSecond: 2\nReceived: new\nSubject: a\nX: 1\nX: 2\n"
                        "Last: 9\n");
    header_edit_delete(&h, S("x"), 2);
    header_edit_delete(&h, S("X"), 2); /* is not there */
    header_edit_delete(&h, S("Received"), 2);
    assert_int_equal(header_edit_change(&h, S("X"), 2, S("X: added")), RC_OK);
    assert_string_equal(edited(&h), "First: 1\nReceived: ours\nSecond: 2\nReceived: new\nSubject: a\nX: 1\n"
                                    "Last: 9\nX: added\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sizes), cmocka_unit_test(field_texts),
                                       cmocka_unit_test(edits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
