/* The role `command`: has programs run and files written that users, aliases and the configuration name. A
 * single-threaded server that reads requests of queue and mailbox and forks a runner for each
 * (command_run.c), which becomes the user and answers itself; and a program for each connection to a
 * listener of the protocol spawn (command_spawn.c). Root, since it is the one who turns into users;
 * it parses no message, no .forward and no command itself. It has no cage, because that would be the
 * programs' cage, too. */
#include "base/log.h"
#include "os/channel.h"
#include "os/file.h"
#include "role/command_impl.h"
#include "role/ipc.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINKS_MAX = 512, TERM_MS = 2000, STOP_MS = 300 };

struct link { /* a link of queue or mailbox, and every channel that was opened on it */
    struct source_fd source;
    struct link *next;
    bool of_mailbox, is_channel;
    pid_t runner;     /* 0: none; until it has ended nothing but the channel's end is waited for */
    uint16_t request; /* its type */
};

struct ending { /* a runner whose channel closed: told to end, and killed when it does not */
    struct ending *next;
    pid_t pid;
    msec kill_at;
};

static struct command_server {
    struct role *role;
    int epoll;
    bool stopping;
    struct link *links;
    struct ending *endings;
    size_t n_links;
} self;

static void source_add(struct source_fd *s)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = s};
    must(epoll_ctl(self.epoll, EPOLL_CTL_ADD, s->fd, &ev) == 0);
}

static void watch(struct link *l, uint32_t events)
{
    struct epoll_event ev = {.events = events, .data.ptr = &l->source};
    must(epoll_ctl(self.epoll, EPOLL_CTL_MOD, l->source.fd, &ev) == 0);
}

/* --- runners --- */

static void end_runner(pid_t pid)
{
    struct ending *en = calloc(1, sizeof *en);
    must(en);
    kill(pid, SIGTERM);
    *en = (struct ending){.next = self.endings, .pid = pid, .kill_at = clock_mono() + TERM_MS};
    self.endings = en;
}

/* False: it is none of these. */
static bool forget_ending(pid_t pid)
{
    for (struct ending **at = &self.endings; *at; at = &(*at)->next) {
        struct ending *en = *at;
        if (en->pid != pid)
            continue;
        *at = en->next;
        free(en);
        return true;
    }
    return false;
}

static void kill_overdue(void)
{
    for (struct ending *en = self.endings; en; en = en->next)
        if (en->kill_at <= clock_mono())
            kill(en->pid, SIGKILL);
}

/* --- links and channels --- */

static void link_close(struct link *l)
{
    struct link **at = &self.links;
    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    self.n_links--;
    epoll_ctl(self.epoll, EPOLL_CTL_DEL, l->source.fd, NULL);
    close(l->source.fd);
    if (l->runner)
        end_runner(l->runner);
    free(l);
}

static void link_refuse(struct link *l)
{
    log_error("%s sent what is malformed or not permitted: refusing it", l->of_mailbox ? "mailbox" : "queue");
    ipc_refuse(l->source.fd);
    link_close(l);
}

/* The runner ended without an answer. */
static void answer_failure(struct link *l)
{
    struct buf b AUTO(buf_deinit) = BUF_INIT(IPC_MAX);
    struct err e = {0};
    (void)err_set(&e, RC_TEMP, 450, "4.3.0", "the command was interrupted");
    if (l->request == MSG_COMMAND_EXPAND)
        command_targets_put(&b, &e, NULL, 0);
    else
        command_done_put(&b, &e, str_c(e.peer));
    if (ipc_send(l->source.fd, &b, NULL, 0, IPC_NOWAIT) != RC_OK)
        link_close(l);
}

/* In the new process: nothing of the server stays, but the channel, what came with the request and the log.
 */
static _Noreturn void become_runner(struct link *l, struct ipc_msg *m, pid_t server)
{
    sigset_t none;
    int channel = l->source.fd, content = m->n_fds > 0 ? m->fds[0] : -1;
    unsigned low = (unsigned)channel, high = (unsigned)channel;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid();
    if (getppid() != server)
        _exit(RUNNER_FAILED);
    if (content >= 0) {
        low = (unsigned)(content < channel ? content : channel);
        high = (unsigned)(content < channel ? channel : content);
    }
    if (low > 3)
        must(close_range(3, low - 1, 0) == 0);
    if (high > low + 1)
        must(close_range(low + 1, high - 1, 0) == 0);
    must(close_range(high + 1, ~0U, 0) == 0);
    command_runner(self.role->conf, m, channel);
}

/* queue asks for no more at one time than it has threads for that (command_processes). */
static bool is_full(void)
{
    int n = 0;
    for (const struct link *l = self.links; l; l = l->next)
        n += l->runner != 0;
    return n >= self.role->conf->command_processes;
}

static void request(struct link *l, struct ipc_msg *m)
{
    pid_t server = getpid(), pid;
    bool expands = m->type == MSG_COMMAND_EXPAND, runs = m->type == MSG_COMMAND_RUN,
         permitted = l->of_mailbox ? m->type == MSG_COMMAND_WARN : expands || runs;
    if (!permitted || m->n_fds != (runs ? 1 : 0)) {
        link_refuse(l);
        return;
    }
    l->request = m->type;
    if (is_full()) {
        log_warn("more than %d commands are asked for at one time", self.role->conf->command_processes);
        answer_failure(l);
        return;
    }
    pid = fork();
    if (pid == 0)
        become_runner(l, m, server);
    if (pid > 0) {
        l->runner = pid;
        watch(l, 0); /* the next request may be there before the runner's end is known */
        return;
    }
    log_error("no process for a command: %s", strerror(errno));
    answer_failure(l);
}

static void link_add(bool of_mailbox, bool is_channel, int fd);

static void link_ready(struct source_fd *s)
{
    struct link *l = (struct link *)s;
    struct buf in AUTO(buf_deinit) = BUF_INIT(IPC_MAX);
    struct ipc_msg m;
    enum rc rc = l->runner ? RC_GONE : ipc_recv(s->fd, &in, &m, 0);
    if (rc == RC_TEMP)
        return;
    if (rc != RC_OK) {
        if (rc == RC_INVALID)
            link_refuse(l);
        else
            link_close(l);
        return;
    }
    if (l->is_channel)
        request(l, &m);
    else if (m.type == MSG_CHANNEL_OPEN && m.n_fds == 1)
        link_add(l->of_mailbox, true, ipc_take_fd(&m));
    else
        link_refuse(l);
    ipc_msg_deinit(&m);
}

static void link_add(bool of_mailbox, bool is_channel, int fd)
{
    struct link *l = calloc(1, sizeof *l);
    must(l);
    if (self.n_links == LINKS_MAX) {
        log_error("a channel is refused: there are %d", LINKS_MAX);
        close(fd);
        free(l);
        return;
    }
    *l = (struct link){.source = {.fd = fd, .ready = link_ready},
                       .of_mailbox = of_mailbox,
                       .is_channel = is_channel,
                       .next = self.links};
    self.links = l;
    self.n_links++;
    source_add(&l->source);
}

/* --- ends of runners --- */

static void runner_ended(struct link *l, int status)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    l->runner = 0;
    watch(l, EPOLLIN);
    if (code == RUNNER_ANSWERED)
        return;
    if (code == RUNNER_REFUSES) {
        link_refuse(l);
        return;
    }
    if (WIFSIGNALED(status))
        log_error("a runner was killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    answer_failure(l);
}

static void reap(void)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (forget_ending(pid))
            continue;
        struct link *l = self.links;
        if (command_spawn_ended(pid, status))
            continue;
        while (l && l->runner != pid)
            l = l->next;
        if (l)
            runner_ended(l, status);
    }
}

static void signal_ready(struct source_fd *s)
{
    struct signalfd_siginfo si;
    while (read(s->fd, &si, sizeof si) == sizeof si)
        ;
    reap();
}

/* --- the loop --- */

static void control_ready(struct source_fd *s)
{
    if (!role_control_step(self.role))
        self.stopping = true;
}

static void loop(void)
{
    struct source_fd control = {.fd = self.role->control, .ready = control_ready};
    source_add(&control);
    while (!self.stopping) {
        struct epoll_event ev;
        /* one event at a time: what a handler frees may be the subject of a later event of the same batch */
        if (epoll_wait(self.epoll, &ev, 1, self.endings ? STOP_MS : command_spawn_wait_ms()) == 1) {
            struct source_fd *s = ev.data.ptr;
            s->ready(s);
        }
        kill_overdue();
        command_spawn_kill_overdue();
    }
}

static void command_start(struct role *r)
{
    static struct source_fd signals;
    sigset_t set;
    self.role = r;
    self.epoll = epoll_create1(EPOLL_CLOEXEC);
    must(self.epoll >= 0);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signals = (struct source_fd){.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), .ready = signal_ready};
    must(signals.fd >= 0);
    source_add(&signals);
    command_spawn_start(r, self.epoll);
    sandbox_enter(&(struct sandbox){.role = ROLE_COMMAND, .uid = (uid_t)-1, .gid = (gid_t)-1});
}

static void command_link(struct role *r, const struct role_link *l)
{
    if (l->serve)
        link_add(str_eq(str_c(l->peer), S("mailbox")), false, l->fd);
    else
        close(l->fd);
}

/* What runs is ended, and its mail tried again: queue has heard of no success. */
static void command_stop(struct role *r)
{
    self.stopping = true;
    for (struct link *l = self.links; l; l = l->next)
        if (l->runner)
            kill(l->runner, SIGTERM);
    command_spawn_stop();
    for (msec end = clock_mono() + STOP_MS; clock_mono() < end; usleep(5000))
        if (waitpid(-1, NULL, WNOHANG) < 0)
            return; /* none is left */
}

int command_role(void)
{
    static const struct role_ops ops = {.start = command_start, .link = command_link, .stop = command_stop};
    static struct role r = {.name = "command", .ops = &ops};
    role_begin(&r);
    loop();
    return 0;
}
