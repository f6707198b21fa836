/* Spool files; see the header. A lock on the open file description travels with the descriptor: it is held
 * for as long as any process has the file, and gone when the last one closed it, crash or not. */
#include "queue/spool.h"

#include "base/clock.h"
#include "base/num.h"
#include "os/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    FREE_MAX = 64,
    KEEP_SIZE = 256 << 10, /* so much of a free file stays on the disk */
    RECLAIM_AT_ONCE = 4,
    ROOM_MS = 100
};

struct lent {
    int64_t number;
    ino_t inode;
    bool is_new; /* the folder's entry for it may not last */
    struct lent *next;
};

struct spool {
    pthread_mutex_t lock;
    int dir;
    int64_t next_number;
    struct lent *lent, **lent_end; /* oldest first */
    struct free_file {
        int64_t number;
        off_t size;
    } free[FREE_MAX];
    size_t n_free;
    uint64_t room;   /* as seen last */
    msec look_again; /* clock_mono() */
};

const char *spool_name(char ret[SPOOL_NAME_SIZE], int64_t number)
{
    snprintf(ret, SPOOL_NAME_SIZE, "content.%lld", (long long)number);
    return ret;
}

static bool try_lock(int fd, short type)
{
    struct flock fl = {.l_type = type, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_SETLK, &fl) == 0;
}

static int open_file(const struct spool *s, int64_t number, int how)
{
    char name[SPOOL_NAME_SIZE];
    return openat(s->dir, spool_name(name, number), how | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static void remove_file(const struct spool *s, int64_t number)
{
    char name[SPOOL_NAME_SIZE];
    unlinkat(s->dir, spool_name(name, number), 0);
}

static void add_lent(struct spool *s, int64_t number, ino_t inode, bool is_new)
{
    struct lent *l = calloc(1, sizeof *l);
    must(l);
    *l = (struct lent){.number = number, .inode = inode, .is_new = is_new};
    *s->lent_end = l;
    s->lent_end = &l->next;
}

static void drop_lent(struct spool *s, struct lent **at)
{
    struct lent *l = *at;
    *at = l->next;
    if (s->lent_end == &l->next)
        s->lent_end = at;
    free(l);
}

/* Keeps a file to be used again, or removes it when there are enough. */
static void set_free(struct spool *s, int fd, int64_t number)
{
    struct stat st;
    if (s->n_free < FREE_MAX && fstat(fd, &st) == 0 && st.st_nlink == 1 &&
        (st.st_size <= KEEP_SIZE || ftruncate(fd, KEEP_SIZE) == 0))
        s->free[s->n_free++] = (struct free_file){number, st.st_size < KEEP_SIZE ? st.st_size : KEEP_SIZE};
    else
        remove_file(s, number);
}

struct spool *spool_open(int dir_fd)
{
    struct spool *s = calloc(1, sizeof *s);
    must(s && pthread_mutex_init(&s->lock, NULL) == 0);
    s->dir = dir_fd;
    s->next_number = 1;
    s->lent_end = &s->lent;
    return s;
}

int spool_dir(const struct spool *s)
{
    return s->dir;
}

struct spool *spool_close(struct spool *s)
{
    if (!s)
        return NULL;
    while (s->lent)
        drop_lent(s, &s->lent);
    pthread_mutex_destroy(&s->lock);
    free(s);
    return NULL;
}

/* --- what an earlier process left --- */

/* The number of a file of this name; 0: it has none. */
static int64_t number_of(const char *name)
{
    static const char kind[] = "content.";
    const char *digits = name + sizeof kind - 1;
    uint64_t number = 0;
    if (strncmp(name, kind, sizeof kind - 1) != 0 ||
        num_parse_u64(str_c(digits), INT64_MAX, &number) != RC_OK)
        return 0;
    return (int64_t)number;
}

/* A content by its message's id, and files that were lent or free. */
static bool is_of_earlier_version(const char *name)
{
    return strchr(name, '.') == NULL || strncmp(name, "lent.", 5) == 0 || strncmp(name, "free.", 5) == 0;
}

enum rc spool_adopt(struct spool *s, str name, int64_t *ret_number)
{
    char from[128], to[SPOOL_NAME_SIZE];
    if (str_copy(from, sizeof from, name) != RC_OK)
        return RC_TEMP;
    do
        *ret_number = s->next_number++;
    while (linkat(s->dir, from, s->dir, spool_name(to, *ret_number), 0) != 0 && errno == EEXIST);
    return faccessat(s->dir, to, F_OK, 0) == 0 ? RC_OK : RC_TEMP;
}

enum rc spool_sync(struct spool *s)
{
    return fsync(s->dir) == 0 ? RC_OK : RC_TEMP;
}

static void take_over(struct spool *s, int64_t number)
{
    AUTO(fd_closep) int fd = open_file(s, number, O_RDWR);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return;
    if (try_lock(fd, F_WRLCK))
        set_free(s, fd, number);
    else
        add_lent(s, number, st.st_ino, false);
}

void spool_sweep(struct spool *s, int64_t used, bool (*known)(void *ctx, int64_t number), void *ctx)
{
    if (used >= s->next_number)
        s->next_number = used + 1;
    int fd = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    must(d);
    for (struct dirent *e; (e = readdir(d));) {
        int64_t number = number_of(e->d_name);
        if (number >= s->next_number)
            s->next_number = number + 1;
        if (number > 0 && !known(ctx, number))
            take_over(s, number);
        else if (number == 0 && is_of_earlier_version(e->d_name))
            unlinkat(s->dir, e->d_name, 0);
    }
    closedir(d);
    (void)!spool_sync(s); /* of files that are used again it lasts that they are there */
}

/* --- lending --- */

/* Files whose holder closed them without a message. */
static void reclaim(struct spool *s)
{
    struct lent **at = &s->lent;
    for (unsigned i = 0; *at && i < RECLAIM_AT_ONCE; i++) {
        AUTO(fd_closep) int fd = open_file(s, (*at)->number, O_RDWR);
        if (fd >= 0 && !try_lock(fd, F_WRLCK)) {
            at = &(*at)->next;
            continue;
        }
        if ((*at)->is_new) /* whoever uses it again would think that its name lasts */
            remove_file(s, (*at)->number);
        else if (fd >= 0)
            set_free(s, fd, (*at)->number);
        drop_lent(s, at);
    }
}

void spool_tidy(struct spool *s)
{
    pthread_mutex_lock(&s->lock);
    reclaim(s);
    pthread_mutex_unlock(&s->lock);
}

void spool_trim(struct spool *s)
{
    pthread_mutex_lock(&s->lock);
    while (s->n_free > 0)
        remove_file(s, s->free[--s->n_free].number);
    pthread_mutex_unlock(&s->lock);
}

/* A file that is kept for reuse; -1: somebody still reads it, or *ret_gone. */
static int reuse(const struct spool *s, int64_t number, bool empty, bool *ret_gone)
{
    AUTO(fd_closep) int fd = open_file(s, number, O_RDWR);
    *ret_gone = fd < 0;
    if (fd < 0 || !try_lock(fd, F_WRLCK))
        return -1;
    *ret_gone = true;
    if (empty && ftruncate(fd, 0) != 0) {
        remove_file(s, number);
        return -1;
    }
    int found = fd;
    fd = -1;
    return found;
}

/* One of this size, if there is one. */
static size_t best_free(const struct spool *s, uint64_t size)
{
    size_t i = s->n_free - 1;
    while (i > 0 && (uint64_t)s->free[i].size != size)
        i--;
    return i;
}

static int take_free(struct spool *s, uint64_t over, int64_t *ret_number)
{
    int fd = -1;
    for (size_t tries = s->n_free; tries > 0 && fd < 0; tries--) {
        size_t i = best_free(s, over);
        struct free_file f = s->free[i];
        bool gone;
        fd = reuse(s, f.number, over == 0, &gone);
        s->free[i] = s->free[--s->n_free];
        if (!gone) { /* the last one to be tried again */
            memmove(s->free + 1, s->free, s->n_free++ * sizeof *s->free);
            s->free[0] = f;
        }
        *ret_number = f.number;
    }
    return fd;
}

static int make_new(struct spool *s, int64_t *ret_number)
{
    *ret_number = s->next_number++;
    AUTO(fd_closep) int fd = open_file(s, *ret_number, O_RDWR | O_CREAT | O_EXCL);
    if (fd < 0 || !try_lock(fd, F_WRLCK))
        return -1;
    int made = fd;
    fd = -1;
    return made;
}

int spool_lend(struct spool *s, uint64_t over)
{
    int64_t number;
    struct stat st;
    pthread_mutex_lock(&s->lock);
    if (over == 0) /* our own are hardly ever left without a message */
        reclaim(s);
    int fd = take_free(s, over, &number);
    bool is_new = fd < 0;
    if (is_new)
        fd = make_new(s, &number);
    if (fd >= 0 && fstat(fd, &st) != 0) {
        fd_closep(&fd);
        remove_file(s, number);
    }
    if (fd >= 0)
        add_lent(s, number, st.st_ino, is_new);
    pthread_mutex_unlock(&s->lock);
    return fd;
}

static struct lent **find_lent(struct spool *s, ino_t inode)
{
    struct lent **at = &s->lent;
    while (*at && (*at)->inode != inode)
        at = &(*at)->next;
    return at;
}

enum rc spool_keep(struct spool *s, int fd, uint64_t size, int64_t *ret_number)
{
    struct lent kept = {.number = 0};
    struct stat st;
    if (fstat(fd, &st) != 0)
        return RC_INVALID;
    pthread_mutex_lock(&s->lock);
    struct lent **at = find_lent(s, st.st_ino);
    if (*at)
        kept = **at;
    pthread_mutex_unlock(&s->lock);
    if (kept.number == 0)
        return RC_INVALID;
    if (((uint64_t)st.st_size > size && ftruncate(fd, (off_t)size) != 0) || fdatasync(fd) != 0 ||
        (kept.is_new && spool_sync(s) != RC_OK))
        return RC_TEMP;
    pthread_mutex_lock(&s->lock);
    drop_lent(s, find_lent(s, st.st_ino)); /* it is there: its lock is held by fd */
    pthread_mutex_unlock(&s->lock);
    *ret_number = kept.number;
    return RC_OK;
}

int spool_read(struct spool *s, int64_t number)
{
    int fd = open_file(s, number, O_RDONLY);
    if (fd >= 0)
        (void)try_lock(fd, F_RDLCK); /* fails while who received the message has not closed it */
    return fd;
}

/* A reader may still have it open: then its name is removed instead. */
void spool_release(struct spool *s, int64_t number)
{
    pthread_mutex_lock(&s->lock);
    int fd = open_file(s, number, O_RDWR);
    if (fd >= 0 && try_lock(fd, F_WRLCK))
        set_free(s, fd, number);
    else
        remove_file(s, number);
    fd_closep(&fd); /* with its lock, before anybody finds the file free */
    pthread_mutex_unlock(&s->lock);
}

int spool_claim(int dir_fd, int64_t number)
{
    const struct spool s = {.dir = dir_fd};
    AUTO(fd_closep) int fd = open_file(&s, number, O_RDWR);
    if (fd < 0 || !try_lock(fd, F_WRLCK))
        return -1;
    int claimed = fd;
    fd = -1;
    return claimed;
}

static uint64_t look_for_room(const struct spool *s)
{
    struct statvfs v;
    struct stat log;
    if (fstatvfs(s->dir, &v) != 0)
        return UINT64_MAX;
    uint64_t room = (uint64_t)v.f_bavail * v.f_frsize;
    uint64_t taken =
        fstatat(s->dir, "queue.db-wal", &log, AT_SYMLINK_NOFOLLOW) == 0 ? (uint64_t)log.st_size : 0;
    return room > taken ? room - taken : 0;
}

uint64_t spool_room(struct spool *s)
{
    msec now = clock_mono();
    pthread_mutex_lock(&s->lock);
    if (now >= s->look_again) {
        s->room = look_for_room(s);
        s->look_again = now + ROOM_MS;
    }
    uint64_t room = s->room;
    pthread_mutex_unlock(&s->lock);
    return room;
}
