/* Listeners of the protocol spawn, after spawn(8): each connection gets a program of its own, as the user
 * that the configuration names, with the connection as its standard input, output and error. Run by the
 * server of command.c, in no cage. As many programs as process_limit permits; further connections wait in the
 * kernel. One that runs for longer than command_time_limit is killed. */
#include "role/command_impl.h"

#include "base/clock.h"
#include "base/log.h"
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

struct door {
    struct source_fd source;
    const char *name; /* of its listener */
    int running, limit;
};

struct spawned {
    struct spawned *next;
    struct door *door;
    pid_t pid; /* and its process group */
    msec kill_at;
};

static struct {
    struct role *role;
    int epoll;
    struct door doors[ROLE_LISTENERS_MAX];
    struct spawned *all;
} self;

/* --- the new process --- */

/* Does not return; `connection` is the only descriptor that stays. Standard error is the log until then. */
static _Noreturn void become_program(const struct door *door, const struct pipe_def *d, int connection)
{
    enum { LOG = STDERR_FILENO + 1 };
    static struct command_env env;
    char *argv[PIPE_ARGS_MAX + 1] = {NULL};
    for (size_t i = 0; i < d->argc; i++)
        argv[i] = str_dup(d->argv[i]);
    command_env_make(self.role->conf, NULL, NULL, STR_NONE, &env);
    if (dup2(connection, STDIN_FILENO) < 0 || dup2(connection, STDOUT_FILENO) < 0 ||
        dup2(STDERR_FILENO, LOG) < 0 || fcntl(LOG, F_SETFD, FD_CLOEXEC) != 0 ||
        dup2(STDIN_FILENO, STDERR_FILENO) < 0 || close_range(LOG + 1, ~0U, 0) != 0)
        _exit(EX_TEMPFAIL);
    (void)!chdir("/");
    execve(argv[0], argv, env.v);
    int why = errno;
    (void)dup2(LOG, STDERR_FILENO);
    log_error("listener %s: %s: %s", door->name, argv[0], strerror(why));
    _exit(EX_TEMPFAIL);
}

static _Noreturn void run(const struct door *door, int connection, pid_t server)
{
    const struct conf *c = self.role->conf;
    const struct conf_listener *l = conf_find_listener(c, str_c(door->name));
    struct pipe_def d;
    struct command_user u;
    struct err e = {0};
    must(l && pipe_def_program(str_c(l->program), &d) == RC_OK);
    setsid();
    command_reset_signals();
    enum rc rc = command_user_find(c, d.user, d.group, false, &u, &e);
    if (rc != RC_OK) {
        log_error("listener %s: %s", door->name, rc == RC_GONE ? "there is no such user" : err_text(&e));
        _exit(EX_CONFIG);
    }
    command_become(&u);
    if (getppid() != server) /* its end would not be heard of any more */
        _exit(EX_TEMPFAIL);
    become_program(door, &d, connection);
}

/* --- the server --- */

static void watch(struct door *door, uint32_t events)
{
    struct epoll_event ev = {.events = events, .data.ptr = &door->source};
    must(epoll_ctl(self.epoll, EPOLL_CTL_MOD, door->source.fd, &ev) == 0);
}

static void start(struct door *door, int connection)
{
    const struct conf *c = conf_of_listener(self.role->conf, str_c(door->name));
    pid_t server = getpid(), pid = fork();
    if (pid == 0)
        run(door, connection, server);
    if (pid < 0) {
        log_error("listener %s: no process for a program: %s", door->name, strerror(errno));
        return;
    }
    struct spawned *s = calloc(1, sizeof *s);
    must(s);
    *s = (struct spawned){
        .next = self.all, .door = door, .pid = pid, .kill_at = clock_mono() + c->command_time_limit_ms};
    self.all = s;
    if (++door->running == door->limit)
        watch(door, 0);
}

static void door_ready(struct source_fd *s)
{
    struct door *door = (struct door *)s;
    int connection = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC); /* a program expects one that blocks */
    if (connection < 0)
        return;
    start(door, connection);
    close(connection);
}

void command_spawn_start(struct role *r, int epoll)
{
    self.role = r;
    self.epoll = epoll;
    for (size_t i = 0; i < r->n_listeners; i++) {
        struct door *door = &self.doors[i];
        const struct conf_listener *l = conf_find_listener(r->conf, str_c(r->listeners[i].name));
        must(l && fd_set_nonblocking(r->listeners[i].fd, true) == RC_OK);
        *door = (struct door){.source = {.fd = r->listeners[i].fd, .ready = door_ready},
                              .name = r->listeners[i].name,
                              .limit = l->process_limit};
        struct epoll_event ev = {.events = EPOLLIN, .data.ptr = &door->source};
        must(epoll_ctl(epoll, EPOLL_CTL_ADD, door->source.fd, &ev) == 0);
    }
}

static void log_end(const struct door *door, int status)
{
    if (WIFSIGNALED(status))
        log_warn("listener %s: its program was ended by signal %d", door->name, WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        log_warn("listener %s: its program ended with status %d", door->name, WEXITSTATUS(status));
}

bool command_spawn_ended(pid_t pid, int status)
{
    struct spawned **at = &self.all, *s;
    while (*at && (*at)->pid != pid)
        at = &(*at)->next;
    s = *at;
    if (!s)
        return false;
    *at = s->next;
    log_end(s->door, status);
    if (s->door->running-- == s->door->limit)
        watch(s->door, EPOLLIN);
    free(s);
    return true;
}

int command_spawn_wait_ms(void)
{
    msec next = INT64_MAX, now = clock_mono();
    for (const struct spawned *s = self.all; s; s = s->next)
        next = s->kill_at < next ? s->kill_at : next;
    if (next == INT64_MAX)
        return -1;
    return next <= now ? 0 : next - now < INT_MAX ? (int)(next - now) : INT_MAX;
}

void command_spawn_kill_overdue(void)
{
    for (struct spawned *s = self.all; s; s = s->next) {
        if (s->kill_at > clock_mono())
            continue;
        log_warn("listener %s: a program has run for longer than command_time_limit", s->door->name);
        kill(-s->pid, SIGKILL);
        kill(s->pid, SIGKILL); /* when it has not made its group yet */
        s->kill_at = INT64_MAX;
    }
}

void command_spawn_stop(void)
{
    for (const struct spawned *s = self.all; s; s = s->next)
        kill(-s->pid, SIGTERM);
}
