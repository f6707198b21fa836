/* os/stream without TLS: lines split at every byte, limits, deadlines, least rates, gathered writes,
 * half-close. */
#include "os/stream.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

struct pair {
    struct stream *s;
    int peer;
};

static void pair_open(struct pair *p, size_t in_max)
{
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
    p->s = stream_new(fd[0], in_max);
    p->peer = fd[1];
    stream_set_deadline(p->s, clock_mono() + 5000);
}

static void pair_close(struct pair *p)
{
    stream_freep(&p->s);
    close(p->peer);
}

static void peer_send(struct pair *p, str s)
{
    assert_int_equal(write(p->peer, s.p, s.n), s.n);
}

static void lines_split_at_every_byte(void **state)
{
    str text = S("one\r\ntwo\n\r\na\rb\r\n");
    static const struct {
        str line;
        enum line_end end;
    } want[] = {{S("one"), LINE_CRLF}, {S("two"), LINE_LF}, {S(""), LINE_CRLF}, {S("a\rb"), LINE_CRLF}};
    for (size_t cut = 0; cut <= text.n; cut++) {
        struct pair p;
        pair_open(&p, 64);
        peer_send(&p, str_sub(text, 0, cut));
        size_t got = 0;
        for (size_t i = 0; i < 4; i++) {
            str line;
            enum line_end end;
            stream_set_deadline(p.s, clock_mono()); /* what has come must be taken without waiting */
            enum rc rc = stream_read_line(p.s, 32, &line, &end);
            if (rc == RC_TEMP) {
                peer_send(&p, str_sub(text, cut, text.n));
                stream_set_deadline(p.s, clock_mono() + 5000);
                rc = stream_read_line(p.s, 32, &line, &end);
            }
            assert_int_equal(rc, RC_OK);
            assert_true(str_eq(line, want[i].line));
            assert_int_equal(end, want[i].end);
            got++;
        }
        assert_int_equal(got, 4);
        pair_close(&p);
    }
}

static void long_line_is_refused_once_and_skipped(void **state)
{
    static const struct {
        size_t length, max;
        enum rc rc;
    } rows[] = {
        {10, 10, RC_OK}, {11, 10, RC_LIMIT}, {40, 10, RC_LIMIT}, {62, 62, RC_OK}, {200, 62, RC_LIMIT}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pair p;
        pair_open(&p, 64);
        char text[256];
        memset(text, 'x', sizeof text);
        peer_send(&p, str_mem(text, rows[i].length));
        peer_send(&p, S("\r\nnext\r\n"));
        str line;
        enum line_end end;
        assert_int_equal(stream_read_line(p.s, rows[i].max, &line, &end), rows[i].rc);
        assert_int_equal(stream_read_line(p.s, rows[i].max, &line, &end), RC_OK);
        assert_true(str_eq(line, S("next")));
        pair_close(&p);
    }
}

static void endless_line_needs_no_more_than_the_buffer(void **state)
{
    struct pair p;
    pair_open(&p, 64);
    char junk[1000] = {0}; /* NULs, no line end */
    str line;
    enum line_end end;
    peer_send(&p, str_mem(junk, sizeof junk));
    assert_int_equal(stream_read_line(p.s, 32, &line, &end), RC_LIMIT);
    stream_set_deadline(p.s, clock_mono() + 20);
    assert_int_equal(stream_read_line(p.s, 32, &line, &end), RC_TEMP);
    assert_true(stream_buffered(p.s) <= 64);
    pair_close(&p);
}

static void end_of_input_drops_an_unfinished_line(void **state)
{
    struct pair p;
    pair_open(&p, 64);
    peer_send(&p, S("whole\r\nhalf"));
    shutdown(p.peer, SHUT_WR);
    str line;
    enum line_end end;
    assert_int_equal(stream_read_line(p.s, 32, &line, &end), RC_OK);
    assert_int_equal(stream_read_line(p.s, 32, &line, &end), RC_GONE);
    stream_write(p.s, S("still heard"));
    assert_int_equal(stream_flush(p.s), RC_OK);
    char got[32];
    assert_int_equal(read(p.peer, got, sizeof got), 11);
    pair_close(&p);
}

static void deadline_holds(void **state)
{
    struct pair p;
    pair_open(&p, 64);
    msec start = clock_mono();
    stream_set_deadline(p.s, start + 50);
    str got;
    assert_int_equal(stream_read(p.s, &got), RC_TEMP);
    msec took = clock_mono() - start;
    assert_true(took >= 50 && took < 2000);
    pair_close(&p);
}

static void deadline_holds_for_writes_to_a_peer_that_does_not_read(void **state)
{
    struct pair p;
    pair_open(&p, 64);
    stream_set_deadline(p.s, clock_mono() + 50);
    char block[8192] = {0};
    for (int i = 0; i < 1000; i++)
        stream_write(p.s, str_mem(block, sizeof block));
    assert_int_equal(stream_flush(p.s), RC_TEMP);
    stream_set_deadline(p.s, clock_mono() + 5000);
    assert_int_equal(stream_flush(p.s), RC_TEMP); /* remembered: the peer has got a part only */
    pair_close(&p);
}

struct dripper {
    int fd;
    int bytes;
    int every_ms;
};

static void *drip(void *arg)
{
    struct dripper *d = arg;
    for (int i = 0; i < d->bytes; i++) {
        if (send(d->fd, "x", 1, MSG_NOSIGNAL) != 1)
            break;
        poll(NULL, 0, d->every_ms);
    }
    return NULL;
}

static enum rc read_all(struct stream *s, size_t want)
{
    for (size_t n = 0; n < want;) {
        str got;
        enum rc rc = stream_read(s, &got);
        if (rc != RC_OK)
            return rc;
        n += got.n;
        stream_consume(s, got.n);
    }
    return RC_OK;
}

static void min_rate_ends_a_dripping_peer_only(void **state)
{
    static const struct {
        size_t min_bytes;
        enum rc rc;
    } rows[] = {{1000, RC_TEMP}, {2, RC_OK}};
    for (size_t i = 0; i < 2; i++) {
        struct pair p;
        pair_open(&p, 64);
        struct dripper d = {p.peer, 30, 10};
        pthread_t t;
        assert_int_equal(pthread_create(&t, NULL, drip, &d), 0);
        stream_set_min_rate(p.s, rows[i].min_bytes, 100);
        assert_int_equal(read_all(p.s, 30), rows[i].rc);
        pthread_join(t, NULL);
        pair_close(&p);
    }
}

static void writes_leave_at_the_flush(void **state)
{
    struct pair p;
    pair_open(&p, 64);
    stream_write(p.s, S("250-one\r\n"));
    stream_printf(p.s, "250 %s\r\n", "two");
    struct pollfd wait = {.fd = p.peer, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, 0), 0);
    assert_int_equal(stream_flush(p.s), RC_OK);
    char got[64];
    assert_int_equal(read(p.peer, got, sizeof got), 18);
    assert_memory_equal(got, "250-one\r\n250 two\r\n", 18);
    pair_close(&p);
}

static void *collect(void *arg)
{
    int fd = *(int *)arg;
    size_t *sum = calloc(1, sizeof *sum);
    char got[4096];
    ssize_t n;
    unsigned char expect = 0;
    while ((n = read(fd, got, sizeof got)) > 0)
        for (ssize_t i = 0; i < n; i++, ++*sum)
            if ((unsigned char)got[i] != expect++)
                *sum += 1000000000;
    return sum;
}

static void large_writes_keep_their_order(void **state)
{
    struct pair p;
    pair_open(&p, 64);
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, collect, &p.peer), 0);
    static unsigned char block[100000];
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (unsigned char)i;
    size_t sent = 0;
    for (size_t n = 1; sent + n <= sizeof block; sent += n, n = n * 3 % 40000 + 1)
        stream_write(p.s, str_mem(block + sent, n));
    assert_int_equal(stream_flush(p.s), RC_OK);
    stream_freep(&p.s);
    size_t *sum;
    pthread_join(t, (void **)&sum);
    assert_int_equal(*sum, sent);
    free(sum);
    close(p.peer);
}

static void gone_peer_is_reported_by_flush(void **state)
{
    struct pair p;
    pair_open(&p, 64);
    close(p.peer);
    stream_write(p.s, S("hello"));
    assert_int_equal(stream_flush(p.s), RC_GONE);
    stream_freep(&p.s);
}

static void wait_tells_input_from_the_other_descriptor(void **state)
{
    struct pair p;
    pair_open(&p, 64);
    int other[2];
    bool is_other;
    assert_int_equal(pipe(other), 0);
    assert_int_equal(write(other[1], "w", 1), 1);
    assert_int_equal(stream_wait(p.s, other[0], &is_other), RC_OK);
    assert_true(is_other);
    peer_send(&p, S("x"));
    assert_int_equal(stream_wait(p.s, other[0], &is_other), RC_OK);
    assert_false(is_other);
    assert_true(stream_readable(p.s));
    stream_consume(p.s, 1);
    assert_false(stream_readable(p.s));
    close(other[0]);
    close(other[1]);
    pair_close(&p);
}

static void try_calls_take_buffered_bytes_first(void **state)
{
    struct pair p;
    pair_open(&p, 64);
    peer_send(&p, S("login\r\nleft"));
    str line;
    enum line_end end;
    assert_int_equal(stream_read_line(p.s, 32, &line, &end), RC_OK);
    char got[32];
    size_t n = 0;
    short wants = 0;
    assert_int_equal(stream_try_read(p.s, got, 2, &n, &wants), RC_OK);
    assert_int_equal(n, 2);
    assert_int_equal(stream_try_read(p.s, got + 2, 30, &n, &wants), RC_OK);
    assert_memory_equal(got, "left", 4);
    assert_int_equal(stream_try_read(p.s, got, 30, &n, &wants), RC_TEMP);
    assert_int_equal(wants, POLLIN);
    stream_release_buffers(p.s);
    stream_write(p.s, S("gathered "));
    assert_int_equal(stream_try_write(p.s, "last", 4, &n, &wants), RC_OK);
    stream_end(p.s);
    assert_int_equal(read(p.peer, got, sizeof got), 13);
    assert_memory_equal(got, "gathered last", 13);
    assert_int_equal(read(p.peer, got, sizeof got), 0);
    pair_close(&p);
}

static void unread_bytes_come_again_first(void **state)
{
    struct pair p;
    str in;
    pair_open(&p, 16);
    peer_send(&p, S("0123456789"));
    assert_int_equal(stream_read(p.s, &in), RC_OK);
    stream_consume(p.s, 6);
    assert_int_equal(stream_unread(p.s, S("0123456789abc")), RC_LIMIT); /* 4 + 13 */
    assert_int_equal(stream_unread(p.s, S("abcdefghijk\n")), RC_OK);
    enum line_end end;
    assert_int_equal(stream_read_line(p.s, 16, &in, &end), RC_OK);
    assert_true(str_eq(in, S("abcdefghijk")));
    assert_int_equal(stream_read(p.s, &in), RC_OK);
    assert_true(str_eq(in, S("6789")));
    pair_close(&p);
}

/* Who sends much is asked for all that there is room for; a little at first. */
static void much_is_read_at_once(void **state)
{
    enum { MUCH = 40000, IN_MAX = 65536 };
    static char bytes[MUCH];
    struct pair p;
    pair_open(&p, IN_MAX);
    size_t most = 0;
    for (int i = 0; i < 2; i++) {
        str got;
        peer_send(&p, str_mem(bytes, MUCH));
        for (size_t left = MUCH; left > 0; left -= got.n) {
            assert_int_equal(stream_read(p.s, &got), RC_OK);
            if (i == 0 && left == MUCH)
                assert_true(got.n < 4096);
            most = got.n > most ? got.n : most;
            stream_consume(p.s, got.n);
        }
    }
    assert_int_equal(most, MUCH);
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_split_at_every_byte),
        cmocka_unit_test(long_line_is_refused_once_and_skipped),
        cmocka_unit_test(endless_line_needs_no_more_than_the_buffer),
        cmocka_unit_test(end_of_input_drops_an_unfinished_line),
        cmocka_unit_test(deadline_holds),
        cmocka_unit_test(deadline_holds_for_writes_to_a_peer_that_does_not_read),
        cmocka_unit_test(min_rate_ends_a_dripping_peer_only),
        cmocka_unit_test(writes_leave_at_the_flush),
        cmocka_unit_test(large_writes_keep_their_order),
        cmocka_unit_test(gone_peer_is_reported_by_flush),
        cmocka_unit_test(wait_tells_input_from_the_other_descriptor),
        cmocka_unit_test(try_calls_take_buffered_bytes_first),
        cmocka_unit_test(unread_bytes_come_again_first),
        cmocka_unit_test(much_is_read_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
