/* sandbox: each role ends its start-up with one visible call to sandbox_enter; a mailbox session with
 * cage_enter.
 *
 * Layers, each logged once and skipped where the kernel lacks it: chroot, setgroups/setresgid/setresuid,
 * no_new_privs, not dumpable, Landlock (ABI 2 rights at least, network rights from ABI 4, scopes from ABI 6),
 * seccomp. In release builds seccomp answers unknown calls with ENOSYS; with MALLE_SECCOMP_KILL in the
 * environment of a test it kills. */
#ifndef OS_SANDBOX_H
#define OS_SANDBOX_H

#include "base/str.h"

#include <sys/types.h>

enum sandbox_role {
    ROLE_SMTPD,       /* accept on inherited sockets, DNS over UDP/TCP, no files */
    ROLE_SUBMISSION,  /* the same */
    ROLE_LOGIN,       /* accept, no files, no DNS */
    ROLE_AUTH,        /* the account database's folder, no network */
    ROLE_AUTH_WORKER, /* exempt: administrators' PAM modules run there; only no_dump is set */
    ROLE_MAILBOX,     /* root: forks, kills nobody but its children, no network sockets; inotify */
    ROLE_DELIVER,     /* one uid, Landlock to its mail root, no network */
    ROLE_QUEUE,       /* the spool's folder, no network */
    ROLE_COMMAND,     /* exempt, because its children run users' programs: no_dump, few of root's rights */
    ROLE_SMTP,        /* connections to other servers and the DNS, accepts none, no files */
    ROLE_PROXYMAP, /* connections to databases, also over Unix sockets; reads some folders, writes nothing */
    ROLE_SASL,     /* accept on inherited sockets, no files, no DNS */
    ROLE_USERDB    /* the same */
};

struct sandbox {
    enum sandbox_role role;
    uid_t uid; /* (uid_t)-1: stay who we are (not started by root) */
    gid_t gid;
    const gid_t *groups; /* supplementary groups, may be NULL */
    size_t n_groups;
    const char *chroot_dir; /* NULL: none */
    const char *const
        *rw_dirs; /* folders where files may be read, made and changed, NULL-terminated; NULL: none */
    const char *const *ro_dirs; /* folders that may be read */
};

/* Locks the process in. Call before any thread is started. Ends the process when a layer that the kernel has
 * cannot be applied: a role never runs less confined than asked. */
void sandbox_enter(const struct sandbox *sb);

/* The cage of a mailbox session (doc/security.md): closes every descriptor but keep[n] and 0-2, chroots to
 * root_dir when chroot_ok, becomes the identity, Landlock to the folders, seccomp. uid 0 ends the process. */
void cage_enter(const struct sandbox *sb, const int *keep, size_t n_keep);
/* Does now what is the same for the cages of all children; before sandbox_enter. Without it each does it
 * itself. */
void cage_prepare(void);

/* Landlock ABI in use: what the kernel has, capped by landlock_abi_max (tests set 2 and 3), 0 when absent. */
int sandbox_landlock_abi(void);
extern int landlock_abi_max;

#endif
