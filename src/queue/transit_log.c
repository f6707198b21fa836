/* A thread that puts something in writes for all that wait at that moment (os/waiters.h), and for what is
 * gone. */
#include "queue/transit_log.h"

#include "base/log.h"
#include "base/map.h"
#include "os/crypto.h"
#include "os/file.h"
#include "os/thread.h"
#include "os/waiters.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    GROUP_MAX = 1 << 20, /* bytes that are written at once, */
    GROUP_RECORDS = 300, /* of so many that came */
    RECORD_MAX = TRANSIT_RECORD_HEADER_SIZE + TRANSIT_PAYLOAD_MAX + TRANSIT_BLOCK,
    GONE_MAX = 4096, /* more are written at once */
};

struct putter { /* one thread in transit_log_put */
    struct waiter waiter;
    const struct transit_record *record;
    struct buf head; /* of the record; its content lies where it is */
    bool ok;         /* the answer: it was written */
    unsigned segment;
};

struct segment {
    uint64_t generation;
    size_t end;
    uint32_t sequence;
    unsigned alive;
};

struct transit_log {
    struct transit_file file;
    struct transit_header header; /* generation, under the lock: the last one that was given out */
    pthread_mutex_t lock;         /* all below */
    struct segment segment[TRANSIT_SEGMENTS];
    unsigned active;
    bool full;                            /* the other one is not empty */
    bool failed;                          /* the disk */
    msec unwritten_since, unsynced_since; /* as in struct transit_log_state */
    uint64_t ticket, written_ticket, lasting;
    pthread_cond_t written;
    struct waiters waiters;
    int64_t gone[GONE_MAX];
    size_t n_gone;
    struct buf group_gone; /* whoever writes: records of what is gone, and all pieces of the group */
    struct iovec group[3 * GROUP_RECORDS + 2];
};

/* Empties a segment, durably. */
static bool reset(struct transit_log *log, unsigned segment, uint64_t generation)
{
    unsigned char block[TRANSIT_BLOCK] = {0};
    struct transit_header h = log->header;
    h.generation = generation;
    transit_header_format(&h, block);
    return pwrite(log->file.fd, block, sizeof block, transit_file_at(&log->file, segment, 0)) ==
               (ssize_t)sizeof block &&
           fdatasync(log->file.fd) == 0;
}

/* --- opening --- */

enum rc transit_log_open(int dir_fd, bool may_make, struct arena *a, struct transit_log **ret,
                         struct transit_left *ret_left, struct err *e)
{
    *ret = NULL;
    *ret_left = (struct transit_left){.n = 0};
    int fd = openat(dir_fd, TRANSIT_FILE_NAME, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    bool is_new = fd < 0 && errno == ENOENT;
    if (is_new && may_make)
        fd = transit_file_make(dir_fd);
    if (fd < 0)
        return is_new ? RC_OK : err_set(e, RC_TEMP, 0, "", TRANSIT_FILE_NAME ": %s", strerror(errno));
    struct transit_log *log = calloc(1, sizeof *log);
    must(log && thread_mutex_init(&log->lock) == RC_OK && thread_cond_init(&log->written) == RC_OK);
    log->file.fd = fd;
    waiters_init(&log->waiters);
    buf_init(&log->group_gone, GONE_MAX * TRANSIT_RECORD_HEADER_SIZE);
    *ret = log;
    if (transit_file_measure(&log->file) && (is_new || transit_file_read(&log->file, a, ret_left) == RC_OK))
        return RC_OK;
    *ret = transit_log_close(log);
    return err_set(e, RC_TEMP, 0, "", TRANSIT_FILE_NAME " cannot be read: %s", strerror(errno));
}

enum rc transit_log_begin(struct transit_log *log, struct err *e)
{
    crypto_random(log->header.key, sizeof log->header.key);
    for (unsigned i = 0; i < TRANSIT_SEGMENTS; i++) {
        if (!reset(log, i, i + 1))
            return err_set(e, RC_TEMP, 0, "", TRANSIT_FILE_NAME " cannot be emptied: %s", strerror(errno));
        log->segment[i] = (struct segment){.generation = i + 1, .end = TRANSIT_BLOCK};
    }
    log->header.generation = TRANSIT_SEGMENTS;
    log->active = TRANSIT_SEGMENTS - 1;
    return RC_OK;
}

struct transit_log *transit_log_close(struct transit_log *log)
{
    if (!log)
        return NULL;
    close(log->file.fd);
    buf_deinit(&log->group_gone);
    pthread_cond_destroy(&log->written);
    pthread_mutex_destroy(&log->lock);
    free(log);
    return NULL;
}

/* --- writing; with the lock, which is open while the disk works --- */

struct group {
    unsigned segment, waiters; /* so many from the front; others come while the group is written */
    size_t at, bytes;
    int pieces;
    uint64_t ticket; /* of the last one that is gone */
    bool ok;
};

static void fail(struct transit_log *log)
{
    if (!log->failed)
        log_error("queue: " TRANSIT_FILE_NAME ": %s; from here on all goes to the database", strerror(errno));
    log->failed = true;
}

/* Gives the turn to the other segment when it is empty. */
static bool change_segment(struct transit_log *log)
{
    unsigned other = !log->active;
    uint64_t generation = log->header.generation + 1;
    log->full = log->segment[other].alive > 0;
    if (log->full)
        return false;
    pthread_mutex_unlock(&log->lock);
    bool ok = reset(log, other, generation);
    pthread_mutex_lock(&log->lock);
    if (!ok) {
        fail(log);
        return false;
    }
    log->header.generation = generation;
    log->segment[other] = (struct segment){.generation = generation, .end = TRANSIT_BLOCK};
    log->active = other;
    return true;
}

static size_t gone_size(const struct transit_log *log)
{
    return log->n_gone * TRANSIT_RECORD_HEADER_SIZE;
}

/* Room for what is gone and for one who waits (NULL: none). */
static bool has_room(struct transit_log *log, const struct putter *w)
{
    size_t wanted = gone_size(log) + (w ? transit_record_size(w->record) : 0) + TRANSIT_BLOCK;
    return !log->failed &&
           (log->segment[log->active].end + wanted <= log->file.segment_size || change_segment(log));
}

static void add_piece(struct transit_log *log, struct group *g, str bytes)
{
    if (bytes.n == 0)
        return;
    log->group[g->pieces++] = (struct iovec){(char *)bytes.p, bytes.n};
    g->bytes += bytes.n;
}

static void add_gone(struct transit_log *log, const struct transit_header *h, struct group *g)
{
    buf_reset(&log->group_gone);
    for (size_t i = 0; i < log->n_gone; i++) {
        const struct transit_record r = {.kind = TRANSIT_GONE, .number = log->gone[i]};
        transit_record_put(&log->group_gone, h, log->segment[g->segment].sequence++, &r);
    }
    log->n_gone = 0;
    must(!log->group_gone.overflow);
    add_piece(log, g, buf_str(&log->group_gone));
}

static const char zeros[TRANSIT_BLOCK];

/* What is gone, and the records of those who wait, from this one on. */
static void gather(struct transit_log *log, const struct waiter *first, struct group *g)
{
    struct segment *s = &log->segment[log->active];
    struct transit_header h = log->header;
    h.generation = s->generation;
    *g = (struct group){.segment = log->active, .ticket = log->ticket, .at = s->end};
    add_gone(log, &h, g);
    for (const struct waiter *w = first; w && g->waiters < GROUP_RECORDS; w = w->next, g->waiters++) {
        struct putter *p = (struct putter *)w;
        size_t size = g->bytes + transit_record_size(p->record) + TRANSIT_BLOCK;
        if (size > GROUP_MAX || s->end + size > log->file.segment_size)
            break;
        transit_record_seal(p->head.p, &h, s->sequence++);
        add_piece(log, g, buf_str(&p->head));
        add_piece(log, g, p->record->content);
        add_piece(log, g, str_mem(zeros, transit_record_pad(p->record)));
        p->segment = log->active;
    }
    add_piece(log, g, str_mem(zeros, -g->bytes & (TRANSIT_BLOCK - 1)));
    must(g->waiters > 0 || !first);
    s->end += g->bytes;
    s->alive += g->waiters;
}

/* Without the lock. A group that may or may not be on the disk was refused: its first block is voided. */
static bool write_group(const struct transit_log *log, const struct group *g, bool lasting)
{
    off_t at = transit_file_at(&log->file, g->segment, g->at);
    ssize_t n = pwritev(log->file.fd, log->group, g->pieces, at);
    if (n == (ssize_t)g->bytes && (!lasting || fdatasync(log->file.fd) == 0))
        return true;
    int code = n < 0 || n == (ssize_t)g->bytes ? errno : EIO;
    (void)!pwrite(log->file.fd, zeros, sizeof zeros, at);
    errno = code;
    return false;
}

/* The first n who wait. */
static struct waiter *answer(struct transit_log *log, unsigned n, bool ok)
{
    struct waiter *w = log->waiters.first;
    for (unsigned i = 0; i < n; i++, w = w->next)
        ((struct putter *)w)->ok = ok;
    return waiters_answer(&log->waiters, n);
}

static void end_turn(struct transit_log *log)
{
    waiters_done(&log->waiters);
    pthread_cond_broadcast(&log->written);
}

static void note_written(struct transit_log *log, const struct group *g, bool lasting)
{
    if (!g->ok)
        return;
    log->written_ticket = g->ticket;
    if (lasting)
        log->lasting = g->ticket;
    log->unsynced_since = lasting ? 0 : log->unsynced_since ? log->unsynced_since : clock_mono();
}

/* Writes for everybody who waits at this moment, the first of them being the caller. Opens the lock. */
static void lead(struct transit_log *log)
{
    struct group g;
    struct waiter *answered;
    log->waiters.busy = true;
    if (!has_room(log, (struct putter *)log->waiters.first)) {
        answered = answer(log, 1, false);
    } else {
        gather(log, log->waiters.first, &g);
        pthread_mutex_unlock(&log->lock);
        g.ok = write_group(log, &g, true);
        pthread_mutex_lock(&log->lock);
        if (!g.ok) {
            fail(log);
            log->segment[g.segment].alive -= g.waiters;
        }
        note_written(log, &g, true);
        answered = answer(log, g.waiters, g.ok);
    }
    end_turn(log);
    pthread_mutex_unlock(&log->lock);
    waiters_wake(answered);
}

enum rc transit_log_put(struct transit_log *log, const struct transit_record *r, unsigned *ret_segment)
{
    struct putter p = {.record = r, .head = BUF_INIT(RECORD_MAX)};
    transit_record_begin(&p.head, log->header.key, r);
    must(!p.head.overflow);
    pthread_mutex_lock(&log->lock);
    if (waiters_wait(&log->waiters, &p.waiter, &log->lock))
        lead(log);
    buf_deinit(&p.head);
    *ret_segment = p.segment;
    return p.ok ? RC_OK : RC_LIMIT;
}

uint64_t transit_log_gone(struct transit_log *log, int64_t number, unsigned segment)
{
    pthread_mutex_lock(&log->lock);
    while (log->n_gone == GONE_MAX && !log->failed)
        pthread_cond_wait(&log->written, &log->lock);
    if (log->n_gone < GONE_MAX)
        log->gone[log->n_gone++] = number;
    if (log->n_gone == 1)
        log->unwritten_since = clock_mono();
    uint64_t ticket = ++log->ticket;
    if (--log->segment[segment].alive == 0)
        log->full = false;
    pthread_mutex_unlock(&log->lock);
    return ticket;
}

void transit_log_flush(struct transit_log *log, bool lasting)
{
    pthread_mutex_lock(&log->lock);
    while (log->waiters.busy)
        pthread_cond_wait(&log->written, &log->lock);
    struct group g = {.ticket = log->written_ticket, .ok = true};
    log->waiters.busy = true;
    bool writes = log->n_gone > 0 && has_room(log, NULL);
    if (writes)
        gather(log, NULL, &g);
    pthread_mutex_unlock(&log->lock);
    if (writes)
        g.ok = write_group(log, &g, lasting);
    else if (lasting)
        g.ok = fdatasync(log->file.fd) == 0;
    pthread_mutex_lock(&log->lock);
    if (!g.ok)
        fail(log);
    if (writes || lasting)
        note_written(log, &g, lasting);
    end_turn(log);
    pthread_mutex_unlock(&log->lock);
}

struct transit_log_state transit_log_state(struct transit_log *log)
{
    pthread_mutex_lock(&log->lock);
    struct transit_log_state s = {.unwritten = log->n_gone,
                                  .unwritten_since = log->unwritten_since,
                                  .unsynced_since = log->unsynced_since,
                                  .lasting = log->lasting,
                                  .full = log->full ? (int)!log->active : TRANSIT_NO_SEGMENT};
    pthread_mutex_unlock(&log->lock);
    return s;
}
