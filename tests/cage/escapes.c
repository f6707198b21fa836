/* Ways out of the cage that seccomp alone does not close. */
#include "attempts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static long open_close(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    return fd < 0 ? -1 : close(fd);
}

static long open_below(const char *dir, const char *name, int flags)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return open_close(path, flags);
}

/* --- ways out --- */

static long read_passwd(const struct world *w)
{
    return open_close("/etc/passwd", O_RDONLY);
}

static long read_other(const struct world *w)
{
    return open_below(w->other, "new/1", O_RDONLY);
}

static long write_other(const struct world *w)
{
    return open_below(w->other, "new/2", O_WRONLY | O_CREAT);
}

static long read_other_upwards(const struct world *w)
{
    return open_close("../other/new/1", O_RDONLY);
}

static long read_other_through_link(const struct world *w)
{
    return open_close("link/new/1", O_RDONLY);
}

static long read_other_through_descriptor(const struct world *w)
{
    return openat(w->leak, "new/1", O_RDONLY | O_CLOEXEC);
}

static long remove_other(const struct world *w)
{
    char path[256];
    snprintf(path, sizeof path, "%s/new/1", w->other);
    return unlink(path);
}

static long empty_other(const struct world *w)
{
    return open_below(w->other, "new/1", O_WRONLY | O_TRUNC);
}

static long move_to_other(const struct world *w)
{
    char path[256];
    snprintf(path, sizeof path, "%s/new/2", w->other);
    return rename("new/1", path);
}

static long link_from_other(const struct world *w)
{
    char path[256];
    snprintf(path, sizeof path, "%s/new/1", w->other);
    return link(path, "new/2");
}

static long make_elsewhere(const struct world *w)
{
    return open_close("/var/tmp", O_RDWR | O_TMPFILE);
}

static long read_environment_of_sibling(const struct world *w)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/environ", world_sibling);
    return open_close(path, O_RDONLY);
}

static long write_own_memory(const struct world *w)
{
    return open_close("/proc/self/mem", O_RDWR);
}

static long write_own_oom_score(const struct world *w)
{
    return open_close("/proc/self/oom_score_adj", O_WRONLY);
}

static long reach_root_through_proc(const struct world *w)
{
    return open_close("/proc/self/root/etc/passwd", O_RDONLY);
}

static long reach_folder_of_sibling(const struct world *w)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/cwd", world_sibling);
    return open_close(path, O_RDONLY | O_DIRECTORY);
}

static long open_device(const struct world *w)
{
    return open_close("/dev/null", O_RDWR);
}

/* A descriptor that must be closed answers EBADF. */
static long inherited_descriptor(const struct world *w)
{
    return fcntl(w->leak, F_GETFD);
}

const struct attempt escapes[] = {
    {"read_passwd", read_passwd, EACCES, ENOENT},
    {"read_other", read_other, EACCES, ENOENT},
    {"write_other", write_other, EACCES, ENOENT},
    {"read_other_upwards", read_other_upwards, EACCES, ENOENT},
    {"read_other_through_link", read_other_through_link, EACCES, ENOENT},
    {"read_other_through_descriptor", read_other_through_descriptor, EBADF, EBADF},
    {"inherited_descriptor", inherited_descriptor, EBADF, EBADF},
    {"remove_other", remove_other, EACCES, ENOENT},
    {"empty_other", empty_other, EACCES, ENOENT},
    {"move_to_other", move_to_other, EACCES, ENOENT},
    {"link_from_other", link_from_other, EXDEV, ENOENT},
    {"make_elsewhere", make_elsewhere, EACCES, ENOENT},
    {"open_device", open_device, EACCES, ENOENT},
    {"read_environment_of_sibling", read_environment_of_sibling, EACCES, ENOENT},
    {"write_own_memory", write_own_memory, EACCES, ENOENT},
    {"write_own_oom_score", write_own_oom_score, EACCES, ENOENT},
    {"reach_root_through_proc", reach_root_through_proc, EACCES, ENOENT},
    {"reach_folder_of_sibling", reach_folder_of_sibling, EACCES, ENOENT},
};
const size_t n_escapes = sizeof escapes / sizeof *escapes;
