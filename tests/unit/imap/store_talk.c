/* store_talk: the client's end of a test's IMAP session; see store_talk.h. */
#include "store_talk.h"

#include "fmt/crlf.h"
#include "fmt/parked.h"

#include <ftw.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { REPLY_MAX = 64 << 20, APPEND_MAX = 100 << 20 };

char *store_folder_new(void)
{
    char path[] = "/tmp/malle-imap-XXXXXX";
    assert_non_null(mkdtemp(path));
    return str_dup(str_c(path));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

void store_folder_remove(char *root)
{
    assert_int_equal(nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
    free(root);
}

bool store_talk_parks;

static struct store *open_store(const char *root)
{
    struct store *st = NULL;
    struct err e = {0};
    const struct store_conf conf = {.account = S("demo@malle.test"),
                                    .root = str_c(root),
                                    .hostname = S("malle.test"),
                                    .separator = '/',
                                    .mailbox_max = 100,
                                    .keyword_max = 64,
                                    .append_max = APPEND_MAX,
                                    .create_defaults = true};
    must(store_open(&conf, &st, &e) == RC_OK);
    return st;
}

/* What mailbox does when a session parks: at input another one goes on with the record. */
static void resume(struct store_talk *t, struct imap_parked *parked, struct buf *record)
{
    struct pollfd p = {.fd = stream_detach(t->io), .events = POLLIN};
    t->store = store_close(t->store);
    buf_reset(record);
    buf_puts(record, buf_str(&parked->record));
    buf_reset(&parked->record);
    buf_reset(&parked->end);
    t->parked_times++;
    atomic_store(&t->parked, true);
    must(poll(&p, 1, -1) == 1);
    atomic_store(&t->parked, false);
    t->store = t->start.store = open_store(t->root);
    t->io = t->start.stream = stream_new(p.fd, 65536);
    t->start.resume = buf_str(record);
}

static void *serve(void *arg)
{
    struct store_talk *t = arg;
    struct imap_parked parked = {.record = BUF_INIT(PARKED_MAX), .end = BUF_INIT(IMAP_END_MAX)};
    struct buf record = BUF_INIT(PARKED_MAX);
    if (store_talk_parks)
        t->start.parked = &parked;
    int status = imap_session(&t->start);
    while (parked.record.n > 0) {
        resume(t, &parked, &record);
        status = imap_session(&t->start);
    }
    buf_deinit(&parked.record);
    buf_deinit(&parked.end);
    buf_deinit(&record);
    return (void *)(intptr_t)status;
}

/* The next line that was received, with its CRLF, is moved to t->reply; false when the session has ended. */
static bool take_line(struct store_talk *t)
{
    ptrdiff_t lf;
    while ((lf = str_chr(buf_str(&t->in), '\n')) < 0) {
        char *p = buf_room(&t->in, 65536);
        assert_non_null(p);
        ssize_t n = read(t->fd, p, 65536);
        if (n <= 0)
            return false;
        buf_added(&t->in, (size_t)n);
    }
    buf_put(&t->reply, t->in.p, (size_t)lf + 1);
    buf_drop(&t->in, (size_t)lf + 1);
    return true;
}

void store_talk_begin(struct store_talk *t, const char *root)
{
    int fds[2];
    *t = (struct store_talk){.root = root, .store = open_store(root)};
    buf_init(&t->in, REPLY_MAX);
    buf_init(&t->reply, REPLY_MAX);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    t->fd = fds[1];
    t->io = stream_new(fds[0], 65536);
    t->start = (struct imap_start){.stream = t->io,
                                   .store = t->store,
                                   .tag = S("in"),
                                   .account = S("demo@malle.test"),
                                   .separator = '/',
                                   .append_max = APPEND_MAX,
                                   .ops = {.wake_fd = -1}};
    assert_int_equal(pthread_create(&t->thread, NULL, serve, t), 0);
    assert_true(take_line(t));
}

void store_talk_end(struct store_talk *t)
{
    void *status;
    shutdown(t->fd, SHUT_RDWR);
    assert_int_equal(pthread_join(t->thread, &status), 0);
    assert_null(status);
    close(t->fd);
    stream_free(t->io);
    store_close(t->store);
    buf_deinit(&t->in);
    buf_deinit(&t->reply);
}

void store_talk_send(struct store_talk *t, str bytes)
{
    while (bytes.n) {
        ssize_t n = send(t->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        assert_true(n > 0);
        bytes = str_from(bytes, (size_t)n);
    }
}

/* "t7 NO [TRYCREATE] text" becomes "NO [TRYCREATE]". */
static void shorten(struct buf *reply, size_t line, size_t tag)
{
    str text = str_from(buf_str(reply), line + tag);
    ptrdiff_t end = str_chr(text, ' ');
    assert_true(end > 0);
    if (text.p[end + 1] == '[')
        end = str_chr(text, ']') + 1;
    memmove(reply->p + line, text.p, (size_t)end);
    buf_truncate(reply, line + (size_t)end);
}

static void read_reply(struct store_talk *t, str tag)
{
    size_t line = 0;
    buf_reset(&t->reply);
    do {
        line = t->reply.n;
        if (!take_line(t))
            fail_msg("the session ended after: %s", buf_cstr(&t->reply));
    } while (!str_starts(str_from(buf_str(&t->reply), line), tag));
    shorten(&t->reply, line, tag.n);
}

const char *store_talk_say(struct store_talk *t, const char *command)
{
    AUTO(buf_deinit) struct buf line = BUF_INIT(REPLY_MAX);
    buf_printf(&line, "t%u ", ++t->tag);
    size_t tag = line.n;
    buf_puts(&line, str_c(command));
    buf_puts(&line, S("\r\n"));
    store_talk_send(t, buf_str(&line));
    read_reply(t, str_sub(buf_str(&line), 0, tag));
    return buf_cstr(&t->reply);
}

void store_talk_expect(struct store_talk *t, const char *command, const char *want)
{
    const char *got = store_talk_say(t, command);
    if (strcmp(got, want) != 0)
        fail_msg("%s\n--- gives ---\n%s\n--- not ---\n%s", command, got, want);
}

void store_talk_append(struct store_talk *t, const char *mailbox, const char *arguments, str message)
{
    AUTO(buf_deinit) struct buf command = BUF_INIT(REPLY_MAX);
    struct crlf_state crlf = {0};
    buf_printf(&command, "APPEND %s %s%s{%zu+}\r\n", mailbox, arguments, arguments[0] ? " " : "",
               crlf_size(message));
    crlf_encode(&crlf, &command, message);
    assert_non_null(strstr(store_talk_say(t, buf_cstr(&command)), "OK [APPENDUID"));
}
