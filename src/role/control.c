/* A role's side of its control link. */
#include "base/log.h"
#include "os/file.h"
#include "os/proc.h"
#include "role/ipc.h"
#include "role/keys.h"
#include "role/log_sink.h"
#include "role/role.h"

#include <errno.h>
#include <grp.h>
#include <malloc.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

enum { CONF_TEXT_MAX = 8 << 20 };

static _Noreturn void control_broken(const char *why)
{
    log_error("control link: %s", why);
    _exit(1);
}

static void say(struct role *r, enum ipc_type type)
{
    struct buf b = BUF_INIT(64);
    ipc_begin(&b, (uint16_t)type);
    if (ipc_send(r->control, &b, NULL, 0, 0) != RC_OK)
        control_broken("the master is gone");
    buf_deinit(&b);
}

static void take_conf(struct role *r, struct ipc_msg *m)
{
    AUTO(fd_closep) int conf_fd = ipc_take_fd(m);
    AUTO(fd_closep) int keys_fd = ipc_take_fd(m);
    AUTO(fd_closep) int sink_fd = ipc_take_fd(m);
    if (ipc_end(m) != RC_OK || !ipc_is_sealed(conf_fd) || !ipc_is_sealed(keys_fd))
        control_broken("malformed configuration");

    struct buf text = BUF_INIT(CONF_TEXT_MAX);
    struct conf_report report = {0};
    if (fd_read_all(conf_fd, &text) != RC_OK)
        control_broken("the configuration cannot be read");
    const struct conf *c = conf_parse(buf_str(&text), "(from the master)", &report);
    buf_deinit(&text);
    if (!c)
        control_broken(report.n ? report.v[0].text : "the configuration cannot be parsed");
    conf_report_deinit(&report);

    buf_wipe(&r->keys);
    buf_init(&r->keys, KEYS_BYTES_MAX);
    if (fd_read_all(keys_fd, &r->keys) != RC_OK)
        control_broken("the key pairs cannot be read");
    dup2(sink_fd, STDERR_FILENO);

    /* an older configuration is not freed: sessions that started with it go on using it */
    r->conf = c;
    log_sink_init(c, STDERR_FILENO, r->name, NULL);
    if (!r->started)
        return;
    if (r->ops->reload)
        r->ops->reload(r);
    say(r, MSG_CONTROL_APPLIED);
}

static void take_listener(struct role *r, struct ipc_msg *m)
{
    struct role_listener l = {.fd = -1};
    str name = ipc_get_str(m, sizeof l.name - 1);
    l.protocol = (enum conf_protocol)ipc_get_u32(m);
    l.tls = (enum conf_tls)ipc_get_u32(m);
    l.fd = ipc_take_fd(m);
    if (ipc_end(m) != RC_OK || str_copy(l.name, sizeof l.name, name) != RC_OK || r->started ||
        r->n_listeners == ROLE_LISTENERS_MAX)
        control_broken("malformed listener");
    r->listeners[r->n_listeners++] = l;
}

static void take_link(struct role *r, struct ipc_msg *m)
{
    struct role_link l = {.fd = -1};
    str peer = ipc_get_str(m, sizeof l.peer - 1);
    l.serve = ipc_get_u32(m) == 1;
    l.instance = ipc_get_u32(m);
    l.fd = ipc_take_fd(m);
    if (ipc_end(m) != RC_OK || str_copy(l.peer, sizeof l.peer, peer) != RC_OK)
        control_broken("malformed link");
    if (r->started) {
        r->ops->link(r, &l);
        return;
    }
    if (r->n_links == ROLE_LINKS_MAX)
        control_broken("too many links");
    r->links[r->n_links++] = l;
}

static void take_connection(struct role *r, struct ipc_msg *m)
{
    struct err e = {0};
    uint64_t number = ipc_get_u64(m);
    ipc_get_err(m, &e);
    int fd = e.rc == RC_OK ? ipc_take_fd(m) : -1;
    if (ipc_end(m) != RC_OK || !r->ops->connected)
        control_broken("malformed connection");
    r->ops->connected(r, number, &e, fd);
}

static void take_identity(struct role *r, struct ipc_msg *m)
{
    str bytes = ipc_get_str(m, IDENTITY_BYTES_MAX), root = ipc_get_str(m, IDENTITY_PATH_MAX);
    r->identity = calloc(1, sizeof *r->identity);
    must(r->identity);
    if (ipc_end(m) != RC_OK || r->started || identity_get(bytes, r->identity) != RC_OK ||
        str_copy(r->mail_root, sizeof r->mail_root, root) != RC_OK)
        control_broken("malformed identity");
}

static void take_start(struct role *r)
{
    if (!r->conf || r->started)
        control_broken("START out of order");
    r->ops->start(r);
    r->started = true;
    for (size_t i = 0; i < r->n_links; i++)
        r->ops->link(r, &r->links[i]);
    if (r->ops->serve)
        r->ops->serve(r);
    say(r, MSG_CONTROL_READY);
}

/* False after STOP or when the master is gone. */
static bool control_take(struct role *r, struct ipc_msg *m)
{
    switch ((enum ipc_type)m->type) {
    case MSG_CONTROL_CONF:
        take_conf(r, m);
        return true;
    case MSG_CONTROL_LISTEN:
        take_listener(r, m);
        return true;
    case MSG_CONTROL_LINK:
        take_link(r, m);
        return true;
    case MSG_CONTROL_CONNECTED:
        take_connection(r, m);
        return true;
    case MSG_CONTROL_DIR:
        (void)ipc_get_str(m, 64);
        fd_closep(&r->dir);
        r->dir = ipc_take_fd(m);
        return true;
    case MSG_CONTROL_IDENTITY:
        take_identity(r, m);
        return true;
    case MSG_CONTROL_START:
        take_start(r);
        return true;
    case MSG_CONTROL_RETIRE:
        if (r->ops->retire)
            r->ops->retire(r);
        return true;
    case MSG_CONTROL_FORGET:
        if (r->started && r->ops->forget)
            r->ops->forget(r);
        return true;
    case MSG_CONTROL_STATUS:
        if (r->started && r->ops->status)
            r->ops->status(r, ipc_take_fd(m));
        return true;
    case MSG_CONTROL_STOP:
        if (r->ops->stop)
            r->ops->stop(r);
        return false;
    default:
        control_broken(ipc_type_name(m->type));
    }
}

static bool control_once(struct role *r, msec deadline)
{
    struct buf in = BUF_INIT(IPC_MAX);
    struct ipc_msg m;
    bool go_on;
    switch (ipc_recv(r->control, &in, &m, deadline)) {
    case RC_OK:
        go_on = control_take(r, &m);
        ipc_msg_deinit(&m);
        break;
    case RC_TEMP:
        go_on = true;
        break;
    default:
        go_on = false;
    }
    buf_wipe(&in);
    return go_on;
}

/* As many descriptors as the system permits: the limits of the configuration are what bounds a role. */
static void raise_descriptor_limit(void)
{
    struct rlimit lim;
    if (getrlimit(RLIMIT_NOFILE, &lim) != 0 || lim.rlim_cur == lim.rlim_max)
        return;
    lim.rlim_cur = lim.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &lim) != 0)
        log_warn("cannot raise the limit of open descriptors: %s", strerror(errno));
}

/* What a thread frees of large messages stays its own, for their pages cost as much as copying them. Without
 * this the library moves its limits by itself, up to 64 MiB. */
static void keep_memory(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, 1 << 20);
    (void)mallopt(M_TRIM_THRESHOLD, 1 << 20);
}

void role_begin(struct role *r)
{
    keep_memory();
    r->control = PROC_CONTROL_FD;
    r->dir = -1;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file past its limit is EFBIG, not the end of the process */
    raise_descriptor_limit();
    buf_init(&r->keys, KEYS_BYTES_MAX);
    while (!r->started)
        if (!control_once(r, -1))
            _exit(0);
}

void role_control_loop(struct role *r)
{
    while (control_once(r, -1))
        ;
}

enum rc role_send_conf(int control, const struct conf *c)
{
    struct buf text = BUF_INIT(CONF_TEXT_MAX), b = BUF_INIT(64);
    enum rc rc = conf_serialize(c, &text);
    AUTO(fd_closep) int conf_fd = rc == RC_OK ? ipc_memfd("malle-conf", buf_str(&text)) : -1;
    AUTO(fd_closep) int keys_fd = ipc_memfd("malle-keys", STR_NONE);
    if (conf_fd < 0 || keys_fd < 0)
        rc = RC_TEMP;
    int fds[] = {conf_fd, keys_fd, STDERR_FILENO};
    ipc_begin(&b, MSG_CONTROL_CONF);
    if (rc == RC_OK)
        rc = ipc_send(control, &b, fds, 3, IPC_NOWAIT);
    buf_deinit(&text);
    buf_deinit(&b);
    return rc;
}

bool role_control_step(struct role *r)
{
    return control_once(r, 0);
}

void role_set_user(struct sandbox *sb, const char *user)
{
    sb->uid = (uid_t)-1;
    sb->gid = (gid_t)-1;
    if (geteuid() != 0)
        return;
    char space[4096];
    struct passwd pw, *found = NULL;
    if (getpwnam_r(user, &pw, space, sizeof space, &found) != 0 || !found || pw.pw_uid == 0) {
        log_error("the system user %s is missing: create it (README, system users)", user);
        _exit(1);
    }
    sb->uid = pw.pw_uid;
    sb->gid = pw.pw_gid;
}

void role_chroot_empty(struct sandbox *sb, const struct conf *c)
{
    static struct buf path = BUF_INIT(4096);
    if (geteuid() != 0)
        return;
    buf_reset(&path);
    buf_printf(&path, "%s/empty", c->state_dir);
    sb->chroot_dir = buf_cstr(&path);
}

struct tls_server *role_tls(const struct role *r)
{
    struct tls_pem pairs[KEYS_MAX];
    struct tls_server *t = NULL;
    struct err e = {0};
    size_t n = 0;
    struct keys_ca ca;
    bool login = str_eq(str_c(r->name), S("login"));
    if (r->keys.n == 0)
        return NULL;
    enum rc rc = keys_get(buf_str(&r->keys), pairs, KEYS_MAX, &n, &ca);
    if (rc == RC_OK && n == 0)
        return NULL;
    if (rc == RC_OK)
        rc = tls_server_new(pairs, n, r->conf->tls_min_version == CONF_TLS_1_3 ? S("TLSv1.3") : S("TLSv1.2"),
                            str_c(r->conf->tls_ciphers), &t, &e);
    if (rc == RC_OK)
        rc = tls_server_trust(t, login ? ca.login : ca.smtp, login && r->conf->ssl_require_crl, &e);
    if (rc == RC_OK)
        return t;
    tls_server_unref(t);
    log_error("TLS: %s", err_text(&e));
    if (!r->started)
        _exit(1);
    return NULL;
}
