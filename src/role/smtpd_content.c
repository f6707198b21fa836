/* The content of one message while it comes in: memory up to spool_memory_limit, beyond that a spool file
 * that the queue role lends; this process has no right to create files. */
#include "os/file.h"
#include "role/ipc.h"
#include "role/smtpd_impl.h"

#include <sys/stat.h>
#include <unistd.h>

void content_discard(void *ctx)
{
    struct content *c = &((struct smtpd_session *)ctx)->content;
    if (c->memory.cap > (64u << 10))
        buf_deinit(&c->memory); /* an idle session keeps a small buffer only */
    else
        buf_reset(&c->memory);
    fd_closep(&c->file);
    c->grown = 0;
    c->holds = false;
    buf_deinit(&c->held);
}

enum rc content_new(void *ctx, uint64_t announced_bytes, bool rewrites_header)
{
    struct smtpd_session *s = ctx;
    content_discard(ctx);
    s->content.memory_max = s->conf->spool_memory_limit;
    s->content.memory.max = s->conf->spool_memory_limit;
    s->content.holds = rewrites_header;
    if (rewrites_header) {
        buf_init(&s->content.held, CONTENT_HELD_MAX);
        headscan_init(&s->content.head);
    }
    return RC_OK;
}

static enum rc borrow_file(struct smtpd_session *s)
{
    struct content *c = &s->content;
    struct ipc_msg m;
    struct err e = {0};
    ipc_begin(&s->ipc, MSG_SPOOL_BORROW);
    if (channel_pool_call(s->server->queue, &s->ipc, NULL, 0, MSG_SPOOL_LENT, &m,
                          clock_mono() + SMTPD_IPC_TIMEOUT_MS) != RC_OK)
        return RC_TEMP;
    ipc_get_err(&m, &e);
    if (e.rc == RC_OK)
        c->file = ipc_take_fd(&m);
    ipc_msg_deinit(&m);
    if (e.rc != RC_OK || c->file < 0)
        return e.rc == RC_LIMIT ? RC_LIMIT : RC_TEMP;
    enum rc rc = fd_write_all(c->file, buf_str(&c->memory));
    buf_deinit(&c->memory);
    return rc;
}

enum rc content_append(void *ctx, str bytes)
{
    struct smtpd_session *s = ctx;
    return s->content.holds ? content_hold(s, bytes) : content_keep(s, bytes);
}

enum rc content_keep(struct smtpd_session *s, str bytes)
{
    struct content *c = &s->content;
    if (c->file < 0 && c->memory.n + bytes.n <= c->memory_max) {
        buf_puts(&c->memory, bytes);
        return RC_OK;
    }
    enum rc rc = c->file < 0 ? borrow_file(s) : RC_OK;
    return rc == RC_OK ? fd_write_all(c->file, bytes) : rc;
}

/* --- for those who look at it once it is complete --- */

static enum rc content_bytes(const struct content *c, uint64_t *ret)
{
    struct stat st;
    if (c->file >= 0 && fstat(c->file, &st) != 0)
        return RC_TEMP;
    *ret = c->file >= 0 ? (uint64_t)st.st_size : c->memory.n;
    return RC_OK;
}

enum rc content_end(void *ctx, uint64_t *ret_bytes)
{
    struct smtpd_session *s = ctx;
    enum rc rc = content_finish(s);
    return rc == RC_OK ? content_bytes(&s->content, ret_bytes) : rc;
}

static enum rc read_at(const struct content *c, uint64_t at, char *p, size_t n, size_t *ret_n)
{
    if (c->file < 0) {
        str part = str_sub(buf_str(&c->memory), at < c->memory.n ? (size_t)at : c->memory.n, n);
        if (part.n > 0)
            memcpy(p, part.p, part.n);
        *ret_n = part.n;
        return RC_OK;
    }
    ssize_t got = pread(c->file, p, n, (off_t)at);
    if (got < 0)
        return RC_TEMP;
    *ret_n = (size_t)got;
    return RC_OK;
}

enum rc content_read(void *ctx, uint64_t at, char *p, size_t n, size_t *ret_n)
{
    return read_at(&((struct smtpd_session *)ctx)->content, at, p, n, ret_n);
}

enum rc content_cut(void *ctx, uint64_t at)
{
    struct content *c = &((struct smtpd_session *)ctx)->content;
    if (c->file < 0) {
        buf_truncate(&c->memory, (size_t)at);
        return RC_OK;
    }
    bool fine = ftruncate(c->file, (off_t)at) == 0 && lseek(c->file, (off_t)at, SEEK_SET) == (off_t)at;
    return fine ? RC_OK : RC_TEMP;
}

/* What was behind the old head is copied behind the new one: a spool file has no room in front. */
enum rc content_replace_head(void *ctx, uint64_t old_bytes, str head)
{
    enum { CHUNK = 64 << 10 };
    struct smtpd_session *s = ctx;
    struct content old = s->content;
    char *chunk = malloc(CHUNK);
    size_t n = 0;
    must(chunk);
    s->content.file = -1;
    buf_init(&s->content.memory, old.memory.max);
    enum rc rc = content_keep(s, head);
    for (uint64_t at = old_bytes; rc == RC_OK; at += n) {
        rc = read_at(&old, at, chunk, CHUNK, &n);
        if (rc != RC_OK || n == 0)
            break;
        rc = content_keep(s, str_mem(chunk, n));
    }
    free(chunk);
    buf_deinit(&old.memory);
    fd_closep(&old.file);
    return rc;
}
