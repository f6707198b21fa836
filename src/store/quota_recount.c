/* Counting an account's messages: new/ and cur/ of INBOX and of each ".Folder", and deliveries in INBOX's
 * tmp/, whose names have their size. Other files in tmp/ are no messages yet. */
#include "store/quota_recount.h"

#include "fmt/maildir_name.h"
#include "os/file.h"
#include "store/delivery.h"
#include "store/scan.h"
#include "store/store_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { PATH_BYTES = 600 };

static void add_entry(int fd, const struct scan_entry *x, bool in_tmp, struct quota_use *sum)
{
    struct maildir_name name;
    struct stat st;
    char path[PATH_BYTES];
    str whole = str_mem(x->name, x->name_n);
    bool sized = maildir_name_parse(whole, &name) == RC_OK && name.has_size;
    if (!sized && in_tmp)
        return;
    if (!sized) {
        snprintf(path, sizeof path, "%s/" STR_FMT, x->in_new ? "new" : "cur", STR_ARG(whole));
        if (fstatat(fd, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
            return; /* it left meanwhile */
    }
    sum->bytes += sized ? name.size : (uint64_t)st.st_size;
    sum->messages++;
}

/* tmp/ first: files go from there to new/ and to cur/, and are not missed. */
static enum rc sum_folder(int fd, bool inbox, struct quota_use *sum, bool *still, struct err *e)
{
    struct scan there, prepared;
    bool quiet[3] = {true, true, true};
    scan_init(&there);
    scan_init(&prepared);
    enum rc rc = inbox ? scan_read(&prepared, fd, "tmp", &quiet[0], e) : RC_OK;
    if (rc == RC_OK)
        rc = scan_read(&there, fd, "new", &quiet[1], e);
    if (rc == RC_OK)
        rc = scan_read(&there, fd, "cur", &quiet[2], e);
    for (size_t i = 0; rc == RC_OK && i < there.n; i++)
        add_entry(fd, &there.v[i], false, sum);
    for (size_t i = 0; rc == RC_OK && i < prepared.n; i++)
        if (!scan_find(&there, scan_base(&prepared.v[i])))
            add_entry(fd, &prepared.v[i], true, sum);
    *still = *still && quiet[1] && quiet[2];
    scan_deinit(&there);
    scan_deinit(&prepared);
    return rc;
}

static bool is_ignored(const struct quota_terms *q, const char *dir)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(4 * DIR_NAME_MAX);
    return delivery_name_of(q->separator, str_c(dir), &name) == RC_OK &&
           quota_limits_of(q->rules, buf_str(&name), q->separator).ignored;
}

/* One that is no Maildir folder has nothing to count. */
static enum rc sum_named(int root_fd, const char *dir, const struct quota_terms *q, struct quota_use *sum,
                         bool *still, struct err *e)
{
    AUTO(fd_closep)
    int fd = openat(root_fd, dir[0] ? dir : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || is_ignored(q, dir))
        return fd >= 0 || errno == ENOTDIR || errno == ELOOP || errno == ENOENT ? RC_OK
                                                                                : store_errno(e, "open", dir);
    if (faccessat(fd, "cur", F_OK, AT_SYMLINK_NOFOLLOW) != 0 ||
        faccessat(fd, "new", F_OK, AT_SYMLINK_NOFOLLOW) != 0)
        return RC_OK;
    return sum_folder(fd, !dir[0], sum, still, e);
}

enum rc quota_sum(int root_fd, const struct quota_terms *q, struct quota_use *ret, bool *ret_still,
                  struct err *e)
{
    struct quota_use sum = {0};
    bool still = true;
    int fd = openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (!d) {
        enum rc rc = store_errno(e, "open", "maildir");
        fd_closep(&fd);
        return rc;
    }
    enum rc rc = sum_named(root_fd, "", q, &sum, &still, e);
    const struct dirent *x;
    while (rc == RC_OK && (x = readdir(d)))
        if (x->d_name[0] == '.' && x->d_name[1] != '\0' && x->d_name[1] != '.')
            rc = sum_named(root_fd, x->d_name, q, &sum, &still, e);
    closedir(d);
    *ret_still = still;
    if (rc == RC_OK)
        *ret = sum;
    return rc;
}
