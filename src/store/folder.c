/* folder: a Maildir folder's descriptors and its row in the index; transactions read the row first and save
 * it last. */
#include "store/store_priv.h"

#include "fmt/uidlist.h"
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static const char row_select[] =
    "SELECT id, uidvalidity, uidnext, modseq, messages, unseen, deleted, size,"
    " new_time, cur_time, dirty, uidlist_ino, uidlist_size, uidlist_time, uidlist_records,"
    " keyword_ino, keyword_size, keyword_time, guid FROM mailbox WHERE dir = ?1";

static const char row_update[] =
    "UPDATE mailbox SET uidvalidity=?2, uidnext=?3, modseq=?4, messages=?5, unseen=?6,"
    " deleted=?7, size=?8, new_time=?9, cur_time=?10, dirty=?11,"
    " uidlist_ino=?12, uidlist_size=?13, uidlist_time=?14, uidlist_records=?15,"
    " keyword_ino=?16, keyword_size=?17, keyword_time=?18, guid=?19 WHERE id=?1";

void file_stamp_get(const struct stat *st, struct file_stamp *ret)
{
    *ret = (struct file_stamp){(int64_t)st->st_ino, st->st_size,
                               st->st_mtim.tv_sec * 1000000000LL + st->st_mtim.tv_nsec};
}

bool file_stamp_equal(const struct file_stamp *a, const struct file_stamp *b)
{
    return a->ino == b->ino && a->size == b->size && a->mtime_ns == b->mtime_ns;
}

int64_t dir_time_ns(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 ? st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec : 0;
}

struct own_change own_change_begin(const struct folder *f)
{
    return (struct own_change){dir_time_ns(f->new_fd) == f->new_time_ns,
                               dir_time_ns(f->cur_fd) == f->cur_time_ns};
}

void own_change_end(struct folder *f, struct own_change c)
{
    int64_t new_time_ns = dir_time_ns(f->new_fd), cur_time_ns = dir_time_ns(f->cur_fd);
    if (c.new_known && new_time_ns != f->new_time_ns) {
        f->new_time_ns = new_time_ns;
        f->dirty |= DIRTY_NEW;
    }
    if (c.cur_known && cur_time_ns != f->cur_time_ns) {
        f->cur_time_ns = cur_time_ns;
        f->dirty |= OWN_CUR;
    }
}

static void row_read(struct folder *f, const struct db_stmt *q)
{
    f->id = db_int(q, 0);
    f->uidvalidity = (uint32_t)db_int(q, 1);
    f->uidnext = (uid32)db_int(q, 2);
    f->modseq = (modseq)db_int(q, 3);
    f->messages = (uint32_t)db_int(q, 4);
    f->unseen = (uint32_t)db_int(q, 5);
    f->deleted = (uint32_t)db_int(q, 6);
    f->size = (uint64_t)db_int(q, 7);
    f->new_time_ns = db_int(q, 8);
    f->cur_time_ns = db_int(q, 9);
    f->dirty = (unsigned)db_int(q, 10);
    f->uidlist = (struct file_stamp){db_int(q, 11), db_int(q, 12), db_int(q, 13)};
    f->uidlist_records = db_int(q, 14);
    f->keyword_file = (struct file_stamp){db_int(q, 15), db_int(q, 16), db_int(q, 17)};
    if (str_copy(f->guid, sizeof f->guid, db_text(q, 18)) != RC_OK)
        f->guid[0] = '\0';
}

static enum rc row_load(struct folder *f, struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    enum rc rc = db_query(f->st->db, &q, e, row_select, DB_T(str_c(f->dir)));
    if (rc == RC_OK)
        rc = db_step(q, e);
    if (rc == RC_OK)
        row_read(f, q);
    return rc;
}

static enum rc row_save(struct folder *f, struct err *e)
{
    return db_run(f->st->db, e, row_update, DB_I(f->id), DB_I(f->uidvalidity), DB_I(f->uidnext),
                  DB_I(f->modseq), DB_I(f->messages), DB_I(f->unseen), DB_I(f->deleted), DB_I(f->size),
                  DB_I(f->new_time_ns), DB_I(f->cur_time_ns), DB_I(f->dirty), DB_I(f->uidlist.ino),
                  DB_I(f->uidlist.size), DB_I(f->uidlist.mtime_ns), DB_I(f->uidlist_records),
                  DB_I(f->keyword_file.ino), DB_I(f->keyword_file.size), DB_I(f->keyword_file.mtime_ns),
                  DB_T(str_c(f->guid)));
}

/* Never the same number for two mailboxes of an account, even when made within one second. */
static enum rc new_uidvalidity(struct store *st, uint32_t *ret, struct err *e)
{
    int64_t last = 0, now = clock_seconds();
    enum rc rc = db_get_int(st->db, &last, e, "SELECT value FROM meta WHERE name = 'uidvalidity'");
    if (rc == RC_OK && last >= now)
        now = last + 1;
    if (rc == RC_OK)
        rc = db_run(st->db, e, "UPDATE meta SET value = ?1 WHERE name = 'uidvalidity'", DB_I(now));
    if (rc == RC_OK)
        *ret = (uint32_t)now;
    return rc;
}

/* A mailbox that has a uidlist was known before this index was: its modseqs go on from the clock in
 * microseconds, which is ahead of all that an earlier index can have given; where the clock was set back,
 * from the last change of the folder. */
static int64_t first_modseq(const struct folder *f)
{
    struct stat st;
    struct file_stamp uidlist;
    int64_t now = clock_wall();
    if (fstatat(f->fd, "dovecot-uidlist", &st, AT_SYMLINK_NOFOLLOW) != 0)
        return 1;
    file_stamp_get(&st, &uidlist);
    const int64_t changed[] = {uidlist.mtime_ns, dir_time_ns(f->new_fd), dir_time_ns(f->cur_fd)};
    for (size_t i = 0; i < sizeof changed / sizeof *changed; i++)
        if (changed[i] / 1000 > now)
            now = changed[i] / 1000 + CLOCK_GRAIN_US;
    return now;
}

enum rc folder_begin_history(struct folder *f, struct err *e)
{
    int64_t first = first_modseq(f);
    if (first <= (int64_t)f->modseq)
        return RC_OK;
    f->modseq = (modseq)first;
    return history_begin(f, e);
}

/* Need not last: see folder_merge. */
static enum rc row_insert(struct folder *f, struct err *e)
{
    uint32_t uidvalidity;
    enum rc rc = db_begin(f->st->db, false, e);
    if (rc != RC_OK)
        return rc;
    rc = row_load(f, e); /* another session may have been faster */
    if (rc == RC_GONE) {
        rc = new_uidvalidity(f->st, &uidvalidity, e);
        if (rc == RC_OK)
            rc = db_run(f->st->db, e,
                        "INSERT INTO mailbox (dir, uidvalidity, uidnext, modseq) VALUES (?1, ?2, 1, 1)",
                        DB_T(str_c(f->dir)), DB_I(uidvalidity));
        if (rc == RC_OK)
            rc = row_load(f, e);
        if (rc == RC_OK)
            rc = folder_begin_history(f, e);
        if (rc == RC_OK)
            rc = row_save(f, e);
    }
    if (rc != RC_OK) {
        db_rollback(f->st->db);
        return rc;
    }
    return db_commit(f->st->db, e);
}

static enum rc open_sub(int dir, const char *name, int *ret, struct err *e)
{
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    *ret = openat(dir, name, flags);
    if (*ret < 0 && errno == ENOENT) {
        if (file_make_dir_at(dir, name, 0700) != RC_OK)
            return store_errno(e, "mkdir", name);
        *ret = openat(dir, name, flags);
    }
    return *ret >= 0 ? RC_OK : store_errno(e, "open", name);
}

static enum rc open_dirs(struct folder *f, struct err *e)
{
    AUTO(fd_closep) int tmp = -1;
    f->fd = openat(f->st->root_fd, f->dir[0] ? f->dir : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (f->fd < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? store_gone(e)
                                                                     : store_errno(e, "open", f->dir);
    enum rc rc = open_sub(f->fd, "new", &f->new_fd, e);
    if (rc == RC_OK)
        rc = open_sub(f->fd, "cur", &f->cur_fd, e);
    if (rc == RC_OK)
        rc = open_sub(f->fd, "tmp", &tmp, e);
    return rc;
}

enum rc folder_open(struct store *st, const char *dir, struct folder *ret, struct err *e)
{
    struct folder f = {.st = st, .fd = -1, .new_fd = -1, .cur_fd = -1};
    enum rc rc = str_copy(f.dir, sizeof f.dir, str_c(dir));
    must(rc == RC_OK);
    rc = open_dirs(&f, e);
    if (rc == RC_OK)
        rc = row_load(&f, e);
    if (rc == RC_GONE && f.cur_fd >= 0)
        rc = row_insert(&f, e);
    if (rc == RC_OK)
        rc = keywords_load(&f, e);
    if (rc != RC_OK) {
        folder_close(&f);
        return rc;
    }
    *ret = f;
    return RC_OK;
}

void folder_close(struct folder *f)
{
    fd_closep(&f->cur_fd);
    fd_closep(&f->new_fd);
    fd_closep(&f->fd);
    for (int i = 0; i < KEYWORD_BITS; i++) {
        free(f->keyword[i]);
        f->keyword[i] = NULL;
    }
}

void folder_object_id(const struct folder *f, char ret[33])
{
    if (f->guid[0])
        memcpy(ret, f->guid, sizeof f->guid);
    else
        snprintf(ret, 33, "V%u", f->uidvalidity);
}

enum rc folder_reload(struct folder *f, struct err *e)
{
    int64_t id = f->id;
    uint32_t uidvalidity = f->uidvalidity;
    enum rc rc = row_load(f, e);
    if (rc == RC_OK && (f->id != id || f->uidvalidity != uidvalidity))
        rc = RC_GONE;
    if (rc == RC_GONE)
        return store_gone(e);
    return rc;
}

enum rc folder_begin(struct folder *f, bool durable, struct err *e)
{
    enum rc rc = db_begin(f->st->db, durable, e);
    if (rc != RC_OK)
        return rc;
    rc = folder_reload(f, e);
    if (rc != RC_OK)
        db_rollback(f->st->db);
    return rc;
}

enum rc folder_commit(struct folder *f, struct err *e)
{
    return folder_end(f, RC_OK, e);
}

void folder_rollback(struct folder *f)
{
    db_rollback(f->st->db);
}

enum rc folder_end(struct folder *f, enum rc rc, struct err *e)
{
    if (rc == RC_OK)
        rc = row_save(f, e);
    return db_end(f->st->db, rc, e);
}
