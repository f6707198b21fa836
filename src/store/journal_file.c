/* The journal's file: making it, emptying its segments, and bringing it into order at the start. */
#include "base/log.h"
#include "os/crypto.h"
#include "os/file.h"
#include "store/journal_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

enum { FILL_CHUNK = 1 << 20 };

static const off_t file_size = (off_t)JOURNAL_SEGMENTS * JOURNAL_SEGMENT_SIZE;

/* Where syncfs makes files and names durable and reports errors of the disk. Not FUSE, whose servers are not
 * told, and not network and layered file systems. In tmpfs nothing outlives the machine in any case. */
bool journal_file_system_trusted(int fd)
{
    static const unsigned long trusted[] = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC,
                                            F2FS_SUPER_MAGIC, TMPFS_MAGIC};
    struct statfs fs;
    if (fstatfs(fd, &fs) != 0)
        return false;
    for (size_t i = 0; i < sizeof trusted / sizeof *trusted; i++)
        if ((unsigned long)fs.f_type == trusted[i])
            return true;
    return false;
}

/* Zeros that are really there: blocks that were only reserved would cost a change of metadata at their first
 * write. */
static bool fill(int fd)
{
    static const char zeros[JOURNAL_BLOCK];
    struct buf b AUTO(buf_deinit) = BUF_INIT(FILL_CHUNK);
    while (b.n < FILL_CHUNK)
        buf_put(&b, zeros, sizeof zeros);
    if (ftruncate(fd, 0) != 0)
        return false;
    for (off_t at = 0; at < file_size; at += FILL_CHUNK)
        if (fd_write_all(fd, buf_str(&b)) != RC_OK)
            return false;
    return fsync(fd) == 0;
}

bool journal_exists(const char *root)
{
    struct stat st;
    AUTO(fd_closep) int dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dir >= 0 && fstatat(dir, JOURNAL_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

bool journal_file_open(struct journal *j)
{
    struct stat st;
    const int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
    j->fd = openat(j->root_fd, JOURNAL_NAME, flags | O_CREAT, 0600);
    j->header_fd = j->fd < 0 ? -1 : openat(j->root_fd, JOURNAL_NAME, flags);
    if (j->header_fd < 0 || fstat(j->fd, &st) != 0)
        return false;
    if (S_ISREG(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 077) == 0)
        return true;
    errno = EPERM;
    return false;
}

static bool write_header(struct journal *j, unsigned segment, const struct journal_header *h)
{
    unsigned char block[JOURNAL_BLOCK] = {0};
    journal_header_format(h, block);
    ssize_t n = pwrite(j->header_fd, block, sizeof block, (off_t)segment * JOURNAL_SEGMENT_SIZE);
    if (n >= 0 && n != sizeof block)
        errno = EIO;
    return n == sizeof block && fdatasync(j->header_fd) == 0;
}

bool journal_file_reset(struct journal *j, unsigned segment)
{
    pthread_mutex_lock(&j->lock);
    struct journal_header h = j->header;
    h.generation = ++j->header.generation;
    pthread_mutex_unlock(&j->lock);
    if (!write_header(j, segment, &h))
        return false;
    pthread_mutex_lock(&j->lock);
    j->segment[segment] = (struct journal_segment){.generation = h.generation, .end = JOURNAL_BLOCK};
    pthread_mutex_unlock(&j->lock);
    return true;
}

bool journal_file_suspect(struct journal *j, unsigned segment)
{
    struct journal_header h = {.key = {j->header.key[0], j->header.key[1]},
                               .generation = j->segment[segment].generation};
    return write_header(j, segment, &h);
}

static bool read_segment(struct journal *j, unsigned segment, char *into)
{
    size_t n;
    return fd_read_at(j->fd, into, JOURNAL_SEGMENT_SIZE, (off_t)segment * JOURNAL_SEGMENT_SIZE, &n) ==
               RC_OK &&
           n == JOURNAL_SEGMENT_SIZE;
}

/* In the boot that wrote the records nothing was lost with the memory: then a file that is missing was
 * deleted by its owner. */
static enum rc replay(struct journal *j, unsigned *restored, struct err *e)
{
    str segments[JOURNAL_SEGMENTS] = {STR_NONE};
    char *bytes = malloc(JOURNAL_SEGMENTS * (size_t)JOURNAL_SEGMENT_SIZE);
    enum rc rc = RC_OK;
    must(bytes);
    for (unsigned i = 0; i < JOURNAL_SEGMENTS && rc == RC_OK; i++) {
        struct journal_header h;
        str segment = str_mem(bytes + i * (size_t)JOURNAL_SEGMENT_SIZE, JOURNAL_SEGMENT_SIZE);
        if (!read_segment(j, i, bytes + i * (size_t)JOURNAL_SEGMENT_SIZE)) {
            rc = err_set(e, RC_TEMP, 0, "", "cannot be read: %s", strerror(errno));
            break;
        }
        enum rc has = journal_header_parse(segment, &h);
        if (has == RC_PERM)
            rc = err_set(e, RC_TEMP, 0, "", "was written by a later version");
        else if (has == RC_OK && memcmp(&h.boot, &j->header.boot, sizeof h.boot) != 0)
            segments[i] = segment;
    }
    if (rc == RC_OK)
        rc = journal_replay(j->root, segments, restored, e);
    free(bytes);
    return rc;
}

enum rc journal_file_recover(struct journal *j, struct err *e)
{
    struct stat st;
    enum rc rc = RC_OK;
    unsigned restored = 0;
    if (fstat(j->fd, &st) == 0 && st.st_size == file_size) {
        rc = replay(j, &restored, e);
    } else if (!fill(j->fd) || fsync(j->root_fd) != 0) {
        rc = err_set(e, RC_TEMP, 0, "", "cannot be made: %s", strerror(errno));
        (void)!ftruncate(j->fd, 0); /* gives back what it took of a full disk */
    }
    if (rc != RC_OK)
        return rc;
    if (restored > 0)
        log_warn("the machine stopped without warning: wrote %u messages again from the journal", restored);
    crypto_random(j->header.key, sizeof j->header.key);
    if (syncfs(j->root_fd) != 0 || !journal_file_reset(j, 0) || !journal_file_reset(j, 1))
        return err_set(e, RC_TEMP, 0, "", "cannot be emptied: %s", strerror(errno));
    return RC_OK;
}
