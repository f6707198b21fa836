/* seccomp by libseccomp (its one wrapper): the system calls that a process may make. Runs in every confined
 * role.
 *
 * An allow-list for each profile, put together from groups by what a role does. Anything else is answered
 * with ENOSYS, or ends the process with SIGSYS when MALLE_SECCOMP_KILL=1 is in the environment, so that tests
 * find what the lists lack. Memory is never both new and executable, but in mailbox, which starts programs. A
 * filter cannot look through pointers: paths are Landlock's business. */
#include "os/sandbox_impl.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

enum group {
    BASE = 1 << 0,    /* memory, time, signals of its own, descriptors it has */
    THREADS = 1 << 1, /* starting threads */
    FILES = 1 << 2,   /* names below the folders that Landlock allows */
    ACCEPT = 1 << 3,  /* connections on inherited sockets */
    DNS = 1 << 4,     /* Internet sockets of its own, for the resolver */
    LINKS = 1 << 5,   /* Unix socket pairs and sealed memory for other roles */
    ROOT = 1 << 6     /* what mailbox does to start sessions and deliver */
};

static const unsigned profiles[] = {
    [PROFILE_SMTPD] = BASE | THREADS | ACCEPT | DNS | LINKS,
    [PROFILE_LOGIN] = BASE | THREADS | ACCEPT | LINKS,
    [PROFILE_AUTH] = BASE | THREADS | FILES | LINKS,
    [PROFILE_MAILBOX] = BASE | THREADS | FILES | LINKS | ROOT,
    [PROFILE_CAGE] = BASE | FILES,
    [PROFILE_DELIVER] = BASE | THREADS | FILES | LINKS,
    [PROFILE_QUEUE] = BASE | THREADS | FILES | LINKS,
};

/* --- calls whose arguments do not matter --- */

#define CALL(name) SCMP_SYS(name)

static const int base_calls[] = {
    /* descriptors it has */
    CALL(read),
    CALL(write),
    CALL(readv),
    CALL(writev),
    CALL(pread64),
    CALL(pwrite64),
    CALL(preadv),
    CALL(pwritev),
    CALL(lseek),
    CALL(close),
    CALL(close_range),
    CALL(dup),
    CALL(dup2),
    CALL(dup3),
    CALL(fstat),
    CALL(newfstatat),
    CALL(fstatfs),
    CALL(fsync),
    CALL(fdatasync),
    CALL(sync_file_range),
    CALL(ftruncate),
    CALL(fallocate),
    CALL(fadvise64),
    CALL(flock),
    CALL(pipe),
    CALL(pipe2),
    CALL(eventfd2),
    CALL(poll),
    CALL(ppoll),
    CALL(select),
    CALL(pselect6),
    CALL(epoll_create1),
    CALL(epoll_ctl),
    CALL(epoll_wait),
    CALL(epoll_pwait),
    CALL(epoll_pwait2),
    CALL(sendmsg),
    CALL(recvmsg),
    CALL(sendto),
    CALL(recvfrom),
    CALL(shutdown),
    CALL(getsockopt),
    CALL(setsockopt),
    CALL(getsockname),
    CALL(getpeername),
    /* memory; mmap and mprotect: see below */
    CALL(brk),
    CALL(munmap),
    CALL(mremap),
    CALL(madvise),
    CALL(msync),
    CALL(getrandom),
    /* time */
    CALL(clock_gettime),
    CALL(clock_getres),
    CALL(clock_nanosleep),
    CALL(nanosleep),
    CALL(gettimeofday),
    CALL(time),
    CALL(times),
    CALL(getrusage),
    CALL(sysinfo),
    CALL(uname),
    /* signals and threads that are there */
    CALL(rt_sigaction),
    CALL(rt_sigprocmask),
    CALL(rt_sigreturn),
    CALL(rt_sigtimedwait),
    CALL(sigaltstack),
    CALL(restart_syscall),
    CALL(futex),
    CALL(futex_waitv),
    CALL(sched_yield),
    CALL(sched_getaffinity),
    CALL(getcpu),
    CALL(exit),
    CALL(exit_group),
    /* who am I */
    CALL(getpid),
    CALL(gettid),
    CALL(getppid),
    CALL(getuid),
    CALL(geteuid),
    CALL(getgid),
    CALL(getegid),
};

static const int thread_calls[] = {
    CALL(set_robust_list), CALL(get_robust_list), CALL(rseq), CALL(set_tid_address), CALL(membarrier),
};

static const int file_calls[] = {
    CALL(open),
    CALL(openat),
    CALL(stat),
    CALL(lstat),
    CALL(statx),
    CALL(access),
    CALL(faccessat),
    CALL(faccessat2),
    CALL(readlink),
    CALL(readlinkat),
    CALL(getcwd),
    CALL(getdents64),
    CALL(statfs),
    CALL(link),
    CALL(linkat),
    CALL(rename),
    CALL(renameat),
    CALL(renameat2),
    CALL(unlink),
    CALL(unlinkat),
    CALL(mkdir),
    CALL(mkdirat),
    CALL(rmdir),
    CALL(umask),
    CALL(fchmod),
    CALL(fchown),
    CALL(fgetxattr),
    CALL(fsetxattr),
    CALL(copy_file_range),
};

static const int accept_calls[] = {CALL(accept), CALL(accept4)};

static const int dns_calls[] = {CALL(connect), CALL(bind), CALL(sendmmsg), CALL(recvmmsg)};

static const int link_calls[] = {CALL(memfd_create)};

static const int root_calls[] = {
    /* starting, counting and ending children */
    CALL(clone),
    CALL(fork),
    CALL(vfork),
    CALL(execve),
    CALL(wait4),
    CALL(waitid),
    CALL(kill),
    CALL(tgkill),
    CALL(setpgid),
    CALL(getpgid),
    CALL(signalfd4),
    CALL(arch_prctl),
    CALL(personality),
    CALL(prlimit64),
    CALL(mprotect),
    CALL(mmap),
    /* becoming a user and closing the cage */
    CALL(chroot),
    CALL(chdir),
    CALL(fchdir),
    CALL(setgroups),
    CALL(getgroups),
    CALL(setresuid),
    CALL(setresgid),
    CALL(setuid),
    CALL(setgid),
    CALL(getresuid),
    CALL(getresgid),
    CALL(prctl),
    CALL(capget),
    CALL(seccomp),
    CALL(landlock_create_ruleset),
    CALL(landlock_add_rule),
    CALL(landlock_restrict_self),
    /* folders of accounts, and watching them */
    CALL(chown),
    CALL(fchownat),
    CALL(utimensat),
    CALL(inotify_init1),
    CALL(inotify_add_watch),
    CALL(inotify_rm_watch),
};

#ifdef SANITIZED
static const int sanitizer_calls[] = {CALL(getrlimit), CALL(mincore), CALL(personality), CALL(getpgrp)};
#endif

/* Libraries try these as a matter of course (configuration files, modules, time zones). Where a role has no
 * files they are refused, but never with the end of the process. */
static const int expected_calls[] = {
    CALL(open),      CALL(openat),     CALL(stat),     CALL(lstat),      CALL(statx),  CALL(access),
    CALL(faccessat), CALL(faccessat2), CALL(readlink), CALL(readlinkat), CALL(getcwd), CALL(getdents64),
};

/* --- calls with a condition on their arguments --- */

struct conditional {
    unsigned group;
    int call;
    unsigned n;
    struct scmp_arg_cmp arg[3];
};

#define WITH(a) \
    1,          \
    {           \
        a       \
    }
#define WITH2(a, b) \
    2,              \
    {               \
        a, b        \
    }
#define WITH3(a, b, c) \
    3,                 \
    {                  \
        a, b, c        \
    }
#define IS(index, value) SCMP_A##index(SCMP_CMP_EQ, (scmp_datum_t)(value), 0)
#define BITS(index, mask, value) \
    SCMP_A##index(SCMP_CMP_MASKED_EQ, (scmp_datum_t)(mask), (scmp_datum_t)(value))

#define FCNTL(command)                          \
    {                                           \
        BASE, CALL(fcntl), WITH(IS(1, command)) \
    }
#define IOCTL(command)                          \
    {                                           \
        BASE, CALL(ioctl), WITH(IS(1, command)) \
    }
#define PRCTL(option)                          \
    {                                          \
        BASE, CALL(prctl), WITH(IS(0, option)) \
    }
#define DNS_SOCKET(family, type, protocol)                                                     \
    {                                                                                          \
        DNS, CALL(socket),                                                                     \
            WITH3(IS(0, family), BITS(1, ~(SOCK_CLOEXEC | SOCK_NONBLOCK) & 0xffffffffU, type), \
                  IS(2, protocol))                                                             \
    }

enum { THREAD_FLAGS = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND };

static const struct conditional conditionals[] = {
    {BASE, CALL(mmap), WITH(BITS(2, PROT_EXEC, 0))},
    {BASE, CALL(mprotect), WITH(BITS(2, PROT_EXEC, 0))},
    {BASE, CALL(prlimit64), WITH2(IS(0, 0), IS(2, 0))}, /* reads its own */
    {THREADS, CALL(clone), WITH(BITS(0, THREAD_FLAGS, THREAD_FLAGS))},
    {FILES, CALL(utimensat), WITH(IS(1, 0))}, /* futimens */
    {LINKS, CALL(socketpair), WITH(IS(0, AF_UNIX))},
    DNS_SOCKET(AF_INET, SOCK_DGRAM, 0),
    DNS_SOCKET(AF_INET, SOCK_DGRAM, IPPROTO_UDP),
    DNS_SOCKET(AF_INET, SOCK_STREAM, 0),
    DNS_SOCKET(AF_INET, SOCK_STREAM, IPPROTO_TCP),
    DNS_SOCKET(AF_INET6, SOCK_DGRAM, 0),
    DNS_SOCKET(AF_INET6, SOCK_DGRAM, IPPROTO_UDP),
    DNS_SOCKET(AF_INET6, SOCK_STREAM, 0),
    DNS_SOCKET(AF_INET6, SOCK_STREAM, IPPROTO_TCP),
    PRCTL(PR_SET_NAME),
    PRCTL(PR_GET_NAME),
    PRCTL(PR_GET_DUMPABLE),
    PRCTL(PR_SET_VMA),
    IOCTL(FIONREAD),
    IOCTL(FIONBIO),
    IOCTL(TCGETS),
    /* not those that send signals to others (F_SETOWN, F_SETSIG) */
    FCNTL(F_DUPFD),
    FCNTL(F_DUPFD_CLOEXEC),
    FCNTL(F_GETFD),
    FCNTL(F_SETFD),
    FCNTL(F_GETFL),
    FCNTL(F_SETFL),
    FCNTL(F_GETLK),
    FCNTL(F_SETLK),
    FCNTL(F_SETLKW),
    FCNTL(F_OFD_GETLK),
    FCNTL(F_OFD_SETLK),
    FCNTL(F_OFD_SETLKW),
    FCNTL(F_ADD_SEALS),
    FCNTL(F_GET_SEALS),
};

/* --- putting it together --- */

struct filter {
    scmp_filter_ctx ctx;
    uint32_t other; /* what happens to calls that are not listed */
};

static void check(int rc, const char *what)
{
    if (rc == 0)
        return;
    errno = -rc;
    sandbox_die("seccomp", what);
}

static void allow_calls(struct filter *f, const int *calls, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check(seccomp_rule_add(f->ctx, SCMP_ACT_ALLOW, calls[i], 0), "rule");
}

static void fail_calls(struct filter *f, const int *calls, size_t n, int with)
{
    for (size_t i = 0; i < n; i++)
        if (f->other != SCMP_ACT_ERRNO(with)) /* libseccomp refuses a rule that says what is said already */
            check(seccomp_rule_add(f->ctx, SCMP_ACT_ERRNO(with), calls[i], 0), "rule");
}

static void allow_groups(struct filter *f, unsigned groups)
{
    static const struct {
        unsigned group;
        const int *calls;
        size_t n;
    } lists[] = {
#define LIST(group, calls) {group, calls, sizeof(calls) / sizeof *(calls)}
        LIST(BASE, base_calls),      LIST(THREADS, thread_calls), LIST(FILES, file_calls),
        LIST(ACCEPT, accept_calls),  LIST(DNS, dns_calls),        LIST(LINKS, link_calls),
        LIST(ROOT, root_calls),
#ifdef SANITIZED
        LIST(BASE, sanitizer_calls),
#endif
    };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (groups & lists[i].group)
            allow_calls(f, lists[i].calls, lists[i].n);
    for (size_t i = 0; i < sizeof conditionals / sizeof *conditionals; i++) {
        const struct conditional *c = &conditionals[i];
        if (groups & c->group)
            check(seccomp_rule_add_array(f->ctx, SCMP_ACT_ALLOW, c->call, c->n, c->arg), "rule");
    }
}

/* abort() raises a signal in its own thread. mailbox's children inherit its list, so that one names no
 * process. */
static void allow_abort(struct filter *f)
{
    check(seccomp_rule_add(f->ctx, SCMP_ACT_ALLOW, CALL(tgkill), 1, IS(0, getpid())), "rule");
}

static bool kills(void)
{
    const char *v = getenv("MALLE_SECCOMP_KILL");
    return v && str_eq(str_c(v), S("1"));
}

void seccomp_enter(enum sandbox_profile profile)
{
    static const int clone3_call[] = {CALL(clone3)};
    unsigned groups = profiles[profile];
    struct filter f = {.other = kills() ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ERRNO(ENOSYS)};
    if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0 && errno == EINVAL) {
        log_warn("sandbox: this kernel has no seccomp; going on without this layer");
        return;
    }
    f.ctx = seccomp_init(f.other);
    if (!f.ctx)
        sandbox_die("seccomp_init", "");
    check(seccomp_attr_set(f.ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), "architecture");
    check(seccomp_attr_set(f.ctx, SCMP_FLTATR_CTL_TSYNC, 1), "threads");
    check(seccomp_attr_set(f.ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2), "tree");
    allow_groups(&f, groups);
    if (!(groups & ROOT))
        allow_abort(&f);
    if (!(groups & FILES))
        fail_calls(&f, expected_calls, sizeof expected_calls / sizeof *expected_calls, EACCES);
    /* its flags lie behind a pointer; with ENOSYS glibc falls back to clone, whose flags can be looked at */
    fail_calls(&f, clone3_call, 1, ENOSYS);
    check(seccomp_load(f.ctx), "load");
    seccomp_release(f.ctx);
}
