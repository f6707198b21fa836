/* uidlist_file: dovecot-uidlist as one of its writers. New messages are lines appended; the file is written
 * anew when it is missing, damaged, of an old version, or when most of its lines name messages that are gone.
 * A reader may see a line that a crash cut; it has no LF and is not taken (fmt/uidlist.h). */
#include "base/map.h"
#include "base/num.h"
#include "fmt/maildir_name.h"
#include "fmt/uidlist.h"
#include "os/file.h"
#include "store/store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define FILE_NAME "dovecot-uidlist"

enum { FILE_BYTES_MAX = 1 << 30, DEAD_RECORDS_MIN = 200 };

void uidlist_file_deinit(struct uidlist_file *u)
{
    buf_deinit(&u->text);
    free(u->v);
    u->by_base = map_free(u->by_base);
    *u = (struct uidlist_file){0};
}

const struct uidlist_entry *uidlist_file_find(const struct uidlist_file *u, str base)
{
    uintptr_t i = u->by_base ? (uintptr_t)map_find(u->by_base, base) : 0;
    return i ? &u->v[i - 1] : NULL;
}

static void add_entry(struct uidlist_file *u, size_t *cap, const struct uidlist_record *r)
{
    if (u->n == *cap) {
        *cap = *cap ? *cap * 2 : 256;
        u->v = reallocarray(u->v, *cap, sizeof *u->v);
        must(u->v);
    }
    u->v[u->n++] =
        (struct uidlist_entry){r->uid, r->base, r->fields, r->has_crlf_size ? (int64_t)r->crlf_size : -1};
    map_put(u->by_base, r->base, (void *)(uintptr_t)u->n);
}

/* All that the index says of the messages is void; keywords come from their file again. */
static enum rc number_anew(struct folder *f, uint32_t uidvalidity, struct err *e)
{
    enum rc rc = messages_forget(f->st, f->id, e);
    if (rc == RC_OK)
        rc = history_begin(f, e);
    if (rc != RC_OK)
        return rc;
    f->uidvalidity = uidvalidity;
    f->uidnext = 1;
    f->messages = f->unseen = f->deleted = 0;
    f->size = 0;
    f->dirty |= DIRTY_NEW | DIRTY_CUR;
    f->new_time_ns = f->cur_time_ns = 0;
    f->keyword_file = (struct file_stamp){0};
    return keywords_load(f, e);
}

/* The file's numbering may be another one than the index's. */
static enum rc adopt_header(struct folder *f, struct uidlist_file *u, const struct uidlist_header *h,
                            struct err *e)
{
    enum rc rc = h->uidvalidity == f->uidvalidity ? RC_OK : number_anew(f, h->uidvalidity, e);
    if (rc != RC_OK)
        return rc;
    if (h->uidnext > f->uidnext)
        f->uidnext = h->uidnext;
    if (h->guid.n != 32 || str_copy(f->guid, sizeof f->guid, h->guid) != RC_OK)
        u->rewrite = true;
    return RC_OK;
}

static enum rc parse(struct folder *f, struct uidlist_file *u, struct err *e)
{
    struct uidlist_header h;
    struct uidlist_record r;
    str text = buf_str(&u->text);
    size_t cap = 0;
    if (text.n == 0 || text.p[text.n - 1] != '\n')
        u->rewrite = true;
    if (uidlist_parse_header(&text, &h) != RC_OK) {
        u->rewrite = true;
        return RC_OK;
    }
    enum rc rc = adopt_header(f, u, &h, e);
    if (rc != RC_OK)
        return rc;
    u->rewrite |= h.version != 3;
    for (enum rc line; (line = uidlist_parse_record(&text, h.version, &r)) != RC_GONE;) {
        if (line != RC_OK || (u->n && r.uid <= u->v[u->n - 1].uid)) {
            u->rewrite =
                true; /* as Dovecot does: out of order, so a UID may come twice; its file gets a new one */
            continue;
        }
        add_entry(u, &cap, &r);
        if (r.uid >= f->uidnext)
            f->uidnext = r.uid + 1;
    }
    f->uidlist_records = (int64_t)u->n;
    return RC_OK;
}

enum rc uidlist_file_refresh(struct folder *f, struct uidlist_file *u, bool force, struct err *e)
{
    struct stat st;
    struct file_stamp stamp;
    *u = (struct uidlist_file){.text = BUF_INIT(FILE_BYTES_MAX)};
    AUTO(fd_closep) int fd = openat(f->fd, FILE_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno != ENOENT)
        return store_errno(e, "open", FILE_NAME);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        u->rewrite = true;
        return RC_OK;
    }
    uint32_t uidvalidity = f->uidvalidity;
    file_stamp_get(&st, &stamp);
    if (!force && file_stamp_equal(&stamp, &f->uidlist))
        return RC_OK;
    u->changed = true;
    u->by_base = map_new();
    if (fd_read_all(fd, &u->text) != RC_OK)
        return store_errno(e, "read", FILE_NAME);
    f->uidlist = stamp;
    enum rc rc = parse(f, u, e);
    if (f->uidvalidity != uidvalidity) /* the caller begins anew and needs the entries then */
        f->uidlist = (struct file_stamp){0};
    return rc;
}

static enum rc write_done(struct folder *f, int fd, struct err *e)
{
    struct stat st;
    if (fdatasync(fd) != 0 || fstat(fd, &st) != 0)
        return store_errno(e, "sync", FILE_NAME);
    file_stamp_get(&st, &f->uidlist);
    return RC_OK;
}

/* Puts the records of all messages with a UID of at least `first`. */
static enum rc format_rows(struct folder *f, uid32 first, struct buf *out, int64_t *ret_n, struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    int64_t n = 0;
    enum rc rc = db_query(f->st->db, &q, e, "SELECT key, fields, base FROM file WHERE key BETWEEN ?1 AND ?2",
                          DB_I(index_key(f->id, first)), DB_I(index_key(f->id, UINT32_MAX)));
    while (rc == RC_OK && (rc = db_step(q, e)) == RC_OK) {
        uidlist_format_record(out, (uid32)db_int(q, 0), db_text(q, 1), db_text(q, 2));
        n++;
    }
    if (rc != RC_GONE)
        return rc;
    *ret_n = n;
    return RC_OK;
}

static enum rc append(struct folder *f, str lines, struct err *e)
{
    AUTO(fd_closep) int fd = openat(f->fd, FILE_NAME, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return store_errno(e, "open", FILE_NAME);
    if (fd_write_all(fd, lines) != RC_OK) {
        enum rc rc = store_errno(e, "write", FILE_NAME);
        if (ftruncate(fd, f->uidlist.size) != 0) /* a half line has no LF: whoever writes next will see it */
            f->uidlist.ino = 0;
        return rc;
    }
    return write_done(f, fd, e);
}

static void format_guid(struct folder *f)
{
    if (!f->guid[0])
        snprintf(f->guid, sizeof f->guid, "%016llx%016llx", (unsigned long long)store_random(),
                 (unsigned long long)store_random());
}

static enum rc rewrite(struct folder *f, bool verified, struct err *e)
{
    static const char tmp[] = "tmp/" FILE_NAME;
    struct buf b = BUF_INIT(FILE_BYTES_MAX);
    /* a damaged index must not take the numbers with it */
    enum rc rc = verified ? RC_OK : messages_verify(f, e);
    if (rc != RC_OK)
        return rc;
    format_guid(f);
    uidlist_format_header(&b,
                          &(struct uidlist_header){3, f->uidvalidity, f->uidnext, str_c(f->guid), STR_NONE});
    rc = format_rows(f, 1, &b, &f->uidlist_records, e);
    if (rc == RC_OK) {
        unlinkat(f->fd, tmp, 0);
        AUTO(fd_closep)
        int fd = openat(f->fd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0 || fd_write_all(fd, buf_str(&b)) != RC_OK)
            rc = store_errno(e, "write", FILE_NAME);
        else
            rc = write_done(f, fd, e);
        if (rc == RC_OK && (renameat(f->fd, tmp, f->fd, FILE_NAME) != 0 || fsync(f->fd) != 0))
            rc = store_errno(e, "rename", FILE_NAME);
    }
    buf_deinit(&b);
    return rc;
}

enum rc uidlist_file_renumber(struct folder *f, struct err *e)
{
    uint32_t next = (uint32_t)clock_seconds();
    if (next <= f->uidvalidity && f->uidvalidity < UINT32_MAX)
        next = f->uidvalidity + 1;
    enum rc rc = number_anew(f, next, e);
    return rc == RC_OK ? rewrite(f, false, e) : rc;
}

enum rc uidlist_file_save(struct folder *f, struct uidlist_file *u, uid32 first, struct err *e)
{
    struct buf b = BUF_INIT(FILE_BYTES_MAX);
    int64_t n = 0, dead = f->uidlist_records - f->messages;
    enum rc rc = RC_OK;
    if (u->rewrite || (dead > DEAD_RECORDS_MIN && dead > f->messages)) {
        rc = rewrite(f, u->verified, e);
    } else {
        rc = format_rows(f, first, &b, &n, e);
        if (rc == RC_OK && b.n)
            rc = append(f, buf_str(&b), e);
        if (rc == RC_OK)
            f->uidlist_records += n;
    }
    buf_deinit(&b);
    return rc;
}
