/* Mail into files that users name: mbox form, appended under fcntl and dot locks, or a Maildir. Run as the
 * user. What could not be written whole is taken back. */
#include "role/command_impl.h"

#include "base/map.h"
#include "fmt/crlf.h"
#include "os/file.h"
#include "store/delivery.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOCK_TRIES = 40, LOCK_PAUSE_US = 250000, LOCK_STALE_S = 500, DOTLOCK_MAX = 4096 };

static enum rc temp(struct err *e, const char *enhanced, const char *peer, const char *what, const char *path)
{
    (void)err_set(e, RC_TEMP, 450, enhanced, "%s", peer);
    err_note(e, "%s: %s", path, what);
    return RC_TEMP;
}

static enum rc refuse(struct err *e, const char *peer, const char *path)
{
    (void)err_set(e, RC_PERM, 550, "5.2.0", "%s", peer);
    err_note(e, "%s: %s", path, peer);
    return RC_PERM;
}

/* --- locks --- */

/* fcntl locks of others end with their processes. */
static bool lock_fcntl(int fd)
{
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (fcntl(fd, F_SETLK, &l) == 0)
            return true;
        usleep(LOCK_PAUSE_US);
    }
    return false;
}

/* path.lock. True: made, or the folder takes none, where fcntl alone has to do. */
static bool lock_dot(struct buf *lock, bool *ret_made)
{
    for (int i = 0; i < LOCK_TRIES; i++) {
        struct stat st;
        int fd = open(buf_cstr(lock), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        *ret_made = fd >= 0;
        if (fd >= 0) {
            close(fd);
            return true;
        }
        if (errno != EEXIST)
            return true;
        if (stat(buf_cstr(lock), &st) == 0 && time(NULL) - st.st_mtime > LOCK_STALE_S)
            (void)unlink(buf_cstr(lock));
        else
            usleep(LOCK_PAUSE_US);
    }
    return false;
}

/* --- mbox --- */

/* Links lead to files that somebody else may have meant otherwise; programs are not written to. */
static enum rc open_file(const char *path, int *ret, struct stat *st, struct err *e)
{
    int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0600);
    if (fd < 0 && (errno == EACCES || errno == EPERM)) /* /dev/null and files for others to read */
        fd = open(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 && (errno == ELOOP || errno == EISDIR || errno == ENXIO))
        return refuse(e, "the destination is not a regular file", path);
    if (fd < 0)
        return temp(e, "4.2.0", "the file cannot be opened", strerror(errno), path);
    if (fstat(fd, st) != 0 || (!S_ISREG(st->st_mode) && !S_ISCHR(st->st_mode)) || st->st_nlink > 1) {
        close(fd);
        return refuse(e, "the destination is not a regular file", path);
    }
    if (S_ISREG(st->st_mode) && st->st_mode & 0111) {
        close(fd);
        return refuse(e, "the destination is an executable file", path);
    }
    *ret = fd;
    return RC_OK;
}

static enum rc write_all(int fd, struct source *s)
{
    AUTO(buf_deinit) struct buf chunk = BUF_INIT(SOURCE_CHUNK_MAX);
    enum rc rc = RC_OK;
    while (rc == RC_OK && (rc = source_next(s, &chunk)) == RC_OK && chunk.n > 0)
        rc = fd_write_all(fd, buf_str(&chunk));
    return rc;
}

static enum rc append(int fd, const char *path, struct source *s, struct err *e)
{
    struct stat st;
    if (!lock_fcntl(fd) || fstat(fd, &st) != 0)
        return temp(e, "4.2.0", "the file is locked by somebody else", "cannot be locked", path);
    enum rc rc = write_all(fd, s);
    if (!S_ISREG(st.st_mode))
        return rc == RC_OK ? RC_OK : temp(e, "4.2.0", "the file cannot be written", strerror(errno), path);
    if (rc == RC_OK && fsync(fd) == 0)
        return RC_OK;
    int error = errno;
    if (ftruncate(fd, st.st_size) != 0)
        (void)!fsync(fd);
    return temp(e, rc == RC_LIMIT ? "4.2.2" : "4.2.0",
                rc == RC_LIMIT ? "there is no room for the file" : "the file cannot be written",
                strerror(error), path);
}

/* A new file's name is durable, too. */
static void sync_folder(const char *path)
{
    AUTO(buf_deinit) struct buf folder = BUF_INIT(DOTLOCK_MAX);
    ptrdiff_t slash = str_rchr(str_c(path), '/');
    buf_puts(&folder, slash > 0 ? str_sub(str_c(path), 0, (size_t)slash) : S("/"));
    AUTO(fd_closep) int fd = open(buf_cstr(&folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        (void)!fsync(fd);
}

static enum rc write_mbox(const char *path, struct source *s, struct err *e)
{
    AUTO(buf_deinit) struct buf lock = BUF_INIT(DOTLOCK_MAX);
    AUTO(fd_closep) int fd = -1;
    struct stat st;
    bool made = false;
    enum rc rc = open_file(path, &fd, &st, e);
    if (rc != RC_OK)
        return rc;
    buf_printf(&lock, "%s.lock", path);
    if (S_ISREG(st.st_mode) && (lock.overflow || !lock_dot(&lock, &made)))
        return temp(e, "4.2.0", "the file is locked by somebody else", "its .lock file stays", path);
    s->flags = SOURCE_FROM_LINE | SOURCE_RETURN_PATH | SOURCE_ORIGINAL | SOURCE_DELIVERED |
               SOURCE_QUOTE_FROM | SOURCE_BLANK_LINE;
    rc = append(fd, path, s, e);
    if (rc == RC_OK && S_ISREG(st.st_mode) && st.st_size == 0)
        sync_folder(path);
    if (made)
        (void)unlink(buf_cstr(&lock));
    return rc;
}

/* --- Maildir --- */

static uint64_t stable_hash(str s)
{
    static const uint64_t key[2] = {0, 0};
    return map_siphash(key, s);
}

static enum rc count_lines(int fd, uint64_t size, uint64_t *ret)
{
    char room[SOURCE_READ];
    *ret = 0;
    for (uint64_t at = 0; at < size;) {
        ssize_t n = pread(fd, room, sizeof room, (off_t)at);
        if (n <= 0)
            return RC_TEMP;
        *ret += crlf_lines(str_mem(room, (size_t)n));
        at += (uint64_t)n;
    }
    return RC_OK;
}

static enum rc write_maildir(const struct conf *c, const char *path, struct source *s, struct err *e)
{
    const struct command_request *q = s->request;
    AUTO(buf_deinit) struct buf head = BUF_INIT(4096);
    AUTO(fd_closep) int dir = -1;
    str folder = str_c(path);
    while (folder.n > 1 && str_ends(folder, S("/")))
        folder.n--;
    buf_printf(&head, "Return-Path: <" STR_FMT ">\nX-Original-To: " STR_FMT "\nDelivered-To: " STR_FMT "\n",
               STR_ARG(q->sender), STR_ARG(s->rcpt->orig.n > 0 ? s->rcpt->orig : s->rcpt->address),
               STR_ARG(s->rcpt->address));
    const str parts[] = {buf_str(&head), q->trace};
    struct delivery_message m = {.name = {.now = clock_wall(),
                                          .id = stable_hash(q->id),
                                          .number = (unsigned)stable_hash(q->name),
                                          .host = str_c(c->hostname)},
                                 .head = parts,
                                 .n_head = 2,
                                 .content_fd = q->content_fd,
                                 .content_size = q->size};
    enum rc rc = delivery_open_maildir(AT_FDCWD, folder, true, &dir, e);
    if (rc == RC_OK)
        rc = delivery_find(dir, m.name.id, m.name.number, e);
    if (rc != RC_GONE)
        return rc; /* RC_OK: from an attempt of which nobody heard */
    if (count_lines(q->content_fd, q->size, &m.content_lines) != RC_OK)
        return temp(e, "4.3.0", "the content cannot be read", strerror(errno), path);
    return delivery_write(dir, &m, e);
}

enum rc command_file_write(const struct conf *c, const char *path, struct source *s, struct err *e)
{
    sigset_t end;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigemptyset(&end);
    sigaddset(&end, SIGTERM); /* half a message would stay */
    sigprocmask(SIG_BLOCK, &end, NULL);
    sigaction(SIGXFSZ, &ignore, NULL);
    return str_ends(str_c(path), S("/")) ? write_maildir(c, path, s, e) : write_mbox(path, s, e);
}
