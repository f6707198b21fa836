/* seccomp by libseccomp (its one wrapper): the system calls that a process may make. Runs in every confined
 * role. The program is put together once and loaded as it is: mailbox does the first for all its sessions,
 * because libseccomp takes longer for it than all else that starts one.
 *
 * An allow-list for each profile, put together from groups by what a role does. Anything else is answered
 * with ENOSYS, or ends the process with SIGSYS when MALLE_SECCOMP_KILL=1 is in the environment, so that tests
 * find what the lists lack. Memory is never both new and executable, but in mailbox, which starts programs. A
 * filter cannot look through pointers: paths are Landlock's business. */
#include "os/sandbox_impl.h"

#include "base/log.h"
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

enum group {
    BASE = 1 << 0,    /* memory, time, signals of its own, descriptors it has */
    THREADS = 1 << 1, /* starting threads */
    FILES = 1 << 2,   /* names below the folders that Landlock allows */
    ACCEPT = 1 << 3,  /* connections on inherited sockets */
    DNS = 1 << 4,     /* Internet sockets of its own, for the resolver and to reach other servers */
    LINKS = 1 << 5,   /* Unix socket pairs and sealed memory for other roles */
    ROOT = 1 << 6,    /* what mailbox does to start sessions and deliver */
    SYNC = 1 << 7,    /* a whole file system to disk */
    READ = 1 << 8,    /* files to read, below the folders that Landlock allows */
    ASK = 1 << 9,     /* Unix sockets of its own, and what libraries try on the way to a server */
    PAIRS = 1 << 10   /* Unix socket pairs, whose other ends it gives away */
};

static const unsigned profiles[] = {
    [PROFILE_SMTPD] = BASE | THREADS | ACCEPT | DNS | LINKS,
    [PROFILE_LOGIN] = BASE | THREADS | ACCEPT | LINKS,
    [PROFILE_AUTH] = BASE | THREADS | FILES | LINKS,
    [PROFILE_MAILBOX] = BASE | THREADS | FILES | LINKS | ROOT | SYNC, /* deliver inherits its list */
    [PROFILE_CAGE] = BASE | FILES | PAIRS,
    [PROFILE_DELIVER] = BASE | THREADS | FILES | LINKS | SYNC,
    [PROFILE_QUEUE] = BASE | THREADS | FILES | LINKS,
    [PROFILE_SMTP] = BASE | THREADS | DNS | LINKS,
    [PROFILE_PROXYMAP] = BASE | THREADS | READ | DNS | ASK | LINKS,
};

/* --- calls whose arguments do not matter --- */

#define CALL(name) SCMP_SYS(name)

static const int base_calls[] = {
    /* descriptors it has */
    CALL(read), CALL(write), CALL(readv), CALL(writev), CALL(pread64), CALL(pwrite64), CALL(preadv),
    CALL(pwritev), CALL(lseek), CALL(close), CALL(close_range), CALL(dup), CALL(dup2), CALL(dup3),
    CALL(fstat), CALL(newfstatat), CALL(fstatfs), CALL(fsync), CALL(fdatasync), CALL(sync_file_range),
    CALL(ftruncate), CALL(fallocate), CALL(fadvise64), CALL(flock), CALL(pipe), CALL(pipe2), CALL(eventfd2),
    CALL(poll), CALL(ppoll), CALL(select), CALL(pselect6), CALL(epoll_create1), CALL(epoll_ctl),
    CALL(epoll_wait), CALL(epoll_pwait), CALL(epoll_pwait2), CALL(sendmsg), CALL(recvmsg), CALL(sendto),
    CALL(recvfrom), CALL(shutdown), CALL(getsockopt), CALL(setsockopt), CALL(getsockname), CALL(getpeername),
    /* memory; mmap and mprotect: see below */
    CALL(brk), CALL(munmap), CALL(mremap), CALL(madvise), CALL(msync), CALL(getrandom),
    /* time */
    CALL(clock_gettime), CALL(clock_getres), CALL(clock_nanosleep), CALL(nanosleep), CALL(gettimeofday),
    CALL(time), CALL(times), CALL(getrusage), CALL(sysinfo), CALL(uname),
    /* signals and threads that are there */
    CALL(rt_sigaction), CALL(rt_sigprocmask), CALL(rt_sigreturn), CALL(rt_sigtimedwait), CALL(sigaltstack),
    CALL(restart_syscall), CALL(futex), CALL(futex_waitv), CALL(sched_yield), CALL(sched_getaffinity),
    CALL(getcpu), CALL(exit), CALL(exit_group),
    /* who am I */
    CALL(getpid), CALL(gettid), CALL(getppid), CALL(getuid), CALL(geteuid), CALL(getgid), CALL(getegid)};

static const int thread_calls[] = {CALL(set_robust_list), CALL(get_robust_list), CALL(rseq),
                                   CALL(set_tid_address), CALL(membarrier)};

static const int file_calls[] = {
    CALL(open),   CALL(openat),     CALL(stat),       CALL(lstat),          CALL(statx),
    CALL(access), CALL(faccessat),  CALL(faccessat2), CALL(readlink),       CALL(readlinkat),
    CALL(getcwd), CALL(getdents64), CALL(statfs),     CALL(link),           CALL(linkat),
    CALL(rename), CALL(renameat),   CALL(renameat2),  CALL(unlink),         CALL(unlinkat),
    CALL(mkdir),  CALL(mkdirat),    CALL(rmdir),      CALL(umask),          CALL(fchmod),
    CALL(fchown), CALL(fgetxattr),  CALL(fsetxattr),  CALL(copy_file_range)};

static const int read_calls[] = {CALL(stat),      CALL(lstat),      CALL(statx),    CALL(access),
                                 CALL(faccessat), CALL(faccessat2), CALL(readlink), CALL(readlinkat),
                                 CALL(getcwd),    CALL(getdents64)};

static const int accept_calls[] = {CALL(accept), CALL(accept4)};

static const int dns_calls[] = {CALL(connect), CALL(bind), CALL(sendmmsg), CALL(recvmmsg)};

static const int link_calls[] = {CALL(memfd_create)};

static const int sync_calls[] = {CALL(syncfs)};

static const int root_calls[] = {
    /* starting, counting and ending children */
    CALL(clone), CALL(fork), CALL(vfork), CALL(execve), CALL(wait4), CALL(waitid), CALL(kill), CALL(tgkill),
    CALL(setpgid), CALL(getpgid), CALL(setsid), CALL(signalfd4), CALL(arch_prctl), CALL(personality),
    CALL(prlimit64), CALL(mprotect), CALL(mmap),
    /* becoming a user and closing the cage */
    CALL(chroot), CALL(chdir), CALL(fchdir), CALL(setgroups), CALL(getgroups), CALL(setresuid),
    CALL(setresgid), CALL(setuid), CALL(setgid), CALL(getresuid), CALL(getresgid), CALL(prctl), CALL(capget),
    CALL(seccomp), CALL(landlock_create_ruleset), CALL(landlock_add_rule), CALL(landlock_restrict_self),
    /* folders of accounts, and watching them */
    CALL(chown), CALL(fchownat), CALL(utimensat), CALL(inotify_init1), CALL(inotify_add_watch),
    CALL(inotify_rm_watch)};

#ifdef SANITIZED
static const int sanitizer_calls[] = {CALL(getrlimit), CALL(mincore), CALL(getpgrp)};
#endif

/* Libraries try these as a matter of course (configuration files, modules, time zones). Where a role has no
 * files they are refused, but never with the end of the process. */
static const int expected_calls[] = {CALL(open),     CALL(openat),     CALL(stat),      CALL(lstat),
                                     CALL(statx),    CALL(access),     CALL(faccessat), CALL(faccessat2),
                                     CALL(readlink), CALL(readlinkat), CALL(getcwd),    CALL(getdents64)};

/* --- calls allowed with certain arguments only --- */

/* The argument is equal to the value, or where mask is set, equal in these bits. */
struct conditional {
    unsigned group;
    int call;
    unsigned arg;
    uint64_t value, mask;
};

enum {
    THREAD_FLAGS = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND,
    CHANGING = O_ACCMODE | O_CREAT | O_TRUNC /* flags of open that do more than read */
};

static const struct conditional conditionals[] = {
    {BASE, CALL(mmap), 2, 0, PROT_EXEC},
    {BASE, CALL(mprotect), 2, 0, PROT_EXEC},
    {THREADS, CALL(clone), 0, THREAD_FLAGS, THREAD_FLAGS},
    {FILES, CALL(utimensat), 1, 0, 0}, /* futimens */
    {READ, CALL(open), 1, O_RDONLY, CHANGING},
    {READ, CALL(openat), 2, O_RDONLY, CHANGING},
    {LINKS | PAIRS, CALL(socketpair), 0, AF_UNIX, 0},
    {BASE, CALL(prctl), 0, PR_SET_NAME, 0},
    {BASE, CALL(prctl), 0, PR_GET_NAME, 0},
    {BASE, CALL(prctl), 0, PR_GET_DUMPABLE, 0},
    {BASE, CALL(prctl), 0, PR_SET_VMA, 0},
    {BASE, CALL(ioctl), 1, FIONREAD, 0},
    {BASE, CALL(ioctl), 1, FIONBIO, 0},
    {BASE, CALL(ioctl), 1, TCGETS, 0},
    /* not those that send signals to others (F_SETOWN, F_SETSIG) */
    {BASE, CALL(fcntl), 1, F_DUPFD, 0},
    {BASE, CALL(fcntl), 1, F_DUPFD_CLOEXEC, 0},
    {BASE, CALL(fcntl), 1, F_GETFD, 0},
    {BASE, CALL(fcntl), 1, F_SETFD, 0},
    {BASE, CALL(fcntl), 1, F_GETFL, 0},
    {BASE, CALL(fcntl), 1, F_SETFL, 0},
    {BASE, CALL(fcntl), 1, F_GETLK, 0},
    {BASE, CALL(fcntl), 1, F_SETLK, 0},
    {BASE, CALL(fcntl), 1, F_SETLKW, 0},
    {BASE, CALL(fcntl), 1, F_OFD_GETLK, 0},
    {BASE, CALL(fcntl), 1, F_OFD_SETLK, 0},
    {BASE, CALL(fcntl), 1, F_OFD_SETLKW, 0},
    {BASE, CALL(fcntl), 1, F_ADD_SEALS, 0},
    {BASE, CALL(fcntl), 1, F_GET_SEALS, 0},
};

/* The same, but refused with EACCES: what libraries try as a matter of course and go on without. */
static const struct conditional refusals[] = {
    {READ, CALL(open), 1, O_WRONLY, O_ACCMODE},     {READ, CALL(open), 1, O_RDWR, O_ACCMODE},
    {READ, CALL(openat), 2, O_WRONLY, O_ACCMODE},   {READ, CALL(openat), 2, O_RDWR, O_ACCMODE},
    {ASK, CALL(socket), 0, AF_NETLINK, 0},      /* getaddrinfo: which addresses this machine has */
    {ASK, CALL(mmap), 2, PROT_EXEC, PROT_EXEC}, /* modules of the name service switch */
    {ASK, CALL(mprotect), 2, PROT_EXEC, PROT_EXEC},
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

static void allow_if(struct filter *f, int call, unsigned n, const struct scmp_arg_cmp *all)
{
    check(seccomp_rule_add_array(f->ctx, SCMP_ACT_ALLOW, call, n, all), "rule");
}

static void refuse_if(struct filter *f, int call, unsigned n, const struct scmp_arg_cmp *all)
{
    check(seccomp_rule_add_array(f->ctx, SCMP_ACT_ERRNO(EACCES), call, n, all), "rule");
}

static void fail_calls(struct filter *f, const int *calls, size_t n, int with)
{
    for (size_t i = 0; i < n; i++)
        if (f->other != SCMP_ACT_ERRNO(with)) /* libseccomp refuses a rule that says what is said already */
            check(seccomp_rule_add(f->ctx, SCMP_ACT_ERRNO(with), calls[i], 0), "rule");
}

static struct scmp_arg_cmp compare_for(const struct conditional *c)
{
    return c->mask ? SCMP_CMP64(c->arg, SCMP_CMP_MASKED_EQ, c->mask, c->value)
                   : SCMP_CMP64(c->arg, SCMP_CMP_EQ, c->value);
}

static void refuse_groups(struct filter *f, unsigned groups)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct scmp_arg_cmp compare = compare_for(&refusals[i]);
        if (groups & refusals[i].group)
            refuse_if(f, refusals[i].call, 1, &compare);
    }
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
        LIST(READ, read_calls),      LIST(ACCEPT, accept_calls),  LIST(DNS, dns_calls),
        LIST(LINKS, link_calls),     LIST(ROOT, root_calls),      LIST(SYNC, sync_calls),
#ifdef SANITIZED
        LIST(BASE, sanitizer_calls),
#endif
    };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (groups & lists[i].group)
            allow_calls(f, lists[i].calls, lists[i].n);
    for (size_t i = 0; i < sizeof conditionals / sizeof *conditionals; i++) {
        struct scmp_arg_cmp compare = compare_for(&conditionals[i]);
        if (groups & conditionals[i].group)
            allow_if(f, conditionals[i].call, 1, &compare);
    }
}

/* Internet sockets for UDP and TCP: no raw ones, and no other protocols over IP (Landlock knows TCP only). */
static void allow_dns_sockets(struct filter *f)
{
    static const unsigned families[] = {AF_INET, AF_INET6};
    static const struct {
        unsigned type, protocol;
    } kinds[] = {{SOCK_DGRAM, 0}, {SOCK_DGRAM, IPPROTO_UDP}, {SOCK_STREAM, 0}, {SOCK_STREAM, IPPROTO_TCP}};
    const uint64_t type_bits = 0xffffffffU & ~(uint64_t)(SOCK_CLOEXEC | SOCK_NONBLOCK);
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            struct scmp_arg_cmp all[] = {SCMP_A0_64(SCMP_CMP_EQ, families[i]),
                                         SCMP_A1_64(SCMP_CMP_MASKED_EQ, type_bits, kinds[k].type),
                                         SCMP_A2_64(SCMP_CMP_EQ, kinds[k].protocol)};
            allow_if(f, CALL(socket), 3, all);
        }
    }
}

/* Streams; with datagrams libraries talk to syslog, and do without it. */
static void allow_unix_sockets(struct filter *f)
{
    const uint64_t type_bits = 0xffffffffU & ~(uint64_t)(SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct scmp_arg_cmp stream[] = {SCMP_A0_64(SCMP_CMP_EQ, AF_UNIX),
                                    SCMP_A1_64(SCMP_CMP_MASKED_EQ, type_bits, SOCK_STREAM),
                                    SCMP_A2_64(SCMP_CMP_EQ, 0)};
    struct scmp_arg_cmp datagrams[] = {SCMP_A0_64(SCMP_CMP_EQ, AF_UNIX),
                                       SCMP_A1_64(SCMP_CMP_MASKED_EQ, type_bits, SOCK_DGRAM)};
    allow_if(f, CALL(socket), 3, stream);
    refuse_if(f, CALL(socket), 2, datagrams);
}

/* A process reads its own limits (getrlimit of the C library). */
static void allow_own_limits(struct filter *f)
{
    struct scmp_arg_cmp all[] = {SCMP_A0_64(SCMP_CMP_EQ, 0), SCMP_A2_64(SCMP_CMP_EQ, 0)};
    allow_if(f, CALL(prlimit64), 2, all);
}

/* In a program, the process that will load it: above all process ids that Linux gives. */
enum { OWN_PID = 0x5a5a5a5a };

/* abort() raises a signal in its own thread. mailbox's children inherit its list, so that one names no
 * process. */
static void allow_abort(struct filter *f)
{
    struct scmp_arg_cmp own = SCMP_A0_64(SCMP_CMP_EQ, OWN_PID);
    allow_if(f, CALL(tgkill), 1, &own);
}

static bool kills(void)
{
    const char *v = getenv("MALLE_SECCOMP_KILL");
    return v && str_eq(str_c(v), S("1"));
}

static struct sock_fprog take_program(scmp_filter_ctx ctx)
{
    struct sock_fprog p = {0};
    struct stat st;
    size_t n = 0;
    AUTO(fd_closep) int fd = memfd_create("seccomp", MFD_CLOEXEC);
    if (fd < 0)
        sandbox_die("memfd_create", "");
    check(seccomp_export_bpf(ctx, fd), "export");
    must(fstat(fd, &st) == 0 && st.st_size > 0 && st.st_size <= BPF_MAXINSNS * (off_t)sizeof *p.filter);
    p.len = (unsigned short)((size_t)st.st_size / sizeof *p.filter);
    p.filter = malloc((size_t)st.st_size);
    must(p.filter && fd_read_at(fd, (char *)p.filter, (size_t)st.st_size, 0, &n) == RC_OK);
    must(n == p.len * sizeof *p.filter);
    return p;
}

static struct sock_fprog make_program(enum sandbox_profile profile)
{
    static const int clone3_call[] = {CALL(clone3)};
    unsigned groups = profiles[profile];
    struct filter f = {.other = kills() ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ERRNO(ENOSYS)};
    f.ctx = seccomp_init(f.other);
    if (!f.ctx)
        sandbox_die("seccomp_init", "");
    check(seccomp_attr_set(f.ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), "architecture");
    check(seccomp_attr_set(f.ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2), "tree");
    allow_groups(&f, groups);
    allow_own_limits(&f);
    if (groups & DNS)
        allow_dns_sockets(&f);
    if (groups & ASK)
        allow_unix_sockets(&f);
    refuse_groups(&f, groups);
    if (!(groups & ROOT))
        allow_abort(&f);
    if (!(groups & (FILES | READ)))
        fail_calls(&f, expected_calls, sizeof expected_calls / sizeof *expected_calls, EACCES);
    /* its flags lie behind a pointer; with ENOSYS glibc falls back to clone, whose flags can be looked at */
    fail_calls(&f, clone3_call, 1, ENOSYS);
    struct sock_fprog p = take_program(f.ctx);
    seccomp_release(f.ctx);
    return p;
}

/* --- loading --- */

static struct sock_fprog cage; /* .filter NULL: not made yet */

void seccomp_prepare_cage(void)
{
    free(cage.filter);
    cage = make_program(PROFILE_CAGE);
}

static void name_own_pid(const struct sock_fprog *p)
{
    for (size_t i = 0; i < p->len; i++)
        if (p->filter[i].code == (BPF_JMP | BPF_JEQ | BPF_K) && p->filter[i].k == OWN_PID)
            p->filter[i].k = (uint32_t)getpid();
}

void seccomp_enter(enum sandbox_profile profile)
{
    if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0 && errno == EINVAL) {
        log_warn("sandbox: this kernel has no seccomp; going on without this layer");
        return;
    }
    struct sock_fprog p = profile == PROFILE_CAGE && cage.filter ? cage : make_program(profile);
    name_own_pid(&p);
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &p) != 0)
        sandbox_die("seccomp", "load");
    if (p.filter != cage.filter)
        free(p.filter);
}
