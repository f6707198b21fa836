/* verp: there and back. */
#include "fmt/mailaddr.h"
#include "fmt/verp.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void there_and_back(void **state)
{
    static const struct {
        const char *sender, *recipient, *delimiters, *want;
        enum rc rc;
    } rows[] = {
        {"list@lists.example", "joe@example.org", "+=", "list+joe=example.org@lists.example", RC_OK},
        {"owner-list@l.example", "joe+tag=x@e.org", "+=", "owner-list+joe+tag=x=e.org@l.example", RC_OK},
        {"list-bounces@l.example", "joe@e.org", "-=", "list-bounces-joe=e.org@l.example", RC_OK},
        {"list@l.example", "joe@e.org", "==", "list=joe=e.org@l.example", RC_OK},
        {"list", "joe@e.org", "+=", "", RC_INVALID},
        {"list@l", "joe", "+=", "", RC_INVALID},
        {"list@l", "@e", "+=", "", RC_INVALID},
        {"list@l", "a@b@e", "+=", "", RC_INVALID},
        {"list@l", "\"j oe\"@e", "+=", "", RC_INVALID},
        {"list@l", "joe@e.org", "+", "", RC_INVALID},
        {"list@l", "joe@e.org", "+@", "", RC_INVALID},
        {"list@l", "joe@e.org", "+==", "", RC_INVALID},
        {"list@l", "joe@e.org", ".=", "", RC_INVALID},
        {"list-with-a-name@l", "joe-with-a-long-name@a-domain-that-is-long.example", "+=", "", RC_LIMIT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(MAILADDR_MAX), back = BUF_INIT(MAILADDR_MAX);
        str sender = str_c(rows[i].sender), delimiters = str_c(rows[i].delimiters);
        assert_int_equal(verp_encode(sender, str_c(rows[i].recipient), delimiters, &out), rows[i].rc);
        assert_string_equal(buf_cstr(&out), rows[i].want);
        if (rows[i].rc)
            continue;
        assert_int_equal(verp_decode(buf_str(&out), sender, delimiters, &back), RC_OK);
        assert_string_equal(buf_cstr(&back), rows[i].recipient);
    }
}

static void not_ours(void **state)
{
    static const char *const rows[] = {
        "list@l.example",           "list+joe@l.example",   "list+=e.org@l.example",
        "list+joe=@l.example",      "list-joe=e@l.example", "lis+joe=e@l.example",
        "list+joe=e.org@m.example", "list+joe=e.org",       ""};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(MAILADDR_MAX);
        assert_int_equal(verp_decode(str_c(rows[i]), S("list@l.example"), S("+="), &out), RC_INVALID);
        assert_int_equal(out.n, 0);
    }
    AUTO(buf_deinit) struct buf out = BUF_INIT(MAILADDR_MAX);
    assert_int_equal(verp_decode(S("LIST+joe=e.org@L.example"), S("list@l.example"), S("+="), &out), RC_OK);
    assert_string_equal(buf_cstr(&out), "joe@e.org");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(there_and_back), cmocka_unit_test(not_ours)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
