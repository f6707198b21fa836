/* The client in tests: blocking writes, reads with a limit of 5 s, and a log kept in a memory file. */
#include "talk.h"

#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REPLY_MAX = 1 << 20, PATIENCE_MS = 5000, IN_MAX = 65536 };

static int log_file = -1;

void talk_init(struct talk *t, enum smtp_kind kind, const char *settings)
{
    struct conf_report report = {.n = 0};
    struct buf text = BUF_INIT(16384);
    if (log_file < 0)
        log_file = memfd_create("log", MFD_CLOEXEC);
    log_init("malle/smtpd", "test", log_file, LOG_TEXT, LOG_LEVEL_INFO);
    (void)talk_log();
    memset(t, 0, sizeof *t);
    fake_world_init(&t->world);
    buf_printf(&text, "hostname = mx.example.org\ndomains = example.org\n%s", settings);
    t->conf = conf_parse(buf_str(&text), "test", &report);
    must(t->conf);
    t->tables = table_settings_open(t->conf, "smtpd", NULL, &report);
    must(t->tables);
    conf_report_deinit(&report);
    buf_deinit(&text);
    buf_init(&t->in, REPLY_MAX);
    t->params = (struct smtp_params){
        .conf = t->conf,
        .kind = kind,
        .offer_auth = kind == SMTP_KIND_SUBMISSION,
        .client_address = S("192.0.2.7"),
        .client_name = S("client.example"),
        .client_reverse_name = S("client.example"),
        .server_address = S("203.0.113.1"),
        .server_port = 25,
        .tables = t->tables,
        .env = &fake_env,
    };
}

static void *serve(void *arg)
{
    struct talk *t = arg;
    smtp_session_run(&t->params, t->io);
    stream_freep(&t->io);
    return NULL;
}

void talk_begin(struct talk *t)
{
    int fd[2];
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0);
    t->fd = fd[1];
    t->io = stream_new(fd[0], IN_MAX);
    t->params.env_ctx = &t->world;
    must(pthread_create(&t->thread, NULL, serve, t) == 0);
}

void talk_say(struct talk *t, str bytes)
{
    while (bytes.n) {
        ssize_t n = send(t->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n <= 0)
            return; /* the server closed: the next hear tells */
        bytes = str_from(bytes, (size_t)n);
    }
}

/* Length of the complete reply at the front, 0 when there is none. */
static size_t reply_length(str in)
{
    size_t at = 0;
    for (;;) {
        str rest = str_from(in, at);
        ptrdiff_t end = str_find(rest, S("\r\n"));
        if (end < 0)
            return 0;
        at += (size_t)end + 2;
        if (end < 4 || rest.p[3] != '-')
            return at;
    }
}

str talk_hear(struct talk *t)
{
    static struct buf reply = BUF_INIT(REPLY_MAX);
    size_t n;
    buf_reset(&reply);
    while ((n = reply_length(buf_str(&t->in))) == 0) {
        struct pollfd p = {.fd = t->fd, .events = POLLIN};
        char *room = buf_room(&t->in, 4096);
        must(room);
        ssize_t got = poll(&p, 1, PATIENCE_MS) == 1 ? read(t->fd, room, 4096) : 0;
        if (got <= 0)
            return S("");
        buf_added(&t->in, (size_t)got);
    }
    buf_put(&reply, t->in.p, n);
    buf_drop(&t->in, n);
    return buf_str(&reply);
}

void talk_end(struct talk *t)
{
    shutdown(t->fd, SHUT_WR);
    pthread_join(t->thread, NULL);
    close(t->fd);
    table_settings_close(t->tables);
    conf_free(t->conf);
    buf_deinit(&t->in);
}

void talk_run(struct talk *t, const struct talk_step *steps, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (steps[i].say)
            talk_say(t, str_c(steps[i].say));
        for (str wants = str_c(steps[i].want); wants.p;) {
            str want = str_take(&wants, '\n'), got = talk_hear(t);
            if (str_starts(got, want) && (want.n > 0 || got.n == 0))
                continue;
            print_error("step %zu: said \"%s\"\n wanted \"" STR_FMT "\"\n    got \"" STR_FMT "\"\n", i,
                        steps[i].say ? steps[i].say : "", STR_ARG(want), STR_ARG(got));
            fail();
        }
    }
}

const char *talk_log(void)
{
    static char text[65536];
    ssize_t n = pread(log_file, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    must(ftruncate(log_file, 0) == 0 && lseek(log_file, 0, SEEK_SET) == 0);
    return text;
}
