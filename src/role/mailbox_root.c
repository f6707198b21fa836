/* The folder below which the mail of one Unix uid lies: made with the right owner before the first process
 * that is confined to it starts. */
#include "base/log.h"
#include "os/file.h"
#include "role/mail_root.h"
#include "role/mailbox_impl.h"
#include "store/journal.h"

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

/* The folder below which all Maildirs of this identity's uid lie: for a system user the home, or the Maildir
 * itself where that is elsewhere; for users of databases what `auth` says; for virtual accounts what
 * mail_location says before its first variable. */
static void root_of(const struct conf *c, const struct account_identity *id, struct buf *out)
{
    if (id->mail_root[0]) {
        buf_puts(out, str_c(id->mail_root));
        return;
    }
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

/* What is there is the administrator's; another owner is legitimate where the folders below have the right
 * one. */
static enum rc check_root(const struct account_identity *id, const char *path, const struct stat *st,
                          struct err *e)
{
    static bool warned; /* every session comes by */
    if (!S_ISDIR(st->st_mode))
        return misconfigured(e, path, "not a folder");
    if (st->st_uid != id->uid && !id->mail_root[0] && !warned) {
        log_warn("%s, below which mail of uid %u lies, belongs to uid %u", path, id->uid, st->st_uid);
        warned = true;
    }
    return RC_OK;
}

/* Gives the new folder `tmp` its owner and then its name. Somebody may have been faster. */
static bool finish_root(const struct account_identity *id, const char *tmp, const char *path)
{
    AUTO(fd_closep) int fd = open(tmp, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || (geteuid() == 0 && fchown(fd, id->uid, id->gid) != 0) || fchmod(fd, 0700) != 0 ||
        fsync(fd) != 0)
        return false;
    AUTO(fd_closep) int parent = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int moved = renameat2(AT_FDCWD, tmp, AT_FDCWD, path, RENAME_NOREPLACE);
    if (moved != 0 && (errno == EINVAL || errno == ENOSYS)) /* no such flag in this file system */
        moved = rename(tmp, path);
    if (moved != 0 && errno == EEXIST)
        return rmdir(tmp) == 0;
    return moved == 0 && parent >= 0 && fsync(parent) == 0;
}

/* Makes the root when it is missing; a home must be there already. It gets its name last: a root with the
 * wrong owner, left by a process that was killed in between, would be taken for the administrator's ever
 * after. */
static enum rc make_root(const struct account_identity *id, const char *path, struct err *e)
{
    struct stat st;
    AUTO(buf_deinit) struct buf tmp = BUF_INIT(IDENTITY_PATH_MAX + 32);
    if (stat(path, &st) == 0)
        return check_root(id, path, &st, e);
    if (lies_in_home(id))
        return misconfigured(e, path, "the home is missing");
    buf_puts(&tmp, str_sub(str_c(path), 0, last_slash(str_c(path))));
    if (file_make_dirs(buf_cstr(&tmp), 0755) != RC_OK)
        return misconfigured(e, path, strerror(errno));
    buf_reset(&tmp);
    buf_printf(&tmp, "%s.malle-XXXXXX", path);
    if (!mkdtemp(tmp.p))
        return misconfigured(e, path, strerror(errno));
    if (finish_root(id, tmp.p, path))
        return RC_OK;
    (void)misconfigured(e, path, strerror(errno));
    rmdir(tmp.p);
    return RC_TEMP;
}

static void put_root(const struct conf *c, const struct account_identity *id, struct buf *ret_path)
{
    root_of(c, id, ret_path);
    while (ret_path->n > 1 && ret_path->p[ret_path->n - 1] == '/')
        buf_truncate(ret_path, ret_path->n - 1);
}

bool mailbox_has_journal(const struct mailbox *mb, const struct account_identity *id)
{
    struct buf path AUTO(buf_deinit) = BUF_INIT(IDENTITY_PATH_MAX);
    put_root(mb->role->conf, id, &path);
    return journal_exists(buf_cstr(&path));
}

enum rc mail_root_make(const struct conf *c, const struct account_identity *id, struct buf *ret_path,
                       struct err *e)
{
    put_root(c, id, ret_path);
    return make_root(id, buf_cstr(ret_path), e);
}
