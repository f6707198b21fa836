/* queue: messages with times of their own, and clocks that are set. */
#include "fixture.h"

#include "fmt/smtp_cmd.h"

/* RFC 4865 §4.2: not before its time, which its lifetime does not count. */
static void held_until(void **state)
{
    struct queue_job job;
    struct err e = {0};
    struct queue_rcpt to[] = {{.address = S("a@example.net")},
                              {.address = S("here@example.org"), .local = true}};
    int64_t now = clock_wall() / 1000;
    struct queue_envelope v = {.id = S("id1"),
                               .sender = S("me@example.org"),
                               .arrived = now,
                               .hold_until = now + 1500,
                               .size = 3,
                               .rcpts = to,
                               .n = 2};
    assert_int_equal(queue_put(queue, &v, S("a\nb"), -1, &e), RC_OK);
    put("id2", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    assert_str(job.envelope.id, "id2");
    report(&job, QUEUE_RELAYED, false);
    assert_false(take(QUEUE_LOCAL, 100, &job));
    assert_true(take(QUEUE_REMOTE, 6000, &job));
    assert_str(job.envelope.id, "id1");
    assert_in_range(clock_wall() / 1000 - v.hold_until, 0, 700);
    int64_t lives = job.envelope.expires - v.hold_until - conf->maximal_queue_lifetime_ms;
    assert_true(lives > -50 && lives < 50); /* by another clock */
    assert_true(take(QUEUE_LOCAL, 6000, &job));
}

static void put_by(const char *id, int64_t milliseconds, unsigned flags)
{
    struct err e = {0};
    struct queue_rcpt to = {.address = S("a@example.net")};
    struct queue_envelope v = {.id = str_c(id),
                               .sender = S("me@example.org"),
                               .flags = flags,
                               .arrived = clock_wall() / 1000,
                               .deliver_by = clock_wall() / 1000 + milliseconds,
                               .size = 3,
                               .rcpts = &to,
                               .n = 1};
    assert_int_equal(queue_put(queue, &v, S("a\nb"), -1, &e), RC_OK);
}

/* RFC 2852 §4.1.3: mode R fails, mode N is told of once and goes on. */
static void deliver_by(void **state)
{
    struct queue_job job;
    put_by("id1", 1000, QUEUE_BY_RETURN);
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    report(&job, QUEUE_DEFERRED, false);
    assert_true(take(QUEUE_LOCAL, 5000, &job));
    assert_true(str_find(job.content, S("Action: failed\nStatus: 5.4.7")) >= 0);
    assert_true(str_find(job.content, S("Deliver-By-Date: ")) >= 0);
    report(&job, QUEUE_DELIVERED, false);
    put_by("id2", 100, 0);
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    assert_str(job.envelope.id, "id2");
    report(&job, QUEUE_DEFERRED, false);
    assert_true(take(QUEUE_LOCAL, 5000, &job));
    assert_true(str_find(job.content, S("Action: delayed\nStatus: 4.4.7")) >= 0);
    report(&job, QUEUE_DELIVERED, false);
    assert_true(take(QUEUE_REMOTE, 5000, &job));
    assert_str(job.envelope.id, "id2");
    assert_false(take(QUEUE_LOCAL, 1500, &job));
}

/* RFC 2852 §4.1.4: whoever wants a trace hears of a relay without having asked for success. */
static void traced(void **state)
{
    struct queue_job job;
    const char *to[] = {"a@example.net"};
    put_many("id1", "me@example.org", to, 1, SMTP_NOTIFY_NEVER);
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    report(&job, QUEUE_RELAYED_TRACED, false);
    assert_false(take(QUEUE_LOCAL, 100, &job));
    put_many("id2", "me@example.org", to, 1, 0);
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    report(&job, QUEUE_RELAYED_TRACED, false);
    assert_true(take(QUEUE_LOCAL, 2000, &job));
    assert_true(str_find(job.content, S("Action: relayed")) >= 0);
}

enum { DAYS_MS = 6 * 24 * 3600 * 1000 };

/* The wall clock is set while mail waits: nothing expires, and what comes or is deferred then is as due as
 * ever after it is set back. */
static void clock_is_set(void **state)
{
    struct queue_job job;
    put("before", "me@example.org", "a@example.net");
    put("waits", "you@example.org", "a@far.example.net");
    clock_inject_wall_offset(DAYS_MS);
    while (queue_run_timers(queue))
        ;
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    assert_str(job.envelope.id, "before");
    report(&job, QUEUE_DEFERRED, false); /* for a second */
    put("meanwhile", "they@example.org", "a@third.example.net");
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    assert_str(job.envelope.id, "waits");
    report(&job, QUEUE_DEFERRED, true); /* a dead site */
    assert_int_equal(queue_flush(queue), RC_OK);
    clock_inject_wall_offset(0);
    put("after", "others@example.org", "a@fourth.example.net");
    bool seen[128] = {false};
    for (int i = 0; i < 4; i++) {
        assert_true(take(QUEUE_REMOTE, 3500, &job));
        seen[(int)job.envelope.id.p[0]] = true;
        report(&job, QUEUE_RELAYED, false);
    }
    assert_true(seen['b'] && seen['w'] && seen['m'] && seen['a']);
    assert_false(take(QUEUE_LOCAL, 10, &job)); /* a bounce or a warning */
}

/* The same when the queue is opened in between, be the clock ahead before or behind it. */
static void clock_is_set_meanwhile(void **state)
{
    struct queue_job job;
    for (int ahead = 0; ahead < 2; ahead++) {
        put(ahead ? "id1" : "id2", "me@example.org", "a@example.net");
        assert_true(take(QUEUE_REMOTE, 2000, &job));
        report(&job, QUEUE_DEFERRED, true);
        close_all();
        clock_inject_wall_offset(ahead ? 0 : DAYS_MS);
        open_all();
        while (queue_run_timers(queue))
            ;
        assert_true(take(QUEUE_REMOTE, 3500, &job));
        assert_str(job.site_name, "example.net");
        report(&job, QUEUE_RELAYED, false);
        assert_int_equal(queue_flush(queue), RC_OK);
        assert_false(take(QUEUE_LOCAL, 10, &job));
    }
}

/* What was written down when mail waited long ago says nothing of now. */
static void clock_of_long_ago(void **state)
{
    struct queue_job job;
    for (int days = 0; days < 2; days++) {
        clock_inject_offset(days * (msec)DAYS_MS);
        close_all();
        open_all();
        put(days ? "new" : "old", "me@example.org", "a@example.net");
        close_all();
        open_all();
        assert_true(take(QUEUE_REMOTE, 2000, &job));
        report(&job, QUEUE_RELAYED, false);
        assert_int_equal(queue_flush(queue), RC_OK);
    }
    clock_inject_offset(0);
}

/* A time of day that a sender gave is one. */
static void held_until_a_time_of_day(void **state)
{
    struct queue_job job;
    struct err e = {0};
    struct queue_rcpt to = {.address = S("a@example.net")};
    put("first", "me@example.org", "b@example.com"); /* or the queue's clock would be the wall clock again */
    clock_inject_wall_offset(DAYS_MS);
    struct queue_envelope v = {.id = S("held"),
                               .sender = S("me@example.org"),
                               .arrived = queue_wall(),
                               .hold_until = queue_wall() + 1000,
                               .rcpts = &to,
                               .n = 1};
    assert_int_equal(queue_put(queue, &v, S("\n"), -1, &e), RC_OK);
    assert_true(take(QUEUE_REMOTE, 500, &job));
    assert_str(job.envelope.id, "first");
    assert_false(take(QUEUE_REMOTE, 300, &job));
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    assert_str(job.envelope.id, "held");
    clock_inject_wall_offset(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(held_until),
        T(deliver_by),
        T(traced),
        T(clock_is_set),
        T(clock_is_set_meanwhile),
        T(clock_of_long_ago),
        T(held_until_a_time_of_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
