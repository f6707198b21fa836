/* A whole session of the fake world, fed from a socket pair with whatever a stranger may send; the first byte
 * chooses the kind of listener, whether there are restriction lists, and what the gate left. What the session
 * delivers must be a message that the client ended, and not from a client whom the gate refuses. */
#include "base/log.h"
#include "conf/conf.h"
#include "fake_env.h"
#include "smtp/session.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 60000 }; /* fits into the socket's buffer, as do the replies */

#define SETTINGS                                                                      \
    "hostname = mx.example.org\ndomains = example.org\ndisable_plaintext_auth = no\n" \
    "smtpd_timeout = 1s\nmessage_size_limit = 4k\nsmtpd_recipient_limit = 100\n"

static const str settings[] = {
    S(SETTINGS),
    S(SETTINGS
      "smtpd_helo_required = no\nsmtpd_reject_unlisted_sender = yes\nsmtpd_reject_unlisted_recipient = no\n"
      "smtpd_authorized_xclient_hosts = 127.0.0.0/8\n"
      "smtpd_authorized_xforward_hosts = 127.0.0.0/8\n"
      "smtpd_restriction_classes = strict = reject_unknown_sender_domain, reject_rhsbl_sender rhs.example\n"
      "smtpd_client_restrictions = permit_dnswl_client wl.example, reject_rbl_client "
      "bl.example=127.0.0.[2;9]\n"
      "smtpd_helo_restrictions = reject_invalid_helo_hostname, warn_if_reject reject_unknown_helo_hostname\n"
      "smtpd_sender_restrictions = reject_non_fqdn_sender, strict\n"
      "smtpd_recipient_restrictions = permit_mx_backup, reject_unauth_destination, reject_unauth_pipelining\n"
      "smtpd_data_restrictions = reject_multi_recipient_bounce\n"
      "smtpd_end_of_data_restrictions = reject_unknown_recipient_domain\n")};

static struct conf *fuzz_conf(size_t which)
{
    static struct conf *confs[2];
    struct conf_report report = {.n = 0};
    if (confs[which])
        return confs[which];
    confs[which] = conf_parse(settings[which], "fuzz", &report);
    must(confs[which]);
    log_init("fuzz", "fuzz", open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_TEXT, LOG_LEVEL_INFO);
    return confs[which];
}

static struct smtp_gate gate_of(unsigned which)
{
    struct smtp_gate g = {.refused = which == 2, .code = 550, .enhanced = "5.7.1", .text = "listed"};
    if (which > 0)
        g.tests = 1u << GATE_PIPELINING | 1u << GATE_NON_SMTP | 1u << GATE_BARE_NEWLINE;
    return g;
}

static void run_session(enum smtp_kind kind, size_t which, unsigned gate, str input)
{
    int fd[2];
    struct fake_world world;
    fake_world_init(&world);
    struct smtp_gate left = gate_of(gate);
    struct smtp_params params = {
        .gate = gate > 0 ? &left : NULL,
        .conf = fuzz_conf(which),
        .kind = kind,
        .offer_auth = kind == SMTP_KIND_SUBMISSION,
        .client_address = S("127.0.0.1"),
        .client_name = S("localhost"),
        .client_reverse_name = S("localhost"),
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
    must(!left.refused || world.deliveries == 0);
    must((left.passed & (left.failed | left.tests)) == 0);
    fake_world_deinit(&world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum smtp_kind kinds[] = {SMTP_KIND_MX, SMTP_KIND_SUBMISSION, SMTP_KIND_LMTP};
    if (size < 1 || size > INPUT_MAX)
        return 0;
    run_session(kinds[data[0] % 3], data[0] / 3 % 2, data[0] / 6 % 3, str_mem(data + 1, size - 1));
    return 0;
}
