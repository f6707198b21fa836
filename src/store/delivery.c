/* delivery: tmp/, fsync, rename to new/, fsync; or with a journal tmp/, rename, record; see the header. */
#include "store/delivery.h"

#include "os/file.h"
#include "store/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 32768, PATH_PARTS_MAX = 64 };

enum delivery_state { PREPARED, COMMITTED, OVER };

struct delivery {
    int root_fd;
    enum delivery_state state;
    char tmp[MAILDIR_NAME_MAX + 8]; /* "tmp/" and the name, below root_fd */
    char new[MAILDIR_NAME_MAX + 8];
    struct buf record; /* with a journal */
};

static enum rc fail(struct err *e, const char *what, str path)
{
    int code = errno;
    bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
    (void)err_set(e, full ? RC_LIMIT : RC_TEMP, full ? 452 : 451, full ? "4.2.2" : "4.3.0", "%s",
                  full ? "Mailbox is full" : "Mailbox is temporarily unavailable");
    err_note(e, "maildir: %s " STR_FMT ": %s", what, STR_ARG(path), strerror(code));
    return full ? RC_LIMIT : RC_TEMP;
}

static enum rc refuse(struct err *e, str path, const char *why)
{
    (void)err_set(e, RC_TEMP, 451, "4.3.5", "Mailbox is misconfigured");
    err_note(e, "maildir: " STR_FMT ": %s", STR_ARG(path), why);
    return RC_TEMP;
}

/* Opens the folder `name` in `dir`, made when missing and create is set. */
static enum rc open_part(int dir, const char *name, bool create, int *ret, struct err *e)
{
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(dir, name, flags);
    if (fd < 0 && errno == ENOENT && create) {
        if (file_make_dir_at(dir, name, 0700) != RC_OK)
            return fail(e, "mkdir", str_c(name));
        fd = openat(dir, name, flags);
    }
    if (fd >= 0) {
        *ret = fd;
        return RC_OK;
    }
    if (errno == ELOOP || errno == ENOTDIR)
        return refuse(e, str_c(name), "not a folder");
    if (errno == ENOENT && !create)
        return err_set(e, RC_GONE, 451, "4.3.5", "Mailbox does not exist");
    return fail(e, "open", str_c(name));
}

/* Walks the parts of path one by one from dir. An absolute path is the configuration's, so links in all but
 * its last part are followed by the kernel. */
static enum rc walk(int dir, str path, bool create, int *ret, struct err *e)
{
    char name[MAILDIR_NAME_MAX + 1], parent[4096];
    AUTO(fd_closep) int at = -1;
    while (path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    ptrdiff_t slash = path.n && path.p[0] == '/' ? str_rchr(path, '/') : -1;
    if (slash >= 0 && str_copy(parent, sizeof parent, str_sub(path, 0, slash ? (size_t)slash : 1)) == RC_OK) {
        if (create && file_make_dirs(parent, 0700) != RC_OK)
            return fail(e, "mkdir", path);
        at = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (at < 0)
            return errno == ENOENT ? err_set(e, RC_GONE, 451, "4.3.5", "Mailbox does not exist")
                                   : fail(e, "open", path);
        path = str_from(path, (size_t)slash + 1);
    }
    for (int parts = 0; path.n; parts++) {
        str part = str_take(&path, '/');
        int next = -1;
        if (part.n == 0 || str_eq(part, S(".")))
            continue;
        if (str_eq(part, S("..")) || parts >= PATH_PARTS_MAX || str_copy(name, sizeof name, part) != RC_OK)
            return refuse(e, part, "not allowed in a mail location");
        enum rc rc = open_part(at >= 0 ? at : dir, name, create, &next, e);
        if (rc != RC_OK)
            return rc;
        fd_closep(&at);
        at = next;
    }
    if (at < 0)
        at = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (at < 0)
        return fail(e, "open", path);
    *ret = at;
    at = -1;
    return RC_OK;
}

enum rc delivery_open_maildir(int home_fd, str path, bool create, int *ret_fd, struct err *e)
{
    static const char *const folders[] = {"cur", "new", "tmp"};
    AUTO(fd_closep) int fd = -1;
    struct stat st;
    enum rc rc = walk(home_fd, path, create, &fd, e);
    if (rc != RC_OK)
        return rc;
    if (fstat(fd, &st) != 0)
        return fail(e, "stat", path);
    if (st.st_uid != geteuid())
        return refuse(e, path, "owned by somebody else");
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        AUTO(fd_closep) int sub = -1;
        rc = open_part(fd, folders[i], create, &sub, e);
        if (rc != RC_OK)
            return rc;
    }
    *ret_fd = fd;
    fd = -1;
    return RC_OK;
}

/* Bytes on their way into the file: small messages leave in one write. */
struct writer {
    int fd;
    size_t n;
    char chunk[CHUNK];
};

static enum rc flush(struct writer *w)
{
    enum rc rc = fd_write_all(w->fd, str_mem(w->chunk, w->n));
    w->n = 0;
    return rc;
}

static enum rc put(struct writer *w, str bytes)
{
    enum rc rc = RC_OK;
    while (bytes.n && rc == RC_OK) {
        size_t room = sizeof w->chunk - w->n, n = bytes.n < room ? bytes.n : room;
        memcpy(w->chunk + w->n, bytes.p, n);
        w->n += n;
        bytes = str_from(bytes, n);
        if (w->n == sizeof w->chunk)
            rc = flush(w);
    }
    return rc;
}

static enum rc put_file(struct writer *w, int fd, uint64_t size)
{
    enum rc rc = RC_OK;
    for (uint64_t at = 0; at < size && rc == RC_OK;) {
        size_t room = sizeof w->chunk - w->n, want = size - at < room ? (size_t)(size - at) : room;
        ssize_t n = pread(fd, w->chunk + w->n, want, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            if (n == 0)
                errno = EIO; /* shorter than announced */
            return RC_TEMP;
        }
        w->n += (size_t)n;
        at += (uint64_t)n;
        if (w->n == sizeof w->chunk)
            rc = flush(w);
    }
    return rc;
}

static enum rc write_message(int fd, const struct delivery_message *m)
{
    struct writer w;
    w.fd = fd;
    w.n = 0;
    enum rc rc = RC_OK;
    for (size_t i = 0; i < m->n_head && rc == RC_OK; i++)
        rc = put(&w, m->head[i]);
    if (rc == RC_OK)
        rc = m->content_fd < 0 ? put(&w, m->content) : put_file(&w, m->content_fd, m->content_size);
    if (rc == RC_OK)
        rc = flush(&w);
    return rc;
}

static void count_sizes(const struct delivery_message *m, struct maildir_unique *u)
{
    u->size = delivery_size(m);
    u->crlf_size = m->content_size + m->content_lines;
    for (size_t i = 0; i < m->n_head; i++) {
        u->crlf_size += m->head[i].n;
        for (str rest = m->head[i]; str_chr(rest, '\n') >= 0; (void)str_take(&rest, '\n'))
            u->crlf_size++;
    }
}

/* A rename from tmp/ to new/ must not be what fails: other recipients may be committed by then. */
static enum rc check_new(int root_fd, int tmp_file, struct err *e)
{
    struct stat file, tmp, dir; /* an overlay's files have another device than its folders */
    if (fstat(tmp_file, &file) != 0 || fstatat(root_fd, "tmp", &tmp, AT_SYMLINK_NOFOLLOW) != 0 ||
        fstatat(root_fd, "new", &dir, AT_SYMLINK_NOFOLLOW) != 0)
        return fail(e, "stat", S("new"));
    if (!S_ISDIR(dir.st_mode))
        return refuse(e, S("new"), "not a folder");
    if (dir.st_uid != file.st_uid)
        return refuse(e, S("new"), "owned by somebody else");
    if (dir.st_dev != tmp.st_dev)
        return refuse(e, S("new"), "on another file system than tmp");
    if (faccessat(root_fd, "new", W_OK | X_OK, AT_EACCESS) != 0)
        return refuse(e, S("new"), strerror(errno));
    return RC_OK;
}

/* --- looking for one that was delivered before --- */

/* RC_GONE: it has none. RC_TEMP: it cannot be read, or the name that is there cannot be made durable. */
static enum rc folder_find(int root_fd, const char *folder, str part)
{
    int fd = openat(root_fd, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    enum rc rc = RC_GONE;
    if (!d) {
        rc = errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? RC_GONE : RC_TEMP;
        fd_closep(&fd);
        return rc;
    }
    errno = 0;
    for (struct dirent *e; rc == RC_GONE && (e = readdir(d));)
        rc = str_find(str_c(e->d_name), part) >= 0 ? RC_OK : RC_GONE;
    if (rc == RC_GONE && errno != 0)
        rc = RC_TEMP;
    if (rc == RC_OK && fsync(dirfd(d)) != 0) /* whoever renamed it may have died before that */
        rc = RC_TEMP;
    closedir(d);
    return rc;
}

enum rc delivery_find(int root_fd, uint64_t id, unsigned number, struct err *e)
{
    char part[64];
    snprintf(part, sizeof part, "R%016llxN%u.", (unsigned long long)id, number);
    enum rc rc = folder_find(root_fd, "new", str_c(part));
    if (rc == RC_GONE)
        rc = folder_find(root_fd, "cur", str_c(part));
    return rc == RC_TEMP ? fail(e, "look for", str_c(part)) : rc;
}

static struct delivery *delivery_new(int root_fd, const struct delivery_message *m)
{
    struct maildir_unique u = m->name;
    AUTO(buf_deinit) struct buf base = BUF_INIT(MAILDIR_NAME_MAX);
    struct delivery *d = calloc(1, sizeof *d);
    must(d);
    count_sizes(m, &u);
    maildir_base_format(&base, &u);
    must(!base.overflow);
    d->root_fd = root_fd;
    buf_init(&d->record, m->journal ? JOURNAL_RECORD_MAX : 0);
    if (m->journal)
        journal_record_begin(&d->record, u.now, m->path, buf_str(&base));
    snprintf(d->tmp, sizeof d->tmp, "tmp/%s", buf_cstr(&base));
    snprintf(d->new, sizeof d->new, "new/%s", buf_cstr(&base));
    return d;
}

static enum rc write_synced(struct delivery *d, int fd, const struct delivery_message *m, struct err *e)
{
    enum rc rc = check_new(d->root_fd, fd, e);
    if (rc == RC_OK && (write_message(fd, m) != RC_OK || fdatasync(fd) != 0))
        rc = fail(e, "write", str_c(d->tmp));
    return rc;
}

static enum rc write_journaled(struct delivery *d, int fd, const struct delivery_message *m, struct err *e)
{
    size_t size = m->content.n;
    for (size_t i = 0; i < m->n_head; i++)
        size += m->head[i].n;
    (void)buf_room(&d->record, size + JOURNAL_RECORD_PAD);
    for (size_t i = 0; i < m->n_head; i++)
        buf_puts(&d->record, m->head[i]);
    buf_puts(&d->record, m->content);
    journal_record_end(&d->record, journal_key(m->journal));
    must(!d->record.overflow);
    return fd_write_all(fd, journal_record_content(buf_str(&d->record))) == RC_OK
               ? RC_OK
               : fail(e, "write", str_c(d->tmp));
}

enum rc delivery_prepare(int root_fd, const struct delivery_message *m, struct delivery **ret, struct err *e)
{
    struct delivery *d = delivery_new(root_fd, m);
    AUTO(fd_closep)
    int fd = openat(root_fd, d->tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    enum rc rc = fd < 0 ? fail(e, "create", str_c(d->tmp)) : RC_OK;
    d->state = fd < 0 ? OVER : PREPARED;
    if (rc == RC_OK)
        rc = m->journal ? write_journaled(d, fd, m, e) : write_synced(d, fd, m, e);
    if (rc != RC_OK) {
        delivery_free(&d);
        return rc;
    }
    *ret = d;
    return RC_OK;
}

/* Never onto a file that is there. File systems without RENAME_NOREPLACE (NFS and others) can link. */
static int move(struct delivery *d)
{
    if (renameat2(d->root_fd, d->tmp, d->root_fd, d->new, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (linkat(d->root_fd, d->tmp, d->root_fd, d->new, 0) != 0)
        return -1;
    unlinkat(d->root_fd, d->tmp, 0); /* where it stays, it is removed after 36 hours: new/ has the message */
    return 0;
}

enum rc delivery_commit(struct delivery *d, struct err *e)
{
    must(d->state == PREPARED);
    bool journaled = d->record.n > 0;
    AUTO(fd_closep)
    int dir = journaled ? -1 : openat(d->root_fd, "new", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if ((dir < 0 && !journaled) || move(d) != 0) {
        enum rc rc = fail(e, "rename to", str_c(d->new));
        unlinkat(d->root_fd, d->tmp, 0);
        d->state = OVER;
        return rc;
    }
    d->state = COMMITTED;
    if (!journaled && fsync(dir) != 0) {
        enum rc rc = fail(e, "fsync folder of", str_c(d->new));
        unlinkat(d->root_fd, d->new, 0); /* the sender will come again */
        d->state = OVER;
        return rc;
    }
    return RC_OK;
}

enum rc delivery_write(int root_fd, const struct delivery_message *m, struct err *e)
{
    struct delivery *d = NULL;
    must(!m->journal);
    enum rc rc = delivery_prepare(root_fd, m, &d, e);
    if (rc == RC_OK)
        rc = delivery_commit(d, e);
    delivery_free(&d);
    return rc;
}

bool delivery_is_committed(const struct delivery *d)
{
    return d->state == COMMITTED;
}

uint64_t delivery_size(const struct delivery_message *m)
{
    uint64_t size = m->content_size;
    for (size_t i = 0; i < m->n_head; i++)
        size += m->head[i].n;
    return size;
}

struct buf *delivery_record(struct delivery *d)
{
    return d->record.n > 0 ? &d->record : NULL;
}

void delivery_undo(struct delivery *d)
{
    if (d->state != COMMITTED)
        return;
    d->state = OVER;
    AUTO(fd_closep) int dir = openat(d->root_fd, "new", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (unlinkat(d->root_fd, d->new, 0) == 0 && dir >= 0)
        (void)!fsync(dir); /* undone or not, the sender comes again: at worst there are two copies */
}

void delivery_free(struct delivery **dp)
{
    struct delivery *d = *dp;
    if (d && d->state == PREPARED)
        unlinkat(d->root_fd, d->tmp, 0);
    if (d)
        buf_deinit(&d->record);
    free(d);
    *dp = NULL;
}
