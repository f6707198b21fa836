#include "cli/folder.h"

#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Opens STATE/name, made when missing with its owner and mode 0700. */
static int open_folder(const struct conf *c, const char *name, const struct passwd *owner)
{
    AUTO(buf_deinit) struct buf path = BUF_INIT(4096);
    if (file_make_dirs(c->state_dir, 0755) != RC_OK)
        return -1;
    buf_printf(&path, "%s/%s", c->state_dir, name);
    bool made = mkdir(buf_cstr(&path), 0700) == 0;
    if (!made && errno != EEXIST)
        return -1;
    int fd = open(buf_cstr(&path), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && made && owner && fchown(fd, owner->pw_uid, owner->pw_gid) != 0)
        fd_closep(&fd);
    return fd;
}

static bool become(const struct passwd *owner, int folder)
{
    if (fchdir(folder) != 0)
        return false;
    if (!owner)
        return true;
    tzset(); /* the zone file is out of reach afterwards */
    return chroot(".") == 0 && setgroups(0, NULL) == 0 &&
           setresgid(owner->pw_gid, owner->pw_gid, owner->pw_gid) == 0 &&
           setresuid(owner->pw_uid, owner->pw_uid, owner->pw_uid) == 0;
}

enum rc cli_enter_folder(const struct conf *c, const char *name, const char *user, int *ret_status)
{
    const struct passwd *owner = geteuid() == 0 ? getpwnam(user) : NULL;
    if (geteuid() == 0 && (!owner || owner->pw_uid == 0)) {
        *ret_status = cli_fail("the system user %s is missing; create it as README says", user);
        return RC_PERM;
    }
    AUTO(fd_closep) int folder = open_folder(c, name, owner);
    if (folder < 0 || !become(owner, folder)) {
        *ret_status = cli_fail("%s/%s cannot be used: %s; run as root or as the user that runs malle",
                               c->state_dir, name, strerror(errno));
        return RC_PERM;
    }
    return RC_OK;
}
