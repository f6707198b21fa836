/* server: the running server as commands see it, and starting one in the background. */
#ifndef CLI_SERVER_H
#define CLI_SERVER_H

#include "cli/cli.h"

#include <sys/types.h>

/* The process id of the master with this run_dir, 0 when none runs: the lock on its pid file tells. */
pid_t server_pid(const struct conf *c);

/* Waits until no master runs; false when one still does after so long. */
bool server_wait_end(const struct conf *c, int timeout_ms);

enum { SERVER_STATUS_MAX = 4 << 20 };

/* What runs, in the lines of role/master_status.c. RC_GONE: nobody answers; RC_TEMP: it broke off. */
MUST_USE enum rc server_status(const struct conf *c, struct buf *ret);

/* Has the master read its settings again, and waits until every role has them. CLI_FINE, or CLI_FINDING after
 * it was told why not: not to be signalled, refused, or not done within half a minute. */
int server_reload(struct cli *cli, pid_t master);

/* Starts the server as a process of its own and waits until every port answers. What it says before that
 * goes to standard error. CLI_FINE, or CLI_FINDING when it ended instead. */
int server_start(struct cli *cli);

#endif
