/* queue: what is put in comes out, once, and never gets lost on the way. */
#include "fixture.h"

#include "fmt/smtp_cmd.h"
#include "os/db.h"

#include <pthread.h>

static void once_and_whole(void **state)
{
    struct queue_job job;
    const char *to[] = {"a@example.net", "b@example.net"};
    put_many("id1", "me@example.org", to, 2, 0);
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    assert_str(job.envelope.id, "id1");
    assert_str(job.envelope.sender, "me@example.org");
    assert_str(job.envelope.trace, "Received: by test\n");
    assert_str(job.site_name, "example.net");
    assert_str(job.content, "Subject: test\n\nbody\n");
    assert_int_equal(job.envelope.n, 2);
    assert_str(job.envelope.rcpts[1].address, "b@example.net");
    report(&job, QUEUE_RELAYED, false);
    assert_false(take(QUEUE_REMOTE, 50, &job));
    close_all();
    open_all();
    assert_false(take(QUEUE_REMOTE, 50, &job));
}

static void survives_a_restart(void **state)
{
    struct queue_job job;
    put("id1", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    close_all(); /* the job's taker is gone */
    open_all();
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    assert_str(job.envelope.id, "id1");
}

/* Put, and the process ended before it could answer; the next one has delivered it when it is put again. */
static void put_again_when_it_has_left(void **state)
{
    enum { SIZE = 100 << 10 };
    struct queue_job job;
    struct err e = {0};
    char *bytes = calloc(1, SIZE);
    struct queue_rcpt to = {.address = S("a@example.net")};
    struct queue_envelope v = {
        .id = S("large"), .arrived = clock_wall() / 1000, .size = SIZE, .rcpts = &to, .n = 1};
    put("id1", "me@example.org", "a@example.net");
    assert_int_equal(queue_put(queue, &v, str_mem(bytes, SIZE), -1, &e), RC_OK);
    close_all();
    open_all();
    for (int i = 0; i < 2; i++) {
        assert_true(take(QUEUE_REMOTE, 2000, &job));
        report(&job, QUEUE_RELAYED, false);
    }
    await_releases();
    put("id1", "me@example.org", "a@example.net");
    assert_int_equal(queue_put(queue, &v, str_mem(bytes, SIZE), -1, &e), RC_OK);
    assert_false(take(QUEUE_REMOTE, 50, &job));
    assert_int_equal(files_in_use(), 0);
    put("id2", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    report(&job, QUEUE_RELAYED, false);
    free(bytes);
}

static void late_report_counts(void **state)
{
    struct queue_job job, other;
    put("id1", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    close_all();
    open_all();
    report(&job, QUEUE_RELAYED, false);
    assert_false(take(QUEUE_REMOTE, 50, &other));
}

static void given_back(void **state)
{
    struct queue_job job;
    put("id1", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    queue_give_back(queue, job.number);
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    report(&job, QUEUE_NOT_TRIED, false);
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    report(&job, QUEUE_RELAYED, false);
    assert_false(take(QUEUE_REMOTE, 50, &job));
}

static enum rc backdate_run(struct queue *q, void *arg, struct err *e)
{
    return db_run(q->writer, e, "UPDATE rcpt SET due=1");
}

/* Committed after a row that became due later had been read. */
static void committed_late(void **state)
{
    struct queue_job job;
    struct queue_op backdate = {.run = backdate_run};
    put("early", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    report(&job, QUEUE_RELAYED, false);
    await_releases();
    put("late", "me@example.org", "a@example.net");
    assert_int_equal(queue_commit(queue, &backdate), RC_OK);
    assert_true(take(QUEUE_REMOTE, 500, &job));
    assert_str(job.envelope.id, "late");
}

/* The same while another message of the lane is under way: only the look that comes each second reads it
 * again. */
static void committed_late_beside_another(void **state)
{
    struct queue_job early, late;
    struct queue_op backdate = {.run = backdate_run};
    put("early", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 2000, &early));
    put("late", "me@example.org", "a@example.net");
    assert_int_equal(queue_commit(queue, &backdate), RC_OK);
    assert_true(take(QUEUE_REMOTE, 4000, &late));
    assert_str(late.envelope.id, "late");
}

static void deferred_comes_back(void **state)
{
    struct queue_job job;
    put("id1", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    report(&job, QUEUE_DEFERRED, false);
    assert_false(take(QUEUE_REMOTE, 500, &job));
    assert_true(take(QUEUE_REMOTE, 4000, &job));
    assert_int_equal(job.attempts, 1);
}

static void failure_bounces(void **state)
{
    struct queue_job job;
    put("id1", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    report(&job, QUEUE_FAILED, false);
    assert_true(take(QUEUE_LOCAL, 2000, &job));
    assert_int_equal(job.envelope.sender.n, 0);
    assert_str(job.envelope.rcpts[0].address, "me@example.org");
    assert_true(str_find(job.content, S("550 5.1.1 no such user")) >= 0);
    assert_true(str_find(job.content, S("Final-Recipient: rfc822; a@example.net")) >= 0);
    assert_true(str_find(job.content, S("Action: failed")) >= 0);
    report(&job, QUEUE_FAILED,
           false); /* the postmaster hears of a bounce that fails, and nobody after that */
    assert_true(take(QUEUE_LOCAL, 2000, &job));
    assert_str(job.envelope.rcpts[0].address, "postmaster@mail.example.org");
    report(&job, QUEUE_FAILED, false);
    assert_false(take(QUEUE_LOCAL, 100, &job));
}

/* notify_classes: a copy for a postmaster of what is returned, with the header alone, and of what waits. */
static void postmasters_are_told(void **state)
{
    struct queue_job job;
    close_all();
    conf = conf_free(conf);
    set_conf("minimal_backoff_time = 1s\nmaximal_backoff_time = 1s\nnotify_classes = bounce, "
             "delay\ndelay_warning_time = 1s\n"
             "bounce_notice_recipient = b@example.com\ndelay_notice_recipient = "
             "waits\ndouble_bounce_notice_recipient = d@example.com\n");
    open_all();
    put("id1", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    report(&job, QUEUE_FAILED, false);
    assert_true(take(QUEUE_LOCAL, 2000, &job));
    assert_str(job.envelope.rcpts[0].address, "me@example.org");
    assert_true(str_find(job.content, S("Subject: Undelivered Mail Returned to Sender\n")) >= 0);
    report(&job, QUEUE_FAILED, false);
    assert_true(take(QUEUE_LOCAL, 2000, &job));
    assert_str(job.envelope.rcpts[0].address, "b@example.com");
    assert_true(str_find(job.content, S("Subject: Postmaster Copy: Undelivered Mail\n")) >= 0);
    assert_true(str_find(job.content, S("\nSubject: test\n")) >= 0 &&
                str_find(job.content, S("\nbody\n")) < 0);
    report(&job, QUEUE_FAILED, false);
    assert_true(take(QUEUE_LOCAL, 2000, &job));
    assert_str(job.envelope.rcpts[0].address, "d@example.com"); /* of the bounce that failed */
    report(&job, QUEUE_FAILED, false);
    assert_false(take(QUEUE_LOCAL, 100, &job)); /* nothing of the copies */
    put("id2", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    report(&job, QUEUE_DEFERRED, false);
    usleep(1100000);
    (void)queue_run_timers(queue);
    assert_true(take(QUEUE_LOCAL, 2000, &job));
    assert_str(job.envelope.rcpts[0].address, "me@example.org");
    assert_true(take(QUEUE_LOCAL, 2000, &job));
    assert_str(job.envelope.rcpts[0].address, "waits@mail.example.org");
    assert_true(str_find(job.content, S("Subject: Postmaster Warning: Delayed Mail\n")) >= 0);
}

/* bounce_template_file: other words for senders, with settings in them; postmasters get none of the text. */
static void other_words(void **state)
{
    struct queue_job job;
    close_all();
    conf = conf_free(conf);
    set_conf("notify_classes = bounce\nmaximal_queue_lifetime = 3d\n");
    open_all();
    queue_set_words(queue, S("failure_template = <<EOF\nSubject: Sorry\nFrom: The Post (nobody) "
                             "<post>\nPostmaster-Subject: Look\n\n"
                             "We at $myhostname of $mydomain waited $maximal_queue_lifetime_days days.\nEOF\n"
                             "delay_template = <<EOF\n\n$nothing\nEOF\n"));
    put("id1", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    report(&job, QUEUE_FAILED, false);
    assert_true(take(QUEUE_LOCAL, 2000, &job));
    assert_true(str_find(job.content, S("\nSubject: Sorry\n")) >= 0);
    assert_true(str_find(job.content, S("From: The Post (nobody) <post@mail.example.org>\n")) >= 0);
    assert_true(str_find(job.content,
                         S("\nWe at mail.example.org of example.org waited 3 days.\n\n<a@example.net>")) >=
                0);
    assert_true(str_find(job.content, S("could not be delivered")) < 0);
    assert_true(take(QUEUE_LOCAL, 2000, &job));
    assert_true(str_find(job.content, S("\nSubject: Look\n")) >= 0 && str_find(job.content, S("We at")) < 0);
}

/* Without the class 2bounce nobody hears of a bounce that fails. */
static void nobody_is_told(void **state)
{
    struct queue_job job;
    close_all();
    conf = conf_free(conf);
    set_conf("notify_classes = resource, software\n");
    open_all();
    put("id1", "", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    report(&job, QUEUE_FAILED, false);
    assert_false(take(QUEUE_LOCAL, 200, &job));
}

static void notify_is_obeyed(void **state)
{
    struct queue_job job;
    const char *to[] = {"a@example.net"};
    put_many("id1", "me@example.org", to, 1, SMTP_NOTIFY_NEVER);
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    report(&job, QUEUE_FAILED, false);
    assert_false(take(QUEUE_LOCAL, 100, &job));
    put_many("id2", "me@example.org", to, 1, SMTP_NOTIFY_SUCCESS);
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    report(&job, QUEUE_RELAYED_BLIND, false);
    assert_true(take(QUEUE_LOCAL, 2000, &job));
    assert_true(str_find(job.content, S("Action: relayed")) >= 0);
}

static void expires(void **state)
{
    struct queue_job job;
    close_all();
    conf = conf_free(conf);
    set_conf("minimal_backoff_time = 1s\nmaximal_backoff_time = 1s\nmaximal_queue_lifetime = 4s\n"
             "delay_warning_time = 1s\n");
    open_all();
    put("id1", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    report(&job, QUEUE_DEFERRED, false);
    assert_true(take(QUEUE_LOCAL, 5000, &job));
    assert_true(str_find(job.content, S("Action: delayed")) >= 0);
    report(&job, QUEUE_DELIVERED, false);
    assert_true(take(QUEUE_LOCAL, 6000, &job));
    assert_true(str_find(job.content, S("Action: failed")) >= 0);
    assert_true(str_find(job.content, S("expired")) >= 0);
}

/* A queue that version 1 wrote keeps its mail. */
static void old_version(void **state)
{
    static const char made[] =
        "CREATE TABLE message(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, sender TEXT NOT NULL,"
        " envid TEXT NOT NULL, ret INTEGER NOT NULL, flags INTEGER NOT NULL, account TEXT NOT NULL,"
        " client TEXT NOT NULL, message_id TEXT NOT NULL, arrived INTEGER NOT NULL, size INTEGER NOT NULL,"
        " lines INTEGER NOT NULL, expires INTEGER NOT NULL, warn INTEGER, timer INTEGER,"
        " trace BLOB NOT NULL, content BLOB);"
        "CREATE INDEX message_timer ON message(timer) WHERE timer IS NOT NULL;"
        "CREATE TABLE site(n INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, due INTEGER NOT NULL,"
        " retry INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0, reply TEXT NOT NULL DEFAULT "
        "'');"
        "CREATE INDEX site_due ON site(due);"
        "CREATE TABLE lane(n INTEGER PRIMARY KEY, site INTEGER NOT NULL, key TEXT NOT NULL,"
        " due INTEGER NOT NULL, UNIQUE(site, key));"
        "CREATE INDEX lane_due ON lane(site, due);"
        "CREATE TABLE rcpt(n INTEGER PRIMARY KEY, message INTEGER NOT NULL, lane INTEGER NOT NULL,"
        " due INTEGER NOT NULL, state INTEGER NOT NULL DEFAULT 0, held INTEGER NOT NULL DEFAULT 0,"
        " address TEXT NOT NULL, orig TEXT NOT NULL, orcpt TEXT NOT NULL, notify INTEGER NOT NULL,"
        " local INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, tried INTEGER NOT NULL DEFAULT 0,"
        " code INTEGER NOT NULL DEFAULT 0, status TEXT NOT NULL DEFAULT '', reply TEXT NOT NULL DEFAULT '',"
        " remote TEXT NOT NULL DEFAULT '');"
        "CREATE INDEX rcpt_lane ON rcpt(lane, due, n);"
        "CREATE INDEX rcpt_message ON rcpt(message);"
        "INSERT INTO message VALUES(1,'old','me@example.org','',0,0,'','c','m',1,3,1,9000000000000,NULL,"
        "9000000000000,x'',x'610a62');"
        "INSERT INTO site(n,name,due) VALUES(2,'example.net',1);"
        "INSERT INTO lane(n,site,key,due) VALUES(3,2,'me@example.org',1);"
        "INSERT INTO rcpt(n,message,lane,due,address,orig,orcpt,notify,local) "
        "VALUES(4,1,3,1,'a@example.net','',"
        "'',0,0);"
        "PRAGMA user_version=1;";
    struct queue_job job;
    struct err e = {0};
    struct db *db = NULL;
    char path[100], command[200];
    close_all();
    snprintf(path, sizeof path, "%s/queue.db", folder);
    snprintf(command, sizeof command, "rm %s/queue.db*", folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(db_open(path, DB_CREATE, &db, &e), RC_OK);
    assert_int_equal(db_script(db, made, &e), RC_OK);
    db_close(db);
    open_all();
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    assert_str(job.envelope.id, "old");
    assert_str(job.content, "a\nb");
    report(&job, QUEUE_DEFERRED, false);
    close_all();
    open_all();
    assert_true(take(QUEUE_REMOTE, 4000, &job));
    assert_int_equal(job.attempts, 1);
}

static void deleted_behind_its_back(void **state)
{
    struct queue_job job;
    char command[300];
    put("id1", "me@example.org", "a@example.net");
    put("id2", "me@example.org", "a@example.net");
    snprintf(
        command, sizeof command,
        "/usr/bin/python3 -c \"import sqlite3;c=sqlite3.connect('%s/queue.db');"
        "c.execute('DELETE FROM rcpt WHERE message=(SELECT n FROM message WHERE id=\\'id1\\')');c.commit()\"",
        folder);
    assert_int_equal(system(command), 0);
    queue_nudge(queue);
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    assert_str(job.envelope.id, "id2");
    report(&job, QUEUE_RELAYED, false);
    assert_false(take(QUEUE_REMOTE, 50, &job));
}

static void change_tables(const char *sql)
{
    AUTO(db_closep) struct db *db = NULL;
    struct err e = {0};
    char path[100];
    snprintf(path, sizeof path, "%s/queue.db", folder);
    assert_int_equal(db_open(path, 0, &db, &e), RC_OK);
    assert_int_equal(db_script(db, sql, &e), RC_OK);
}

/* A report that can never be written stops the others for as long as it is tried again, and no longer. */
static void unwritten_report_is_given_up(void **state)
{
    struct queue_job stuck, job;
    unsigned tries = 0;
    change_tables("CREATE TRIGGER stuck BEFORE UPDATE ON rcpt WHEN old.address='a@stuck.example' "
                  "BEGIN SELECT abs(old.n-old.n-9223372036854775807-1); END");
    put("id1", "me@example.org", "a@stuck.example");
    assert_true(take(QUEUE_REMOTE, 2000, &stuck));
    report(&stuck, QUEUE_DEFERRED, false);
    assert_int_equal(queue_flush(queue), RC_OK);
    put("id2", "me@example.org", "a@example.net");
    for (bool given_up = false; !given_up; tries++) {
        assert_in_range(tries, 0, 40);
        assert_int_equal(queue->n_unwritten, 1);
        assert_false(take(QUEUE_REMOTE, 0, &job));
        queue_rewrite(queue);
        assert_int_equal(queue_flush(queue), RC_OK); /* twice: it may be put back behind the first */
        assert_int_equal(queue_flush(queue), RC_OK);
        pthread_mutex_lock(&queue->lock);
        given_up = queue->n_unwritten == 0;
        pthread_mutex_unlock(&queue->lock);
    }
    assert_in_range(tries, 20, 30); /* some may be the queue's own */
    bool seen[3] = {false};
    change_tables("DROP TRIGGER stuck");
    for (int i = 0; i < 2; i++) { /* the one that is stuck is there again as it was */
        assert_true(take(QUEUE_REMOTE, 2000, &job));
        assert_int_equal(job.attempts, 0);
        seen[job.envelope.id.p[2] - '0'] = true;
        report(&job, QUEUE_RELAYED, false);
    }
    assert_true(seen[1] && seen[2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(once_and_whole),
        T(survives_a_restart),
        T(put_again_when_it_has_left),
        T(late_report_counts),
        T(given_back),
        T(committed_late),
        T(committed_late_beside_another),
        T(deferred_comes_back),
        T(failure_bounces),
        T(postmasters_are_told),
        T(nobody_is_told),
        T(other_words),
        T(notify_is_obeyed),
        T(expires),
        T(old_version),
        T(deleted_behind_its_back),
        T(unwritten_report_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
