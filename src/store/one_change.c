/* one_change: an APPEND of several messages, and one that replaces a message, happen as a whole or not at
 * all, also across a crash (RFC 3502 §6.3.11, RFC 8508 §3.4). Before the first rename all steps lie in
 * malle.append, durably; whoever takes the folder's lock next and finds that file does those that are
 * missing. Each step may be done twice. */
#include "fmt/append_record.h"
#include "os/file.h"
#include "store/store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { RECORD_BYTES_MAX = 1 << 20, PATH_BYTES = 600 };

static const char FILE_NAME[] = "malle.append";

bool one_change_is_open(const struct folder *f)
{
    struct stat st;
    return fstatat(f->fd, FILE_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

void one_change_done(struct folder *f)
{
    unlinkat(f->fd, FILE_NAME, 0);
}

/* The names in tmp/ must last as long as the record that counts on them. */
enum rc one_change_note(struct folder *f, str steps, struct err *e)
{
    static const char tmp[] = "tmp/malle.append";
    unlinkat(f->fd, tmp, 0);
    AUTO(fd_closep) int dir = openat(f->fd, "tmp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    AUTO(fd_closep) int fd = openat(f->fd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (dir >= 0 && fd >= 0 && fd_write_all(fd, steps) == RC_OK && fsync(fd) == 0 && fsync(dir) == 0 &&
        renameat(f->fd, tmp, f->fd, FILE_NAME) == 0 && fsync(f->fd) == 0)
        return RC_OK;
    enum rc rc = store_errno(e, "write", FILE_NAME);
    unlinkat(f->fd, tmp, 0);
    one_change_done(f);
    return rc;
}

static enum rc do_in(struct folder *f, const struct append_step *step, struct err *e)
{
    char from[PATH_BYTES], to[PATH_BYTES];
    snprintf(from, sizeof from, "tmp/" STR_FMT, STR_ARG(step->tmp));
    snprintf(to, sizeof to, "cur/" STR_FMT, STR_ARG(step->name));
    if (renameat2(f->fd, from, f->fd, to, RENAME_NOREPLACE) == 0 || errno == ENOENT || errno == EEXIST)
        return RC_OK;
    return store_errno(e, "rename", from);
}

static enum rc do_out(struct folder *f, const struct append_step *step, struct err *e)
{
    AUTO(buf_deinit) struct buf path = BUF_INIT(PATH_BYTES);
    char dir[DIR_NAME_MAX + 1] = ".";
    if (step->folder.n)
        must(str_copy(dir, sizeof dir, step->folder) == RC_OK);
    AUTO(fd_closep) int fd = openat(f->st->root_fd, dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? RC_OK : store_errno(e, "open", dir);
    enum rc rc = file_find(fd, step->base, &path, e);
    if (rc != RC_OK)
        return rc == RC_GONE ? RC_OK : rc;
    bool gone = unlinkat(fd, buf_cstr(&path), 0) == 0 || errno == ENOENT;
    AUTO(fd_closep)
    int sub =
        openat(fd, str_starts(buf_str(&path), S("new/")) ? "new" : "cur", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return gone && sub >= 0 && fsync(sub) == 0 ? RC_OK : store_errno(e, "unlink", buf_cstr(&path));
}

/* What cannot be read was not written by this program; whatever it means is left alone. */
enum rc one_change_finish(struct folder *f, bool *ret_found, struct err *e)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(RECORD_BYTES_MAX);
    struct append_step step;
    *ret_found = false;
    AUTO(fd_closep) int fd = openat(f->fd, FILE_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ELOOP ? RC_OK : store_errno(e, "open", FILE_NAME);
    *ret_found = true;
    if (fd_read_all(fd, &text) != RC_OK)
        return store_errno(e, "read", FILE_NAME);
    str rest = buf_str(&text);
    enum rc rc = RC_OK;
    while (rc == RC_OK && append_record_next(&rest, &step) == RC_OK)
        rc = step.out ? do_out(f, &step, e) : do_in(f, &step, e);
    if (rc == RC_OK && fsync(f->cur_fd) != 0)
        rc = store_errno(e, "sync", f->dir);
    if (rc == RC_OK)
        one_change_done(f);
    return rc;
}
