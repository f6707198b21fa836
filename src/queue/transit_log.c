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
#include <unistd.h>

#define NAME "transit.log"

enum {
    SEGMENTS = 2,
    SEGMENT_SIZE = 16 << 20, /* of a new file; an older one has smaller ones */
    GROUP_MAX = 1 << 20,     /* bytes that are written at once */
    PIECE = 1 << 20,         /* so much is read at once */
    RECORD_MAX = TRANSIT_RECORD_HEADER_SIZE + TRANSIT_PAYLOAD_MAX + TRANSIT_BLOCK,
    GONE_MAX = 4096, /* more are written at once */
    READ_ARENA = 64 << 20,
    POLL_US = 20000
};

struct putter { /* one thread in transit_log_put */
    struct waiter waiter;
    const struct transit_record *record;
    bool ok; /* the answer: it was written */
    unsigned segment;
};

struct segment {
    uint64_t generation;
    size_t end;
    uint32_t sequence;
    unsigned alive;
};

struct transit_log {
    int fd;
    size_t segment_size;
    pthread_mutex_t lock;         /* all below */
    struct transit_header header; /* generation: the last one that was given out */
    struct segment segment[SEGMENTS];
    unsigned active;
    bool full;                            /* the other one is not empty */
    bool failed;                          /* the disk */
    msec unwritten_since, unsynced_since; /* as in struct transit_log_state */
    uint64_t ticket, written_ticket, lasting;
    pthread_cond_t written;
    struct waiters waiters;
    int64_t gone[GONE_MAX];
    size_t n_gone;
    struct buf group; /* whoever writes */
};

/* --- the file --- */

static off_t at_of(const struct transit_log *log, unsigned segment, size_t at)
{
    return (off_t)(segment * log->segment_size + at);
}

static bool fill(int fd)
{
    AUTO(buf_deinit) struct buf zeros = BUF_INIT(GROUP_MAX);
    static const char block[TRANSIT_BLOCK];
    while (zeros.n < GROUP_MAX)
        buf_put(&zeros, block, sizeof block);
    for (int i = 0; i < SEGMENTS * SEGMENT_SIZE / GROUP_MAX; i++)
        if (fd_write_all(fd, buf_str(&zeros)) != RC_OK)
            return false;
    return fsync(fd) == 0;
}

static bool measure(struct transit_log *log)
{
    struct stat st;
    bool fine = fstat(log->fd, &st) == 0 && st.st_size >= (off_t)(SEGMENTS * RECORD_MAX);
    log->segment_size = fine ? (size_t)st.st_size / SEGMENTS / TRANSIT_BLOCK * TRANSIT_BLOCK : 0;
    return fine;
}

/* -1: it cannot be made, and there is none. */
static int make_file(int dir_fd)
{
    static const char unfinished[] = NAME ".new";
    AUTO(fd_closep)
    int fd = openat(dir_fd, unfinished, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || !fill(fd) || renameat(dir_fd, unfinished, dir_fd, NAME) != 0 || fsync(dir_fd) != 0) {
        log_warn("queue: " NAME " cannot be made: %s", strerror(errno));
        unlinkat(dir_fd, unfinished, 0);
        return -1;
    }
    int made = fd;
    fd = -1;
    return made;
}

/* Empties a segment, durably. */
static bool reset(struct transit_log *log, unsigned segment, uint64_t generation)
{
    unsigned char block[TRANSIT_BLOCK] = {0};
    struct transit_header h = log->header;
    h.generation = generation;
    transit_header_format(&h, block);
    return pwrite(log->fd, block, sizeof block, at_of(log, segment, 0)) == (ssize_t)sizeof block &&
           fdatasync(log->fd) == 0;
}

/* --- what was left --- */

static bool add(struct arena *a, struct transit_left *list, const struct transit_record *r)
{
    if ((list->n & (list->n - 1)) == 0) /* a power of two, or none: it is full */
        list->v = arena_grow(a, list->v, list->n, sizeof *list->v);
    if (list->v)
        list->v[list->n++] = *r;
    return list->v != NULL;
}

/* A segment as far as it was read. */
struct reading {
    const struct transit_log *log;
    unsigned segment;
    char *bytes;
    bool has; /* a header */
    struct transit_walk walk;
};

static bool read_more(struct reading *r)
{
    size_t n, at = r->walk.segment.n, left = r->log->segment_size - at, most = left < PIECE ? left : PIECE;
    if (fd_read_at(r->log->fd, r->bytes + at, most, at_of(r->log, r->segment, at), &n) != RC_OK || n != most)
        return false;
    r->walk.segment = str_mem(r->bytes, at + n);
    return true;
}

static bool read_segment(const struct transit_log *log, unsigned i, struct arena *a, struct reading *ret)
{
    *ret = (struct reading){.log = log, .segment = i, .bytes = arena_alloc(a, log->segment_size)};
    if (!ret->bytes || !read_more(ret))
        return false;
    ret->has = transit_walk_begin(&ret->walk, ret->walk.segment) == RC_OK;
    return true;
}

/* *ret_rc: RC_GONE at the end, which may be one only because less than a record was read behind it. */
static bool next_record(struct reading *r, struct transit_record *ret, enum rc *ret_rc)
{
    for (;;) {
        struct transit_walk before = r->walk;
        *ret_rc = transit_walk_next(&r->walk, ret);
        if (*ret_rc == RC_OK || before.segment.n - before.at > RECORD_MAX ||
            before.segment.n == r->log->segment_size)
            return true;
        r->walk = before;
        if (!read_more(r))
            return false;
    }
}

static bool read_records(struct reading *from, struct arena *a, struct transit_left *puts, struct map *gone)
{
    struct transit_record r;
    enum rc rc;
    bool fine;
    while ((fine = next_record(from, &r, &rc)) && rc == RC_OK) {
        if (r.kind == TRANSIT_GONE)
            map_put(gone, str_mem(&r.number, sizeof r.number), gone);
        else if (!add(a, puts, &r))
            return false;
    }
    return fine;
}

static enum rc read_left(const struct transit_log *log, struct arena *a, struct transit_left *ret)
{
    struct reading r[SEGMENTS];
    bool fits = true;
    struct transit_left puts = {.n = 0};
    struct map *gone = map_new();
    for (unsigned i = 0; i < SEGMENTS && fits; i++)
        fits = read_segment(log, i, a, &r[i]);
    unsigned older =
        fits && r[0].has && r[1].has && r[1].walk.header.generation < r[0].walk.header.generation;
    for (unsigned i = 0; i < SEGMENTS && fits; i++)
        if (r[older ^ i].has)
            fits = read_records(&r[older ^ i], a, &puts, gone);
    for (size_t i = 0; i < puts.n && fits; i++)
        if (!map_find(gone, str_mem(&puts.v[i].number, sizeof puts.v[i].number)))
            puts.v[ret->n++] = puts.v[i];
    ret->v = puts.v;
    map_free(gone);
    return fits ? RC_OK : RC_TEMP;
}

/* --- for others --- */

static bool read_again(int dir_fd, struct arena *a, struct transit_left *ret)
{
    AUTO(fd_closep) int fd = openat(dir_fd, NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct transit_log log = {.fd = fd};
    *ret = (struct transit_left){.n = 0};
    return fd < 0 || (measure(&log) && read_left(&log, a, ret) == RC_OK);
}

static bool has_any(const struct transit_left *now, const int64_t *numbers, size_t n)
{
    for (size_t i = 0; i < now->n; i++)
        for (size_t k = 0; k < n; k++)
            if (now->v[i].number == numbers[k])
                return true;
    return false;
}

bool transit_log_await(int dir_fd, msec wait_ms)
{
    AUTO(arena_freep) struct arena *first = arena_new(READ_ARENA);
    AUTO(arena_freep) struct arena *a = arena_new(READ_ARENA);
    struct transit_left left;
    msec deadline = clock_mono() + wait_ms;
    if (!read_again(dir_fd, first, &left))
        return false;
    size_t n = left.n;
    int64_t *numbers = arena_array(first, n + 1, sizeof *numbers);
    for (size_t i = 0; numbers && i < n; i++)
        numbers[i] = left.v[i].number;
    while (numbers && has_any(&left, numbers, n) && clock_mono() < deadline) {
        usleep(POLL_US);
        arena_reset(a);
        if (!read_again(dir_fd, a, &left))
            return false;
    }
    return numbers && !has_any(&left, numbers, n);
}

/* --- opening --- */

enum rc transit_log_open(int dir_fd, bool may_make, struct arena *a, struct transit_log **ret,
                         struct transit_left *ret_left, struct err *e)
{
    *ret = NULL;
    *ret_left = (struct transit_left){.n = 0};
    int fd = openat(dir_fd, NAME, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    bool is_new = fd < 0 && errno == ENOENT;
    if (is_new && may_make)
        fd = make_file(dir_fd);
    if (fd < 0)
        return is_new ? RC_OK : err_set(e, RC_TEMP, 0, "", NAME ": %s", strerror(errno));
    struct transit_log *log = calloc(1, sizeof *log);
    must(log && thread_mutex_init(&log->lock) == RC_OK && thread_cond_init(&log->written) == RC_OK);
    log->fd = fd;
    waiters_init(&log->waiters);
    buf_init(&log->group, 2 * GROUP_MAX);
    *ret = log;
    if (measure(log) && (is_new || read_left(log, a, ret_left) == RC_OK))
        return RC_OK;
    *ret = transit_log_close(log);
    return err_set(e, RC_TEMP, 0, "", NAME " cannot be read: %s", strerror(errno));
}

enum rc transit_log_begin(struct transit_log *log, struct err *e)
{
    crypto_random(log->header.key, sizeof log->header.key);
    for (unsigned i = 0; i < SEGMENTS; i++) {
        if (!reset(log, i, i + 1))
            return err_set(e, RC_TEMP, 0, "", NAME " cannot be emptied: %s", strerror(errno));
        log->segment[i] = (struct segment){.generation = i + 1, .end = TRANSIT_BLOCK};
    }
    log->header.generation = SEGMENTS;
    log->active = SEGMENTS - 1;
    return RC_OK;
}

struct transit_log *transit_log_close(struct transit_log *log)
{
    if (!log)
        return NULL;
    close(log->fd);
    buf_deinit(&log->group);
    pthread_cond_destroy(&log->written);
    pthread_mutex_destroy(&log->lock);
    free(log);
    return NULL;
}

/* --- writing; with the lock, which is open while the disk works --- */

struct group {
    unsigned segment, waiters; /* so many from the front; others come while the group is written */
    size_t at;
    uint64_t ticket; /* of the last one that is gone */
    bool ok;
};

static void fail(struct transit_log *log)
{
    if (!log->failed)
        log_error("queue: " NAME ": %s; from here on all goes to the database", strerror(errno));
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
           (log->segment[log->active].end + wanted <= log->segment_size || change_segment(log));
}

/* What is gone, and the records of those who wait, from this one on. */
static void gather(struct transit_log *log, const struct waiter *first, struct group *g)
{
    static const char zeros[TRANSIT_BLOCK];
    struct segment *s = &log->segment[log->active];
    struct transit_header h = log->header;
    h.generation = s->generation;
    *g = (struct group){.segment = log->active, .ticket = log->ticket, .at = s->end};
    buf_reset(&log->group);
    for (size_t i = 0; i < log->n_gone; i++) {
        const struct transit_record r = {.kind = TRANSIT_GONE, .number = log->gone[i]};
        transit_record_put(&log->group, &h, s->sequence++, &r);
    }
    log->n_gone = 0;
    for (const struct waiter *w = first; w; w = w->next, g->waiters++) {
        struct putter *p = (struct putter *)w;
        size_t size = log->group.n + transit_record_size(p->record) + TRANSIT_BLOCK;
        if (size > GROUP_MAX || s->end + size > log->segment_size)
            break;
        transit_record_put(&log->group, &h, s->sequence++, p->record);
        p->segment = log->active;
    }
    buf_put(&log->group, zeros, -log->group.n & (TRANSIT_BLOCK - 1));
    must(!log->group.overflow && (g->waiters > 0 || !first));
    s->end += log->group.n;
    s->alive += g->waiters;
}

/* Without the lock. A group that may or may not be on the disk was refused: its first block is voided. */
static bool write_group(const struct transit_log *log, const struct group *g, bool lasting)
{
    static const char zeros[TRANSIT_BLOCK];
    str bytes = buf_str(&log->group);
    off_t at = at_of(log, g->segment, g->at);
    if (pwrite(log->fd, bytes.p, bytes.n, at) == (ssize_t)bytes.n && (!lasting || fdatasync(log->fd) == 0))
        return true;
    int code = errno;
    (void)!pwrite(log->fd, zeros, sizeof zeros, at);
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
    struct putter p = {.record = r};
    pthread_mutex_lock(&log->lock);
    if (waiters_wait(&log->waiters, &p.waiter, &log->lock))
        lead(log);
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
        g.ok = fdatasync(log->fd) == 0;
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
