/* mailbox_change: CREATE, DELETE, RENAME and STATUS of whole mailboxes (RFC 9051 §6.3.4 to §6.3.6, §6.3.11).
 */
#include "os/file.h"
#include "store/delivery.h"
#include "store/store_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static bool folder_exists(const struct store *st, const char *dir)
{
    struct stat s;
    return fstatat(st->root_fd, dir[0] ? dir : ".", &s, AT_SYMLINK_NOFOLLOW) == 0;
}

/* folder_need of a folder that is not open. */
static enum rc need_at(const struct store *st, const char *dir, unsigned rights, struct err *e)
{
    if (!st->conf.guest)
        return RC_OK;
    AUTO(fd_closep)
    int fd = openat(st->root_fd, dir[0] ? dir : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? store_gone(e) : folder_need(st, fd, rights, e);
}

static enum rc check_mailbox_max(struct store *st, struct err *e)
{
    size_t n;
    enum rc rc = mailbox_count(st, &n, e);
    if (rc == RC_OK && st->conf.mailbox_max && n >= st->conf.mailbox_max)
        rc = err_set(e, RC_LIMIT, 0, "5.2.0", "Too many mailboxes");
    return rc;
}

enum rc delivery_make_folder(int maildir_fd, const char *dir, struct err *e)
{
    if (mkdirat(maildir_fd, dir, 0700) != 0)
        return errno == EEXIST ? store_refuse(e, "Mailbox already exists") : store_errno(e, "mkdir", dir);
    AUTO(fd_closep) int fd = openat(maildir_fd, dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return store_errno(e, "open", dir);
    AUTO(fd_closep) int mark = openat(fd, "maildirfolder", O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (mark < 0 || file_make_dir_at(fd, "cur", 0700) != RC_OK ||
        file_make_dir_at(fd, "new", 0700) != RC_OK || file_make_dir_at(fd, "tmp", 0700) != RC_OK ||
        fsync(mark) != 0 || fsync(maildir_fd) != 0)
        return store_errno(e, "make", dir);
    return RC_OK;
}

/* Removes what the index has of a folder, inside a transaction. */
static enum rc forget_rows(struct store *st, const char *dir, struct err *e)
{
    int64_t id = 0;
    enum rc rc = db_get_int(st->db, &id, e, "SELECT id FROM mailbox WHERE dir = ?1", DB_T(str_c(dir)));
    if (rc == RC_OK)
        rc = messages_forget(st, id, e);
    if (rc == RC_OK)
        rc = db_run(st->db, e, "DELETE FROM mailbox WHERE id = ?1", DB_I(id));
    return rc == RC_GONE ? RC_OK : rc;
}

static enum rc forget_folder(struct store *st, const char *dir, struct err *e)
{
    enum rc rc = db_begin(st->db, true, e);
    if (rc != RC_OK)
        return rc;
    return db_end(st->db, forget_rows(st, dir, e), e);
}

/* Numbers the new mailbox at once, so that its UIDVALIDITY is on disk. */
static enum rc number_folder(struct store *st, const char *dir, enum special_use use, struct err *e)
{
    struct folder f;
    enum rc rc = folder_open(st, dir, &f, e);
    if (rc != RC_OK)
        return rc;
    rc = folder_merge(&f, MERGE_OPEN, e);
    if (rc == RC_OK && use != USE_NONE && use != folder_use(st, dir))
        rc = folder_set_use(&f, use, e);
    folder_close(&f);
    return rc;
}

enum rc store_create(struct store *st, str name, enum special_use use, struct err *e)
{
    char dir[DIR_NAME_MAX + 1];
    if (name.n > 1 && name.p[name.n - 1] == st->conf.separator) /* "only to hold others" (RFC 9051 §6.3.4) */
        name.n--;
    enum rc rc = name_to_dir(st, name, dir, e);
    if (rc == RC_OK)
        rc = folder_need_parent(st, dir, e);
    if (rc != RC_OK)
        return st->conf.guest ? store_not_permitted(e) : rc;
    if (folder_exists(st, dir))
        return store_refuse(e, "Mailbox already exists");
    rc = check_mailbox_max(st, e);
    if (rc == RC_OK)
        rc = index_check(st, e);
    if (rc == RC_OK) /* a folder of this name that another program removed, or a crash */
        rc = index_result(st, forget_folder(st, dir, e), e);
    if (rc == RC_OK)
        rc = delivery_make_folder(st->root_fd, dir, e);
    if (rc == RC_OK)
        rc = index_result(st, number_folder(st, dir, use, e), e);
    if (rc == RC_OK)
        rc = acl_inherit(st, dir, e);
    return rc;
}

/* Removes plain files in a folder and the folder itself. Sub-folders of foreign tools make it stay, out of
 * sight. */
static void remove_dir(int parent, const char *name, int depth)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *x;
    while (d && (x = readdir(d))) {
        if (str_eq(str_c(x->d_name), S(".")) || str_eq(str_c(x->d_name), S("..")))
            continue;
        if (unlinkat(fd, x->d_name, 0) != 0 && depth > 0)
            remove_dir(fd, x->d_name, depth - 1);
    }
    if (d)
        closedir(d);
    unlinkat(parent, name, AT_REMOVEDIR);
}

enum rc store_delete(struct store *st, str name, struct err *e)
{
    char dir[DIR_NAME_MAX + 1], trash[64];
    enum rc rc = name_to_dir(st, name, dir, e);
    if (rc != RC_OK)
        return rc == RC_PERM ? store_gone(e) : rc;
    rc = need_at(st, dir, ACL_X, e);
    if (rc != RC_OK)
        return rc;
    if (!dir[0])
        return store_refuse(e, "INBOX cannot be deleted");
    if (!folder_exists(st, dir))
        return store_gone(e);
    rc = index_check(st, e);
    if (rc != RC_OK)
        return rc;
    snprintf(trash, sizeof trash, "..malle-deleted.%016llx", (unsigned long long)store_random());
    if (renameat(st->root_fd, dir, st->root_fd, trash) != 0 || fsync(st->root_fd) != 0)
        return store_errno(e, "rename", dir);
    rc = index_result(st, forget_folder(st, dir, e), e);
    remove_dir(st->root_fd, trash, 2);
    store_quota_deleted(st);
    return rc;
}

struct rename_step {
    char from[DIR_NAME_MAX + 1], to[DIR_NAME_MAX + 1];
    struct rename_step *next;
};

/* The folder itself (when it exists) and all below it. */
static enum rc plan_rename(struct store *st, const char *from, const char *to, struct arena *a,
                           struct rename_step **ret, struct err *e)
{
    int fd = openat(st->root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    size_t n = strlen(from);
    const struct dirent *x;
    enum rc rc = d ? RC_OK : store_errno(e, "open", st->conf.root.p);
    while (d && rc == RC_OK && (x = readdir(d))) {
        str name = str_c(x->d_name);
        if (!str_starts(name, str_c(from)) || (name.n > n && name.p[n] != '.'))
            continue;
        struct rename_step *s = arena_make(a, struct rename_step);
        if (!s || str_copy(s->from, sizeof s->from, name) != RC_OK ||
            (size_t)snprintf(s->to, sizeof s->to, "%s%s", to, x->d_name + n) >= sizeof s->to) {
            rc = store_refuse(e, "Mailbox name is too long");
        } else if (folder_exists(st, s->to)) {
            rc = store_refuse(e, "Mailbox already exists");
        } else {
            s->next = *ret;
            *ret = s;
        }
    }
    if (d)
        closedir(d);
    if (rc == RC_OK && !*ret)
        rc = store_gone(e);
    return rc;
}

static enum rc rename_one(struct store *st, const struct rename_step *s, struct err *e)
{
    if (renameat(st->root_fd, s->from, st->root_fd, s->to) != 0)
        return store_errno(e, "rename", s->from);
    enum rc rc = forget_rows(st, s->to, e);
    if (rc != RC_OK)
        return rc;
    return db_run(st->db, e, "UPDATE mailbox SET dir = ?2 WHERE dir = ?1", DB_T(str_c(s->from)),
                  DB_T(str_c(s->to)));
}

static enum rc rename_all(struct store *st, struct rename_step *steps, struct err *e)
{
    struct rename_step *s = steps;
    enum rc rc = db_begin(st->db, true, e);
    if (rc != RC_OK)
        return rc;
    for (; s && rc == RC_OK; s = rc == RC_OK ? s->next : s)
        rc = rename_one(st, s, e);
    if (rc == RC_OK && fsync(st->root_fd) != 0)
        rc = store_errno(e, "sync", st->conf.root.p);
    if (rc == RC_OK)
        return db_commit(st->db, e);
    for (struct rename_step *u = steps; u && u != s; u = u->next)
        renameat(st->root_fd, u->to, st->root_fd, u->from);
    db_rollback(st->db);
    return rc;
}

/* RFC 9051 §6.3.6: renaming INBOX moves its messages and leaves it empty. */
static enum rc rename_inbox(struct store *st, str to, struct err *e)
{
    struct box *b = NULL;
    struct box_copied copied = {0};
    enum rc rc = store_create(st, to, USE_NONE, e);
    if (rc == RC_OK)
        rc = box_open(st, S("INBOX"), false, &b, e);
    if (rc == RC_OK)
        rc = box_copy(b, box_view(b), to, true, &copied, e);
    uidset_deinit(&copied.from);
    uidset_deinit(&copied.to);
    box_close(b);
    return rc;
}

enum rc store_rename(struct store *st, str from, str to, struct err *e)
{
    AUTO(arena_freep) struct arena *a = arena_new(64 << 20);
    char from_dir[DIR_NAME_MAX + 1], to_dir[DIR_NAME_MAX + 1];
    struct rename_step *steps = NULL;
    if (name_to_dir(st, from, from_dir, e) != RC_OK)
        return store_gone(e);
    enum rc rc = need_at(st, from_dir, ACL_X, e);
    if (rc == RC_OK)
        rc = name_to_dir(st, to, to_dir, e);
    if (rc == RC_OK && st->conf.guest && !from_dir[0]) /* its messages would go elsewhere */
        rc = store_not_permitted(e);
    if (rc == RC_OK)
        rc = folder_need_parent(st, to_dir, e);
    if (rc == RC_OK && folder_exists(st, to_dir))
        rc = store_refuse(e, "Mailbox already exists");
    if (rc == RC_OK)
        rc = index_check(st, e);
    if (rc != RC_OK)
        return rc;
    if (!from_dir[0]) {
        rc = rename_inbox(st, to, e);
        store_quota_renamed(st);
        return rc;
    }
    size_t n = strlen(from_dir);
    if (str_starts(str_c(to_dir), str_c(from_dir)) && (to_dir[n] == '.' || to_dir[n] == '\0'))
        return store_refuse(e, "Mailbox cannot be moved below itself");
    rc = plan_rename(st, from_dir, to_dir, a, &steps, e);
    if (rc == RC_OK)
        rc = index_result(st, rename_all(st, steps, e), e);
    store_quota_renamed(st);
    acl_list_forget(st);
    return rc;
}

static void status_of(const struct folder *f, struct store_status *ret)
{
    *ret = (struct store_status){.messages = f->messages,
                                 .unseen = f->unseen,
                                 .deleted = f->deleted,
                                 .uidnext = f->uidnext,
                                 .uidvalidity = f->uidvalidity,
                                 .highestmodseq = f->modseq,
                                 .size = f->size};
    folder_object_id(f, ret->id);
}

enum rc store_status(struct store *st, str name, struct store_status *ret, struct err *e)
{
    char dir[DIR_NAME_MAX + 1];
    struct folder f;
    int64_t recent = 0;
    if (name_to_dir(st, name, dir, e) != RC_OK)
        return store_gone(e);
    enum rc rc = index_check(st, e);
    if (rc == RC_OK)
        rc = folder_open(st, dir, &f, e);
    if (rc != RC_OK)
        return index_result(st, rc, e);
    rc = folder_need(st, f.fd, ACL_R, e);
    if (rc == RC_OK)
        rc = folder_merge(&f, MERGE_OPEN, e);
    if (rc == RC_OK)
        rc = folder_reload(&f, e);
    if (rc == RC_OK)
        rc = db_get_int(st->db, &recent, e,
                        "SELECT count(*) FROM file WHERE in_new = 1 AND key BETWEEN ?1 AND ?2",
                        DB_I(index_key(f.id, 0)), DB_I(index_key(f.id, UINT32_MAX)));
    if (rc == RC_OK) {
        status_of(&f, ret);
        ret->recent = (uint32_t)recent;
    }
    folder_close(&f);
    return index_result(st, rc, e);
}
