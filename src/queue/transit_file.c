/* Making the file, and reading what a process left in it. */
#include "queue/transit_file.h"

#include "base/log.h"
#include "base/map.h"
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SEGMENT_SIZE = 16 << 20, /* of a new file; an older one has smaller ones */
    PIECE = 1 << 20,         /* so much is read, or made, at once */
    RECORD_MAX = TRANSIT_RECORD_HEADER_SIZE + TRANSIT_PAYLOAD_MAX + TRANSIT_BLOCK,
    READ_ARENA = 64 << 20,
    POLL_US = 20000
};

/* --- the file --- */

static bool fill(int fd)
{
    AUTO(buf_deinit) struct buf zeros = BUF_INIT(PIECE);
    static const char block[TRANSIT_BLOCK];
    while (zeros.n < PIECE)
        buf_put(&zeros, block, sizeof block);
    for (int i = 0; i < TRANSIT_SEGMENTS * SEGMENT_SIZE / PIECE; i++)
        if (fd_write_all(fd, buf_str(&zeros)) != RC_OK)
            return false;
    return fsync(fd) == 0;
}

bool transit_file_measure(struct transit_file *f)
{
    struct stat st;
    bool fine = fstat(f->fd, &st) == 0 && st.st_size >= (off_t)(TRANSIT_SEGMENTS * RECORD_MAX);
    f->segment_size = fine ? (size_t)st.st_size / TRANSIT_SEGMENTS / TRANSIT_BLOCK * TRANSIT_BLOCK : 0;
    return fine;
}

int transit_file_make(int dir_fd)
{
    static const char unfinished[] = TRANSIT_FILE_NAME ".new";
    AUTO(fd_closep)
    int fd = openat(dir_fd, unfinished, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || !fill(fd) || renameat(dir_fd, unfinished, dir_fd, TRANSIT_FILE_NAME) != 0 ||
        fsync(dir_fd) != 0) {
        log_warn("queue: " TRANSIT_FILE_NAME " cannot be made: %s", strerror(errno));
        unlinkat(dir_fd, unfinished, 0);
        return -1;
    }
    int made = fd;
    fd = -1;
    return made;
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
    const struct transit_file *file;
    unsigned segment;
    char *bytes;
    bool has; /* a header */
    struct transit_walk walk;
};

static bool read_more(struct reading *r)
{
    size_t n, at = r->walk.segment.n, left = r->file->segment_size - at, most = left < PIECE ? left : PIECE;
    if (fd_read_at(r->file->fd, r->bytes + at, most, transit_file_at(r->file, r->segment, at), &n) != RC_OK ||
        n != most)
        return false;
    r->walk.segment = str_mem(r->bytes, at + n);
    return true;
}

static bool read_segment(const struct transit_file *file, unsigned i, struct arena *a, struct reading *ret)
{
    *ret = (struct reading){.file = file, .segment = i, .bytes = arena_alloc(a, file->segment_size)};
    if (!ret->bytes || !read_more(ret))
        return false;
    enum rc rc = transit_walk_begin(&ret->walk, ret->walk.segment);
    ret->has = rc == RC_OK;
    errno = EPROTONOSUPPORT; /* a later version's */
    return rc != RC_PERM;
}

/* *ret_rc: RC_GONE at the end, which may be one only because less than a record was read behind it. */
static bool next_record(struct reading *r, struct transit_record *ret, enum rc *ret_rc)
{
    for (;;) {
        struct transit_walk before = r->walk;
        *ret_rc = transit_walk_next(&r->walk, ret);
        if (*ret_rc == RC_OK || before.segment.n - before.at > RECORD_MAX ||
            before.segment.n == r->file->segment_size)
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

enum rc transit_file_read(const struct transit_file *file, struct arena *a, struct transit_left *ret)
{
    struct reading r[TRANSIT_SEGMENTS];
    bool fits = true;
    struct transit_left puts = {.n = 0};
    struct map *gone = map_new();
    for (unsigned i = 0; i < TRANSIT_SEGMENTS && fits; i++)
        fits = read_segment(file, i, a, &r[i]);
    unsigned older =
        fits && r[0].has && r[1].has && r[1].walk.header.generation < r[0].walk.header.generation;
    for (unsigned i = 0; i < TRANSIT_SEGMENTS && fits; i++)
        if (r[older ^ i].has)
            fits = read_records(&r[older ^ i], a, &puts, gone);
    ret->v = puts.v;
    for (size_t i = 0; i < puts.n && fits; i++) {
        struct transit_record one = puts.v[i];
        if (map_find(gone, str_mem(&one.number, sizeof one.number)))
            continue;
        puts.v[i] = ret->v[ret->n];
        ret->v[ret->n++] = one;
    }
    ret->n_gone = puts.n - ret->n;
    map_free(gone);
    return fits ? RC_OK : RC_TEMP;
}

/* --- for other processes --- */

static bool read_again(int dir_fd, struct arena *a, struct transit_left *ret)
{
    AUTO(fd_closep) int fd = openat(dir_fd, TRANSIT_FILE_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct transit_file file = {.fd = fd};
    *ret = (struct transit_left){.n = 0};
    return fd < 0 || (transit_file_measure(&file) && transit_file_read(&file, a, ret) == RC_OK);
}

static bool has_any(const struct transit_left *now, const int64_t *numbers, size_t n)
{
    for (size_t i = 0; i < now->n; i++)
        for (size_t k = 0; k < n; k++)
            if (now->v[i].number == numbers[k])
                return true;
    return false;
}

bool transit_file_await(int dir_fd, msec wait_ms)
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
