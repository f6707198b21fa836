/* The master by its pid file and its socket, and as a child that outlives us. */
#include "cli/server.h"

#include "base/clock.h"
#include "base/num.h"
#include "os/file.h"
#include "role/master.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SAID_MAX = 64 << 10, RELOAD_WAIT_MS = 30000, POLL_US = 20000 };

pid_t server_pid(const struct conf *c)
{
    struct buf path AUTO(buf_deinit) = BUF_INIT(4096), text AUTO(buf_deinit) = BUF_INIT(64);
    uint32_t pid = 0;
    master_pid_path(c, &path);
    AUTO(fd_closep) int fd = open(buf_cstr(&path), O_RDONLY | O_CLOEXEC);
    if (fd < 0 || flock(fd, LOCK_SH | LOCK_NB) == 0) /* a running master holds the lock */
        return 0;
    if (fd_read_all(fd, &text) != RC_OK || num_parse_u32(str_trim(buf_str(&text)), INT32_MAX, &pid) != RC_OK)
        return 0;
    return (pid_t)pid;
}

bool server_wait_end(const struct conf *c, int timeout_ms)
{
    for (msec end = clock_mono() + timeout_ms; clock_mono() < end; usleep(POLL_US))
        if (server_pid(c) == 0)
            return true;
    return false;
}

enum rc server_status(const struct conf *c, struct buf *ret)
{
    struct buf path AUTO(buf_deinit) = BUF_INIT(4096);
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    master_socket_path(c, &path);
    if (str_copy(a.sun_path, sizeof a.sun_path, buf_str(&path)) != RC_OK)
        return RC_GONE;
    AUTO(fd_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0)
        return RC_GONE;
    char chunk[8192];
    ssize_t n;
    while ((n = read(fd, chunk, sizeof chunk)) > 0)
        buf_put(ret, chunk, (size_t)n);
    return n == 0 && !ret->overflow ? RC_OK : RC_TEMP;
}

/* --- reloading --- */

/* What the first line of the status says. */
struct reloads {
    uint64_t begun, over;
    bool refused;
};

static enum rc ask_reloads(const struct conf *c, struct reloads *ret)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(SERVER_STATUS_MAX);
    enum { KIND, PID, READY, SINCE, BEGUN, OVER, REFUSED, FIELDS };
    str field[FIELDS];
    enum rc rc = server_status(c, &text);
    str line = buf_str(&text);
    for (int i = 0; i < FIELDS; i++)
        field[i] = str_take(&line, '\t');
    if (rc != RC_OK || num_parse_u64(field[BEGUN], UINT64_MAX, &ret->begun) != RC_OK ||
        num_parse_u64(field[OVER], UINT64_MAX, &ret->over) != RC_OK)
        return RC_GONE;
    ret->refused = str_eq(field[REFUSED], S("1"));
    return RC_OK;
}

int server_reload(struct cli *cli, pid_t master)
{
    struct reloads before, now;
    bool tells = ask_reloads(cli->conf, &before) == RC_OK; /* else nobody but its log knows when it is done */
    if (kill(master, SIGHUP) != 0)
        return cli_fail("cannot signal the server (process %d): %s", master, strerror(errno));
    for (msec end = clock_mono() + RELOAD_WAIT_MS; tells && clock_mono() < end; usleep(POLL_US)) {
        if (ask_reloads(cli->conf, &now) != RC_OK || now.over <= before.begun)
            continue;
        return now.refused ? cli_fail("the server keeps its old settings; its log says what is wrong")
                           : CLI_FINE;
    }
    return tells
               ? cli_fail("the server (process %d) has not taken the settings within %d seconds; see its log",
                          master, RELOAD_WAIT_MS / 1000)
               : CLI_FINE;
}

/* --- starting --- */

/* The child: nothing of whoever started it is kept but where it says that it is ready. */
static _Noreturn void serve(struct cli *cli, int out, int err)
{
    char *argv[] = {(char *)"run", NULL};
    int null = open("/dev/null", O_RDWR);
    if (null < 0 || setsid() < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
        dup2(err, STDERR_FILENO) < 0)
        _exit(CLI_FINDING);
    close_range(STDERR_FILENO + 1, ~0U, 0);
    exit(cmd_run(1, argv, cli));
}

/* Passes on what the child says on standard error; false at its end. */
static bool pass_on(int fd)
{
    char chunk[4096];
    ssize_t n = read(fd, chunk, sizeof chunk);
    if (n > 0 && fwrite(chunk, 1, (size_t)n, stderr) != (size_t)n)
        return false;
    return n > 0 || (n < 0 && errno == EINTR);
}

/* Reads its standard output; true once it has said that it is ready. */
static bool hear(int fd, struct buf *said, bool *ret_ended)
{
    char chunk[4096];
    ssize_t n = read(fd, chunk, sizeof chunk);
    if (n > 0)
        buf_put(said, chunk, (size_t)n);
    *ret_ended = n == 0 || (n < 0 && errno != EINTR) || said->overflow;
    return str_find(buf_str(said), S("malle: ready\n")) >= 0;
}

static bool wait_ready(int out, int err)
{
    AUTO(buf_deinit) struct buf said = BUF_INIT(SAID_MAX);
    bool ready = false, ended = false;
    struct pollfd p[] = {{.fd = out, .events = POLLIN}, {.fd = err, .events = POLLIN}};
    while (!ready && !ended) {
        if (poll(p, 2, -1) < 0 && errno != EINTR)
            return false;
        if (p[1].revents && !pass_on(err))
            p[1].fd = -1;
        if (p[0].revents)
            ready = hear(out, &said, &ended);
    }
    while (p[1].fd >= 0 && poll(&p[1], 1, 0) > 0 && pass_on(err))
        ;
    return ready;
}

int server_start(struct cli *cli)
{
    int out[2], err[2], status = 0;
    const struct conf *c = cli_conf(cli);
    if (!c)
        return CLI_FINDING;
    if (str_eq(str_c(c->log_target), S("stderr")))
        cli_warn("log_target is stderr: what a server in the background logs is lost");
    fflush(NULL);
    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0)
        return cli_fail("no pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid < 0)
        return cli_fail("no process can be started: %s", strerror(errno));
    if (pid == 0)
        serve(cli, out[1], err[1]);
    close(out[1]);
    close(err[1]);
    bool ready = wait_ready(out[0], err[0]);
    if (!ready) {
        kill(pid, SIGTERM);
        (void)waitpid(pid, &status, 0);
    }
    close(out[0]);
    close(err[0]);
    return ready ? CLI_FINE : CLI_FINDING;
}
