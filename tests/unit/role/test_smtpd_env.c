/* A SASL exchange of smtpd with an auth whose answers carry descriptors that nobody asked for: it fails, and
 * none of them stays open. */
#include "base/log.h"
#include "role/ipc.h"
#include "role/smtpd_impl.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

static atomic_bool with_descriptor;

static enum rc answer(void *ctx, void **conn, struct ipc_msg *m, struct buf *reply, int *fds,
                      unsigned *ret_n_fds)
{
    ipc_begin(reply, MSG_AUTH_REPLY);
    ipc_put_u32(reply, SMTP_SASL_CONTINUE);
    for (int i = 0; i < 4; i++)
        ipc_put_str(reply, i == 0 ? S("challenge") : S(""));
    if (atomic_load(&with_descriptor))
        fds[(*ret_n_fds)++] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return RC_OK;
}

static void closed(void *ctx, void *conn) {}

static unsigned count_null(void)
{
    unsigned n = 0;
    DIR *d = opendir("/proc/self/fd");
    const struct dirent *x;
    while ((x = readdir(d))) {
        char target[64];
        ssize_t size = readlinkat(dirfd(d), x->d_name, target, sizeof target);
        n += size == 9 && memcmp(target, "/dev/null", 9) == 0;
    }
    closedir(d);
    return n;
}

/* Auth's thread closes its own copy a moment after it has answered. */
static unsigned settled_count(unsigned want)
{
    for (int i = 0; i < 500 && count_null() != want; i++)
        usleep(10000);
    return count_null();
}

static void descriptors_are_closed(void **state)
{
    int pair[2];
    static struct smtpd server;    /* pools live as long as the process */
    static const struct conf conf; /* passwords are verified here */
    struct smtpd_session s = {.server = &server, .conf = &conf};
    struct smtp_sasl_reply reply;
    const struct smtp_sasl_start start = {.mechanism = S("PLAIN")};
    unsigned before = count_null();
    server.sasl = channel_pool_new(4, 0);
    buf_init(&s.ipc, IPC_MAX);
    assert_int_equal(ipc_pair(pair), RC_OK);
    channel_pool_set_link(server.sasl, pair[0]);
    struct channel_service svc = {.handle = answer, .closed = closed, .max_channels = 4};
    assert_int_equal(channel_serve(pair[1], &svc), RC_OK);

    smtpd_env.sasl_start(&s, &start, &reply);
    assert_int_equal(reply.result, SMTP_SASL_CONTINUE);
    assert_true(str_eq(reply.data, S("challenge")));
    atomic_store(&with_descriptor, true);
    smtpd_env.sasl_step(&s, S("response"), &reply);
    assert_int_equal(reply.result, SMTP_SASL_TEMP);
    smtpd_env.sasl_start(&s, &start, &reply);
    assert_int_equal(reply.result, SMTP_SASL_TEMP);
    smtpd_env.sasl_cancel(&s);
    assert_int_equal(settled_count(before), before);
    server.sasl = channel_pool_free(server.sasl);
    buf_deinit(&s.ipc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(descriptors_are_closed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
