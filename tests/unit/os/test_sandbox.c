/* What each role can still do, and what it no longer can, once it has entered its sandbox. The cage of a
 * session has tests of its own in tests/cage. Everything is done in children; what is permitted is done where
 * unknown calls kill. */
#include "os/sandbox.h"

#include "base/log.h"
#include "os/db.h"
#include "os/file.h"
#include "os/ipc.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h> /* needs those above */

enum { ROLE_UID = 64002, ROLE_GID = 64002, KILLED = 1000 };

static char folder[64], secret[96]; /* the role's folder, and a file beside it that everybody may read */
static int folder_fd;

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    return remove(path);
}

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/malle-sandbox-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(secret, sizeof secret, "%s.secret", folder);
    int fd = open(secret, O_WRONLY | O_CREAT | O_EXCL, 0644);
    assert_true(fd >= 0 && close(fd) == 0);
    if (geteuid() == 0)
        assert_int_equal(chown(folder, ROLE_UID, ROLE_GID), 0);
    folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(folder_fd >= 0);
}

static void remove_folder(void)
{
    close(folder_fd);
    assert_int_equal(unlink(secret), 0);
    assert_int_equal(nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static bool has_files(enum sandbox_role role)
{
    return role == ROLE_AUTH || role == ROLE_DELIVER || role == ROLE_QUEUE;
}

static void enter(enum sandbox_role role)
{
    const char *rw[] = {folder, NULL};
    bool root = geteuid() == 0, changes = root && role != ROLE_MAILBOX && role != ROLE_AUTH_WORKER;
    struct sandbox sb = {.role = role,
                         .uid = changes ? ROLE_UID : (uid_t)-1,
                         .gid = changes ? ROLE_GID : (gid_t)-1,
                         .rw_dirs = has_files(role) ? rw : NULL,
                         .ro_dirs = role == ROLE_PROXYMAP ? rw : NULL};
    sandbox_enter(&sb);
}

/* 0, an errno, or KILLED and the signal. */
static int outcome_of(pid_t pid)
{
    int status;
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? KILLED + WTERMSIG(status) : WEXITSTATUS(status);
}

static int run_in(enum sandbox_role role, bool (*action)(void))
{
    pid_t pid = fork();
    if (pid == 0) {
        enter(role);
        errno = 0;
        _exit(action() ? 0 : errno ? errno : ECANCELED);
    }
    return outcome_of(pid);
}

/* --- what is tried --- */

static void *thread_main(void *arg)
{
    pthread_setname_np(pthread_self(), "worker");
    return arg;
}

static bool thread(void)
{
    pthread_t id;
    void *result = NULL;
    int rc = pthread_create(&id, NULL, thread_main, folder);
    return rc == 0 && pthread_join(id, &result) == 0 && result == folder;
}

static bool socket_of(int family, int type, int protocol)
{
    return socket(family, type | SOCK_CLOEXEC, protocol) >= 0;
}

static bool udp(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    return fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 &&
           getsockname(fd, (struct sockaddr *)&a, &n) == 0 &&
           connect(fd, (struct sockaddr *)&a, sizeof a) == 0;
}

static bool tcp6(void)
{
    return socket_of(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP);
}

static bool raw_socket(void)
{
    return socket_of(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static bool mptcp_socket(void)
{
    return socket_of(AF_INET, SOCK_STREAM, 262);
}

static bool unix_socket(void)
{
    return socket_of(AF_UNIX, SOCK_STREAM, 0);
}

static bool netlink_socket(void)
{
    return socket_of(AF_NETLINK, SOCK_DGRAM, 0);
}

static bool listening(void)
{
    return listen(folder_fd, 1) == 0;
}

static bool links(void)
{
    struct buf b = BUF_INIT(IPC_MAX);
    struct ipc_msg m;
    int fd[2], memory = ipc_memfd("test", S("text"));
    if (memory < 0 || ipc_pair(fd) != RC_OK)
        return false;
    ipc_begin(&b, 1);
    bool ok = ipc_send(fd[0], &b, &memory, 1, IPC_NOWAIT) == RC_OK && ipc_recv(fd[1], &b, &m, 0) == RC_OK &&
              ipc_is_sealed(ipc_take_fd(&m));
    buf_deinit(&b);
    return ok;
}

static bool read_outside(void)
{
    return open(secret, O_RDONLY | O_CLOEXEC) >= 0;
}

static bool read_inside(void)
{
    return openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) >= 0 &&
           faccessat(folder_fd, "nothing", R_OK, 0) != 0 && errno == ENOENT;
}

static bool unix_datagrams(void)
{
    return socket_of(AF_UNIX, SOCK_DGRAM, 0);
}

static bool executable_memory(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool deliver_inside(void)
{
    int fd = openat(folder_fd, "tmp-1", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return fd >= 0 && mkdirat(folder_fd, "new", 0700) == 0 &&
           renameat2(folder_fd, "tmp-1", folder_fd, "new/1", RENAME_NOREPLACE) == 0 && fsync(fd) == 0 &&
           linkat(folder_fd, "new/1", folder_fd, "2", 0) == 0 && unlinkat(folder_fd, "2", 0) == 0;
}

static bool spool_file(void)
{
    int fd = openat(folder_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return fd >= 0 && pwrite(fd, "x", 1, 0) == 1;
}

static bool database(void)
{
    char path[128];
    struct db *db = NULL;
    struct err e = {0};
    snprintf(path, sizeof path, "%s/db", folder);
    bool ok = db_open(path, DB_CREATE, &db, &e) == RC_OK && db_script(db, "CREATE TABLE t (a)", &e) == RC_OK;
    db_closep(&db);
    return ok;
}

static bool make_pipe_file(void)
{
    return mknodat(folder_fd, "fifo", S_IFIFO | 0600, 0) == 0;
}

static bool make_link(void)
{
    return symlinkat("/etc/passwd", folder_fd, "link") == 0;
}

static bool start_child(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return pid > 0;
}

static bool run_program(void)
{
    char *argv[] = {(char *)"true", NULL}, *env[] = {NULL};
    execve("/bin/true", argv, env);
    return false;
}

static bool signal_other(void)
{
    return kill(getppid(), 0) == 0;
}

static bool become_root(void)
{
    return setresuid(0, 0, 0) == 0;
}

static bool become_dumpable(void)
{
    return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
}

static bool is_not_dumpable(void)
{
    return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
}

static bool run_child_program(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        if (setsid() < 0) /* as proc_start_role does */
            _exit(1);
        run_program();
    }
    return outcome_of(pid) == 0;
}

static bool watch(void)
{
    int fd = inotify_init1(IN_CLOEXEC);
    return fd >= 0 && inotify_add_watch(fd, "/tmp", IN_CREATE) >= 0;
}

static bool end_child(void)
{
    pid_t pid = fork();
    if (pid == 0)
        for (;;)
            poll(NULL, 0, -1);
    return kill(pid, SIGKILL) == 0 && outcome_of(pid) == KILLED + SIGKILL;
}

static bool cage_in_child(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        const char *rw[] = {"/", NULL};
        bool root = geteuid() == 0;
        struct sandbox sb = {
            .uid = root ? ROLE_UID : (uid_t)-1, .gid = ROLE_GID, .chroot_dir = folder, .rw_dirs = rw};
        cage_enter(&sb, NULL, 0);
        _exit(rename("a", "b") != 0 && errno == ENOENT ? 0 : 1);
    }
    return outcome_of(pid) == 0;
}

/* --- the tables --- */

#define BIT(role) (1U << (role))
enum {
    PROXYMAP = BIT(ROLE_PROXYMAP),
    DNS_ROLES = BIT(ROLE_SMTPD) | BIT(ROLE_SUBMISSION) | BIT(ROLE_SMTP) | PROXYMAP,
    FILE_ROLES = BIT(ROLE_AUTH) | BIT(ROLE_DELIVER) | BIT(ROLE_QUEUE),
    LEAF_ROLES = DNS_ROLES | FILE_ROLES | BIT(ROLE_LOGIN), /* all but mailbox and auth-worker */
};

static const struct {
    const char *name;
    bool (*action)(void);
    unsigned permitted; /* to these roles */
    unsigned refused;   /* to these, with: */
    int error;
} actions[] = {
    {"thread", thread, LEAF_ROLES | BIT(ROLE_AUTH_WORKER), 0, 0},
    {"not dumpable", is_not_dumpable, LEAF_ROLES | BIT(ROLE_MAILBOX) | BIT(ROLE_AUTH_WORKER), 0, 0},
    {"links", links, LEAF_ROLES | BIT(ROLE_MAILBOX), 0, 0},
    {"udp", udp, DNS_ROLES, (LEAF_ROLES & ~DNS_ROLES) | BIT(ROLE_MAILBOX), ENOSYS},
    {"tcp6", tcp6, DNS_ROLES, (LEAF_ROLES & ~DNS_ROLES) | BIT(ROLE_MAILBOX), ENOSYS},
    {"raw socket", raw_socket, 0, LEAF_ROLES | BIT(ROLE_MAILBOX), ENOSYS},
    {"mptcp socket", mptcp_socket, 0, LEAF_ROLES | BIT(ROLE_MAILBOX), ENOSYS},
    {"unix socket", unix_socket, PROXYMAP, (LEAF_ROLES & ~PROXYMAP) | BIT(ROLE_MAILBOX), ENOSYS},
    {"netlink socket", netlink_socket, 0, (LEAF_ROLES & ~PROXYMAP) | BIT(ROLE_MAILBOX), ENOSYS},
    /* what libraries try is refused without the end of the process */
    {"netlink socket of a library", netlink_socket, 0, PROXYMAP, EACCES},
    {"syslog of a library", unix_datagrams, 0, PROXYMAP, EACCES},
    {"module of a library", executable_memory, 0, PROXYMAP, EACCES},
    {"executable memory", executable_memory, 0, LEAF_ROLES & ~PROXYMAP, ENOSYS},
    {"listen", listening, 0, LEAF_ROLES | BIT(ROLE_MAILBOX), ENOSYS},
    {"read outside", read_outside, 0, LEAF_ROLES, EACCES},
    {"read inside", read_inside, PROXYMAP | FILE_ROLES, 0, 0},
    {"deliver inside", deliver_inside, BIT(ROLE_DELIVER) | BIT(ROLE_QUEUE), PROXYMAP, EACCES},
    {"spool file", spool_file, BIT(ROLE_QUEUE), DNS_ROLES | BIT(ROLE_LOGIN), EACCES},
    {"database", database, BIT(ROLE_AUTH) | BIT(ROLE_QUEUE), 0, 0},
    {"fifo", make_pipe_file, 0, LEAF_ROLES | BIT(ROLE_MAILBOX), ENOSYS},
    {"symbolic link", make_link, 0, LEAF_ROLES | BIT(ROLE_MAILBOX), ENOSYS},
    {"child", start_child, BIT(ROLE_MAILBOX), LEAF_ROLES, ENOSYS},
    {"program", run_program, BIT(ROLE_MAILBOX), LEAF_ROLES, ENOSYS},
    {"child's program", run_child_program, BIT(ROLE_MAILBOX), 0, 0},
    {"child's end", end_child, BIT(ROLE_MAILBOX), 0, 0},
    {"child's cage", cage_in_child, BIT(ROLE_MAILBOX), 0, 0},
    {"watch", watch, BIT(ROLE_MAILBOX), LEAF_ROLES, ENOSYS},
    {"signal", signal_other, 0, LEAF_ROLES, ENOSYS},
    {"root", become_root, 0, LEAF_ROLES, ENOSYS},
    {"dumpable", become_dumpable, 0, LEAF_ROLES, ENOSYS},
};

static const int roles[] = {ROLE_SMTPD,   ROLE_SUBMISSION, ROLE_LOGIN, ROLE_AUTH, ROLE_AUTH_WORKER,
                            ROLE_MAILBOX, ROLE_DELIVER,    ROLE_QUEUE, ROLE_SMTP, ROLE_PROXYMAP};

static void try_action(size_t i, enum sandbox_role role)
{
    bool permitted = actions[i].permitted & BIT(role), refused = actions[i].refused & BIT(role);
    if (!permitted && !refused)
        return;
    if (permitted)
        setenv("MALLE_SECCOMP_KILL", "1", 1);
    make_folder();
    int got = run_in(role, actions[i].action);
    remove_folder();
    unsetenv("MALLE_SECCOMP_KILL");
    int expected = permitted ? 0 : actions[i].error;
    if (got != expected)
        fail_msg("%s in role %d: %d instead of %d", actions[i].name, role, got, expected);
}

static void test_roles(int abi)
{
    landlock_abi_max = abi;
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        for (size_t r = 0; r < sizeof roles / sizeof *roles; r++)
            try_action(i, (enum sandbox_role)roles[r]);
    landlock_abi_max = INT_MAX;
}

static void test_landlock_2(void **state)
{
    test_roles(2);
}

static void test_landlock_3(void **state)
{
    test_roles(3);
}

static void test_landlock_whole(void **state)
{
    test_roles(INT_MAX);
}

/* --- starting wrongly ends the process --- */

static int ending_of(const struct sandbox *sb, bool cage)
{
    pid_t pid = fork();
    if (pid == 0) {
        log_init("test", "test", open("/dev/null", O_WRONLY), LOG_TEXT, LOG_LEVEL_ERROR);
        if (cage)
            cage_enter(sb, NULL, 0);
        else
            sandbox_enter(sb);
        _exit(0);
    }
    return outcome_of(pid);
}

static void test_missing_folder(void **state)
{
    const char *rw[] = {"/nonexistent/malle", NULL};
    bool root = geteuid() == 0;
    struct sandbox sb = {
        .role = ROLE_AUTH, .uid = root ? ROLE_UID : (uid_t)-1, .gid = ROLE_GID, .rw_dirs = rw};
    assert_int_equal(ending_of(&sb, false), 1);
}

static void test_root_is_refused(void **state)
{
    struct sandbox stays = {.role = ROLE_SMTPD, .uid = (uid_t)-1, .gid = (gid_t)-1};
    struct sandbox zero = {.role = ROLE_SMTPD, .uid = 0, .gid = 0};
    struct sandbox group = {.role = ROLE_MAILBOX, .uid = ROLE_UID, .gid = 0};
    struct sandbox good = {.role = ROLE_MAILBOX, .uid = ROLE_UID, .gid = ROLE_GID};
    if (geteuid() != 0)
        skip();
    assert_int_equal(ending_of(&stays, false), 1);
    assert_int_equal(ending_of(&zero, false), 1);
    assert_int_equal(ending_of(&zero, true), 1);
    assert_int_equal(ending_of(&stays, true), 1);
    assert_int_equal(ending_of(&group, true), 1);
    assert_int_equal(ending_of(&good, true), 0);
}

static void test_chroot(void **state)
{
    char missing[] = "/nonexistent/malle";
    struct sandbox sb = {.role = ROLE_LOGIN, .uid = ROLE_UID, .gid = ROLE_GID, .chroot_dir = missing};
    if (geteuid() != 0)
        skip();
    assert_int_equal(ending_of(&sb, false), 1);
    sb.chroot_dir = "/tmp";
    assert_int_equal(ending_of(&sb, false), 0);
}

static void test_abi(void **state)
{
    int whole = sandbox_landlock_abi();
    landlock_abi_max = 1; /* lacks REFER: of no use */
    assert_int_equal(sandbox_landlock_abi(), 0);
    landlock_abi_max = 2;
    assert_int_equal(sandbox_landlock_abi(), whole ? 2 : 0);
    landlock_abi_max = INT_MAX;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_landlock_2),
        cmocka_unit_test(test_landlock_3),
        cmocka_unit_test(test_landlock_whole),
        cmocka_unit_test(test_missing_folder),
        cmocka_unit_test(test_root_is_refused),
        cmocka_unit_test(test_chroot),
        cmocka_unit_test(test_abi),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
