/* The mailbox role: the only place where privilege becomes a user. It starts one caged process per IMAP or
 * POP3 session and one deliver process per Unix uid, for identities that it fetches from auth itself; it
 * holds the one inotify instance. Root, single-threaded, no network; it forks sessions without exec, so it
 * must never have threads. */
#include "base/log.h"
#include "os/file.h"
#include "role/mailbox_impl.h"
#include "role/master.h"

#include "fmt/charset.h"
#include "fmt/unicode.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { AUTH_TIMEOUT_MS = 10000, LINKS_MAX = 1024 };

static struct mailbox self;

enum rc source_add(struct mailbox *mb, struct source *s)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = s};
    return epoll_ctl(mb->epoll, EPOLL_CTL_ADD, s->fd, &ev) == 0 ? RC_OK : RC_PERM;
}

void source_del(struct mailbox *mb, struct source *s)
{
    if (s->fd >= 0)
        epoll_ctl(mb->epoll, EPOLL_CTL_DEL, s->fd, NULL);
    fd_closep(&s->fd);
}

/* --- identities --- */

static enum rc refuse_uid(struct mailbox *mb, const struct account_identity *id, struct err *e)
{
    const struct conf *c = mb->role->conf;
    bool us = geteuid() != 0 && id->uid == geteuid(); /* not started by root: everything is ours */
    bool permitted = identity_uid_permitted(id->uid, c->first_valid_uid, c->last_valid_uid) &&
                     identity_gid_permitted(id->gid, c->first_valid_gid, c->last_valid_gid);
    for (size_t i = 0; i < id->n_groups; i++)
        permitted = permitted && id->groups[i] != 0 && id->groups[i] != (gid_t)-1;
    if (us || (geteuid() == 0 && permitted))
        return RC_OK;
    (void)err_set(e, RC_PERM, 550, "5.7.1", "This account has no mailbox here");
    err_note(e, "%s: uid %u or gid %u is not permitted (first_valid_uid %d)", id->account, id->uid, id->gid,
             c->first_valid_uid);
    return RC_PERM;
}

enum rc mailbox_identity(struct mailbox *mb, enum ipc_type question, str argument, uint32_t login,
                         struct account_identity *ret, struct err *e)
{
    struct buf b AUTO(buf_deinit) = BUF_INIT(IPC_MAX);
    struct ipc_msg m;
    struct err answer = {0};
    ipc_begin(&b, (uint16_t)question);
    ipc_put_str(&b, argument);
    ipc_put_u32(&b, login);
    if (channel_pool_ask(mb->auth, &b, MSG_IDENTITY_REPLY, &m, clock_mono() + AUTH_TIMEOUT_MS) != RC_OK)
        return err_set(e, RC_TEMP, 451, "4.3.0", "Temporary authentication failure");
    ipc_get_err(&m, &answer);
    str bytes = ipc_get_str(&m, IDENTITY_BYTES_MAX);
    AUTO(fd_closep) int total = m.n_fds > 0 ? ipc_take_fd(&m) : -1;
    enum rc rc = answer.rc;
    if (rc != RC_OK)
        *e = answer;
    else if (ipc_end(&m) != RC_OK || identity_get(bytes, ret) != RC_OK)
        rc = err_set(e, RC_TEMP, 451, "4.3.0", "Temporary authentication failure");
    ipc_msg_deinit(&m);
    if (rc != RC_OK)
        return rc;
    domain_total_keep(mb, ret->account, total);
    total = -1;
    access_groups_add(&mb->access_groups, ret);
    return refuse_uid(mb, ret, e);
}

/* --- requests on channels --- */

struct link { /* a link from login, smtpd or submission, and every channel that was opened on it */
    struct source source;
    char peer[24];
    uint32_t instance; /* the peer's process id */
    bool is_channel;
};

static void link_close(struct mailbox *mb, struct link *l)
{
    source_del(mb, &l->source);
    mb->n_links--;
    free(l);
}

static void link_refuse(struct mailbox *mb, struct link *l)
{
    log_error("%s sent what is malformed or not permitted: refusing it", l->peer);
    ipc_refuse(l->source.fd);
    link_close(mb, l);
}

static void answer(struct mailbox *mb, struct link *l, struct ipc_msg *m)
{
    struct buf reply AUTO(buf_deinit) = BUF_INIT(IPC_MAX);
    struct err e = {0};
    AUTO(fd_closep) int fd = -1;
    pid_t pid = 0;
    bool from_login = str_eq(str_c(l->peer), S("login"));

    if (m->type == MSG_SESSION_START && from_login) {
        pid = session_start(mb, l->instance, m, &e);
        ipc_begin(&reply, MSG_SESSION_REPLY);
    } else if (m->type == MSG_DELIVER_LINK && !from_login) {
        deliver_link_make(mb, str_c(l->peer), m, &e, &fd);
        ipc_begin(&reply, MSG_DELIVER_LINK_REPLY);
    } else {
        link_refuse(mb, l);
        return;
    }
    if (ipc_end(m) != RC_OK) {
        link_refuse(mb, l);
        return;
    }
    ipc_put_err(&reply, &e);
    if (from_login)
        ipc_put_u32(&reply, (uint32_t)pid);
    if (ipc_send(l->source.fd, &reply, &fd, fd >= 0 ? 1 : 0, IPC_NOWAIT) != RC_OK)
        link_close(mb, l);
}

static void link_add(struct mailbox *mb, const char *peer, uint32_t instance, bool is_channel, int fd);

static void link_ready(struct mailbox *mb, struct source *s)
{
    struct link *l = (struct link *)s;
    struct buf in AUTO(buf_deinit) = BUF_INIT(IPC_MAX);
    struct ipc_msg m;
    enum rc rc = ipc_recv(s->fd, &in, &m, 0);
    if (rc == RC_TEMP || (rc == RC_LIMIT && !l->is_channel))
        return;
    if (rc != RC_OK) {
        if (rc == RC_INVALID)
            link_refuse(mb, l);
        else
            link_close(mb, l);
        return;
    }
    if (l->is_channel) {
        answer(mb, l, &m);
    } else if (m.type == MSG_CHANNEL_OPEN && m.n_fds == 1) {
        link_add(mb, l->peer, l->instance, true, ipc_take_fd(&m));
    } else {
        link_refuse(mb, l);
    }
    ipc_msg_deinit(&m);
}

static void link_add(struct mailbox *mb, const char *peer, uint32_t instance, bool is_channel, int fd)
{
    struct link *l = calloc(1, sizeof *l);
    must(l && str_copy(l->peer, sizeof l->peer, str_c(peer)) == RC_OK);
    l->instance = instance;
    l->is_channel = is_channel;
    l->source = (struct source){.fd = fd, .ready = link_ready};
    mb->n_links++;
    if (mb->n_links <= LINKS_MAX && source_add(mb, &l->source) == RC_OK)
        return;
    log_error("a channel of %s is refused", peer);
    link_close(mb, l);
}

/* --- the loop --- */

static void child_ended(struct mailbox *mb, pid_t pid, int status)
{
    for (struct session *s = mb->sessions; s; s = s->next) {
        if (s->pid == pid) {
            session_ended(mb, s, status);
            return;
        }
    }
    for (struct deliver_proc *d = mb->delivers; d; d = d->next) {
        if (d->pid == pid) {
            deliver_ended(mb, d, status);
            return;
        }
    }
}

static void reap(struct mailbox *mb)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        child_ended(mb, pid, status);
}

static void signal_ready(struct mailbox *mb, struct source *s)
{
    struct signalfd_siginfo si;
    while (read(s->fd, &si, sizeof si) == sizeof si)
        if (si.ssi_signo != SIGCHLD && si.ssi_code == SI_QUEUE)
            park_kick(mb, (uint32_t)si.ssi_int);
    reap(mb);
}

static void control_ready(struct mailbox *mb, struct source *s)
{
    if (!role_control_step(mb->role))
        mb->stopping = true;
}

/* The earlier one of two instants of which each may be 0, never. */
static msec earlier(msec a, msec b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

static void loop(struct mailbox *mb)
{
    struct source control = {.fd = mb->role->control, .ready = control_ready};
    must(source_add(mb, &control) == RC_OK);
    while (!mb->stopping) {
        struct epoll_event ev;
        msec due = earlier(earlier(watch_poll_due(mb), park_due(mb)), mail_used_due(mb));
        msec left = due ? due - clock_mono() : -1;
        park_start_waiting(mb);
        /* one event at a time: what a handler frees may be the subject of a later event of the same batch */
        int n = epoll_wait(mb->epoll, &ev, 1, due && left < 0 ? 0 : (int)left);
        if (n == 1) {
            struct source *s = ev.data.ptr;
            s->ready(mb, s);
        }
    }
}

static void find_mail_user(struct account_identity *ret, const struct conf *c)
{
    const struct passwd *pw = geteuid() == 0 ? getpwnam(c->mail_user) : NULL;
    ret->uid = pw ? pw->pw_uid : geteuid(); /* nobody becomes root: without the user nothing is recovered */
    ret->gid = pw ? pw->pw_gid : getegid();
    ret->home[0] = ret->mail_dir[0] = ret->index_dir[0] = '/';
    must(str_copy(ret->account, sizeof ret->account, str_c(c->mail_user)) == RC_OK);
}

static void mailbox_start(struct role *r)
{
    static struct source signals;
    sigset_t set;
    self.role = r;
    self.epoll = epoll_create1(EPOLL_CLOEXEC);
    must(self.epoll >= 0);
    self.auth = channel_pool_new(1, 0);
    self.command = channel_pool_new(1, 0);
    self.per_origin = map_new();
    self.groups = map_new();
    self.secrets = secret_heap_new();
    self.paused = map_new();
    self.domain_totals = map_new();
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, MASTER_KICK_SIGNAL);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signals = (struct source){.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), .ready = signal_ready};
    must(signals.fd >= 0);
    must(source_add(&self, &signals) == RC_OK);
    watch_init(&self);
    find_mail_user(&self.mail_user, r->conf);
    access_groups_find(r->conf, &self.access_groups);
    access_groups_add(&self.access_groups, &self.mail_user);
    charset_preload(); /* sessions cannot load converters inside their chroot */
    unicode_preload();
    (void)map_hash(S(""));
    cage_prepare();
    sandbox_enter(&(struct sandbox){.role = ROLE_MAILBOX, .uid = (uid_t)-1, .gid = (gid_t)-1});
}

static void mailbox_link(struct role *r, const struct role_link *l)
{
    if (l->serve) {
        link_add(&self, l->peer, l->instance, false, l->fd);
        return;
    }
    if (str_eq(str_c(l->peer), S("command"))) {
        channel_pool_set_link(self.command, l->fd);
        return;
    }
    channel_pool_set_link(self.auth, l->fd);
    deliver_auth_changed(&self);
}

/* Sessions end by themselves when login closes their streams; deliver processes when their links close. What
 * is still there is told to end, and then killed: every acknowledged change is on disk already. */
static void mailbox_stop(struct role *r)
{
    self.stopping = true;
    for (struct session *s = self.sessions; s; s = s->next)
        kill(s->pid, SIGTERM);
    for (struct deliver_proc *d = self.delivers; d; d = d->next)
        source_del(&self, &d->control); /* a control link that closes ends the process */
    for (msec end = clock_mono() + 300; clock_mono() < end && (self.sessions || self.delivers); usleep(5000))
        reap(&self);
    for (struct session *s = self.sessions; s; s = s->next)
        kill(s->pid, SIGKILL);
    for (struct deliver_proc *d = self.delivers; d; d = d->next)
        kill(d->pid, SIGKILL);
}

static void mailbox_serve(struct role *r)
{
    deliver_recover(&self);
}

static void mailbox_status(struct role *r, int fd)
{
    park_list(&self, fd);
    fd_closep(&fd);
}

static void mailbox_reload(struct role *r)
{
    deliver_retire_all(&self);
    sessions_reopen_log(&self);
}

int mailbox_role(void)
{
    static const struct role_ops ops = {.start = mailbox_start,
                                        .link = mailbox_link,
                                        .serve = mailbox_serve,
                                        .reload = mailbox_reload,
                                        .status = mailbox_status,
                                        .stop = mailbox_stop};
    static struct role r = {.name = "mailbox", .ops = &ops};
    role_begin(&r);
    loop(&self);
    return 0;
}
