/* Walking and removing folders relative to descriptors. */
#include "os/tree.h"

#include "base/banned.h"
#include "os/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static bool is_dot(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

enum rc tree_each(int parent_fd, const char *name, enum rc (*fn)(void *ctx, int dir_fd, const char *entry),
                  void *ctx)
{
    int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? RC_GONE : RC_TEMP;
    DIR *dir = fdopendir(fd); /* owns fd */
    must(dir);
    enum rc rc = RC_OK;
    const struct dirent *e;
    while (rc == RC_OK && (errno = 0, e = readdir(dir)) != NULL) {
        if (!is_dot(e->d_name))
            rc = fn(ctx, dirfd(dir), e->d_name);
    }
    if (rc == RC_OK && errno != 0)
        rc = RC_TEMP;
    int error = errno;
    closedir(dir);
    errno = error;
    return rc;
}

static enum rc remove_entry(void *depth, int dir_fd, const char *name)
{
    if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
        return RC_OK;
    if (errno != EISDIR && errno != EPERM)
        return RC_TEMP;
    int below = *(const int *)depth + 1;
    if (below > TREE_DEPTH_MAX)
        return RC_LIMIT;
    enum rc rc = tree_each(dir_fd, name, remove_entry, &below);
    if (rc != RC_OK)
        return rc == RC_GONE ? RC_OK : rc;
    return unlinkat(dir_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? RC_OK : RC_TEMP;
}

enum rc tree_remove(int parent_fd, const char *name)
{
    int depth = 0;
    return remove_entry(&depth, parent_fd, name);
}
