/* proc: starting a role as a new program image, with its control link and its listening sockets.
 *
 * The master (and mailbox, for deliver) re-executes /proc/self/exe as `malle --role NAME`, descriptor 3 being
 * the control link; all other descriptors arrive over it in typed messages. */
#ifndef OS_PROC_H
#define OS_PROC_H

#include "base/str.h"

#include <sys/types.h>

enum { PROC_CONTROL_FD = 3 };

/* Forks and executes the role; *ret_control is the parent's end of its control link. The child gets
 * descriptors 0
 * (/dev/null), 1 and 2 (as here) and 3 only. title: shown by ps as "malle: title". RC_TEMP when the system
 * refuses. */
MUST_USE enum rc proc_start_role(const char *role, const char *title, pid_t *ret_pid, int *ret_control);
/* Ends a process that was forked without what libraries do at the end of a program: to free what it shares
 * with its parent copies all of that first. With a sanitizer it is exit, because they report then. */
_Noreturn void proc_exit(int status);
/* Rewrites what ps shows for this process. init replaces the elements of argv by copies that stay valid. */
void proc_init_title(int argc, char **argv);
void proc_set_title(const char *fmt, ...) PRINTF(1, 2);

#endif
