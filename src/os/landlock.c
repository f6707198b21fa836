/* Landlock by its system calls: which files a process may reach, whatever its user could. Runs in every
 * confined role.
 *
 * What the rules list as handled is denied wherever no folder allows it. Running programs and making links to
 * other names, sockets, pipes and devices is handled and never allowed. REFER (rename and link between
 * folders) must be handled, or the kernel denies it everywhere; so ABI 1, which lacks it, is of no use and
 * counts as absent. */
#include "os/sandbox_impl.h"

#include "base/log.h"
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Later than the headers of Debian 12. */
#define FS_TRUNCATE     (1ULL << 14) /* ABI 3 */
#define FS_IOCTL_DEV    (1ULL << 15) /* ABI 5 */
#define NET_BIND_TCP    (1ULL << 0)  /* ABI 4 */
#define NET_CONNECT_TCP (1ULL << 1)
#define RULE_NET_PORT   2
#define SCOPE_ABSTRACT  (1ULL << 0) /* ABI 6: abstract Unix sockets of processes that are less confined */
#define SCOPE_SIGNAL    (1ULL << 1) /* ABI 6: signals to such processes */

#define FS_MAKE_SPECIAL                                                                            \
    (LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SOCK | \
     LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM)
#define FS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_CHANGE                                                                                     \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
     LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REFER)
/* The rights that a rule for a single file may name. */
#define FS_OF_A_FILE (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE)

enum { ABI_MIN = 2 };

struct ruleset_attr { /* struct landlock_ruleset_attr as of ABI 6; the kernel accepts unknown members that are
                         0 */
    uint64_t handled_fs, handled_net, scoped;
};

int landlock_abi_max = INT_MAX;

int sandbox_landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi > landlock_abi_max)
        abi = landlock_abi_max;
    return abi < ABI_MIN ? 0 : (int)abi;
}

/* mailbox is root, starts programs and makes every account's folders; but it makes no special file and no
 * network. */
static struct ruleset_attr handled(enum sandbox_profile profile, int abi)
{
    bool mailbox = profile == PROFILE_MAILBOX;
    bool connects = profile == PROFILE_SMTPD || profile == PROFILE_SMTP || profile == PROFILE_PROXYMAP;
    struct ruleset_attr attr = {.handled_fs = FS_MAKE_SPECIAL | LANDLOCK_ACCESS_FS_REFER};
    if (!mailbox)
        attr.handled_fs |= FS_READ | FS_CHANGE | LANDLOCK_ACCESS_FS_EXECUTE;
    if (!mailbox && abi >= 3)
        attr.handled_fs |= FS_TRUNCATE;
    if (abi >= 4)
        attr.handled_net = connects ? NET_BIND_TCP : NET_BIND_TCP | NET_CONNECT_TCP;
    if (!mailbox && abi >= 5)
        attr.handled_fs |= FS_IOCTL_DEV;
    if (abi >= 6)
        attr.scoped = SCOPE_ABSTRACT | SCOPE_SIGNAL;
    return attr;
}

static void allow(int ruleset, const char *path, uint64_t rights)
{
    struct stat st;
    AUTO(fd_closep) int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        sandbox_die("open", path);
    if (!S_ISDIR(st.st_mode))
        rights &= FS_OF_A_FILE;
    struct landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = fd};
    if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
        sandbox_die("landlock_add_rule", path);
}

/* Binding an address and no port: the kernel chooses one (smtp_bind_address). */
static void allow_bind_of_address(int ruleset)
{
    struct {
        uint64_t allowed_access, port; /* struct landlock_net_port_attr */
    } rule = {.allowed_access = NET_BIND_TCP, .port = 0};
    if (syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) != 0)
        sandbox_die("landlock_add_rule", "port 0");
}

int landlock_prepare(const struct sandbox *sb, enum sandbox_profile profile)
{
    static bool told; /* mailbox says it for its sessions */
    int abi = sandbox_landlock_abi();
    if (abi == 0) {
        if (!told)
            log_warn("sandbox: this kernel has no usable Landlock; going on without this layer");
        told = true;
        return -1;
    }
    struct ruleset_attr attr = handled(profile, abi);
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
    if (ruleset < 0)
        sandbox_die("landlock_create_ruleset", "");
    if (profile == PROFILE_MAILBOX)
        allow(ruleset, "/", LANDLOCK_ACCESS_FS_REFER);
    if (profile == PROFILE_SMTP && abi >= 4)
        allow_bind_of_address(ruleset);
    for (const char *const *dir = sb->rw_dirs; dir && *dir; dir++)
        allow(ruleset, *dir, (FS_READ | FS_CHANGE | FS_TRUNCATE) & attr.handled_fs);
    for (const char *const *dir = sb->ro_dirs; dir && *dir; dir++)
        allow(ruleset, *dir, FS_READ & attr.handled_fs);
    return ruleset;
}

void landlock_enter(int ruleset_fd)
{
    if (ruleset_fd < 0)
        return;
    if (syscall(SYS_landlock_restrict_self, ruleset_fd, 0) != 0)
        sandbox_die("landlock_restrict_self", "");
    close(ruleset_fd);
}
