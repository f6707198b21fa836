/* The quota of an account: what counts, who is refused, who is warned; crashes, other programs, and many at
 * once. */
#include "store/quota.h"

#include "fixture.h"
#include "fmt/maildirsize.h"
#include "store/delivery.h"

#include <sys/wait.h>

static struct quota_terms terms;
static const str at_80[] = {{"storage=95%:messages=95%", 24}, {"storage=80%:messages=80%", 24}};

static int setup(void **state)
{
    terms = (struct quota_terms){.account = S("demo@malle.test"),
                                 .hostname = S("mail.malle.test"),
                                 .rules = S("*:bytes=1000:messages=10\nTrash:bytes=+500b\nJunk:ignore"),
                                 .grace = S("10%"),
                                 .refusal = S("Quota exceeded"),
                                 .separator = '/'};
    fixture_quota = &terms;
    return fixture_setup(state);
}

static int root_fd(void)
{
    static int fd = -1;
    if (fd >= 0)
        close(fd);
    fd = open(fixture_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static struct quota_use counted(bool anew)
{
    struct quota_use use = {0};
    ok(quota_count(root_fd(), &terms, anew, &use, e));
    return use;
}

/* What the file says, and what the files of the messages come to. */
static void expect_use(uint64_t bytes, uint64_t messages)
{
    struct quota_use kept = counted(false), real = counted(true);
    if (kept.bytes != bytes || kept.messages != messages || real.bytes != bytes || real.messages != messages)
        fail_msg("kept %llu %llu, real %llu %llu", (unsigned long long)kept.bytes,
                 (unsigned long long)kept.messages, (unsigned long long)real.bytes,
                 (unsigned long long)real.messages);
}

static const char *text_of(size_t bytes)
{
    static char text[20000];
    must(bytes < sizeof text);
    memset(text, 'x', bytes);
    text[bytes] = '\0';
    return text;
}

static enum rc append_rc(const char *mailbox, size_t bytes, struct err *why)
{
    struct append *ap = NULL;
    struct append_result r;
    ok(append_begin(fixture_store, str_c(mailbox), &ap, e));
    ok(append_write(ap, str_c(text_of(bytes)), e));
    enum rc rc = append_finish(ap, &(struct append_message){.internal_date = 1000000000}, why);
    if (rc == RC_OK)
        return append_commit(&ap, &r, why);
    append_abort(&ap);
    return rc;
}

/* A delivery as the role makes it: RC_OK, or it was refused and nothing is left. */
static enum rc deliver(size_t bytes, struct err *e)
{
    int dir = open(fixture_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    static uint64_t id;
    const struct delivery_message m = {
        .name = {.now = clock_wall(), .id = (uint64_t)getpid() << 32 | ++id, .host = S("h")},
        .content_fd = -1,
        .content = str_c(text_of(bytes)),
        .content_size = bytes};
    const struct quota_load load = {.mailbox = S("INBOX"), .use = {bytes, 1}, .way = QUOTA_DELIVERED};
    struct quota_taken t = {.fd = -1};
    struct delivery *d = NULL;
    enum rc rc = quota_check(dir, &terms, &load, e);
    if (rc == RC_OK)
        rc = delivery_prepare(dir, &m, &d, e);
    if (rc == RC_OK)
        rc = quota_take(dir, &terms, &load, &t, e);
    if (rc == RC_OK) {
        quota_taken_unlock(&t);
        rc = delivery_commit(d, e);
    }
    delivery_free(&d);
    quota_taken_end(dir, &terms, &t, rc == RC_OK);
    close(dir);
    return rc;
}

static void make_stale(void)
{
    struct timespec t[2] = {{.tv_sec = time(NULL) - QUOTA_STALE_SECONDS - 1},
                            {.tv_sec = time(NULL) - QUOTA_STALE_SECONDS - 1}};
    assert_int_equal(utimensat(AT_FDCWD, fixture_path("maildirsize"), t, 0), 0);
}

/* --- commands --- */

/* RFC 8508 §3.4: what a REPLACE takes is what it adds. */
static void test_replace_takes_the_difference(void **state)
{
    static const struct {
        size_t bytes;
        enum rc want;
    } rows[] = {{950, RC_OK}, {1001, RC_PERM}, {1000, RC_OK}};
    (void)state;
    uid32 uid = append_text(fixture_store, "INBOX", text_of(900));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct box *b = open_box(fixture_store, "INBOX");
        struct append *ap = NULL;
        struct append_result r = {0};
        struct err why = {0};
        ok(append_begin(fixture_store, S("INBOX"), &ap, e));
        ok(append_replace(ap, b, uid, e));
        assert_int_equal(append_room(ap, rows[i].bytes, &why), rows[i].want);
        ok(append_write(ap, str_c(text_of(rows[i].bytes)), e));
        enum rc rc = append_finish(ap, &(struct append_message){0}, &why);
        assert_int_equal(rc, rows[i].want);
        if (rc == RC_OK) {
            ok(append_commit(&ap, &r, e));
            uid = r.first;
            expect_use(rows[i].bytes, 1);
        }
        append_abort(&ap);
        box_close(b);
    }
    expect_use(1000, 1);
}

/* RFC 3502: several that each would fit, and together do not. */
static void test_several_count_together(void **state)
{
    struct append *ap = NULL;
    struct err why = {0};
    (void)state;
    ok(append_begin(fixture_store, S("INBOX"), &ap, e));
    ok(append_write(ap, str_c(text_of(600)), e));
    ok(append_finish(ap, &(struct append_message){0}, e));
    ok(append_room(ap, 400, e));
    assert_int_equal(append_room(ap, 401, &why), RC_PERM);
    ok(append_write(ap, str_c(text_of(401)), e));
    assert_int_equal(append_finish(ap, &(struct append_message){0}, &why), RC_PERM);
    append_abort(&ap);
    expect_use(0, 0);
}

static void test_commands_count(void **state)
{
    append_text(fixture_store, "INBOX", "12345\r\n"); /* 6 bytes: line ends are LF */
    append_text(fixture_store, "INBOX", text_of(100));
    expect_use(106, 2);
    assert_true(str_starts(str_c(get_file("maildirsize")), S("1000S,10C\n")));
    ok(store_create(fixture_store, S("Sent"), USE_NONE, e));
    ok(store_create(fixture_store, S("Junk"), USE_NONE, e));
    struct box *b = open_box(fixture_store, "INBOX");
    struct uidset all = set_of("1:2"), second = set_of("2");
    struct box_copied copied = {0};
    ok(box_copy(b, &all, S("Sent"), false, &copied, e));
    expect_use(212, 4);
    uidset_deinit(&copied.from), uidset_deinit(&copied.to);
    ok(box_copy(b, &second, S("Sent"), true, &copied, e)); /* MOVE */
    expect_use(212, 4);
    uidset_deinit(&copied.from), uidset_deinit(&copied.to);
    ok(box_expunge(b, NULL, true, e));
    expect_use(206, 3);
    box_close(b);
    b = open_box(fixture_store, "Sent");
    ok(box_copy(b, &second, S("Junk"), true, &copied, e)); /* where nothing counts */
    expect_use(106, 2);
    uidset_deinit(&copied.from), uidset_deinit(&copied.to);
    box_close(b);
    b = open_box(fixture_store, "Junk");
    ok(box_expunge(b, NULL, true, e));
    expect_use(106, 2);
    box_close(b);
    ok(store_delete(fixture_store, S("Sent"), e));
    expect_use(0, 0);
    uidset_deinit(&all), uidset_deinit(&second);
}

static void test_commands_refused(void **state)
{
    struct err why = {0};
    struct box_copied copied = {0};
    ok(store_create(fixture_store, S("Trash"), USE_NONE, e));
    ok(store_create(fixture_store, S("Junk"), USE_NONE, e));
    append_text(fixture_store, "INBOX", text_of(900));
    assert_int_equal(append_rc("INBOX", 101, &why), RC_PERM); /* no grace for the user */
    assert_string_equal(why.enhanced, "5.2.2");
    assert_string_equal(why.peer, "Quota exceeded");
    assert_int_equal(append_rc("Trash", 101, &why), RC_OK); /* +500 */
    assert_int_equal(append_rc("Junk", 5000, &why), RC_OK);
    expect_use(1001, 2);
    struct box *b = open_box(fixture_store, "INBOX");
    struct uidset one = set_of("1");
    assert_int_equal(box_copy(b, &one, S("Trash"), false, &copied, &why), RC_PERM);
    ok(box_copy(b, &one, S("Trash"), true, &copied, e)); /* what counts already may move */
    expect_use(1001, 2);
    uidset_deinit(&copied.from), uidset_deinit(&copied.to);
    box_close(b);
    b = open_box(fixture_store, "Junk");
    assert_int_equal(box_copy(b, &one, S("INBOX"), true, &copied, &why),
                     RC_PERM); /* from where nothing counts */
    box_close(b);
    assert_int_equal(count_files("cur") + count_files("new"), 0);
    assert_int_equal(count_files("tmp"), 0);
    expect_use(1001, 2);
    terms.tempfail = true;
    assert_int_equal(append_rc("INBOX", 1, &why), RC_LIMIT);
    assert_string_equal(why.enhanced, "4.2.2");
    terms.mail_max = 50;
    assert_int_equal(append_rc("Junk", 51, &why), RC_PERM);
    assert_string_equal(why.enhanced, "5.2.3");
    uidset_deinit(&one);
}

static void test_messages_are_limited(void **state)
{
    struct err why = {0};
    for (int i = 0; i < 10; i++)
        assert_int_equal(deliver(1, &why), RC_OK);
    assert_int_equal(deliver(1, &why), RC_PERM);
    expect_use(10, 10);
}

/* --- deliveries --- */

static void test_grace(void **state)
{
    struct err why = {0};
    assert_int_equal(deliver(999, &why), RC_OK);
    assert_int_equal(deliver(102, &why), RC_PERM); /* 1001 + 100 */
    assert_int_equal(deliver(101, &why), RC_OK);
    assert_int_equal(deliver(1, &why), RC_PERM); /* over the limit now */
    assert_string_equal(why.enhanced, "5.2.2");
    assert_int_equal(why.code, 552);
    expect_use(1100, 2);
    assert_int_equal(count_files("tmp"), 0);
    terms.tempfail = true;
    assert_int_equal(deliver(1, &why), RC_LIMIT);
    assert_int_equal(why.code, 452);
    assert_int_equal(deliver(1200, &why), RC_PERM); /* it would never fit */
}

static void test_prepared_counts(void **state)
{
    struct err why = {0};
    put_file("tmp/1.M1R1N1.h,S=700,W=700", text_of(700)); /* prepared, its process died */
    put_file("tmp/1.M1P1.h", text_of(900));               /* another program's, not complete */
    assert_int_equal(deliver(301, &why), RC_OK);          /* 1001, by grace */
    assert_int_equal(deliver(1, &why), RC_PERM);
    assert_int_equal(
        rename(fixture_path("tmp/1.M1R1N1.h,S=700,W=700"), fixture_path("new/1.M1R1N1.h,S=700,W=700")), 0);
    expect_use(1001, 2);
}

/* --- what the domain has together --- */

static struct quota_use told;
static unsigned n_told;

static void tell(void *ctx, const struct quota_terms *q, const struct quota_use *use)
{
    assert_ptr_equal(ctx, &told);
    told = *use;
    n_told++;
}

static void expect_told(uint64_t bytes, uint64_t messages)
{
    assert_true(n_told > 0 && told.bytes == bytes && told.messages == messages);
    n_told = 0;
}

/* As auth writes over it while it is open here. */
static void write_total(int fd, uint64_t limit, uint64_t messages, int64_t bytes)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(MAILDIRSIZE_TOTAL_BYTES);
    maildirsize_put_total(&text, &(struct quota_limits){limit, messages, false}, bytes, 3);
    assert_int_equal(pwrite(fd, text.p, text.n, 0), (ssize_t)text.n);
}

static void test_of_the_domain(void **state)
{
    struct err why = {0};
    int fd = open(fixture_path("total"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    terms.rules = S("Junk:ignore"); /* the account alone has no limit */
    terms.domain_total = &fd;
    terms.tell = tell;
    terms.tell_ctx = &told;
    assert_int_equal(deliver(50, &why), RC_OK); /* nothing can be read */
    expect_told(50, 1);
    assert_string_equal(get_file("maildirsize"), "\n0 0\n50 1\n");
    write_total(fd, 1000, 0, 400);
    assert_int_equal(deliver(601, &why), RC_PERM); /* no grace */
    assert_int_equal(why.code, 552);
    assert_string_equal(why.enhanced, "5.2.2");
    assert_non_null(strstr(why.log, "the domain of demo@malle.test is over quota: 400 bytes, 3 messages"));
    assert_int_equal(append_rc("INBOX", 601, &why), RC_PERM);
    ok(store_create(fixture_store, S("Junk"), USE_NONE, e));
    assert_int_equal(append_rc("Junk", 601, &why), RC_OK);
    n_told = 0;
    assert_int_equal(append_rc("INBOX", 600, &why), RC_OK);
    expect_told(650, 2);
    struct box *b = open_box(fixture_store, "Junk");
    struct uidset one = set_of("1");
    struct box_copied copied = {0};
    write_total(fd, 1000, 0, 400);
    assert_int_equal(box_copy(b, &one, S("INBOX"), false, &copied, &why), RC_PERM);
    assert_int_equal(box_copy(b, &one, S("INBOX"), true, &copied, &why), RC_PERM);
    box_close(b);
    write_total(fd, 1000, 3, 1);
    assert_int_equal(deliver(1, &why), RC_PERM); /* three messages */
    terms.tempfail = true;
    assert_int_equal(deliver(1, &why), RC_LIMIT);
    write_total(fd, 0, 0, 0); /* withdrawn */
    assert_int_equal(deliver(1, &why), RC_OK);
    expect_told(651, 3);
    b = open_box(fixture_store, "INBOX");
    ok(box_copy(b, &one, S("Junk"), true, &copied, e));
    uidset_deinit(&copied.from), uidset_deinit(&copied.to);
    box_close(b);
    expect_told(told.bytes, 2);
    ok(store_create(fixture_store, S("Old"), USE_NONE, e));
    append_text(fixture_store, "Old", text_of(70));
    n_told = 0;
    uint64_t before = told.bytes;
    ok(store_delete(fixture_store, S("Old"), e)); /* as a whole, and counted at once */
    expect_told(before - 70, 2);
    uidset_deinit(&one);
    close(fd);
}

/* --- other programs --- */

static void test_foreign_removal_makes_room(void **state)
{
    struct err why = {0};
    assert_int_equal(deliver(1000, &why), RC_OK);
    char name[400];
    snprintf(name, sizeof name, "new/%s", find_file("new", "R"));
    assert_int_equal(unlink(fixture_path(name)), 0); /* by mutt */
    assert_int_equal(deliver(200, &why), RC_PERM);   /* the count is too fresh to be doubted */
    make_stale();
    assert_int_equal(deliver(200, &why), RC_OK);
    expect_use(200, 1);
}

static void test_without_file_or_with_another(void **state)
{
    struct err why = {0};
    put_file("new/1.a", text_of(300)); /* no S= */
    put_file("cur/2.b,S=50:2,S", text_of(50));
    expect_use(350, 2);
    put_file("maildirsize", "5000S\n10 1\n"); /* of other limits: counted anew */
    expect_use(350, 2);
    put_file("maildirsize", "garbage");
    expect_use(350, 2);
    put_file("maildirsize", "1000S,10C\n-5 -1\n");
    expect_use(350, 2);
    put_file("maildirsize", "1000S,10C\n350 2\n5");
    expect_use(350, 2);
    put_file("maildirsize", "1000S,10C\n90 2\n"); /* believed */
    assert_int_equal(counted(false).bytes, 90);
    assert_int_equal(deliver(400, &why), RC_OK);
    assert_string_equal(get_file("maildirsize"), "1000S,10C\n90 2\n400 1\n");
    char long_one[MAILDIRSIZE_BYTES_MAX + 200] = "1000S,10C\n";
    for (size_t n = strlen(long_one); n <= MAILDIRSIZE_BYTES_MAX; n += 4)
        memcpy(long_one + n, "0 0\n", 4);
    put_file("maildirsize", long_one);
    expect_use(750, 3);
    assert_true(strlen(get_file("maildirsize")) < 100);
}

static void test_unlimited(void **state)
{
    struct err why = {0};
    terms.rules = S("Trash:bytes=+5");
    assert_int_equal(deliver(5000, &why), RC_OK);
    assert_string_equal(get_file("maildirsize"), ""); /* nobody counts */
    put_file("maildirsize", "1000S\n5000 1\n");       /* another program does: it goes on */
    assert_int_equal(deliver(70, &why), RC_OK);
    assert_string_equal(get_file("maildirsize"), "1000S\n5000 1\n70 1\n");
    append_text(fixture_store, "INBOX", text_of(3));
    assert_string_equal(get_file("maildirsize"), "1000S\n5000 1\n70 1\n3 1\n");
    expect_use(5073, 3);
}

static void test_odd_maildirsize(void **state)
{
    struct err why = {0};
    assert_int_equal(mkdir(fixture_path("maildirsize"), 0700), 0);
    assert_int_equal(deliver(500, &why), RC_OK); /* counted each time */
    assert_int_equal(deliver(700, &why), RC_PERM);
    assert_int_equal(rmdir(fixture_path("maildirsize")), 0);
    assert_int_equal(symlink("/etc/passwd", fixture_path("maildirsize")), 0);
    assert_int_equal(deliver(700, &why), RC_PERM);
    assert_int_equal(deliver(7, &why), RC_OK);
    expect_use(507, 2);
}

/* --- warnings --- */

static int warnings_in_inbox(void)
{
    int n = 0;
    DIR *d = opendir(fixture_path("new"));
    for (struct dirent *x; d && (x = readdir(d));) {
        char name[400];
        snprintf(name, sizeof name, "new/%s", x->d_name);
        n += x->d_name[0] != '.' && strstr(get_file(name), "\nSubject: Your mailbox is ") &&
             strstr(get_file(name), "\nAuto-Submitted: auto-generated\n");
    }
    if (d)
        closedir(d);
    return n;
}

static void test_warnings(void **state)
{
    struct err why = {0};
    terms.rules = S("*:bytes=100000:messages=1000");
    terms.warnings = at_80;
    terms.n_warnings = 2;
    for (int i = 0; i < 7; i++)
        assert_int_equal(deliver(10000, &why), RC_OK);
    assert_int_equal(warnings_in_inbox(), 0);
    assert_int_equal(deliver(10000, &why), RC_OK); /* 80 % */
    assert_int_equal(warnings_in_inbox(), 1);
    assert_int_equal(deliver(9000, &why), RC_OK);
    assert_int_equal(warnings_in_inbox(), 1); /* once */
    append_text(fixture_store, "INBOX", text_of(8000));
    assert_int_equal(warnings_in_inbox(), 2); /* 95 % */
    assert_int_equal(counted(false).messages, 12);
    assert_int_equal(counted(true).messages, 12); /* they count, too */
    struct box *b = open_box(fixture_store, "INBOX");
    ok(box_expunge(b, NULL, true, e));
    box_close(b);
    expect_use(0, 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(deliver(19900, &why), RC_OK);
    assert_int_equal(warnings_in_inbox(), 1); /* from below to 95 %: that one alone */
}

/* --- many at once --- */

enum { PROCESSES = 4, EACH = 40 };

static void in_processes(void (*work)(int process))
{
    for (int i = 0; i < PROCESSES; i++) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            work(i);
            _exit(0);
        }
    }
    for (int i = 0, status; i < PROCESSES; i++)
        assert_true(wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void deliver_many(int process)
{
    struct err why;
    for (int i = 0; i < EACH; i++)
        if (deliver(100, &why) == RC_TEMP)
            _exit(1);
}

/* Two have asked, and there is room for one. */
static void test_last_room(void **state)
{
    struct err why = {0};
    struct quota_taken first, second;
    int dir = root_fd();
    const struct quota_load load = {.mailbox = S("INBOX"), .use = {900, 1}, .way = QUOTA_DELIVERED};
    assert_int_equal(quota_check(dir, &terms, &load, &why), RC_OK);
    assert_int_equal(quota_check(dir, &terms, &load, &why), RC_OK);
    assert_int_equal(quota_take(dir, &terms, &load, &first, &why), RC_OK);
    assert_int_equal(quota_take(dir, &terms, &load, &second, &why), RC_PERM);
    assert_false(second.counted);
    assert_string_equal(get_file("maildirsize"), "1000S,10C\n0 0\n900 1\n900 1\n-900 -1\n");
    quota_taken_end(dir, &terms, &second, true); /* nothing to end */
    quota_taken_end(dir, &terms, &first, false); /* it could not be delivered after all */
    assert_int_equal(counted(false).messages, 0);
}

/* As many as fit are taken, to the byte, and one warning is told for each threshold. */
static void test_race_to_the_limit(void **state)
{
    terms.rules = S("*:bytes=10000");
    terms.grace = S("0");
    in_processes(deliver_many);
    expect_use(10000, 100);
    terms.rules = S("*:bytes=100000");
    terms.warnings = at_80;
    terms.n_warnings = 2;
    for (int round = 0; round < 6; round++)
        in_processes(deliver_many);
    assert_int_equal(warnings_in_inbox(), 2);
}

/* Three deliver while one counts anew all the time: nothing gets lost on the way. */
static void deliver_or_count(int process)
{
    struct err why = {0};
    struct quota_use use;
    int dir = open(fixture_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < EACH; i++) {
        if (process == 0 && quota_count(dir, &terms, true, &use, &why) != RC_OK)
            _exit(1);
        if (process > 0 && deliver(100, &why) != RC_OK)
            _exit(2);
    }
}

static void test_counting_anew_meanwhile(void **state)
{
    terms.rules = S("*:bytes=1000000");
    in_processes(deliver_or_count);
    struct quota_use kept = counted(false);
    assert_true(kept.bytes >= 100 * EACH * (PROCESSES - 1)); /* never too low */
    assert_true(kept.bytes <= 100 * EACH * (PROCESSES - 1) + 300);
    struct quota_use real = counted(true);
    assert_int_equal(real.bytes, 100 * EACH * (PROCESSES - 1));
}

int main(void)
{
#define with_terms(f) cmocka_unit_test_setup_teardown(f, setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        with_terms(test_commands_count),
        with_terms(test_commands_refused),
        with_terms(test_replace_takes_the_difference),
        with_terms(test_several_count_together),
        with_terms(test_messages_are_limited),
        with_terms(test_grace),
        with_terms(test_prepared_counts),
        with_terms(test_foreign_removal_makes_room),
        with_terms(test_without_file_or_with_another),
        with_terms(test_unlimited),
        with_terms(test_odd_maildirsize),
        with_terms(test_of_the_domain),
        with_terms(test_warnings),
        with_terms(test_last_room),
        with_terms(test_race_to_the_limit),
        with_terms(test_counting_anew_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
