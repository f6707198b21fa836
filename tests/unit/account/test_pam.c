/* account/pam: passwd entries, and refusals that need no PAM service of ours. */
#include "account/pam.h"

#include <pwd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void passwd_entries(void **state)
{
    struct account_identity id;
    struct err e;
    assert_int_equal(passwd_find(S("root"), &id, &e), RC_OK);
    assert_string_equal(id.account, "root");
    assert_int_equal(id.uid, 0);
    assert_true(id.system && id.home[0] == '/');
    const struct passwd *pw = getpwnam("mail");
    assert_non_null(pw);
    assert_int_equal(passwd_find(S("mail"), &id, &e), RC_OK);
    assert_true(id.uid == pw->pw_uid && id.gid == pw->pw_gid);
    assert_string_equal(id.home, pw->pw_dir);
    for (size_t i = 0; i < id.n_groups; i++)
        assert_int_not_equal(id.groups[i], id.gid);
}

static void names_of_uids(void **state)
{
    char name[PAM_USER_MAX + 1];
    struct err e;
    const struct passwd *pw = getpwnam("mail");
    assert_non_null(pw);
    assert_int_equal(passwd_name(pw->pw_uid, name, &e), RC_OK);
    assert_string_equal(name, "mail");
    assert_int_equal(passwd_name(4000000000, name, &e), RC_GONE);
}

static void unknown_users(void **state)
{
    static const str names[] = {S(""), S("no-such-user-here"), S("root\0x"), S("a:b"),
                                S("a123456789012345678901234567890123456789012345678901234567890123456789")};
    struct account_identity id;
    struct err e;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(passwd_find(names[i], &id, &e), RC_GONE);
        assert_int_not_equal(pam_check("malle-no-such-service", names[i], S("secret"), S("127.0.0.1"), &e),
                             RC_OK);
    }
}

/* Refused before PAM is asked, and by Debian's service "other", which asks pam_unix. */
static void wrong_passwords(void **state)
{
    struct err e;
    char big[PAM_PASSWORD_MAX + 1];
    memset(big, 'x', sizeof big);
    assert_int_equal(pam_check("other", S("mail"), S(""), S("127.0.0.1"), &e), RC_PERM);
    assert_int_equal(pam_check("other", S("mail"), str_mem(big, sizeof big), S("127.0.0.1"), &e), RC_PERM);
    assert_int_not_equal(pam_check("other", S("mail"), S("wrong"), S("2001:db8::1"), &e), RC_OK);
    assert_string_equal(e.log, "wrong password");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(passwd_entries), cmocka_unit_test(names_of_uids),
                                       cmocka_unit_test(unknown_users), cmocka_unit_test(wrong_passwords)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
