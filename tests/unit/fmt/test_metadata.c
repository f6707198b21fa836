/* fmt/metadata: names of entries, depths, and the file. */
#include "fmt/metadata.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* RFC 5464 §3.1 */
static void names(void **state)
{
    static const struct {
        str name;
        bool name_of_entry, place;
    } rows[] = {
        {S("/private/comment"), true, true},
        {S("/SHARED/Vendor/x.y/z"), true, true},
        {S("/private"), false, true},
        {S("/shared"), false, true},
        {S("/private/"), false, false},
        {S("/private/a/"), false, false},
        {S("/private//a"), false, false},
        {S("//private/a"), false, false},
        {S("private/a"), false, false},
        {S("/public/a"), false, false},
        {S("/privates/a"), false, false},
        {S(""), false, false},
        {S("/"), false, false},
        {S("/private/*"), false, false},
        {S("/private/a%"), false, false},
        {S("/private/a b"), false, false},
        {S("/private/a\tb"), false, false},
        {S("/private/a\nb"), false, false},
        {S("/private/a\0b"), false, false},
        {S("/private/\303\251"), false, false},
        {S("/private/a\x7f"), false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (metadata_is_name(rows[i].name) != rows[i].name_of_entry ||
            metadata_is_place(rows[i].name) != rows[i].place)
            fail_msg("row %zu", i);
    char name[METADATA_NAME_MAX + 1];
    memset(name, 'x', sizeof name);
    memcpy(name, "/private/", 9);
    assert_true(metadata_is_name(str_mem(name, METADATA_NAME_MAX)));
    assert_false(metadata_is_name(str_mem(name, METADATA_NAME_MAX + 1)));
}

/* RFC 5464 §4.2.2 */
static void depths(void **state)
{
    static const struct {
        const char *name, *place;
        bool itself, children, all;
    } rows[] = {
        {"/private/a", "/private/a", true, true, true},
        {"/private/a", "/PRIVATE/A", true, true, true},
        {"/private/a/b", "/private/a", false, true, true},
        {"/private/a/b/c", "/private/a", false, false, true},
        {"/private/ab", "/private/a", false, false, false},
        {"/private/a", "/private/a/b", false, false, false},
        {"/private/a", "/private", false, true, true},
        {"/private/a/b", "/private", false, false, true},
        {"/shared/a", "/private", false, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        str name = str_c(rows[i].name), place = str_c(rows[i].place);
        if (metadata_is_at(name, place, METADATA_ITSELF) != rows[i].itself ||
            metadata_is_at(name, place, METADATA_CHILDREN) != rows[i].children ||
            metadata_is_at(name, place, METADATA_ALL) != rows[i].all)
            fail_msg("row %zu", i);
    }
}

static void file(void **state)
{
    static const struct metadata all[] = {{S("/private/comment"), S("Ours\nand 3\n")},
                                          {S("/shared/x"), S("")},
                                          {S("/private/y"), S("\0\n/private/z 1\nx")}};
    AUTO(buf_deinit) struct buf b = BUF_INIT(1000);
    struct metadata m;
    for (size_t i = 0; i < 3; i++)
        metadata_put(&b, &all[i]);
    str rest = buf_str(&b);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(metadata_next(&rest, &m), RC_OK);
        assert_true(str_eq(m.name, all[i].name) && str_eq(m.value, all[i].value) && m.value.p);
    }
    assert_int_equal(metadata_next(&rest, &m), RC_GONE);
    for (size_t n = 1; n < 30; n++) { /* cut short in the first or the second */
        str cut = str_sub(buf_str(&b), 0, n);
        enum rc rc = metadata_next(&cut, &m);
        assert_int_equal(rc == RC_OK ? cut.n == 0 ? RC_INVALID : metadata_next(&cut, &m) : rc, RC_INVALID);
    }
    static const str broken[] = {S("\n"),
                                 S("x 1\nx\n"),
                                 S("/private/x\nx\n"),
                                 S("/private/x -1\nx\n"),
                                 S("/private/x 2\nx\n"),
                                 S("/private/x 0\nx\n"),
                                 S("/private/x 4294967296\nx\n"),
                                 S("/private/x 32769\nx\n"),
                                 S("/private/x  1\nx\n")};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        rest = broken[i];
        assert_int_equal(metadata_next(&rest, &m), RC_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names), cmocka_unit_test(depths),
                                       cmocka_unit_test(file)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
