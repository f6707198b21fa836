/* dovecot_var: for 2.3 what Dovecot 2.3.19 says (doveadm mailbox path), for 2.4 its manual. */
#include "fmt/dovecot_var.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static enum rc find(void *ctx, str name, str *ret, struct err *e)
{
    static const char *const values[][2] = {
        {"user", "Joe.Do@Example.com"},
        {"username", "Joe.Do"},
        {"domain", "Example.com"},
        {"home", "/home/joe"},
        {"uid", "64790"},
        {"service", "imap"},
        {"env:HOME", "/root"},
        {"empty", ""},
        {"odd", "a\"b'c\\d \t"},
        {"dots", "a.b.c"},
    };
    (void)ctx;
    if (str_eq(name, S("later")))
        return RC_TEMP;
    if (str_eq(name, S("secret")))
        return err_set(e, RC_PERM, 0, "", "not for you");
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        if (str_eq(name, str_c(values[i][0]))) {
            *ret = str_c(values[i][1]);
            return RC_OK;
        }
    }
    return RC_GONE;
}

struct row {
    const char *text, *expected; /* "!": the reason why not */
    enum rc rc;
};

static void check(const struct row *rows, size_t count, bool is_24)
{
    const struct dovecot_var_env env = {.is_24 = is_24, .find = find};
    for (size_t i = 0; i < count; i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(1000);
        struct err e = {0};
        buf_puts(&out, S("<"));
        enum rc rc = dovecot_var_expand(str_c(rows[i].text), &env, &out, &e);
        const char *got = rc == RC_OK ? buf_cstr(&out) + 1 : err_text(&e);
        if (rc != rows[i].rc || strcmp(got, rows[i].expected) != 0)
            fail_msg("%s: %s \"%s\" and not \"%s\"", rows[i].text, rc_name(rc), got, rows[i].expected);
        assert_true(rc == RC_OK || out.n == 1);
    }
}

#define CHECK(rows, is_24) check((rows), sizeof(rows) / sizeof *(rows), (is_24))

static void variables_23(void **state)
{
    static const struct row rows[] = {
        {"", "", 0},
        {"maildir:~/Maildir", "maildir:~/Maildir", 0},
        {"/%d/%n:%h %s", "/Example.com/Joe.Do:/home/joe imap", 0},
        {"%{user}%{env:HOME}", "Joe.Do@Example.com/root", 0},
        {"%%%u%%", "%Joe.Do@Example.com%", 0},
        {"[%{empty}]", "[]", 0},
    };
    CHECK(rows, false);
}

static void parts_23(void **state)
{
    static const struct row rows[] = {
        {"%1n", "J", 0},          {"%1.1n", "o", 0},
        {"%2.3u", "e.D", 0},      {"%-4.2u", ".c", 0},
        {"%02n", "Joe.Do", 0},    {"%04i", "64790", 0},
        {"%09i", "000064790", 0}, {"%1.09i", "000004790", 0},
        {"%-3u", "Joe", 0},       {"%1.-1n", "oe.D", 0},
        {"%-4.-2u", ".c", 0},     {"%3.0n", ".Do", 0},
        {"%0.3n", "Joe", 0},      {"%20.3n", "", 0},
        {"%-20.3n", "Joe", 0},    {"%30n", "Joe.Do", 0},
        {"%-2.-5n", "Do", 0},     {"%-2.-2n", "", 0},
        {"%3{user}", "Joe", 0},   {"%00u", "Joe.Do@Example.com", 0},
        {"%3{dots}x", "a.bx", 0},
    };
    CHECK(rows, false);
}

static void modifiers_23(void **state)
{
    static const struct row rows[] = {
        {"%Lu", "joe.do@example.com", 0},
        {"%5Lu", "joe.d", 0},
        {"%Un", "JOE.DO", 0},
        {"%Xi", "fd16", 0},
        {"%Xn", "0", 0},
        {"%RLu", "moc.elpmaxe@od.eoj", 0},
        {"%Dd", "Example,dc=com", 0},
        {"%E{odd}", "a\\\"b\\'c\\\\d \t", 0},
        {"%T{odd}", "a\"b'c\\d", 0},
        {"%Hu", "17f30ad", 0},
        {"%8Hu", "5", 0},
        {"%2.256Hu", "ad", 0},
        {"%Nu", "1aa2dfa1", 0},
        {"%3.16Nu", "001", 0},
        {"%Mu", "cb45016c1aa2dfa1f9d1c85189e5a8c5", 0},
        {"%LMu", "b4c79a558b2d1b1755880495d21d084f", 0},
    };
    CHECK(rows, false);
}

static void refused_23(void **state)
{
    static const struct row rows[] = {
        {"a%z", "Unknown variable '%z'", RC_GONE},
        {"a%{nosuch}", "Unknown variable '%nosuch'", RC_GONE},
        {"%a", "Unknown variable '%lport'", RC_GONE},
        {"a%", "a '%' stands at the end", RC_INVALID},
        {"%5.L", "a '%' stands at the end", RC_INVALID},
        {"%{user", "a '{' of a variable is not closed", RC_INVALID},
        {"%{if;%{user};eq;a;b;c}", "'%{if;%{user};eq;a;b;c}' is not supported", RC_PERM},
        {"%{sha256:user}", "'%{sha256:user}' is not supported", RC_PERM},
        {"%LLLLLLLLLLLu", "a variable has too many modifiers", RC_LIMIT},
        {"%10001u", "a width or an offset of a variable is too large", RC_LIMIT},
        {"%-99999999999999.1u", "a width or an offset of a variable is too large", RC_LIMIT},
        {"%{later}", "the variable '%later' has no value", RC_TEMP},
        {"%{secret}", "not for you", RC_PERM},
        {"%09999u", "the value with its variables is too large", RC_LIMIT},
    };
    CHECK(rows, false);
}

static void variables_24(void **state)
{
    static const struct row rows[] = {
        {"/%{domain}/%{ user }", "/Example.com/Joe.Do@Example.com", 0},
        {"%u 100% %% %%{user} %%%{user}", "%u 100% %% %{user} %%{user}", 0},
        {"%{user | username | lower}", "joe.do", 0},
        {"%{user|domain|upper}", "EXAMPLE.COM", 0},
        {"%{username | domain | default('x')}", "x", 0},
        {"%{nosuch | default('a\\'b')}%{nosuch | default}", "a'b", 0},
        {"%{empty | default(user)}", "Joe.Do@Example.com", 0},
        {"%{user | substr(0,1)}%{user | substr(-3)}%{user|substr( 1 , -12 )}", "Jcomoe.Do", 0},
        {"%{user | truncate(3) | reverse}", "eoJ", 0},
        {"%{concat('%', user)}%{literal(\"\\t\")}", "%Joe.Do@Example.com\t", 0},
        {"%{dots | index('.', 1)}%{dots | index('.', -1)}", "bc", 0},
        {"%{dots | ldap_dn}", "a,dc=b,dc=c", 0},
        {"%{env:HOME}", "/root", 0},
    };
    CHECK(rows, true);
}

static void refused_24(void **state)
{
    static const struct row rows[] = {
        {"%{nosuch}", "Unknown variable '%nosuch'", RC_GONE},
        {"%{nosuch | lower}", "Unknown variable '%nosuch'", RC_GONE},
        {"%{lower()}", "an argument of the filter \"lower\" is malformed", RC_INVALID},
        {"%{literal(nosuch)}", "Unknown variable '%nosuch'", RC_GONE},
        {"%{user | md5}", "the filter \"md5\" is not supported", RC_PERM},
        {"%{user | substr('a')}", "the arguments of the filter \"substr\" are not right", RC_INVALID},
        {"%{user | substr(99)}", "substr: Offset out of bounds", RC_INVALID},
        {"%{user | substr(0, 99)}", "substr: Length out of bounds", RC_INVALID},
        {"%{dots | index('.', 3)}", "index: Position out of bounds", RC_INVALID},
        {"%{user | truncate(bits=3)}", "the argument \"bits\" of a filter is not supported", RC_PERM},
        {"%{uid + 1}", "calculations with variables are not supported", RC_PERM},
        {"%{user | default('x}", "a quote of a variable is not closed", RC_INVALID},
        {"%{user | default('\\x')}", "Invalid character escape", RC_INVALID},
        {"%{user | default('x'}", "a ')' is missing behind \"default\"", RC_INVALID},
        {"%{user", "a '}' is missing behind \"user\"", RC_INVALID},
        {"%{}", "a variable or filter has no name", RC_INVALID},
        {"%{user | }", "a variable or filter has no name", RC_INVALID},
        {"%{later | default('x')}", "the variable '%later' has no value", RC_TEMP},
        {"%{concat(1,2,3,4,5,6,7,8,9)}", "the filter \"concat\" has too many arguments", RC_LIMIT},
    };
    CHECK(rows, true);
}

static void failure_is_told_only_then(void **state)
{
    const struct dovecot_var_env env = {.is_24 = true, .find = find};
    AUTO(buf_deinit) struct buf out = BUF_INIT(100);
    struct err e = {0};
    assert_int_equal(dovecot_var_expand(S("%{nosuch | default('x')}"), &env, &out, &e), RC_OK);
    assert_int_equal(e.rc, RC_OK);
    assert_int_equal(dovecot_var_expand(S("%{nosuch}"), &env, &out, NULL), RC_GONE);
    assert_true(str_eq(dovecot_var_long_name('u'), S("user")));
    assert_int_equal(dovecot_var_long_name('%').n, 0);
}

static void words_of_23(void **state)
{
    static const struct {
        const char *text, *expected;
        enum rc rc;
    } rows[] = {
        {"SELECT '%{user}' LIKE 'a%'", "SELECT '%u' LIKE 'a%%'", RC_OK},
        {"%{user | username}/%{user|domain}", "%n/%d", RC_OK},
        {"%{ user | username | lower }", "%Ln", RC_OK},
        {"%{user | upper | reverse}", "%URu", RC_OK},
        {"%{home}/Maildir", "%h/Maildir", RC_OK},
        {"%{protocol} %{remote_ip} %{mechanism} %{password}", "%s %r %m %w", RC_OK},
        {"%{original_user | default('')}", "%{orig_user}", RC_OK},
        {"%{ldap:uidNumber}", "%{ldap:uidNumber}", RC_OK},
        {"%%{user} 100%", "%%{user} 100%%", RC_OK},
        {"%{ldap:uid | lower}", NULL, RC_PERM},
        {"%{user | default('x')}", NULL, RC_PERM},
        {"%{home | domain}", NULL, RC_PERM},
        {"%{user | substr(1, 2)}", NULL, RC_PERM},
        {"%{}", NULL, RC_PERM},
        {"%{user + 1}", NULL, RC_PERM},
        {"%{user", NULL, RC_INVALID},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(100);
        struct err e = {0};
        buf_putc(&out, '<');
        assert_int_equal(dovecot_var_older(str_c(rows[i].text), &out, &e), rows[i].rc);
        assert_string_equal(buf_cstr(&out) + 1, rows[i].expected ? rows[i].expected : "");
        assert_int_equal(e.rc, rows[i].rc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_23),
        cmocka_unit_test(parts_23),
        cmocka_unit_test(modifiers_23),
        cmocka_unit_test(refused_23),
        cmocka_unit_test(variables_24),
        cmocka_unit_test(refused_24),
        cmocka_unit_test(failure_is_told_only_then),
        cmocka_unit_test(words_of_23),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
