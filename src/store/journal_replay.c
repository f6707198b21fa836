/* After a power failure: every message of a segment is looked for by its base in new/ and cur/, and what is
 * missing, short or different is written again. Maildirs that are gone are not made again. Nobody else works
 * in the Maildirs meanwhile: mailbox starts no session before. */
#include "base/log.h"
#include "base/map.h"
#include "fmt/maildir_name.h"
#include "os/file.h"
#include "store/delivery.h"
#include "store/journal_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct lost { /* one record, and whether its file was found */
    struct journal_record r;
    bool whole;
    char name[MAILDIR_NAME_MAX +
              8]; /* where it belongs or was found, below the Maildir: "new/..." or "cur/..." */
};

static enum rc fail(struct err *e, const struct lost *l, const char *what)
{
    return err_set(e, RC_TEMP, 0, "", STR_FMT "/%s: %s: %s", STR_ARG(l->r.path), l->name, what,
                   strerror(errno));
}

static bool same_content(int fd, str want)
{
    char chunk[16384];
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != want.n)
        return false;
    for (off_t at = 0; want.n;) {
        ssize_t n = pread(fd, chunk, sizeof chunk, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || (size_t)n > want.n || memcmp(chunk, want.p, (size_t)n) != 0)
            return false;
        at += n;
        want = str_from(want, (size_t)n);
    }
    return true;
}

static bool is_whole(int root, const struct lost *l)
{
    AUTO(fd_closep) int fd = openat(root, l->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    return fd >= 0 && same_content(fd, l->r.content);
}

/* Messages that a session has claimed and flagged: one look at cur/ for all that are not whole in new/. */
static void look_in_cur(int root, struct lost *v, size_t n)
{
    struct map *wanted = map_new();
    for (size_t i = 0; i < n; i++)
        if (!v[i].whole)
            map_put(wanted, v[i].r.base, &v[i]);
    int fd = openat(root, "cur", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 && map_count(wanted) > 0 ? fdopendir(fd) : NULL;
    if (!dir)
        fd_closep(&fd);
    for (struct dirent *d; dir && (d = readdir(dir));) {
        str name = str_c(d->d_name), base = str_take(&name, ':');
        struct lost *l = map_find(wanted, base);
        if (!l)
            continue;
        snprintf(l->name, sizeof l->name, "cur/%s", d->d_name);
        l->whole = is_whole(root, l);
    }
    if (dir)
        closedir(dir);
    map_free(wanted);
}

static bool write_durably(int fd, const struct lost *l)
{
    struct timespec t = {.tv_sec = l->r.time / 1000000, .tv_nsec = l->r.time % 1000000 * 1000};
    return fd_write_all(fd, l->r.content) == RC_OK && futimens(fd, (struct timespec[]){t, t}) == 0 &&
           fsync(fd) == 0;
}

/* In place of what is there, in new/ or, with the flags that it has got, in cur/. */
static enum rc restore(int root, const struct lost *l, struct err *e)
{
    char tmp[MAILDIR_NAME_MAX + 8];
    snprintf(tmp, sizeof tmp, "tmp/" STR_FMT, STR_ARG(l->r.base));
    if (unlinkat(root, tmp, 0) != 0 && errno != ENOENT)
        return fail(e, l, "unlink");
    AUTO(fd_closep) int fd = openat(root, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || !write_durably(fd, l) || renameat(root, tmp, root, l->name) != 0)
        return fail(e, l, "write");
    log_info(STR_FMT "/%s: written again", STR_ARG(l->r.path), l->name);
    return RC_OK;
}

static bool sync_folder(int root, const char *name)
{
    AUTO(fd_closep) int fd = openat(root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0;
}

/* All records of one Maildir. */
static enum rc replay_maildir(const char *prefix, struct lost *v, size_t n, unsigned *restored, struct err *e)
{
    AUTO(fd_closep) int root = -1;
    struct buf path AUTO(buf_deinit) = BUF_INIT(2 * JOURNAL_PATH_MAX + 2);
    struct err gone = {0};
    buf_printf(&path, "%s/" STR_FMT, strcmp(prefix, "/") == 0 ? "" : prefix, STR_ARG(v->r.path));
    if (delivery_open_maildir(AT_FDCWD, buf_str(&path), false, &root, &gone) != RC_OK) {
        if (gone.rc != RC_GONE)
            return err_set(e, RC_TEMP, 0, "", "%s: %s", buf_cstr(&path), err_text(&gone));
        log_warn("%s: %zu messages of the journal have no Maildir any more", buf_cstr(&path), n);
        return RC_OK;
    }
    for (size_t i = 0; i < n; i++) {
        snprintf(v[i].name, sizeof v[i].name, "new/" STR_FMT, STR_ARG(v[i].r.base));
        v[i].whole = is_whole(root, &v[i]);
    }
    look_in_cur(root, v, n);
    unsigned written = 0;
    for (size_t i = 0; i < n; i++) {
        if (v[i].whole)
            continue;
        if (restore(root, &v[i], e) != RC_OK)
            return RC_TEMP;
        written++;
    }
    *restored += written;
    return written == 0 || (sync_folder(root, "new") && sync_folder(root, "cur")) ? RC_OK
                                                                                  : fail(e, v, "sync");
}

static int by_path(const void *a, const void *b)
{
    const struct lost *x = a, *y = b;
    return str_cmp(x->r.path, y->r.path);
}

struct records {
    struct lost *v;
    size_t n, cap;
    struct map *revoked; /* "path/base" -> anything */
};

static const char *full_name(struct buf *b, const struct journal_record *r)
{
    buf_reset(b);
    buf_printf(b, STR_FMT "/" STR_FMT, STR_ARG(r->path), STR_ARG(r->base));
    return buf_cstr(b);
}

static void collect(struct records *all, str segment)
{
    struct buf name AUTO(buf_deinit) = BUF_INIT(JOURNAL_PATH_MAX + JOURNAL_BASE_MAX + 2);
    struct journal_walk w;
    struct journal_record r;
    if (journal_walk_begin(&w, segment) != RC_OK)
        return;
    while (journal_walk_next(&w, &r) == RC_OK) {
        if (r.is_void) {
            map_put(all->revoked, str_c(full_name(&name, &r)), all);
            continue;
        }
        if (all->n == all->cap) {
            all->cap = all->cap ? 2 * all->cap : 64;
            all->v = realloc(all->v, all->cap * sizeof *all->v);
            must(all->v);
        }
        all->v[all->n++] = (struct lost){.r = r};
    }
}

static void drop_revoked(struct records *all)
{
    struct buf name AUTO(buf_deinit) = BUF_INIT(JOURNAL_PATH_MAX + JOURNAL_BASE_MAX + 2);
    size_t kept = 0;
    for (size_t i = 0; i < all->n; i++)
        if (!map_find(all->revoked, str_c(full_name(&name, &all->v[i].r))))
            all->v[kept++] = all->v[i];
    all->n = kept;
}

enum rc journal_replay(const char *root, const str segments[JOURNAL_SEGMENTS], unsigned *ret_restored,
                       struct err *e)
{
    struct records all = {.revoked = map_new()};
    enum rc rc = RC_OK;
    for (unsigned i = 0; i < JOURNAL_SEGMENTS; i++)
        collect(&all, segments[i]);
    if (map_count(all.revoked) > 0)
        drop_revoked(&all);
    if (all.n > 0)
        qsort(all.v, all.n, sizeof *all.v, by_path);
    for (size_t i = 0, end; i < all.n;
         i = end) { /* one that fails does not keep the others from their mail */
        for (end = i + 1; end < all.n && str_eq(all.v[end].r.path, all.v[i].r.path);)
            end++;
        if (replay_maildir(root, all.v + i, end - i, ret_restored, e) != RC_OK)
            rc = RC_TEMP;
    }
    map_free(all.revoked);
    free(all.v);
    return rc;
}
