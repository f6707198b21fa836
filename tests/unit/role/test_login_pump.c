/* role/login_pump: bytes both ways, backpressure, half-close, leftovers first, many connections, stopping. */
#include "role/login_pump.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

static struct pump *pump;
static pthread_t pump_thread;
static atomic_int ended_count;
static atomic_ullong ended_in, ended_out;
static struct stream *_Atomic given_back; /* by the last one that ended */

static void ended(void *ctx, const struct pump_traffic *traffic, struct stream *client)
{
    atomic_fetch_add(&ended_in, traffic->in);
    atomic_fetch_add(&ended_out, traffic->out);
    atomic_store(&given_back, client);
    atomic_fetch_add(&ended_count, 1);
}

static int start_pump(void **state)
{
    atomic_store(&ended_count, 0);
    atomic_store(&ended_in, 0);
    atomic_store(&ended_out, 0);
    return pump_new(&pump) == RC_OK && pthread_create(&pump_thread, NULL, pump_run, pump) == 0 ? 0 : -1;
}

static int stop_pump(void **state)
{
    pump_stop(pump);
    pthread_join(pump_thread, NULL);
    pump = pump_free(pump);
    return 0;
}

static void wait_ended(int count)
{
    for (int i = 0; i < 500 && atomic_load(&ended_count) < count; i++)
        poll(NULL, 0, 10);
    assert_int_equal(atomic_load(&ended_count), count);
}

struct ends {
    int client, session; /* the far ends */
};

static struct ends connect_ends(str leftover)
{
    int c[2], s[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, c), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s), 0);
    struct stream *io = stream_new(c[0], 1024);
    if (leftover.n) {
        str seen;
        assert_int_equal(write(c[1], leftover.p, leftover.n), leftover.n);
        assert_int_equal(stream_read(io, &seen), RC_OK);
    }
    pump_add(pump, io, s[0], ended, NULL);
    return (struct ends){c[1], s[1]};
}

static void expect_bytes(int fd, str want)
{
    char got[256];
    size_t n = 0;
    while (n < want.n) {
        ssize_t r = read(fd, got + n, want.n - n);
        assert_true(r > 0);
        n += (size_t)r;
    }
    assert_memory_equal(got, want.p, want.n);
}

static void expect_end(int fd)
{
    char c;
    assert_int_equal(read(fd, &c, 1), 0);
}

static void leftover_goes_first_and_both_ways_work(void **state)
{
    struct ends e = connect_ends(S("a1 NOOP\r\n"));
    assert_int_equal(write(e.client, "a2 NOOP\r\n", 9), 9);
    expect_bytes(e.session, S("a1 NOOP\r\na2 NOOP\r\n"));
    assert_int_equal(write(e.session, "a1 OK\r\n", 7), 7);
    expect_bytes(e.client, S("a1 OK\r\n"));
    close(e.session);
    expect_end(e.client);
    wait_ended(1);
    assert_int_equal(atomic_load(&ended_in), 18);
    assert_int_equal(atomic_load(&ended_out), 7);
    close(e.client);
}

static void client_that_half_closes_still_hears_the_end(void **state)
{
    struct ends e = connect_ends(STR_NONE);
    assert_int_equal(write(e.client, "QUIT\r\n", 6), 6);
    shutdown(e.client, SHUT_WR);
    expect_bytes(e.session, S("QUIT\r\n"));
    expect_end(e.session);
    assert_int_equal(write(e.session, "+OK\r\n", 5), 5);
    close(e.session);
    expect_bytes(e.client, S("+OK\r\n"));
    expect_end(e.client);
    wait_ended(1);
    close(e.client);
}

static void client_that_vanishes_ends_the_session(void **state)
{
    struct ends e = connect_ends(STR_NONE);
    close(e.client);
    expect_end(e.session);
    assert_int_equal(send(e.session, "* 1 EXISTS\r\n", 12, MSG_NOSIGNAL), 12);
    wait_ended(1);
    close(e.session);
}

static void session_that_stops_listening_has_the_last_word(void **state)
{
    struct ends e = connect_ends(STR_NONE);
    shutdown(e.session, SHUT_RD);
    assert_int_equal(write(e.client, "more\r\n", 6), 6);
    poll(NULL, 0, 20);
    assert_int_equal(write(e.session, "* BYE\r\n", 7), 7);
    close(e.session);
    expect_bytes(e.client, S("* BYE\r\n"));
    expect_end(e.client);
    wait_ended(1);
    close(e.client);
}

static size_t write_until_full(int fd)
{
    static char block[65536];
    size_t total = 0;
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    while (poll(&p, 1, 200) == 1) {
        ssize_t n = send(fd, block, sizeof block, MSG_DONTWAIT | MSG_NOSIGNAL);
        assert_true(n > 0);
        total += (size_t)n;
        assert_true(total < 8u << 20);
    }
    return total;
}

static void reader_that_stalls_holds_its_writer_back(void **state)
{
    struct ends e = connect_ends(STR_NONE), other = connect_ends(STR_NONE);
    size_t sent = write_until_full(e.session);
    assert_true(sent > 0);
    /* nobody else notices */
    assert_int_equal(write(other.client, "x", 1), 1);
    expect_bytes(other.session, S("x"));
    close(e.session);
    size_t got = 0;
    static char block[65536];
    ssize_t n;
    while ((n = read(e.client, block, sizeof block)) > 0)
        got += (size_t)n;
    assert_int_equal(got, sent);
    wait_ended(1);
    close(e.client);
    close(other.session);
    wait_ended(2);
    close(other.client);
}

enum { MANY = 200, ROUNDS = 50 };

static void many_connections_at_once(void **state)
{
    static struct ends e[MANY];
    for (int i = 0; i < MANY; i++)
        e[i] = connect_ends(STR_NONE);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < MANY; i++)
            assert_int_equal(write(e[i].client, &i, sizeof i), sizeof i);
        for (int i = 0; i < MANY; i++) {
            int got;
            assert_int_equal(read(e[i].session, &got, sizeof got), sizeof got);
            assert_int_equal(got, i);
        }
    }
    for (int i = 0; i < MANY; i++) {
        close(i % 2 ? e[i].session : e[i].client);
        if (i % 2)
            close(e[i].client);
        else
            close(e[i].session);
    }
    wait_ended(MANY);
    assert_int_equal(atomic_load(&ended_in), (unsigned long long)MANY * ROUNDS * sizeof(int));
}

/* What a session does with UNAUTHENTICATE, after it has read `reads` of the client's bytes. */
static void end_session(int fd, size_t reads)
{
    struct stream *io = stream_new(fd, 65536);
    str in;
    assert_int_equal(stream_read(io, &in), RC_OK);
    assert_true(in.n >= reads);
    stream_consume(io, reads);
    stream_write(io, S("a OK\r\n"));
    pump_give_back(io);
    stream_freep(&io);
}

static void connection_that_is_given_back_goes_on(void **state)
{
    for (int extra = 0; extra < 2; extra++) { /* with nothing behind the command, and with the next one */
        str input = extra ? S("a UNAUTHENTICATE\r\nb LOGIN x y\r\n") : S("a UNAUTHENTICATE\r\n"), in;
        struct ends e = connect_ends(STR_NONE);
        assert_int_equal(write(e.client, input.p, input.n), input.n);
        poll(NULL, 0, 20);
        end_session(e.session, 18);
        wait_ended(extra + 1);
        expect_bytes(e.client, S("a OK\r\n"));
        struct stream *io = atomic_load(&given_back);
        assert_non_null(io);
        assert_int_equal(write(e.client, "c NOOP\r\n", 8), 8);
        if (extra) {
            assert_int_equal(stream_read(io, &in), RC_OK);
            assert_true(str_eq(in, S("b LOGIN x y\r\n")));
            stream_consume(io, in.n);
        }
        assert_int_equal(stream_read(io, &in), RC_OK);
        assert_true(str_eq(in, S("c NOOP\r\n")));
        stream_freep(&io);
        expect_end(e.client);
        close(e.client);
    }
}

static void too_much_behind_the_end_closes(void **state)
{
    static char block[20000];
    struct ends e = connect_ends(STR_NONE);
    assert_int_equal(write(e.client, block, sizeof block), sizeof block);
    end_session(e.session, 18);
    wait_ended(1);
    assert_null(atomic_load(&given_back));
    expect_bytes(e.client, S("a OK\r\n"));
    expect_end(e.client);
    close(e.client);
}

static void stopping_closes_all(void **state)
{
    struct ends e = connect_ends(STR_NONE);
    stop_pump(NULL);
    assert_int_equal(atomic_load(&ended_count), 1);
    expect_end(e.client);
    expect_end(e.session);
    close(e.client);
    close(e.session);
    assert_int_equal(start_pump(NULL), 0);
}

#define pump_test(f) cmocka_unit_test_setup_teardown(f, start_pump, stop_pump)

int main(void)
{
    const struct CMUnitTest tests[] = {
        pump_test(leftover_goes_first_and_both_ways_work),
        pump_test(client_that_half_closes_still_hears_the_end),
        pump_test(client_that_vanishes_ends_the_session),
        pump_test(session_that_stops_listening_has_the_last_word),
        pump_test(reader_that_stalls_holds_its_writer_back),
        pump_test(many_connections_at_once),
        pump_test(connection_that_is_given_back_goes_on),
        pump_test(too_much_behind_the_end_closes),
        pump_test(stopping_closes_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
