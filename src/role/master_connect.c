/* Connections to the Unix sockets that the configuration names, for a role that reaches no files. */
#include "base/log.h"
#include "conf/milter.h"
#include "os/file.h"
#include "os/socket.h"
#include "role/ipc.h"
#include "role/master_impl.h"

enum { PATH_MAX_BYTES = 107 };

/* The settings that name the sockets of this role. */
static const char *settings_of(const struct child *c)
{
    return is_role(c, "smtp") ? "lmtp_sockets"
           : is_role(c, "proxymap")
               ? "a listener of the protocol spawn"
               : "smtpd_milters, non_smtpd_milters, smtpd_proxy_filter or smtpd_sasl_path";
}

static bool is_filter(const struct conf *own, str path)
{
    str place = str_c(own->smtpd_proxy_filter);
    return str_starts(place, S("unix:")) && str_eq(str_from(place, 5), path);
}

static bool any_filter(const struct conf *conf, str path)
{
    bool any = is_filter(conf, path);
    for (size_t i = 0; i < conf->listener_count; i++)
        any = any || (conf->listeners[i].own && is_filter(conf->listeners[i].own, path));
    return any;
}

/* What malle itself listens on, for a program that asks nobody who is there: often a policy server. */
static bool is_spawned(const struct conf *conf, str path)
{
    bool any = false;
    for (size_t i = 0; i < conf->listener_count; i++)
        any |= conf->listeners[i].protocol == CONF_SPAWN && str_eq(str_c(conf->listeners[i].socket), path);
    return any;
}

static bool is_named(const struct conf *conf, const struct child *c, str path)
{
    bool named = false;
    if (is_role(c, "submission") && conf_asks_dovecot(conf) && str_eq(str_c(conf->smtpd_sasl_path), path))
        return true;
    if (is_role(c, "proxymap"))
        return is_spawned(conf, path);
    if (!is_role(c, "smtp"))
        return conf_milter_names_socket(conf, path) || any_filter(conf, path);
    const char *inspection = conf_inspection_socket(conf);
    named = inspection && str_eq(str_c(inspection), path);
    for (size_t i = 0; i < conf->lmtp_sockets.n; i++)
        named |= str_eq(conf->lmtp_sockets.v[i], path);
    return named;
}

void master_connect(const struct master *m, const struct child *c, struct ipc_msg *request)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(IPC_MAX);
    AUTO(fd_closep) int fd = -1;
    struct err e = {0};
    char path[PATH_MAX_BYTES + 1] = "";
    uint64_t number = ipc_get_u64(request);
    str name = ipc_get_str(request, PATH_MAX_BYTES);
    if (ipc_end(request) != RC_OK || str_copy(path, sizeof path, name) != RC_OK) {
        log_error("%s[%d] sent a malformed CONTROL_CONNECT", c->role->name, c->pid);
        return;
    }
    if (is_named(m->conf, c, name))
        e.rc = socket_connect_unix(path, &fd, &e);
    else
        (void)err_set(&e, RC_TEMP, 0, "4.3.5", "the socket %s is not named in %s", path, settings_of(c));
    ipc_begin(&b, MSG_CONTROL_CONNECTED);
    ipc_put_u64(&b, number);
    ipc_put_err(&b, &e);
    if (ipc_send(c->control, &b, &fd, fd >= 0, IPC_NOWAIT) != RC_OK)
        log_warn("%s[%d] does not take its connection", c->role->name, c->pid);
}
