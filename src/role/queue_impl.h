/* Shared by the files of the queue role only. */
#ifndef ROLE_QUEUE_ROLE_H
#define ROLE_QUEUE_ROLE_H

#include "base/log.h"
#include "os/channel.h"
#include "queue/queue.h"
#include "queue/spool.h"
#include "queue/tls_db.h"
#include "queue/verify_db.h"
#include "role/local_delivery.h"
#include "role/role.h"

#include <stdatomic.h>

struct queue_role {
    struct role *role;
    struct queue *queue;
    struct spool *spool;
    struct tls_db *tls;
    struct verify_db *verify;
    struct table_settings *tables;
    struct channel_pool *auth, *mailbox, *command;
    struct deliver_pools *deliver;
    msec serves_from;  /* no job before, unless no smtp owes a report on a job of the queue before this one */
    atomic_int silent; /* processes of smtp that have not said how many they owe */
    atomic_int owed;   /* such reports */
};

struct queue_peer { /* whoever asks on one link */
    struct queue_role *server;
    char name[24];
    atomic_bool told; /* smtp: it has said how many reports it owes */
};

/* queue_answer.c: requests of other roles; ctx is the struct queue_peer */
enum rc queue_handle(void *ctx, void **conn, struct ipc_msg *request, struct buf *reply, int *reply_fds,
                     unsigned *ret_n_fds);
void queue_closed(void *ctx, void *conn);

/* queue_tls.c: the same, for what is known of TLS at other domains */
enum rc queue_tls_find(const struct queue_role *s, struct ipc_msg *m, struct buf *reply);
enum rc queue_tls_keep(const struct queue_role *s, struct ipc_msg *m, struct buf *reply);
enum rc queue_tls_count(const struct queue_role *s, struct ipc_msg *m, struct buf *reply);

/* queue_verify.c: the same, for addresses of other servers */
enum rc queue_verify_ask(const struct queue_role *s, struct ipc_msg *m, struct buf *reply);
/* Keeps what became of a probe for the address; *o is then that it leaves the queue. */
void queue_verify_note(const struct queue_role *s, str address, struct queue_outcome *o);
/* Deals with a probe that leads to no other server: true, and the job is reported. */
bool queue_verify_take(const struct queue_role *s, const struct queue_job *job);

void queue_peer_gone(void *ctx); /* its link is closed */

/* queue_local.c: threads that take jobs for mailboxes of this server */
void queue_local_start(struct queue_role *s);

/* queue_job.c */
struct queue_worker { /* a thread that takes jobs of a kind */
    struct queue_role *server;
    enum queue_kind kind;
    void (*run)(struct queue_worker *w, const struct queue_job *job);
    struct arena *arena; /* for the job under way; the job lies in it */
    struct buf ipc;
};
/* Starts n of them. run delivers the job, reports it and closes its content. */
void queue_workers_start(struct queue_role *s, enum queue_kind kind, int n, const char *name,
                         void (*run)(struct queue_worker *w, const struct queue_job *job));
/* Where an address leads, as auth says; targets lie in the arena. */
MUST_USE enum rc queue_resolve(const struct queue_role *s, struct buf *ipc, str address, struct arena *a,
                               struct smtp_target **ret, size_t *ret_n, struct err *e);
/* The sender of what is sent on to another server, which leads back through us (doc/queue.md, Addresses on
 * the way); *ret: empty, else it was asked for before. Empty for the empty one. RC_TEMP with e. */
MUST_USE enum rc queue_find_forwarded(const struct queue_role *s, struct buf *ipc, str sender,
                                      struct arena *a, str *ret, struct err *e);
/* Binary content as lines, for mailboxes and programs (RFC 3030 §3): job->content is converted then. */
MUST_USE enum rc queue_make_lines(struct queue_job *job, struct buf *converted, struct err *e);
void queue_set_outcome(struct queue_outcome *o, enum queue_result result, const struct err *e,
                       struct arena *a);
/* Asks the delivery_status_filter of the program, whose lines in the log they are, and logs them. */
void queue_log_outcomes(const struct queue_role *s, struct arena *a, const struct queue_job *job,
                        struct queue_outcome *outcomes, const char *relay, enum log_program program);

/* queue_command.c: threads that take jobs for the role command */
void queue_command_start(struct queue_role *s);

#endif
