/* copy: COPY and MOVE inside one account (RFC 9051 §6.4.7, §6.4.8): hard links in the destination's cur/, all
 * or none, under its lock, so that no other session numbers half of them. Where links are impossible the
 * bytes are copied. */
#include "fmt/maildir_name.h"
#include "os/file.h"
#include "store/store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { PATH_BYTES = 600, COPY_MAX = 1000000, ARENA_BYTES = 1 << 30 };

struct copy {
    struct box *b;
    struct folder dest;
    struct arena *a;
    struct newcomer *v;
    uid32 *from;    /* UIDs of the originals, as v */
    str *path;      /* where the index knows their files */
    size_t n, made; /* rows; files that exist in the destination */
    uint64_t source_keywords;
};

/* Rows of the originals, in the order of their UIDs. */
static enum rc collect_range(struct copy *c, struct uidrange r, struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    struct folder *f = &c->b->f;
    enum rc rc = db_query(f->st->db, &q, e,
                          "SELECT key, flags, keywords, internal_date, size, base, fields, in_new, info"
                          " FROM message JOIN file USING (key)"
                          " WHERE key BETWEEN ?1 AND ?2 ORDER BY key",
                          DB_I(index_key(f->id, r.first)), DB_I(index_key(f->id, r.last)));
    while (rc == RC_OK && (rc = db_step(q, e)) == RC_OK) {
        str id = object_id(c->a, db_text(q, 5), db_text(q, 6));
        AUTO(buf_deinit) struct buf path = BUF_INIT(PATH_BYTES);
        file_path(&path, db_int(q, 7) != 0, db_text(q, 5), db_text(q, 8));
        c->from[c->n] = (uid32)db_int(q, 0);
        c->path[c->n] = arena_str(c->a, buf_str(&path));
        c->v[c->n++] = (struct newcomer){.flags = (unsigned)db_int(q, 1),
                                         .keywords = (uint64_t)db_int(q, 2),
                                         .internal_date = db_int(q, 3),
                                         .save_date = clock_seconds(),
                                         .fields = arena_printf(c->a, "G" STR_FMT, STR_ARG(id)),
                                         .size = db_int(q, 4)};
        c->source_keywords |= (uint64_t)db_int(q, 2);
    }
    return rc == RC_GONE ? RC_OK : rc;
}

static enum rc collect(struct copy *c, const struct uidset *uids, struct err *e)
{
    enum rc rc = RC_OK;
    uint32_t count = uidset_count(uids);
    if (count > COPY_MAX)
        return err_set(e, RC_LIMIT, 0, "5.2.0", "Too many messages in one command");
    c->v = arena_array(c->a, count + 1u, sizeof *c->v);
    c->from = arena_array(c->a, count + 1u, sizeof *c->from);
    c->path = arena_array(c->a, count + 1u, sizeof *c->path);
    must(c->v && c->from && c->path);
    for (size_t i = 0; i < uids->n && rc == RC_OK; i++)
        rc = collect_range(c, uids->r[i], e);
    if (rc == RC_OK && c->source_keywords) /* another session may have made some since the last sync */
        rc = keywords_load(&c->b->f, e);
    return rc;
}

/* Keywords have other bits in the destination; those it has no room for are left out. */
static enum rc translate_keywords(struct copy *c, struct err *e)
{
    uint64_t to[KEYWORD_BITS] = {0};
    bool missing;
    enum rc rc = RC_OK;
    for (int i = 0; i < KEYWORD_BITS && rc == RC_OK; i++) {
        str name = str_c(c->b->f.keyword[i]);
        if (c->source_keywords >> i & 1 && name.n)
            rc = keywords_bits(&c->dest, &name, 1, true, &to[i], &missing, e);
    }
    for (size_t k = 0; k < c->n; k++) {
        uint64_t bits = 0;
        for (int i = 0; c->source_keywords && i < KEYWORD_BITS; i++)
            if (c->v[k].keywords >> i & 1)
                bits |= to[i];
        c->v[k].keywords = bits;
    }
    return rc;
}

static enum rc copy_bytes(struct copy *c, const char *from, const char *to, int64_t date, struct err *e)
{
    char chunk[65536];
    ssize_t n = -1;
    AUTO(fd_closep) int in = openat(c->b->f.fd, from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    AUTO(fd_closep)
    int out = openat(c->dest.fd, to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (in < 0 || out < 0)
        return store_errno(e, "copy", from);
    enum rc rc = RC_OK;
    while (rc == RC_OK && (n = read(in, chunk, sizeof chunk)) > 0)
        rc = fd_write_all(out, str_mem(chunk, (size_t)n));
    struct timespec t[2] = {{.tv_sec = date}, {.tv_sec = date}};
    if (rc != RC_OK || n < 0 || futimens(out, t) != 0 || fsync(out) != 0) {
        rc = store_errno(e, "copy", from);
        unlinkat(c->dest.fd, to, 0);
    }
    return rc;
}

static void name_copy(struct copy *c, struct newcomer *m, uint64_t disk_size, struct buf *base,
                      struct buf *info)
{
    buf_reset(base);
    buf_reset(info);
    if (m->size >= 0)
        file_new_base(c->dest.st, base, disk_size, (uint64_t)m->size);
    else
        maildir_base_format(base, &(struct maildir_unique){.now = clock_wall(),
                                                           .id = store_random(),
                                                           .host = c->dest.st->conf.hostname,
                                                           .size = disk_size,
                                                           .crlf_size = disk_size});
    if (m->size < 0) /* W= is not known yet: leave it out */
        buf_truncate(base, (size_t)str_rchr(buf_str(base), ','));
    maildir_info_format(info, STR_NONE, m->flags, (uint32_t)(m->keywords & ((1u << MAILDIR_KEYWORDS) - 1)));
    m->base = arena_str(c->a, buf_str(base));
    m->info = arena_str(c->a, buf_str(info));
}

/* RC_GONE: there is no file at this path. */
static enum rc link_path(struct copy *c, struct newcomer *m, str path, struct err *e)
{
    AUTO(buf_deinit)
    struct buf from = BUF_INIT(PATH_BYTES), to = BUF_INIT(PATH_BYTES), base = BUF_INIT(PATH_BYTES),
               info = BUF_INIT(PATH_BYTES);
    uint64_t disk_size;
    if (!folder_file_size(&c->b->f, path, &disk_size))
        return RC_GONE;
    buf_puts(&from, path);
    name_copy(c, m, disk_size, &base, &info);
    file_path(&to, false, m->base, m->info);
    if (linkat(c->b->f.fd, buf_cstr(&from), c->dest.fd, buf_cstr(&to), 0) == 0)
        return RC_OK;
    if (errno == ENOENT)
        return RC_GONE;
    return errno == EMLINK || errno == EXDEV || errno == EPERM || errno == EOPNOTSUPP
               ? copy_bytes(c, buf_cstr(&from), buf_cstr(&to), m->internal_date, e)
               : store_errno(e, "link", buf_cstr(&to));
}

static enum rc link_one(struct copy *c, size_t i, struct err *e)
{
    enum rc rc = link_path(c, &c->v[i], c->path[i], e);
    if (rc == RC_GONE) { /* or another program gave it another name */
        AUTO(buf_deinit) struct buf path = BUF_INIT(PATH_BYTES);
        rc = file_locate(&c->b->f, c->from[i], &path, e);
        if (rc == RC_OK)
            rc = link_path(c, &c->v[i], buf_str(&path), e);
    }
    if (rc == RC_GONE)
        return err_set(e, RC_TEMP, 0, "4.2.0", "Some messages are no longer there");
    if (rc == RC_OK)
        c->made = i + 1;
    return rc;
}

static void unlink_made(struct copy *c)
{
    for (size_t i = 0; i < c->made; i++) {
        struct buf path = BUF_INIT(PATH_BYTES);
        file_path(&path, false, c->v[i].base, c->v[i].info);
        unlinkat(c->dest.fd, buf_cstr(&path), 0);
        buf_deinit(&path);
    }
}

static enum rc copy_all(struct copy *c, struct err *e)
{
    const struct store *st = c->b->f.st;
    struct arrival a;
    enum rc rc = arrival_begin(&c->dest, &a, e);
    if (rc != RC_OK)
        return rc;
    rc = translate_keywords(c, e);
    for (size_t i = 0; i < c->n && rc == RC_OK; i++) {
        if (st->tell_progress)
            st->tell_progress(st->progress_ctx, (uint32_t)i, (uint32_t)c->n);
        rc = link_one(c, i, e);
    }
    rc = arrival_end(&c->dest, &a, rc, c->v, c->n, e);
    if (rc != RC_OK)
        unlink_made(c);
    return rc;
}

/* What is moved was counted before, unless it comes from where nothing counts; it leaves the count when the
 * originals do. */
static enum rc copy_counted(struct copy *c, const struct uidset *uids, bool move, struct err *e)
{
    struct folder_load load = {.way = QUOTA_SAVED};
    struct quota_taken taken = {.fd = -1};
    bool counted = c->n && folder_is_counted(&c->dest);
    enum rc rc = counted ? folder_use_of(&c->b->f, uids, &load.use, e) : RC_OK;
    if (move && folder_is_counted(&c->b->f))
        load.way = QUOTA_MOVED;
    if (rc == RC_OK && counted)
        rc = folder_take(&c->dest, &load, &taken, e);
    if (rc != RC_OK || c->n == 0)
        return rc;
    rc = copy_all(c, e);
    folder_taken_end(&c->dest, &taken, rc == RC_OK);
    return rc;
}

static void tell_result(const struct copy *c, struct box_copied *ret)
{
    *ret = (struct box_copied){.uidvalidity = c->n ? c->dest.uidvalidity : 0};
    for (size_t i = 0; i < c->n; i++) {
        uidset_add(&ret->from, c->from[i], c->from[i]);
        uidset_add(&ret->to, c->v[i].uid, c->v[i].uid);
    }
}

static enum rc open_dest(struct copy *c, str dest, struct err *e)
{
    char dir[DIR_NAME_MAX + 1];
    if (name_to_dir(c->b->f.st, dest, dir, e) != RC_OK)
        return store_gone(e);
    enum rc rc = folder_open(c->b->f.st, dir, &c->dest, e);
    if (rc != RC_OK)
        return rc;
    rc = folder_need(c->b->f.st, c->dest.fd, ACL_I, e);
    if (rc != RC_OK)
        folder_close(&c->dest);
    return rc;
}

/* Of flags that a guest may not set none comes along (RFC 4314 §4). */
static void limit_flags(struct copy *c)
{
    unsigned rights = folder_rights(c->dest.st, c->dest.fd);
    for (size_t i = 0; i < c->n; i++) {
        c->v[i].flags &= store_flags_of(rights);
        if (!(rights & ACL_W))
            c->v[i].keywords = 0;
    }
    if (!(rights & ACL_W))
        c->source_keywords = 0;
}

enum rc box_copy(struct box *b, const struct uidset *uids, str dest, bool move, struct box_copied *ret,
                 struct err *e)
{
    struct copy c = {.b = b, .a = arena_new(ARENA_BYTES)};
    struct uidset mine = {0};
    struct box_copied result = {0};
    uidset_copy(&mine, uids);
    uidset_intersect(&mine, &b->view);
    enum rc rc = move && b->read_only ? store_refuse(e, "Mailbox is read-only") : index_check(b->f.st, e);
    if (rc == RC_OK)
        rc = folder_need(b->f.st, b->f.fd, move ? ACL_R | ACL_T | ACL_E : ACL_R, e);
    if (rc == RC_OK)
        rc = open_dest(&c, dest, e);
    if (rc == RC_OK) {
        rc = collect(&c, &mine, e);
        limit_flags(&c);
        if (rc == RC_OK)
            rc = copy_counted(&c, &mine, move, e);
        if (rc == RC_OK)
            tell_result(&c, &result);
        folder_close(&c.dest);
    }
    if (rc == RC_OK && move && c.n)
        rc = box_remove(b, &result.from, true, false, e);
    if (rc == RC_OK) {
        *ret = result;
    } else {
        uidset_deinit(&result.from);
        uidset_deinit(&result.to);
    }
    uidset_deinit(&mine);
    arena_free(c.a);
    return index_result(b->f.st, rc, e);
}
