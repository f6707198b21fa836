/* The two steps of a delivery, and what it refuses to write into. */
#include "fixture.h"
#include "fmt/maildir_name.h"
#include "store/delivery.h"

#include <sys/mman.h>

static int setup(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    snprintf(fixture_root, sizeof fixture_root, "%s/malle-delivery-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(fixture_root));
    return 0;
}

static int content(const char *text)
{
    int fd = memfd_create("content", MFD_CLOEXEC);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    return fd;
}

static int open_maildir(const char *path)
{
    int home = open(fixture_root, O_RDONLY | O_DIRECTORY), fd = -1;
    ok(delivery_open_maildir(home, str_c(path), true, &fd, e));
    close(home);
    return fd;
}

static struct delivery_message sample(int fd, const str *head, size_t n_head)
{
    return (struct delivery_message){
        .name = {.now = 1700000000000001, .id = 0x1234, .number = 1, .host = S("h")},
        .head = head,
        .n_head = n_head,
        .content_fd = fd,
        .content_size = 9,
        .content_lines = 2};
}

static void test_commit(void **state)
{
    (void)state;
    int root = open_maildir("Maildir"), fd = content("one\ntwo\nx");
    str head[] = {S("Return-Path: <a@b>\n"), S("Delivered-To: c@d\n")};
    struct delivery_message m = sample(fd, head, 2);
    struct delivery *d = NULL;
    ok(delivery_prepare(root, &m, &d, e));
    assert_int_equal(count_files("Maildir/new"), 0);
    assert_int_equal(count_files("Maildir/tmp"), 1);
    ok(delivery_commit(d, e));
    delivery_free(&d);
    assert_null(d);
    assert_int_equal(count_files("Maildir/tmp"), 0);
    assert_string_equal(find_file("Maildir/new", ""), "1700000000.M000001R0000000000001234N1.h,S=46,W=50");
    assert_string_equal(get_file("Maildir/new/1700000000.M000001R0000000000001234N1.h,S=46,W=50"),
                        "Return-Path: <a@b>\nDelivered-To: c@d\none\ntwo\nx");
    struct stat st;
    assert_int_equal(stat(fixture_path("Maildir/new/1700000000.M000001R0000000000001234N1.h,S=46,W=50"), &st),
                     0);
    assert_int_equal(st.st_mode & 07777, 0600);
    ok(delivery_prepare(root, &m, &d, e));
    refused(RC_TEMP, delivery_commit(d, e)); /* the name is taken */
    delivery_undo(d);                        /* which is not ours to take back */
    delivery_free(&d);
    assert_int_equal(count_files("Maildir/new"), 1);
    assert_int_equal(count_files("Maildir/tmp"), 0);
    close(fd);
    close(root);
}

static void test_abort_and_short_content(void **state)
{
    (void)state;
    int root = open_maildir("a/b/c"), fd = content("one");
    struct delivery_message m = sample(fd, NULL, 0);
    struct delivery *d = NULL;
    refused(RC_TEMP, delivery_prepare(root, &m, &d, e)); /* fewer bytes than announced */
    assert_int_equal(count_files("a/b/c/tmp"), 0);
    m.content_size = 3;
    ok(delivery_prepare(root, &m, &d, e));
    delivery_free(&d);
    delivery_free(&d);
    assert_int_equal(count_files("a/b/c/tmp") + count_files("a/b/c/new"), 0);
    ok(delivery_prepare(root, &m, &d, e));
    ok(delivery_commit(d, e));
    assert_int_equal(count_files("a/b/c/new"), 1);
    delivery_undo(d);
    delivery_free(&d);
    assert_int_equal(count_files("a/b/c/tmp") + count_files("a/b/c/new"), 0);
    close(fd);
    close(root);
}

static void test_large(void **state)
{
    (void)state;
    enum { SIZE = 300000 };
    static char text[SIZE + 1];
    memset(text, 'x', SIZE);
    text[SIZE - 1] = '\n';
    int root = open_maildir("Maildir"), fd = content(text);
    struct delivery_message m = sample(fd, NULL, 0);
    struct stat st;
    m.content_size = SIZE;
    m.content_lines = 1;
    ok(delivery_write(root, &m, e));
    char path[400];
    snprintf(path, sizeof path, "Maildir/new/%s", find_file("Maildir/new", ",S=300000,W=300001"));
    assert_int_equal(stat(fixture_path(path), &st), 0);
    assert_int_equal(st.st_size, SIZE);
    close(fd);
    close(root);
}

static void test_refused_places(void **state)
{
    (void)state;
    int home = open(fixture_root, O_RDONLY | O_DIRECTORY), fd = -1;
    refused(RC_GONE, delivery_open_maildir(home, S("Maildir"), false, &fd, e));
    refused(RC_TEMP, delivery_open_maildir(home, S("../x"), true, &fd, e));
    assert_int_equal(symlink("/tmp", fixture_path("link")), 0);
    refused(RC_TEMP, delivery_open_maildir(home, S("link"), true, &fd, e));
    refused(RC_TEMP, delivery_open_maildir(home, S("link/Maildir"), true, &fd, e));
    put_file("plain", "x");
    refused(RC_TEMP, delivery_open_maildir(home, S("plain"), true, &fd, e));
    mkdir(fixture_path("M"), 0700);
    assert_int_equal(symlink("/tmp", fixture_path("M/new")), 0);
    refused(RC_TEMP, delivery_open_maildir(home, S("M"), true, &fd, e));
    if (geteuid() == 0) {
        mkdir(fixture_path("other"), 0700);
        assert_int_equal(chown(fixture_path("other"), 65534, 65534), 0);
        refused(RC_TEMP, delivery_open_maildir(home, S("other"), true, &fd, e));
    }
    assert_int_equal(fd, -1);
    ok(delivery_open_maildir(AT_FDCWD, str_c(fixture_path("abs/Maildir")), true, &fd, e));
    assert_true(fd >= 0);
    close(fd);
    close(home);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_commit),
        TEST(test_abort_and_short_content),
        TEST(test_large),
        TEST(test_refused_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
