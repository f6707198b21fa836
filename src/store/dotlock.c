/* dotlock: link(2) of a prepared file, because that is atomic and the flock is held before anyone can see it.
 * Its time is set anew for each lock, so that nobody takes a new lock for an old one by its inode. */
#include "store/dotlock.h"

#include "base/buf.h"
#include "base/clock.h"
#include "os/file.h"
#include "store/store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    WAIT_MIN_MS = 2,
    WAIT_MAX_MS = 100,
    WAIT_TOTAL_MS = (DOTLOCK_STALE_SECONDS + 5) * 1000,
    OUR_MODE = 0400
};

static bool same_lock(int dir_fd, const char *name, const struct stat *st)
{
    struct stat now;
    return fstatat(dir_fd, name, &now, AT_SYMLINK_NOFOLLOW) == 0 && now.st_ino == st->st_ino &&
           now.st_dev == st->st_dev && now.st_mtim.tv_sec == st->st_mtim.tv_sec &&
           now.st_mtim.tv_nsec == st->st_mtim.tv_nsec;
}

/* Has nothing happened to the lock or to what it protects for so long that its holder must be gone? */
static bool too_old(int dir_fd, const char *file, const struct stat *lock)
{
    struct stat st;
    int64_t last = lock->st_mtim.tv_sec;
    if (fstatat(dir_fd, file, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_mtim.tv_sec > last)
        last = st.st_mtim.tv_sec;
    return clock_seconds() - last > DOTLOCK_STALE_SECONDS;
}

/* Removes a lock whose holder is gone. */
static void break_stale(int dir_fd, const char *file, const char *lock)
{
    struct stat st;
    AUTO(fd_closep) int fd = openat(dir_fd, lock, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        return;
    bool ours = S_ISREG(st.st_mode) && (st.st_mode & 07777) == OUR_MODE;
    bool dead = ours && flock(fd, LOCK_EX | LOCK_NB) == 0;
    if ((dead || too_old(dir_fd, file, &st)) && same_lock(dir_fd, lock, &st))
        unlinkat(dir_fd, lock, 0);
}

static enum rc wait_for_link(const struct dotlock_file *own, int dir_fd, const char *file, const char *lock,
                             struct err *e)
{
    msec start = clock_mono();
    for (int pause_ms = WAIT_MIN_MS;;) {
        if (linkat(own->tmp_fd, own->name, dir_fd, lock, 0) == 0)
            return RC_OK;
        if (errno != EEXIST)
            return store_errno(e, "link", lock);
        break_stale(dir_fd, file, lock);
        if (clock_mono() - start > WAIT_TOTAL_MS) {
            errno = EAGAIN;
            return store_errno(e, "wait for", lock);
        }
        struct timespec ts = {0, pause_ms * 1000000L};
        nanosleep(&ts, NULL);
        pause_ms = pause_ms * 2 < WAIT_MAX_MS ? pause_ms * 2 : WAIT_MAX_MS;
    }
}

void dotlock_file_remove(struct dotlock_file *f)
{
    if (f->fd >= 0)
        unlinkat(f->tmp_fd, f->name, 0);
    fd_closep(&f->fd);
    fd_closep(&f->tmp_fd);
}

static enum rc make_file(struct dotlock_file *f, int dir_fd, struct err *e)
{
    char text[128], host[65] = "localhost";
    gethostname(host, sizeof host - 1);
    int n = snprintf(text, sizeof text, "%d:%s", (int)getpid(), host);
    snprintf(f->name, sizeof f->name, "lock.%d.%016llx", (int)getpid(), (unsigned long long)store_random());
    f->tmp_fd = openat(dir_fd, "tmp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    f->fd = f->tmp_fd < 0
                ? -1
                : openat(f->tmp_fd, f->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, OUR_MODE);
    if (f->fd >= 0 && flock(f->fd, LOCK_EX | LOCK_NB) == 0 &&
        fd_write_all(f->fd, str_mem(text, (size_t)n)) == RC_OK)
        return RC_OK;
    enum rc rc = store_errno(e, "create", f->name);
    dotlock_file_remove(f);
    return rc;
}

/* Whether it lies in that folder's tmp/, still under its name. */
static bool lies_in(const struct dotlock_file *f, int dir_fd)
{
    struct stat here, there, own;
    return fstatat(dir_fd, "tmp", &here, AT_SYMLINK_NOFOLLOW) == 0 && fstat(f->tmp_fd, &there) == 0 &&
           here.st_ino == there.st_ino && here.st_dev == there.st_dev && fstat(f->fd, &own) == 0 &&
           own.st_nlink > 0;
}

enum rc dotlock_take(struct dotlock_file *own, int dir_fd, const char *file, struct dotlock *ret,
                     struct err *e)
{
    struct dotlock l = {dir_fd, own, ""};
    enum rc rc = RC_OK;
    must(!own->held && (size_t)snprintf(l.name, sizeof l.name, "%s.lock", file) < sizeof l.name);
    if (own->fd >= 0 && !lies_in(own, dir_fd))
        dotlock_file_remove(own);
    if (own->fd < 0)
        rc = make_file(own, dir_fd, e);
    else if (futimens(own->fd, NULL) != 0)
        rc = store_errno(e, "touch", own->name);
    if (rc == RC_OK)
        rc = wait_for_link(own, dir_fd, file, l.name, e);
    if (rc == RC_OK) {
        own->held = true;
        *ret = l;
    }
    return rc;
}

void dotlock_drop(struct dotlock *l)
{
    struct stat st;
    if (!l->file)
        return;
    if (fstat(l->file->fd, &st) == 0 && same_lock(l->dir_fd, l->name, &st)) /* not when another broke it */
        unlinkat(l->dir_fd, l->name, 0);
    l->file->held = false;
    l->file = NULL;
}
