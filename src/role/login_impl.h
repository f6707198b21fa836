/* Shared by the files of the login role: login.c (the role, accepting), login_conn.c (a connection while it
 * talks), login_auth.c (what its dialogue asks of auth and mailbox), login_log.c. */
#ifndef ROLE_LOGIN_IMPL_H
#define ROLE_LOGIN_IMPL_H

#include "account/login.h"
#include "fmt/sasl.h"
#include "os/channel.h"
#include "os/socket.h"
#include "role/accept.h"
#include "role/client_limit.h"
#include "role/login_pump.h"
#include "role/role.h"

#include <pthread.h>
#include <stdatomic.h>

enum { LOGIN_TICKET_BYTES = 16, LOGIN_SESSION_ID_MAX = 20, LOGIN_MECHANISMS_MAX = 16 };

struct login_protocol {
    const char *name;    /* "imap": to auth and mailbox */
    const char *service; /* "imap-login": begins the log lines */
    const char *refusal; /* instead of a greeting */
    size_t input_max;
    void (*preauth)(struct stream *io, const struct login_settings *set, const struct login_ops *ops,
                    void *ctx, struct login_outcome *ret);
};

struct login { /* the process */
    struct role *role;
    struct channel_pool *auth, *mailbox;
    struct client_limit *limit;
    unsigned sessions_that_fit; /* into the descriptors that this process may have */
    struct pump *pump;
    struct tls_slot tls;
    atomic_bool pump_done;
    atomic_uint log_ins;
    atomic_bool closed;  /* takes no more connections: stopping, or retired */
    atomic_bool retired; /* login_process_logins reached: a successor accepts, this one ends with its last
                            connection */
};

struct login_conn { /* one connection, from accept until the pump is done with it */
    struct login *login;
    const struct conf *conf;
    const struct login_protocol *protocol;
    enum conf_tls tls_mode;
    struct stream *io; /* the pump's after log-in */
    struct socket_client client;
    bool trusted; /* login_trusted_networks has it */
    bool plaintext_forbidden;
    char remote_ip[SOCKET_ADDRESS_MAX], local_ip[SOCKET_ADDRESS_MAX];
    char session_id[LOGIN_SESSION_ID_MAX];
    msec since;
    bool again;            /* it had been logged in before */
    const char *tls_state; /* "TLS", "TLS handshaking", "secured" of a trusted client without, "" */
    char tls_failure[120];
    /* the log-in */
    struct buf ipc;
    struct channel *sasl;      /* of an exchange under way */
    struct ipc_msg sasl_reply; /* handed-out views lie in ipc */
    char user[SASL_NAME_MAX + 1];
    char method[32];
    char ticket[LOGIN_TICKET_BYTES];
    unsigned attempts;
    const char *doubt; /* why its certificate did not do; NULL: it was not needed, or did */
    int session_fd;    /* our end; -1: no session */
    uint32_t session_pid;
};

/* login_conn.c: takes the connection's descriptor, starts its thread, or refuses it. */
void login_conn_start(void *login, const struct role_listener *l, int fd, const struct sockaddr_storage *peer,
                      const struct sockaddr_storage *own);
/* STARTTLS and implicit TLS. */
MUST_USE enum rc login_conn_tls(struct login_conn *c);

/* login.c: counts a log-in; the one that is the last for this process makes it retire. */
void login_count(struct login *l);

/* login_auth.c; the context is the connection */
extern const struct login_ops login_ops;
void login_auth_cancel(void *ctx);

/* login_log.c */
void login_log_success(const struct login_conn *c);
void login_log_abandoned(const struct login_conn *c, const struct login_outcome *o);
void login_log_text(const struct login_conn *c, const char *text);

#endif
