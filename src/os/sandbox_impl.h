/* sandbox_impl: what the layers of the sandbox share. Included by sandbox.c, landlock.c and seccomp.c only.
 */
#ifndef OS_SANDBOX_IMPL_H
#define OS_SANDBOX_IMPL_H

#include "os/sandbox.h"
#include "os/sanitized.h"

/* What a process is confined to: the roles, and the cage of a session. */
enum sandbox_profile {
    PROFILE_SMTPD, /* and submission */
    PROFILE_LOGIN, /* and sasl, userdb */
    PROFILE_AUTH,
    PROFILE_MAILBOX,
    PROFILE_CAGE,
    PROFILE_DELIVER,
    PROFILE_QUEUE,
    PROFILE_SMTP,
    PROFILE_PROXYMAP
};

/* Logs what failed, with errno, and ends the process. */
_Noreturn void sandbox_die(const char *what, const char *on);

/* Opens the folders of *sb (after chroot, while they can still be reached) and puts the rules together.
 * Returns a descriptor for landlock_enter, or -1 when the kernel has no usable Landlock, which is logged. */
int landlock_prepare(const struct sandbox *sb, enum sandbox_profile profile);
/* Applies the rules and closes the descriptor; -1 does nothing. no_new_privs is set already. */
void landlock_enter(int ruleset_fd);

/* Installs the allow-list of the profile in every thread. no_new_privs is set already. */
void seccomp_enter(enum sandbox_profile profile);
/* Puts the list of the cage together for the children of this process. */
void seccomp_prepare_cage(void);

#endif
