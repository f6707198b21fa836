/* Shared by the files of the smtpd and submission roles: one process that accepts, and what a session asks of
 * it. */
#ifndef ROLE_SMTPD_IMPL_H
#define ROLE_SMTPD_IMPL_H

#include "fmt/headscan.h"
#include "os/channel.h"
#include "role/accept.h"
#include "role/client_limit.h"
#include "role/gate.h"
#include "role/local_delivery.h"
#include "role/rcpt_cache.h"
#include "role/role.h"
#include "smtp/session.h"

#include <pthread.h>
#include <stdatomic.h>

struct resolver;

enum { SMTPD_NAME_SIZE = 65, SMTPD_TRUSTED_MAX = 1000 };

struct smtpd_trusted { /* a user of the system who may send as any address */
    char name[SMTPD_NAME_SIZE];
    uid_t uid;
};

struct smtpd_local { /* who is at the other end of a Unix socket */
    char name[SMTPD_NAME_SIZE];
    struct smtp_local_user user;
};

struct dovecot_mechanisms { /* what the Dovecot at smtpd_sasl_path offers */
    pthread_mutex_t lock;
    char path[301]; /* of which they are */
    char names[SMTP_MECHANISMS_MAX + 1];
    msec due; /* when it is asked again */
    bool asking;
};

struct smtpd {
    struct role *role;
    struct channel_pool *auth, *sasl, *mailbox,
        *queue; /* sasl: an exchange holds its channel while the client thinks */
    struct deliver_pools *deliver;
    struct rcpt_cache *rcpts;
    struct resolver *resolver;
    struct table_settings *tables; /* of the restrictions */
    struct client_limit *clients;
    struct gate *gate; /* of smtpd */
    struct tls_slot tls;
    struct dovecot_mechanisms mechanisms;
    struct smtpd_trusted trusted[SMTPD_TRUSTED_MAX];
    size_t n_trusted;
    atomic_bool stopping;
};

enum { CONTENT_HELD_MAX = 256 << 10 }; /* a longer header is not rewritten */

struct content { /* what smtp_env's content functions keep */
    struct buf memory;
    int file; /* borrowed spool file, -1: all is in memory */
    size_t memory_max;
    bool holds;      /* the header is held back, to be rewritten: */
    struct buf held; /* what came of it so far, perhaps with the beginning of the body */
    struct headscan head;
    int64_t grown; /* bytes by which rewriting made it longer */
};

struct smtpd_session { /* the context of smtp_env */
    struct smtpd *server;
    const struct conf *conf;
    struct content content;
    struct buf ipc;       /* requests and replies */
    struct channel *sasl; /* an exchange under way */
    char client_address[64], server_address[64];
    int client_port, server_port;
    struct socket_client client;   /* as it is counted, */
    const char *service;           /* at this listener, */
    bool limited;                  /* or not at all */
    struct smtpd_dovecot *dovecot; /* an exchange at a Dovecot; NULL before the first */
};

enum { SMTPD_IPC_TIMEOUT_MS = 30000 };

extern const struct smtp_env smtpd_env;      /* smtpd_env.c */
extern const struct smtp_env smtpd_lmtp_env; /* the same without AUTH */

/* smtpd_local.c */
void smtpd_local_init(struct smtpd *d, const struct conf *c); /* before the sandbox: reads passwd */
/* Fills *ret for the uid; a uid without a name is called "uid1000". RC_TEMP with e: not now. ipc is room for
 * messages. */
MUST_USE enum rc smtpd_local_find(struct smtpd *d, uid_t uid, struct buf *ipc, struct smtpd_local *ret,
                                  struct err *e);

/* smtpd_env.c: what auth makes of the sender, in the arena: as *sender, and of what is forwarded. */
enum rc smtpd_rewrite_sender(struct smtpd_session *s, struct arena *a, str *sender, str *ret_forwarded,
                             struct err *e);

/* smtpd_connect.c: a connection to "inet:host:port", "unix:/path" or "/path", with this deadline. Unix
 * sockets are those that a setting names (unix_connect.h). RC_TEMP with e. */
MUST_USE enum rc smtpd_connect(struct smtpd *d, str place, msec deadline, size_t in_max, struct stream **ret,
                               struct err *e);

/* smtpd_dovecot.c: smtp_env's SASL functions with smtpd_sasl_type = dovecot */
void smtpd_dovecot_init(struct smtpd *d); /* before the sandbox */
void smtpd_dovecot_mechanisms(struct smtpd_session *s, struct buf *out);
void smtpd_dovecot_start(struct smtpd_session *s, const struct smtp_sasl_start *start,
                         struct smtp_sasl_reply *ret);
void smtpd_dovecot_step(struct smtpd_session *s, str response, struct smtp_sasl_reply *ret);
void smtpd_dovecot_cancel(struct smtpd_session *s);
void smtpd_dovecot_free(struct smtpd_session *s); /* at the session's end */

/* smtpd_rates.c: whether a client is counted at all: not when it is excepted, or connects for others
 * (XCLIENT); smtp_env's client_is and count */
bool smtpd_is_limited(const struct conf *c, str client_address);
void smtpd_client_is(void *ctx, const struct smtp_params *p);
enum rc smtpd_count(void *ctx, enum smtp_event event, int limit, bool note);

/* smtpd_quota_status.c: serves a listener of the protocol quota-status until it is closed */
void smtpd_quota_status(struct smtpd_session *s, struct stream *io);

/* smtpd_content.c */
enum rc content_new(void *ctx, uint64_t announced_bytes, bool rewrites_header);
enum rc content_append(void *ctx, str bytes);
void content_discard(void *ctx);
enum rc content_keep(struct smtpd_session *s, str bytes); /* what is not held */
enum rc content_end(void *ctx, uint64_t *ret_bytes);
enum rc content_read(void *ctx, uint64_t at, char *p, size_t n, size_t *ret_n);
enum rc content_cut(void *ctx, uint64_t at);
enum rc content_replace_head(void *ctx, uint64_t old_bytes, str head);

/* smtpd_header.c: content_append while the header is held, and the end of a message that is all header */
enum rc content_hold(struct smtpd_session *s, str bytes);
enum rc content_finish(struct smtpd_session *s);

/* smtpd_proxy.c: hands the message to the filter at d->proxy; RC_OK: it has it */
enum rc smtpd_proxy(struct smtpd_session *s, struct smtp_delivery *d);
enum rc smtpd_proxy_fail(struct smtp_delivery *d); /* for want of a reply: 451 */

/* smtpd_deliver.c */
enum rc smtpd_deliver(void *ctx, struct smtp_delivery *d);

#endif
