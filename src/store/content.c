/* content: the stored bytes of a message. Small files are read, large ones mapped; a file that shrinks while
 * it is mapped ends the session by SIGBUS, and the session is started again. Opening never blocks and never
 * follows a link. */
#include "fmt/uidlist.h"
#include "os/file.h"
#include "store/store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAP_FROM = 256 * 1024, PATH_BYTES = 600 };

static int open_path(struct box *b, struct buf *path)
{
    return openat(b->f.fd, buf_cstr(path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

static enum rc gone(struct box *b, struct err *e)
{
    b->file_gone = true;
    return err_set(e, RC_GONE, 0, "5.1.0", "Message is no longer there");
}

static enum rc open_file(struct box *b, uid32 uid, int *ret, struct err *e)
{
    AUTO(buf_deinit) struct buf path = BUF_INIT(PATH_BYTES);
    int fd = -1;
    enum rc rc = file_known(&b->f, uid, &path, e);
    if (rc == RC_OK)
        fd = open_path(b, &path);
    if (rc == RC_OK && fd < 0 && errno == ENOENT) { /* another program gave it another name */
        buf_reset(&path);
        rc = file_locate(&b->f, uid, &path, e);
        fd = rc == RC_OK ? open_path(b, &path) : -1;
    }
    if (rc == RC_GONE || (rc == RC_OK && fd < 0 && (errno == ENOENT || errno == ELOOP)))
        return gone(b, e);
    if (rc == RC_OK && fd < 0)
        return store_errno(e, "open", buf_cstr(&path));
    *ret = fd;
    return rc;
}

static enum rc read_small(int fd, size_t size, struct box_content *ret, struct err *e)
{
    char *p = malloc(size ? size : 1);
    size_t n;
    must(p);
    if (fd_read_at(fd, p, size, 0, &n) != RC_OK) {
        free(p);
        return store_errno(e, "read", "message");
    }
    *ret = (struct box_content){str_mem(p, n), p};
    return RC_OK;
}

enum rc box_content_open(struct box *b, uid32 uid, struct box_content *ret, struct err *e)
{
    struct stat st;
    AUTO(fd_closep) int fd = -1;
    enum rc rc = open_file(b, uid, &fd, e);
    if (rc != RC_OK)
        return index_result(b->f.st, rc, e);
    if (fstat(fd, &st) != 0)
        return store_errno(e, "stat", "message");
    if (!S_ISREG(st.st_mode))
        return gone(b, e);
    if (st.st_size < MAP_FROM)
        return read_small(fd, (size_t)st.st_size, ret, e);
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return store_errno(e, "map", "message");
    *ret = (struct box_content){str_mem(p, (size_t)st.st_size), p};
    return RC_OK;
}

void box_content_close(struct box_content *c)
{
    if (c->map && c->raw.n >= MAP_FROM)
        munmap(c->map, c->raw.n);
    else
        free(c->map);
    *c = (struct box_content){0};
}

enum rc box_pop3_uidl(struct box *b, uid32 uid, struct buf *out, struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    enum rc rc = db_query(b->f.st->db, &q, e, "SELECT fields, base FROM file WHERE key = ?1",
                          DB_I(index_key(b->f.id, uid)));
    if (rc == RC_OK)
        rc = db_step(q, e);
    if (rc == RC_GONE)
        return err_set(e, RC_GONE, 0, "5.1.0", "Message is no longer there");
    if (rc != RC_OK)
        return index_result(b->f.st, rc, e);
    str known = uidlist_field(db_text(q, 0), 'P');
    if (known.p)
        buf_puts(out, known.n ? known : db_text(q, 1)); /* Dovecot leaves out what the name says (%f) */
    else
        buf_printf(out, "%08x%08x", uid, b->f.uidvalidity); /* Dovecot's default, %08Xu%08Xv */
    return RC_OK;
}
