/* The folder below which the mail of one Unix uid lies: made with the right owner before the first process that is
 * confined to it starts. */
#include "os/file.h"
#include "role/mailbox_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder below which all Maildirs of this identity's uid lie: the home of a system user, and for virtual accounts
 * what mail_location says before its first variable. */
static void root_of(const struct conf *c, const struct account_identity *id, struct buf *out)
{
    if (id->system) {
        buf_puts(out, str_c(id->home));
        return;
    }
    str location = str_c(c->mail_location);
    (void)str_take(&location, ':');
    ptrdiff_t variable = str_chr(location, '%');
    str fixed = variable < 0 ? location : str_sub(location, 0, (size_t)variable);
    ptrdiff_t slash = str_rchr(fixed, '/');
    buf_puts(out, slash > 0 && variable >= 0 ? str_sub(fixed, 0, (size_t)slash) : fixed);
}

static enum rc misconfigured(struct err *e, const char *path, const char *why)
{
    (void)err_set(e, RC_TEMP, 451, "4.3.5", "Mailbox is misconfigured");
    err_note(e, "%s: %s", path, why);
    return RC_TEMP;
}

/* Makes the root of virtual mail with the right owner when it is missing; a home must be there already. */
static enum rc make_root(const struct account_identity *id, const char *path, struct err *e)
{
    struct stat st;
    if (stat(path, &st) == 0)
        return S_ISDIR(st.st_mode) ? RC_OK : misconfigured(e, path, "not a folder");
    if (id->system)
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
