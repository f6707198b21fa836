/* Shared by the files of the mailbox role only: a single-threaded epoll loop in which every descriptor has a
 * source. */
#ifndef ROLE_MAILBOX_IMPL_H
#define ROLE_MAILBOX_IMPL_H

#include "account/identity.h"
#include "base/map.h"
#include "fmt/parked.h"
#include "os/channel.h"
#include "os/secret_heap.h"
#include "role/access_groups.h"
#include "role/ipc.h"
#include "role/quota_terms.h"
#include "role/role.h"
#include "role/session.h"

struct mailbox;

struct source { /* embedded as the first member of what owns the descriptor */
    int fd;
    void (*ready)(struct mailbox *mb, struct source *s);
};

struct watch_group;            /* sessions that are told of the same changes */
struct watch_place {           /* of a session in a group */
    struct watch_group *group; /* NULL: in none */
    struct session *session;
    struct watch_place *next, **at;
};
enum { WATCH_NAME, WATCH_NEW, WATCH_CUR, WATCH_BLIND, WATCH_PLACES };
struct watch { /* of a mailbox */
    struct watch_place place[WATCH_PLACES];
    struct watch *next;
};

/* A log-in as long as its connection lasts: a process serves it, then it is parked, then another process
 * serves it. */
struct session {
    struct source source; /* of the process: CHANGED, WATCH, UNWATCH, PARK and more come from here, WAKE goes
                             there; parked: the stream, on which login says what the client says */
    struct session *next, **at; /* in mailbox.sessions or mailbox.parked */
    pid_t pid;                  /* 0: parked */
    pid_t host; /* of the session whose user is a guest in this one; 0: it is the account's own */
    char account[IDENTITY_ACCOUNT_MAX + 1];
    bool imap;           /* else POP3 */
    char client[64];     /* its address */
    char session_id[64]; /* as lines of the log name it */
    char *secret;        /* of mailbox.secrets: the identity that was redeemed, and then the fields of PARK */
    size_t identity_bytes, park_bytes;
    struct watch selected; /* of the mailbox that it has selected, if any */
    struct watch *others;  /* those of NOTIFY */
    unsigned n_others;
    bool woken; /* WAKE was sent and not yet followed by a message of the session; or would have been, had it
                   not said PARK */
    /* since PARK */
    int stream_fd;   /* until the process has ended; else -1 */
    uint32_t number; /* for park_kick */
    msec deadline, next_sign;
    bool idling;
    bool waiting; /* in mailbox.waiting: a process is to go on as soon as there may be one more */
    struct session *next_waiting;
};

struct deliver_proc { /* one running deliver process */
    struct source control;
    struct deliver_proc *next;
    pid_t pid;
    uid_t uid; /* UID_RETIRED: no new links */
    uid_t started_for;
    unsigned links; /* that it was sent */
    msec started;
};

#define UID_RETIRED ((uid_t)-1)

struct mail_used { /* what an account has, as a session or deliver process said */
    char account[IDENTITY_ACCOUNT_MAX + 1];
    uid_t uid; /* of the deliver process; -1: of its own session */
    struct quota_use use;
};

struct mailbox {
    struct role *role;
    int epoll;
    struct channel_pool *auth, *command;
    struct session *sessions; /* those with a process */
    unsigned n_sessions;
    struct session *parked;
    unsigned n_parked;
    uint32_t last_number; /* of those that parked */
    struct session *waiting, **last_waiting;
    msec next_parked; /* not before then something is due for one that is parked */
    struct secret_heap *secrets;
    struct map
        *per_origin; /* protocol, address and account -> number of sessions, as a pointer-sized integer */
    struct deliver_proc *delivers;
    struct account_identity mail_user; /* owns the mail of the accounts in the database; without a Maildir */
    struct access_groups access_groups;
    struct map *paused; /* uid -> monotonic ms until which its deliver process is not started again */
    unsigned n_links;   /* links and channels */
    struct source inotify;
    struct map *groups; /* struct watch_group by what is watched */
    bool poll_warned;   /* the inotify limit was reached and logged */
    msec warned_since;  /* when warnings of quotas were last counted from 0 */
    unsigned warned;
    struct map *domain_totals;              /* domain -> descriptor of what it has together, plus 1 */
    struct mail_used used[MAIL_COUNTS_MAX]; /* what auth is yet to hear */
    size_t n_used;
    msec tell_used; /* when it is to */
    msec next_poll; /* when sessions without inotify watches are woken by the clock */
    bool stopping;
};

/* mailbox.c */
/* RC_PERM: no descriptor that can be waited for. */
MUST_USE enum rc source_add(struct mailbox *mb, struct source *s);
void source_del(struct mailbox *mb, struct source *s); /* takes it off the loop and closes fd */
/* Asks auth (login: with TICKET_REDEEM the process that sent the ticket); RC_OK with the identity, or what
 * auth says in *e. Refuses uid 0 and uids outside the valid range. */
MUST_USE enum rc mailbox_identity(struct mailbox *mb, enum ipc_type question, str argument, uint32_t login,
                                  struct account_identity *ret, struct err *e);

/* mailbox_root.c (mail_root.h has its other function) */
/* Whether this uid has a journal of deliveries, which may hold what a power failure took. */
bool mailbox_has_journal(const struct mailbox *mb, const struct account_identity *id);

/* mailbox_session.c */
/* The process id of the session; 0 with *e when there is none. */
pid_t session_start(struct mailbox *mb, uint32_t login, struct ipc_msg *request, struct err *e);
/* One in the account `id` for the user of another session, who speaks on the stream (which stays open here).
 */
void session_start_guest(struct mailbox *mb, const struct session *host, const struct account_identity *id,
                         int stream);
/* Its process has ended: it parks if it said so. */
void session_ended(struct mailbox *mb, struct session *s, int status);
/* A process goes on in the place of one that is parked. */
MUST_USE enum rc session_resume(struct mailbox *mb, struct session *s, struct err *e);
void session_free(struct mailbox *mb, struct session *s); /* the connection ends with it */
void session_list(struct session **list, struct session *s);
void session_unlist(struct session *s);
void sessions_reopen_log(struct mailbox *mb); /* after a reload */

/* mailbox_deliver.c */
void deliver_link_make(struct mailbox *mb, str asker, struct ipc_msg *request, struct err *e, int *ret_fd);
void deliver_ended(struct mailbox *mb, struct deliver_proc *d, int status);
void deliver_retire_all(
    struct mailbox *mb); /* the configuration changed: the next delivery starts a new process */
/* Has a deliver process look at the journal, if there is one, and waits for that: sessions must not see
 * Maildirs of which a power failure took something. */
void deliver_recover(struct mailbox *mb);
void deliver_auth_changed(struct mailbox *mb); /* auth was started anew: give each process a new channel */

/* mailbox_quota.c */
/* A session (uid -1: the account is its own) or a deliver process of this uid says that a quota's warning is
 * due: has its program run. False: the message is malformed, or of somebody else's account. */
bool quota_crossed(struct mailbox *mb, str own_account, uid_t uid, struct ipc_msg *m);

/* MAIL_USED; as before. */
bool mail_used_message(struct mailbox *mb, str own_account, uid_t uid, struct ipc_msg *m);
msec mail_used_due(struct mailbox *mb); /* tells auth when that is due; when to come again, 0: never */
/* auth said of an account what its domain has together (fd: kept from here on; -1: no total). */
void domain_total_keep(struct mailbox *mb, const char *account, int fd);
/* As it was last kept; -1: none. */
int domain_total_fd(const struct mailbox *mb, const char *account);

/* mailbox_shared.c: SHARED_OPEN, SHARED_FIND and SHARED_WITH of a session. False: malformed, or not
 * permitted. */
MUST_USE bool shared_open(struct mailbox *mb, struct session *s, struct ipc_msg *m);
MUST_USE bool shared_find(struct mailbox *mb, const struct session *s, struct ipc_msg *m);
MUST_USE bool shared_with(struct mailbox *mb, const struct session *s, struct ipc_msg *m);

/* mailbox_park.c */
/* PARK. False: malformed, or not permitted. */
MUST_USE bool park_message(struct mailbox *mb, struct session *s, struct ipc_msg *m);
void park_begin(struct mailbox *mb, struct session *s);
/* Something happened for which it must go on. */
void park_wake(struct mailbox *mb, struct session *s);
str park_record(const struct session *s);
/* Whether there may be one more of them. */
bool park_room(const struct mailbox *mb);
/* Starts processes for those that wait, as far as mailbox_process_limit lets. */
void park_start_waiting(struct mailbox *mb);
msec park_due(struct mailbox *mb);                /* does what is due; when to come again, 0: never */
void park_list(const struct mailbox *mb, int fd); /* "parked PID NUMBER TITLE", as master_status.c has it */
void park_kick(struct mailbox *mb, uint32_t number); /* ends the connection */

/* mailbox_watch.c */
void watch_init(struct mailbox *mb);
void watch_session_message(struct mailbox *mb, struct source *s);
/* Its process has ended: takes what it said before. */
void watch_session_last(struct mailbox *mb, struct session *s);
void watch_drop(struct mailbox *mb, struct session *s);
void watch_changed(struct mailbox *mb, const struct session *by, str account, str name);
msec watch_poll_due(struct mailbox *mb); /* wakes what is due; when to come again, 0: never */

#endif
