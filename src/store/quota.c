/* The count in maildirsize: reading it, adding to it, making it anew; and who is refused. */
#include "store/quota.h"

#include "base/log.h"
#include "fmt/maildirsize.h"
#include "os/file.h"
#include "store/quota_recount.h"
#include "store/store_priv.h"
#include "store/trash.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define FILE_NAME "maildirsize"

enum { ROUNDS = 3, LOCK_TRIES = 200, LOCK_PAUSE_NS = 10000000 };

static const int open_flags = O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;

/* --- what the file says --- */

struct count {
    bool there, fine; /* fine: it can be gone by */
    struct maildirsize m;
    struct stat st;
};

static enum rc count_read(int root_fd, struct count *ret, struct err *e)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(MAILDIRSIZE_BYTES_MAX);
    AUTO(fd_closep) int fd = openat(root_fd, FILE_NAME, O_RDONLY | open_flags);
    *ret = (struct count){0};
    if (fd < 0)
        return errno == ENOENT || errno == ELOOP ? RC_OK : store_errno(e, "open", FILE_NAME);
    if (fstat(fd, &ret->st) != 0)
        return store_errno(e, "stat", FILE_NAME);
    ret->there = true;
    ret->fine = S_ISREG(ret->st.st_mode) && fd_read_all(fd, &text) == RC_OK &&
                maildirsize_parse(buf_str(&text), &ret->m) == RC_OK && ret->m.bytes >= 0 &&
                ret->m.messages >= 0;
    return RC_OK;
}

static struct quota_use use_of(const struct maildirsize *m)
{
    return (struct quota_use){m->bytes > 0 ? (uint64_t)m->bytes : 0,
                              m->messages > 0 ? (uint64_t)m->messages : 0};
}

/* --- making it anew --- */

static bool is_current(int root_fd, int fd)
{
    struct stat here, named;
    return fstat(fd, &here) == 0 && fstatat(root_fd, FILE_NAME, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           here.st_ino == named.st_ino && here.st_dev == named.st_dev;
}

static bool lock_exclusively(int fd)
{
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return true;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return false;
        nanosleep(&pause, NULL);
    }
    return false;
}

static enum rc replace(int root_fd, const struct quota_limits *l, const struct quota_use *use, struct err *e)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(200);
    char tmp[48];
    snprintf(tmp, sizeof tmp, "tmp/" FILE_NAME ".%016llx", (unsigned long long)store_random());
    maildirsize_put_limits(&text, l);
    maildirsize_put_change(&text, (int64_t)use->bytes, (int64_t)use->messages);
    AUTO(fd_closep) int fd = openat(root_fd, tmp, O_WRONLY | O_CREAT | O_EXCL | open_flags, 0600);
    if (fd < 0)
        return store_errno(e, "create", tmp);
    if (fd_write_all(fd, buf_str(&text)) == RC_OK && renameat(root_fd, tmp, root_fd, FILE_NAME) == 0)
        return RC_OK;
    enum rc rc = store_errno(e, "write", FILE_NAME);
    unlinkat(root_fd, tmp, 0);
    return rc;
}

static bool is_same(int root_fd, const struct count *seen)
{
    struct stat now;
    bool there = fstatat(root_fd, FILE_NAME, &now, AT_SYMLINK_NOFOLLOW) == 0;
    return there == seen->there &&
           (!there || (now.st_ino == seen->st.st_ino && now.st_size == seen->st.st_size));
}

/* The file that has the name, which nobody else changes as long as it is open; -1: it is not to be had. */
static int open_exclusive(int root_fd)
{
    for (int round = 0; round < ROUNDS; round++) {
        int fd = openat(root_fd, FILE_NAME, O_RDONLY | open_flags);
        if (fd < 0)
            return -1;
        if (lock_exclusively(fd) && is_current(root_fd, fd))
            return fd;
        close(fd);
    }
    return -1;
}

/* RC_GONE: something changed while the files were counted. last: nobody else counts meanwhile. */
static enum rc recount_once(int root_fd, const struct quota_terms *q, bool last, struct quota_use *ret,
                            struct err *e)
{
    const struct quota_limits l = quota_limits_of(q->rules, STR_NONE, q->separator);
    AUTO(fd_closep) int fd = last ? open_exclusive(root_fd) : -1;
    struct count seen;
    struct err why = {0};
    bool still;
    enum rc rc = count_read(root_fd, &seen, e);
    if (rc == RC_OK)
        rc = quota_sum(root_fd, q, ret, &still, e);
    if (rc != RC_OK)
        return rc;
    if (!last && seen.there)
        fd = open_exclusive(root_fd);
    if (!last && (!still || !is_same(root_fd, &seen)))
        return RC_GONE;
    if ((fd >= 0 || !seen.there) && replace(root_fd, &l, ret, &why) != RC_OK)
        log_warn("%s", err_text(&why));
    return RC_OK;
}

/* Where it cannot be said the next change will say it. */
static void tell_use(int root_fd, const struct quota_terms *q)
{
    struct count c;
    struct err why = {0};
    if (!q->tell || count_read(root_fd, &c, &why) != RC_OK || !c.fine)
        return;
    const struct quota_use use = use_of(&c.m);
    q->tell(q->tell_ctx, q, &use);
}

/* Where the file cannot be replaced the result counts nevertheless. */
static enum rc recount(int root_fd, const struct quota_terms *q, struct quota_use *ret, struct err *e)
{
    enum rc rc = RC_GONE;
    for (int round = 1; round <= ROUNDS && rc == RC_GONE; round++)
        rc = recount_once(root_fd, q, round == ROUNDS, ret, e);
    if (rc == RC_OK && q->tell)
        q->tell(q->tell_ctx, q, ret);
    return rc;
}

static bool is_limited(const struct quota_terms *q, const struct quota_limits *l)
{
    return l->bytes || l->messages || q->domain_total;
}

/* The use as it is known. RC_GONE: nobody counts here. */
static enum rc known_use(int root_fd, const struct quota_terms *q, struct quota_use *ret, int64_t *ret_age,
                         struct err *e)
{
    const struct quota_limits l = quota_limits_of(q->rules, STR_NONE, q->separator);
    bool limited = is_limited(q, &l);
    struct count c;
    enum rc rc = count_read(root_fd, &c, e);
    if (rc != RC_OK)
        return rc;
    if (!c.there && !limited)
        return RC_GONE;
    *ret_age = clock_seconds() - c.st.st_mtim.tv_sec;
    *ret = use_of(&c.m);
    bool other = limited && (c.m.limits.bytes != l.bytes || c.m.limits.messages != l.messages);
    if (c.there && c.fine && !other)
        return RC_OK;
    *ret_age = 0;
    return recount(root_fd, q, ret, e);
}

bool quota_is_kept(int root_fd, const struct quota_terms *q)
{
    const struct quota_limits l = quota_limits_of(q->rules, STR_NONE, q->separator);
    return is_limited(q, &l) || faccessat(root_fd, FILE_NAME, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

enum rc quota_count(int root_fd, const struct quota_terms *q, bool anew, struct quota_use *ret, struct err *e)
{
    int64_t age;
    bool still;
    enum rc rc = anew ? recount(root_fd, q, ret, e) : known_use(root_fd, q, ret, &age, e);
    return rc == RC_GONE ? quota_sum(root_fd, q, ret, &still, e) : rc;
}

void quota_forget(int root_fd)
{
    unlinkat(root_fd, FILE_NAME, 0);
}

void quota_forget_and_tell(int root_fd, const struct quota_terms *q)
{
    struct quota_use use;
    struct err why = {0};
    quota_forget(root_fd);
    if (q->tell && recount(root_fd, q, &use, &why) != RC_OK)
        log_warn("%s", err_text(&why));
}

/* --- who is refused --- */

static enum rc refuse(const struct quota_terms *q, const char *whose, enum quota_verdict why,
                      const struct quota_use *use, struct err *e)
{
    bool temp = q->tempfail && why != QUOTA_NEVER;
    enum rc rc = err_set(e, temp ? RC_LIMIT : RC_PERM, temp ? 452 : 552, temp ? "4.2.2" : "5.2.2", STR_FMT,
                         STR_ARG(q->refusal));
    err_note(e, "%s" STR_FMT " is over quota: %llu bytes, %llu messages", whose, STR_ARG(q->account),
             (unsigned long long)use->bytes, (unsigned long long)use->messages);
    return rc;
}

static enum rc check_size(const struct quota_terms *q, const struct quota_load *load, struct err *e)
{
    if (q->mail_max == 0 || load->use.messages != 1 || load->way == QUOTA_MOVED ||
        load->use.bytes <= q->mail_max)
        return RC_OK;
    return err_set(e, RC_PERM, 552, "5.2.3",
                   "Mail size is larger than the maximum size allowed by server configuration");
}

static struct quota_use without(const struct quota_use *use, const struct quota_use *freed)
{
    return (struct quota_use){use->bytes > freed->bytes ? use->bytes - freed->bytes : 0,
                              use->messages > freed->messages ? use->messages - freed->messages : 0};
}

static enum quota_verdict judge(const struct quota_terms *q, const struct quota_load *load,
                                const struct quota_use *before)
{
    const struct quota_use net = without(before, &load->freed);
    const struct quota_limits general = quota_limits_of(q->rules, STR_NONE, q->separator),
                              l = quota_limits_of(q->rules, load->mailbox, q->separator);
    if (load->way == QUOTA_MOVED)
        return QUOTA_FITS;
    return quota_judge(&l, &net, &load->use,
                       load->way == QUOTA_DELIVERED ? quota_grace(q->grace, general.bytes) : 0);
}

struct fitting {
    const struct quota_terms *q;
    const struct quota_load *load;
};

static bool fits(void *ctx, const struct quota_use *use)
{
    const struct fitting *x = ctx;
    return judge(x->q, x->load, use) == QUOTA_FITS;
}

static bool make_room(int root_fd, const struct quota_terms *q, const struct quota_load *load,
                      const struct quota_use *use)
{
    struct fitting x = {q, load};
    const struct trash_wish w = {.fits = fits, .ctx = &x, .asked = load->asked};
    return q->n_trash > 0 && trash_empty(root_fd, q, &w, use);
}

static enum rc check_domain(const struct quota_terms *q, const struct quota_load *load, struct err *e)
{
    struct quota_limits l;
    struct quota_use use;
    if (!q->domain_total || quota_limits_of(q->rules, load->mailbox, q->separator).ignored ||
        !quota_read_total(*q->domain_total, &l, &use))
        return RC_OK;
    use = without(&use, &load->freed);
    enum quota_verdict v = quota_judge(&l, &use, &load->use, 0);
    return v == QUOTA_FITS ? RC_OK : refuse(q, "the domain of ", v, &use, e);
}

enum rc quota_check(int root_fd, const struct quota_terms *q, const struct quota_load *load, struct err *e)
{
    struct quota_use use = {0};
    int64_t age = 0;
    enum rc rc = check_size(q, load, e);
    if (rc != RC_OK || load->way == QUOTA_MOVED)
        return rc;
    rc = known_use(root_fd, q, &use, &age, e);
    if (rc != RC_OK)
        return rc == RC_GONE ? RC_OK : rc;
    enum quota_verdict v = judge(q, load, &use);
    if (v != QUOTA_FITS && (age >= QUOTA_STALE_SECONDS || age < 0)) {
        rc = recount(root_fd, q, &use, e);
        v = judge(q, load, &use);
    }
    if (rc == RC_OK && v != QUOTA_FITS && (v == QUOTA_NEVER || !make_room(root_fd, q, load, &use)))
        rc = refuse(q, "", v, &use, e);
    return rc == RC_OK ? check_domain(q, load, e) : rc;
}

/* --- counting --- */

/* Opens the file that has the name, with a shared lock: -1, there is none or it cannot be had. */
static int open_shared(int root_fd)
{
    for (int round = 0; round < ROUNDS; round++) {
        int fd = openat(root_fd, FILE_NAME, O_RDWR | O_APPEND | open_flags);
        if (fd < 0)
            return -1;
        if (flock(fd, LOCK_SH) == 0 && is_current(root_fd, fd))
            return fd;
        close(fd);
    }
    return -1;
}

/* Appends a line, with one write. RC_TEMP: it is not there, or torn, which the next reader mends. */
static enum rc append_line(int fd, const struct quota_use *use, bool gone)
{
    AUTO(buf_deinit) struct buf line = BUF_INIT(64);
    maildirsize_put_change(&line, gone ? -(int64_t)use->bytes : (int64_t)use->bytes,
                           gone ? -(int64_t)use->messages : (int64_t)use->messages);
    return write(fd, line.p, line.n) == (ssize_t)line.n ? RC_OK : RC_TEMP;
}

/* What all lines come to, up to the one that was appended last through fd. */
static bool read_to_here(int fd, struct maildirsize *ret)
{
    char text[MAILDIRSIZE_BYTES_MAX + 128];
    off_t end = lseek(fd, 0, SEEK_CUR);
    size_t n = 0;
    return end > 0 && (size_t)end <= sizeof text && fd_read_at(fd, text, (size_t)end, 0, &n) == RC_OK &&
           n == (size_t)end && maildirsize_parse(str_mem(text, n), ret) == RC_OK;
}

static int find_warning(const struct quota_terms *q, const struct quota_use *before,
                        const struct quota_use *after)
{
    const struct quota_limits l = quota_limits_of(q->rules, STR_NONE, q->separator);
    struct quota_warning w;
    for (size_t i = 0; i < q->n_warnings; i++)
        if (quota_warning_parse(q->warnings[i], &w) == RC_OK && !w.below &&
            quota_warning_crossed(&w, &l, before, after))
            return (int)i;
    return -1;
}

enum rc quota_take(int root_fd, const struct quota_terms *q, const struct quota_load *load,
                   struct quota_taken *ret, struct err *e)
{
    struct maildirsize sum;
    *ret = (struct quota_taken){.fd = -1, .of = *load, .warning = -1};
    /* to count anew now would count a delivery twice, which lies in tmp/ */
    enum rc rc = load->way == QUOTA_SAVED ? quota_check(root_fd, q, load, e) : RC_OK;
    if (rc != RC_OK || quota_limits_of(q->rules, load->mailbox, q->separator).ignored)
        return rc;
    ret->fd = open_shared(root_fd);
    if (ret->fd < 0)
        return RC_OK;
    if (append_line(ret->fd, &load->use, false) != RC_OK) {
        fd_closep(&ret->fd); /* the disk is full: the message itself will find that out */
        return RC_OK;
    }
    ret->counted = true;
    if (!read_to_here(ret->fd, &sum))
        return RC_OK;
    ret->after = use_of(&sum);
    sum.bytes -= (int64_t)load->use.bytes;
    sum.messages -= (int64_t)load->use.messages;
    const struct quota_use before = use_of(&sum);
    enum quota_verdict v = judge(q, load, &before);
    if (v != QUOTA_FITS) {
        quota_taken_end(root_fd, q, ret, false);
        return refuse(q, "", v, &before, e);
    }
    if (load->way != QUOTA_MOVED)
        ret->warning = find_warning(q, &before, &ret->after);
    return RC_OK;
}

void quota_taken_unlock(struct quota_taken *t)
{
    fd_closep(&t->fd);
}

void quota_taken_end(int root_fd, const struct quota_terms *q, struct quota_taken *t, bool kept)
{
    bool counted = t->counted;
    t->counted = false;
    if (!counted)
        return;
    if (!kept)
        quota_give(root_fd, q, t->of.mailbox, &t->of.use);
    fd_closep(&t->fd);
    if (kept)
        tell_use(root_fd, q);
    if (kept && t->warning >= 0)
        quota_warn(root_fd, q, (size_t)t->warning, &t->after);
}

void quota_give(int root_fd, const struct quota_terms *q, str mailbox, const struct quota_use *gone)
{
    if (gone->messages == 0 || quota_limits_of(q->rules, mailbox, q->separator).ignored)
        return;
    AUTO(fd_closep) int fd = open_shared(root_fd);
    if (fd >= 0 && append_line(fd, gone, true) != RC_OK)
        log_warn("a quota's count was not lowered: %s", strerror(errno));
    tell_use(root_fd, q);
}
