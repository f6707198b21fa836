/* master: starts, links, watches and restarts the roles; parses nothing from the network. Runs as root where
 * it can. */
#ifndef ROLE_MASTER_H
#define ROLE_MASTER_H

#include "conf/conf.h"

#include <signal.h>

struct master_start {
    const char *conf_path;
    const char *const *sets; /* --set overrides, applied again at every reload */
    size_t n_sets;
    const struct conf *conf; /* the loaded one */
};

/* Runs the server in the foreground until SIGTERM or SIGINT; prints `malle: ready` on standard output when
 * every port answers. Returns the exit status. */
int master_run(const struct master_start *start);

/* Where the running master of this configuration listens for `malle status`, and its process id file. */
void master_socket_path(const struct conf *c, struct buf *out);
void master_pid_path(const struct conf *c, struct buf *out);

/* mailbox ends the parked session whose number comes with this signal (sigqueue). */
#define MASTER_KICK_SIGNAL SIGRTMIN

#endif
