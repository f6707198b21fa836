/* auth's answers to RCPT_LOOKUP: what does not fit, and what could not be delivered, is refused for good. */
#include "base/log.h"
#include "conf/conf.h"
#include "fixture.h"
#include "role/auth_impl.h"
#include "role/ipc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum { MEMBERS = 990 };

struct world {
    struct fixture f;
    struct conf *conf;
    struct account_lookup lookup;
    struct auth_server server;
    struct auth_peer peer;
    void *conn;
    struct buf reply;
    int log;
};

static void world_open(struct world *w)
{
    struct conf_report report = {0};
    *w = (struct world){.peer = {.name = "smtpd"}, .log = memfd_create("log", MFD_CLOEXEC)};
    log_init("malle/auth", "test", w->log, LOG_TEXT, LOG_LEVEL_INFO);
    fixture_open(&w->f);
    w->conf = conf_parse(S("hostname = mail.example.org\ndomains = example.org\n"), "test", &report);
    must(w->conf);
    conf_report_deinit(&report);
    w->lookup = (struct account_lookup){.db = w->f.db, .conf = w->conf, .mail_uid = 5000, .mail_gid = 5000};
    w->peer.server = &w->server;
    atomic_store(&w->server.lookup, &w->lookup);
    buf_init(&w->reply, IPC_MAX);
    fixture_add(&w->f, "bob@example.org");
}

static void world_close(struct world *w)
{
    auth_closed(&w->peer, w->conn);
    buf_deinit(&w->reply);
    conf_freep(&w->conf);
    fixture_close(&w->f);
    close(w->log);
}

/* Asks and returns the number of targets. */
static uint32_t ask(struct world *w, str address, struct err *ret)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(IPC_MAX);
    unsigned n_fds = 0;
    enum { HEADER = 8 };
    ipc_begin(&b, MSG_RCPT_LOOKUP);
    ipc_put_str(&b, address);
    struct ipc_msg m = {.type = MSG_RCPT_LOOKUP, .fields = str_from(buf_str(&b), HEADER)};
    assert_int_equal(auth_handle(&w->peer, &w->conn, &m, &w->reply, NULL, &n_fds), RC_OK);
    assert_false(w->reply.overflow);
    struct ipc_msg answer = {.type = MSG_RCPT_REPLY, .fields = str_from(buf_str(&w->reply), HEADER)};
    ipc_get_err(&answer, ret);
    return ipc_get_u32(&answer);
}

static const char *logged(struct world *w)
{
    static char text[4096];
    ssize_t n = pread(w->log, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void large_aliases(void **state)
{
    struct world w;
    struct err e;
    char long_name[61];
    world_open(&w);
    memset(long_name, 'x', 60);
    long_name[60] = '\0';
    for (int i = 0; i < MEMBERS; i++) {
        char name[100];
        snprintf(name, sizeof name, "m%d@example.org", i);
        fixture_add(&w.f, name);
        must(alias_add(w.f.db, S("list@example.org"), str_c(name), NULL) == RC_OK);
    }
    assert_int_equal(ask(&w, S("list@example.org"), &e), MEMBERS);
    assert_int_equal(e.rc, RC_OK);
    for (int i = 0; i < MEMBERS; i++) {
        char name[100];
        snprintf(name, sizeof name, "%s%d@example.org", long_name, i);
        fixture_add(&w.f, name);
        must(alias_add(w.f.db, S("huge@example.org"), str_c(name), NULL) == RC_OK);
    }
    assert_int_equal(ask(&w, S("huge@example.org"), &e), 0);
    assert_int_equal(e.rc, RC_PERM); /* never "try again" for ever */
    assert_int_equal(e.code, 550);
    assert_string_equal(e.enhanced, "5.3.4");
    assert_non_null(strstr(logged(&w), "looking up <huge@example.org>: its 990 mailboxes"));
    world_close(&w);
}

static void members_that_cannot_receive(void **state)
{
    static const str members[] = {S("gone@example.org"), S("eve@remote.example")};
    for (size_t i = 0; i < 2; i++) {
        struct world w;
        struct err e;
        world_open(&w);
        must(alias_add(w.f.db, S("list@example.org"), S("bob@example.org"), NULL) == RC_OK);
        must(alias_add(w.f.db, S("list@example.org"), members[i], NULL) == RC_OK);
        assert_int_equal(ask(&w, S("list@example.org"), &e), 0);
        assert_int_equal(e.rc, RC_PERM);
        assert_int_equal(e.code, 550);
        assert_null(strstr(e.peer, members[i].p));
        assert_non_null(strstr(logged(&w), members[i].p));
        world_close(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(large_aliases),
                                       cmocka_unit_test(members_that_cannot_receive)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
