/* The order in which a process gives its rights up. Runs in every role but the master.
 *
 * Each step needs a right that a later one takes: chroot needs root, the folders are opened while root can
 * still reach them, Landlock and seccomp without root need no_new_privs, and seccomp comes last because it
 * refuses the rest. */
#include "os/sandbox_impl.h"

#include "base/log.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { KEEP_MAX = 16 };

void sandbox_die(const char *what, const char *on)
{
    log_error("sandbox: %s%s%s: %s", what, *on ? " " : "", on, strerror(errno));
    _exit(1);
}

static _Noreturn void refuse(const char *why)
{
    log_error("sandbox: %s", why);
    _exit(1);
}

static bool started_by_root(void)
{
    return geteuid() == 0;
}

#ifdef SANITIZED
/* LeakSanitizer asks this at the end. It would have to trace this process, which no sandbox lets it. */
static int confined;
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return confined;
}
#endif

/* --- identity --- */

static void enter_root(const char *dir)
{
    if (chroot(dir) != 0)
        sandbox_die("chroot", dir);
    if (chdir("/") != 0)
        sandbox_die("chdir", "/");
}

/* A kernel or a capability that gives root back would make everything below worthless: look. */
static void check_root_is_gone(const struct sandbox *sb)
{
    uid_t r, e, s;
    gid_t rg, eg, sg;
    if (getresuid(&r, &e, &s) != 0 || r != sb->uid || e != sb->uid || s != sb->uid)
        refuse("the user was not changed");
    if (getresgid(&rg, &eg, &sg) != 0 || rg != sb->gid || eg != sb->gid || sg != sb->gid)
        refuse("the group was not changed");
    if (setresuid((uid_t)-1, 0, (uid_t)-1) == 0 || setuid(0) == 0)
        refuse("root can be regained");
    if (sb->gid != 0 && setresgid((gid_t)-1, 0, (gid_t)-1) == 0)
        refuse("the group of root can be regained");
}

static void become(const struct sandbox *sb)
{
    if (sb->uid == 0)
        refuse("uid 0 is never entered");
    if (setgroups(sb->n_groups, sb->groups) != 0)
        sandbox_die("setgroups", "");
    if (setresgid(sb->gid, sb->gid, sb->gid) != 0)
        sandbox_die("setresgid", "");
    if (setresuid(sb->uid, sb->uid, sb->uid) != 0)
        sandbox_die("setresuid", "");
    check_root_is_gone(sb);
}

/* --- all layers --- */

static void not_dumpable(void)
{
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        sandbox_die("PR_SET_DUMPABLE", "");
#ifdef SANITIZED
    confined = 1;
#endif
}

static void confine(const struct sandbox *sb, enum sandbox_profile profile)
{
    bool changes_user = sb->uid != (uid_t)-1;
    if (changes_user && sb->chroot_dir)
        enter_root(sb->chroot_dir);
    int ruleset = landlock_prepare(sb, profile);
    if (changes_user)
        become(sb);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        sandbox_die("PR_SET_NO_NEW_PRIVS", "");
    not_dumpable();
    landlock_enter(ruleset);
    seccomp_enter(profile);
}

static enum sandbox_profile profile_of(enum sandbox_role role)
{
    switch (role) {
    case ROLE_SMTPD:
    case ROLE_SUBMISSION:
        return PROFILE_SMTPD;
    case ROLE_LOGIN:
    case ROLE_SASL:
    case ROLE_USERDB:
        return PROFILE_LOGIN;
    case ROLE_AUTH:
        return PROFILE_AUTH;
    case ROLE_MAILBOX:
        return PROFILE_MAILBOX;
    case ROLE_DELIVER:
        return PROFILE_DELIVER;
    case ROLE_QUEUE:
        return PROFILE_QUEUE;
    case ROLE_SMTP:
        return PROFILE_SMTP;
    case ROLE_PROXYMAP:
        return PROFILE_PROXYMAP;
    case ROLE_AUTH_WORKER: /* have no profile: sandbox_enter returns before */
    case ROLE_COMMAND:
        break;
    }
    refuse("unknown role");
}

/* Filters and no_new_privs would be those of the programs that it starts. What it keeps of root: to become
 * somebody else, to end what it started, and to read what an administrator has closed to others. Programs get
 * none of it. */
static void drop_capabilities(void)
{
    enum { KEPT = 1 << CAP_SETUID | 1 << CAP_SETGID | 1 << CAP_KILL | 1 << CAP_DAC_READ_SEARCH };
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{.effective = KEPT, .permitted = KEPT}};
    if (geteuid() == 0 && syscall(SYS_capset, &head, data) != 0)
        sandbox_die("capset", "");
}

void sandbox_enter(const struct sandbox *sb)
{
    if (sb->role == ROLE_COMMAND) {
        drop_capabilities();
        not_dumpable();
        return;
    }
    if (sb->role == ROLE_AUTH_WORKER) {
        not_dumpable();
        return;
    }
    if (started_by_root() && sb->uid == (uid_t)-1 && sb->role != ROLE_MAILBOX)
        refuse("this role must not run as root");
    confine(sb, profile_of(sb->role));
}

/* --- the cage --- */

static int by_number(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

/* Closes all descriptors from 3 on but keep[n]. */
static void close_others(const int *keep, size_t n)
{
    int kept[KEEP_MAX];
    unsigned from = STDERR_FILENO + 1;
    must(n <= KEEP_MAX);
    for (size_t i = 0; i < n; i++)
        kept[i] = keep[i];
    qsort(kept, n, sizeof kept[0], by_number);
    for (size_t i = 0; i < n; i++) {
        if (kept[i] < (int)from)
            continue;
        if ((unsigned)kept[i] > from && close_range(from, (unsigned)kept[i] - 1, 0) != 0)
            sandbox_die("close_range", "");
        from = (unsigned)kept[i] + 1;
    }
    if (close_range(from, ~0U, 0) != 0)
        sandbox_die("close_range", "");
}

void cage_enter(const struct sandbox *sb, const int *keep, size_t n_keep)
{
    if (started_by_root() && (sb->uid == (uid_t)-1 || sb->uid == 0 || sb->gid == 0 || sb->gid == (gid_t)-1))
        refuse("root has no session");
    close_others(keep, n_keep);
    confine(sb, PROFILE_CAGE);
}

void cage_prepare(void)
{
    seccomp_prepare_cage();
}
