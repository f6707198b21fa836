/* queue/admin: an administrator's changes beside a running queue, which notices them by itself; reasons in
 * words; and recipients that are routed anew. */
#include "queue/admin_impl.h"

#include "queue/spool.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

enum { NOTICE_MS = 5000 }; /* the queue looks once a second */

static char folder[64], path[100];
static int folder_fd;
static struct spool *spool;
static struct queue *queue;
static struct queue_admin *admin;
static struct conf *conf, *old_conf;
static struct arena *arena;

static struct conf *make_conf(const char *text)
{
    struct conf_report report = {0};
    char all[1000];
    snprintf(all, sizeof all, "hostname = mail.example.org\n%s", text);
    struct conf *c = conf_parse(str_c(all), "test", &report);
    assert_non_null(c);
    conf_report_deinit(&report);
    return c;
}

static void open_all(void)
{
    struct err e = {0};
    spool = spool_open(open(folder, O_RDONLY | O_DIRECTORY));
    if (queue_open(path, spool, conf, NULL, &queue, &e) != RC_OK)
        fail_msg("%s", err_text(&e));
}

static void close_all(void)
{
    queue = queue_close(queue);
    spool = spool_close(spool);
}

static int begin(void **state)
{
    struct err e = {0};
    snprintf(folder, sizeof folder, "/tmp/malle-admin-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/queue.db", folder);
    folder_fd = open(folder, O_RDONLY | O_DIRECTORY);
    arena = arena_new(80 << 20);
    conf = make_conf("");
    old_conf = NULL;
    open_all();
    assert_int_equal(queue_admin_open(path, folder_fd, conf, &admin, &e), RC_OK);
    return 0;
}

static int end(void **state)
{
    char command[200];
    admin = queue_admin_close(admin);
    close_all();
    arena = arena_free(arena);
    conf = conf_free(conf);
    old_conf = conf_free(old_conf);
    close(folder_fd);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

/* --- short forms --- */

static void put_with(const char *id, const char *sender, const char *const *to, size_t n, int fd)
{
    struct queue_rcpt rcpts[4] = {0};
    struct err e = {0};
    str content = fd >= 0 ? STR_NONE : S("Subject: test\n\nbody\n");
    for (size_t i = 0; i < n; i++)
        rcpts[i].address = str_c(to[i]);
    struct queue_envelope v = {.id = str_c(id),
                               .sender = str_c(sender),
                               .client = S("unknown[192.0.2.1]"),
                               .arrived = clock_wall() / 1000,
                               .size = 20,
                               .lines = 3,
                               .trace = S("Received: by test\n"),
                               .rcpts = rcpts,
                               .n = n};
    assert_int_equal(queue_put(queue, &v, content, fd, &e), RC_OK);
}

static void put(const char *id, const char *sender, const char *to)
{
    put_with(id, sender, &to, 1, -1);
}

static bool take(enum queue_kind kind, msec wait, struct queue_job *ret)
{
    arena_reset(arena);
    return queue_take(queue, kind, 0, clock_mono() + wait, arena, ret) == RC_OK;
}

static void report(const struct queue_job *job, enum queue_result result, bool site_failed)
{
    struct queue_outcome o = {.rcpt = job->envelope.rcpts[0].n,
                              .result = result,
                              .code = site_failed ? 0 : 450,
                              .status = S("4.2.1"),
                              .reply = site_failed
                                           ? S("connect to mx[192.0.2.9]:25: Connection refused")
                                           : S("host mx.example.net[192.0.2.9]:25 said: 450 4.2.1 mailbox "
                                               "busy (in reply to RCPT TO command)"),
                              .remote = S("mx.example.net[192.0.2.9]:25")};
    struct queue_report r = {
        .number = job->number, .id = job->envelope.id, .outcomes = &o, .n = 1, .site_failed = site_failed};
    assert_int_equal(job->envelope.n, 1);
    assert_int_equal(queue_report(queue, &r), RC_OK);
    assert_int_equal(queue_flush(queue), RC_OK);
}

static size_t change_where(enum queue_change what, struct queue_filter f)
{
    struct err e = {0};
    size_t n = 99;
    if (queue_admin_change(admin, &f, what, &n, &e) != RC_OK)
        fail_msg("%s", err_text(&e));
    return n;
}

static size_t change(enum queue_change what)
{
    return change_where(what, (struct queue_filter){0});
}

struct list {
    size_t n;
    char text[2000];
    enum queue_status status;
    int64_t next;
};

static void add_line(void *ctx, const struct queue_item *item)
{
    struct list *l = ctx;
    AUTO(buf_deinit) struct buf reason = BUF_INIT(1000);
    queue_reason_put(&reason, item, clock_wall() / 1000);
    size_t at = strlen(l->text);
    snprintf(l->text + at, sizeof l->text - at, STR_FMT " " STR_FMT ": %s\n", STR_ARG(item->id),
             STR_ARG(item->address), buf_cstr(&reason));
    l->n++;
    l->status = item->status;
    l->next = item->next;
}

static struct list list_where(struct queue_filter f)
{
    struct list l = {0};
    struct err e = {0};
    assert_int_equal(queue_admin_each(admin, &f, add_line, &l, &e), RC_OK);
    return l;
}

static struct list list(void)
{
    return list_where((struct queue_filter){0});
}

#define assert_str(s, lit) assert_true(str_eq((s), S(lit)))

/* --- reasons --- */

static void reasons(void **state)
{
    struct queue_job job;
    put("id1", "me@example.org", "a@example.net");
    assert_string_equal(list().text, "id1 a@example.net: next in line\n");
    assert_int_equal(list().status, QUEUE_IS_QUEUED);
    assert_true(take(QUEUE_REMOTE, 1000, &job));
    report(&job, QUEUE_DEFERRED, false);
    assert_true(strstr(list().text, "id1 a@example.net: mx.example.net[192.0.2.9]:25 said 450 4.2.1 mailbox "
                                    "busy; next try in ") != NULL);
    assert_non_null(strstr(list().text, " minutes\n"));
    assert_int_equal(list().status, QUEUE_IS_DEFERRED);
    assert_true(list().next > clock_wall() / 1000);
    assert_int_equal(change(QUEUE_CHANGE_HOLD), 1);
    assert_string_equal(list().text, "id1 a@example.net: held by an administrator\n");
    assert_int_equal(list().next, 0);
}

static void dead_sites(void **state)
{
    struct queue_job job;
    put("id1", "me@example.org", "a@example.net");
    put("id2", "you@example.org", "b@example.net");
    assert_true(take(QUEUE_REMOTE, 1000, &job));
    report(&job, QUEUE_DEFERRED, true);
    struct list l = list();
    assert_int_equal(l.n, 2);
    assert_non_null(strstr(l.text, "id2 b@example.net: example.net could not be reached (connect to "
                                   "mx[192.0.2.9]:25: Connection refused); next try in "));
    assert_int_equal(l.status, QUEUE_IS_DEFERRED);
    /* one of them is enough to try the site again */
    assert_int_equal(change_where(QUEUE_CHANGE_RETRY,
                                  (struct queue_filter){.sender = S("you@example.org"), .has_sender = true}),
                     1);
    assert_true(take(QUEUE_REMOTE, NOTICE_MS, &job));
}

static void durations(void **state)
{
    static const struct {
        msec t;
        const char *words;
    } rows[] = {{0, "1 second"},        {59000, "59 seconds"},     {90000, "90 seconds"},
                {120000, "2 minutes"},  {7199000, "119 minutes"},  {7200000, "2 hours"},
                {86400000, "24 hours"}, {5 * 86400000LL, "5 days"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf b = BUF_INIT(50);
        queue_duration_put(&b, rows[i].t);
        assert_string_equal(buf_cstr(&b), rows[i].words);
    }
}

/* --- filters --- */

static void filters(void **state)
{
    const char *two[] = {"a@example.net", "b@example.com"};
    char *ids[] = {(char *)"id1", (char *)"id1", (char *)"none"};
    put_with("id1", "me@example.org", two, 2, -1);
    put("id2", "", "a@example.net");
    put("id3", "You@example.org", "c@sub.example.com");
    assert_int_equal(list().n, 4);
    assert_int_equal(list_where((struct queue_filter){.ids = ids, .n_ids = 3}).n, 2);
    assert_int_equal(list_where((struct queue_filter){.sender = S("you@EXAMPLE.org"), .has_sender = true}).n,
                     1);
    assert_int_equal(list_where((struct queue_filter){.sender = S("<>"), .has_sender = true}).n, 1);
    assert_int_equal(list_where((struct queue_filter){.recipient = S("a@example.net")}).n, 2);
    assert_int_equal(list_where((struct queue_filter){.domain = S("example.com")}).n, 1);
    assert_int_equal(list_where((struct queue_filter){.reason = S("NEXT in")}).n, 4);
    assert_int_equal(list_where((struct queue_filter){.reason = S("busy")}).n, 0);
    assert_int_equal(list_where((struct queue_filter){.larger_than = 37}).n, 4);
    assert_int_equal(list_where((struct queue_filter){.larger_than = 38}).n, 0);
    assert_int_equal(list_where((struct queue_filter){.arrived_before = clock_wall() / 1000 - 60000}).n, 0);
    assert_int_equal(list_where((struct queue_filter){.arrived_before = clock_wall() / 1000 + 60000}).n, 4);
    /* all that is given must match, and only the recipients that match are touched */
    assert_int_equal(change_where(QUEUE_CHANGE_DELETE,
                                  (struct queue_filter){.domain = S("example.com"), .ids = ids, .n_ids = 1}),
                     1);
    assert_string_equal(list_where((struct queue_filter){.ids = ids, .n_ids = 1}).text,
                        "id1 a@example.net: next in line\n");
    assert_int_equal(list().n, 3);
}

/* --- changes --- */

/* Found by lanes, whose keys hold more than the sender: another priority, a message to many. */
static void of_one_sender(void **state)
{
    struct queue_rcpt many[60] = {0};
    struct err e = {0};
    char address[60][20];
    for (int i = 0; i < 60; i++) {
        snprintf(address[i], sizeof address[i], "a%d@example.net", i);
        many[i].address = str_c(address[i]);
    }
    struct queue_envelope v = {
        .id = S("to-many"), .sender = S("me@example.org"), .arrived = 1, .rcpts = many, .n = 60};
    assert_int_equal(queue_put(queue, &v, S("\n"), -1, &e), RC_OK);
    v.id = S("urgent");
    v.priority = 4;
    v.n = 1;
    assert_int_equal(queue_put(queue, &v, S("\n"), -1, &e), RC_OK);
    v.id = S("urgent-to-many-of-nobody");
    v.sender = STR_NONE;
    v.n = 60;
    assert_int_equal(queue_put(queue, &v, S("\n"), -1, &e), RC_OK);
    put("plain", "Me@example.org", "a@example.net");
    put("longer", "me@example.org.test", "a@example.net");
    put("nobody", "", "a@example.net");
    struct queue_filter f = {.sender = S("me@EXAMPLE.org"), .has_sender = true};
    assert_int_equal(list_where(f).n, 62);
    assert_in_range(db_scanned(admin->q.writer), 0, 6); /* lanes, and none of the 180 recipients */
    f.most = 1;
    assert_int_equal(list_where(f).n, 60);
    f.most = 2;
    assert_int_equal(list_where(f).n, 61);
    f = (struct queue_filter){.sender = S("<>"), .has_sender = true};
    assert_int_equal(list_where(f).n, 61);
    f.most = 1;
    assert_int_equal(list_where(f).n, 60);
    assert_int_equal(change_where(QUEUE_CHANGE_DELETE, f), 1);
    assert_int_equal(list_where(f).n, 1);
}

static void held_and_released(void **state)
{
    struct queue_job job;
    put("id1", "me@example.org", "a@example.net");
    assert_int_equal(change(QUEUE_CHANGE_HOLD), 1);
    assert_int_equal(change(QUEUE_CHANGE_HOLD), 0);
    assert_int_equal(change(QUEUE_CHANGE_RETRY), 0);
    assert_false(take(QUEUE_REMOTE, 1500, &job));
    assert_int_equal(change(QUEUE_CHANGE_RELEASE), 1);
    assert_int_equal(change(QUEUE_CHANGE_RELEASE), 0);
    assert_true(take(QUEUE_REMOTE, NOTICE_MS, &job));
    assert_str(job.envelope.id, "id1");
}

static void held_while_under_way(void **state)
{
    struct queue_job job;
    put("id1", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 1000, &job));
    assert_int_equal(change(QUEUE_CHANGE_HOLD), 1);
    report(&job, QUEUE_DEFERRED, false);
    assert_int_equal(list().status, QUEUE_IS_HELD);
    assert_false(take(QUEUE_REMOTE, 1500, &job));
}

static void retried_before_its_time(void **state)
{
    struct queue_job job;
    put("id1", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 1000, &job));
    report(&job, QUEUE_DEFERRED, false);
    assert_false(take(QUEUE_REMOTE, 4500, &job)); /* the site has left memory meanwhile */
    assert_int_equal(change(QUEUE_CHANGE_RETRY), 1);
    assert_true(take(QUEUE_REMOTE, NOTICE_MS, &job));
    assert_int_equal(job.attempts, 1);
}

static void deleted_while_under_way(void **state)
{
    struct queue_job job;
    put("id1", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 1000, &job));
    assert_int_equal(change(QUEUE_CHANGE_DELETE), 1);
    report(&job, QUEUE_DEFERRED, false);
    assert_int_equal(list().n, 0);
    put("id2", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, NOTICE_MS, &job));
    assert_str(job.envelope.id, "id2");
    report(&job, QUEUE_RELAYED, false);
    assert_int_equal(list().n, 0);
}

static void file_goes_with_its_message(void **state)
{
    struct err e = {0};
    struct queue_envelope v;
    const char *to = "a@example.net";
    str content;
    int fd = spool_lend(spool, 0), read_fd;
    assert_int_equal(write(fd, "Subject: test\n\nlarge\n", 21), 21);
    put_with("id1", "me@example.org", &to, 1, fd);
    close(fd);
    assert_int_equal(queue_admin_message(admin, "id1", arena, &v, &content, &read_fd, &e), RC_OK);
    assert_true(read_fd >= 0 && !content.p);
    close(read_fd);
    int64_t number = 0;
    char name[SPOOL_NAME_SIZE];
    assert_int_equal(
        db_get_int(queue->reader, &number, &e, "SELECT file FROM message WHERE id=?1", DB_T(S("id1"))),
        RC_OK);
    assert_int_equal(faccessat(folder_fd, spool_name(name, number), F_OK, 0), 0);
    assert_int_equal(change(QUEUE_CHANGE_DELETE), 1);
    assert_int_not_equal(faccessat(folder_fd, name, F_OK, 0), 0);
    assert_int_equal(queue_admin_message(admin, "id1", arena, &v, &content, &read_fd, &e), RC_GONE);
}

static void message_has_its_recipients(void **state)
{
    struct err e = {0};
    struct queue_envelope v;
    size_t n;
    const char *to[] = {"a@example.net", "b@example.net"};
    str content;
    int fd;
    put_with("id1", "me@example.org", to, 2, -1);
    put("id2", "me@example.org", "c@example.net");
    assert_int_equal(queue_admin_message(admin, "id1", arena, &v, &content, &fd, &e), RC_OK);
    assert_int_equal(v.n, 2);
    assert_str(v.rcpts[0].address, "a@example.net");
    assert_str(v.rcpts[1].address, "b@example.net");
    const struct queue_filter one = {.recipient = S("a@example.net")};
    assert_int_equal(queue_admin_change(admin, &one, QUEUE_CHANGE_DELETE, &n, &e), RC_OK);
    assert_int_equal(n, 1);
    assert_int_equal(queue_admin_message(admin, "id1", arena, &v, &content, &fd, &e), RC_OK);
    assert_int_equal(v.n, 1);
    assert_str(v.rcpts[0].address, "b@example.net");
}

static void returned(void **state)
{
    struct queue_job job;
    put("id1", "me@example.org", "a@example.net");
    assert_int_equal(change(QUEUE_CHANGE_BOUNCE), 1);
    assert_int_equal(change(QUEUE_CHANGE_BOUNCE), 0);
    assert_true(take(QUEUE_LOCAL, NOTICE_MS, &job)); /* a notification for the sender */
    assert_str(job.envelope.rcpts[0].address, "me@example.org");
    assert_true(str_find(job.content, S("returned by an administrator")) > 0);
    assert_true(str_find(job.content, S("5.7.1")) > 0);
    assert_int_equal(list().n, 1);
    assert_false(take(QUEUE_REMOTE, 50, &job));
}

/* How a delivery ends that was under way counts more than the return. */
static void returned_while_under_way(void **state)
{
    struct queue_job job, other;
    put("id1", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 1000, &job));
    struct queue_rcpt rcpt = job.envelope.rcpts[0];
    assert_int_equal(change(QUEUE_CHANGE_BOUNCE), 1);
    struct arena *kept = arena;
    arena = arena_new(80 << 20);
    assert_false(take(QUEUE_LOCAL, 2500, &other));
    arena_free(arena);
    arena = kept;
    job.envelope.rcpts = &rcpt;
    report(&job, QUEUE_RELAYED, false);
    assert_int_equal(list().n, 0);
    assert_false(take(QUEUE_LOCAL, 2500, &other));
}

/* --- routes --- */

static void set_relayhost(const char *text)
{
    assert_null(old_conf);
    old_conf = conf;
    conf = make_conf(text);
}

/* What is about to go is routed by the present settings. */
static void requeued(void **state)
{
    struct queue_job job;
    put("id1", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 1000, &job));
    report(&job, QUEUE_DEFERRED, false);
    set_relayhost("relayhost = [relay.example.org]:2525\n");
    queue_reload(queue, conf);
    assert_int_equal(change(QUEUE_CHANGE_REQUEUE), 1);
    assert_true(take(QUEUE_REMOTE, NOTICE_MS, &job));
    assert_str(job.site_name, "[relay.example.org]:2525");
    report(&job, QUEUE_RELAYED, false);
    assert_int_equal(list().n, 0);
}

/* --- stats --- */

static void stats(void **state)
{
    const char *two[] = {"a@example.net", "b@example.com"};
    struct queue_stats *v;
    struct queue_filter f = {0};
    struct err e = {0};
    size_t n = 0;
    assert_int_equal(queue_admin_stats(admin, &f, arena, &v, &n, &e), RC_OK);
    assert_int_equal(n, 1);
    assert_int_equal(v[0].messages, 0);
    put_with("id1", "me@example.org", two, 2, -1);
    put("id2", "me@example.org", "c@example.net");
    assert_int_equal(queue_admin_stats(admin, &f, arena, &v, &n, &e), RC_OK);
    assert_int_equal(n, 3);
    assert_true(v[0].messages == 2 && v[0].recipients == 3 && v[0].size == 2 * 38);
    assert_str(v[1].name, "example.net");
    assert_true(v[1].messages == 2 && v[1].recipients == 2);
    assert_str(v[2].name, "example.com");
    assert_true(v[2].messages == 1 && v[2].recipients == 1 && v[2].oldest > 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(reasons),
        T(dead_sites),
        T(filters),
        T(of_one_sender),
        T(held_and_released),
        T(held_while_under_way),
        T(retried_before_its_time),
        T(deleted_while_under_way),
        T(file_goes_with_its_message),
        T(message_has_its_recipients),
        T(returned),
        T(returned_while_under_way),
        T(requeued),
        T(stats),
        cmocka_unit_test(durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
