/* Sessions that are killed at any moment, and several that work on one Maildir at once: no acknowledged
 * message, flag or UID is lost, and no UID ever means two messages. */
#include "fixture.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

enum { ROUNDS = 25, MESSAGES_MAX = 20000 };

/* What a session was told, in the order of its commands; written to a pipe after each command. */
struct ack {
    char what; /* 'a' appended, 'f' flagged, 'x' expunged, 'c' copied to Dest */
    uid32 uid;
    unsigned number; /* of the message: its content is "message <number>" */
};

struct known {
    unsigned number;
    bool flagged, gone;
};

static void tell(int fd, char what, uid32 uid, unsigned number)
{
    struct ack a = {what, uid, number};
    if (write(fd, &a, sizeof a) != sizeof a)
        _exit(2);
}

static struct uidset one_uid(uid32 uid)
{
    struct uidset s = {0};
    uidset_add(&s, uid, uid);
    return s;
}

static bool append_number(struct store *st, unsigned number, uid32 *ret)
{
    struct append *ap = NULL;
    struct append_result r;
    struct err e;
    char text[40];
    int n = snprintf(text, sizeof text, "message %u\r\n", number);
    if (append_begin(st, S("INBOX"), &ap, &e) != RC_OK)
        return false;
    if (append_write(ap, str_mem(text, (size_t)n), &e) != RC_OK ||
        append_finish(ap, &(struct append_message){.internal_date = 1000000000}, &e) != RC_OK) {
        append_abort(&ap);
        return false;
    }
    if (append_commit(&ap, &r, &e) != RC_OK)
        return false;
    *ret = r.first;
    return true;
}

/* A session that works until it is killed. */
static void work(int fd, unsigned number)
{
    struct box *b = NULL;
    struct store *st = fixture_open();
    struct err e;
    struct box_events ev = {0};
    if (box_open(st, S("INBOX"), false, &b, &e) != RC_OK)
        _exit(3);
    for (;; number++) {
        uid32 uid;
        if (!append_number(st, number, &uid))
            _exit(4);
        tell(fd, 'a', uid, number);
        if (box_sync(b, 0, &ev, &e) != RC_OK)
            _exit(5);
        struct uidset s = one_uid(uid);
        struct flag_change c = {.op = FLAGS_ADD, .flags = FLAG_FLAGGED, .unchanged_since = UINT64_MAX};
        if (number % 3 == 0) {
            if (box_change_flags(b, &s, &c, true, NULL, &e) != RC_OK)
                _exit(6);
            tell(fd, 'f', uid, number);
        }
        if (number % 5 == 0) {
            struct box_copied r;
            if (box_copy(b, &s, S("Dest"), false, &r, &e) != RC_OK)
                _exit(7);
            tell(fd, 'c', uidset_max(&r.to), number);
            uidset_deinit(&r.from);
            uidset_deinit(&r.to);
        }
        if (number % 7 == 0) {
            if (box_expunge(b, &s, true, &e) != RC_OK)
                _exit(8);
            tell(fd, 'x', uid, number);
        }
        if (number % 11 == 0) {
            b = box_close(b);
            if (box_open(st, S("INBOX"), false, &b, &e) != RC_OK)
                _exit(9);
        }
        uidset_deinit(&s);
    }
}

static struct known *inbox, *dest;

static unsigned take_acks(int fd, unsigned number)
{
    struct ack a;
    while (read(fd, &a, sizeof a) == (ssize_t)sizeof a) {
        assert_true(a.uid < MESSAGES_MAX);
        struct known *k = a.what == 'c' ? &dest[a.uid] : &inbox[a.uid];
        if (a.what == 'a' || a.what == 'c')
            assert_int_equal(k->number, 0); /* no UID is given twice */
        k->number = a.number;
        k->flagged |= a.what == 'f';
        k->gone |= a.what == 'x';
        if (a.number >= number)
            number = a.number + 1;
    }
    return number;
}

static void check_mailbox(const char *name, const struct known *known)
{
    struct box *b = open_box(fixture_store, name);
    for (uid32 uid = 1; uid < MESSAGES_MAX; uid++) {
        char want[40];
        if (known[uid].number == 0)
            continue;
        if (known == inbox && known[uid].number % 7 == 0 && !known[uid].gone)
            continue; /* killed while it was being expunged: either is right */
        if (known[uid].gone) {
            assert_false(uidset_has(box_view(b), uid));
            continue;
        }
        assert_true(uidset_has(box_view(b), uid));
        snprintf(want, sizeof want, "message %u\n", known[uid].number);
        expect_content(b, uid, want);
        if (known[uid].flagged)
            assert_true(message(b, uid).flags & FLAG_FLAGGED);
    }
    assert_int_equal(box_status(b)->messages, uidset_count(box_view(b)));
    box_close(b);
}

static void test_killed_sessions(void **state)
{
    (void)state;
    unsigned number = 1;
    inbox = calloc(MESSAGES_MAX, sizeof *inbox);
    dest = calloc(MESSAGES_MAX, sizeof *dest);
    ok(store_create(fixture_store, S("Dest"), USE_NONE, e));
    for (int round = 0; round < ROUNDS; round++) {
        int p[2];
        fixture_store = store_close(fixture_store);
        assert_int_equal(pipe(p), 0);
        pid_t pid = fork();
        if (pid == 0) {
            close(p[0]);
            work(p[1], number);
        }
        close(p[1]);
        struct timespec t = {0, (5 + round * 7 % 90) * 1000000L};
        nanosleep(&t, NULL);
        int status = 0;
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));     /* it did not fail on its own */
        number = take_acks(p[0], number) + 1; /* the last one may be there without its answer */
        close(p[0]);
        fixture_store = fixture_open();
        check_mailbox("INBOX", inbox);
        check_mailbox("Dest", dest);
    }
    assert_true(number > ROUNDS);
    /* and all of it once more without the index */
    fixture_store = store_close(fixture_store);
    unlink(fixture_path("malle.index"));
    unlink(fixture_path("malle.index-wal"));
    unlink(fixture_path("malle.index-shm"));
    fixture_store = fixture_open();
    check_mailbox("INBOX", inbox);
    check_mailbox("Dest", dest);
    free(inbox);
    free(dest);
}

/* --- several at once --- */

enum { WORKERS = 3, EACH = 60 };

static void append_some(unsigned first)
{
    struct store *st = fixture_open();
    struct box *b = NULL;
    struct err e;
    struct box_events ev = {0};
    uid32 uid;
    if (box_open(st, S("INBOX"), false, &b, &e) != RC_OK)
        _exit(3);
    for (unsigned i = 0; i < EACH; i++) {
        if (!append_number(st, first + i, &uid) || box_sync(b, 0, &ev, &e) != RC_OK)
            _exit(4);
        struct uidset s = one_uid(uid);
        struct flag_change c = {.op = FLAGS_ADD, .flags = FLAG_ANSWERED, .unchanged_since = UINT64_MAX};
        if (box_change_flags(b, &s, &c, true, NULL, &e) != RC_OK)
            _exit(5);
        uidset_deinit(&s);
    }
    box_close(b);
    store_close(st);
    _exit(0);
}

/* Links files into new/ as deliver does. */
static void deliver_some(unsigned first)
{
    for (unsigned i = 0; i < EACH; i++) {
        char tmp[100], new[100], text[40];
        snprintf(tmp, sizeof tmp, "tmp/1000.M%u.host", first + i);
        snprintf(new, sizeof new, "new/1000.M%u.host", first + i);
        snprintf(text, sizeof text, "message %u\n", first + i);
        put_file(tmp, text);
        if (rename(fixture_path(tmp), fixture_path(new)) != 0)
            _exit(3);
    }
    _exit(0);
}

/* Renames what it finds, as mutt does: adds F. */
static void flag_some(void)
{
    for (int i = 0; i < EACH; i++) {
        char from[400], to[400];
        const char *name = find_file("cur", ":2,R");
        if (name[0] && !strstr(name, ":2,FR")) {
            snprintf(from, sizeof from, "cur/%s", name);
            snprintf(to, sizeof to, "cur/%.*s:2,FR", (int)(strchr(name, ':') - name), name);
            rename(fixture_path(from), fixture_path(to));
        }
        struct timespec t = {0, 2000000};
        nanosleep(&t, NULL);
    }
    _exit(0);
}

static void test_many_at_once(void **state)
{
    (void)state;
    pid_t pid[WORKERS + 2];
    bool *seen = calloc(MESSAGES_MAX, sizeof *seen);
    fixture_store = store_close(fixture_store);
    for (unsigned i = 0; i < WORKERS + 2; i++) {
        pid[i] = fork();
        if (pid[i] == 0 && i < WORKERS)
            append_some(1 + i * EACH);
        else if (pid[i] == 0 && i == WORKERS)
            deliver_some(1 + i * EACH);
        else if (pid[i] == 0)
            flag_some();
    }
    for (int i = 0; i < WORKERS + 2; i++) {
        int status = 0;
        assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
        assert_int_equal(status, 0);
    }
    fixture_store = fixture_open();
    struct box *b = open_box(fixture_store, "INBOX");
    struct box_events ev = {0};
    ok(box_sync(b, BOX_SYNC_SCAN, &ev, e));
    assert_int_equal(box_status(b)->messages, (WORKERS + 1) * EACH);
    expect_set(box_view(b), "1:240");
    for (uid32 uid = 1; uid <= 240; uid++) {
        struct box_content c;
        ok(box_content_open(b, uid, &c, e));
        unsigned long number = strtoul(c.raw.p + 8, NULL, 10);
        assert_true(number >= 1 && number <= 240 && !seen[number]);
        seen[number] = true;
        box_content_close(&c);
        if (number <= WORKERS * EACH) /* our own flag stood, whatever others did to the name */
            assert_true(message(b, uid).flags & FLAG_ANSWERED);
    }
    box_close(b);
    free(seen);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_killed_sessions), TEST(test_many_at_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
