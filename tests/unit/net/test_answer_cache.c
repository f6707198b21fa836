/* answer_cache: one asker, many who wait, expiry, limits; and the hosts table. */
#include "net/answer_cache.h"
#include "net/hosts.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { LONG_MS = 60000, WAITERS = 8 };

static struct answer_cache *cache_of(size_t questions, size_t pending, size_t bytes)
{
    return answer_cache_new(
        (struct cache_limits){.questions = questions, .pending = pending, .bytes = bytes});
}

static struct dns_answer *text_answer(const char *text)
{
    str record = str_c(text);
    return dns_answer_new(DNS_SECURE, false, &record, 1, STR_NONE);
}

/* Asks, settles when it is the one to do so, and says whether it was. */
static bool ask_and_settle(struct answer_cache *c, const char *name, const char *text, msec ttl)
{
    struct question *q;
    bool asks;
    const struct dns_answer *a = NULL;
    assert_int_equal(cache_ask(c, str_c(name), DNS_A, &q, &asks), RC_OK);
    if (asks)
        cache_settle(c, q, text ? text_answer(text) : NULL, ttl);
    enum rc rc = cache_wait(c, q, clock_mono() + LONG_MS, &a);
    assert_int_equal(rc, text ? RC_OK : RC_TEMP);
    if (a) {
        assert_int_equal(a->n, 1);
        assert_true(str_eq(a->rdata[0], str_c(text)));
        assert_string_equal(a->why, "");
    }
    dns_answer_free(a);
    return asks;
}

static void test_remembers(void **state)
{
    struct answer_cache *c = cache_of(10, 5, 10000);
    assert_true(ask_and_settle(c, "a.example", "1", 1000));
    assert_false(ask_and_settle(c, "A.Example.", "1", 1000)); /* case and the last dot do not matter */
    assert_true(ask_and_settle(c, "b.example", "2", 1000));
    assert_true(ask_and_settle(c, "f.example", NULL, 1000));
    assert_false(ask_and_settle(c, "f.example", NULL, 1000)); /* a failure too */
    struct question *q;
    bool asks;
    const struct dns_answer *a = NULL;
    assert_int_equal(cache_ask(c, S("a.example"), DNS_AAAA, &q, &asks), RC_OK);
    assert_true(asks); /* another type is another question */
    cache_settle(c, q, NULL, 1000);
    assert_int_equal(cache_wait(c, q, clock_mono(), &a), RC_TEMP);
    clock_inject_offset(1001);
    assert_true(ask_and_settle(c, "a.example", "3", 1000));
    clock_inject_offset(0);
    answer_cache_free(c);
}

static void test_deadline(void **state)
{
    struct answer_cache *c = cache_of(10, 2, 10000);
    struct question *q, *again, *other, *third;
    bool asks;
    const struct dns_answer *a = NULL;
    msec begin = clock_mono();
    assert_int_equal(cache_ask(c, S("slow.example"), DNS_A, &q, &asks), RC_OK);
    assert_int_equal(cache_wait(c, q, begin + 50, &a), RC_TEMP);
    assert_true(clock_mono() - begin >= 50);
    assert_int_equal(cache_ask(c, S("slow.example"), DNS_A, &again, &asks), RC_OK);
    assert_false(asks); /* still under way */
    assert_int_equal(cache_wait(c, again, begin, &a), RC_TEMP);
    assert_int_equal(cache_ask(c, S("other.example"), DNS_A, &other, &asks), RC_OK);
    assert_int_equal(cache_ask(c, S("third.example"), DNS_A, &third, &asks), RC_LIMIT);
    cache_settle(c, q, text_answer("late"), 1000);
    assert_int_equal(cache_ask(c, S("third.example"), DNS_A, &third, &asks), RC_OK);
    cache_settle(c, third, NULL, 0);
    assert_int_equal(cache_wait(c, third, begin, &a), RC_TEMP);
    cache_settle(c, other, NULL, 0);
    assert_int_equal(cache_wait(c, other, begin, &a), RC_TEMP);
    assert_false(ask_and_settle(c, "slow.example", "late", 1000));
    answer_cache_free(c);
}

static void test_count_is_bounded(void **state)
{
    struct answer_cache *c = cache_of(4, 3, 10000);
    char name[] = "a.example";
    struct question *pending;
    bool asks;
    const struct dns_answer *a = NULL;
    assert_int_equal(cache_ask(c, S("pending.example"), DNS_A, &pending, &asks), RC_OK);
    for (int i = 0; i < 20; i++, name[0]++)
        assert_true(ask_and_settle(c, name, "x", LONG_MS));
    name[0]--;
    assert_false(ask_and_settle(c, name, "x", LONG_MS)); /* the newest three are there */
    name[0] -= 2;
    assert_false(ask_and_settle(c, name, "x", LONG_MS));
    name[0]--;
    assert_true(ask_and_settle(c, name, "x", LONG_MS));
    cache_settle(c, pending, text_answer("kept"),
                 LONG_MS); /* the oldest, and not forgotten, as it was pending */
    assert_int_equal(cache_wait(c, pending, clock_mono(), &a), RC_OK);
    dns_answer_free(a);
    answer_cache_free(c);
}

static void test_bytes_are_bounded(void **state)
{
    struct answer_cache *c = cache_of(100, 10, 3000);
    char big[1000];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    assert_true(ask_and_settle(c, "a.example", big, LONG_MS));
    assert_true(ask_and_settle(c, "b.example", big, LONG_MS));
    assert_false(ask_and_settle(c, "a.example", big, LONG_MS));
    assert_true(ask_and_settle(c, "c.example", big, LONG_MS));
    assert_false(ask_and_settle(c, "c.example", big, LONG_MS));
    assert_true(ask_and_settle(c, "a.example", big, LONG_MS));
    answer_cache_free(c);
}

struct waiter {
    struct answer_cache *cache;
    struct question *question;
    bool got;
};

static void *waiter_main(void *arg)
{
    struct waiter *w = arg;
    const struct dns_answer *a = NULL;
    enum rc rc = cache_wait(w->cache, w->question, clock_mono() + LONG_MS, &a);
    w->got = rc == RC_OK && a->n == 1 && str_eq(a->rdata[0], S("shared"));
    dns_answer_free(a);
    return NULL;
}

static void test_all_waiters_are_woken(void **state)
{
    struct answer_cache *c = cache_of(10, 5, 10000);
    struct waiter w[WAITERS];
    pthread_t id[WAITERS];
    struct question *first = NULL;
    for (int i = 0; i < WAITERS; i++) {
        bool asks;
        w[i] = (struct waiter){.cache = c};
        assert_int_equal(cache_ask(c, S("x.example"), DNS_A, &w[i].question, &asks), RC_OK);
        assert_int_equal(asks, i == 0);
        first = w[0].question;
        assert_int_equal(pthread_create(&id[i], NULL, waiter_main, &w[i]), 0);
    }
    cache_settle(c, first, text_answer("shared"), 0);
    assert_true(
        ask_and_settle(c, "x.example", "new", 0)); /* expired at once: forgotten under those who wait */
    for (int i = 0; i < WAITERS; i++) {
        assert_int_equal(pthread_join(id[i], NULL), 0);
        assert_true(w[i].got);
    }
    answer_cache_free(c);
}

static void test_bogus_answer(void **state)
{
    const struct dns_answer *a = dns_answer_new(DNS_BOGUS, false, NULL, 0, S("signature expired"));
    assert_int_equal(a->n, 0);
    assert_string_equal(a->why, "signature expired");
    assert_null(dns_answer_free(a));
    assert_null(dns_answer_free(NULL));
}

static void test_hosts(void **state)
{
    static const struct {
        const char *address, *name;
    } rows[] = {
        {"127.0.0.1", "localhost"},
        {"::1", "ip6-localhost"},
        {"192.0.2.1", "first.example"},
        {"192.0.2.2", ""},
        {"192.0.2.3", ""},
        {"192.0.2.4", "crlf.example"},
        {"::ffff:127.0.0.1", "localhost"},
    };
    struct hosts *h =
        hosts_new(S("# hosts\n127.0.0.1 localhost\n::1\tip6-localhost  ip6-loopback\n\n"
                    "192.0.2.1 first.example second.example # comment\n192.0.2.1 third.example\n"
                    "192.0.2.2\n192.0.2.3 #x\n 192.0.2.4 crlf.example\r\nfoo bar\n192.0.2.5 last\n"
                    "192.0.2.6 Third.Example"));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ip_net ip;
        assert_int_equal(ip_parse(str_c(rows[i].address), &ip), RC_OK);
        assert_true(str_eq(hosts_name(h, &ip), str_c(rows[i].name)));
    }
    static const struct {
        const char *name, *addresses;
    } back[] = {
        {"localhost", "127.0.0.1"},
        {"IP6-loopback", "::1"},
        {"second.example", "192.0.2.1"},
        {"third.example", "192.0.2.1 192.0.2.6"},
        {"x", ""},
        {"nobody.example", ""},
    };
    for (size_t i = 0; i < sizeof back / sizeof *back; i++) {
        struct ip_net found[4], wanted;
        str rest = str_c(back[i].addresses);
        size_t n = hosts_addresses(h, str_c(back[i].name), found, 4);
        for (size_t k = 0; k < n; k++) {
            assert_int_equal(ip_parse(str_word(&rest), &wanted), RC_OK);
            assert_memory_equal(found[k].addr, wanted.addr, sizeof wanted.addr);
        }
        assert_int_equal(str_trim(rest).n, 0);
    }
    assert_int_equal(hosts_addresses(h, S("third.example"), &(struct ip_net){.bits = 0}, 1), 1);
    assert_null(hosts_free(h));
    assert_null(hosts_free(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_remembers),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_count_is_bounded),
        cmocka_unit_test(test_bytes_are_bounded),
        cmocka_unit_test(test_all_waiters_are_woken),
        cmocka_unit_test(test_bogus_answer),
        cmocka_unit_test(test_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
