/* login_talk: the client's side runs in a thread, the dialogue in the caller's. */
#include "login_talk.h"

#include "fmt/sasl.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

struct client {
    int fd;
    str input;
    bool keep_open, bytewise;
    struct buf got;
};

static void *send_input(void *arg)
{
    struct client *c = arg;
    size_t step = c->bytewise ? 1 : 4096;
    for (size_t i = 0; i < c->input.n; i += step) {
        str part = str_sub(c->input, i, step);
        if (send(c->fd, part.p, part.n, MSG_NOSIGNAL) < 0)
            break;
        if (c->bytewise)
            usleep(100);
    }
    if (!c->keep_open)
        shutdown(c->fd, SHUT_WR);
    return NULL;
}

static void *collect(void *arg)
{
    struct client *c = arg;
    char chunk[4096];
    ssize_t n;
    while ((n = read(c->fd, chunk, sizeof chunk)) > 0)
        buf_put(&c->got, chunk, (size_t)n);
    return NULL;
}

static struct login_sasl_reply check_plain(str initial)
{
    struct sasl_plain plain;
    static const str users[] = {S("joe"), S("full"), S("none"), S("down")};
    if (sasl_plain_parse(initial, &plain) != RC_OK)
        return (struct login_sasl_reply){.result = LOGIN_SASL_FAIL};
    if (str_eq(plain.authcid, S("temp")))
        return (struct login_sasl_reply){.result = LOGIN_SASL_TEMP};
    for (size_t i = 0; i < sizeof users / sizeof *users; i++)
        if (str_eq(plain.authcid, users[i]) && str_eq(plain.password, S("secret")))
            return (struct login_sasl_reply){.result = LOGIN_SASL_OK};
    return (struct login_sasl_reply){.result = LOGIN_SASL_FAIL};
}

struct exchange {
    struct login_talk *talk;
    struct stream *io;
    bool scram;
    char user[32];
};

static void op_start(void *ctx, str mechanism, bool has_initial, str initial, struct login_sasl_reply *ret)
{
    struct exchange *x = ctx;
    struct sasl_plain plain = {0};
    x->scram = str_starts(mechanism, S("SCRAM"));
    if (x->scram) {
        *ret = (struct login_sasl_reply){.result = LOGIN_SASL_CONTINUE, .data = S("q1")};
    } else if (!has_initial) {
        *ret = (struct login_sasl_reply){.result = LOGIN_SASL_CONTINUE};
    } else {
        *ret = check_plain(initial);
        if (sasl_plain_parse(initial, &plain) == RC_OK)
            snprintf(x->user, sizeof x->user, STR_FMT, STR_ARG(plain.authcid));
    }
}

static void op_step(void *ctx, str response, struct login_sasl_reply *ret)
{
    struct exchange *x = ctx;
    if (!x->scram)
        op_start(ctx, S("PLAIN"), true, response, ret);
    else if (str_eq(response, S("a1")))
        *ret = (struct login_sasl_reply){.result = LOGIN_SASL_OK, .data = S("fin")};
    else
        *ret = (struct login_sasl_reply){.result = LOGIN_SASL_FAIL};
}

static void op_cancel(void *ctx)
{
    struct exchange *x = ctx;
    x->talk->cancelled++;
}

static enum rc op_open(void *ctx, str tag, struct err *e)
{
    struct exchange *x = ctx;
    if (strcmp(x->user, "full") == 0)
        return err_set(e, RC_LIMIT, 0, NULL, "Too many sessions of this account.");
    if (strcmp(x->user, "none") == 0)
        return err_set(e, RC_PERM, 0, NULL, "No mailbox here.");
    if (strcmp(x->user, "down") == 0)
        return err_set(e, RC_TEMP, 0, NULL, "secret reasons");
    snprintf(x->talk->tag, sizeof x->talk->tag, STR_FMT, STR_ARG(tag));
    return RC_OK;
}

static enum rc op_tls(void *ctx)
{
    struct exchange *x = ctx;
    x->talk->tls_started++;
    return RC_OK;
}

static const struct login_ops ops = {op_start, op_step, op_cancel, op_open, op_tls};

static void take_left(struct login_talk *t, struct stream *io)
{
    str rest = STR_NONE;
    if (stream_buffered(io) && stream_read(io, &rest) != RC_OK)
        rest = STR_NONE;
    snprintf(t->left, sizeof t->left, STR_FMT, STR_ARG(rest));
}

void login_talk(struct login_talk *t, str input)
{
    static const str mechanisms[] = {S("PLAIN"), S("SCRAM-SHA-256"), S("SCRAM-SHA-256-PLUS")};
    int fds[2];
    pthread_t sender, reader;
    login_talk_deinit(t);
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    struct client c = {fds[0], input, t->keep_open, t->bytewise, BUF_INIT(1 << 20)};
    struct exchange x = {.talk = t, .io = stream_new(fds[1], 16384)};
    must(pthread_create(&sender, NULL, send_input, &c) == 0 &&
         pthread_create(&reader, NULL, collect, &c) == 0);
    struct login_settings set = {.greeting = "malle ready.",
                                 .mechanisms = mechanisms,
                                 .n_mechanisms = 3,
                                 .starttls = t->starttls,
                                 .plaintext_forbidden = t->plaintext_forbidden,
                                 .command_max = t->command_max ? t->command_max : 100,
                                 .deadline = clock_mono() + (t->deadline_ms ? t->deadline_ms : 5000),
                                 .exchange_ms = 60000};
    t->run(x.io, &set, &ops, &x, &t->outcome);
    take_left(t, x.io);
    stream_freep(&x.io);
    pthread_join(sender, NULL);
    pthread_join(reader, NULL);
    close(fds[0]);
    t->answer = str_dup(buf_str(&c.got));
    buf_deinit(&c.got);
}

void login_talk_deinit(struct login_talk *t)
{
    free(t->answer);
    t->answer = NULL;
    t->tag[0] = '\0';
    t->cancelled = t->tls_started = 0;
}
