/* auth_session: one SASL exchange, server side (RFC 4422 §3): PLAIN, LOGIN, SCRAM-SHA-1, SCRAM-SHA-256 and
 * their -PLUS forms, EXTERNAL, OAUTHBEARER and XOAUTH2. Role `auth`, one session per channel; not thread-safe
 * by itself. Messages are the decoded ones.
 *
 * The data that comes with AUTH_OK is the server's last message (SCRAM's proof that it knows the password
 * too); protocols without "additional data with success" send it as one more challenge and await an empty
 * response (RFC 4422 §5). */
#ifndef ACCOUNT_AUTH_SESSION_H
#define ACCOUNT_AUTH_SESSION_H

#include "account/auth.h"
#include "account/auth_result.h"
#include "fmt/sasl.h"

struct auth_props {
    str service; /* "smtp", "imap"...: for the log, and for what databases are told */
    str client_ip;
    bool secured; /* TLS, or loopback where that is permitted */
    /* Channel bindings (RFC 9266, RFC 5929), empty when there are none; at most 256 bytes each. */
    str tls_exporter, tls_end_point;
    str certified_name; /* of the client's certificate, which counts instead of what it says; "": none does */
};

struct auth_session;

/* Copies props; a and l must outlive the session. */
struct auth_session *auth_session_new(struct auth *a, const struct account_lookup *l,
                                      const struct auth_props *props);
struct auth_session *auth_session_free(struct auth_session *s); /* wipes; accepts NULL, returns NULL */
void auth_session_freep(struct auth_session **s);

/* Begins; allowed once. initial is meant only when has_initial (it may be empty then).
 * ret_data (max SASL_RESPONSE_MAX at least) gets the challenge or the last message. */
enum auth_result auth_session_start(struct auth_session *s, str mechanism, bool has_initial, str initial,
                                    msec now, struct buf *ret_data);
/* After AUTH_CONTINUE. */
enum auth_result auth_session_step(struct auth_session *s, str response, msec now, struct buf *ret_data);
/* Once start or step gave anything but AUTH_CONTINUE. */
const struct auth_outcome *auth_session_outcome(const struct auth_session *s);
/* The name that the client gave, for the log; "" before it did. */
str auth_session_name(const struct auth_session *s);

/* Whether a mechanism is offered: named in auth_mechanisms, not one for clear passwords on an insecure
 * connection, and -PLUS only with a channel binding. */
bool auth_offers(const struct conf *c, enum sasl_mech mech, bool secured, bool has_binding);

#endif
