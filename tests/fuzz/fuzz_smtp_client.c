/* A client against whatever a server may say: the input is all that it ever says, put into a socket pair
 * beforehand. The first byte chooses the protocol and what the messages ask for. Whatever comes, every
 * recipient has a result, nobody is told to be delivered without a positive reply, and texts are printable.
 */
#include "base/utf8.h"
#include "smtp/client.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 60000, RCPTS = 3, TIMEOUT_MS = 1000 };

static void check_outcome(const struct smtp_outcome *o)
{
    must(o->rc == RC_OK || o->rc == RC_TEMP || o->rc == RC_PERM);
    must(o->text.n > 0 && utf8_valid(o->text) && str_chr(o->text, '\n') < 0);
    must(o->enhanced[0] == (o->rc == RC_OK ? '2' : o->rc == RC_PERM ? '5' : '4'));
    must(o->code == 0 || (o->code >= 200 && o->code < 600));
    must(o->rc != RC_OK || o->code / 100 == 2);
    must(o->said.n <= SMTP_SAID_MAX);
}

static void send_one(struct smtp_client *c, struct arena *arena, unsigned kind)
{
    struct smtp_client_rcpt rcpts[RCPTS] = {{.address = S("a@example.org")},
                                            {.address = S("b@example.org"), .notify = 2},
                                            {.address = S("c@example.net")}};
    struct smtp_client_message m = {.sender = S("s@example.net"),
                                    .size_bytes = 500,
                                    .content = kind & 8 ? SMTP_CONTENT_8BIT : SMTP_CONTENT_7BIT,
                                    .smtputf8 = (kind & 16) != 0,
                                    .header = S("Subject: x\n\n"),
                                    .body = S(".x\r\n"),
                                    .fd = -1,
                                    .rcpts = rcpts,
                                    .n_rcpts = RCPTS};
    smtp_client_send(c, arena, &m);
    check_outcome(&m.outcome);
    for (size_t i = 0; i < RCPTS; i++) {
        check_outcome(&rcpts[i].outcome);
        must(rcpts[i].tried || rcpts[i].outcome.rc == RC_TEMP);
    }
}

static void run_client(unsigned kind, int fd)
{
    struct smtp_client_auth auth = {
        .user = S("u"), .password = S("p"), .token = S("t"), .allow_plaintext = true};
    struct smtp_client_params p = {.lmtp = (kind & 1) != 0,
                                   .peer = S("mx[192.0.2.1]"),
                                   .helo_name = S("client.example"),
                                   .auth = kind & 2 ? &auth : NULL,
                                   .ignore_keywords = kind & 4 ? EHLO_CHUNKING : 0,
                                   .deadline = clock_mono() + TIMEOUT_MS};
    struct arena *arena = arena_new(1 << 20);
    struct smtp_client *c = NULL;
    struct smtp_client_failure failure;
    if (smtp_client_open(&p, stream_new(fd, SMTP_CLIENT_IN_MAX), arena, &c, &failure) == RC_OK) {
        send_one(c, arena, kind);
        send_one(c, arena, kind >> 1);
        smtp_client_quit(c);
    } else {
        check_outcome(&failure.outcome);
    }
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd[2];
    if (size < 1 || size > INPUT_MAX)
        return 0;
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0);
    must(send(fd[1], data + 1, size - 1, MSG_NOSIGNAL) == (ssize_t)size - 1);
    must(shutdown(fd[1], SHUT_WR) == 0);
    run_client(data[0], fd[0]);
    close(fd[1]);
    return 0;
}
