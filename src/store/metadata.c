/* metadata: annotations of mailboxes (RFC 5464), in the file malle.metadata of a folder, and those of the
 * account in malle.metadata-server of the Maildir's root (fmt/metadata.h). They are not in the index, and so
 * outlive it; they go and move with the folder. Written whole, each under its dot-lock. */
#include "store/store_priv.h"

#include "fmt/metadata.h"
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct place {
    int fd;
    const char *file;
};

static void place_close(struct place *p)
{
    fd_closep(&p->fd);
}

static enum rc place_open(struct store *st, str mailbox, unsigned rights, struct place *ret, struct err *e)
{
    char dir[DIR_NAME_MAX + 1] = "";
    if (mailbox.n > 0 && name_to_dir(st, mailbox, dir, e) != RC_OK)
        return store_gone(e);
    int fd = openat(st->root_fd, dir[0] ? dir : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? store_gone(e) : store_errno(e, "open", dir);
    *ret = (struct place){fd, mailbox.n > 0 ? "malle.metadata" : "malle.metadata-server"};
    return mailbox.n > 0 || !st->conf.guest ? folder_need(st, fd, rights, e) : store_not_permitted(e);
}

/* What the owner keeps for himself (RFC 5464 §3.2). */
static bool is_private(const struct store *st, const struct metadata *m)
{
    return st->conf.guest && str_istarts(m->name, S("/private/"));
}

static enum rc read_text(const struct place *p, struct buf *out, struct err *e)
{
    AUTO(fd_closep) int fd = openat(p->fd, p->file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return RC_OK;
    if (fd < 0 || fd_read_all(fd, out) != RC_OK)
        return store_errno(e, "read", p->file);
    return RC_OK;
}

static enum rc damaged(const struct place *p, struct err *e)
{
    (void)err_set(e, RC_TEMP, 0, "4.2.0", "The annotations cannot be read");
    err_note(e, "%s is damaged; without that file there are no annotations", p->file);
    return RC_TEMP;
}

enum rc store_metadata(struct store *st, str mailbox, struct arena *a, struct metadata **ret, size_t *ret_n,
                       struct err *e)
{
    AUTO(place_close) struct place p = {.fd = -1};
    AUTO(buf_deinit) struct buf text = BUF_INIT(METADATA_FILE_MAX);
    struct metadata *v = arena_array(a, METADATA_ENTRIES_MAX, sizeof *v);
    size_t n = 0;
    enum rc rc = place_open(st, mailbox, ACL_R, &p, e);
    if (rc == RC_OK)
        rc = read_text(&p, &text, e);
    if (rc != RC_OK)
        return rc;
    str rest = arena_str(a, buf_str(&text));
    if (!v || arena_exhausted(a))
        return err_set(e, RC_LIMIT, 0, "5.2.0", "The annotations are too long");
    while (n < METADATA_ENTRIES_MAX && (rc = metadata_next(&rest, &v[n])) == RC_OK)
        n += !is_private(st, &v[n]);
    if (rc == RC_INVALID || rest.n > 0)
        return damaged(&p, e);
    *ret = v;
    *ret_n = n;
    return RC_OK;
}

static bool is_among(const struct metadata *v, size_t n, str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_ieq(v[i].name, name))
            return true;
    return false;
}

/* What stays, and then what is set: of one name that is set twice the last. RC_LIMIT: too many. */
static enum rc edit(const struct place *p, str old, const struct metadata *v, size_t n, struct buf *out,
                    struct err *e)
{
    struct metadata m;
    size_t count = 0;
    enum rc rc;
    while ((rc = metadata_next(&old, &m)) == RC_OK) {
        if (is_among(v, n, m.name))
            continue;
        metadata_put(out, &m);
        count++;
    }
    if (rc == RC_INVALID)
        return damaged(p, e);
    for (size_t i = 0; i < n; i++) {
        if (!v[i].value.p || is_among(v + i + 1, n - i - 1, v[i].name))
            continue;
        metadata_put(out, &v[i]);
        count++;
    }
    return count <= METADATA_ENTRIES_MAX && !out->overflow
               ? RC_OK
               : err_set(e, RC_LIMIT, 0, "5.2.0", "The mailbox has too many annotations");
}

static enum rc remove_file(const struct place *p, struct err *e)
{
    if ((unlinkat(p->fd, p->file, 0) != 0 && errno != ENOENT) || fsync(p->fd) != 0)
        return store_errno(e, "remove", p->file);
    return RC_OK;
}

enum rc store_set_metadata(struct store *st, str mailbox, const struct metadata *v, size_t n, struct err *e)
{
    AUTO(place_close) struct place p = {.fd = -1};
    AUTO(dotlock_drop) struct dotlock lock = DOTLOCK_INIT;
    AUTO(buf_deinit)
    struct buf old = BUF_INIT(METADATA_FILE_MAX), changed = BUF_INIT(2 * METADATA_FILE_MAX);
    enum rc rc = place_open(st, mailbox, ACL_W, &p, e);
    for (size_t i = 0; i < n && rc == RC_OK; i++)
        rc = is_private(st, &v[i]) ? store_not_permitted(e) : RC_OK;
    if (rc == RC_OK)
        rc = dotlock_take(&st->lock_file, p.fd, p.file, &lock, e);
    if (rc == RC_OK)
        rc = read_text(&p, &old, e);
    if (rc == RC_OK)
        rc = edit(&p, buf_str(&old), v, n, &changed, e);
    if (rc != RC_OK)
        return rc;
    return changed.n > 0 ? folder_file_replace(p.fd, p.file, buf_str(&changed), e) : remove_file(&p, e);
}

/* --- the special use, which is an annotation, too (RFC 6154 §4) --- */

static enum rc open_mailbox(struct store *st, str mailbox, struct folder *ret, struct err *e)
{
    char dir[DIR_NAME_MAX + 1];
    if (name_to_dir(st, mailbox, dir, e) != RC_OK)
        return store_gone(e);
    enum rc rc = index_check(st, e);
    return rc == RC_OK ? folder_open(st, dir, ret, e) : rc;
}

enum rc store_special_use(struct store *st, str mailbox, enum special_use *ret, struct err *e)
{
    struct folder f;
    enum rc rc = open_mailbox(st, mailbox, &f, e);
    if (rc != RC_OK)
        return index_result(st, rc, e);
    rc = folder_need(st, f.fd, ACL_R, e);
    if (rc == RC_OK)
        *ret = st->conf.guest ? USE_NONE : folder_use(st, f.dir);
    folder_close(&f);
    return rc;
}

enum rc store_set_special_use(struct store *st, str mailbox, enum special_use use, struct err *e)
{
    struct folder f;
    if (st->conf.guest)
        return store_not_permitted(e);
    enum rc rc = open_mailbox(st, mailbox, &f, e);
    if (rc != RC_OK)
        return index_result(st, rc, e);
    rc = folder_set_use(&f, use, e);
    folder_close(&f);
    return rc;
}
