/* The queue role: the only one who creates files in the spool. It lends a nameless spool file to whoever
 * receives a message that is too large for memory; the file vanishes with its last descriptor. */
#include "base/log.h"
#include "os/channel.h"
#include "os/file.h"
#include "role/ipc.h"
#include "role/role.h"

#include <errno.h>

enum { QUEUE_CHANNELS_MAX = 512 };

static enum rc lend(struct role *r, struct buf *reply, int *reply_fds, unsigned *ret_n_fds)
{
    struct err e = {0};
    int fd = file_open_nameless(r->dir);
    if (fd < 0) {
        bool full = errno == ENOSPC || errno == EDQUOT;
        err_set(&e, full ? RC_LIMIT : RC_TEMP, full ? 452 : 451, full ? "4.3.1" : "4.3.0", "%s",
                full ? "Insufficient system storage" : "Local error in processing");
        err_note(&e, "spool: %s", strerror(errno));
        log_error("%s", err_text(&e));
    }
    ipc_begin(reply, MSG_SPOOL_LENT);
    ipc_put_err(reply, &e);
    if (fd >= 0)
        reply_fds[(*ret_n_fds)++] = fd;
    return RC_OK;
}

static enum rc queue_handle(void *ctx, void **conn, struct ipc_msg *request, struct buf *reply,
                            int *reply_fds, unsigned *ret_n_fds)
{
    if (request->type != MSG_SPOOL_BORROW || ipc_end(request) != RC_OK)
        return RC_INVALID;
    return lend(ctx, reply, reply_fds, ret_n_fds);
}

static void queue_start(struct role *r)
{
    struct buf dir = BUF_INIT(4096);
    buf_printf(&dir, "%s/spool", r->conf->state_dir);
    const char *rw[] = {"/", NULL};
    const char *rw_plain[] = {buf_cstr(&dir), NULL};
    struct sandbox sb = {.role = ROLE_QUEUE};
    role_set_user(&sb, r->conf->user_queue);
    bool root = sb.uid != (uid_t)-1;
    sb.chroot_dir = root ? buf_cstr(&dir) : NULL;
    sb.rw_dirs = root ? rw : rw_plain;
    sandbox_enter(&sb);
    buf_deinit(&dir);
}

static void queue_link(struct role *r, const struct role_link *l)
{
    struct channel_service svc = {.handle = queue_handle, .ctx = r, .max_channels = QUEUE_CHANNELS_MAX};
    if (!l->serve || channel_serve(l->fd, &svc) != RC_OK)
        log_error("link from %s is not served", l->peer);
}

int queue_role(void)
{
    static const struct role_ops ops = {.start = queue_start, .link = queue_link};
    static struct role r = {.name = "queue", .ops = &ops};
    role_begin(&r);
    role_control_loop(&r);
    return 0;
}
