/* account/identity: homes as passwd has them, and ids that nobody may become. */
#include "account/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void homes(void **state)
{
    static const struct {
        const char *passwd, *home; /* NULL: refused */
    } rows[] = {
        {"/home/alice", "/home/alice"},
        {"/home/alice/", "/home/alice"},
        {"/home/x/./y", "/home/x/y"},
        {"/./home//x/.", "/home/x"},
        {"/home/.x", "/home/.x"},
        {"/", "/"},
        {"/.", "/"},
        {"", NULL},
        {".", NULL},
        {"home/alice", NULL},
        {"./home/alice", NULL},
        {"/home/../etc", NULL},
        {"/home/..", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct account_identity id = {.account = "alice", .home = "untouched"};
        struct err e = {0};
        enum rc rc = identity_set_home(&id, str_c(rows[i].passwd), &e);
        assert_int_equal(rc, rows[i].home ? RC_OK : RC_PERM);
        assert_string_equal(id.home, rows[i].home ? rows[i].home : "untouched");
        if (rc != RC_OK)
            assert_non_null(strstr(e.log, "alice"));
    }
    struct account_identity id = {.account = "alice"};
    char long_path[IDENTITY_PATH_MAX + 2];
    memset(long_path, 'x', sizeof long_path);
    long_path[0] = '/';
    assert_int_equal(identity_set_home(&id, str_mem(long_path, IDENTITY_PATH_MAX), NULL), RC_OK);
    assert_int_equal(identity_set_home(&id, str_mem(long_path, IDENTITY_PATH_MAX + 1), NULL), RC_PERM);
}

static enum rc round_trip(const struct account_identity *id)
{
    AUTO(buf_deinit) struct buf bytes = BUF_INIT(IDENTITY_BYTES_MAX);
    struct account_identity back;
    identity_put(&bytes, id);
    enum rc rc = identity_get(buf_str(&bytes), &back);
    if (rc == RC_OK)
        assert_true(back.uid == id->uid && back.gid == id->gid && back.n_groups == id->n_groups);
    return rc;
}

static void ids(void **state)
{
    static const struct {
        uid_t uid;
        gid_t gid, group;
        enum rc rc;
    } rows[] = {
        {1000, 1000, 8, RC_OK},           {0, 0, 8, RC_OK}, /* root is refused by whoever would become it */
        {(uid_t)-1, 1000, 8, RC_INVALID}, {1000, (gid_t)-1, 8, RC_INVALID},
        {1000, 1000, 0, RC_INVALID},      {1000, 1000, (gid_t)-1, RC_INVALID},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct account_identity id = {.account = "a",
                                      .uid = rows[i].uid,
                                      .gid = rows[i].gid,
                                      .groups = {4, rows[i].group},
                                      .n_groups = 2,
                                      .home = "/home/a",
                                      .mail_dir = "/home/a/Maildir",
                                      .index_dir = "/home/a/Maildir"};
        assert_int_equal(round_trip(&id), rows[i].rc);
    }
}

static void paths(void **state)
{
    static const char *const bad[] = {"", "home", "/a/../b", "/a/.", "/.."};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct account_identity id = {.account = "a", .home = "/h", .mail_dir = "/h/m", .index_dir = "/h/m"};
        assert_int_equal(round_trip(&id), RC_OK);
        must(str_copy(id.home, sizeof id.home, str_c(bad[i])) == RC_OK);
        assert_int_equal(round_trip(&id), RC_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(homes), cmocka_unit_test(ids),
                                       cmocka_unit_test(paths)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
