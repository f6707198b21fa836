/* The folder below which the mail of one Unix uid lies: made with the right owner before the first process that is
 * confined to it starts. */
#include "os/file.h"
#include "role/mailbox_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool lies_in_home(const struct account_identity *id)
{
    return id->system && identity_path_inside(id->mail_dir, id->home);
}

/* The length of the path's folder, "/" included when it is that. */
static size_t last_slash(str path)
{
    ptrdiff_t slash = str_rchr(path, '/');
    return slash > 0 ? (size_t)slash : 1;
}

/* The folder below which all Maildirs of this identity's uid lie: for a system user the home, or the Maildir itself where
 * that is elsewhere; for virtual accounts what mail_location says before its first variable. */
static void root_of(const struct conf *c, const struct account_identity *id, struct buf *out)
{
    if (id->system) {
        buf_puts(out, str_c(lies_in_home(id) ? id->home : id->mail_dir));
        return;
    }
    str location = str_c(c->mail_location);
    (void)str_take(&location, ':');
    str path = str_take(&location, ':');
    for (size_t i = 0; i < path.n; i++) {
        if (path.p[i] == '%' && (++i == path.n || path.p[i] != '%')) { /* a variable; %% is a percent sign */
            buf_truncate(out, last_slash(buf_str(out)));
            return;
        }
        buf_putc(out, path.p[i]);
    }
}

static enum rc misconfigured(struct err *e, const char *path, const char *why)
{
    (void)err_set(e, RC_TEMP, 451, "4.3.5", "Mailbox is misconfigured");
    err_note(e, "%s: %s", path, why);
    return RC_TEMP;
}

/* Makes the root with the right owner when it is missing; a home must be there already. */
static enum rc make_root(const struct account_identity *id, const char *path, struct err *e)
{
    struct stat st;
    if (stat(path, &st) == 0)
        return S_ISDIR(st.st_mode) ? RC_OK : misconfigured(e, path, "not a folder");
    if (lies_in_home(id))
        return misconfigured(e, path, "the home is missing");
    AUTO(fd_closep) int fd = -1;
    if (file_make_dirs(path, 0755) == RC_OK)
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fchmod(fd, 0700) != 0 || (geteuid() == 0 && fchown(fd, id->uid, id->gid) != 0))
        return misconfigured(e, path, strerror(errno));
    return RC_OK;
}

enum rc mailbox_root(struct mailbox *mb, const struct account_identity *id, struct buf *ret_path, struct err *e)
{
    root_of(mb->role->conf, id, ret_path);
    return make_root(id, buf_cstr(ret_path), e);
}
