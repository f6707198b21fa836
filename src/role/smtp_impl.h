/* Shared by the files of the smtp role: delivery of queued mail to other servers. */
#ifndef ROLE_SMTP_IMPL_H
#define ROLE_SMTP_IMPL_H

#include "net/dial.h"
#include "net/resolver.h"
#include "os/channel.h"
#include "queue/queue.h"
#include "role/role.h"
#include "role/smtp_policy.h"
#include "role/smtp_tls.h"
#include "smtp/client.h"

#include <pthread.h>
#include <stdatomic.h>

struct smtp_role {
    struct role *role;
    struct channel_pool *queue;
    struct resolver *resolver;
    struct smtp_tls *tls;
    struct table_settings *tables;
    struct smtp_sts *sts;
    struct smtp_conns *conns;
    struct buf proxy_password; /* "user:password", or empty */
    atomic_int workers, busy;  /* threads, and those of them with a job */
    atomic_bool stopping;
    struct smtp_held { /* the jobs that this process has */
        pthread_mutex_t lock;
        unsigned generation; /* of the link to queue */
        unsigned n, owed;    /* owed: came over an earlier link */
    } held;
};

struct smtp_conn {              /* a connection, kept from one job to the next */
    struct smtp_client *client; /* NULL: none */
    int64_t site;
    struct dial_way way;         /* where it comes from */
    enum smtp_tls_demand demand; /* that it was made for */
    char sender[321];            /* whose mail it may carry, when log-ins are the senders' */
    char peer[320];              /* "mx.example[192.0.2.1]:25" */
    unsigned messages;           /* that went over it */
    msec used;
};

struct smtp_worker {
    struct smtp_role *server;
    const struct conf *conf; /* for the job under way */
    struct channel *channel; /* to queue; NULL after a failure */
    struct buf ipc, job;     /* messages to queue and from it; the one that has the job under way */
    struct arena *arena;     /* for the job under way */
    struct smtp_conn conn;   /* for the job under way; between two it lies with the others */
    int64_t site;            /* of the last one: its next message is preferred */
};

struct smtp_job {
    uint64_t number;
    unsigned generation; /* of the link over which it came */
    int64_t site;
    str site_name;
    uint32_t attempts, wanted;
    struct queue_envelope envelope;
    str content;
    int content_fd;                         /* or -1 */
    str sender, rcpts[QUEUE_JOB_RCPTS_MAX]; /* smtp_change: as they go out */
    struct buf checked;   /* all of the message, when tables look at it: the content is this then */
    str changed;          /* what goes in front, instead of the trace and the first */
    size_t changed_bytes; /* so many bytes of the content; p NULL: nothing is changed */
    str header;           /* smtp_message_fill: goes in front of the content, LF ends its lines; */
    size_t skip;          /* and this many bytes of the content stay away, since they are in it, changed; */
    uint64_t skip_lines;  /* they are so many lines (binary: 0) */
    msec started;
    struct queue_outcome outcomes[QUEUE_JOB_RCPTS_MAX];
    str texts[QUEUE_JOB_RCPTS_MAX]; /* the same for the log: "host mx[ip]:25 said: 450 ... (in reply to RCPT
                                       TO command)" */
    bool site_failed;
};

/* smtp_queue.c: RC_OK: *ret is a job, everything in the worker's arena; RC_GONE: none within wait_ms;
 * RC_TEMP: queue does not answer. */
MUST_USE enum rc smtp_take(struct smtp_worker *w, int64_t keep, uint32_t wait_ms, struct smtp_job *ret);
/* Tells queue what became of the job, also a queue that was started since. RC_OK: and *ret_next, unless it is
 * NULL, is the next one; what was in the worker's arena is gone then. */
enum rc smtp_report(struct smtp_worker *w, const struct smtp_job *job, struct smtp_job *ret_next);
void smtp_job_end(struct smtp_role *s, const struct smtp_job *job); /* every job that was taken */
/* Tells each new queue what is still owed, until nothing is held: for a process that takes nothing any more.
 */
void smtp_wait_reported(struct smtp_role *s);
/* A new link: whoever answers there is another queue and waits until it was told of the jobs under way. */
void smtp_queue_link(struct smtp_role *s, int fd);

/* smtp_header.c: fills what goes out otherwise than it lies in the queue. RC_TEMP: a table does not answer.
 */
MUST_USE enum rc smtp_change(const struct smtp_worker *w, struct smtp_job *job);

/* smtp_message.c: the header of the content, with the empty line that ends it; empty when it has no end
 * within the limit. */
enum { SMTP_HEADER_MAX = 1 << 20 };
str smtp_message_header(const struct smtp_job *job, struct arena *a);
/* What the message says of TLS. */
enum smtp_tls_demand smtp_demand_of(const struct conf *c, const struct queue_envelope *v);
/* The message as it goes over the worker's connection, to recipients open[0] to open[n - 1] of the job; what
 * is made for that lives in the worker's arena. */
void smtp_message_fill(const struct smtp_worker *w, struct smtp_job *job, const size_t *open, size_t n,
                       struct smtp_client_message *ret, struct smtp_client_rcpt *rcpts);

/* smtp_deliver.c: fills every outcome. */
void smtp_deliver(struct smtp_worker *w, struct smtp_job *job);
void smtp_conn_close(struct smtp_conn *c); /* says QUIT; nothing when there is none */

/* smtp_log.c: a line for each recipient in Postfix's shape. */
void smtp_log_outcomes(const struct conf *c, const struct smtp_job *job);

#endif
