/* Group commit (os/waiters.h) and the thread that makes room. */
#include "store/journal.h"

#include "base/log.h"
#include "os/file.h"
#include "os/thread.h"
#include "store/journal_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    GROUP_MAX = 512 /* records; below IOV_MAX */,
    FULL_ENOUGH = JOURNAL_SEGMENT_SIZE / 2,
    REVOKE_MS = 10000
};

enum rc journal_boot_now(struct journal_boot *ret)
{
    struct buf text AUTO(buf_deinit) = BUF_INIT(256);
    enum rc rc = file_read("/proc/sys/kernel/random/boot_id", &text);
    return rc == RC_OK && journal_boot_parse(buf_str(&text), ret) == RC_OK ? RC_OK : RC_TEMP;
}

bool journal_ready(struct journal *j, dev_t device)
{
    if (!j)
        return false;
    return atomic_load(&j->ready) && !atomic_load(&j->failed) && j->device == device;
}

const uint64_t *journal_key(const struct journal *j)
{
    return j->header.key;
}

/* --- writing --- */

static void fail_journal(struct journal *j, const char *what)
{
    if (!atomic_load(&j->failed))
        log_error("journal: %s: %s; from here on each message is synced by itself", what, strerror(errno));
    j->failed = true;
    pthread_cond_signal(&j->work);
}

static bool change_segment(struct journal *j)
{
    unsigned other = !j->active;
    if (j->segment[other].filled)
        return false;
    j->segment[j->active].filled = true;
    j->active = other;
    pthread_cond_signal(&j->work);
    return true;
}

/* Room for the first waiter in the active segment; false when its deadline passed, or the journal is over. */
static bool make_room(struct journal *j, const struct journal_waiter *w, msec deadline)
{
    while (!j->failed && !j->closing) {
        if (j->segment[j->active].end + w->bytes <= JOURNAL_SEGMENT_SIZE || change_segment(j))
            return true;
        if (clock_mono() >= deadline)
            return false;
        (void)thread_cond_wait(&j->calm, &j->lock, deadline);
    }
    return false;
}

struct group {
    struct iovec v[GROUP_MAX + 1];
    int n;
    size_t bytes;     /* to the end of a block */
    unsigned waiters; /* so many from the front; others join the queue while the group is written */
    struct journal_segment *segment;
};

static bool fits(const struct journal_segment *s, const struct group *g, const struct journal_waiter *w)
{
    return (size_t)g->n + w->n <= GROUP_MAX && s->end + g->bytes + w->bytes <= JOURNAL_SEGMENT_SIZE;
}

/* Takes waiters from the front of the queue while they fit, and gives their records their places. */
static void gather(struct journal *j, struct group *g)
{
    static char zeros[JOURNAL_BLOCK];
    struct journal_segment *s = &j->segment[j->active];
    struct journal_header h = j->header;
    const struct waiter *w = j->waiters.first;
    if (s->records == 0) {
        s->first = clock_mono();
        pthread_cond_signal(&j->work);
    }
    h.generation = s->generation;
    g->segment = s;
    g->n = 0;
    g->bytes = 0;
    g->waiters = 0;
    for (; w && fits(s, g, (const struct journal_waiter *)w); w = w->next) {
        const struct journal_waiter *one = (const struct journal_waiter *)w;
        for (size_t i = 0; i < one->n; i++) {
            journal_record_place(one->records[i]->p, &h, s->records++);
            g->v[g->n++] = (struct iovec){one->records[i]->p, one->records[i]->n};
        }
        g->bytes += one->bytes;
        g->waiters++;
    }
    size_t pad = -g->bytes % JOURNAL_BLOCK;
    g->v[g->n++] = (struct iovec){zeros, pad};
    g->bytes += pad;
}

/* Called without the lock. A group that may or may not be on the disk was refused: its first block is voided.
 */
static bool write_group(const struct journal *j, const struct group *g)
{
    static const char zeros[JOURNAL_BLOCK];
    off_t at = (off_t)(g->segment - j->segment) * JOURNAL_SEGMENT_SIZE + (off_t)g->segment->end;
    ssize_t n = pwritev(j->fd, g->v, g->n, at);
    if (n == (ssize_t)g->bytes && fdatasync(j->fd) == 0)
        return true;
    int code = n < 0 || n == (ssize_t)g->bytes ? errno : EIO;
    (void)!pwrite(j->fd, zeros, sizeof zeros, at);
    errno = code;
    return false;
}

/* Those for whom a group was written get their answer; NULL for the group: the first one gets none. */
static struct waiter *answer(struct journal *j, const struct group *g, bool ok)
{
    unsigned n = g ? g->waiters : 1;
    struct waiter *w = j->waiters.first;
    for (unsigned i = 0; i < n; i++, w = w->next) {
        struct journal_waiter *one = (struct journal_waiter *)w;
        one->ok = ok;
        one->segment = g ? (unsigned)(g->segment - j->segment) : 0;
    }
    w = waiters_answer(&j->waiters, n);
    waiters_done(&j->waiters);
    return w;
}

/* Writes for everybody who waits at this moment, the first of them being the caller. Opens the lock. */
static void lead(struct journal *j)
{
    struct group g;
    gather(j, &g);
    j->waiters.busy = g.segment->busy = true;
    pthread_mutex_unlock(&j->lock);
    bool ok = write_group(j, &g);
    pthread_mutex_lock(&j->lock);
    g.segment->busy = false;
    if (!ok)
        fail_journal(j, "write");
    g.segment->end += g.bytes;
    g.segment->unreleased += ok ? g.waiters : 0;
    struct waiter *answered = answer(j, &g, ok);
    pthread_cond_broadcast(&j->calm);
    pthread_mutex_unlock(&j->lock);
    waiters_wake(answered);
}

/* The first who waits. Opens the lock. */
static void give_up(struct journal *j)
{
    struct waiter *answered = answer(j, NULL, false);
    pthread_mutex_unlock(&j->lock);
    waiters_wake(answered);
}

enum rc journal_commit(struct journal *j, struct buf *const *records, size_t n, msec deadline,
                       unsigned *ret_ticket, struct err *e)
{
    struct journal_waiter w = {.records = records, .n = n};
    for (size_t i = 0; i < n; i++)
        w.bytes += records[i]->n;
    must(n > 0 && n <= GROUP_MAX && w.bytes <= JOURNAL_SEGMENT_SIZE - 2 * JOURNAL_BLOCK);
    pthread_mutex_lock(&j->lock);
    if (waiters_wait(&j->waiters, &w.waiter, &j->lock)) {
        if (make_room(j, &w, deadline))
            lead(j);
        else
            give_up(j);
    }
    if (w.ok) {
        *ret_ticket = w.segment;
        return RC_OK;
    }
    (void)err_set(e, RC_TEMP, 451, "4.3.0", "Mailbox is temporarily unavailable");
    err_note(e, "the journal did not take the message");
    return RC_TEMP;
}

void journal_release(struct journal *j, unsigned ticket)
{
    pthread_mutex_lock(&j->lock);
    struct journal_segment *s = &j->segment[ticket];
    if (--s->unreleased == 0 && s->filled)
        pthread_cond_broadcast(&j->calm);
    pthread_mutex_unlock(&j->lock);
}

/* What revokes stands in the same segment or in the one that is emptied after it. */
void journal_revoke(struct journal *j, struct buf *const *records, size_t n)
{
    struct err e = {0};
    unsigned ticket;
    for (size_t i = 0; i < n; i++)
        journal_record_void(records[i], journal_key(j));
    if (n == 0)
        return;
    if (journal_commit(j, records, n, clock_mono() + REVOKE_MS, &ticket, &e) == RC_OK)
        journal_release(j, ticket);
    else
        log_error("journal: %zu refused messages may come back after a power failure", n);
}

/* --- emptying; the thread --- */

/* The segment that is to be emptied, or -1: one that is filled, or an active one that is half full or has
 * waited for long enough. */
static int due_segment(struct journal *j)
{
    struct journal_segment *s = &j->segment[j->active];
    if (j->segment[!j->active].filled)
        return !j->active;
    if (s->records == 0)
        return -1;
    if (!j->closing && s->end < FULL_ENOUGH && clock_mono() < s->first + JOURNAL_KEEP_MS)
        return -1;
    int due = (int)j->active;
    return change_segment(j) ? due : -1;
}

/* syncfs covers every file that has a record in the segment once no write to it is under way and all tickets
 * are back: then the files have their names. */
static void empty_segment(struct journal *j, unsigned segment)
{
    while (j->segment[segment].busy || j->segment[segment].unreleased > 0)
        pthread_cond_wait(&j->calm, &j->lock);
    pthread_mutex_unlock(&j->lock);
    bool synced = syncfs(j->root_fd) == 0, ok = synced && journal_file_reset(j, segment);
    pthread_mutex_lock(&j->lock);
    if (!ok)
        fail_journal(j, synced ? "empty" : "syncfs");
    pthread_cond_broadcast(&j->calm);
}

/* After an error of the disk nobody knows what is on it: the records stay, and at the next start the files
 * are compared with them, whatever boot that is in. */
static void keep_records(struct journal *j)
{
    for (unsigned i = 0; i < JOURNAL_SEGMENTS; i++) {
        while (j->segment[i].busy)
            pthread_cond_wait(&j->calm, &j->lock);
        if (j->segment[i].records > 0)
            (void)!journal_file_suspect(j, i);
    }
    pthread_cond_broadcast(&j->calm);
}

static void wait_for_work(struct journal *j)
{
    struct journal_segment *s = &j->segment[j->active];
    if (s->records > 0)
        (void)thread_cond_wait(&j->work, &j->lock, s->first + JOURNAL_KEEP_MS);
    else
        pthread_cond_wait(&j->work, &j->lock);
}

/* Takes the file over and brings it into order. */
static bool take_over(struct journal *j)
{
    struct err e = {0};
    if (journal_file_recover(j, &e) != RC_OK) {
        log_error("%s/" JOURNAL_NAME ": %s; each message is synced by itself", j->root, err_text(&e));
        return false;
    }
    atomic_store(&j->ready, true);
    return true;
}

static void *journal_main(void *arg)
{
    struct journal *j = arg;
    if (!j->ready && flock(j->fd, LOCK_EX) == 0)
        (void)take_over(j);
    pthread_mutex_lock(&j->lock);
    while (j->ready && !j->failed) {
        int due = due_segment(j);
        if (due >= 0)
            empty_segment(j, (unsigned)due);
        else if (j->closing)
            break;
        else
            wait_for_work(j);
    }
    if (j->failed)
        keep_records(j);
    j->thread_ended = true;
    pthread_cond_broadcast(&j->calm);
    pthread_mutex_unlock(&j->lock);
    return NULL;
}

/* --- opening and closing --- */

static void *refuse(struct journal *j, struct err *e, const char *what)
{
    (void)err_set(e, RC_TEMP, 0, "", "%s/" JOURNAL_NAME ": %s: %s", j->root, what, strerror(errno));
    fd_closep(&j->fd);
    fd_closep(&j->header_fd);
    fd_closep(&j->root_fd);
    free(j);
    return NULL;
}

struct journal *journal_open(const char *root, const struct journal_boot *boot, struct err *e)
{
    struct journal *j = calloc(1, sizeof *j);
    struct stat st;
    must(j && pthread_mutex_init(&j->lock, NULL) == 0);
    must(thread_cond_init(&j->work) == RC_OK);
    must(thread_cond_init(&j->calm) == RC_OK);
    j->root = root;
    waiters_init(&j->waiters);
    j->header.boot = *boot;
    j->fd = j->header_fd = -1;
    j->root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (j->root_fd < 0 || fstat(j->root_fd, &st) != 0)
        return refuse(j, e, "open");
    j->device = st.st_dev;
    if (!journal_file_system_trusted(j->root_fd)) {
        errno = EOPNOTSUPP;
        return refuse(j, e, "file system");
    }
    if (!journal_file_open(j))
        return refuse(j, e, "open");
    if (flock(j->fd, LOCK_EX | LOCK_NB) == 0 && !take_over(j))
        return refuse(j, e, "recover");
    if (thread_start(journal_main, j, 0, "journal") != RC_OK)
        return refuse(j, e, "thread");
    return j;
}

void journal_stop(struct journal *j)
{
    if (!j)
        return;
    pthread_mutex_lock(&j->lock);
    j->closing = true;
    while (j->ready && !j->thread_ended) {
        pthread_cond_signal(&j->work);
        pthread_cond_broadcast(&j->calm);
        (void)thread_cond_wait(&j->calm, &j->lock, clock_mono() + 50);
    }
    pthread_mutex_unlock(&j->lock);
}

struct journal *journal_close(struct journal *j)
{
    if (!j)
        return NULL;
    journal_stop(j);
    pthread_mutex_lock(&j->lock);
    bool waits = !j->thread_ended; /* for another process; then it ends with this one */
    pthread_mutex_unlock(&j->lock);
    if (waits)
        return NULL;
    fd_closep(&j->fd);
    fd_closep(&j->header_fd);
    fd_closep(&j->root_fd);
    free(j);
    return NULL;
}
