/* session: one SMTP (RFC 5321), submission (RFC 6409) or LMTP (RFC 2033) connection from greeting to close.
 *
 * Straight-line code: smtp_session_run returns when the connection is over. It logs in Postfix's shapes. What
 * it needs from outside comes through smtp_env.h. */
#ifndef SMTP_SESSION_H
#define SMTP_SESSION_H

#include "os/stream.h"
#include "smtp/gate.h"
#include "smtp/smtp_env.h"

struct conf;
struct table_settings;
struct tls_server;

enum smtp_kind { SMTP_KIND_MX, SMTP_KIND_SUBMISSION, SMTP_KIND_LMTP };

/* Who is at the other end of a Unix socket for mail of local users: the kernel says it, so nobody logs in. */
struct smtp_local_user {
    str name;
    uint32_t uid;
    bool trusted; /* may send as any address */
};

/* Everything is the caller's and outlives the session. */
struct smtp_params {
    const struct conf *conf;
    enum smtp_kind kind;
    struct tls_server *tls;              /* for STARTTLS or from the start; NULL: no TLS */
    bool implicit_tls;                   /* the handshake comes before the greeting */
    bool tls_required;                   /* STARTTLS must come before mail and AUTH; tls may still be NULL */
    bool offer_auth;                     /* AUTH is possible here (never with LMTP) */
    const struct smtp_local_user *local; /* NULL: a client that must log in; else the kind is submission */
    bool own_mail;           /* with local: it brings what malle wrote itself, for filters to look at */
    str client_address;      /* "192.0.2.1" or "2001:db8::1"; "local" for a Unix socket */
    str client_name;         /* the confirmed PTR name, else "unknown"; "localhost" for a Unix socket */
    str client_reverse_name; /* of its PTR record, confirmed or not; else "unknown" */
    bool name_is_uncertain, reverse_is_uncertain; /* "unknown", as the DNS did not answer */
    uint16_t client_port;
    unsigned client_connections; /* that it has, with this one */
    bool client_is_here;         /* it connected from an address of this machine */
    str server_address;          /* that it connected to; "" for a Unix socket */
    uint16_t server_port;
    const char *service;                 /* the listener's name, for the log */
    struct smtp_gate *gate;              /* what the gate leaves to do; NULL: nothing */
    const struct table_settings *tables; /* those of the restrictions; NULL: none */
    const struct smtp_env *env;
    void *env_ctx;
};

/* Speaks on s until the end; the caller frees s. */
void smtp_session_run(const struct smtp_params *p, struct stream *s);

/* Greets with "421 4.7.0 host text" and is done: too many connections. e->code other than 421 is sent as it
 * is. */
void smtp_session_refuse(const struct smtp_params *p, struct stream *s, const struct err *e);

#endif
