/* login: what a dialogue before log-in (imap/preauth, pop3/preauth) asks of its role and tells it.
 *
 * The role login fills one table of functions and hands it to each dialogue with a context of the
 * connection's own, so the protocol code knows neither IPC nor processes, and tests run it against a table of
 * their own. One thread uses a context at a time. Calls may block, within time limits that the role sets. */
#ifndef ACCOUNT_LOGIN_H
#define ACCOUNT_LOGIN_H

#include "base/buf.h"
#include "base/clock.h"

enum login_sasl_result {
    LOGIN_SASL_CONTINUE,
    LOGIN_SASL_OK,
    LOGIN_SASL_FAIL,
    LOGIN_SASL_TEMP,
    LOGIN_SASL_NO_CERTIFICATE /* nobody was asked: the client must show a certificate, and has not */
};

/* What the client is told then, in Dovecot's words. */
#define LOGIN_NEEDS_CERTIFICATE "Client didn't present valid SSL certificate"

struct stream;

struct login_sasl_reply {
    enum login_sasl_result result;
    str data; /* not encoded: the challenge, or with LOGIN_SASL_OK the final data (SCRAM), which may be empty;
                 valid until the next sasl call */
};

/* What a trusted client may say of the one for whom it connects. */
enum login_about { LOGIN_REMOTE_IP, LOGIN_LOCAL_IP, LOGIN_SESSION_ID };

struct login_ops {
    /* SASL. A new start drops an exchange that is open. mechanism: one of those that were offered, in
     * capitals. A failure is already delayed. sasl_cancel: the client gave up. */
    void (*sasl_start)(void *ctx, str mechanism, bool has_initial, str initial, struct login_sasl_reply *ret);
    void (*sasl_step)(void *ctx, str response, struct login_sasl_reply *ret);
    void (*sasl_cancel)(void *ctx);
    /* After LOGIN_SASL_OK: starts the session, which itself answers the command that logged in (tag: IMAP's,
     * else empty). RC_OK: the dialogue is over and must not touch the stream again. RC_LIMIT: too many
     * sessions; others: e says why. */
    enum rc (*open_session)(void *ctx, str tag, struct err *e);
    /* STARTTLS was answered: the handshake. After a failure the connection is over. */
    enum rc (*start_tls)(void *ctx);
    /* Only where the settings say that the client is trusted. RC_INVALID: it is no address, or no id. */
    enum rc (*take_word)(void *ctx, enum login_about about, str value);
};

/* What a dialogue needs to know. Strings live as long as it. */
struct login_settings {
    const char *greeting;  /* NULL: the client was greeted, and logged in, before (RFC 8437) */
    const str *mechanisms; /* in capitals, those that fit the connection are chosen among them */
    size_t n_mechanisms;
    str capabilities;         /* what is changed of those that IMAP tells (fmt/capability_list.h) */
    bool starttls;            /* TLS can be started here */
    bool tls_required;        /* nobody logs in without TLS */
    bool trusted;             /* the client may say for whom it connects */
    bool certificate_names;   /* a client's certificate says who it is (auth_ssl_username_from_cert) */
    bool plaintext_forbidden; /* disable_plaintext_auth: no passwords without TLS */
    unsigned command_max;     /* commands before log-in */
    msec deadline;            /* by then the client must have logged in; clock_mono() */
    msec exchange_ms;         /* for one SASL exchange */
};

/* How a dialogue ended, with what the log says of it; Dovecot's words (fail2ban's filters look for them). */
enum login_end { LOGIN_DONE, LOGIN_ABANDONED };
struct login_outcome {
    enum login_end end;
    const char *reason;   /* LOGIN_ABANDONED: "Disconnected: Inactivity"... */
    bool tried_plaintext; /* a password was refused for want of TLS */
};

/* How an exchange ended: with auth's reply, or before that, by the client. Auth knows by then; the client is
 * not told yet. After LOGIN_IDLE and LOGIN_GONE the connection is over. */
enum login_exchange_end { LOGIN_REPLIED, LOGIN_CANCELLED, LOGIN_MALFORMED, LOGIN_IDLE, LOGIN_GONE };

/* Carries a SASL exchange on from auth's first reply to its end: "+ data" goes out and an answer comes in,
 * within the time of the settings. Data that comes with success is one more challenge, answered by an empty
 * line (RFC 4422 §5, RFC 5034 §4): neither IMAP's OK nor POP3's +OK has room for it. With LOGIN_REPLIED
 * *reply is the last one. */
MUST_USE enum login_exchange_end login_exchange(const struct login_settings *set, const struct login_ops *ops,
                                                void *ctx, struct stream *io, struct login_sasl_reply *reply);

/* Whether the mechanism may be offered now: -PLUS needs TLS, those that show the password too when it is
 * forbidden without, and EXTERNAL a certificate that says who the client is. */
bool login_mechanism_fits(const struct login_settings *set, const struct stream *io, str mechanism);
/* The offered mechanism of this name in any case, as it stands in the settings; STR_NONE when it is not
 * offered now. */
str login_find_mechanism(const struct login_settings *set, const struct stream *io, str name);

#endif
