/* restriction: the words of restriction lists, their arguments, classes, and what is wrong with others. */
#include "fmt/restriction.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void takes_all(void **state)
{
    static const struct {
        enum restriction_kind kind;
        enum restriction_subject subject;
        enum restriction_servers servers;
        const char *argument;
    } rows[] = {
        {RESTRICTION_PERMIT_NETWORKS, RESTRICTION_NOBODY, RESTRICTION_ITSELF, ""},
        {RESTRICTION_WARN_IF_REJECT, RESTRICTION_NOBODY, RESTRICTION_ITSELF, ""},
        {RESTRICTION_ACCESS, RESTRICTION_OF_SENDER, RESTRICTION_ITS_MX, "hash:/etc/mx"},
        {RESTRICTION_RBL, RESTRICTION_OF_CLIENT, RESTRICTION_ITSELF, "bl.example=127.0.0.[2;4..11]"},
        {RESTRICTION_CLASS, RESTRICTION_NOBODY, RESTRICTION_ITSELF, "permit_mynetworks, reject"},
        {RESTRICTION_ACCESS, RESTRICTION_OF_RECIPIENT, RESTRICTION_ITSELF, "inline:{a = b, c = d}"},
        {RESTRICTION_UNKNOWN_DOMAIN, RESTRICTION_OF_SENDER, RESTRICTION_ITSELF, ""},
        {RESTRICTION_REJECT, RESTRICTION_NOBODY, RESTRICTION_ITSELF, ""},
    };
    str list = S("permit_mynetworks,\n\t Warn_If_Reject check_sender_mx_access hash:/etc/mx "
                 "reject_rbl_client bl.example=127.0.0.[2;4..11], Strict inline:{a = b, c = d} "
                 "reject_unknown_address, "
                 "reject");
    struct restriction r;
    struct err e = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(restriction_take(&list, RESTRICTION_RECIPIENT,
                                          S("other = reject; strict = permit_mynetworks, reject"), &r, &e),
                         RC_OK);
        assert_int_equal(r.kind, rows[i].kind);
        assert_int_equal(r.subject, rows[i].subject);
        assert_int_equal(r.servers, rows[i].servers);
        assert_true(str_eq(r.argument, str_c(rows[i].argument)));
    }
    assert_int_equal(restriction_take(&list, RESTRICTION_RECIPIENT, S(""), &r, &e), RC_GONE);
}

static void every_name_is_taken(void **state)
{
    const char *name;
    for (size_t i = 0; (name = restriction_name(i)) != NULL; i++) {
        char text[200];
        struct restriction r;
        struct err e = {0};
        static const char *const arguments[] = {"", "hash:/x", "list.example", "inet:localhost:9", "5"};
        bool taken = false;
        for (size_t k = 0; k < 5; k++) {
            snprintf(text, sizeof text, "%s %s", name, arguments[k]);
            str list = str_c(text);
            enum rc rc = restriction_take(&list, RESTRICTION_DATA, S(""), &r, &e);
            bool has = r.takes != RESTRICTION_NO_ARGUMENT;
            if (rc == RC_OK || rc == RC_PERM) {
                assert_true(str_eq(r.name, str_c(name)));
                assert_true((rc == RC_PERM) == (r.kind == RESTRICTION_UNSUPPORTED));
                assert_true(has == (str_trim(list).n == 0 && k > 0) || k == 0);
                taken = true;
            }
        }
        if (!taken)
            fail_msg("%s", name);
    }
}

static void tables_alone(void **state)
{
    static const struct {
        enum restriction_list list;
        enum restriction_subject subject;
    } rows[] = {
        {RESTRICTION_CLIENT, RESTRICTION_OF_CLIENT},       {RESTRICTION_HELO, RESTRICTION_OF_HELO},
        {RESTRICTION_SENDER, RESTRICTION_OF_SENDER},       {RESTRICTION_RELAY, RESTRICTION_OF_RECIPIENT},
        {RESTRICTION_RECIPIENT, RESTRICTION_OF_RECIPIENT},
    };
    struct restriction r;
    struct err e = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        str list = S("cidr:/etc/x");
        assert_int_equal(restriction_take(&list, rows[i].list, S(""), &r, &e), RC_OK);
        assert_int_equal(r.subject, rows[i].subject);
        assert_true(str_eq(r.argument, S("cidr:/etc/x")));
    }
    str list = S("cidr:/etc/x");
    assert_int_equal(restriction_take(&list, RESTRICTION_DATA, S(""), &r, &e), RC_INVALID);
}

static void faults(void **state)
{
    static const struct {
        const char *list;
        enum rc rc;
        const char *text;
    } rows[] = {
        {"reject_foo", RC_INVALID, "\"reject_foo\" is no restriction"},
        {"check_helo_access", RC_INVALID, "check_helo_access needs a table"},
        {"check_helo_access reject", RC_INVALID, "check_helo_access needs a table"},
        {"reject_rbl_client", RC_INVALID, "reject_rbl_client needs the domain"},
        {"reject_rbl_client reject", RC_INVALID, "reject_rbl_client needs the domain"},
        {"check_policy_service foo", RC_INVALID, "check_policy_service needs a server"},
        {"check_policy_service inet:foo", RC_INVALID, "check_policy_service needs a server"},
        {"check_policy_service { inet:foo:1, timeout }", RC_INVALID,
         "check_policy_service needs name = value"},
        {"sleep", RC_INVALID, "sleep needs a number"},
        {"sleep 601", RC_INVALID, "sleep needs a number"},
        {"sleep -1", RC_INVALID, "sleep needs a number"},
        {"hash:", RC_INVALID, "\"hash:\" is no restriction"},
        {"{ reject", RC_INVALID, "a brace is not closed"},
        {"check_etrn_access hash:/x", RC_PERM, "\"check_etrn_access\" is not supported"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct restriction r;
        struct err e = {0};
        str list = str_c(rows[i].list);
        assert_int_equal(restriction_take(&list, RESTRICTION_RECIPIENT, S(""), &r, &e), rows[i].rc);
        if (!str_starts(str_c(e.peer), str_c(rows[i].text)))
            fail_msg("%s: %s", rows[i].list, e.peer);
    }
}

static void servers(void **state)
{
    struct restriction r;
    struct err e = {0};
    str list = S("check_policy_service unix:/run/p, check_policy_service { inet:[::1]:10023, timeout=5s, "
                 "{ default_action = 450 later, please } max_idle = 3s }");
    str name, value;
    assert_int_equal(restriction_take(&list, RESTRICTION_DATA, S(""), &r, &e), RC_OK);
    assert_true(str_eq(r.argument, S("unix:/run/p")) && r.options.n == 0);
    assert_int_equal(restriction_take(&list, RESTRICTION_DATA, S(""), &r, &e), RC_OK);
    assert_true(str_eq(r.argument, S("inet:[::1]:10023")));
    assert_int_equal(restriction_take_option(&r.options, &name, &value), RC_OK);
    assert_true(str_eq(name, S("timeout")) && str_eq(value, S("5s")));
    assert_int_equal(restriction_take_option(&r.options, &name, &value), RC_OK);
    assert_true(str_eq(name, S("default_action")) && str_eq(value, S("450 later, please")));
    assert_int_equal(restriction_take_option(&r.options, &name, &value), RC_OK);
    assert_true(str_eq(name, S("max_idle")) && str_eq(value, S("3s")));
    assert_int_equal(restriction_take_option(&r.options, &name, &value), RC_GONE);
}

static void classes(void **state)
{
    str text = S(" a = permit_mynetworks, reject ;; B=inline:{x={y;z}} ; reject = x; nothing ; c = "), name,
        list;
    struct err e = {0};
    assert_true(restriction_find_class(text, S("A"), &list) && str_eq(list, S("permit_mynetworks, reject")));
    assert_true(restriction_find_class(text, S("b"), &list) && str_eq(list, S("inline:{x={y;z}}")));
    assert_true(restriction_find_class(text, S("c"), &list) && list.n == 0);
    assert_false(restriction_find_class(text, S("d"), &list));
    assert_int_equal(restriction_take_class(&text, &name, &list, &e), RC_OK);
    assert_int_equal(restriction_take_class(&text, &name, &list, &e), RC_OK);
    assert_int_equal(restriction_take_class(&text, &name, &list, &e), RC_INVALID);
    assert_non_null(strstr(e.peer, "\"reject\" is a restriction already"));
    assert_int_equal(restriction_take_class(&text, &name, &list, &e), RC_INVALID);
    assert_non_null(strstr(e.peer, "\"nothing\" is not NAME = list"));
    assert_int_equal(restriction_take_class(&text, &name, &list, &e), RC_OK);
    assert_int_equal(restriction_take_class(&text, &name, &list, &e), RC_GONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_all),    cmocka_unit_test(every_name_is_taken),
        cmocka_unit_test(tables_alone), cmocka_unit_test(faults),
        cmocka_unit_test(servers),      cmocka_unit_test(classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
