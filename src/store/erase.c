/* Deleting the message files of a Maildir++ tree: cur/ and new/ of the root and of each ".Folder" below it.
 */
#include "store/erase.h"

#include "os/file.h"
#include "os/tree.h"
#include "store/quota.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static enum rc erase_file(void *count, int dir_fd, const char *name)
{
    if (unlinkat(dir_fd, name, 0) == 0)
        ++*(uint64_t *)count;
    else if (errno != ENOENT && errno != EISDIR && errno != EPERM) /* a folder in cur/ is not mail */
        return RC_TEMP;
    return RC_OK;
}

static enum rc erase_mailbox(uint64_t *count, int dir_fd, const char *mailbox)
{
    static const char *const folders[] = {"cur", "new"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char path[600];
        int n = snprintf(path, sizeof path, "%s%s%s", mailbox, mailbox[0] ? "/" : "", folders[i]);
        if (n < 0 || (size_t)n >= sizeof path)
            return RC_LIMIT;
        enum rc rc = tree_each(dir_fd, path, erase_file, count);
        if (rc != RC_OK && rc != RC_GONE)
            return rc;
    }
    return RC_OK;
}

static enum rc erase_entry(void *count, int dir_fd, const char *name)
{
    return name[0] == '.' ? erase_mailbox(count, dir_fd, name) : RC_OK;
}

enum rc store_erase_messages(int parent_fd, const char *name, uint64_t *ret_count)
{
    uint64_t count = 0;
    enum rc rc = erase_mailbox(&count, parent_fd, name);
    if (rc == RC_OK)
        rc = tree_each(parent_fd, name, erase_entry, &count);
    if (rc == RC_OK)
        *ret_count = count;
    int fd = rc == RC_OK ? openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    if (fd >= 0)
        quota_forget(fd);
    fd_closep(&fd);
    return rc;
}
