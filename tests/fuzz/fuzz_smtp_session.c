/* A whole session of the fake world, fed from a socket pair with whatever a stranger may send; the first byte
 * chooses the kind of listener. What the session delivers must be a message that the client ended. */
#include "base/log.h"
#include "conf/conf.h"
#include "fake_env.h"
#include "smtp/session.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 60000 }; /* fits into the socket's buffer, as do the replies */

static struct conf *fuzz_conf(void)
{
    static struct conf *conf;
    struct conf_report report = {.n = 0};
    if (conf)
        return conf;
    conf = conf_parse(S("hostname = mx.example.org\ndomains = example.org\ndisable_plaintext_auth = no\n"
                        "smtpd_timeout = 1s\nmessage_size_limit = 4k\nsmtpd_recipient_limit = 100\n"),
                      "fuzz", &report);
    must(conf);
    log_init("fuzz", "fuzz", open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_TEXT, LOG_LEVEL_INFO);
    return conf;
}

static void run_session(enum smtp_kind kind, str input)
{
    int fd[2];
    struct fake_world world;
    fake_world_init(&world);
    struct smtp_params params = {
        .conf = fuzz_conf(),
        .kind = kind,
        .offer_auth = kind == SMTP_KIND_SUBMISSION,
        .client_address = S("127.0.0.1"),
        .client_name = S("localhost"),
        .env = &fake_env,
        .env_ctx = &world,
    };
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0);
    must(send(fd[1], input.p, input.n, MSG_NOSIGNAL) == (ssize_t)input.n);
    must(shutdown(fd[1], SHUT_WR) == 0);
    struct stream *io = stream_new(fd[0], 16384);
    smtp_session_run(&params, io);
    stream_freep(&io);
    close(fd[1]);
    if (world.deliveries) /* an end of data or a last chunk was sent */
        must(str_find(input, S(".\r\n")) >= 0 || str_ifind(input, S("LAST")) >= 0);
    fake_world_deinit(&world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum smtp_kind kinds[] = {SMTP_KIND_MX, SMTP_KIND_SUBMISSION, SMTP_KIND_LMTP};
    if (size < 1 || size > INPUT_MAX)
        return 0;
    run_session(kinds[data[0] % 3], str_mem(data + 1, size - 1));
    return 0;
}
