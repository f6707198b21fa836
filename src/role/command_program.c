/* Running one program: its message goes into a pipe, the first words of what it says come out of another, and
 * its exit status is read as sysexits.h has it. Run by a runner as the user. */
#include "role/command_impl.h"

#include "base/log.h"
#include "fmt/smtp_reply.h"
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

enum { OUTPUT_KEPT = 700, LINGER_MS = 100, KILL_WAIT_MS = 2000 };

struct run {
    const struct program *p;
    pid_t pid;
    int in, out, failed, ended; /* our ends of its pipes, of the one that says why it could not be started,
                                   and its pid descriptor; -1: closed */
    struct buf chunk;           /* of the message, on its way */
    size_t written;
    struct buf output;
    int status;
    bool timed_out, unread; /* unread: the message could not be read */
};

/* --- starting it --- */

static volatile sig_atomic_t running; /* its process group, for the end of the server */

static void end_it(int sig)
{
    if (running > 0)
        kill(-running, SIGKILL);
    _exit(RUNNER_FAILED);
}

void command_reset_signals(void)
{
    sigset_t none;
    struct sigaction def = {.sa_handler = SIG_DFL};
    for (int sig = 1; sig < NSIG; sig++)
        sigaction(sig, &def, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the new process. */
static _Noreturn void start_with(const struct program *p, int in, int out, int failed)
{
    if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0)
        _exit(EX_TEMPFAIL);
    /* all but `failed`, which closes as the program begins */
    if (dup2(failed, STDERR_FILENO + 1) < 0 || close_range(STDERR_FILENO + 2, ~0U, 0) != 0 ||
        fcntl(STDERR_FILENO + 1, F_SETFD, FD_CLOEXEC) != 0)
        _exit(EX_TEMPFAIL);
    if (!p->directory || chdir(p->directory) != 0)
        (void)!chdir("/");
    execve(p->argv[0], p->argv, p->env);
    int why = errno;
    (void)!write(STDERR_FILENO + 1, &why, sizeof why);
    _exit(EX_TEMPFAIL);
}

/* It ends with its parent. */
static _Noreturn void start(const struct program *p, int in, int out, int failed, pid_t parent)
{
    setsid();
    command_reset_signals();
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != parent)
        _exit(EX_TEMPFAIL);
    start_with(p, in, out, failed);
}

/* It ends by itself, or when its time is over. */
static _Noreturn void start_alone(const struct program *p, int failed)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    setsid();
    command_reset_signals();
    if (prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) != 0 || null < 0)
        _exit(EX_TEMPFAIL);
    alarm((unsigned)((p->time_limit + 999) / 1000));
    start_with(p, null, null, failed);
}

static bool open_pipes(int in[2], int out[2], int failed[2])
{
    return pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0 && pipe2(failed, O_CLOEXEC) == 0 &&
           fd_set_nonblocking(in[1], true) == RC_OK && fd_set_nonblocking(out[0], true) == RC_OK;
}

static enum rc begin(struct run *r)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1}, failed[2] = {-1, -1};
    pid_t self = getpid();
    struct sigaction end = {.sa_handler = end_it}, ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGTERM, &end, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    /* the descriptors of a failure go with this process, which ends soon */
    if (!open_pipes(in, out, failed) || (r->pid = fork()) < 0)
        return RC_TEMP;
    if (r->pid == 0)
        start(r->p, in[0], out[1], failed[1], self);
    running = r->pid;
    close(in[0]);
    close(out[1]);
    close(failed[1]);
    r->in = in[1];
    r->out = out[0];
    r->failed = failed[0];
    r->ended = (int)syscall(SYS_pidfd_open, r->pid, 0);
    return RC_OK;
}

/* RC_OK: the program runs. */
static enum rc wait_started(struct run *r, msec deadline, int *ret_errno)
{
    struct pollfd p = {.fd = r->failed, .events = POLLIN};
    msec left = deadline - clock_mono();
    ssize_t n =
        poll(&p, 1, left > 0 ? (int)left : 0) == 1 ? read(r->failed, ret_errno, sizeof *ret_errno) : 0;
    fd_closep(&r->failed);
    return n == (ssize_t)sizeof *ret_errno ? RC_TEMP : RC_OK;
}

/* --- while it runs --- */

static void feed(struct run *r)
{
    if (r->written == r->chunk.n) {
        r->written = 0;
        if (source_next(r->p->source, &r->chunk) != RC_OK) { /* it must not take a part for the whole */
            r->unread = true;
            kill(-r->pid, SIGKILL);
        }
        if (r->unread || r->chunk.n == 0) {
            fd_closep(&r->in);
            return;
        }
    }
    ssize_t n = write(r->in, r->chunk.p + r->written, r->chunk.n - r->written);
    if (n > 0)
        r->written += (size_t)n;
    else if (n < 0 && errno != EAGAIN && errno != EINTR) /* it needs no more */
        fd_closep(&r->in);
}

static void listen_to(struct run *r)
{
    char room[4096];
    ssize_t n = read(r->out, room, sizeof room);
    if (n > 0 && r->output.n < OUTPUT_KEPT)
        buf_puts(&r->output, str_sub(str_mem(room, (size_t)n), 0, OUTPUT_KEPT - r->output.n));
    else if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        fd_closep(&r->out);
}

static bool has_ended(struct run *r)
{
    return waitpid(r->pid, &r->status, WNOHANG) == r->pid;
}

static void attend(struct run *r, msec left)
{
    enum { STEP_MS = 1000, STEP_WITHOUT_PIDFD_MS = 20 };
    struct pollfd p[] = {{.fd = r->in, .events = POLLOUT},
                         {.fd = r->out, .events = POLLIN},
                         {.fd = r->ended, .events = POLLIN}};
    msec step = r->ended >= 0 ? STEP_MS : STEP_WITHOUT_PIDFD_MS;
    if (poll(p, 3, (int)(left < step ? left : step)) <= 0)
        return;
    if (p[0].revents && r->in >= 0)
        feed(r);
    if (p[1].revents && r->out >= 0)
        listen_to(r);
}

/* A program that became somebody else, as one that is set-user-ID may, cannot be killed by its user: it is
 * left alone then, and ends with this process or by itself. */
static void kill_all(struct run *r)
{
    msec until = clock_mono() + KILL_WAIT_MS;
    kill(-r->pid, SIGKILL);
    kill(r->pid, SIGKILL); /* when it has not made its group yet */
    while (!has_ended(r) && clock_mono() < until)
        usleep(1000);
}

/* What it has said before its end may still be in the pipe; who inherited the pipe from it may keep it open.
 */
static void hear_rest(struct run *r)
{
    msec until = clock_mono() + LINGER_MS;
    while (r->out >= 0 && clock_mono() < until) {
        struct pollfd p = {.fd = r->out, .events = POLLIN};
        if (poll(&p, 1, 0) <= 0)
            return;
        listen_to(r);
    }
}

static void wait_for(struct run *r, msec deadline)
{
    while (!has_ended(r)) {
        msec left = deadline - clock_mono();
        if (left <= 0) {
            r->timed_out = true;
            kill_all(r);
            break;
        }
        attend(r, left);
    }
    running = 0;
    hear_rest(r);
}

/* --- what its end means --- */

static const struct {
    int status;
    const char *enhanced, *text;
} exits[] = {
    {EX_USAGE, "5.3.0", "command line usage error"},
    {EX_DATAERR, "5.6.0", "data format error"},
    {EX_NOINPUT, "5.3.0", "cannot open input"},
    {EX_NOUSER, "5.1.1", "user unknown"},
    {EX_NOHOST, "5.1.2", "host name unknown"},
    {EX_UNAVAILABLE, "5.3.0", "service unavailable"},
    {EX_SOFTWARE, "5.3.0", "internal software error"},
    {EX_OSERR, "5.3.0", "system resource problem"},
    {EX_OSFILE, "5.3.5", "critical OS file missing"},
    {EX_CANTCREAT, "5.2.0", "can't create user output file"},
    {EX_IOERR, "5.3.0", "input/output error"},
    {EX_TEMPFAIL, "4.3.0", "temporary failure"},
    {EX_PROTOCOL, "5.5.0", "remote error in protocol"},
    {EX_NOPERM, "5.7.0", "permission denied"},
    {EX_CONFIG, "5.3.5", "local configuration error"},
};

/* One line of what can be printed. */
static str make_printable(struct buf *b)
{
    for (size_t i = 0; i < b->n; i++)
        if ((unsigned char)b->p[i] < ' ' || b->p[i] == 0x7f)
            b->p[i] = b->p[i] == '\n' || b->p[i] == '\t' ? ' ' : '?';
    return str_trim(buf_str(b));
}

/* An enhanced status at the front of the output counts more than the exit status. */
static enum rc set_result(struct err *e, const char *enhanced, str *output)
{
    char own[12];
    if (smtp_reply_enhanced(*output, 550, own) || smtp_reply_enhanced(*output, 450, own)) {
        enhanced = own;
        *output = str_trim(str_from(*output, strlen(own)));
    }
    bool temp = enhanced[0] == '4';
    return err_set(e, temp ? RC_TEMP : RC_PERM, temp ? 450 : 550, enhanced, "the command failed");
}

static enum rc conclude(struct run *r, struct buf *text, struct err *e)
{
    str output = make_printable(&r->output);
    int code = WIFEXITED(r->status) ? WEXITSTATUS(r->status) : -1,
        sig = WIFSIGNALED(r->status) ? WTERMSIG(r->status) : 0;
    const char *enhanced = "5.3.0";
    if (code == 0 && !r->unread)
        return RC_OK;
    if (r->timed_out) {
        enhanced = "4.3.0";
        output = STR_NONE;
        buf_puts(text, S("Command time limit exceeded"));
    } else if (r->unread || sig == SIGKILL || sig == SIGTERM || sig == SIGINT || sig == SIGHUP) {
        enhanced = "4.3.0"; /* somebody wanted the machine for something else */
        output = STR_NONE;
        buf_printf(text, "Command was ended by signal %d", sig);
    } else if (sig) {
        buf_printf(text, "Command died with signal %d", sig);
    } else {
        size_t i = 0, n = sizeof exits / sizeof *exits;
        while (i < n && exits[i].status != code)
            i++;
        if (i < n)
            enhanced = exits[i].enhanced;
        if (i < n)
            buf_puts(text, str_c(exits[i].text));
        else
            buf_printf(text, "Command died with status %d", code);
    }
    enum rc rc = set_result(e, enhanced, &output);
    if (output.n > 0)
        buf_printf(text, ". Command output: " STR_FMT, STR_ARG(output));
    return rc;
}

static enum rc not_started(int error, struct buf *text, struct err *e)
{
    (void)err_set(e, RC_TEMP, 450, "4.3.0", "the command could not be started");
    err_note(e, "it could not be started: %s", strerror(error));
    buf_puts(text, S("Command could not be started"));
    return RC_TEMP;
}

enum rc command_program_run(const struct program *p, struct buf *text, struct err *e)
{
    struct run r = {.p = p,
                    .in = -1,
                    .out = -1,
                    .failed = -1,
                    .ended = -1,
                    .chunk = BUF_INIT(SOURCE_CHUNK_MAX),
                    .output = BUF_INIT(OUTPUT_KEPT)};
    msec deadline = clock_mono() + p->time_limit;
    int error = 0;
    if (begin(&r) != RC_OK)
        return not_started(errno, text, e);
    if (wait_started(&r, deadline, &error) != RC_OK) {
        kill_all(&r);
        return not_started(error, text, e);
    }
    wait_for(&r, deadline);
    enum rc rc = conclude(&r, text, e);
    buf_deinit(&r.chunk);
    buf_deinit(&r.output);
    fd_closep(&r.in);
    fd_closep(&r.out);
    fd_closep(&r.ended);
    return rc;
}

enum rc command_program_leave(const struct program *p, struct err *e)
{
    int failed[2], why = 0;
    pid_t pid;
    if (pipe2(failed, O_CLOEXEC) != 0 || (pid = fork()) < 0)
        return err_set(e, RC_TEMP, 0, "", "no process for it: %s", strerror(errno));
    if (pid == 0)
        start_alone(p, failed[1]);
    close(failed[1]);
    ssize_t n = read(failed[0], &why, sizeof why);
    close(failed[0]);
    return n == (ssize_t)sizeof why ? err_set(e, RC_TEMP, 0, "", "%s: %s", p->argv[0], strerror(why)) : RC_OK;
}
