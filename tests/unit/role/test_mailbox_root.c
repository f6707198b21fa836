/* The folder of a uid's mail: it has its owner and mode before it has its name, and what is there is not
 * touched. */
#include "base/log.h"
#include "role/mail_root.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char top[64];
static int log_file = -1;

static int setup(void **state)
{
    snprintf(top, sizeof top, "/tmp/malle-root-XXXXXX");
    log_file = memfd_create("log", MFD_CLOEXEC);
    log_init("malle/mailbox", "test", log_file, LOG_TEXT, LOG_LEVEL_INFO);
    return mkdtemp(top) ? 0 : -1;
}

static int teardown(void **state)
{
    close(log_file);
    return rmdir(top);
}

/* As mailbox asks for an account of the database; location is below top. */
static enum rc ask(const char *location, uid_t uid, struct buf *ret, struct err *e)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(1000);
    struct conf_report report = {0};
    buf_printf(&text, "hostname = mail.example.org\nmail_location = maildir:%s/%s\n", top, location);
    struct conf *c = conf_parse(buf_str(&text), "test", &report);
    assert_non_null(c);
    conf_report_deinit(&report);
    struct account_identity id = {.account = "a@example.org", .uid = uid, .gid = getegid()};
    buf_reset(ret);
    enum rc rc = mail_root_make(c, &id, ret, e);
    conf_free(c);
    return rc;
}

static void named_last(void **state)
{
    struct err e;
    struct stat st;
    AUTO(buf_deinit) struct buf path = BUF_INIT(1000);
    uid_t uid = geteuid() == 0 ? 54321 : geteuid();
    char parent[100], events[4096] __attribute__((aligned(8)));
    snprintf(parent, sizeof parent, "%s/a", top);
    assert_int_equal(mkdir(parent, 0755), 0);
    int in = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    assert_true(inotify_add_watch(in, parent, IN_CREATE | IN_MOVED_TO) >= 0);
    assert_int_equal(ask("a/mail/%d/%n", uid, &path, &e), RC_OK);
    assert_int_equal(stat(buf_cstr(&path), &st), 0);
    assert_true(st.st_uid == uid && (st.st_mode & 07777) == 0700);
    ssize_t n = read(in, events, sizeof events);
    const struct inotify_event *first = (const void *)events;
    assert_true(n > (ssize_t)sizeof *first);
    assert_true(strncmp(first->name, "mail.malle-", 11) ==
                0); /* only moved to its name, never created there */
    const struct inotify_event *second = (const void *)(events + sizeof *first + first->len);
    assert_string_equal(second->name, "mail");
    assert_true(second->mask & IN_MOVED_TO);
    close(in);
    assert_int_equal(ask("a/mail/%d/%n", uid, &path, &e), RC_OK);
    assert_int_equal(rmdir(buf_cstr(&path)), 0);
    assert_int_equal(rmdir(parent), 0);
}

static void parents_are_made(void **state)
{
    struct err e;
    struct stat st;
    AUTO(buf_deinit) struct buf path = BUF_INIT(1000);
    char name[100];
    assert_int_equal(ask("b/c/mail/", geteuid(), &path, &e), RC_OK);
    assert_int_equal(stat(buf_cstr(&path), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(rmdir(buf_cstr(&path)), 0);
    snprintf(name, sizeof name, "%s/b/c", top);
    assert_int_equal(stat(name, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
    assert_int_equal(rmdir(name), 0);
    snprintf(name, sizeof name, "%s/b", top);
    assert_int_equal(rmdir(name), 0);
}

static void anothers_root_is_said_once(void **state)
{
    struct err e;
    struct stat before, after;
    char text[2000];
    AUTO(buf_deinit) struct buf path = BUF_INIT(1000);
    assert_int_equal(stat(top, &before), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(ask("%d/%n", geteuid() + 1, &path, &e), RC_OK);
    assert_string_equal(buf_cstr(&path), top);
    assert_int_equal(stat(top, &after), 0);
    assert_true(before.st_uid == after.st_uid && before.st_mode == after.st_mode);
    ssize_t n = pread(log_file, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    const char *said = strstr(text, "belongs to uid");
    assert_non_null(said);
    assert_null(strstr(said + 1, "belongs to uid"));
}

static void not_a_folder(void **state)
{
    struct err e;
    char name[100];
    AUTO(buf_deinit) struct buf path = BUF_INIT(1000);
    snprintf(name, sizeof name, "%s/file", top);
    assert_int_equal(symlink("/dev/null", name), 0);
    assert_int_equal(ask("file/%n", geteuid(), &path, &e), RC_TEMP);
    assert_int_equal(unlink(name), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    umask(022);
    const struct CMUnitTest tests[] = {TEST(named_last), TEST(parents_are_made),
                                       TEST(anothers_root_is_said_once), TEST(not_a_folder)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
