/* Spool files; see the header. A lock on the open file description travels with the descriptor: it is held
 * for as long as any process has the file, and gone when the last one closed it, crash or not. */
#include "queue/spool.h"

#include "base/clock.h"
#include "os/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { NAME_SIZE = 64, FREE_MAX = 32, RECLAIM_AT_ONCE = 4, ROOM_MS = 100 };

struct lent {
    uint64_t number;
    ino_t inode;
    struct lent *next;
};

struct spool {
    pthread_mutex_t lock;
    int dir;
    uint64_t next_number;
    struct lent *lent, **lent_end; /* oldest first */
    uint64_t free[FREE_MAX];
    size_t n_free;
    uint64_t room;   /* as seen last */
    msec look_again; /* clock_mono() */
};

static void name_of(char ret[NAME_SIZE], const char *kind, uint64_t number)
{
    snprintf(ret, NAME_SIZE, "%s.%llu", kind, (unsigned long long)number);
}

static bool try_lock(int fd, short type)
{
    struct flock fl = {.l_type = type, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_SETLK, &fl) == 0;
}

static void add_lent(struct spool *s, uint64_t number, ino_t inode)
{
    struct lent *l = calloc(1, sizeof *l);
    must(l);
    *l = (struct lent){.number = number, .inode = inode};
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

static bool make_empty(struct spool *s, const char *name)
{
    AUTO(fd_closep) int fd = openat(s->dir, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    return fd >= 0 && ftruncate(fd, 0) == 0;
}

/* Keeps the file called `name`, emptied, to be used again, or removes it when there are enough. */
static void set_free(struct spool *s, const char *name)
{
    char to[NAME_SIZE];
    uint64_t number = s->next_number++;
    name_of(to, "free", number);
    if (s->n_free < FREE_MAX && make_empty(s, name) && renameat(s->dir, name, s->dir, to) == 0)
        s->free[s->n_free++] = number;
    else
        unlinkat(s->dir, name, 0);
}

/* --- what an earlier process left --- */

static bool parse_name(const char *name, const char *kind, uint64_t *ret)
{
    size_t n = strlen(kind);
    char *end = NULL;
    if (strncmp(name, kind, n) != 0 || name[n] != '.' || !ascii_digit(name[n + 1]))
        return false;
    *ret = strtoull(name + n + 1, &end, 10);
    return *end == '\0';
}

static void take_over(struct spool *s, const char *name)
{
    uint64_t number;
    struct stat st;
    if (parse_name(name, "lent", &number)) {
        if (fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
            add_lent(s, number, st.st_ino);
    } else if (!parse_name(name, "free", &number)) {
        return;
    } else if (s->n_free < FREE_MAX) {
        s->free[s->n_free++] = number;
    } else {
        unlinkat(s->dir, name, 0);
    }
    if (number >= s->next_number)
        s->next_number = number + 1;
}

/* Calls fn for each file of the folder. */
static void each_file(struct spool *s, void (*fn)(struct spool *s, const char *name))
{
    int fd = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    must(d);
    for (struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.')
            fn(s, e->d_name);
    closedir(d);
}

struct spool *spool_open(int dir_fd)
{
    struct spool *s = calloc(1, sizeof *s);
    must(s && pthread_mutex_init(&s->lock, NULL) == 0);
    s->dir = dir_fd;
    s->lent_end = &s->lent;
    each_file(s, take_over);
    return s;
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

void spool_sweep(struct spool *s, bool (*known)(void *ctx, str id), void *ctx)
{
    int fd = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    must(d);
    for (struct dirent *e; (e = readdir(d));) {
        str name = str_c(e->d_name);
        if (str_chr(name, '.') < 0 && !known(ctx, name)) /* ids have no dot */
            spool_release(s, name);
    }
    closedir(d);
}

/* --- lending --- */

/* Files whose holder closed them without a message. */
static void reclaim(struct spool *s)
{
    struct lent **at = &s->lent;
    for (unsigned i = 0; *at && i < RECLAIM_AT_ONCE; i++) {
        char name[NAME_SIZE];
        name_of(name, "lent", (*at)->number);
        AUTO(fd_closep) int fd = openat(s->dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        if (fd >= 0 && !try_lock(fd, F_WRLCK)) {
            at = &(*at)->next;
            continue;
        }
        if (fd >= 0)
            set_free(s, name);
        drop_lent(s, at);
    }
}

void spool_tidy(struct spool *s)
{
    pthread_mutex_lock(&s->lock);
    reclaim(s);
    pthread_mutex_unlock(&s->lock);
}

/* A file that is kept for reuse, under its new name; -1: somebody still has it, or *ret_gone. */
static int reuse(struct spool *s, uint64_t number, const char *to, bool *ret_gone)
{
    char name[NAME_SIZE];
    name_of(name, "free", number);
    AUTO(fd_closep) int fd = openat(s->dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    *ret_gone = fd < 0;
    if (fd < 0 || !try_lock(fd, F_WRLCK))
        return -1;
    *ret_gone = true;
    /* after a crash its emptying may be lost */
    if (ftruncate(fd, 0) != 0 || renameat(s->dir, name, s->dir, to) != 0) {
        unlinkat(s->dir, name, 0);
        return -1;
    }
    int found = fd;
    fd = -1;
    return found;
}

static int take_free(struct spool *s, const char *to)
{
    int fd = -1;
    for (size_t i = s->n_free; i-- > 0 && fd < 0;) {
        bool gone;
        fd = reuse(s, s->free[i], to, &gone);
        if (gone)
            s->free[i] = s->free[--s->n_free];
    }
    return fd;
}

static int make_new(const struct spool *s, const char *to)
{
    AUTO(fd_closep) int fd = openat(s->dir, to, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || !try_lock(fd, F_WRLCK))
        return -1;
    int made = fd;
    fd = -1;
    return made;
}

int spool_lend(struct spool *s)
{
    char name[NAME_SIZE];
    struct stat st;
    pthread_mutex_lock(&s->lock);
    reclaim(s);
    uint64_t number = s->next_number++;
    name_of(name, "lent", number);
    int fd = take_free(s, name);
    if (fd < 0)
        fd = make_new(s, name);
    if (fd >= 0 && fstat(fd, &st) != 0) {
        close(fd);
        unlinkat(s->dir, name, 0);
        fd = -1;
    }
    if (fd >= 0)
        add_lent(s, number, st.st_ino);
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

enum rc spool_keep(struct spool *s, int fd, str id)
{
    char name[NAME_SIZE], to[NAME_SIZE];
    struct stat st;
    enum rc rc = RC_INVALID;
    if (str_copy(to, sizeof to, id) != RC_OK || str_chr(id, '.') >= 0 || str_chr(id, '/') >= 0 ||
        fstat(fd, &st) != 0)
        return RC_INVALID;
    pthread_mutex_lock(&s->lock);
    struct lent **at = find_lent(s, st.st_ino);
    if (*at) {
        name_of(name, "lent", (*at)->number);
        rc = renameat2(s->dir, name, s->dir, to, RENAME_NOREPLACE) == 0 ? RC_OK
             : errno == EEXIST                                          ? RC_PERM
                                                                        : RC_TEMP;
        if (rc == RC_OK)
            drop_lent(s, at);
    }
    pthread_mutex_unlock(&s->lock);
    if (rc == RC_OK && (fdatasync(fd) != 0 || fsync(s->dir) != 0)) {
        spool_release(s, id);
        return RC_TEMP;
    }
    return rc;
}

enum rc spool_share(struct spool *s, str id, str other)
{
    char name[NAME_SIZE], to[NAME_SIZE];
    if (str_copy(name, sizeof name, id) != RC_OK || str_copy(to, sizeof to, other) != RC_OK)
        return RC_INVALID;
    return linkat(s->dir, name, s->dir, to, 0) == 0 && fsync(s->dir) == 0 ? RC_OK : RC_TEMP;
}

int spool_read(struct spool *s, str id)
{
    char name[NAME_SIZE];
    if (str_copy(name, sizeof name, id) != RC_OK)
        return -1;
    int fd = openat(s->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0)
        (void)try_lock(fd, F_RDLCK); /* fails while who received the message has not closed it */
    return fd;
}

/* A reader may still have it open, or another message share it, and truncating would cut it: then the name is
 * removed instead. */
void spool_release(struct spool *s, str id)
{
    char name[NAME_SIZE];
    struct stat st;
    if (str_copy(name, sizeof name, id) != RC_OK)
        return;
    pthread_mutex_lock(&s->lock);
    int fd = openat(s->dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_nlink == 1 && try_lock(fd, F_WRLCK))
        set_free(s, name);
    else
        unlinkat(s->dir, name, 0);
    fd_closep(&fd); /* with its lock, before anybody finds the file free */
    pthread_mutex_unlock(&s->lock);
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
