/* Shared by the files of the master only. */
#ifndef ROLE_MASTER_IMPL_H
#define ROLE_MASTER_IMPL_H

#include "role/master.h"
#include "role/role.h"

#include <sys/types.h>

struct master_role { /* a row of the process table */
    const char *name;
    enum master_keys {
        NO_KEYS,
        SERVER_KEYS, /* of the certificates that clients see */
        CLIENT_KEYS  /* of those that other servers see */
    } keys;
    unsigned phase; /* order of stopping: 0 first */
    bool (*wanted)(const struct conf *c);
    bool retires; /* with other tables a successor starts at once, and it ends when its work is done */
};

struct child {
    const struct master_role *role;
    pid_t pid;   /* 0: not running */
    int control; /* -1: not running */
    bool ready;
    bool replaced; /* told to stop, to be started anew with other tables */
    bool retired;  /* a successor was started; when it ends, its row goes */
    unsigned owed; /* configurations that it has not said to hold yet */
    msec started, restart_at;
    unsigned restarts;
};

enum { MASTER_CHILDREN_MAX = 80, MASTER_LISTENERS_MAX = ROLE_LISTENERS_MAX };

struct master {
    struct master_start start;
    const struct conf *conf;
    struct table_settings *tables; /* of all roles: to see which of them changed */
    struct child children[MASTER_CHILDREN_MAX];
    size_t n_children;
    struct role_listener listeners[MASTER_LISTENERS_MAX];
    size_t n_listeners;
    int conf_fd, spool_fd;
    int keys_fds[CLIENT_KEYS + 1];
    bool client_keys_changed; /* with the last reload */
    int signal_fd, status_fd;
    bool announced, stopping;
    unsigned reloads, reloads_over; /* begun; and how many of them are over, in the order they began */
    bool reload_refused;            /* the last one: the configuration has errors */
    pid_t pickup;                   /* the process that empties the maildrop, 0: none */
    msec pickup_due;                /* when the maildrop is looked at again */
    usec since;
};

/* master_children.c */
void children_plan(struct master *m);                   /* fills children from the process table */
void children_start(struct master *m, struct child *c); /* starts one and links it with those that run */
void children_start_all(struct master *m);
void children_reap(struct master *m);
void children_restart_due(struct master *m);
msec children_next_restart(const struct master *m);    /* 0: none */
void children_read(struct master *m, struct child *c); /* its control link can be read */
void children_send_conf(struct master *m);
/* Ends a role, to be started at once with the configuration in force, since `what` changed. */
void children_replace(struct master *m, const char *role, const char *what);
/* Starts a role that the configuration in force wants and none did before, and ends one that it does not
 * want. */
void children_adjust(struct master *m);
void children_forget(struct master *m); /* passwords that auth remembers */
/* mailbox tells fd which sessions are parked. */
void children_tell_status(struct master *m, int fd);
void children_stop(struct master *m);
bool children_all_ready(const struct master *m);
/* Every role runs with the configuration in force. */
bool children_all_applied(const struct master *m);

static inline bool is_role(const struct child *c, const char *name)
{
    return str_eq(str_c(c->role->name), str_c(name));
}

/* master_connect.c: answers CONTROL_CONNECT */
void master_connect(const struct master *m, const struct child *c, struct ipc_msg *request);

/* master_setup.c: the world before the first child; each ends the process with a message when it cannot */
void setup_folders(struct master *m);
void setup_listeners(struct master *m);
void setup_log(const struct conf *c);
MUST_USE enum rc setup_conf_fds(struct master *m, const struct conf *c, struct conf_report *report);

/* master_pickup.c: messages that local programs dropped while no server ran */
void pickup_when_due(struct master *m);
void pickup_ended(struct master *m, pid_t pid);

/* master_status.c */
void status_open(struct master *m);
void status_answer(struct master *m);

#endif
