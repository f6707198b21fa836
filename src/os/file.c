/* Whole files and durable replacement. */
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

void fd_closep(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

enum rc fd_write_all(int fd, str bytes)
{
    while (bytes.n > 0) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? RC_LIMIT : RC_TEMP;
        bytes = str_from(bytes, (size_t)n);
    }
    return RC_OK;
}

enum rc fd_read_all(int fd, struct buf *ret)
{
    off_t at = 0;
    for (;;) {
        char chunk[16384];
        ssize_t n = pread(fd, chunk, sizeof chunk, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return RC_TEMP;
        if (n == 0)
            return ret->overflow ? RC_LIMIT : RC_OK;
        buf_put(ret, chunk, (size_t)n);
        if (ret->overflow)
            return RC_LIMIT;
        at += n;
    }
}

enum rc fd_read_at(int fd, char *p, size_t n, off_t at, size_t *ret_n)
{
    ssize_t got = 1;
    *ret_n = 0;
    while (*ret_n < n && got != 0) {
        got = pread(fd, p + *ret_n, n - *ret_n, at + (off_t)*ret_n);
        if (got < 0 && errno != EINTR)
            return RC_TEMP;
        *ret_n += got > 0 ? (size_t)got : 0;
    }
    return RC_OK;
}

enum rc fd_set_nonblocking(int fd, bool on)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK) < 0)
        return RC_TEMP;
    return RC_OK;
}

enum rc file_read(const char *path, struct buf *ret)
{
    AUTO(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? RC_GONE : RC_TEMP;
    return fd_read_all(fd, ret);
}

static enum rc fsync_folder_of(const char *path)
{
    str p = str_c(path);
    ptrdiff_t slash = str_rchr(p, '/');
    AUTO(str_freep)
    char *dir = slash > 0 ? str_dup(str_sub(p, 0, (size_t)slash)) : str_dup(slash == 0 ? S("/") : S("."));
    AUTO(fd_closep) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0 ? RC_OK : RC_TEMP;
}

enum rc file_replace(const char *path, str content, unsigned mode)
{
    struct buf tmp = BUF_INIT(4096);
    buf_printf(&tmp, "%s.tmp", path);
    const char *name = buf_cstr(&tmp);
    enum rc rc = RC_TEMP;
    AUTO(fd_closep) int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd >= 0 && fchmod(fd, mode) == 0)
        rc = fd_write_all(fd, content);
    if (rc == RC_OK && (fsync(fd) != 0 || rename(name, path) != 0))
        rc = RC_TEMP;
    if (rc == RC_OK)
        rc = fsync_folder_of(path);
    else if (fd >= 0)
        unlink(name);
    buf_deinit(&tmp);
    return rc;
}

/* Where the file system knows no O_TMPFILE (NFS, some FUSE and overlays): a random name that is taken away at
 * once. A crash in between leaves an empty file. */
static int open_and_unlink(int dir_fd)
{
    unsigned char random[12];
    char name[8 + 2 * sizeof random + 1] = ".unnamed";
    if (getrandom(random, sizeof random, 0) != sizeof random)
        return -1;
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(name + 8 + 2 * i, 3, "%02x", random[i]);
    int fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0 && unlinkat(dir_fd, name, 0) != 0)
        fd_closep(&fd);
    return fd;
}

int file_open_nameless(int dir_fd)
{
    int fd = openat(dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT))
        fd = open_and_unlink(dir_fd);
    return fd;
}

enum rc file_make_dir_at(int dir_fd, const char *name, unsigned mode)
{
    if (mkdirat(dir_fd, name, mode) != 0)
        return errno == EEXIST ? RC_OK : RC_TEMP;
    AUTO(fd_closep) int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    AUTO(fd_closep) int parent = fd >= 0 ? openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    return parent >= 0 && fsync(fd) == 0 && fsync(parent) == 0 ? RC_OK : RC_TEMP;
}

enum rc file_make_dirs(const char *path, unsigned mode)
{
    AUTO(str_freep) char *p = str_dup(str_c(path));
    for (char *slash = p + 1; *p; slash++) {
        char c = *slash;
        if (c != '/' && c != '\0')
            continue;
        *slash = '\0';
        if (file_make_dir_at(AT_FDCWD, p, mode) != RC_OK)
            return RC_TEMP;
        if (c == '\0')
            break;
        *slash = '/';
    }
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? RC_OK : RC_TEMP;
}

int file_open_no_links(int dir_fd, const char *path, int flags)
{
    const struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC | (flags & O_PATH ? 0 : O_NONBLOCK)),
                                 .resolve = RESOLVE_NO_SYMLINKS};
    return (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof how);
}
