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

enum rc acl_read(int folder_fd, struct arena *a, struct acl *ret, struct err *e)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(ACL_BYTES_MAX);
    enum rc rc = read_text(folder_fd, &text, e);
    if (rc != RC_OK && rc != RC_LIMIT)
        return rc;
    str kept = rc == RC_OK ? arena_str(a, buf_str(&text)) : STR_NONE;
    if (kept.p && acl_parse(kept, a, ret) == RC_OK)
        return RC_OK;
    err_set(e, RC_TEMP, 0, "4.3.0", "The rights of this mailbox cannot be read");
    err_note(e, "store: a file " FILE_NAME " is too long, or has a line that is none");
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

/* --- what a guest may do --- */

unsigned folder_rights(const struct store *st, int folder_fd)
{
    struct acl acl;
    struct err e;
    if (!st->conf.guest)
        return ACL_ALL_RIGHTS;
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_MAX);
    return acl_read(folder_fd, a, &acl, &e) == RC_OK ? acl_rights_of(&acl, st->conf.guest->user) : 0;
}

static enum rc refuse(unsigned rights, struct err *e)
{
    return rights & ACL_L ? store_not_permitted(e) : store_gone(e);
}

enum rc folder_need(const struct store *st, int folder_fd, unsigned rights, struct err *e)
{
    unsigned has = folder_rights(st, folder_fd);
    return (has & rights) == rights ? RC_OK : refuse(has, e);
}

enum rc store_rights(struct store *st, str mailbox, unsigned *ret, struct err *e)
{
    struct folder f;
    enum rc rc = open_folder(st, mailbox, &f, e);
    if (rc != RC_OK)
        return rc;
    unsigned rights = folder_rights(st, f.fd);
    folder_close(&f);
    if (!(rights & (ACL_L | ACL_R | ACL_I | ACL_K | ACL_X | ACL_A))) /* RFC 4314 §4 */
        return store_gone(e);
    *ret = rights;
    return RC_OK;
}

unsigned box_rights(const struct box *b)
{
    return folder_rights(b->f.st, b->f.fd);
}

/* --- who may do what, and changing it --- */

enum rc store_acl(struct store *st, str mailbox, struct arena *a, struct acl *ret, struct err *e)
{
    struct folder f;
    enum rc rc = open_folder(st, mailbox, &f, e);
    if (rc != RC_OK)
        return rc;
    rc = folder_need(st, f.fd, ACL_A, e);
    if (rc == RC_OK)
        rc = acl_read(f.fd, a, ret, e);
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
        rc = folder_need(f->st, f->fd, ACL_A, e);
    if (rc == RC_OK)
        rc = acl_read(f->fd, a, &acl, e);
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

enum rc folder_need_parent(const struct store *st, const char *dir, struct err *e)
{
    if (!st->conf.guest)
        return RC_OK;
    AUTO(fd_closep) int parent = open_parent(st, dir);
    return parent >= 0 && (folder_rights(st, parent) & ACL_K) ? RC_OK : store_not_permitted(e);
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
