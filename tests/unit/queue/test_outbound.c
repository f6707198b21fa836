/* queue/outbound: what an account may send, counted over hours and days that lie behind it, and its habits.
 */
#include "queue/admin.h"
#include "queue/queue_impl.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#define JOE "joe@example.org"

enum { HOUR_MS = 3600000 };

static char folder[64], path[100];
static int folder_fd;
static struct spool *spool;
static struct queue *queue;
static struct conf *conf;
static struct table_settings *tables;
static unsigned next_id;

static int begin(void **state)
{
    struct conf_report report = {0};
    struct err e = {0};
    snprintf(folder, sizeof folder, "/tmp/malle-outbound-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/queue.db", folder);
    folder_fd = open(folder, O_RDONLY | O_DIRECTORY);
    conf = conf_parse(
        S("hostname = mail.example.org\noutbound_surge_recipients = 50\noutbound_new_networks = 3\n"
          "outbound_recipients_per_day = 500\n"
          "outbound_country_maps = cidr:{{172.16.0.0/16 FR}, {172.17.0.0/16 DE}, {172.18.0.0/16 FR}}\n"),
        "test", &report);
    assert_non_null(conf);
    tables = table_settings_open(conf, "queue", NULL, &report);
    assert_non_null(tables);
    conf_report_deinit(&report);
    spool = spool_open(open(folder, O_RDONLY | O_DIRECTORY));
    assert_int_equal(queue_open(path, spool, conf, tables, &queue, &e), RC_OK);
    return 0;
}

static int end(void **state)
{
    char command[200];
    queue = queue_close(queue);
    spool = spool_close(spool);
    tables = table_settings_close(tables);
    conf = conf_free(conf);
    close(folder_fd);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

/* An hour of the past in which joe sent to so many. */
static void sent(int hours_ago, int rcpts)
{
    AUTO(db_closep) struct db *db = NULL;
    struct err e = {0};
    assert_int_equal(db_open(path, 0, &db, &e), RC_OK);
    assert_int_equal(db_run(db, &e, "INSERT INTO usage VALUES('" JOE "',?1,1,?2,0)",
                            DB_I(queue_wall() / HOUR_MS - hours_ago), DB_I(rcpts)),
                     RC_OK);
}

/* The answer to a message of joe's for n recipients elsewhere: 250 or an error's code. */
static int send_to(size_t n, const char *client)
{
    struct queue_rcpt rcpts[100] = {0};
    struct err e = {0};
    char id[20];
    snprintf(id, sizeof id, "m%u", next_id++);
    for (size_t i = 0; i < n; i++)
        rcpts[i].address = S("a@far.example");
    struct queue_envelope v = {.id = str_c(id),
                               .sender = S(JOE),
                               .account = S(JOE),
                               .client = str_c(client),
                               .arrived = queue_wall(),
                               .size = 4,
                               .rcpts = rcpts,
                               .n = n};
    return queue_put(queue, &v, S("x\n\ny"), -1, &e) == RC_OK ? 250 : e.code;
}

static void note(void *ctx, str account, int64_t since, str reason)
{
    snprintf(ctx, 300, STR_FMT ": " STR_FMT, STR_ARG(account), STR_ARG(reason));
}

/* "account: reason", or empty. */
static const char *frozen(void)
{
    static char text[300];
    struct queue_admin *a = NULL;
    struct err e = {0};
    text[0] = '\0';
    assert_int_equal(queue_admin_open(path, folder_fd, conf, &a, &e), RC_OK);
    assert_int_equal(queue_admin_each_frozen(a, note, text, &e), RC_OK);
    queue_admin_close(a);
    return text;
}

static void a_new_account_has_no_habits(void **state)
{
    sent(24, 1);
    assert_int_equal(send_to(90, "x[192.0.2.1]"), 250);
    assert_string_equal(frozen(), "");
}

static void a_surge_freezes(void **state)
{
    sent(8 * 24, 3);
    assert_int_equal(send_to(50, "x[192.0.2.1]"), 250); /* not more than outbound_surge_recipients */
    assert_int_equal(send_to(1, "x[192.0.2.1]"), 450);
    assert_string_equal(frozen(), JOE ": 51 recipients within an hour, where its busiest hour had 3");
    assert_int_equal(send_to(1, "x[192.0.2.1]"), 450);
}

static void a_busy_account_may(void **state)
{
    sent(8 * 24, 20);
    assert_int_equal(send_to(90, "x[192.0.2.1]"), 250); /* less than ten times its busiest hour */
    assert_string_equal(frozen(), "");
}

static void new_networks_freeze(void **state)
{
    sent(8 * 24, 3);
    for (int i = 0; i < 3; i++) {
        char client[40];
        snprintf(client, sizeof client, "unknown[10.%d.1.1]", i);
        assert_int_equal(send_to(1, client), 250);
        snprintf(client, sizeof client, "unknown[10.%d.2.2]", i); /* the same network */
        assert_int_equal(send_to(1, client), 250);
    }
    assert_int_equal(send_to(1, "localhost[127.0.0.1]"), 250);
    assert_int_equal(send_to(1, "unknown[2001:db8::1]"), 450);
    assert_string_equal(frozen(), JOE ": it sends from 4 networks within an hour that it never used before");
}

/* One of them may be a journey. */
static void new_countries_freeze(void **state)
{
    sent(8 * 24, 3);
    assert_int_equal(send_to(1, "x[172.16.1.1]"), 250);
    assert_int_equal(send_to(1, "x[172.18.1.1]"), 250); /* the same country */
    assert_int_equal(send_to(1, "x[172.17.1.1]"), 450);
    assert_string_equal(frozen(), JOE ": it sends from 2 countries within an hour that it never used before");
}

static void a_day_has_24_hours(void **state)
{
    sent(25, 300);
    sent(23, 420);
    assert_int_equal(send_to(80, "x[192.0.2.1]"), 250);
    assert_int_equal(send_to(1, "x[192.0.2.1]"), 450);
    assert_string_equal(frozen(), ""); /* too much is no reason to suspect anybody */
}

static void the_future_does_not_count(void **state)
{
    sent(8 * 24, 3);
    sent(-30, 2000);
    clock_inject_wall_offset(6 * 24 * HOUR_MS);
    for (int i = 0; i < 3; i++) {
        char client[40];
        snprintf(client, sizeof client, "unknown[10.%d.1.1]", i);
        assert_int_equal(send_to(1, client), 250);
    }
    clock_inject_wall_offset(0);
    assert_int_equal(send_to(1, "unknown[2001:db8::1]"), 250);
    assert_string_equal(frozen(), "");
}

static void what_is_old_is_forgotten(void **state)
{
    AUTO(db_closep) struct db *db = NULL;
    struct err e = {0};
    int64_t n = 0;
    sent(31 * 24, 3);
    sent(29 * 24, 3);
    assert_int_equal(send_to(1, "x[192.0.2.1]"), 250);
    assert_int_equal(db_open(path, 0, &db, &e), RC_OK);
    assert_int_equal(db_get_int_args(db, &n, &e, "SELECT count(*) FROM usage", NULL, 0), RC_OK);
    assert_int_equal(n, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_account_has_no_habits, begin, end),
        cmocka_unit_test_setup_teardown(a_surge_freezes, begin, end),
        cmocka_unit_test_setup_teardown(a_busy_account_may, begin, end),
        cmocka_unit_test_setup_teardown(new_networks_freeze, begin, end),
        cmocka_unit_test_setup_teardown(new_countries_freeze, begin, end),
        cmocka_unit_test_setup_teardown(a_day_has_24_hours, begin, end),
        cmocka_unit_test_setup_teardown(the_future_does_not_count, begin, end),
        cmocka_unit_test_setup_teardown(what_is_old_is_forgotten, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
