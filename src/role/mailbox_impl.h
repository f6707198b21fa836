/* Shared by the files of the mailbox role only: a single-threaded epoll loop in which every descriptor has a
 * source. */
#ifndef ROLE_MAILBOX_IMPL_H
#define ROLE_MAILBOX_IMPL_H

#include "account/identity.h"
#include "base/map.h"
#include "os/channel.h"
#include "role/ipc.h"
#include "role/role.h"
#include "role/session.h"

struct mailbox;

struct source { /* embedded as the first member of what owns the descriptor */
    int fd;
    void (*ready)(struct mailbox *mb, struct source *s);
};

struct session {          /* one running session process */
    struct source notify; /* CHANGED, WATCH, UNWATCH come from here, WAKE goes there */
    struct session *next;
    pid_t pid;
    char account[IDENTITY_ACCOUNT_MAX + 1];
    bool imap;       /* else POP3 */
    char client[64]; /* its address */
    char *mailbox;   /* what it watches, NULL: nothing */
    int watch[2];    /* inotify watch descriptors of new/ and cur/, -1: none */
    bool woken;      /* WAKE was sent and not yet followed by a message of the session */
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

struct mailbox {
    struct role *role;
    int epoll;
    struct channel_pool *auth, *command;
    struct session *sessions;
    unsigned n_sessions;
    struct map
        *per_origin; /* protocol, address and account -> number of sessions, as a pointer-sized integer */
    struct deliver_proc *delivers;
    struct account_identity mail_user; /* owns the mail of the accounts in the database; without a Maildir */
    struct map *paused; /* uid -> monotonic ms until which its deliver process is not started again */
    unsigned n_links;   /* links and channels */
    struct source inotify;
    struct map *watches; /* inotify watch descriptor -> number of sessions that use it */
    bool poll_warned;    /* the inotify limit was reached and logged */
    msec warned_since;   /* when warnings of quotas were last counted from 0 */
    unsigned warned;
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
void session_ended(struct mailbox *mb, struct session *s, int status);
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

/* mailbox_watch.c */
void watch_init(struct mailbox *mb);
void watch_session_message(struct mailbox *mb, struct source *s);
void watch_drop(struct mailbox *mb, struct session *s);
void watch_changed(struct mailbox *mb, const struct session *by, str account, str name);
msec watch_poll_due(struct mailbox *mb); /* wakes what is due; when to come again, 0: never */

#endif
