/* What the master prepares before the first child: folders, log, configuration and keys as sealed memory
 * files, listening sockets. */
#include "base/log.h"
#include "conf/report.h"
#include "os/file.h"
#include "os/socket.h"
#include "role/key_files.h"
#include "role/keys.h"
#include "role/listener_owner.h"
#include "role/log_sink.h"
#include "role/master_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PEM_MAX = 1 << 16 };

static _Noreturn void give_up(const char *what)
{
    log_error("%s: %s", what, strerror(errno));
    exit(1);
}

/* --- log --- */

/* Opens the sink of log_target as standard error, which the roles inherit. */
void setup_log(const struct conf *c)
{
    AUTO(fd_closep) int fd = log_sink_open(c);
    bool lost = fd < 0 && !str_eq(str_c(c->log_target), S("stderr"));
    if (fd >= 0)
        dup2(fd, STDERR_FILENO);
    log_sink_init(c, STDERR_FILENO, "master", NULL);
    if (lost)
        log_warn("log_target %s cannot be opened: logging to standard error", c->log_target);
}

/* --- folders --- */

/* The uid and gid of a role's user, ours for none and when not started by root. */
static void role_owner(const char *user, uid_t *ret_uid, gid_t *ret_gid)
{
    *ret_uid = geteuid();
    *ret_gid = getegid();
    if (geteuid() != 0 || !user)
        return;
    const struct passwd *pw = getpwnam(user);
    if (!pw || pw->pw_uid == 0) {
        log_error("the system user %s is missing: create it (README, system users)", user);
        exit(1);
    }
    *ret_uid = pw->pw_uid;
    *ret_gid = pw->pw_gid;
}

static int open_owned_folder(const char *parent, const char *name, const char *user, mode_t mode)
{
    struct buf path = BUF_INIT(4096);
    uid_t uid;
    gid_t gid;
    role_owner(user, &uid, &gid);
    buf_printf(&path, "%s/%s", parent, name);
    if (file_make_dirs(buf_cstr(&path), mode) != RC_OK)
        give_up(buf_cstr(&path));
    int fd = open(buf_cstr(&path), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fchown(fd, uid, gid) != 0 || fchmod(fd, mode) != 0)
        give_up(buf_cstr(&path));
    buf_deinit(&path);
    return fd;
}

void setup_folders(struct master *m)
{
    if (file_make_dirs(m->conf->state_dir, 0755) != RC_OK)
        give_up(m->conf->state_dir);
    if (file_make_dirs(m->conf->run_dir, 0755) != RC_OK)
        give_up(m->conf->run_dir);
    close(open_owned_folder(m->conf->state_dir, "auth", m->conf->user_auth, 0700));
    m->spool_fd = open_owned_folder(m->conf->state_dir, "spool", m->conf->user_queue, 0700);
    close(open_owned_folder(m->conf->state_dir, "maildrop", NULL, 01733));
    close(open_owned_folder(m->conf->state_dir, "tls", NULL, 0700));
    close(open_owned_folder(m->conf->state_dir, "empty", NULL, 0555));
}

/* --- configuration and keys --- */

/* Makes the pair that is used when none is configured, at the first start. */
static enum rc make_self_signed(const struct conf *c, struct conf_report *report)
{
    struct buf path = BUF_INIT(4096), chain = BUF_INIT(PEM_MAX), key = BUF_INIT(PEM_MAX);
    enum rc rc = RC_OK;
    key_files_self_signed_path(c, &path);
    if (c->tls_certificates.n == 0 && access(buf_cstr(&path), F_OK) != 0) {
        log_info("no tls_certificates: making a self-signed certificate for %s in %s", c->hostname,
                 buf_cstr(&path));
        rc = tls_self_signed(str_c(c->hostname), &chain, &key);
        if (rc == RC_OK) {
            buf_puts(&chain, buf_str(&key));
            rc = file_replace(buf_cstr(&path), buf_str(&chain), 0600);
        }
        if (rc != RC_OK)
            conf_error(report, buf_cstr(&path), 0, "cannot be made: %s", strerror(errno));
    }
    buf_deinit(&path);
    buf_wipe(&chain);
    buf_wipe(&key);
    return rc;
}

typedef enum rc read_keys_fn(const struct conf *c, struct conf_report *report, struct buf *out);

/* The keys as a sealed memory file; -1 when something is wrong with them. */
static int seal_keys(const struct conf *c, read_keys_fn *read_keys, struct conf_report *report)
{
    struct buf b = BUF_INIT(KEYS_BYTES_MAX);
    int fd = -1;
    if (read_keys(c, report, &b) == RC_OK) {
        fd = ipc_memfd("malle-keys", buf_str(&b));
        if (fd < 0)
            conf_error(report, "malle-keys", 0, "no memory file: %s", strerror(errno));
    }
    buf_wipe(&b);
    return fd;
}

/* Whether both can be read and hold the same bytes. */
static bool is_same_file(int a, int b)
{
    struct buf left = BUF_INIT(KEYS_BYTES_MAX), right = BUF_INIT(KEYS_BYTES_MAX);
    bool same = fd_read_all(a, &left) == RC_OK && fd_read_all(b, &right) == RC_OK &&
                str_eq(buf_str(&left), buf_str(&right));
    buf_wipe(&left);
    buf_wipe(&right);
    return same;
}

static void replace_fd(int *old, int *new)
{
    fd_closep(old);
    *old = *new;
    *new = -1;
}

enum rc setup_conf_fds(struct master *m, const struct conf *c, struct conf_report *report)
{
    struct buf text = BUF_INIT(8 << 20);
    if (make_self_signed(c, report) != RC_OK)
        return RC_PERM;
    AUTO(fd_closep) int server = seal_keys(c, key_files_read, report);
    AUTO(fd_closep) int client = seal_keys(c, key_files_read_client, report);
    if (server < 0 || client < 0)
        return RC_PERM;
    AUTO(fd_closep)
    int conf = conf_serialize(c, &text) == RC_OK ? ipc_memfd("malle-conf", buf_str(&text)) : -1;
    buf_deinit(&text);
    if (conf < 0) {
        conf_error(report, "malle-conf", 0, "the configuration cannot be handed to the roles");
        return RC_TEMP;
    }
    if (m->keys_fds[NO_KEYS] < 0)
        m->keys_fds[NO_KEYS] = ipc_memfd("malle-keys", STR_NONE);
    m->client_keys_changed = !is_same_file(m->keys_fds[CLIENT_KEYS], client);
    replace_fd(&m->conf_fd, &conf);
    replace_fd(&m->keys_fds[SERVER_KEYS], &server);
    replace_fd(&m->keys_fds[CLIENT_KEYS], &client);
    return RC_OK;
}

/* --- listeners --- */

static void add_listener(struct master *m, const struct conf_listener *l, int fd)
{
    if (m->n_listeners == MASTER_LISTENERS_MAX) {
        log_error("more than %d listening sockets", MASTER_LISTENERS_MAX);
        exit(1);
    }
    struct role_listener *r = &m->listeners[m->n_listeners++];
    if (str_copy(r->name, sizeof r->name, str_c(l->name)) != RC_OK)
        must(str_copy(r->name, sizeof r->name, S("listener")) == RC_OK);
    r->protocol = (enum conf_protocol)l->protocol;
    r->tls = (enum conf_tls)l->tls;
    r->fd = fd;
}

/* What cannot be made is told of when the socket is bound. */
static void make_folder_of(const char *path)
{
    ptrdiff_t slash = str_rchr(str_c(path), '/');
    AUTO(str_freep) char *folder = str_dup(str_sub(str_c(path), 0, slash > 0 ? (size_t)slash : 0));
    if (slash > 0 && file_make_dirs(folder, 0755) != RC_OK)
        log_debug("%s cannot be made", folder);
}

/* Its `user` and `group`. Not started by root nothing can be given away: it stays ours. */
static enum rc give_socket(const struct conf_listener *l, struct err *e)
{
    uid_t uid;
    gid_t gid;
    if (!l->user[0] && !l->group[0])
        return RC_OK;
    if (geteuid() != 0) {
        log_warn("listener %s: not started by root, so the socket's user and group are not changed", l->name);
        return RC_OK;
    }
    enum rc rc = listener_owner(l, &uid, &gid, e);
    return rc == RC_OK ? socket_give_unix(l->socket, uid, gid, e) : rc;
}

static void open_socket(struct master *m, const struct conf_listener *l)
{
    struct err e = {0};
    int fd = -1;
    make_folder_of(l->socket);
    enum rc rc = socket_listen_unix(l->socket, (unsigned)l->mode, &fd, &e);
    if (rc == RC_OK)
        rc = give_socket(l, &e);
    if (rc != RC_OK) {
        log_error("listener %s: %s", l->name, err_text(&e));
        exit(1);
    }
    add_listener(m, l, fd);
}

static void open_listener(struct master *m, const struct conf_listener *l)
{
    struct err e = {0};
    int fd;
    if (l->socket[0])
        open_socket(m, l);
    for (size_t i = 0; l->port != 0 && i < l->addresses.n; i++) {
        enum rc rc = socket_listen_tcp(l->addresses.v[i], l->port, &fd, &e);
        if (rc == RC_OK) {
            add_listener(m, l, fd);
        } else if (rc == RC_GONE) { /* a machine without IPv6 */
            log_warn("listener %s: %s", l->name, err_text(&e));
        } else {
            log_error("listener %s: %s; port_offset moves all ports", l->name, err_text(&e));
            exit(1);
        }
    }
}

void setup_listeners(struct master *m)
{
    for (size_t i = 0; i < m->conf->listener_count; i++)
        open_listener(m, &m->conf->listeners[i]);
}
