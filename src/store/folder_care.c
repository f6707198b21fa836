/* folder_care: small files beside a folder's messages. What crashed writers left in tmp/ is removed after 36
 * hours (https://cr.yp.to/proto/maildir.html); a special use that the folder's name does not tell is kept in
 * "malle.use", so that it outlives the index (RFC 6154 §3). */
#include "os/file.h"
#include "store/store_priv.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

enum { TMP_MAX_SECONDS = 36 * 3600, USE_BYTES_MAX = 64 };

static const char *const use_names[] = {
    [USE_NONE] = "none",       [USE_ALL] = "all",   [USE_ARCHIVE] = "archive", [USE_DRAFTS] = "drafts",
    [USE_FLAGGED] = "flagged", [USE_JUNK] = "junk", [USE_SENT] = "sent",       [USE_TRASH] = "trash",
};

void folder_clean_tmp(struct folder *f)
{
    struct stat st;
    if (one_change_is_open(f)) /* it counts on its files there */
        return;
    int fd = openat(f->fd, "tmp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *x;
    while (d && (x = readdir(d)))
        if (fstatat(fd, x->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
            clock_seconds() - st.st_mtim.tv_sec > TMP_MAX_SECONDS &&
            clock_seconds() - st.st_ctim.tv_sec > TMP_MAX_SECONDS)
            unlinkat(fd, x->d_name, 0);
    if (d)
        closedir(d);
}

enum special_use folder_use(const struct store *st, const char *dir)
{
    struct buf b = BUF_INIT(USE_BYTES_MAX);
    char path[DIR_NAME_MAX + 16];
    enum special_use use = name_default_use(str_c(dir));
    snprintf(path, sizeof path, "%s/malle.use", dir[0] ? dir : ".");
    AUTO(fd_closep) int fd = openat(st->root_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 && fd_read_all(fd, &b) == RC_OK)
        for (size_t i = 0; i < sizeof use_names / sizeof *use_names; i++)
            if (str_eq(str_trim(buf_str(&b)), str_c(use_names[i])))
                use = (enum special_use)i;
    buf_deinit(&b);
    return use;
}

enum rc folder_file_replace(int folder_fd, const char *name, str content, struct err *e)
{
    char tmp[64];
    must((size_t)snprintf(tmp, sizeof tmp, "tmp/%s", name) < sizeof tmp);
    unlinkat(folder_fd, tmp, 0);
    AUTO(fd_closep)
    int fd = openat(folder_fd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || fd_write_all(fd, content) != RC_OK || fsync(fd) != 0 ||
        renameat(folder_fd, tmp, folder_fd, name) != 0 || fsync(folder_fd) != 0)
        return store_errno(e, "write", name);
    return RC_OK;
}

enum rc folder_set_use(struct folder *f, enum special_use use, struct err *e)
{
    must((size_t)use < sizeof use_names / sizeof *use_names);
    return folder_file_replace(f->fd, "malle.use", str_c(use_names[use]), e);
}
