/* Starting roles: fork and exec of this very program, with a control link at descriptor 3. */
#include "os/proc.h"

#include "os/ipc.h"
#include "os/sanitized.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <unistd.h>

extern char **environ;

/* Runs in the child between fork and exec: async-signal-safe calls only. */
static _Noreturn void exec_role(const char *role, const char *title, int control)
{
    int null = open("/dev/null", O_RDWR);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (null < 0 || dup2(null, 0) < 0 || dup2(control, PROC_CONTROL_FD) < 0)
        _exit(127);
    if (control == PROC_CONTROL_FD)
        fcntl(PROC_CONTROL_FD, F_SETFD, 0);
    close_range(PROC_CONTROL_FD + 1, ~0U, 0);
    setsid(); /* no terminal: a Ctrl-C reaches the master only, which stops the roles in order */
    char *argv[] = {(char *)title, (char *)"--role", (char *)role, NULL};
    execve("/proc/self/exe", argv, environ);
    _exit(127);
}

enum rc proc_start_role(const char *role, const char *title, pid_t *ret_pid, int *ret_control)
{
    int fd[2];
    if (ipc_pair(fd) != RC_OK)
        return RC_TEMP;
    struct buf shown = BUF_INIT(256);
    buf_printf(&shown, "malle: %s", title);
    const char *argv0 = buf_cstr(&shown);
    pid_t pid = fork();
    if (pid == 0)
        exec_role(role, argv0, fd[1]);
    buf_deinit(&shown);
    close(fd[1]);
    if (pid < 0) {
        close(fd[0]);
        return RC_TEMP;
    }
    *ret_pid = pid;
    *ret_control = fd[0];
    return RC_OK;
}

void proc_exit(int status)
{
#ifdef SANITIZED
    exit(status);
#else
    _exit(status);
#endif
}

static char *title_start;
static size_t title_room;
static char **arguments; /* copies, because titles are written over the originals */

void proc_init_title(int argc, char **argv)
{
    char *end = argv[0];
    for (int i = 0; i < argc; i++)
        if (argv[i] == end)
            end = argv[i] + strlen(argv[i]) + 1;
    char **env = NULL;
    size_t n = 0;
    while (environ[n])
        n++;
    env = calloc(n + 1, sizeof *env);
    must(env);
    for (size_t i = 0; i < n; i++) {
        if (environ[i] == end)
            end = environ[i] + strlen(environ[i]) + 1;
        env[i] = strdup(environ[i]);
    }
    environ = env;
    title_start = argv[0];
    title_room = (size_t)(end - argv[0]);
    arguments = calloc((size_t)argc + 1, sizeof *arguments);
    must(arguments);
    for (int i = 0; i < argc; i++) {
        argv[i] = arguments[i] = strdup(argv[i]);
        must(argv[i]);
    }
}

void proc_set_title(const char *fmt, ...)
{
    if (!title_start || title_room < 2)
        return;
    struct buf b = BUF_INIT(512);
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    size_t n = b.n < title_room - 1 ? b.n : title_room - 1;
    memset(title_start, 0, title_room);
    memcpy(title_start, b.p ? b.p : "", n);
    buf_deinit(&b);
}
