/* mailbox_acl: whom its owner lets do what with a mailbox, in Dovecot's file dovecot-acl in the mailbox's
 * folder (fmt/acl.h), written whole under dovecot-acl.lock. A file that cannot be read gives nobody a right,
 * and is not written over. */
#include "os/file.h"
#include "store/store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define FILE_NAME "dovecot-acl"

enum { ARENA_MAX = 4 << 20 };

/* A missing file is as good as an empty one. */
static enum rc read_text(int folder_fd, struct buf *out, struct err *e)
{
    AUTO(fd_closep) int fd = openat(folder_fd, FILE_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return RC_OK;
    enum rc rc = fd < 0 ? RC_TEMP : fd_read_all(fd, out);
    return rc == RC_TEMP ? store_errno(e, "read", FILE_NAME) : rc;
}

static enum rc read_acl(const struct folder *f, struct arena *a, struct acl *ret, struct err *e)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(ACL_BYTES_MAX);
    enum rc rc = read_text(f->fd, &text, e);
    if (rc != RC_OK && rc != RC_LIMIT)
        return rc;
    str kept = rc == RC_OK ? arena_str(a, buf_str(&text)) : STR_NONE;
    if (kept.p && acl_parse(kept, a, ret) == RC_OK)
        return RC_OK;
    err_set(e, RC_TEMP, 0, "4.3.0", "The rights of this mailbox cannot be read");
    err_note(e, "store: %.200s/" FILE_NAME " is too long, or has a line that is none", f->dir);
    return RC_TEMP;
}

static enum rc open_folder(struct store *st, str mailbox, struct folder *ret, struct err *e)
{
    char dir[DIR_NAME_MAX + 1];
    if (name_to_dir(st, mailbox, dir, e) != RC_OK)
        return store_gone(e);
    enum rc rc = index_check(st, e);
    return rc == RC_OK ? index_result(st, folder_open(st, dir, ret, e), e) : rc;
}

enum rc store_acl(struct store *st, str mailbox, struct arena *a, struct acl *ret, struct err *e)
{
    struct folder f;
    enum rc rc = open_folder(st, mailbox, &f, e);
    if (rc != RC_OK)
        return rc;
    rc = read_acl(&f, a, ret, e);
    folder_close(&f);
    return rc;
}

static enum rc change_acl(struct folder *f, const struct acl_change *change, struct err *e)
{
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_MAX);
    AUTO(dotlock_drop) struct dotlock lock = DOTLOCK_INIT;
    AUTO(buf_deinit) struct buf text = BUF_INIT(ACL_BYTES_MAX);
    struct acl acl;
    enum rc rc = dotlock_take(&f->st->lock_file, f->fd, FILE_NAME, &lock, e);
    if (rc == RC_OK)
        rc = read_acl(f, a, &acl, e);
    if (rc != RC_OK)
        return rc;
    acl_apply(&acl, change);
    acl_format(&acl, &text);
    return text.overflow ? err_set(e, RC_LIMIT, 0, "5.2.0", "Too many rights for one mailbox")
                         : folder_file_replace(f->fd, FILE_NAME, buf_str(&text), e);
}

enum rc store_acl_change(struct store *st, str mailbox, const struct acl_change *change, struct err *e)
{
    struct folder f;
    enum rc rc = open_folder(st, mailbox, &f, e);
    if (rc != RC_OK)
        return rc;
    rc = change_acl(&f, change, e);
    folder_close(&f);
    acl_list_forget(st);
    return rc;
}

/* "" is INBOX, which is above ".INBOX.x". -1: there is none. */
static int open_parent(const struct store *st, const char *dir)
{
    char parent[DIR_NAME_MAX + 1];
    int fd = -1;
    must(str_copy(parent, sizeof parent, str_c(dir)) == RC_OK);
    for (char *dot; fd < 0 && (dot = strrchr(parent, '.')) && dot > parent;) {
        *dot = '\0';
        const char *name = str_eq(str_c(parent), S(".INBOX")) ? "." : parent;
        fd = openat(st->root_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    return fd;
}

enum rc acl_inherit(struct store *st, const char *dir, struct err *e)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(ACL_BYTES_MAX);
    AUTO(fd_closep) int parent = open_parent(st, dir);
    if (parent < 0 || read_text(parent, &text, e) != RC_OK || text.n == 0)
        return RC_OK; /* of what cannot be read nobody has a right to pass on */
    AUTO(fd_closep) int fd = openat(st->root_fd, dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return store_errno(e, "open", dir);
    acl_list_forget(st);
    return folder_file_replace(fd, FILE_NAME, buf_str(&text), e);
}

void acl_list_forget(const struct store *st)
{
    unlinkat(st->root_fd, "dovecot-acl-list", 0);
}
