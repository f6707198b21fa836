/* dotlock: link(2) of a prepared file, because that is atomic and the flock is held before anyone can see it.
 */
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

static bool same_file(int dir_fd, const char *name, const struct stat *st)
{
    struct stat now;
    return fstatat(dir_fd, name, &now, AT_SYMLINK_NOFOLLOW) == 0 && now.st_ino == st->st_ino &&
           now.st_dev == st->st_dev;
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
    if ((dead || too_old(dir_fd, file, &st)) && same_file(dir_fd, lock, &st))
        unlinkat(dir_fd, lock, 0);
}

static enum rc wait_for_link(int dir_fd, const char *tmp, const char *file, const char *lock, struct err *e)
{
    msec start = clock_mono();
    for (int pause_ms = WAIT_MIN_MS;;) {
        if (linkat(dir_fd, tmp, dir_fd, lock, 0) == 0)
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

enum rc dotlock_take(int dir_fd, const char *file, struct dotlock *ret, struct err *e)
{
    char tmp[64], text[128], host[65] = "localhost";
    struct dotlock l = {dir_fd, -1, ""};
    must((size_t)snprintf(l.name, sizeof l.name, "%s.lock", file) < sizeof l.name);
    snprintf(tmp, sizeof tmp, "tmp/lock.%d.%016llx", (int)getpid(), (unsigned long long)store_random());
    gethostname(host, sizeof host - 1);
    int n = snprintf(text, sizeof text, "%d:%s", (int)getpid(), host);

    l.fd = openat(dir_fd, tmp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, OUR_MODE);
    if (l.fd < 0)
        return store_errno(e, "create", tmp);
    enum rc rc = flock(l.fd, LOCK_EX | LOCK_NB) == 0 ? fd_write_all(l.fd, str_mem(text, (size_t)n)) : RC_TEMP;
    if (rc != RC_OK)
        (void)store_errno(e, "write", tmp);
    else
        rc = wait_for_link(dir_fd, tmp, file, l.name, e);
    unlinkat(dir_fd, tmp, 0);
    if (rc != RC_OK)
        fd_closep(&l.fd);
    else
        *ret = l;
    return rc;
}

void dotlock_drop(struct dotlock *l)
{
    struct stat st;
    if (l->fd < 0)
        return;
    if (fstat(l->fd, &st) == 0 && same_file(l->dir_fd, l->name, &st)) /* not when another broke it */
        unlinkat(l->dir_fd, l->name, 0);
    fd_closep(&l->fd);
}
