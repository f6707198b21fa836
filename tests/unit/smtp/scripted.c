#include "scripted.h"

#include "base/num.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <sys/socket.h>
#include <unistd.h>

const struct smtp_client_params scripted_params = {
    .peer = {"mx.example[192.0.2.1]", 21},
    .helo_name = {"client.example", 14},
    .timeouts = {.greeting = 400,
                 .helo = 400,
                 .handshake = 2000,
                 .mail = 400,
                 .rcpt = 400,
                 .data_init = 400,
                 .block = 400,
                 .data_done = 400,
                 .rset = 400,
                 .quit = 400},
};

static bool read_line(struct scripted *s, str *ret)
{
    enum line_end end;
    if (stream_read_line(s->io, 8192, ret, &end) != RC_OK)
        return false;
    if (end != LINE_CRLF)
        snprintf(s->wrong, sizeof s->wrong, "a line ends with LF alone");
    buf_puts(&s->lines, *ret);
    buf_putc(&s->lines, '\n');
    return true;
}

static bool matches(str line, const char *want)
{
    str w = str_c(want);
    return str_ends(w, S("*")) ? str_starts(line, str_sub(w, 0, w.n - 1)) : str_eq(line, w);
}

static bool hear_dots(struct scripted *s)
{
    str line;
    do {
        if (!read_line(s, &line))
            return false;
        buf_puts(&s->content, line);
        buf_puts(&s->content, S("\r\n"));
    } while (!str_eq(line, S(".")));
    return true;
}

static bool hear_bdat(struct scripted *s)
{
    str line, in;
    uint64_t n = 0;
    if (!read_line(s, &line) || !str_eq(str_word(&line), S("BDAT")) ||
        num_parse_u64(str_word(&line), 1 << 24, &n) != RC_OK)
        return false;
    while (n) {
        if (stream_read(s->io, &in) != RC_OK)
            return false;
        in = str_sub(in, 0, n);
        buf_puts(&s->content, in);
        stream_consume(s->io, in.n);
        n -= in.n;
    }
    return true;
}

static bool hear(struct scripted *s, const char *want)
{
    str line;
    if (strcmp(want, HEAR_DOTS) == 0)
        return hear_dots(s);
    if (strcmp(want, HEAR_BDAT) == 0)
        return hear_bdat(s);
    if (!read_line(s, &line)) {
        snprintf(s->wrong, sizeof s->wrong, "wanted \"%s\", but nothing came", want);
        return false;
    }
    if (matches(line, want))
        return true;
    snprintf(s->wrong, sizeof s->wrong, "wanted \"%s\", but heard \"" STR_FMT "\"", want, STR_ARG(line));
    return false;
}

static bool wait_for_close(struct scripted *s)
{
    str in;
    while (stream_read(s->io, &in) == RC_OK)
        stream_consume(s->io, in.n);
    return false;
}

static bool say(struct scripted *s, const char *what)
{
    struct err e = {0};
    if (strcmp(what, SAY_CLOSE) == 0)
        return false;
    if (strcmp(what, SAY_NOTHING) == 0)
        return wait_for_close(s);
    if (strcmp(what, SAY_TLS) == 0)
        return stream_start_tls(s->io, s->tls, &e) == RC_OK;
    if (strcmp(what, SAY_DRIP) == 0) {
        for (int i = 0; i < 500; i++) {
            stream_write(s->io, S("2"));
            if (stream_flush(s->io) != RC_OK)
                return false;
            usleep(20000);
        }
        return false;
    }
    stream_write(s->io, str_c(what));
    return stream_flush(s->io) == RC_OK;
}

static void *run(void *arg)
{
    struct scripted *s = arg;
    stream_set_deadline(s->io, clock_mono() + 10000);
    for (size_t i = 0; i < s->n; i++) {
        if (s->steps[i].hear && !hear(s, s->steps[i].hear))
            break;
        if (s->steps[i].say && !say(s, s->steps[i].say))
            break;
    }
    stream_freep(&s->io);
    return NULL;
}

struct stream *scripted_begin(struct scripted *s, const struct script_step *steps, size_t n)
{
    int fd[2];
    struct tls_server *tls = s->tls;
    *s = (struct scripted){.steps = steps, .n = n, .tls = tls};
    buf_init(&s->content, 1 << 24);
    buf_init(&s->lines, 1 << 24);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
    s->io = stream_new(fd[1], 65536);
    assert_int_equal(pthread_create(&s->thread, NULL, run, s), 0);
    return stream_new(fd[0], SMTP_CLIENT_IN_MAX);
}

void scripted_end(struct scripted *s)
{
    pthread_join(s->thread, NULL);
    if (s->wrong[0])
        fail_msg("%s", s->wrong);
}

void scripted_free(struct scripted *s)
{
    buf_deinit(&s->content);
    buf_deinit(&s->lines);
}
