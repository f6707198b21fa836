/* What the Maildir implementation of store.h owes to the other programs that use the same folders, and to a
 * crash. */
#include "fixture.h"

#include "os/db.h"
#include "store/dotlock.h"

#include <sys/file.h>

static void test_delivery_is_recent_and_claimed(void **state)
{
    struct store *st = *state;
    struct box *b = open_box(st, "INBOX"), *ro = NULL;
    put_file("new/1000.M1P1.host,S=4,W=5", "abc\n");
    expect_sync(b, 0, "=1/1 ");
    assert_true(box_is_recent(b, 1));
    assert_int_equal(message(b, 1).size, 5);
    assert_string_equal(find_file("cur", "1000.M1"), "1000.M1P1.host,S=4,W=5:2,");
    ok(box_open(st, S("INBOX"), true, &ro, e));
    assert_false(box_is_recent(ro, 1)); /* the first session has claimed it */
    put_file("new/1001.M1P1.host", "abc\n");
    expect_sync(ro, 0, "=2/1 ");
    assert_int_equal(count_files("new"), 1); /* a read-only session leaves it there */
    expect_sync(b, 0, "=2/2 ");
    assert_int_equal(count_files("new"), 0);
    assert_int_equal(message(b, 2).size, 5); /* no W= in the name: counted */
    expect_content(b, 2, "abc\n");
    box_close(b);
    box_close(ro);
}

static void test_names_follow_flags_at_close(void **state)
{
    struct store *st = *state;
    append_text(st, "INBOX", simple_message);
    struct box *b = open_box(st, "INBOX");
    change(b, "1", FLAGS_ADD, FLAG_SEEN | FLAG_FLAGGED, "Zwei");
    assert_string_not_equal(find_file("cur", ":2,"), "");
    assert_string_equal(strchr(find_file("cur", ":2,"), ':'), ":2,"); /* not yet */
    box_close(b);
    assert_string_equal(strchr(find_file("cur", ":2,"), ':'), ":2,FSa");
    assert_string_equal(get_file("dovecot-keywords"), "0 Zwei\n");
}

static void test_foreign_renames_merge_flag_by_flag(void **state)
{
    struct store *st = *state;
    put_file("cur/1000.M1P1.host:2,S", "abc\n");
    struct box *b = open_box(st, "INBOX");
    assert_int_equal(message(b, 1).flags, FLAG_SEEN);
    change(b, "1", FLAGS_ADD, FLAG_FLAGGED, NULL); /* not in the name yet */
    expect_sync(b, 0, "!1(1) ");
    assert_int_equal(rename(fixture_path("cur/1000.M1P1.host:2,S"), fixture_path("cur/1000.M1P1.host:2,Rb")),
                     0);
    expect_sync(b, 0, "!1(1) ");
    assert_int_equal(message(b, 1).flags, FLAG_FLAGGED | FLAG_ANSWERED); /* S went, R came, F stayed */
    assert_int_equal(message(b, 1).keywords, 2);
    const str *names;
    assert_int_equal(box_keywords(b, &names), 2);
    assert_true(str_eq(names[1], S("unknown-1")));
    expect_content(b, 1, "abc\n");
    box_close(b);
    assert_string_equal(find_file("cur", "1000.M1"), "1000.M1P1.host:2,FRb");
}

static void test_foreign_delete_needs_two_scans(void **state)
{
    struct store *st = *state;
    for (int i = 0; i < 3; i++)
        append_text(st, "INBOX", simple_message);
    struct box *b = open_box(st, "INBOX");
    char path[400];
    snprintf(path, sizeof path, "cur/%s", find_file("cur", ":2,"));
    assert_int_equal(unlink(fixture_path(path)), 0);
    expect_sync(b, 0, ""); /* the folder changed within 2 seconds: nothing is believed yet */
    age_folder("");
    struct told t = {""};
    struct box_events ev = {told_expunged, told_exists, told_flags, &t};
    ok(box_sync(b, 0, &ev, e));
    assert_int_equal(t.text[0], '-');
    assert_int_equal(box_status(b)->messages, 2);
    box_close(b);
}

static void test_content_found_after_foreign_rename(void **state)
{
    struct store *st = *state;
    put_file("cur/1000.M1P1.host:2,", "abc\n");
    struct box *b = open_box(st, "INBOX");
    rename(fixture_path("cur/1000.M1P1.host:2,"), fixture_path("cur/1000.M1P1.host:2,S"));
    expect_content(b, 1, "abc\n");
    unlink(fixture_path("cur/1000.M1P1.host:2,S"));
    struct box_content c;
    refused(RC_GONE, box_content_open(b, 1, &c, e));
    box_close(b);
}

static void remove_index(void)
{
    unlink(fixture_path("malle.index"));
    unlink(fixture_path("malle.index-wal"));
    unlink(fixture_path("malle.index-shm"));
}

/* Five messages, the second expunged, the fourth flagged: what a rebuild must bring back. */
static uint32_t make_history(struct store *st)
{
    for (int i = 0; i < 5; i++)
        append_text(st, "INBOX", simple_message);
    struct box *b = open_box(st, "INBOX");
    change(b, "4", FLAGS_ADD, FLAG_FLAGGED, "Work");
    change(b, "2", FLAGS_ADD, FLAG_DELETED, NULL);
    ok(box_expunge(b, NULL, false, e));
    uint32_t uidvalidity = box_status(b)->uidvalidity;
    box_close(b);
    return uidvalidity;
}

static void expect_history(uint32_t uidvalidity)
{
    struct box *b = open_box(fixture_store, "INBOX");
    expect_set(box_view(b), "1,3:5");
    assert_int_equal(box_status(b)->uidvalidity, uidvalidity);
    assert_int_equal(box_status(b)->uidnext, 6);
    assert_int_equal(message(b, 4).flags, FLAG_FLAGGED);
    const str *names;
    assert_true(box_keywords(b, &names) >= 1);
    assert_true(str_eq(names[0], S("Work")));
    assert_int_equal(message(b, 4).keywords, 1);
    box_close(b);
}

static void test_index_deleted(void **state)
{
    uint32_t uidvalidity = make_history(*state);
    struct box *b = open_box(*state, "INBOX");
    modseq before = box_status(b)->highestmodseq;
    box_close(b);
    fixture_store = store_close(fixture_store);
    remove_index();
    fixture_store = fixture_open();
    expect_history(uidvalidity);
    b = open_box(fixture_store, "INBOX");
    assert_true(box_status(b)->highestmodseq > before); /* modseqs never go back */
    box_close(b);
}

static void test_index_deleted_while_open(void **state)
{
    uint32_t uidvalidity = make_history(*state);
    struct box *b = open_box(*state, "INBOX");
    remove_index();
    struct box_events ev = {0};
    refused(RC_TEMP, box_sync(b, 0, &ev, e));
    box_close(b);
    fixture_reopen();
    expect_history(uidvalidity);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Random bytes anywhere in the index: a session may be told to come again, after that all is as it was. */
static void test_index_corrupted(void **state)
{
    uint32_t uidvalidity = make_history(*state), seed = 7;
    for (int round = 0; round < 30; round++) {
        fixture_store = store_close(fixture_store);
        int fd = open(fixture_path("malle.index"), O_RDWR);
        off_t size = lseek(fd, 0, SEEK_END);
        for (int i = 0; i < 400; i++) {
            unsigned char byte = (unsigned char)next_random(&seed);
            off_t at = round == 0 ? i : (off_t)(next_random(&seed) % (uint32_t)size);
            assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        }
        close(fd);
        struct err err;
        struct box *b = NULL;
        fixture_store = fixture_open();
        enum rc rc = box_open(fixture_store, S("INBOX"), false, &b, &err);
        if (rc == RC_TEMP)
            fixture_reopen();
        else
            box_close(b);
        fixture_store = store_close(fixture_store);
        remove_index();
        fixture_store = fixture_open();
        expect_history(uidvalidity);
    }
}

static void test_index_is_garbage(void **state)
{
    uint32_t uidvalidity = make_history(*state);
    fixture_store = store_close(fixture_store);
    put_file("malle.index",
             "this is not a database, but it is long enough to be looked at as if it were one, is it not?");
    fixture_store = fixture_open();
    expect_history(uidvalidity);
    assert_true(strlen(get_file("malle.index.damaged")) > 10);
}

/* Indexes of older versions are brought up to this one: what they know stays, their caches are made again. */
static void test_index_of_older_versions(void **state)
{
#define AS_IN_3                  \
    "DROP INDEX message_unseen;" \
    "ALTER TABLE mailbox ADD COLUMN unseen_floor INTEGER NOT NULL DEFAULT 1;"
    static const char *const older[] = {
        "ALTER TABLE text DROP COLUMN refs; DROP TABLE header; DROP TABLE signature;" AS_IN_3
        "PRAGMA user_version = 1",
        "DROP TABLE header; DROP TABLE signature;" AS_IN_3 "PRAGMA user_version = 2",
        AS_IN_3 "PRAGMA user_version = 3"};
    append_flagged(*state, "INBOX", simple_message, FLAG_FLAGGED, &S("only-in-index"), 1);
    for (size_t i = 0; i < sizeof older / sizeof *older; i++) {
        struct box *b = open_box(fixture_store, "INBOX");
        modseq before = box_status(b)->highestmodseq;
        box_close(b);
        fixture_store = store_close(fixture_store);
        struct db *db = NULL;
        ok(db_open(fixture_path("malle.index"), 0, &db, e));
        ok(db_script(db, older[i], e));
        db_close(db);
        fixture_store = fixture_open();
        b = open_box(fixture_store, "INBOX");
        assert_int_equal(box_status(b)->highestmodseq, before);
        assert_int_equal(message(b, 1).flags, FLAG_FLAGGED);
        assert_int_equal(box_first_unseen(b), 1);
        struct box_query *q = NULL;
        struct box_msg m;
        ok(box_query_open(b, box_view(b), BOX_WANT_REFERENCES | BOX_WANT_HEADER | BOX_WANT_SIGNATURE, &q, e));
        ok(box_query_next(q, &m, e));
        assert_true(m.references.p && m.header.n && m.signature.n);
        box_query_close(q);
        box_close(b);
    }
    assert_string_equal(get_file("malle.index.damaged"), "");
}

/* A Maildir as Dovecot 2.3 leaves it. */
static void test_dovecot_takeover(void **state)
{
    struct store *st = *state;
    put_file("dovecot-uidlist", "3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1\n"
                                "25006 :1276528487.M364837P9451.kurkku,S=1355,W=1394\n"
                                "25017 W2481 P1234.abc :1276533073.M242911P3632.kurkku,S=2460\n"
                                "25019 :1276533074.M1P1.gone,S=1\n");
    put_file("dovecot-keywords", "0 $Forwarded\n2 NonJunk\n");
    put_file("cur/1276528487.M364837P9451.kurkku,S=1355,W=1394:2,S", "a\n");
    put_file("cur/1276533073.M242911P3632.kurkku,S=2460:2,FSc", "b\n");
    put_file("new/1276533080.M5P5.kurkku,S=2,W=3", "c\n");
    struct box *b = open_box(st, "INBOX");
    expect_set(box_view(b), "25006,25017,25022");
    assert_int_equal(box_status(b)->uidvalidity, 1275660208);
    assert_int_equal(box_status(b)->uidnext, 25023);
    assert_int_equal(message(b, 25017).size, 2481);
    assert_int_equal(message(b, 25017).flags, FLAG_FLAGGED | FLAG_SEEN);
    assert_int_equal(message(b, 25017).keywords, 4);
    const str *names;
    assert_int_equal(box_keywords(b, &names), 3);
    assert_true(str_eq(names[2], S("NonJunk")));
    struct buf uidl = BUF_INIT(100);
    ok(box_pop3_uidl(b, 25017, &uidl, e));
    assert_string_equal(buf_cstr(&uidl), "1234.abc");
    buf_deinit(&uidl);
    box_close(b);
    assert_non_null(strstr(get_file("dovecot-uidlist"), "\n25022 :1276533080.M5P5.kurkku,S=2,W=3\n"));
    assert_non_null(strstr(get_file("dovecot-uidlist"), "G3085f01b7f11094c501100008c4a11c1"));
    /* Dovecot goes on: appends a record, then renumbers everything */
    int fd = open(fixture_path("dovecot-uidlist"), O_WRONLY | O_APPEND);
    static const char line[] = "25030 :1276533090.M6P6.kurkku,S=2,W=3\n";
    assert_int_equal(write(fd, line, sizeof line - 1), (ssize_t)sizeof line - 1);
    close(fd);
    put_file("cur/1276533090.M6P6.kurkku,S=2,W=3:2,", "d\n");
    b = open_box(st, "INBOX");
    expect_set(box_view(b), "25006,25017,25022,25030");
    put_file("dovecot-uidlist", "3 V1275660999 N8 G3085f01b7f11094c501100008c4a11c1\n"
                                "7 :1276528487.M364837P9451.kurkku,S=1355,W=1394\n");
    struct box_events ev = {0};
    refused(RC_GONE, box_sync(b, 0, &ev, e)); /* another UIDVALIDITY: this session's numbers are void */
    box_close(b);
    b = open_box(st, "INBOX");
    assert_int_equal(box_status(b)->uidvalidity, 1275660999);
    expect_set(box_view(b), "7:10");
    box_close(b);
}

static void test_cut_uidlist_line(void **state)
{
    struct store *st = *state;
    append_text(st, "INBOX", simple_message);
    int fd = open(fixture_path("dovecot-uidlist"), O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, "2 :1000.M1P1.ho", 15), 15); /* a crash in the middle of a line */
    close(fd);
    put_file("cur/1000.M1P1.host:2,", "abc\n");
    struct box *b = open_box(st, "INBOX");
    expect_set(box_view(b), "1:2");
    box_close(b);
    assert_null(strstr(get_file("dovecot-uidlist"), ".ho\n"));
    assert_null(strstr(get_file("dovecot-uidlist"), ".ho2"));
    assert_non_null(strstr(get_file("dovecot-uidlist"), "\n2 :1000.M1P1.host\n"));
}

static void test_rubbish(void **state)
{
    struct store *st = *state;
    mkdir(fixture_path("cur/1000.directory"), 0700);
    put_file("cur/with\nnewline:2,S", "x");
    put_file("cur/.hidden", "x");
    assert_int_equal(symlink("/nowhere", fixture_path("cur/1000.dangling:2,")), 0);
    assert_int_equal(symlink("/etc/passwd", fixture_path("new/1000.link")), 0);
    assert_int_equal(mkfifo(fixture_path("cur/1000.fifo:2,"), 0600), 0);
    assert_int_equal(mkfifo(fixture_path("dovecot-keywords"), 0600), 0);
    put_file("cur/1000.odd:1,weird", "x\n");
    put_file("cur/1001.M1P1.host,S=99999999999999999999999,W=x:2,SXYZ,more", "y\n");
    mkdir(fixture_path(".\xff\xfe"), 0700);
    mkdir(fixture_path(".&bad"), 0700);
    put_file(".afile", "x");
    struct box *b = open_box(st, "INBOX");
    expect_set(box_view(b), "1:2");
    expect_content(b, 1, "x\n");
    assert_int_equal(message(b, 2).flags, FLAG_SEEN);
    assert_int_equal(message(b, 2).size, 3);
    change(b, "1:2", FLAGS_ADD, FLAG_FLAGGED, NULL);
    box_close(b);
    assert_string_equal(strchr(find_file("cur", "1001.M1"), ':'), ":2,FSXYZ,more");
    struct arena *a = arena_new(1 << 20);
    struct store_box_info *v;
    size_t n;
    ok(store_list(st, a, &v, &n, e));
    assert_int_equal(n, 1);
    arena_free(a);
}

static void test_thousand_deliveries_while_open(void **state)
{
    struct store *st = *state;
    struct box *b = open_box(st, "INBOX");
    struct store *other = fixture_open();
    for (int i = 0; i < 1000; i++) {
        char name[100];
        snprintf(name, sizeof name, "new/%d.M1P1.host,S=4,W=5", 1000 + i);
        put_file(name, "abc\n");
        if (i % 100 == 50) {
            struct box_events ev = {0};
            ok(box_sync(b, 0, &ev, e));
            append_text(other, "INBOX", "own\r\n");
        }
    }
    struct box_events ev = {0};
    ok(box_sync(b, BOX_SYNC_SCAN, &ev, e));
    expect_set(box_view(b), "1:1010");
    assert_int_equal(box_status(b)->messages, 1010);
    assert_int_equal(count_files("new"), 0);
    assert_int_equal(count_files("cur"), 1010);
    box_close(b);
    store_close(other);
    fixture_store = store_close(fixture_store);
    remove_index();
    fixture_store = fixture_open();
    b = open_box(fixture_store, "INBOX");
    expect_set(box_view(b), "1:1010");
    box_close(b);
}

static void test_dead_holder_of_the_lock(void **state)
{
    struct store *st = *state;
    struct box *b = open_box(st, "INBOX");
    put_file("dovecot-uidlist.lock",
             "99999:host"); /* one of ours whose process died: nobody holds the flock */
    chmod(fixture_path("dovecot-uidlist.lock"), 0400);
    put_file("new/1000.M1P1.host", "abc\n");
    expect_sync(b, 0, "=1/1 ");
    put_file("dovecot-uidlist.lock", "99999:host"); /* a foreign one, old, and so is the uidlist */
    struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    utimensat(AT_FDCWD, fixture_path("dovecot-uidlist.lock"), old, 0);
    utimensat(AT_FDCWD, fixture_path("dovecot-uidlist"), old, 0);
    put_file("new/1001.M1P1.host", "abc\n");
    expect_sync(b, 0, "=2/2 ");
    assert_int_equal(access(fixture_path("dovecot-uidlist.lock"), F_OK), -1);
    box_close(b);
}

static void test_lock_excludes(void **state)
{
    (void)state;
    int fd = open(fixture_root, O_RDONLY | O_DIRECTORY);
    struct dotlock_file own = DOTLOCK_FILE_INIT;
    struct dotlock l = DOTLOCK_INIT;
    ok(dotlock_take(&own, fd, "dovecot-uidlist", &l, e));
    int lock = open(fixture_path("dovecot-uidlist.lock"), O_RDONLY);
    assert_true(lock >= 0);
    assert_int_equal(flock(lock, LOCK_EX | LOCK_NB), -1); /* the holder lives */
    close(lock);
    dotlock_drop(&l);
    assert_int_equal(access(fixture_path("dovecot-uidlist.lock"), F_OK), -1);
    dotlock_drop(&l);
    dotlock_file_remove(&own);
    assert_int_equal(count_files("tmp"), 0);
    close(fd);
}

static ino_t lock_twice(struct dotlock_file *own, int fd)
{
    struct stat first = {0}, second = {0};
    for (int i = 0; i < 2; i++) {
        struct dotlock l = DOTLOCK_INIT;
        ok(dotlock_take(own, fd, "dovecot-uidlist", &l, e));
        assert_int_equal(fstatat(fd, "dovecot-uidlist.lock", i ? &second : &first, 0), 0);
        dotlock_drop(&l);
        assert_int_equal(faccessat(fd, "dovecot-uidlist.lock", F_OK, 0), -1);
    }
    assert_int_equal(first.st_ino, second.st_ino);
    assert_true(second.st_mtim.tv_sec > first.st_mtim.tv_sec ||
                second.st_mtim.tv_nsec >= first.st_mtim.tv_nsec);
    return first.st_ino;
}

/* One file serves lock after lock, also when somebody cleaned tmp/, and in another folder. */
static void test_lock_file_is_kept(void **state)
{
    struct store *st = *state;
    struct dotlock_file own = DOTLOCK_FILE_INIT;
    ok(store_create(st, S("Other"), USE_NONE, e));
    int fd = open(fixture_root, O_RDONLY | O_DIRECTORY),
        other = open(fixture_path(".Other"), O_RDONLY | O_DIRECTORY);
    int before = count_files("tmp"), before_there = count_files(".Other/tmp"); /* the store keeps one, too */
    ino_t inode = lock_twice(&own, fd);
    assert_int_equal(lock_twice(&own, fd), inode);
    assert_int_equal(count_files("tmp"), before + 1);
    lock_twice(&own, other);
    assert_int_equal(count_files("tmp"), before);
    assert_int_equal(count_files(".Other/tmp"), before_there + 1);
    assert_int_equal(unlinkat(own.tmp_fd, own.name, 0), 0);
    lock_twice(&own, other);
    dotlock_file_remove(&own);
    close(fd);
    close(other);
}

static void test_resurrected_file_gets_a_new_uid(void **state)
{
    struct store *st = *state;
    put_file("cur/1000.M1P1.host:2,", "abc\n");
    put_file("cur/1001.M1P1.host:2,", "def\n");
    struct box *b = open_box(st, "INBOX");
    struct uidset s = set_of("2");
    ok(box_expunge(b, &s, true, e));
    expect_sync(b, 0, "-2(2) ");
    put_file("cur/1001.M1P1.host:2,", "def\n");
    expect_sync(b, 0, "=2/0 ");
    expect_set(box_view(b), "1,3"); /* RFC 9051 §2.3.1.1: a UID is never used again */
    uidset_deinit(&s);
    box_close(b);
    fixture_store = store_close(fixture_store);
    remove_index();
    fixture_store = fixture_open();
    b = open_box(fixture_store, "INBOX");
    expect_set(box_view(b), "1,3");
    box_close(b);
}

static void test_subscriptions_versions(void **state)
{
    struct store *st = *state;
    ok(store_subscribe(st, S("A/B"), true, e));
    assert_string_equal(get_file("subscriptions"), "V\t2\n\nA\tB\n");
    put_file("subscriptions", "INBOX\nA.B\n");
    ok(store_subscribe(st, S("Entw\xc3\xbcrfe"), true, e));
    ok(store_subscribe(st, S("A/B"), false, e));
    assert_string_equal(get_file("subscriptions"), "INBOX\nEntw&APw-rfe\n");
}

static void test_folder_layout(void **state)
{
    struct store *st = *state;
    struct stat s;
    ok(store_create(st, S("A/B"), USE_NONE, e));
    assert_int_equal(stat(fixture_path(".A.B/maildirfolder"), &s), 0);
    assert_int_equal(stat(fixture_path(".A.B/cur"), &s), 0);
    assert_int_equal(s.st_mode & 07777, 0700);
    assert_true(strstr(get_file(".A.B/dovecot-uidlist"), "3 V") == get_file(".A.B/dovecot-uidlist"));
    append_text(st, "A/B", simple_message);
    ok(store_delete(st, S("A/B"), e));
    assert_int_equal(stat(fixture_path(".A.B"), &s), -1);
    assert_string_equal(find_file(".", "deleted"), "");
}

static void test_tmp_is_cleaned(void **state)
{
    struct store *st = *state;
    put_file("tmp/young", "x");
    put_file("tmp/old", "x");
    struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    utimensat(AT_FDCWD, fixture_path("tmp/old"), old, 0);
    clock_inject_offset(37LL * 3600 * 1000); /* ctime cannot be set back */
    utimensat(AT_FDCWD, fixture_path("tmp/young"),
              (struct timespec[2]){{.tv_sec = clock_seconds()}, {.tv_sec = clock_seconds()}}, 0);
    box_close(open_box(st, "INBOX"));
    clock_inject_offset(0);
    assert_string_equal(find_file("tmp", "old"), "");
    assert_string_equal(find_file("tmp", "young"), "young");
}

static void test_special_use_outlives_the_index(void **state)
{
    struct arena *a = arena_new(1 << 20);
    struct store_box_info *v;
    size_t n;
    ok(store_create(*state, S("Gesendet"), USE_SENT, e));
    fixture_store = store_close(fixture_store);
    remove_index();
    fixture_store = fixture_open();
    ok(store_list(fixture_store, a, &v, &n, e));
    assert_int_equal(v[1].use, USE_SENT);
    arena_free(a);
}

static void test_folder_removed_by_others(void **state)
{
    struct store *st = *state;
    struct store_status before, after;
    static const char *const names[] = {"X", "Y"};
    for (int i = 0; i < 2; i++) {
        ok(store_create(st, str_c(names[i]), USE_NONE, e));
        append_text(st, names[i], simple_message);
    }
    ok(store_status(st, S("X"), &before, e));
    char command[700];
    snprintf(command, sizeof command, "rm -r %s %s", fixture_path(".X"), fixture_path(".Y"));
    assert_int_equal(system(command), 0);
    refused(RC_GONE, store_status(st, S("X"), &after, e));
    ok(store_create(st, S("X"), USE_NONE, e)); /* must not inherit anything */
    ok(store_status(st, S("X"), &after, e));
    assert_int_equal(after.messages, 0);
    assert_int_not_equal(after.uidvalidity, before.uidvalidity);
    ok(store_rename(st, S("X"), S("Y"), e));
    ok(store_status(st, S("Y"), &before, e));
    assert_int_equal(before.uidvalidity, after.uidvalidity);
    assert_int_equal(before.messages, 0);
}

/* Root may do everything, so the session's part runs as nobody. */
static void test_read_only_folder(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    append_text(fixture_store, "INBOX", simple_message);
    ok(store_create(fixture_store, S("Frozen"), USE_NONE, e));
    append_text(fixture_store, "Frozen", simple_message);
    fixture_store = store_close(fixture_store);
    char command[700];
    snprintf(command, sizeof command, "chown -R 65534:65534 %s; chmod 755 %s; chmod -R a-w %s", fixture_root,
             fixture_root, fixture_path(".Frozen"));
    assert_int_equal(system(command), 0);
    assert_int_equal(seteuid(65534), 0);
    fixture_store = fixture_open();
    struct box *b = open_box(fixture_store, "Frozen");
    expect_set(box_view(b), "1");
    expect_content(b, 1, "From: a@example.org\nSubject: hello\n\none\ntwo\n");
    struct append *ap = NULL;
    refused(RC_PERM, append_begin(fixture_store, S("Frozen"), &ap, e));
    struct uidset s = set_of("1");
    refused(RC_PERM, box_expunge(b, &s, true, e));
    struct box_copied r;
    struct box *inbox = open_box(fixture_store, "INBOX");
    refused(RC_PERM, box_copy(inbox, &s, S("Frozen"), false, &r, e));
    ok(box_copy(b, &s, S("INBOX"), false, &r, e));
    uidset_deinit(&r.from);
    uidset_deinit(&r.to);
    uidset_deinit(&s);
    box_close(b);
    box_close(inbox);
    fixture_store = store_close(fixture_store);
    assert_int_equal(seteuid(0), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_delivery_is_recent_and_claimed),
        TEST(test_names_follow_flags_at_close),
        TEST(test_foreign_renames_merge_flag_by_flag),
        TEST(test_foreign_delete_needs_two_scans),
        TEST(test_content_found_after_foreign_rename),
        TEST(test_index_deleted),
        TEST(test_index_deleted_while_open),
        TEST(test_index_corrupted),
        TEST(test_index_is_garbage),
        TEST(test_index_of_older_versions),
        TEST(test_dovecot_takeover),
        TEST(test_cut_uidlist_line),
        TEST(test_rubbish),
        TEST(test_thousand_deliveries_while_open),
        TEST(test_dead_holder_of_the_lock),
        TEST(test_lock_excludes),
        TEST(test_lock_file_is_kept),
        TEST(test_resurrected_file_gets_a_new_uid),
        TEST(test_subscriptions_versions),
        TEST(test_folder_layout),
        TEST(test_tmp_is_cleaned),
        TEST(test_special_use_outlives_the_index),
        TEST(test_folder_removed_by_others),
        TEST(test_read_only_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
