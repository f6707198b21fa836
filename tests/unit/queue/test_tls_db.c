/* queue/tls_db: policies and counts, also after it was closed. */
#include "queue/tls_db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], path[100];
static struct tls_db *db;
static struct arena *arena;

static int begin(void **state)
{
    struct err e = {0};
    snprintf(folder, sizeof folder, "/tmp/malle-tlsdb-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/tls.db", folder);
    arena = arena_new(1 << 20);
    return tls_db_open(path, &db, &e) == RC_OK ? 0 : -1;
}

static int end(void **state)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    tls_db_closep(&db);
    arena_free(arena);
    for (size_t i = 0; i < 3; i++) {
        char name[120];
        snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        (void)unlink(name);
    }
    return rmdir(folder);
}

static void reopen(void)
{
    struct err e = {0};
    tls_db_closep(&db);
    assert_int_equal(tls_db_open(path, &db, &e), RC_OK);
}

static void keep(const char *domain, const char *id, int64_t expires, int64_t refresh)
{
    struct err e = {0};
    const struct tls_db_policy p = {str_c(domain), str_c(id), S("text"), expires, refresh};
    assert_int_equal(tls_db_put(db, &p, &e), RC_OK);
}

static void policies(void **state)
{
    struct tls_db_policy p;
    struct err e = {0};
    assert_int_equal(tls_db_find(db, S("a.example"), arena, &p, &e), RC_GONE);
    assert_int_equal(tls_db_find_due(db, 0, arena, &p, &e), RC_GONE);
    keep("a.example", "1", 100, 50);
    keep("b.example", "7", 200, 40);
    keep("a.example", "2", 110, 60); /* in place of the first one */
    reopen();
    assert_int_equal(tls_db_find(db, S("a.example"), arena, &p, &e), RC_OK);
    assert_true(str_eq(p.id, S("2")) && str_eq(p.text, S("text")) && p.expires == 110 && p.refresh == 60);
    assert_int_equal(tls_db_find_due(db, 10, arena, &p, &e), RC_OK);
    assert_true(str_eq(p.domain, S("b.example")) && p.refresh == 40);
    assert_int_equal(tls_db_find_due(db, 150, arena, &p, &e), RC_OK);
    assert_int_equal(tls_db_find(db, S("a.example"), arena, &p, &e), RC_GONE); /* it has expired */
}

static void bounded(void **state)
{
    struct err e = {0};
    for (int i = 0; i < TLS_DB_POLICIES_MAX; i++) {
        char name[32];
        snprintf(name, sizeof name, "d%d.example", i);
        keep(name, "1", 1000, 500);
    }
    const struct tls_db_policy more = {S("more.example"), S("1"), S("text"), 1000, 500};
    assert_int_equal(tls_db_put(db, &more, &e), RC_LIMIT);
    keep("d0.example", "2", 1000, 500);
}

struct seen {
    size_t n;
    int64_t sessions, latest;
};

static void see(void *ctx, const struct tls_db_count *c)
{
    struct seen *s = ctx;
    s->latest = s->n++ == 0 ? c->day : s->latest;
    s->sessions += c->sessions;
    assert_true(str_eq(c->domain, S("a.example")));
}

static void add(int64_t day, enum tlsrpt_result result, const char *mx)
{
    struct err e = {0};
    const struct tls_db_count c = {day, S("a.example"), TLSRPT_STS, result, str_c(mx), 0};
    assert_int_equal(tls_db_add(db, &c, &e), RC_OK);
}

static void counts(void **state)
{
    struct seen s = {0};
    struct err e = {0};
    add(100, TLSRPT_SUCCESS, "mx.a.example");
    add(100, TLSRPT_SUCCESS, "mx.a.example");
    add(100, TLSRPT_STS_WEBPKI_INVALID, "");
    add(101, TLSRPT_SUCCESS, "mx.a.example");
    reopen();
    assert_int_equal(tls_db_each(db, see, &s, &e), RC_OK);
    assert_true(s.n == 3 && s.sessions == 4 && s.latest == 101);
    add(100 + TLS_DB_DAYS, TLSRPT_SUCCESS, "mx.a.example"); /* forgets day 100 */
    s = (struct seen){0};
    assert_int_equal(tls_db_each(db, see, &s, &e), RC_OK);
    assert_true(s.n == 2 && s.sessions == 2 && s.latest == 100 + TLS_DB_DAYS);
}

/* Every word is there, and no two are the same. */
static void words(void **state)
{
    for (int i = 0; i < TLSRPT_RESULTS; i++)
        for (int k = 0; k < i; k++)
            assert_string_not_equal(tlsrpt_result_name((enum tlsrpt_result)i),
                                    tlsrpt_result_name((enum tlsrpt_result)k));
    assert_string_equal(tlsrpt_policy_name(TLSRPT_NO_POLICY), "no-policy-found");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(policies, begin, end),
                                       cmocka_unit_test_setup_teardown(bounded, begin, end),
                                       cmocka_unit_test_setup_teardown(counts, begin, end),
                                       cmocka_unit_test(words)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
