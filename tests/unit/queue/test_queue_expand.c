/* queue: recipients that turn into others on the way, and senders with them. */
#include "fixture.h"

static void expanded(void **state)
{
    struct queue_job job;
    struct queue_rcpt list[] = {{.address = S("list@example.org"), .local = true}};
    struct queue_rcpt added[] = {{.address = S("x@example.net"), .orig = S("list@example.org")}};
    struct queue_envelope v = {.id = S("id1"),
                               .sender = S("me@example.org"),
                               .arrived = clock_wall() / 1000,
                               .size = 3,
                               .rcpts = list,
                               .n = 1};
    struct err e = {0};
    assert_int_equal(queue_put(queue, &v, S("a\nb"), -1, &e), RC_OK);
    assert_true(take(QUEUE_LOCAL, 2000, &job));
    struct queue_outcome o = {.rcpt = job.envelope.rcpts[0].n, .result = QUEUE_EXPANDED};
    struct queue_report r = {
        .number = job.number, .id = job.envelope.id, .outcomes = &o, .n = 1, .added = added, .n_added = 1};
    assert_int_equal(queue_report(queue, &r), RC_OK);
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    assert_str(job.envelope.id, "id1");
    assert_str(job.envelope.rcpts[0].orig, "list@example.org");
}

/* A message has one sender: recipients with another are a copy of it, and wait as they did before. */
static void expanded_for_another_sender(void **state)
{
    struct queue_job job, other;
    char text[16] = {0};
    struct queue_rcpt to = {.address = S("list@example.org"), .local = true};
    struct queue_rcpt added[] = {{.address = S("x@example.net"), .sender = S("owner@example.org")},
                                 {.address = S("y@example.net")},
                                 {.address = S("here@example.org"),
                                  .local = true,
                                  .resolved = true,
                                  .waits = true,
                                  .was = {.attempts = 3,
                                          .tried = 77,
                                          .code = 452,
                                          .status = S("4.2.2"),
                                          .reply = S("full"),
                                          .remote = S("it[192.0.2.9]:25")}}};
    struct queue_envelope v = {.id = S("whole"),
                               .sender = S("me@example.org"),
                               .arrived = clock_wall() / 1000,
                               .size = 10,
                               .rcpts = &to,
                               .n = 1};
    struct err e = {0};
    struct arena *a = arena_new(1 << 20);
    for (int in_file = 0; in_file < 2; in_file++) {
        int fd = in_file ? spool_lend(spool, 0) : -1;
        assert_true(!in_file || write(fd, "0123456789", 10) == 10);
        assert_int_equal(queue_put(queue, &v, in_file ? STR_NONE : S("0123456789"), fd, &e), RC_OK);
        if (in_file)
            close(fd);
        assert_true(take(QUEUE_LOCAL, 2000, &job));
        struct queue_outcome o = {.rcpt = job.envelope.rcpts[0].n, .result = QUEUE_EXPANDED};
        struct queue_report r = {.number = job.number,
                                 .id = job.envelope.id,
                                 .sender = job.envelope.sender,
                                 .outcomes = &o,
                                 .n = 1,
                                 .added = added,
                                 .n_added = 3};
        assert_int_equal(queue_report(queue, &r), RC_OK);
        if (job.content_fd >= 0)
            close(job.content_fd);
        assert_int_equal(queue_take(queue, QUEUE_REMOTE, 0, clock_mono() + 2000, a, &other), RC_OK);
        assert_true(take(QUEUE_REMOTE, 2000, &job));
        bool swapped = str_eq(job.envelope.sender, S("owner@example.org"));
        struct queue_job *owned = swapped ? &job : &other, *plain = swapped ? &other : &job;
        assert_str(owned->envelope.sender, "owner@example.org");
        assert_str(owned->envelope.rcpts[0].address, "x@example.net");
        assert_false(str_eq(owned->envelope.id, S("whole")));
        assert_true(llabs(owned->envelope.expires - plain->envelope.expires) < 50);
        assert_str(plain->envelope.id, "whole");
        assert_str(plain->envelope.sender, "me@example.org");
        assert_int_equal(in_file, owned->content_fd >= 0);
        if (in_file)
            assert_int_equal(pread(owned->content_fd, text, sizeof text, 0), 10);
        assert_str(in_file ? str_c(text) : owned->content, "0123456789");
        for (int i = 0; in_file && i < 2; i++)
            close((i ? &job : &other)->content_fd);
        report(&other, QUEUE_RELAYED, false);
        report(&job, QUEUE_RELAYED, false);
        assert_false(take(QUEUE_LOCAL, 300, &job)); /* it waits, as it did before */
        assert_true(take(QUEUE_LOCAL, 5000, &job));
        const struct queue_rcpt *w = &job.envelope.rcpts[0];
        assert_true(w->resolved && w->was.attempts == 3 && w->was.tried == 77 && w->was.code == 452);
        assert_str(w->was.status, "4.2.2");
        assert_str(w->was.reply, "full");
        assert_str(w->was.remote, "it[192.0.2.9]:25");
        assert_int_equal(job.attempts, 3);
        report(&job, QUEUE_DELIVERED, false);
        if (job.content_fd >= 0)
            close(job.content_fd);
        await_releases();
        arena_reset(a);
    }
    assert_int_equal(files_in_use(), 0);
    arena_free(a);
}

/* What goes another way by now was tried before. */
static void rerouted(void **state)
{
    struct queue_job job;
    put("id1", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    assert_str(job.site_name, "example.net");
    report(&job, QUEUE_DEFERRED, false);
    struct conf *old = conf;
    set_conf("minimal_backoff_time = 1s\nmaximal_backoff_time = 2s\nrelayhost = [relay.example]\n");
    queue_reload(queue, conf);
    assert_true(take(QUEUE_REMOTE, 5000, &job));
    assert_str(job.site_name, "[relay.example]");
    const struct queue_rcpt *r = &job.envelope.rcpts[0];
    assert_true(r->was.attempts == 1 && job.attempts == 1 && r->was.code == 550 && r->was.tried > 0);
    assert_str(r->was.reply, "550 5.1.1 no such user");
    report(&job, QUEUE_RELAYED, false);
    assert_int_equal(queue_flush(queue), RC_OK);
    conf_free(old);
}

/* Of other roles queue takes what auth says of a recipient, and nothing else. */
static void vias_of_others(void **state)
{
    static const struct {
        const char *via;
        bool local;
        enum rc rc;
    } rows[] = {{"", false, RC_OK},
                {"user:1000:ann:tag", true, RC_OK},
                {"alias:0:0123456789abcdef:prog", true, RC_OK},
                {"user:1000:ann:", false, RC_INVALID},
                {"mailbox:1000:ann:", true, RC_INVALID},
                {"forward:1000:0:0123456789abcdef:ann:", true, RC_INVALID},
                {"/bin/sh", true, RC_INVALID}};
    struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf b = BUF_INIT(QUEUE_ENVELOPE_MAX);
        struct queue_rcpt to = {
            .address = S("ann@example.org"), .local = rows[i].local, .via = str_c(rows[i].via)};
        struct queue_envelope v = {.id = S("id"), .rcpts = &to, .n = 1}, back;
        queue_envelope_put(&b, &v);
        assert_int_equal(queue_envelope_get(buf_str(&b), a, &back), rows[i].rc);
        if (rows[i].rc == RC_OK)
            assert_true(str_eq(back.rcpts[0].via, to.via));
    }
    arena_free(a);
}

/* What goes on under another sender or with lines in front is a message of its own with the same content. */
static void expanded_into_others(void **state)
{
    struct queue_job job;
    struct err e = {0};
    struct queue_rcpt list[] = {{.address = S("ann@example.org"), .local = true, .via = S("user:1000:ann:")}};
    struct queue_rcpt added[] = {
        {.address = S("x@example.net"),
         .sender = S("srs@example.org"),
         .head = S("Delivered-To: ann@example.org\n")},
        {.address = S("y@example.net"),
         .sender = S("srs@example.org"),
         .head = S("Delivered-To: ann@example.org\n")},
        {.address = S("bob@example.org"), .local = true, .head = S("Delivered-To: ann@example.org\n")},
        {.address = S("ann@example.org"), .local = true, .via = S("mailbox:1000:ann:")}};
    struct queue_envelope v = {.id = S("first"),
                               .sender = S("me@example.org"),
                               .account = S("me@example.org"),
                               .trace = S("Received: here\n"),
                               .arrived = clock_wall() / 1000,
                               .size = 10,
                               .rcpts = list,
                               .n = 1};
    for (int in_file = 0; in_file < 2; in_file++) {
        int fd = in_file ? spool_lend(spool, 0) : -1;
        assert_true(!in_file || write(fd, "0123456789", 10) == 10);
        assert_int_equal(queue_put(queue, &v, in_file ? STR_NONE : S("0123456789"), fd, &e), RC_OK);
        if (in_file)
            close(fd);
        assert_true(take(QUEUE_COMMAND, 2000, &job));
        assert_str(job.site_name, "command:ann");
        assert_str(job.envelope.rcpts[0].via, "user:1000:ann:");
        if (in_file)
            close(job.content_fd);
        struct queue_outcome o = {.rcpt = job.envelope.rcpts[0].n, .result = QUEUE_EXPANDED};
        struct queue_report r = {.number = job.number,
                                 .id = job.envelope.id,
                                 .sender = job.envelope.sender,
                                 .outcomes = &o,
                                 .n = 1,
                                 .added = added,
                                 .n_added = 4};
        assert_int_equal(queue_report(queue, &r), RC_OK);
        enum queue_kind kinds[] = {QUEUE_COMMAND, QUEUE_LOCAL, QUEUE_REMOTE};
        for (size_t i = 0; i < 3; i++) {
            char text[16] = {0};
            assert_true(take(kinds[i], 2000, &job));
            assert_int_equal(job.envelope.n, i == 2 ? 2 : 1);
            assert_int_equal(str_eq(job.envelope.id, S("first")), i == 0);
            assert_true(str_eq(job.envelope.sender, str_c(i == 2 ? "srs@example.org" : "me@example.org")));
            assert_true(str_eq(job.envelope.account, str_c(i == 0 ? "me@example.org" : "")));
            assert_true(str_eq(
                job.envelope.trace,
                str_c(i == 0 ? "Received: here\n" : "Delivered-To: ann@example.org\nReceived: here\n")));
            assert_true(str_eq(job.envelope.rcpts[0].via, str_c(i == 0 ? "mailbox:1000:ann:" : "")));
            assert_int_equal(job.content_fd >= 0, in_file);
            if (in_file) {
                assert_int_equal(pread(job.content_fd, text, sizeof text, 0), 10);
                close(job.content_fd);
            } else {
                assert_str(job.content, "0123456789");
            }
            report(&job, kinds[i] == QUEUE_REMOTE ? QUEUE_RELAYED : QUEUE_DELIVERED, false);
        }
        assert_int_equal(queue_flush(queue), RC_OK);
    }
}

/* Recipients with a sender of their own are a message of their own, which shares the content's file. */
static void another_sender(void **state)
{
    struct queue_job job[2];
    struct err e = {0};
    char text[16] = {0};
    struct queue_rcpt to[] = {{.address = S("a@example.net"), .sender = S("owner@example.org")},
                              {.address = S("b@example.net")},
                              {.address = S("c@example.net"), .sender = S("owner@example.org")}};
    struct queue_envelope v = {.id = S("shared"),
                               .sender = S("s@example.org"),
                               .arrived = clock_wall() / 1000,
                               .size = 10,
                               .rcpts = to,
                               .n = 3};
    struct arena *a = arena_new(1 << 20);
    int fd = spool_lend(spool, 0);
    assert_int_equal(write(fd, "0123456789", 10), 10);
    assert_int_equal(queue_put(queue, &v, STR_NONE, fd, &e), RC_OK);
    close(fd);
    for (int i = 0; i < 2; i++)
        assert_int_equal(queue_take(queue, QUEUE_REMOTE, 0, clock_mono() + 2000, a, &job[i]), RC_OK);
    struct queue_job *owned = job[0].envelope.n == 2 ? &job[0] : &job[1],
                     *plain = owned == job ? &job[1] : &job[0];
    assert_int_equal(owned->envelope.n, 2);
    assert_str(owned->envelope.sender, "owner@example.org");
    assert_str(owned->envelope.rcpts[1].address, "c@example.net");
    assert_str(plain->envelope.sender, "s@example.org");
    assert_str(job[0].envelope.id, "shared"); /* the first sender's part */
    assert_false(str_eq(job[1].envelope.id, S("shared")));
    close(job[0].content_fd);
    report(&job[0], QUEUE_RELAYED, false);
    await_releases();
    assert_int_equal(files_in_use(), 1);
    assert_int_equal(pread(job[1].content_fd, text, sizeof text, 0), 10);
    assert_string_equal(text, "0123456789");
    close(job[1].content_fd);
    report(&job[1], QUEUE_RELAYED, false);
    await_releases();
    assert_int_equal(files_in_use(), 0);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(expanded),       T(expanded_for_another_sender), T(rerouted),
        T(vias_of_others), T(expanded_into_others),        T(another_sender),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
