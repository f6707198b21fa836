/* keyword_file: names of keywords. Bits 0 to 25 are the letters of file names and named by dovecot-keywords,
 * which all programs share; further bits are in the index only, as with Dovecot. The file is replaced whole,
 * under the uidlist's lock, and its mtime grows by at least a second each time, because Dovecot compares
 * seconds. */
#include "fmt/keywords.h"
#include "os/file.h"
#include "store/store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define FILE_NAME "dovecot-keywords"

enum { FILE_BYTES_MAX = 65536 };

static void set_name(struct folder *f, int bit, str name)
{
    free(f->keyword[bit]);
    f->keyword[bit] = name.n ? str_dup(name) : NULL;
}

enum rc keywords_load(struct folder *f, struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    for (int i = 0; i < KEYWORD_BITS; i++)
        set_name(f, i, STR_NONE);
    enum rc rc = db_query(f->st->db, &q, e, "SELECT bit, name FROM keyword WHERE mailbox = ?1", DB_I(f->id));
    while (rc == RC_OK && (rc = db_step(q, e)) == RC_OK) {
        int64_t bit = db_int(q, 0);
        if (bit < 0 || bit >= KEYWORD_BITS)
            return RC_INVALID;
        set_name(f, (int)bit, db_text(q, 1));
    }
    f->keyword_modseq = f->modseq;
    return rc == RC_GONE ? RC_OK : rc;
}

static enum rc put_name(struct folder *f, int bit, str name, struct err *e)
{
    enum rc rc = db_run(f->st->db, e, "INSERT OR REPLACE INTO keyword VALUES (?1, ?2, ?3)", DB_I(f->id),
                        DB_I(bit), DB_T(name));
    if (rc == RC_OK)
        set_name(f, bit, name);
    return rc;
}

/* A missing file is as good as an empty one; so is one that is no file. */
static enum rc read_file(struct folder *f, struct buf *out, struct file_stamp *ret, struct err *e)
{
    struct stat st;
    *ret = (struct file_stamp){0};
    AUTO(fd_closep) int fd = openat(f->fd, FILE_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return RC_OK;
    file_stamp_get(&st, ret);
    if (file_stamp_equal(ret, &f->keyword_file))
        return RC_OK;
    enum rc rc = fd_read_all(fd, out);
    return rc == RC_TEMP ? store_errno(e, "read", FILE_NAME) : RC_OK;
}

enum rc keywords_merge(struct folder *f, struct err *e)
{
    struct buf text = BUF_INIT(FILE_BYTES_MAX);
    struct file_stamp stamp;
    str names[MAILDIR_KEYWORDS];
    enum rc rc = RC_OK;
    if (f->keyword_modseq != f->modseq) /* another session made some: their places are taken */
        rc = keywords_load(f, e);
    if (rc == RC_OK)
        rc = read_file(f, &text, &stamp, e);
    if (rc == RC_OK && !file_stamp_equal(&stamp, &f->keyword_file)) {
        keywords_parse(buf_str(&text), names);
        for (int i = 0; i < MAILDIR_KEYWORDS && rc == RC_OK; i++)
            if (names[i].n && !str_eq(names[i], str_c(f->keyword[i])))
                rc = put_name(f, i, names[i], e);
        f->keyword_file = stamp;
    }
    buf_deinit(&text);
    return rc;
}

static enum rc write_file(struct folder *f, struct err *e)
{
    static const char lock[] = FILE_NAME ".lock"; /* Dovecot writes through this name, under the same lock */
    struct buf b = BUF_INIT(FILE_BYTES_MAX);
    struct stat old, st;
    str names[MAILDIR_KEYWORDS];
    for (int i = 0; i < MAILDIR_KEYWORDS; i++)
        names[i] = str_c(f->keyword[i]);
    keywords_format(&b, names);
    unlinkat(f->fd, lock, 0);
    AUTO(fd_closep) int fd = openat(f->fd, lock, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && fd_write_all(fd, buf_str(&b)) == RC_OK && fstat(fd, &st) == 0;
    buf_deinit(&b);
    if (ok && fstatat(f->fd, FILE_NAME, &old, AT_SYMLINK_NOFOLLOW) == 0 &&
        st.st_mtim.tv_sec <= old.st_mtim.tv_sec) {
        struct timespec t[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = old.st_mtim.tv_sec + 1}};
        ok = futimens(fd, t) == 0;
    }
    ok = ok && fsync(fd) == 0 && renameat(f->fd, lock, f->fd, FILE_NAME) == 0 && fsync(f->fd) == 0 &&
         fstat(fd, &st) == 0;
    if (!ok)
        return store_errno(e, "write", FILE_NAME);
    file_stamp_get(&st, &f->keyword_file);
    return RC_OK;
}

static int find_bit(const struct folder *f, str name)
{
    for (int i = 0; i < KEYWORD_BITS; i++)
        if (f->keyword[i] && str_ieq(name, str_c(f->keyword[i])))
            return i;
    return -1;
}

static int free_bit(const struct folder *f)
{
    unsigned used = 0;
    for (int i = 0; i < KEYWORD_BITS; i++)
        used += f->keyword[i] != NULL;
    for (int i = 0; i < KEYWORD_BITS && used < f->st->conf.keyword_max; i++)
        if (!f->keyword[i])
            return i;
    return -1;
}

enum rc keywords_bits(struct folder *f, const str *names, size_t n, bool create, uint64_t *ret,
                      bool *ret_missing, struct err *e)
{
    uint64_t bits = 0;
    bool missing = false, letters = false;
    enum rc rc = RC_OK;
    for (size_t i = 0; i < n && rc == RC_OK; i++) {
        int bit = find_bit(f, names[i]);
        if (bit < 0 && create && keyword_valid(names[i]) && (bit = free_bit(f)) >= 0) {
            rc = put_name(f, bit, names[i], e);
            letters |= bit < MAILDIR_KEYWORDS;
        }
        if (bit >= 0)
            bits |= 1ull << bit;
        else
            missing = true;
    }
    if (rc == RC_OK && letters)
        rc = write_file(f, e);
    if (rc == RC_OK) {
        *ret = bits;
        *ret_missing = missing;
    }
    return rc;
}

enum rc keywords_name_letters(struct folder *f, uint64_t used, struct err *e)
{
    enum rc rc = RC_OK;
    for (int i = 0; i < MAILDIR_KEYWORDS && rc == RC_OK; i++)
        if (used >> i & 1 && !f->keyword[i]) {
            char name[16];
            int len = snprintf(name, sizeof name, "unknown-%d", i);
            rc = put_name(f, i, str_mem(name, (size_t)len), e);
        }
    return rc;
}
