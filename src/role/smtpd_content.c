/* The content of one message while it comes in: memory up to spool_memory_limit, beyond that a spool file
 * that the queue role lends; this process has no right to create files. */
#include "os/file.h"
#include "role/ipc.h"
#include "role/smtpd_impl.h"

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
