/* imap_load: what the two kinds of work of the IMAP load generator share. */
#ifndef BENCH_IMAP_LOAD_H
#define BENCH_IMAP_LOAD_H

#include "conn.h"

struct imap_options {
    const char *host, *work, *user, *password, *tls, *cgroup;
    int port, sessions, count, users, pid, size, copies, run, stay;
};
extern struct imap_options opt;

/* A logged-in session. */
struct imap {
    struct conn conn;
    unsigned tag;
    unsigned exists; /* as the last untagged EXISTS tells */
};

void imap_log_in(struct imap *s, int user); /* user: 1 to opt.users */
void imap_log_out(struct imap *s);
/* Sends a command (without tag and line end) and reads all up to its tagged response, which must be OK. */
void imap_say(struct imap *s, const char *command);
/* One message of opt.size bytes, in one write (RFC 7888). */
void imap_append(struct imap *s, const char *mailbox);

/* imap_steps.c: one session sends single commands to a large mailbox, each measured by itself. Prints the
 * report. */
void imap_steps_run(void);

#endif
