/* via: every kind there and back, what is none, and where a target stands after its file has changed. */
#include "fmt/via.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void there_and_back(void **state)
{
    static const char *const texts[] = {"user:1000:ann:",
                                        "user:1000:ann:a:b c",
                                        "mailbox:4294967295:ann:tag",
                                        "forward:1000:3:00ff00000000abcd:ann:",
                                        "alias:0:0123456789abcdef:list+x:y",
                                        "filter:smtp-amavis:[127.0.0.1]:10024",
                                        "transport:relay:[192.0.2.1]:25"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(VIA_MAX);
        struct via v;
        assert_int_equal(via_parse(str_c(texts[i]), &v), RC_OK);
        via_put(&out, &v);
        assert_string_equal(buf_cstr(&out), texts[i]);
    }
}

static void parts(void **state)
{
    struct via v;
    assert_int_equal(via_parse(S("forward:1000:3:00ff00000000abcd:ann:x:y"), &v), RC_OK);
    assert_int_equal(v.kind, VIA_FORWARD);
    assert_int_equal(v.uid, 1000);
    assert_int_equal(v.n, 3);
    assert_int_equal(v.hash, 0xff00000000abcd);
    assert_true(str_eq(v.name, S("ann")) && str_eq(v.tag, S("x:y")));
    assert_int_equal(via_parse(S("alias:1:0123456789abcdef:a:b"), &v), RC_OK);
    assert_true(str_eq(v.name, S("a:b")) && v.tag.n == 0);
}

static void none(void **state)
{
    static const char *const texts[] = {"",
                                        "user",
                                        "user:",
                                        "user:1000",
                                        "user:1000:ann",
                                        "user:1000::",
                                        "user:-1:ann:",
                                        "user:4294967296:ann:",
                                        "user:1000:ann:a\nb",
                                        "other:1000:ann:",
                                        "forward:1000:ann:",
                                        "forward:1000:3:ann:",
                                        "forward:1000:10001:0123456789abcdef:ann:",
                                        "forward:1000:3:0123456789ABCDEF:ann:",
                                        "forward:1000:3:0123456789abcde:ann:",
                                        "alias:0:0123456789abcdef:",
                                        "alias:0:0123456789abcdef",
                                        "/bin/sh"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct via v;
        if (via_parse(str_c(texts[i]), &v) != RC_INVALID)
            fail_msg("%s", texts[i]);
    }
}

static void find(void **state)
{
    struct alias_target list[] = {{.kind = ALIAS_ADDRESS, .text = S("joe")},
                                  {.kind = ALIAS_COMMAND, .text = S("one")},
                                  {.kind = ALIAS_FILE, .text = S("/two")},
                                  {.kind = ALIAS_COMMAND, .text = S("/two")}};
    struct alias all = {.targets = list, .count = 4};
    const struct alias_target other = {.kind = ALIAS_COMMAND, .text = S("other")};
    assert_ptr_equal(via_find(&all, 1, via_hash(&list[1])), &list[1]);
    assert_ptr_equal(via_find(&all, 2, via_hash(&list[1])), &list[1]); /* it has moved */
    assert_ptr_equal(via_find(&all, 9, via_hash(&list[3])), &list[3]); /* not the file of that name */
    assert_ptr_equal(via_find(&all, 2, via_hash(&other)), &list[2]);   /* it was changed */
    assert_null(via_find(&all, 0, via_hash(&other)));
    assert_null(via_find(&all, 0, via_hash(&list[0])));
    assert_null(via_find(&all, 4, via_hash(&other)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(there_and_back), cmocka_unit_test(parts),
                                       cmocka_unit_test(none), cmocka_unit_test(find)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
