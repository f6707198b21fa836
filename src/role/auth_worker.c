/* The auth-worker role: asks PAM and passwd for auth. Root and unconfined, because administrators' modules
 * run here; it takes fixed-size messages and talks to nobody but auth. PAM is asked one question at a time;
 * looking up a user does not wait behind it. */
#include "account/pam.h"
#include "base/log.h"
#include "os/channel.h"
#include "role/ipc.h"
#include "role/role.h"

#include <pthread.h>

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER; /* PAM modules need not be thread-safe */

static void check_password(const struct role *r, struct ipc_msg *m, struct buf *reply)
{
    struct err e = {0};
    str user = ipc_get_str(m, PAM_USER_MAX), password = ipc_get_str(m, PAM_PASSWORD_MAX),
        ip = ipc_get_str(m, 64);
    enum rc rc = ipc_end(m);
    if (rc == RC_OK) {
        pthread_mutex_lock(&one_at_a_time);
        rc = pam_check(r->conf->pam_service, user, password, ip, &e);
        pthread_mutex_unlock(&one_at_a_time);
    }
    e.rc = rc;
    ipc_begin(reply, MSG_WORKER_PAM_REPLY);
    ipc_put_err(reply, &e);
}

static void find_user(struct ipc_msg *m, struct buf *reply)
{
    struct err e = {0};
    struct account_identity id = {0};
    struct buf bytes AUTO(buf_deinit) = BUF_INIT(IDENTITY_BYTES_MAX);
    str user = ipc_get_str(m, PAM_USER_MAX);
    enum rc rc = ipc_end(m);
    if (rc == RC_OK)
        rc = passwd_find(user, &id, &e);
    if (rc == RC_OK) {
        /* auth fills in where the mail lies; until then the paths must be well-formed */
        memcpy(id.mail_dir, id.home, sizeof id.mail_dir);
        memcpy(id.index_dir, id.home, sizeof id.index_dir);
        identity_put(&bytes, &id);
    }
    e.rc = rc;
    ipc_begin(reply, MSG_IDENTITY_REPLY);
    ipc_put_err(reply, &e);
    ipc_put_str(reply, buf_str(&bytes));
}

static enum rc worker_handle(void *ctx, void **conn, struct ipc_msg *m, struct buf *reply, int *reply_fds,
                             unsigned *ret_n_fds)
{
    if (m->type != MSG_WORKER_PAM && m->type != MSG_WORKER_PASSWD)
        return RC_INVALID;
    if (m->type == MSG_WORKER_PAM)
        check_password(ctx, m, reply);
    else
        find_user(m, reply);
    return RC_OK;
}

static void worker_start(struct role *r)
{
    sandbox_enter(&(struct sandbox){.role = ROLE_AUTH_WORKER, .uid = (uid_t)-1, .gid = (gid_t)-1});
}

static void worker_link(struct role *r, const struct role_link *l)
{
    struct channel_service svc = {
        .handle = worker_handle, .ctx = r, .max_channels = 8, .stack_size = 1 << 20};
    if (channel_serve(l->fd, &svc) != RC_OK)
        log_error("link from %s is not served", l->peer);
}

int auth_worker_role(void)
{
    static const struct role_ops ops = {.start = worker_start, .link = worker_link};
    static struct role r = {.name = "auth-worker", .ops = &ops};
    role_begin(&r);
    role_control_loop(&r);
    return 0;
}
