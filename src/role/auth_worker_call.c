/* Questions of auth to auth-worker: users of the system and their passwords. */
#include "role/auth_impl.h"

#include "account/databases.h"
#include "role/ipc.h"

enum { WORKER_TIMEOUT_MS = 30000 };

static enum rc worker_down(struct err *e)
{
    (void)err_set(e, RC_TEMP, 451, "4.3.0", "Temporary lookup failure");
    err_note(e, "auth-worker does not answer");
    return RC_TEMP;
}

enum rc worker_system_user(void *ctx, str name, struct account_identity *ret, struct err *e)
{
    struct auth_server *a = ctx;
    struct buf b AUTO(buf_deinit) = BUF_INIT(IPC_MAX);
    struct ipc_msg m;
    struct err answer = {0};
    if (name.n > 64)
        return RC_GONE;
    ipc_begin(&b, MSG_WORKER_PASSWD);
    ipc_put_str(&b, name);
    if (channel_pool_ask(a->worker, &b, MSG_IDENTITY_REPLY, &m, clock_mono() + WORKER_TIMEOUT_MS) != RC_OK)
        return worker_down(e);
    ipc_get_err(&m, &answer);
    str bytes = ipc_get_str(&m, IDENTITY_BYTES_MAX);
    enum rc rc = answer.rc;
    if (rc != RC_OK) {
        *e = answer;
    } else if (ipc_end(&m) != RC_OK || identity_get(bytes, ret) != RC_OK) {
        rc = err_set(e, RC_PERM, 550, "5.3.5", "the account has no place for its mail");
        err_note(e, "the passwd entry of " STR_FMT " cannot be used", STR_ARG(name));
    }
    ipc_msg_deinit(&m);
    return rc;
}

enum rc worker_has_forward(void *ctx, str name, str tag, struct err *e)
{
    struct auth_server *a = ctx;
    struct buf b AUTO(buf_deinit) = BUF_INIT(IPC_MAX);
    struct ipc_msg m;
    struct err answer = {0};
    ipc_begin(&b, MSG_WORKER_FORWARD);
    ipc_put_str(&b, name);
    ipc_put_str(&b, tag);
    if (channel_pool_ask(a->worker, &b, MSG_WORKER_FORWARD_REPLY, &m, clock_mono() + WORKER_TIMEOUT_MS) !=
        RC_OK)
        return worker_down(e);
    ipc_get_err(&m, &answer);
    ipc_msg_deinit(&m);
    if (answer.rc != RC_OK && answer.rc != RC_GONE)
        *e = answer;
    return answer.rc;
}

enum rc worker_check_password(void *ctx, str user, str password, str client_ip, struct err *e)
{
    struct auth_server *a = ctx;
    struct buf b AUTO(buf_wipe) = BUF_INIT(IPC_MAX);
    struct ipc_msg m;
    struct err answer = {0};
    if (user.n > 64 || password.n > 256)
        return err_set(e, RC_PERM, 535, "5.7.8", "Authentication failed");
    (void)buf_room(&b, 1024); /* growing would leave copies of the password behind */
    ipc_begin(&b, MSG_WORKER_PAM);
    ipc_put_str(&b, user);
    ipc_put_str(&b, password);
    ipc_put_str(&b, client_ip);
    if (channel_pool_call(a->worker, &b, NULL, 0, MSG_WORKER_PAM_REPLY, &m,
                          clock_mono() + WORKER_TIMEOUT_MS) != RC_OK)
        return worker_down(e);
    ipc_get_err(&m, &answer);
    ipc_msg_deinit(&m);
    if (answer.rc != RC_OK)
        *e = answer;
    return answer.rc;
}

enum rc worker_user_name(struct auth_server *a, uint32_t uid, char ret[PAM_USER_MAX + 1], struct err *e)
{
    struct buf b AUTO(buf_deinit) = BUF_INIT(IPC_MAX);
    struct ipc_msg m;
    struct err answer = {0};
    ipc_begin(&b, MSG_LOCAL_USER);
    ipc_put_u32(&b, uid);
    if (channel_pool_ask(a->worker, &b, MSG_LOCAL_USER_REPLY, &m, clock_mono() + WORKER_TIMEOUT_MS) != RC_OK)
        return worker_down(e);
    ipc_get_err(&m, &answer);
    str name = ipc_get_str(&m, PAM_USER_MAX);
    enum rc rc = ipc_end(&m) == RC_OK ? answer.rc : RC_GONE;
    if (rc == RC_OK)
        rc = str_copy(ret, PAM_USER_MAX + 1, name) == RC_OK && name.n ? RC_OK : RC_GONE;
    else
        *e = answer;
    ipc_msg_deinit(&m);
    return rc;
}

enum rc worker_database_entry(void *ctx, bool passdb, const struct authdb *db, str user, struct arena *a,
                              struct authdb_fields *ret, struct err *e)
{
    struct auth_server *s = ctx;
    struct buf b AUTO(buf_wipe) = BUF_INIT(IPC_MAX);
    struct ipc_msg m;
    struct err answer = {0};
    (void)buf_room(&b, AUTHDB_FIELDS_TEXT_MAX + 4096); /* growing would leave copies of a password behind */
    ipc_begin(&b, MSG_WORKER_DATABASE);
    ipc_put_u32(&b, passdb);
    ipc_put_u32(&b, db->driver);
    ipc_put_str(&b, db->args);
    ipc_put_str(&b, user);
    if (channel_pool_ask(s->worker, &b, MSG_WORKER_DATABASE_REPLY, &m, clock_mono() + WORKER_TIMEOUT_MS) !=
        RC_OK)
        return worker_down(e);
    ipc_get_err(&m, &answer);
    str text = ipc_get_str(&m, AUTHDB_FIELDS_TEXT_MAX);
    enum rc rc = ipc_end(&m) == RC_OK ? answer.rc : RC_TEMP;
    if (rc == RC_OK && authdb_fields_parse(text, a, ret) != RC_OK)
        rc = err_set(&answer, RC_TEMP, 451, "4.3.0", "Temporary lookup failure");
    if (rc != RC_OK && rc != RC_GONE)
        *e = answer;
    ipc_msg_deinit(&m);
    return rc == RC_OK || rc == RC_GONE ? rc : RC_TEMP;
}

enum rc worker_list(struct auth_server *a, enum authdb_driver driver, str args, struct name_page *page,
                    struct err *e)
{
    struct buf b AUTO(buf_deinit) = BUF_INIT(IPC_MAX);
    struct ipc_msg m;
    struct err answer = {0};
    ipc_begin(&b, MSG_WORKER_LIST);
    ipc_put_u32(&b, driver);
    ipc_put_str(&b, args);
    ipc_put_str(&b, page->after);
    if (channel_pool_ask(a->worker, &b, MSG_USERDB_ACCOUNTS, &m, clock_mono() + WORKER_TIMEOUT_MS) != RC_OK)
        return worker_down(e);
    ipc_get_err(&m, &answer);
    uint32_t n = ipc_get_u32(&m);
    for (uint32_t i = 0; i < n && answer.rc == RC_OK && !m.malformed; i++)
        name_page_add(page, ipc_get_str(&m, IDENTITY_ACCOUNT_MAX));
    enum rc rc = ipc_end(&m) == RC_OK ? answer.rc : RC_TEMP;
    if (answer.rc != RC_OK)
        *e = answer;
    ipc_msg_deinit(&m);
    return rc;
}

enum rc worker_database_ids(void *ctx, str user, str group, uid_t *ret_uid, gid_t *ret_gid, struct err *e)
{
    struct auth_server *a = ctx;
    struct buf b AUTO(buf_deinit) = BUF_INIT(IPC_MAX);
    struct ipc_msg m;
    struct err answer = {0};
    ipc_begin(&b, MSG_WORKER_IDS);
    ipc_put_str(&b, user);
    ipc_put_str(&b, group);
    if (channel_pool_ask(a->worker, &b, MSG_WORKER_IDS_REPLY, &m, clock_mono() + WORKER_TIMEOUT_MS) != RC_OK)
        return worker_down(e);
    ipc_get_err(&m, &answer);
    uint32_t uid = ipc_get_u32(&m), gid = ipc_get_u32(&m);
    enum rc rc = ipc_end(&m) == RC_OK ? answer.rc : RC_TEMP;
    if (rc == RC_OK) {
        *ret_uid = uid;
        *ret_gid = gid;
    } else {
        *e = answer;
    }
    ipc_msg_deinit(&m);
    return rc;
}
