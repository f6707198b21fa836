/* Shared by the files of the role `command` only.
 *
 * The server (command.c) forks a runner for each request. The runner looks up what the request names, becomes
 * the user, runs or writes, sends the answer over the request's own channel and ends with RUNNER_ANSWERED. */
#ifndef ROLE_COMMAND_IMPL_H
#define ROLE_COMMAND_IMPL_H

#include "account/identity.h"
#include "fmt/aliases.h"
#include "fmt/via.h"
#include "role/command_msg.h"
#include "role/role.h"

struct source_fd { /* embedded as the first member of what owns the descriptor that the server waits for */
    int fd;
    void (*ready)(struct source_fd *s);
};

enum { RUNNER_ANSWERED = 0, RUNNER_FAILED = 1, RUNNER_REFUSES = 2 };

/* --- command_run.c --- */
/* Carries out a request and ends the process; channel: where the answer goes. */
_Noreturn void command_runner(const struct conf *c, struct ipc_msg *m, int channel);

/* --- command_spawn.c: programs for connections, run by the server --- */
/* Waits at the role's listeners from now on. */
void command_spawn_start(struct role *r, int epoll);
/* The process has ended. False: it is none of these. */
bool command_spawn_ended(pid_t pid, int status);
/* How long nothing is overdue, -1: for ever. */
int command_spawn_wait_ms(void);
void command_spawn_kill_overdue(void);
void command_spawn_stop(void); /* tells all of them to end */

/* --- command_user.c: who runs it --- */
struct command_user {
    struct account_identity id;
    char shell[256];
};
/* Looks a user up and refuses root, the users of this server's own roles, and with is_person also uids
 * outside of first_valid_uid and last_valid_uid. group: instead of the user's own; may be empty. RC_GONE:
 * there is none; RC_PERM, RC_TEMP with e. */
MUST_USE enum rc command_user_find(const struct conf *c, str name, str group, bool is_person,
                                   struct command_user *ret, struct err *e);
/* For good; ends the process when it cannot. */
void command_become(const struct command_user *u);

/* --- command_expand.c: .forward, run as the user --- */
/* Reads the user's .forward. RC_GONE: none counts. RC_TEMP, RC_PERM with e. Everything lies in the arena. */
MUST_USE enum rc command_forward_read(const struct conf *c, const struct command_user *u, str tag,
                                      struct arena *a, struct alias *ret, struct err *e);
/* The targets as queue is to see them, with those that :include: names. */
MUST_USE enum rc command_forward_targets(const struct conf *c, const struct alias *all, struct arena *a,
                                         struct command_target **ret, size_t *ret_n, struct err *e);

/* --- command_source.c: the message as it is handed over --- */
enum source_flag {
    SOURCE_FROM_LINE = 1, /* "From sender  time" in front */
    SOURCE_RETURN_PATH = 2,
    SOURCE_ORIGINAL = 4,    /* X-Original-To */
    SOURCE_DELIVERED = 8,   /* Delivered-To */
    SOURCE_QUOTE_FROM = 16, /* ">" in front of lines that begin with "From " */
    SOURCE_DOTS = 32,       /* a dot more in front of lines that begin with one */
    SOURCE_BLANK_LINE = 64  /* an empty line at the end */
};
struct source {
    const struct command_request *request;
    const struct command_rcpt *rcpt;
    unsigned flags;
    str null_sender; /* in the From line and Return-Path... of <> */
    uint64_t at;     /* bytes of the content that were read */
    bool head_done, in_line, done;
};
/* Replaces *out, of SOURCE_CHUNK_MAX, by the next piece; empty at the end. RC_TEMP: it cannot be read. */
enum { SOURCE_READ = 32 << 10, SOURCE_CHUNK_MAX = 160 << 10 };
MUST_USE enum rc source_next(struct source *s, struct buf *out);

/* --- command_names.c: what programs are told --- */
struct command_env {
    struct buf text; /* NAME=value, each with a NUL behind it */
    char *v[40];     /* for execve, NULL-terminated */
};
enum { COMMAND_ENV_TEXT_MAX = 16 << 10 };
/* The environment of a command of local(8); u NULL: of a program that is told nothing of a message, q may be
 * NULL then. */
void command_env_make(const struct conf *c, const struct command_request *q, const struct command_user *u,
                      str tag, struct command_env *ret);
struct command_argv {
    struct buf text;
    char *v[PIPE_ARGS_MAX * 2 + PIPE_RCPTS_MAX * 8];
    size_t n;
};
enum { COMMAND_ARGV_TEXT_MAX = 120 << 10 };
/* The arguments of a transport, expanded. RC_PERM with e: an address cannot be handed over; RC_LIMIT. */
MUST_USE enum rc command_argv_make(const struct conf *c, const struct pipe_def *d,
                                   const struct command_request *q, struct command_argv *ret, struct err *e);

/* --- command_program.c --- */
/* Signals are as a program expects them. */
void command_reset_signals(void);

struct program {
    char *const *argv, *const *env;
    const char *directory; /* else "/" */
    struct source *source;
    msec time_limit;
};
/* Runs it and waits. RC_OK: it ended with 0. RC_TEMP, RC_PERM: *e as sysexits.h and its output say; *text is
 * the whole answer, of COMMAND_REPLY_MAX. */
MUST_USE enum rc command_program_run(const struct program *p, struct buf *text, struct err *e);

/* Starts it, without a message, and leaves it to itself, for the time limit at most. RC_TEMP with e: it could
 * not be started. */
MUST_USE enum rc command_program_leave(const struct program *p, struct err *e);

/* --- command_warn.c: quota_warning and quota_warning_programs --- */
/* Has the command of a warning run for the account, as its user: this process becomes that. RC_TEMP with e.
 */
MUST_USE enum rc command_warn(const struct conf *c, str warning, str account, struct arena *a, struct err *e);

/* --- command_file.c --- */
/* Appends to a file in mbox form, or with a slash at the end of the path delivers to a Maildir. */
MUST_USE enum rc command_file_write(const struct conf *c, const char *path, struct source *s, struct err *e);

#endif
