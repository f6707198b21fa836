/* auth's answers to RCPT_LOOKUP: what does not fit, and what could not be delivered, is refused for good. */
#include "base/log.h"
#include "conf/conf.h"
#include "fixture.h"
#include "role/auth_impl.h"
#include "role/header_canonical.h"
#include "role/ipc.h"
#include "role/rcpt_targets.h"

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

/* As many addresses as a question may have, as long as they may be, fit the answer; more, and others than
 * smtpd and submission, are refused. */
static void headers(void **state)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(IPC_MAX), longest = BUF_INIT(IDENTITY_ACCOUNT_MAX);
    struct world w;
    struct err e = {0};
    unsigned n_fds = 0;
    enum { HEADER = 8 };
    world_open(&w);
    while (longest.n < IDENTITY_ACCOUNT_MAX)
        buf_putc(&longest, 'x');
    for (uint32_t n = HEADER_CANONICAL_MAX; n <= HEADER_CANONICAL_MAX + 1; n++) {
        ipc_begin(&b, MSG_HEADER_CANONICAL);
        ipc_put_u32(&b, n);
        for (uint32_t i = 0; i < n; i++) {
            ipc_put_u32(&b, i % 2);
            ipc_put_str(&b, buf_str(&longest));
        }
        struct ipc_msg m = {.type = MSG_HEADER_CANONICAL, .fields = str_from(buf_str(&b), HEADER)};
        enum rc rc = auth_handle(&w.peer, &w.conn, &m, &w.reply, NULL, &n_fds);
        assert_int_equal(rc, n > HEADER_CANONICAL_MAX ? RC_INVALID : RC_OK);
        if (rc != RC_OK)
            continue;
        assert_false(w.reply.overflow);
        struct ipc_msg answer = {.type = MSG_HEADER_CANONICAL_REPLY,
                                 .fields = str_from(buf_str(&w.reply), HEADER)};
        ipc_get_err(&answer, &e);
        assert_int_equal(e.rc, RC_OK);
        assert_int_equal(ipc_get_u32(&answer), n);
        for (uint32_t i = 0; i < n; i++)
            assert_true(str_eq(ipc_get_str(&answer, IDENTITY_ACCOUNT_MAX), buf_str(&longest)));
        assert_int_equal(ipc_end(&answer), RC_OK);
        must(str_copy(w.peer.name, sizeof w.peer.name, S("queue")) == RC_OK);
        struct ipc_msg again = {.type = MSG_HEADER_CANONICAL, .fields = str_from(buf_str(&b), HEADER)};
        assert_int_equal(auth_handle(&w.peer, &w.conn, &again, &w.reply, NULL, &n_fds), RC_INVALID);
        must(str_copy(w.peer.name, sizeof w.peer.name, S("smtpd")) == RC_OK);
    }
    world_close(&w);
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

/* The owner of a list is said once, so that a list may be as large with one. */
static void large_list_with_an_owner(void **state)
{
    struct world w;
    struct err e;
    AUTO(buf_deinit) struct buf spec = BUF_INIT(1 << 20);
    world_open(&w);
    buf_puts(&spec, S("inline:{{owner-list = bob@example.org}, {list = "));
    for (int i = 0; i < MEMBERS; i++)
        buf_printf(&spec, "%sm%d@remote-servers-name.example", i > 0 ? ", " : "", i);
    buf_puts(&spec, S("}}"));
    str text = buf_str(&spec);
    must(table_list_open(&text, 1, NULL, &w.lookup.aliases, &e) == RC_OK);
    assert_int_equal(ask(&w, S("list@example.org"), &e), MEMBERS);
    struct ipc_msg m = {.fields = str_from(buf_str(&w.reply), 8)};
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    struct smtp_target *t;
    size_t n;
    ipc_get_err(&m, &e);
    assert_int_equal(rcpt_targets_get(&m, a, &t, &n), RC_OK);
    assert_int_equal(n, MEMBERS);
    assert_true(t[0].remote && str_eq(t[0].sender, S("owner-list@example.org")));
    assert_true(str_eq(t[n - 1].sender, S("owner-list@example.org")));
    assert_true(str_eq(t[n - 1].address, S("m989@remote-servers-name.example")));
    table_list_close(w.lookup.aliases);
    world_close(&w);
}

static void members_that_cannot_receive(void **state)
{
    struct world w;
    struct err e;
    world_open(&w);
    must(alias_add(w.f.db, S("list@example.org"), S("bob@example.org"), NULL) == RC_OK);
    must(alias_add(w.f.db, S("list@example.org"), S("gone@example.org"), NULL) == RC_OK);
    assert_int_equal(ask(&w, S("list@example.org"), &e), 0);
    assert_int_equal(e.rc, RC_PERM);
    assert_int_equal(e.code, 550);
    assert_null(strstr(e.peer, "gone@example.org"));
    assert_non_null(strstr(logged(&w), "gone@example.org"));
    world_close(&w);
}

static void members_elsewhere(void **state)
{
    struct world w;
    struct err e;
    world_open(&w);
    must(alias_add(w.f.db, S("list@example.org"), S("bob@example.org"), NULL) == RC_OK);
    must(alias_add(w.f.db, S("list@example.org"), S("eve@remote.example"), NULL) == RC_OK);
    assert_int_equal(ask(&w, S("list@example.org"), &e), 2);
    assert_int_equal(e.rc, RC_OK);
    world_close(&w);
}

/* Only submission asks for the names of uids; without auth-worker nobody knows them. */
static void local_users(void **state)
{
    enum { HEADER = 8 };
    static const struct {
        const char *peer;
        enum rc want;
    } rows[] = {{"submission", RC_OK}, {"smtpd", RC_INVALID}, {"login", RC_INVALID}, {"mailbox", RC_INVALID}};
    struct world w;
    world_open(&w);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf b = BUF_INIT(IPC_MAX);
        struct err e;
        unsigned n_fds = 0;
        must(str_copy(w.peer.name, sizeof w.peer.name, str_c(rows[i].peer)) == RC_OK);
        ipc_begin(&b, MSG_LOCAL_USER);
        ipc_put_u32(&b, 33);
        struct ipc_msg m = {.type = MSG_LOCAL_USER, .fields = str_from(buf_str(&b), HEADER)};
        assert_int_equal(auth_handle(&w.peer, &w.conn, &m, &w.reply, NULL, &n_fds), rows[i].want);
        buf_deinit(&b);
        if (rows[i].want != RC_OK)
            continue;
        struct ipc_msg answer = {.type = MSG_LOCAL_USER_REPLY, .fields = str_from(buf_str(&w.reply), HEADER)};
        ipc_get_err(&answer, &e);
        assert_int_equal(e.rc, RC_GONE);
    }
    world_close(&w);
}

/* Asks one question as this role; what auth_handle returned. */
static enum rc ask_as(struct world *w, const char *peer, enum ipc_type type, str field, struct ipc_msg *ret)
{
    enum { HEADER = 8 };
    AUTO(buf_deinit) struct buf b = BUF_INIT(IPC_MAX);
    unsigned n_fds = 0;
    must(str_copy(w->peer.name, sizeof w->peer.name, str_c(peer)) == RC_OK);
    ipc_begin(&b, (uint16_t)type);
    ipc_put_str(&b, field);
    struct ipc_msg m = {.type = (uint16_t)type, .fields = str_from(buf_str(&b), HEADER)};
    enum rc rc = auth_handle(&w->peer, &w->conn, &m, &w->reply, NULL, &n_fds);
    *ret = (struct ipc_msg){.fields = str_from(buf_str(&w->reply), HEADER)};
    return rc;
}

/* Only userdb asks who a user is, and it asks nothing else; sasl asks for no user and no address. */
static void users_for_programs(void **state)
{
    static const char *const others[] = {"sasl", "login", "smtpd", "submission", "queue", "mailbox"};
    static const enum ipc_type not_for_userdb[] = {
        MSG_RCPT_LOOKUP,     MSG_SENDER_REWRITE, MSG_SENDER_CHECK,     MSG_AUTH_START,
        MSG_IDENTITY_LOOKUP, MSG_TICKET_REDEEM,  MSG_HEADER_CANONICAL, MSG_LOCAL_USER};
    struct world w;
    struct ipc_msg m;
    struct err e;
    struct account_identity id;
    world_open(&w);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(ask_as(&w, others[i], MSG_USERDB_FIND, S("bob@example.org"), &m), RC_INVALID);
        assert_int_equal(ask_as(&w, others[i], MSG_USERDB_LIST, S(""), &m), RC_INVALID);
    }
    for (size_t i = 0; i < sizeof not_for_userdb / sizeof *not_for_userdb; i++) {
        assert_int_equal(ask_as(&w, "userdb", not_for_userdb[i], S("bob@example.org"), &m), RC_INVALID);
        if (not_for_userdb[i] != MSG_AUTH_START)
            assert_int_equal(ask_as(&w, "sasl", not_for_userdb[i], S("bob@example.org"), &m), RC_INVALID);
    }
    static const struct {
        str name;
        enum rc rc;
    } rows[] = {{S("Bob@Example.org"), RC_OK},
                {S("bob"), RC_OK},
                {S("mary@example.org"), RC_GONE},
                {S("a b"), RC_GONE}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(ask_as(&w, "userdb", MSG_USERDB_FIND, rows[i].name, &m), RC_OK);
        ipc_get_err(&m, &e);
        assert_int_equal(e.rc, rows[i].rc);
        str bytes = ipc_get_str(&m, IDENTITY_BYTES_MAX);
        assert_int_equal(bytes.n > 0, rows[i].rc == RC_OK);
        if (rows[i].rc != RC_OK)
            continue;
        assert_int_equal(identity_get(bytes, &id), RC_OK);
        assert_string_equal(id.account, "bob@example.org");
        assert_int_equal(id.uid, 5000);
    }
    must(account_set_enabled(w.f.db, S("bob@example.org"), false, NULL) == RC_OK);
    assert_int_equal(ask_as(&w, "userdb", MSG_USERDB_FIND, S("bob"), &m), RC_OK);
    ipc_get_err(&m, &e);
    assert_int_equal(e.rc, RC_PERM);
    world_close(&w);
}

/* Page after page, each enabled account once, in order. */
static void list_of_users(void **state)
{
    struct world w;
    struct ipc_msg m;
    struct err e;
    uint32_t n;
    char after[IDENTITY_ACCOUNT_MAX + 1] = "";
    unsigned seen = 0;
    world_open(&w);
    for (int i = 0; i < 2 * ACCOUNT_PAGE; i++) {
        char name[64];
        snprintf(name, sizeof name, "m%03d@example.org", i);
        fixture_add(&w.f, name);
    }
    must(account_set_enabled(w.f.db, S("m007@example.org"), false, NULL) == RC_OK);
    do {
        assert_int_equal(ask_as(&w, "userdb", MSG_USERDB_LIST, str_c(after), &m), RC_OK);
        ipc_get_err(&m, &e);
        assert_int_equal(e.rc, RC_OK);
        n = ipc_get_u32(&m);
        assert_true(n <= ACCOUNT_PAGE);
        for (uint32_t i = 0; i < n; i++) {
            str name = ipc_get_str(&m, IDENTITY_ACCOUNT_MAX);
            assert_true(str_cmp(name, str_c(after)) > 0 && !str_eq(name, S("m007@example.org")));
            must(str_copy(after, sizeof after, name) == RC_OK);
            seen++;
        }
    } while (n > 0);
    assert_int_equal(seen, 2 * ACCOUNT_PAGE); /* bob, and all but one */
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(headers),
                                       cmocka_unit_test(large_aliases),
                                       cmocka_unit_test(large_list_with_an_owner),
                                       cmocka_unit_test(members_that_cannot_receive),
                                       cmocka_unit_test(members_elsewhere),
                                       cmocka_unit_test(local_users),
                                       cmocka_unit_test(users_for_programs),
                                       cmocka_unit_test(list_of_users)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
