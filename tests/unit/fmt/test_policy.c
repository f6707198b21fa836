/* policy: requests and replies of policy servers; replies cut at every byte. */
#include "fmt/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void requests(void **state)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(200);
    policy_put(&out, "request", S("smtpd_access_policy"));
    policy_put(&out, "helo_name", str_mem("a\nb\r\0=c", 7));
    policy_put(&out, "sender", S(""));
    policy_put_end(&out);
    assert_true(str_eq(buf_str(&out), S("request=smtpd_access_policy\nhelo_name=a?b?"
                                        "?=c\nsender=\n\n")));
}

static void replies(void **state)
{
    static const struct {
        const char *in;
        enum rc rc;
        const char *action;
    } rows[] = {
        {"action=DUNNO\n\n", RC_OK, "DUNNO"},
        {"action=REJECT 5.7.1 a = b\n\n", RC_OK, "REJECT 5.7.1 a = b"},
        {"x=y\naction = OK \r\n\r\n", RC_OK, "OK"},
        {"action=a\naction=b\n\n", RC_OK, "b"},
        {"action=\n\n", RC_OK, ""},
        {"\n", RC_INVALID, NULL},
        {"x=y\n\n", RC_INVALID, NULL},
        {"hello\n", RC_INVALID, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        str in = str_c(rows[i].in), action = STR_NONE;
        size_t used = 0;
        assert_int_equal(policy_parse_reply(in, &action, &used), rows[i].rc);
        if (rows[i].rc != RC_OK)
            continue;
        assert_true(str_eq(action, str_c(rows[i].action)) && used == in.n);
        for (size_t n = 0; n < in.n; n++)
            assert_int_equal(policy_parse_reply(str_sub(in, 0, n), &action, &used), RC_TEMP);
    }
}

static void too_long(void **state)
{
    static char in[POLICY_REPLY_MAX + 3];
    str action;
    size_t used;
    memset(in, 'a', sizeof in);
    assert_int_equal(policy_parse_reply(str_mem(in, POLICY_REPLY_MAX), &action, &used), RC_TEMP);
    assert_int_equal(policy_parse_reply(str_mem(in, sizeof in), &action, &used), RC_LIMIT);
    memcpy(in, "action=", 7);
    in[sizeof in - 2] = in[sizeof in - 1] = '\n';
    assert_int_equal(policy_parse_reply(str_mem(in, sizeof in), &action, &used), RC_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(requests), cmocka_unit_test(replies),
                                       cmocka_unit_test(too_long)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
