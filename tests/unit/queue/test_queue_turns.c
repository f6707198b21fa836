/* queue: whose turn it is: fair to senders and sites, urgent ones first, and found without looking at all. */
#include "fixture.h"

#include "fmt/smtp_cmd.h"
#include "os/db.h"

#include <pthread.h>

/* smtp_destination_rate_delay: one at a time, and a while between them; other places do not wait. */
static void paced(void **state)
{
    struct queue_job job;
    close_all();
    conf = conf_free(conf);
    set_conf("smtp_destination_rate_delay = 700ms\n");
    open_all();
    put("id1", "me@example.org", "a@example.net");
    put("id2", "you@example.org", "b@example.net");
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    assert_false(take(QUEUE_REMOTE, 100, &(struct queue_job){0}));
    queue_give_back(queue, job.number);
    assert_false(take(QUEUE_REMOTE, 400, &job));
    put("id3", "me@example.org", "c@example.com");
    assert_true(take(QUEUE_REMOTE, 200, &job));
    assert_str(job.envelope.id, "id3");
    assert_true(take(QUEUE_REMOTE, 600, &job));
    report(&job, QUEUE_RELAYED, false);
    assert_false(take(QUEUE_REMOTE, 400, &job));
    assert_true(take(QUEUE_REMOTE, 1000, &job));
}

/* What a transport has for itself: a limit for all its sites together, pauses, and recipients of a job. */
static void of_a_transport(void **state)
{
    const char *to[] = {"a@one.example", "b@one.example", "c@one.example"};
    struct arena *other = arena_new(1 << 20);
    struct queue_job job;
    close_all();
    conf = conf_free(conf);
    set_conf("default_transport = slow\n[transport slow]\nprocess_limit = "
             "2\nsmtp_destination_recipient_limit = 2\n"
             "smtp_destination_concurrency_limit = 1\n");
    open_all();
    put_many("id1", "me@example.org", to, 3, 0);
    put("id2", "me@example.org", "a@two.example");
    put("id3", "me@example.org", "a@three.example");
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    assert_str(job.site_name, "smtp/slow:one.example");
    assert_int_equal(job.envelope.n, 2);
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    assert_str(job.site_name, "smtp/slow:two.example"); /* not the third one for the first site */
    assert_false(take_into(other, QUEUE_REMOTE, 200, &(struct queue_job){0}));
    report(&job, QUEUE_RELAYED, false);
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    assert_str(job.site_name, "smtp/slow:three.example");
    arena_free(other);
}

/* smtp_transport_rate_delay: one at a time to wherever, and a while between them. */
static void paced_transport(void **state)
{
    struct arena *other = arena_new(1 << 20);
    struct queue_job job;
    close_all();
    conf = conf_free(conf);
    set_conf("transport_maps = inline:{{b.example=slow:}, {c.example=slow:}}\n[transport slow]\n"
             "smtp_transport_rate_delay = 700ms\n");
    struct conf_report tables_report = {0};
    tables = table_settings_open(conf, "queue", NULL, &tables_report);
    assert_non_null(tables);
    open_all();
    put("id1", "me@example.org", "a@b.example");
    put("id2", "me@example.org", "a@c.example");
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    assert_false(take_into(other, QUEUE_REMOTE, 900, &(struct queue_job){0}));
    put("id3", "me@example.org", "a@d.example");
    assert_true(take_into(other, QUEUE_REMOTE, 200, &(struct queue_job){0})); /* by another transport */
    report(&job, QUEUE_RELAYED, false);
    assert_false(take(QUEUE_REMOTE, 400, &job));
    assert_true(take(QUEUE_REMOTE, 1000, &job));
    assert_str(job.site_name, "smtp/slow:c.example");
    close_all();
    tables = table_settings_close(tables);
    open_all();
    arena_free(other);
}

/* What was put off comes back in time although its site is busy all the while. */
static void deferred_on_a_busy_site(void **state)
{
    struct queue_job job;
    char id[20];
    bool back = false;
    put("late", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    report(&job, QUEUE_DEFERRED, false);
    msec begin = clock_mono();
    for (int i = 0; !back && clock_mono() < begin + 5000; i++) {
        snprintf(id, sizeof id, "n%d", i);
        put(id, "other@example.org", "b@example.net");
        assert_true(take(QUEUE_REMOTE, 2000, &job));
        back = str_eq(job.envelope.id, S("late"));
        report(&job, QUEUE_RELAYED, false);
    }
    assert_true(back);
}

/* More senders than fit in memory, one of them without end: all have their turn. */
static void many_senders_one_site(void **state)
{
    struct queue_job job;
    char id[20], sender[40];
    unsigned others = 0;
    for (int i = 0; i < 60; i++) {
        snprintf(id, sizeof id, "s%d", i);
        snprintf(sender, sizeof sender, "u%d@example.org", i);
        put(id, sender, "a@example.net");
    }
    for (int i = 0; others < 60 && i < 2000; i++) {
        snprintf(id, sizeof id, "b%d", i);
        put(id, "bulk@example.org", "b@example.net");
        assert_true(take(QUEUE_REMOTE, 2000, &job));
        others += job.envelope.id.p[0] == 's';
        report(&job, QUEUE_RELAYED, false);
    }
    assert_int_equal(others, 60);
}

/* A mailing of many does not hold up the one message of somebody else. */
static void fair_to_senders(void **state)
{
    struct queue_job job;
    char id[20];
    for (int i = 0; i < 200; i++) {
        snprintf(id, sizeof id, "bulk%d", i);
        put(id, "bulk@example.org", "a@example.net");
    }
    put("single", "me@example.org", "b@example.net");
    int position = 0;
    do {
        assert_true(take(QUEUE_REMOTE, 2000, &job));
        report(&job, QUEUE_RELAYED, false);
        position++;
    } while (!str_eq(job.envelope.id, S("single")));
    assert_true(position < 10);
}

static void slow_sites_hold_up_nobody(void **state)
{
    struct queue_job job;
    char id[20];
    for (int i = 0; i < 50; i++) {
        snprintf(id, sizeof id, "slow%d", i);
        put(id, "me@example.org", "a@slow.example");
    }
    put("quick", "me@example.org", "a@quick.example");
    bool quick = false;
    unsigned slow = 0;
    while (take(QUEUE_REMOTE, 50, &job)) { /* nobody reports */
        quick |= str_eq(job.envelope.id, S("quick"));
        slow += str_eq(job.site_name, S("slow.example"));
    }
    assert_true(quick);
    assert_int_equal(slow, 5); /* initial_destination_concurrency */
}

static void dead_site_is_probed(void **state)
{
    struct queue_job job[5], probe;
    char id[20];
    for (int i = 0; i < 20; i++) {
        snprintf(id, sizeof id, "d%d", i);
        put(id, "me@example.org", "a@dead.example");
    }
    assert_true(take(QUEUE_REMOTE, 2000, &job[0]));
    report(&job[0], QUEUE_DEFERRED, true);
    assert_false(take(QUEUE_REMOTE, 300, &probe)); /* dead for minimal_backoff_time */
    assert_true(take(QUEUE_REMOTE, 4000, &probe));
    assert_false(take(QUEUE_REMOTE, 100, &job[1])); /* one at a time until it answers */
    report(&probe, QUEUE_RELAYED, false);
    for (int i = 0; i < 5; i++)
        assert_true(take(QUEUE_REMOTE, 2000, &job[i]));
}

static void put_priority(const char *id, const char *sender, int priority)
{
    struct err e = {0};
    struct queue_rcpt to = {.address = S("a@example.net")};
    struct queue_envelope v = {.id = str_c(id),
                               .sender = str_c(sender),
                               .flags = QUEUE_HAS_PRIORITY,
                               .arrived = clock_wall() / 1000,
                               .priority = priority,
                               .size = 3,
                               .rcpts = &to,
                               .n = 1};
    assert_int_equal(queue_put(queue, &v, S("a\nb"), -1, &e), RC_OK);
}

/* RFC 6710 §5: what is urgent goes first, also past a site full of others' mail; nobody starves. */
static void priorities(void **state)
{
    struct queue_job job;
    char id[20], sender[40];
    unsigned position[3] = {0}, taken = 0; /* of the last message of each priority */
    for (int i = 0; i < 60; i++) {
        snprintf(id, sizeof id, "n%d", i);
        snprintf(sender, sizeof sender, "u%d@example.org", i);
        put_priority(id, sender, 0);
    }
    put_priority("l", "me@example.org", -5);
    for (int i = 0; i < 20; i++) {
        snprintf(id, sizeof id, "h%d", i);
        snprintf(sender, sizeof sender, "u%d@example.org", i);
        put_priority(id, sender, i < 10 ? 9 : 3);
    }
    for (; taken < 81 && take(QUEUE_REMOTE, 5000, &job); taken++) {
        int p = job.envelope.priority;
        position[p > 0 ? 2 : p == 0 ? 1 : 0] = taken;
        if (taken < 4)
            assert_true(p == 9 || taken == 3);
        report(&job, QUEUE_RELAYED, false);
    }
    assert_int_equal(taken, 81);
    assert_true(position[2] < 35);
    assert_true(position[0] < 81);
}

/* A stream of urgent mail does not stop the rest. */
static void urgent_without_end(void **state)
{
    struct queue_job job;
    char id[20], sender[40];
    bool slow = false, normal = false;
    put_priority("slow", "me@example.org", -9);
    put_priority("normal", "me@example.org", 0);
    for (int i = 0; i < 200 && !(slow && normal); i++) {
        for (int k = 0; k < 2; k++) {
            snprintf(id, sizeof id, "h%d-%d", i, k);
            snprintf(sender, sizeof sender, "u%d@example.org", (2 * i + k) % 30);
            put_priority(id, sender, 9);
        }
        assert_true(take(QUEUE_REMOTE, 2000, &job));
        slow |= str_eq(job.envelope.id, S("slow"));
        normal |= str_eq(job.envelope.id, S("normal"));
        report(&job, QUEUE_RELAYED, false);
    }
    assert_true(slow && normal);
}

/* However many messages there are: every operation finds its rows by an index. */
static void nothing_is_scanned(void **state)
{
    struct queue_job job;
    char id[20], sender[40];
    close_all();
    conf = conf_free(conf);
    set_conf("minimal_backoff_time = 1s\nbounce_queue_lifetime = 1s\n");
    open_all();
    for (int i = 0; i < 40; i++) { /* some whose time is over, some of an account, some for here */
        struct queue_rcpt rcpt = {.address = i % 3 ? S("a@example.net") : S("b@mail.example.org"),
                                  .local = i % 3 == 0,
                                  .notify = i % 2 ? SMTP_NOTIFY_SUCCESS : 0};
        struct err e = {0};
        snprintf(id, sizeof id, "id%d", i);
        snprintf(sender, sizeof sender, i % 10 ? "user%d@mail.example.org" : "", i % 5);
        struct queue_envelope v = {.id = str_c(id),
                                   .sender = str_c(sender),
                                   .account = i % 4 ? STR_NONE : str_c(sender),
                                   .client = S("unknown[192.0.2.1]"),
                                   .arrived = queue_wall(),
                                   .rcpts = &rcpt,
                                   .n = 1};
        assert_int_equal(queue_put(queue, &v, S("\n"), -1, &e), RC_OK);
    }
    clock_inject_offset(2000);
    while (queue_run_timers(queue))
        ;
    clock_inject_offset(0);
    for (int i = 0; i < 20; i++) {
        static const enum queue_result results[] = {QUEUE_RELAYED_BLIND, QUEUE_FAILED, QUEUE_DEFERRED};
        assert_true(take(i % 2 ? QUEUE_LOCAL : QUEUE_REMOTE, 2000, &job));
        report(&job, results[i % 3], false);
    }
    while (take(QUEUE_REMOTE, 10, &job))
        report(&job, QUEUE_DEFERRED, true); /* the site dies */
    queue_nudge(queue);
    assert_int_equal(queue_flush(queue), RC_OK);
    pthread_mutex_lock(&queue->lock);
    assert_int_equal(db_scanned(queue->reader), 0);
    assert_int_equal(db_scanned(queue->writer), 0);
    pthread_mutex_unlock(&queue->lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(paced),
        T(of_a_transport),
        T(paced_transport),
        T(deferred_on_a_busy_site),
        T(many_senders_one_site),
        T(fair_to_senders),
        T(slow_sites_hold_up_nobody),
        T(dead_site_is_probed),
        T(priorities),
        T(urgent_without_end),
        T(nothing_is_scanned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
