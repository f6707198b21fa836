/* The SQLite wrapper: values, transactions, and errors by their kind. */
#include "os/db.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

static char path[200];

static int setup(void **state)
{
    struct err e;
    struct db *db = NULL;
    snprintf(path, sizeof path, "/tmp/malle-db-%d.db", (int)getpid());
    unlink(path);
    assert_int_equal(db_open(path, DB_CREATE, &db, &e), RC_OK);
    assert_int_equal(db_script(db, "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT UNIQUE, b BLOB)", &e),
                     RC_OK);
    *state = db;
    return 0;
}

static int teardown(void **state)
{
    db_close(*state);
    unlink(path);
    return 0;
}

static void test_values(void **state)
{
    struct db *db = *state;
    struct err e;
    AUTO(db_done) struct db_stmt *q = NULL;
    int64_t n = 0;
    assert_int_equal(db_run(db, &e, "INSERT INTO t VALUES (?1, ?2, ?3)", DB_I(-5), DB_T(S("x\0y")), DB_NULL),
                     RC_OK);
    assert_int_equal(
        db_run(db, &e, "INSERT INTO t VALUES (?1, ?2, ?3)", DB_I(7), DB_T(STR_NONE), DB_B(S("\0\1"))), RC_OK);
    assert_int_equal(db_changes(db), 1);
    assert_int_equal(db_last_id(db), 7);
    assert_int_equal(db_query(db, &q, &e, "SELECT id, a, b FROM t ORDER BY id"), RC_OK);
    assert_int_equal(db_step(q, &e), RC_OK);
    assert_int_equal(db_int(q, 0), -5);
    assert_true(str_eq(db_text(q, 1), S("x\0y")));
    assert_true(db_is_null(q, 2));
    assert_int_equal(db_step(q, &e), RC_OK);
    assert_int_equal(db_text(q, 1).n, 0);
    assert_false(db_is_null(q, 1));
    assert_true(str_eq(db_blob(q, 2), S("\0\1")));
    assert_int_equal(db_step(q, &e), RC_GONE);
    assert_int_equal(db_get_int(db, &n, &e, "SELECT count(*) FROM t WHERE id > ?1", DB_I(0)), RC_OK);
    assert_int_equal(n, 1);
    assert_int_equal(db_get_int(db, &n, &e, "SELECT id FROM t WHERE id = 99"), RC_GONE);
}

static void test_scanned(void **state)
{
    struct db *db = *state;
    struct err e;
    int64_t n;
    for (int i = 0; i < 20; i++)
        assert_int_equal(db_run(db, &e, "INSERT INTO t(b) VALUES (?1)", DB_I(i)), RC_OK);
    assert_int_equal(db_get_int(db, &n, &e, "SELECT b FROM t WHERE id=?1", DB_I(10)), RC_OK);
    assert_int_equal(db_scanned(db), 0);
    assert_int_equal(db_get_int(db, &n, &e, "SELECT id FROM t WHERE b=?1", DB_I(19)), RC_OK);
    assert_int_equal(db_scanned(db), 19);
}

static void test_transactions(void **state)
{
    struct db *db = *state, *other = NULL;
    struct err e;
    int64_t n = 0;
    assert_int_equal(db_begin(db, false, &e), RC_OK);
    assert_true(db_in_transaction(db));
    assert_int_equal(db_run(db, &e, "INSERT INTO t (a) VALUES ('one')"), RC_OK);
    db_rollback(db);
    db_rollback(db);
    assert_int_equal(db_begin(db, true, &e), RC_OK);
    assert_int_equal(db_run(db, &e, "INSERT INTO t (a) VALUES ('two')"), RC_OK);
    assert_int_equal(db_commit(db, &e), RC_OK);
    assert_int_equal(db_open(path, DB_READ_ONLY, &other, &e), RC_OK);
    assert_int_equal(db_get_int(other, &n, &e, "SELECT count(*) FROM t"), RC_OK);
    assert_int_equal(n, 1);
    assert_int_equal(db_run(other, &e, "DELETE FROM t"), RC_PERM);
    db_close(other);
}

static void test_errors(void **state)
{
    struct db *db = *state, *bad = NULL;
    struct err e;
    assert_int_equal(db_run(db, &e, "INSERT INTO t (a) VALUES ('same')"), RC_OK);
    assert_int_equal(db_run(db, &e, "INSERT INTO t (a) VALUES ('same')"), RC_PERM);
    assert_int_equal(db_run(db, &e, "no such statement"), RC_TEMP);
    assert_null(strstr(e.peer, "statement")); /* queries never reach the peer */
    assert_non_null(strstr(err_text(&e), "statement"));
    char garbage[300], below[310];
    snprintf(garbage, sizeof garbage, "%s.garbage", path);
    snprintf(below, sizeof below, "%s/x.db", garbage);
    int fd = open(garbage, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    for (int i = 0; i < 100; i++)
        assert_int_equal(write(fd, "this is no database at all, ", 28), 28);
    close(fd);
    assert_int_equal(db_open(below, DB_CREATE, &bad, &e), RC_TEMP); /* in no directory */
    assert_int_equal(db_open(garbage, 0, &bad, &e), RC_TEMP);
    assert_int_equal(db_open(garbage, DB_DISPOSABLE, &bad, &e), RC_INVALID);
    assert_null(bad);
    unlink(garbage);
}

static void test_many_statements(void **state)
{
    static const char *const sql[] = {"SELECT 1", "SELECT 2", "SELECT 3", "SELECT 4"};
    struct db *db = *state;
    struct err e;
    static char text[300][32];
    for (int i = 0; i < 300; i++) { /* more than the cache holds */
        int64_t n = 0;
        snprintf(text[i], sizeof text[i], "SELECT %d", i);
        assert_int_equal(db_get_int(db, &n, &e, text[i]), RC_OK);
        assert_int_equal(n, i);
        assert_int_equal(db_get_int(db, &n, &e, sql[i % 4]), RC_OK);
        assert_int_equal(n, i % 4 + 1);
    }
    struct db_stmt *a = NULL, *b = NULL; /* the same text twice at once */
    assert_int_equal(db_query(db, &a, &e, sql[0]), RC_OK);
    assert_int_equal(db_query(db, &b, &e, sql[0]), RC_OK);
    assert_ptr_not_equal(a, b);
    db_done(&a);
    db_done(&b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* Another program's database: read as it is, never written, statements from outside, bounded in time. */
static void test_foreign(void **state)
{
    struct db *own = *state, *db = NULL;
    struct err e = {0};
    struct db_stmt *q = NULL;
    assert_int_equal(db_run(own, &e, "INSERT INTO t VALUES (77, 'x', NULL)"), RC_OK);
    assert_int_equal(db_open(path, DB_READ_ONLY | DB_FOREIGN, &db, &e), RC_OK);
    for (int i = 0; i < 200; i++) { /* more than are kept */
        char sql[80];
        snprintf(sql, sizeof sql, "SELECT a, %d FROM t WHERE id = 77; and more", i);
        assert_int_equal(db_query_text(db, &q, &e, str_c(sql)), RC_OK);
        assert_int_equal(db_step(q, &e), RC_OK);
        assert_true(str_eq(db_text(q, 0), S("x")) && db_int(q, 1) == i);
        assert_int_equal(db_step(q, &e), RC_GONE);
        db_done(&q);
        assert_null(q);
    }
    assert_int_equal(db_query_text(db, &q, &e, S("SELECT nonsense FROM t")), RC_TEMP);
    assert_int_equal(db_query_text(db, &q, &e, S(" -- nothing")), RC_PERM);
    assert_int_equal(db_query_text(db, &q, &e, S("DELETE FROM t")), RC_OK);
    assert_int_equal(db_step(q, &e), RC_PERM);
    db_done(&q);
    db_set_patience(db, 50);
    assert_int_equal(db_query_text(db, &q, &e,
                                   S("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                                     "SELECT count(*) FROM n")),
                     RC_OK);
    assert_int_equal(db_step(q, &e), RC_TEMP);
    db_done(&q);
    db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_values), TEST(test_transactions),    TEST(test_scanned),
                                       TEST(test_errors), TEST(test_many_statements), TEST(test_foreign)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
