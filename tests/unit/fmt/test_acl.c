/* Rights of mailboxes: Dovecot's file, and identifiers and letters as IMAP has them. */
#include "fmt/acl.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char from_dovecot[] = "anyone lr\n"
                                   "authenticated \n"
                                   "group=staff lrs\n"
                                   "owner lrwstipekxa\n"
                                   "user=anne@malle.test akxeilprwts\n"
                                   "-user=anne@malle.test w\n"
                                   "\"user=the boss \\\"x\\\" \\'y\" lr :foo bar\n"
                                   "group-override=staff l\n";

static void files(void **state)
{
    static const struct {
        const char *text, *again;
    } rows[] = {
        {"", ""},
        {"# nothing\n\n", ""},
        {from_dovecot, "anyone lr\nauthenticated \ngroup=staff lrs\nowner lrswipkxtea\n"
                       "user=anne@malle.test lrswipkxtea\n-user=anne@malle.test w\n"
                       "\"user=the boss \\\"x\\\" 'y\" lr :foo bar\ngroup-override=staff l\n"},
        {"user=b l\nuser=a r\nanyone lr", "anyone lr\nuser=a r\nuser=b l\n"},
        {"user=a l\r\nanyone r\r\n", "anyone r\nuser=a l\n"},
        {"user=a l\nuser=a r :x\nuser=a :y", "user=a lr :x y\n"}, /* the same one twice */
        {"user=a :lookup read,write-seen  x,\ty\n", "user=a lrs :x y\n"},
        {"user=a lr:x\nuser=b\nuser=c  \t lr \n", "user=a lr :x\nuser=b \nuser=c lr\n"},
        {"user=a :write write-deleted insert post create delete expunge admin", "user=a wipkxtea\n"},
        {"anonymous l\n-anonymous r\n", "anyone l\n-anyone r\n"},
        {"\"anyone\" l\n\"user=a\\\\b c\" l\n", "anyone l\n\"user=a\\\\b c\" l\n"},
        {"user=-a l\n-user=-a r\n", "user=-a l\n-user=-a r\n"},
        {"user=\xc3\xa9 l\n", "user=\xc3\xa9 l\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *a = arena_new(1 << 20);
        struct buf out = BUF_INIT(ACL_BYTES_MAX);
        struct acl acl;
        assert_int_equal(acl_parse(str_c(rows[i].text), a, &acl), RC_OK);
        acl_format(&acl, &out);
        assert_string_equal(buf_cstr(&out), rows[i].again);
        buf_deinit(&out);
        arena_free(a);
    }
    (void)state;
}

static void refused_files(void **state)
{
    static const char *const rows[] = {"user=a lz\n",  "user=a l r\n",  "nobody l\n",     "user= l\n",
                                       " l\n",         "\"user=a l\n",  "\"user=a\\",     "\"user=a\"l\n",
                                       "owner=x l\n",  "user=a\tb l\n", "user=a l\0r\n",  "--user=a l\n",
                                       "anyone lr\nx", "user=a LR\n",   "user=a\x7f l\n", "group-overri l\n"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *a = arena_new(1 << 20);
        struct acl acl;
        size_t n = i == 10 ? sizeof "user=a l\0r\n" - 1 : strlen(rows[i]);
        if (acl_parse(str_mem(rows[i], n), a, &acl) != RC_INVALID)
            fail_msg("row %zu: %s", i, rows[i]);
        arena_free(a);
    }
    struct arena *small = arena_new(1000);
    struct acl acl;
    static char lines[4000];
    memset(lines, '\n', sizeof lines);
    assert_int_equal(acl_parse(str_mem(lines, sizeof lines), small, &acl), RC_LIMIT);
    arena_free(small);
    (void)state;
}

/* RFC 4314 §3.1, §3.2 */
static void changes(void **state)
{
    static const struct {
        const char *before, *id;
        enum acl_op op;
        const char *rights, *after;
    } rows[] = {
        {"", "anne", ACL_REPLACE, "lr", "user=anne lr\n"},
        {"", "anne", ACL_REPLACE, "", "user=anne \n"}, /* less than what others have */
        {"", "anne", ACL_ADD, "lr", "user=anne lr\n"},
        {"", "anne", ACL_REMOVE, "lr", ""},
        {"", "anne", ACL_DELETE, "", ""},
        {"user=anne lr :x\n", "anne", ACL_REPLACE, "w", "user=anne w\n"},
        {"user=anne lr :x\n", "anne", ACL_ADD, "rw", "user=anne lrw :x\n"},
        {"user=anne lr :x\n", "anne", ACL_REMOVE, "rw", "user=anne l :x\n"},
        {"user=anne lr\n", "anne", ACL_REMOVE, "lr", "user=anne \n"},
        {"user=anne lr\nuser=b l\n", "anne", ACL_DELETE, "", "user=b l\n"},
        {"user=anne lr\nuser=b l\n", "b", ACL_DELETE, "", "user=anne lr\n"},
        {"user=anne lr\n", "-anne", ACL_ADD, "r", "user=anne lr\n-user=anne r\n"},
        {"user=anne lr\n-user=anne r\n", "-anne", ACL_DELETE, "", "user=anne lr\n"},
        {"user=anne lr\n-user=anne r\n", "anne", ACL_DELETE, "", "-user=anne r\n"},
        {"user=anne lr\n", "anyone", ACL_REPLACE, "l", "anyone l\nuser=anne lr\n"},
        {"user=anne lr\n", "$anne", ACL_REPLACE, "l", "group=anne l\nuser=anne lr\n"},
        {"user=anne lr\n", "!$anne", ACL_REPLACE, "l", "user=anne lr\ngroup-override=anne l\n"},
        {"", "a \"b\" \\c", ACL_REPLACE, "l", "\"user=a \\\"b\\\" \\\\c\" l\n"},
        {"", "a\"b\\c", ACL_REPLACE, "l", "user=a\"b\\c l\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *a = arena_new(1 << 20);
        struct buf out = BUF_INIT(ACL_BYTES_MAX);
        struct acl_change c = {.op = rows[i].op};
        struct acl acl;
        assert_int_equal(acl_id_parse(str_c(rows[i].id), &c.id), RC_OK);
        assert_int_equal(acl_rights_parse(str_c(rows[i].rights), &c.rights), RC_OK);
        assert_int_equal(acl_parse(str_c(rows[i].before), a, &acl), RC_OK);
        acl_apply(&acl, &c);
        acl_format(&acl, &out);
        assert_string_equal(buf_cstr(&out), rows[i].after);
        buf_deinit(&out);
        arena_free(a);
    }
    (void)state;
}

static void identifiers(void **state)
{
    static const struct {
        const char *text;
        enum acl_kind kind;
        bool negative;
        const char *who;
    } rows[] = {
        {"anyone", ACL_ANYONE, false, ""},     {"-anyone", ACL_ANYONE, true, ""},
        {"owner", ACL_OWNER, false, ""},       {"authenticated", ACL_AUTHENTICATED, false, ""},
        {"anne", ACL_USER, false, "anne"},     {"Anyone", ACL_USER, false, "Anyone"},
        {"--anne", ACL_USER, true, "-anne"},   {"$staff", ACL_GROUP, false, "staff"},
        {"-$staff", ACL_GROUP, true, "staff"}, {"!$staff", ACL_GROUP_OVERRIDE, false, "staff"},
        {"!x", ACL_USER, false, "!x"},         {"user=anne", ACL_USER, false, "user=anne"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct acl_id id;
        struct buf out = BUF_INIT(ACL_ID_MAX);
        assert_int_equal(acl_id_parse(str_c(rows[i].text), &id), RC_OK);
        assert_true(id.kind == rows[i].kind && id.negative == rows[i].negative);
        assert_true(str_eq(id.who, str_c(rows[i].who)));
        acl_id_put(&out, &id);
        assert_string_equal(buf_cstr(&out), rows[i].text);
        buf_deinit(&out);
    }
    /* a line end would make lines of its own in the file */
    static const char *const bad[] = {"",       "-",    "#anne", "-#anne", "anne\nanyone lr",
                                      "anne\r", "a\tb", "a\x7f"};
    struct acl_id id;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(acl_id_parse(str_c(bad[i]), &id), RC_INVALID);
    char longest[ACL_WHO_MAX + 1];
    memset(longest, 'x', sizeof longest);
    assert_int_equal(acl_id_parse(str_mem(longest, ACL_WHO_MAX), &id), RC_OK);
    assert_int_equal(acl_id_parse(str_mem(longest, ACL_WHO_MAX + 1), &id), RC_INVALID);
    (void)state;
}

/* RFC 4314 §2.1.1 */
static void letters(void **state)
{
    static const struct {
        const char *text, *again;
    } rows[] = {{"", ""},         {"lrs", "lrs"}, {"srlsr", "lrs"}, {"c", "kxc"},
                {"d", "ted"},     {"x", "xc"},    {"e", "ed"},      {"lrswipkxtea", "lrswipkxteacd"},
                {"cd", "kxtecd"}, {"alp", "lpa"}, {"w", "w"}};
    unsigned rights = 5;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out = BUF_INIT(32);
        assert_int_equal(acl_rights_parse(str_c(rows[i].text), &rights), RC_OK);
        acl_rights_put(&out, rights);
        assert_string_equal(buf_cstr(&out), rows[i].again);
        buf_deinit(&out);
    }
    rights = 5;
    assert_int_equal(acl_rights_parse(S("lR"), &rights), RC_INVALID);
    assert_int_equal(acl_rights_parse(S("l0"), &rights), RC_INVALID);
    assert_int_equal(acl_rights_parse(S("l\0"), &rights), RC_INVALID);
    assert_int_equal(rights, 5);
    assert_int_equal(acl_rights_parse(S(ACL_LETTERS), &rights), RC_OK);
    assert_int_equal(rights, ACL_ALL_RIGHTS);
    (void)state;
}

/* As a Dovecot decides it: tests/peers/test_dovecot_acl.py asks one. */
static void rights_of(void **state)
{
    static const struct {
        const char *file, *bob;
    } rows[] = {
        {"", ""},
        {"user=bob lrs", "lrs"},
        {"user=bobby lrs\nuser=Bob lr\nuser=bob@x lr", ""},
        {"owner lrswipkxtea\ngroup=staff lr\ngroup-override=staff lr", ""},
        {"anyone lr", "lr"},
        {"authenticated lr\nanyone w", "lr"},
        {"anyone lrwstipekxa\nuser=bob l", "l"},
        {"anyone lr\nuser=bob", ""},
        {"user=bob lrw\n-user=bob w", "lr"},
        {"-user=bob lrswipkxtea", ""},
        {"-anyone r\nuser=bob lrw", "lw"},
        {"-anyone r\n-user=bob w\nuser=bob lrw", "lr"},
        {"-user=anne r\nuser=bob r", "r"},
        {"user=bob l:lookup read write-seen", "lrs"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
        struct acl acl;
        unsigned want;
        assert_int_equal(acl_parse(str_c(rows[i].file), a, &acl), RC_OK);
        assert_int_equal(acl_rights_parse(str_c(rows[i].bob), &want), RC_OK);
        if (acl_rights_of(&acl, S("bob")) != want)
            fail_msg("%s", rows[i].file);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(files),   cmocka_unit_test(refused_files),
                                       cmocka_unit_test(changes), cmocka_unit_test(identifiers),
                                       cmocka_unit_test(letters), cmocka_unit_test(rights_of)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
