/* fixture: a fresh account for each test, in a temporary folder that is removed afterwards, and short forms
 * of the calls of store.h that must succeed. */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include "store/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char fixture_root[256];
static struct store *fixture_store;
static const struct quota_terms *fixture_quota; /* of stores that are opened from then on */

#define ok(call)                                                          \
    do {                                                                  \
        struct err err_ = {0};                                            \
        struct err *e = &err_;                                            \
        enum rc rc_ = (call);                                             \
        if (rc_ != RC_OK)                                                 \
            fail_msg("%s: %s: %s", #call, rc_name(rc_), err_text(&err_)); \
        (void)e;                                                          \
    } while (0)

#define refused(want, call)               \
    do {                                  \
        struct err err_ = {0};            \
        struct err *e = &err_;            \
        assert_int_equal((call), (want)); \
        assert_true(err_text(&err_)[0]);  \
        (void)e;                          \
    } while (0)

static inline struct store *fixture_open_with(bool create_defaults, char separator)
{
    struct store *st = NULL;
    struct store_conf conf = {.account = S("demo@malle.test"),
                              .root = str_c(fixture_root),
                              .hostname = S("mail.malle.test"),
                              .separator = separator,
                              .mailbox_max = 1000,
                              .keyword_max = 64,
                              .append_max = 50 << 20,
                              .create_defaults = create_defaults,
                              .quota = fixture_quota};
    ok(store_open(&conf, &st, e));
    return st;
}

static inline struct store *fixture_open(void)
{
    return fixture_open_with(false, '/');
}

static inline int fixture_setup(void **state)
{
    const char *base = getenv("TMPDIR");
    snprintf(fixture_root, sizeof fixture_root, "%s/malle-store-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(fixture_root));
    fixture_store = fixture_open();
    *state = fixture_store;
    return 0;
}

static inline int fixture_remove(const char *path, const struct stat *st, int type, struct FTW *f)
{
    (void)st, (void)type, (void)f;
    return remove(path);
}

static inline int fixture_teardown(void **state)
{
    (void)state;
    fixture_store = store_close(fixture_store);
    nftw(fixture_root, fixture_remove, 20, FTW_DEPTH | FTW_PHYS);
    return 0;
}

/* Closes the session and opens a new one. */
static inline void fixture_reopen(void)
{
    fixture_store = store_close(fixture_store);
    fixture_store = fixture_open();
}

static inline const char *fixture_path(const char *name)
{
    static char path[4][800];
    static int turn;
    char *p = path[turn++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", fixture_root, name);
    return p;
}

static inline void put_file(const char *name, const char *text)
{
    int fd = open(fixture_path(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

/* Content of a file, at most 64 KiB, NUL-terminated; "" when missing. */
static inline const char *get_file(const char *name)
{
    static char text[65536];
    int fd = open(fixture_path(name), O_RDONLY);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

/* Makes the folders' times old enough to be trusted: the two-second rule without waiting. */
static inline void age_folder(const char *folder)
{
    static const char *const subs[] = {"new", "cur"};
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    for (int i = 0; i < 2; i++) {
        char name[300];
        snprintf(name, sizeof name, "%s%s%s", folder, folder[0] ? "/" : "", subs[i]);
        struct timespec t[2] = {{.tv_sec = now.tv_sec - 10, .tv_nsec = now.tv_nsec},
                                {.tv_sec = now.tv_sec - 10, .tv_nsec = now.tv_nsec}};
        assert_int_equal(utimensat(AT_FDCWD, fixture_path(name), t, 0), 0);
    }
}

/* Name of the n-th (from 0) file in a folder whose name holds `part`; "" when there is none. */
static inline const char *find_file(const char *folder, const char *part)
{
    static char name[300];
    name[0] = '\0';
    DIR *d = opendir(fixture_path(folder));
    struct dirent *x;
    while (d && !name[0] && (x = readdir(d)))
        if (x->d_name[0] != '.' && strstr(x->d_name, part))
            snprintf(name, sizeof name, "%s", x->d_name);
    if (d)
        closedir(d);
    return name;
}

static inline int count_files(const char *folder)
{
    int n = 0;
    DIR *d = opendir(fixture_path(folder));
    struct dirent *x;
    while (d && (x = readdir(d)))
        n += x->d_name[0] != '.';
    if (d)
        closedir(d);
    return n;
}

static const char simple_message[] = "From: a@example.org\r\nSubject: hello\r\n\r\none\r\ntwo\r\n";

static inline uid32 append_flagged(struct store *st, const char *mailbox, const char *text, unsigned flags,
                                   const str *keywords, size_t n_keywords)
{
    struct append *ap = NULL;
    struct append_result r = {0};
    const struct append_message m = {flags, keywords, n_keywords, 1000000000};
    ok(append_begin(st, str_c(mailbox), &ap, e));
    ok(append_write(ap, str_c(text), e));
    ok(append_finish(ap, &m, e));
    ok(append_commit(&ap, &r, e));
    assert_null(ap);
    assert_int_equal(r.first, r.last);
    return r.first;
}

static inline uid32 append_text(struct store *st, const char *mailbox, const char *text)
{
    return append_flagged(st, mailbox, text, 0, NULL, 0);
}

static inline struct box *open_box(struct store *st, const char *name)
{
    struct box *b = NULL;
    ok(box_open(st, str_c(name), false, &b, e));
    return b;
}

static inline struct uidset set_of(const char *text)
{
    struct uidset s;
    uidset_init(&s);
    assert_int_equal(uidset_parse(str_c(text), UINT32_MAX, 1000, &s), RC_OK);
    return s;
}

static inline void expect_set(const struct uidset *s, const char *want)
{
    struct buf b = BUF_INIT(65536);
    uidset_format(s, &b);
    assert_string_equal(buf_cstr(&b), want);
    buf_deinit(&b);
}

/* Row of one message; fails when it is not there. */
static inline struct box_msg message(struct box *b, uid32 uid)
{
    struct box_query *q = NULL;
    struct box_msg m = {0};
    struct uidset s = {0};
    uidset_add(&s, uid, uid);
    ok(box_query_open(b, &s, 0, &q, e));
    ok(box_query_next(q, &m, e));
    q = box_query_close(q);
    uidset_deinit(&s);
    return m;
}

static inline void change(struct box *b, const char *uids, enum flag_op op, unsigned flags,
                          const char *keyword)
{
    struct uidset s = set_of(uids);
    str k = str_c(keyword);
    struct flag_change c = {.op = op,
                            .flags = flags,
                            .keywords = &k,
                            .n_keywords = keyword ? 1 : 0,
                            .unchanged_since = UINT64_MAX};
    ok(box_change_flags(b, &s, &c, false, NULL, e));
    uidset_deinit(&s);
}

/* Records what box_sync tells: "-seq(uid) =count/recent !seq(uid)". */
struct told {
    char text[2000];
};

static inline void told_expunged(void *ctx, uint32_t seq, uid32 uid)
{
    struct told *t = ctx;
    size_t n = strlen(t->text);
    snprintf(t->text + n, sizeof t->text - n, "-%u(%u) ", seq, uid);
}

static inline void told_exists(void *ctx, uint32_t count, uint32_t recent)
{
    struct told *t = ctx;
    size_t n = strlen(t->text);
    snprintf(t->text + n, sizeof t->text - n, "=%u/%u ", count, recent);
}

static inline void told_flags(void *ctx, uint32_t seq, uid32 uid)
{
    struct told *t = ctx;
    size_t n = strlen(t->text);
    snprintf(t->text + n, sizeof t->text - n, "!%u(%u) ", seq, uid);
}

static inline void expect_sync(struct box *b, unsigned flags, const char *want)
{
    struct told t = {""};
    struct box_events ev = {told_expunged, told_exists, told_flags, &t};
    ok(box_sync(b, flags, &ev, e));
    assert_string_equal(t.text, want);
}

static inline void expect_content(struct box *b, uid32 uid, const char *want)
{
    struct box_content c;
    ok(box_content_open(b, uid, &c, e));
    assert_int_equal(c.raw.n, strlen(want));
    assert_memory_equal(c.raw.p, want, c.raw.n);
    box_content_close(&c);
}

#endif
