/* The process table, the links between roles, and what happens when a role ends. */
#include "base/log.h"
#include "os/file.h"
#include "os/proc.h"
#include "role/ipc.h"
#include "role/master_impl.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static bool always(const struct conf *c)
{
    return true;
}

/* Also without system_users: it knows the names of those who call sendmail. */
static bool started_by_root(const struct conf *c)
{
    return geteuid() == 0;
}

/* Only for what the configuration lets mail be handed to. Without root there are no users of the system. */
static bool runs_programs(const struct conf *c)
{
    bool any = c->forward_path[0] || c->mailbox_command[0] || c->mailbox_command_maps[0] ||
               c->mailbox_transport_maps[0];
    bool users = c->system_users && geteuid() == 0 && any;
    bool spawns = conf_listens(c, CONF_SPAWN);
    bool aliases = c->alias_maps[0] && (c->allow_mail_to_commands.n > 0 || c->allow_mail_to_files.n > 0);
    return users || aliases || spawns || c->pipe_transports[0] || c->quota_warning_programs[0];
}

static bool serves_sasl(const struct conf *c)
{
    return conf_listens(c, CONF_AUTH_CLIENT);
}

static bool serves_userdb(const struct conf *c)
{
    return conf_listens(c, CONF_AUTH_USERDB);
}

static const struct master_role process_table[] = {
    {"proxymap", NO_KEYS, 3, table_settings_ask, .retires = true},
    {"auth-worker", NO_KEYS, 3, started_by_root},
    {"auth", NO_KEYS, 3, always},
    {"queue", NO_KEYS, 2, always},
    {"mailbox", NO_KEYS, 1, always},
    {"command", NO_KEYS, 1, runs_programs},
    {"smtp", CLIENT_KEYS, 0, always, .retires = true},
    {"smtpd", SERVER_KEYS, 0, always},
    {"submission", SERVER_KEYS, 0, always},
    {"login", SERVER_KEYS, 0, always},
    {"sasl", NO_KEYS, 0, serves_sasl},
    {"userdb", NO_KEYS, 0, serves_userdb},
};

/* Who asks whom. */
static const struct {
    const char *asker, *answerer;
} link_table[] = {

    {"smtpd", "auth"},          {"smtpd", "mailbox"},    {"smtpd", "queue"},    {"submission", "auth"},
    {"submission", "mailbox"},  {"submission", "queue"}, {"login", "auth"},     {"login", "mailbox"},
    {"mailbox", "auth"},        {"auth", "auth-worker"}, {"queue", "auth"},     {"queue", "mailbox"},
    {"smtp", "queue"},          {"auth", "proxymap"},    {"queue", "proxymap"}, {"smtp", "proxymap"},
    {"queue", "command"},       {"sasl", "auth"},        {"userdb", "auth"},    {"smtpd", "proxymap"},
    {"submission", "proxymap"}, {"mailbox", "command"},
};

enum { STOP_PHASES = 4, STOP_TIMEOUT_MS = 1600, RESTART_PAUSE_MS = 900, HEALTHY_MS = 2000 };

void children_plan(struct master *m)
{
    for (size_t i = 0; i < sizeof process_table / sizeof process_table[0]; i++) {
        const struct master_role *role = &process_table[i];
        int count = str_eq(str_c(role->name), S("login")) ? m->conf->login_processes : 1;
        for (int k = 0; k < count && role->wanted(m->conf); k++) {
            must(m->n_children < MASTER_CHILDREN_MAX);
            m->children[m->n_children++] = (struct child){.role = role, .control = -1};
        }
    }
}

/* --- messages to a child --- */

static void tell(struct child *c, struct buf *b, const int *fds, unsigned n_fds)
{
    if (c->control < 0)
        return;
    enum rc rc = ipc_send(c->control, b, fds, n_fds, IPC_NOWAIT);
    if (rc == RC_LIMIT) { /* it does not read its control link any more */
        log_error("%s[%d] does not answer: ending it", c->role->name, c->pid);
        kill(c->pid, SIGKILL);
    }
}

static void tell_conf(struct master *m, struct child *c, struct buf *b)
{
    int fds[] = {m->conf_fd, m->keys_fds[c->role->keys], STDERR_FILENO};
    ipc_begin(b, MSG_CONTROL_CONF);
    tell(c, b, fds, 3);
}

static const char *role_of_protocol(enum conf_protocol p)
{
    switch (p) {
    case CONF_SMTP:
    case CONF_LMTP:
    case CONF_QUOTA_STATUS:
        return "smtpd";
    case CONF_SUBMISSION:
    case CONF_LOCAL:
        return "submission";
    case CONF_IMAP:
    case CONF_POP3:
        return "login";
    case CONF_AUTH_CLIENT:
        return "sasl";
    case CONF_AUTH_USERDB:
        return "userdb";
    case CONF_SPAWN:
        return "command";
    }
    return "";
}

static void tell_listeners(struct master *m, struct child *c, struct buf *b)
{
    for (size_t i = 0; i < m->n_listeners; i++) {
        const struct role_listener *l = &m->listeners[i];
        if (!is_role(c, role_of_protocol(l->protocol)))
            continue;
        ipc_begin(b, MSG_CONTROL_LISTEN);
        ipc_put_str(b, str_c(l->name));
        ipc_put_u32(b, l->protocol);
        ipc_put_u32(b, l->tls);
        tell(c, b, &l->fd, 1);
    }
}

static void tell_link(struct child *c, const struct child *peer, bool serve, int fd, struct buf *b)
{
    ipc_begin(b, MSG_CONTROL_LINK);
    ipc_put_str(b, str_c(peer->role->name));
    ipc_put_u32(b, serve ? 1 : 0);
    ipc_put_u32(b, (uint32_t)peer->pid);
    tell(c, b, &fd, 1);
}

static void make_link(struct child *asker, struct child *answerer, struct buf *b)
{
    int fd[2];
    if (ipc_pair(fd) != RC_OK) {
        log_error("no descriptors left for a link between %s and %s", asker->role->name,
                  answerer->role->name);
        return;
    }
    tell_link(asker, answerer, false, fd[0], b);
    tell_link(answerer, asker, true, fd[1], b);
    close(fd[0]);
    close(fd[1]);
}

/* Links c with every running peer that the table names. */
static void make_links(struct master *m, struct child *c, struct buf *b)
{
    for (size_t i = 0; i < sizeof link_table / sizeof link_table[0]; i++) {
        for (size_t k = 0; k < m->n_children; k++) {
            struct child *other = &m->children[k];
            if (other == c || other->control < 0)
                continue;
            if (other->retired && is_role(other, link_table[i].answerer))
                continue; /* its successor answers */
            if (is_role(c, link_table[i].asker) && is_role(other, link_table[i].answerer))
                make_link(c, other, b);
            if (is_role(c, link_table[i].answerer) && is_role(other, link_table[i].asker))
                make_link(other, c, b);
        }
    }
}

static void tell_plain(struct child *c, enum ipc_type type, struct buf *b)
{
    ipc_begin(b, (uint16_t)type);
    tell(c, b, NULL, 0);
}

/* --- starting --- */

void children_start(struct master *m, struct child *c)
{
    struct buf b = BUF_INIT(IPC_MAX);
    c->started = clock_mono();
    c->ready = false;
    c->owed = 0;
    if (proc_start_role(c->role->name, c->role->name, &c->pid, &c->control) != RC_OK) {
        log_error("cannot start %s: %s", c->role->name, strerror(errno));
        c->pid = 0;
        c->restart_at = clock_mono() + RESTART_PAUSE_MS;
        return;
    }
    tell_conf(m, c, &b);
    tell_listeners(m, c, &b);
    if (is_role(c, "queue")) {
        ipc_begin(&b, MSG_CONTROL_DIR);
        ipc_put_str(&b, S("spool"));
        tell(c, &b, &m->spool_fd, 1);
    }
    make_links(m, c, &b);
    tell_plain(c, MSG_CONTROL_START, &b);
    buf_deinit(&b);
}

void children_start_all(struct master *m)
{
    for (size_t i = 0; i < m->n_children; i++)
        children_start(m, &m->children[i]);
}

void children_send_conf(struct master *m)
{
    struct buf b = BUF_INIT(IPC_MAX);
    for (size_t i = 0; i < m->n_children; i++) {
        m->children[i].owed++;
        tell_conf(m, &m->children[i], &b);
    }
    buf_deinit(&b);
}

/* Starts a successor. False: there is no room for one. */
static bool retire(struct master *m, struct child *c)
{
    if (m->n_children == MASTER_CHILDREN_MAX || c->retired) {
        log_warn("%s[%d] wants to retire; it has to go on", c->role->name, c->pid);
        return false;
    }
    struct child *successor = &m->children[m->n_children++];
    *successor = (struct child){.role = c->role, .control = -1};
    c->retired = true;
    children_start(m, successor);
    return true;
}

void children_replace(struct master *m, const char *role, const char *what)
{
    struct buf b = BUF_INIT(64);
    size_t n = m->n_children; /* without the successors that come behind them */
    for (size_t i = 0; i < n; i++) {
        struct child *c = &m->children[i];
        if (c->pid == 0 || c->retired || !is_role(c, role))
            continue;
        log_info("%s[%d]: its %s changed", role, c->pid, what);
        if (c->role->retires) { /* what is half sent may not be sent twice, what is half asked not be lost */
            if (retire(m, c))
                tell_plain(c, MSG_CONTROL_RETIRE, &b);
            continue;
        }
        c->replaced = true;
        tell_plain(c, MSG_CONTROL_STOP, &b);
    }
    buf_deinit(&b);
}

void children_forget(struct master *m)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(64);
    for (size_t i = 0; i < m->n_children; i++)
        if (m->children[i].pid != 0 && is_role(&m->children[i], "auth"))
            tell_plain(&m->children[i], MSG_CONTROL_FORGET, &b);
}

void children_tell_status(struct master *m, int fd)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(64);
    for (size_t i = 0; i < m->n_children; i++) {
        const struct child *c = &m->children[i];
        if (!c->ready || !is_role(c, "mailbox"))
            continue;
        ipc_begin(&b, MSG_CONTROL_STATUS);
        if (ipc_send(c->control, &b, &fd, 1, IPC_NOWAIT) != RC_OK)
            log_debug("status: mailbox does not hear");
    }
}

bool children_all_ready(const struct master *m)
{
    for (size_t i = 0; i < m->n_children; i++)
        if (!m->children[i].ready)
            return false;
    return true;
}

bool children_all_applied(const struct master *m)
{
    for (size_t i = 0; i < m->n_children; i++) {
        const struct child *c = &m->children[i];
        if (!c->retired && (!c->ready || c->replaced || c->owed > 0))
            return false;
    }
    return true;
}

/* --- ending --- */

static void log_end(const struct child *c, int status)
{
    if (WIFSIGNALED(status))
        log_error("%s[%d] was killed by signal %d (%s)%s: starting it again", c->role->name, c->pid,
                  WTERMSIG(status), strsignal(WTERMSIG(status)), WCOREDUMP(status) ? ", core dumped" : "");
    else if (WEXITSTATUS(status) != 0)
        log_error("%s[%d] ended with status %d: starting it again", c->role->name, c->pid,
                  WEXITSTATUS(status));
    else
        log_info("%s[%d] ended: starting it again", c->role->name, c->pid);
}

static void child_ended(struct master *m, struct child *c, int status)
{
    if (c->retired) { /* the last row takes its place */
        fd_closep(&c->control);
        *c = m->children[--m->n_children];
        return;
    }
    if (!m->stopping) {
        log_end(c, status);
        c->restarts += !c->replaced;
        /* one that just started pauses, so that a role that cannot live does not take the machine with it */
        bool healthy = clock_mono() - c->started > HEALTHY_MS;
        c->restart_at = clock_mono() + (healthy || c->replaced ? 0 : RESTART_PAUSE_MS);
    }
    c->replaced = false;
    fd_closep(&c->control);
    c->pid = 0;
    c->ready = false;
}

void children_reap(struct master *m)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        pickup_ended(m, pid);
        for (size_t i = 0; i < m->n_children; i++)
            if (m->children[i].pid == pid) {
                child_ended(m, &m->children[i], status);
                break;
            }
    }
}

void children_restart_due(struct master *m)
{
    for (size_t i = 0; i < m->n_children && !m->stopping; i++) {
        struct child *c = &m->children[i];
        if (c->pid == 0 && c->restart_at <= clock_mono())
            children_start(m, c); /* a retired one has no row without a process */
    }
}

msec children_next_restart(const struct master *m)
{
    msec next = 0;
    for (size_t i = 0; i < m->n_children; i++)
        if (m->children[i].pid == 0 && (next == 0 || m->children[i].restart_at < next))
            next = m->children[i].restart_at;
    return next;
}

void children_read(struct master *m, struct child *c)
{
    struct buf in = BUF_INIT(IPC_MAX);
    struct ipc_msg msg;
    enum rc rc = ipc_recv(c->control, &in, &msg, 0);
    if (rc == RC_OK) {
        if (msg.type == MSG_CONTROL_READY)
            c->ready = true;
        else if (msg.type == MSG_CONTROL_APPLIED && c->owed > 0)
            c->owed--;
        else if (msg.type == MSG_CONTROL_RETIRE)
            (void)retire(m, c);
        else if (msg.type == MSG_CONTROL_CONNECT && (is_role(c, "smtp") || is_role(c, "smtpd") ||
                                                     is_role(c, "submission") || is_role(c, "proxymap")))
            master_connect(m, c, &msg);
        else
            log_error("%s[%d] sent %s on its control link", c->role->name, c->pid, ipc_type_name(msg.type));
        ipc_msg_deinit(&msg);
    } else if (rc != RC_TEMP) { /* it has ended or is about to: SIGCHLD tells how */
        fd_closep(&c->control);
    }
    buf_deinit(&in);
}

/* --- what the configuration wants --- */

static bool runs(const struct master *m, const struct master_role *role)
{
    for (size_t i = 0; i < m->n_children; i++)
        if (m->children[i].role == role && !m->children[i].retired)
            return true;
    return false;
}

static void end_unwanted(struct master *m, const struct master_role *role)
{
    struct buf b = BUF_INIT(64);
    for (size_t i = m->n_children; i-- > 0;) {
        struct child *c = &m->children[i];
        if (c->role != role || c->retired)
            continue;
        log_info("%s[%d]: is not needed any more", role->name, c->pid);
        c->retired = true;
        if (c->pid == 0)
            child_ended(m, c, 0);
        else
            tell_plain(c, MSG_CONTROL_STOP, &b);
    }
    buf_deinit(&b);
}

void children_adjust(struct master *m)
{
    for (size_t i = 0; i < sizeof process_table / sizeof *process_table; i++) {
        const struct master_role *role = &process_table[i];
        bool wanted = role->wanted(m->conf), there = runs(m, role);
        if (there && !wanted)
            end_unwanted(m, role);
        if (there || !wanted)
            continue;
        if (m->n_children == MASTER_CHILDREN_MAX) {
            log_error("no room for %s", role->name);
            continue;
        }
        struct child *c = &m->children[m->n_children++];
        *c = (struct child){.role = role, .control = -1};
        children_start(m, c);
    }
}

/* --- the end --- */

static bool phase_running(const struct master *m, unsigned phase)
{
    for (size_t i = 0; i < m->n_children; i++)
        if (m->children[i].role->phase == phase && m->children[i].pid != 0)
            return true;
    return false;
}

static void wait_for_phase(struct master *m, unsigned phase, msec deadline)
{
    while (phase_running(m, phase) && clock_mono() < deadline) {
        struct pollfd p = {.fd = m->signal_fd, .events = POLLIN};
        char drop[4096];
        poll(&p, 1, 20);
        while (read(m->signal_fd, drop, sizeof drop) > 0)
            ;
        children_reap(m);
    }
}

void children_stop(struct master *m)
{
    struct buf b = BUF_INIT(IPC_MAX);
    msec deadline = clock_mono() + STOP_TIMEOUT_MS;
    m->stopping = true;
    for (unsigned phase = 0; phase < STOP_PHASES; phase++) {
        for (size_t i = 0; i < m->n_children; i++)
            if (m->children[i].role->phase == phase)
                tell_plain(&m->children[i], MSG_CONTROL_STOP, &b);
        /* the first phase holds the sessions; the later ones need little time, but always some */
        msec now = clock_mono();
        wait_for_phase(m, phase, phase == 0 ? deadline - 400 : (deadline > now + 100 ? deadline : now + 100));
        for (size_t i = 0; i < m->n_children; i++) {
            struct child *c = &m->children[i];
            if (c->role->phase != phase || c->pid == 0)
                continue;
            log_warn("%s[%d] does not end: killing it", c->role->name, c->pid);
            kill(c->pid, SIGKILL);
        }
        wait_for_phase(m, phase, clock_mono() + 200);
    }
    buf_deinit(&b);
}
