/* The auth-worker role: asks PAM and passwd for auth. Root and unconfined, because administrators' modules
 * run here; it takes fixed-size messages and talks to nobody but auth. PAM is asked one question at a time;
 * looking up a user does not wait behind it. */
#include "account/database_entry.h"
#include "account/pam.h"
#include "base/log.h"
#include "fmt/via.h"
#include "os/channel.h"
#include "role/forward_path.h"
#include "role/ipc.h"
#include "role/name_msg.h"
#include "role/role.h"

#include <errno.h>
#include <pthread.h>
#include <sys/fsuid.h>

enum { DATABASE_ARGS_MAX = 8192 };

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

static void name_user(struct ipc_msg *m, struct buf *reply)
{
    struct err e = {0};
    char name[PAM_USER_MAX + 1] = "";
    uint32_t uid = ipc_get_u32(m);
    enum rc rc = ipc_end(m);
    if (rc == RC_OK)
        rc = passwd_name(uid, name, &e);
    e.rc = rc;
    ipc_begin(reply, MSG_LOCAL_USER_REPLY);
    ipc_put_err(reply, &e);
    ipc_put_str(reply, str_c(rc == RC_OK ? name : ""));
}

/* As the user, for this thread alone: a home may be closed to root, and nobody's links are followed with more
 * rights than his own. */
static enum rc look_as(const struct conf *c, const struct forward_user *u, const struct account_identity *id,
                       struct err *e)
{
    AUTO(buf_deinit) struct buf path = BUF_INIT(FORWARD_PATH_MAX);
    struct stat st;
    (void)setfsgid(id->gid);
    (void)setfsuid(id->uid);
    enum rc rc = forward_path_find(c, u, &path, &st);
    (void)setfsuid(0);
    (void)setfsgid(0);
    if (rc == RC_TEMP) {
        (void)err_set(e, RC_TEMP, 451, "4.3.0", "Temporary lookup failure");
        err_note(e, "%s: %s", buf_cstr(&path), strerror(errno));
    }
    return rc;
}

static void find_forward(const struct conf *c, struct ipc_msg *m, struct buf *reply)
{
    struct err e = {0};
    struct account_identity id = {0};
    str user = ipc_get_str(m, PAM_USER_MAX), tag = ipc_get_str(m, VIA_MAX);
    enum rc rc = ipc_end(m);
    if (rc == RC_OK)
        rc = passwd_find(user, &id, &e);
    if (rc == RC_OK && !identity_uid_permitted(id.uid, c->first_valid_uid, c->last_valid_uid))
        rc = RC_GONE;
    if (rc == RC_OK) {
        const struct forward_user u = {.home = id.home, .user = user, .tag = tag};
        rc = look_as(c, &u, &id, &e);
    }
    e.rc = rc;
    ipc_begin(reply, MSG_WORKER_FORWARD_REPLY);
    ipc_put_err(reply, &e);
}

static void find_in_database(const struct conf *c, struct ipc_msg *m, struct buf *reply)
{
    struct err e = {0};
    struct authdb_fields fields = {.n = 0};
    AUTO(arena_freep) struct arena *a = arena_new(2 * AUTHDB_FIELDS_TEXT_MAX);
    AUTO(buf_wipe) struct buf text = BUF_INIT(AUTHDB_FIELDS_TEXT_MAX);
    bool passdb = ipc_get_u32(m) == 1;
    uint32_t driver = ipc_get_u32(m);
    str args = ipc_get_str(m, DATABASE_ARGS_MAX), user = ipc_get_str(m, IDENTITY_ACCOUNT_MAX);
    e.rc = ipc_end(m);
    if (e.rc == RC_OK)
        e.rc = database_entry_find(c, passdb, (enum authdb_driver)driver, args, user, a, &fields, &e);
    (void)buf_room(&text, AUTHDB_FIELDS_TEXT_MAX); /* growing would leave copies of a password behind */
    authdb_fields_put(&text, &fields);
    if (text.overflow)
        e.rc = err_set(&e, RC_TEMP, 451, "4.3.0", "Temporary lookup failure");
    ipc_begin(reply, MSG_WORKER_DATABASE_REPLY);
    ipc_put_err(reply, &e);
    ipc_put_str(reply, e.rc == RC_OK ? buf_str(&text) : STR_NONE);
}

static void list_users(const struct conf *c, struct ipc_msg *m, struct buf *reply)
{
    struct err e = {0};
    AUTO(arena_freep) struct arena *a = arena_new(NAME_PAGE_ARENA);
    uint32_t driver = ipc_get_u32(m);
    str args = ipc_get_str(m, DATABASE_ARGS_MAX);
    struct name_page page = {.a = a, .after = ipc_get_str(m, IDENTITY_ACCOUNT_MAX)};
    e.rc = ipc_end(m);
    if (e.rc == RC_OK)
        e.rc = database_entry_list(c, (enum authdb_driver)driver, args, name_page_add, &page, &e);
    name_msg_put(reply, &page, &e);
}

static void find_ids(struct ipc_msg *m, struct buf *reply)
{
    struct err e = {0};
    uid_t uid = (uid_t)-1;
    gid_t gid = (gid_t)-1;
    str user = ipc_get_str(m, DATABASE_ARGS_MAX), group = ipc_get_str(m, DATABASE_ARGS_MAX);
    e.rc = ipc_end(m);
    if (e.rc == RC_OK)
        e.rc = database_entry_ids(user, group, &uid, &gid, &e);
    ipc_begin(reply, MSG_WORKER_IDS_REPLY);
    ipc_put_err(reply, &e);
    ipc_put_u32(reply, uid);
    ipc_put_u32(reply, gid);
}

static enum rc worker_handle(void *ctx, void **conn, struct ipc_msg *m, struct buf *reply, int *reply_fds,
                             unsigned *ret_n_fds)
{
    const struct role *r = ctx;
    switch ((enum ipc_type)m->type) {
    case MSG_WORKER_PAM:
        if (!r->conf->system_users && !r->conf->passdb[0])
            return RC_INVALID;
        check_password(r, m, reply);
        return RC_OK;
    case MSG_WORKER_PASSWD:
        find_user(m, reply);
        return RC_OK;
    case MSG_WORKER_FORWARD:
        find_forward(r->conf, m, reply);
        return RC_OK;
    case MSG_LOCAL_USER:
        name_user(m, reply);
        return RC_OK;
    case MSG_WORKER_DATABASE:
        find_in_database(r->conf, m, reply);
        return RC_OK;
    case MSG_WORKER_LIST:
        list_users(r->conf, m, reply);
        return RC_OK;
    case MSG_WORKER_IDS:
        find_ids(m, reply);
        return RC_OK;
    default:
        return RC_INVALID;
    }
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
