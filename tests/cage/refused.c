/* One function for each refused call, made from refused.def. */
#include "attempts.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

static char space[256];
static _Alignas(4096) char big_space[8192];
static char *no_strings[] = {NULL};
static struct iovec iov = {space, 1};
static struct sockaddr any = {.sa_family = AF_INET};
static struct rlimit no_limit;
static struct clone_args no_clone = {.exit_signal = SIGCHLD};

#define REFUSED(name, call, ...)                  \
    static long try_##name(const struct world *w) \
    {                                             \
        return syscall(SYS_##call, __VA_ARGS__);  \
    }
#include "refused.def"
#undef REFUSED

const struct attempt refused[] = {
#define REFUSED(title, ...) {.name = #title, .run = try_##title},
#include "refused.def"
};
const size_t n_refused = sizeof refused / sizeof *refused;
