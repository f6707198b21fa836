/* What all accounts of a domain have together: the sum, the file with it, who is told. */
#include "account/domain_total.h"

#include "fixture.h"
#include "fmt/maildirsize.h"
#include "os/file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <cmocka.h>

static struct fixture f;
static struct err e;

static int setup(void **state)
{
    e = (struct err){0};
    fixture_open(&f);
    fixture_add(&f, "ann@example.org");
    fixture_add(&f, "bob@example.org");
    return 0;
}

static int teardown(void **state)
{
    char path[128];
    snprintf(path, sizeof path, "%s/totals/example.org", f.dir);
    (void)unlink(path);
    snprintf(path, sizeof path, "%s/totals", f.dir);
    (void)rmdir(path);
    fixture_close(&f);
    return 0;
}

static void set(uint64_t bytes, uint64_t messages)
{
    const struct account_use uses[] = {{S("ann@example.org"), {100, 1}}, {S("bob@example.org"), {200, 2}}};
    assert_int_equal(
        domain_total_set(f.db, S("Example.ORG"), &(struct quota_limits){bytes, messages, false}, uses, 2, &e),
        RC_OK);
}

static void expect_file(int fd, uint64_t limit, int64_t bytes, int64_t messages)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(MAILDIRSIZE_TOTAL_BYTES);
    struct maildirsize m;
    assert_int_equal(fd_read_all(fd, &text), RC_OK);
    assert_int_equal(text.n, MAILDIRSIZE_TOTAL_BYTES);
    assert_int_equal(maildirsize_parse(buf_str(&text), &m), RC_OK);
    assert_true(m.limits.bytes == limit && m.bytes == bytes && m.messages == messages);
}

static void expect(uint64_t bytes, uint64_t messages)
{
    struct domain_total t;
    assert_int_equal(domain_total_find(f.db, S("example.org"), &t, &e), RC_OK);
    assert_true(t.used.bytes == bytes && t.used.messages == messages);
}

static void note(const char *account, uint64_t bytes, uint64_t messages)
{
    const struct account_use u = {str_c(account), {bytes, messages}};
    assert_int_equal(domain_total_note(f.db, &u, 1, NULL, NULL, &e), RC_OK);
}

static void sums(void **state)
{
    struct domain_total t;
    note("ann@example.org", 100, 1); /* no total: not kept */
    assert_int_equal(domain_total_find(f.db, S("example.org"), &t, &e), RC_GONE);
    assert_int_equal(domain_total_of(f.db, S("ann@example.org"), &t, &e), RC_GONE);
    assert_int_equal(domain_total_open(f.db, S("ann@example.org"), &e), -1);
    set(1000, 10);
    expect(300, 3);
    assert_int_equal(domain_total_of(f.db, S("bob@EXAMPLE.org"), &t, &e), RC_OK);
    assert_true(t.limits.bytes == 1000 && t.limits.messages == 10);
    assert_int_equal(domain_total_of(f.db, S("root"), &t, &e), RC_GONE);
    AUTO(fd_closep) int fd = domain_total_open(f.db, S("bob@example.org"), &e);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    expect_file(fd, 1000, 300, 3);
    note("ann@example.org", 150, 2); /* as a whole */
    expect(350, 4);
    note("cat@example.org", 50, 1);
    expect(400, 5);
    expect_file(fd, 1000, 400, 5);
    note("dan@example.net", 9, 9);
    note("root", 9, 9);
    note("cat@example.org", 0, 0);
    expect(350, 4);
    assert_int_equal(account_del(f.db, S("bob@example.org"), &e), RC_OK);
    expect(150, 2);
    expect_file(fd, 1000, 150, 2);
    set(2000, 0); /* counted anew */
    expect_file(fd, 2000, 300, 3);
    set(0, 0);
    expect_file(fd, 0, 0, 0);
    assert_int_equal(domain_total_open(f.db, S("ann@example.org"), &e), -1);
    assert_int_equal(e.rc, RC_OK);
    assert_int_equal(domain_total_find(f.db, S("example.org"), &t, &e), RC_GONE);
    set(0, 0);
}

static void told(void *ctx, str domain, const struct domain_total *before, const struct domain_total *after)
{
    struct buf *out = ctx;
    buf_printf(out, STR_FMT " %llu-%llu of %llu;", STR_ARG(domain), (unsigned long long)before->used.bytes,
               (unsigned long long)after->used.bytes, (unsigned long long)after->limits.bytes);
}

static void each_change_is_told(void **state)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(400);
    const struct account_use v[] = {
        {S("ann@example.org"), {500, 1}}, {S("x@example.net"), {1, 1}}, {S("bob@example.org"), {400, 1}}};
    set(1000, 0);
    assert_int_equal(domain_total_note(f.db, v, 3, told, &out, &e), RC_OK);
    assert_string_equal(buf_cstr(&out), "example.org 300-700 of 1000;example.org 700-900 of 1000;");
}

/* A restored database without the folder. */
static void files_come_back(void **state)
{
    char path[128];
    set(1000, 0);
    snprintf(path, sizeof path, "%s/totals/example.org", f.dir);
    assert_int_equal(unlink(path), 0);
    AUTO(fd_closep) int fd = domain_total_open(f.db, S("ann@example.org"), &e);
    assert_true(fd >= 0);
    expect_file(fd, 1000, 300, 3);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(
        domain_total_note(f.db, &(struct account_use){S("ann@example.org"), {1, 1}}, 1, NULL, NULL, &e),
        RC_TEMP);
    assert_int_equal(rmdir(path), 0);
    expect(300, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(sums, setup, teardown),
                                       cmocka_unit_test_setup_teardown(each_change_is_told, setup, teardown),
                                       cmocka_unit_test_setup_teardown(files_come_back, setup, teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
