/* One connection while it talks: limits, implicit TLS, the dialogue before log-in, and handing it to the
 * pump.
 *
 * A thread per connection, because the dialogue and its waits read top to bottom; the thread ends at log-in,
 * after which the connection costs the pump's few bytes only. */
#include "base/enc.h"
#include "base/log.h"
#include "fmt/ip.h"
#include "imap/preauth.h"
#include "os/file.h"
#include "os/thread.h"
#include "pop3/preauth.h"
#include "role/login_impl.h"
#include "smtp/rules.h"

#include <sys/random.h>
#include <unistd.h>

enum {
    IPC_BUFFER = IPC_MAX,
    HANDSHAKE_MS = 30000,
    REFUSAL_MS = 100, /* the accept loop must not wait for a refused client */
    CONN_STACK = 256 << 10
};

static const struct login_protocol protocols[] = {
    [CONF_IMAP] = {"imap", "imap-login", IMAP_REFUSAL, IMAP_PREAUTH_INPUT, imap_preauth},
    [CONF_POP3] = {"pop3", "pop3-login", POP3_REFUSAL, POP3_PREAUTH_INPUT, pop3_preauth},
};

/* --- the settings of a dialogue --- */

struct settings_space {
    struct login_settings set;
    str mechanisms[LOGIN_MECHANISMS_MAX];
};

static void fill_settings(const struct login_conn *c, bool can_tls, struct settings_space *s)
{
    const struct conf_list *names = &c->conf->auth_mechanisms;
    size_t n = 0;
    for (size_t i = 0; i < names->n && n < LOGIN_MECHANISMS_MAX; i++) {
        enum sasl_mech mech;
        if (sasl_mech_parse(names->v[i], &mech) == RC_OK)
            s->mechanisms[n++] = sasl_mech_name(mech);
    }
    s->set = (struct login_settings){
        .greeting = c->again ? NULL : c->conf->login_greeting,
        .mechanisms = s->mechanisms,
        .n_mechanisms = n,
        .capabilities = str_c(c->conf->imap_capability),
        .starttls = can_tls && c->tls_mode != CONF_TLS_IMPLICIT && c->tls_mode != CONF_TLS_NONE,
        .tls_required = c->tls_mode == CONF_TLS_REQUIRED && !c->trusted,
        .trusted = c->trusted,
        .certificate_names = c->conf->auth_ssl_username_from_cert,
        .plaintext_forbidden = c->plaintext_forbidden,
        .command_max = (unsigned)c->conf->login_command_limit,
        .deadline = c->since + c->conf->login_timeout_ms,
        .exchange_ms = c->conf->auth_exchange_timeout_ms,
    };
}

/* --- the life of a connection --- */

enum rc login_conn_tls(struct login_conn *c)
{
    struct err e = {0};
    struct tls_server *t = tls_slot_get(&c->login->tls);
    if (!t)
        return RC_TEMP;
    msec deadline = c->since + c->conf->login_timeout_ms, handshake = clock_mono() + HANDSHAKE_MS;
    c->tls_state = "TLS handshaking";
    if (c->conf->ssl_verify_client_cert || c->conf->auth_ssl_require_client_cert)
        stream_ask_certificate(c->io);
    stream_set_deadline(c->io, handshake < deadline ? handshake : deadline);
    enum rc rc = stream_start_tls(c->io, t, &e);
    stream_set_deadline(c->io, deadline);
    tls_server_unref(t);
    if (rc == RC_OK) {
        c->tls_state = "TLS";
        return RC_OK;
    }
    snprintf(c->tls_failure, sizeof c->tls_failure, ": SSL_accept() failed: %s", err_text(&e));
    return rc;
}

static void conn_free(struct login_conn *c)
{
    login_auth_cancel(c);
    stream_freep(&c->io);
    fd_closep(&c->session_fd);
    struct login *login = c->login;
    client_limit_leave(login->limit, &c->client);
    buf_wipe(&c->ipc);
    explicit_bzero(c->ticket, sizeof c->ticket);
    free(c);
    if (atomic_load(&login->retired) && client_limit_total(login->limit) == 0)
        _exit(0);
}

static void begin(struct login_conn *c);

static void pump_ended(void *ctx, const struct pump_traffic *traffic, struct stream *client)
{
    struct login_conn *c = ctx;
    log_debug("%s: %s: user=<%s>, session=<%s>, in=%llu out=%llu", c->protocol->service,
              client ? "Logged out for another" : "Closed", c->user, c->session_id,
              (unsigned long long)traffic->in, (unsigned long long)traffic->out);
    c->io = client;
    if (client) {
        c->again = true;
        begin(c);
    } else {
        conn_free(c);
    }
}

static void hand_over(struct login_conn *c)
{
    struct stream *io = c->io;
    int fd = c->session_fd;
    login_log_success(c);
    login_count(c->login);
    buf_wipe(&c->ipc);
    c->io = NULL;
    c->session_fd = -1;
    pump_add(c->login->pump, io, fd, pump_ended, c);
}

static void *conn_main(void *arg)
{
    struct login_conn *c = arg;
    struct login_outcome o = {.end = LOGIN_ABANDONED, .reason = "Disconnected: Connection closed"};
    struct settings_space s = {0};
    struct tls_server *t = tls_slot_get(&c->login->tls);
    fill_settings(c, t != NULL, &s);
    tls_server_unref(t);
    stream_set_deadline(c->io, s.set.deadline);
    if (c->again || c->tls_mode != CONF_TLS_IMPLICIT || login_conn_tls(c) == RC_OK)
        c->protocol->preauth(c->io, &s.set, &login_ops, c, &o);
    if (o.end == LOGIN_DONE) {
        hand_over(c);
        return NULL;
    }
    login_log_abandoned(c, &o);
    conn_free(c);
    return NULL;
}

/* --- accepting --- */

static void new_session_id(char id[LOGIN_SESSION_ID_MAX])
{
    unsigned char random[12];
    struct buf b = BUF_INIT(LOGIN_SESSION_ID_MAX);
    must(getrandom(random, sizeof random, 0) == sizeof random);
    enc_base64(&b, str_mem(random, sizeof random));
    must(str_copy(id, LOGIN_SESSION_ID_MAX, buf_str(&b)) == RC_OK);
    buf_deinit(&b);
}

/* Says why in the protocol's own words, where the client can read it: not before a TLS handshake. */
static void refuse(const struct login_protocol *p, enum conf_tls tls, int fd)
{
    AUTO(stream_freep) struct stream *io = stream_new(fd, 1);
    stream_set_deadline(io, clock_mono() + REFUSAL_MS);
    if (tls != CONF_TLS_IMPLICIT)
        stream_write(io, str_c(p->refusal));
    if (stream_flush(io) != RC_OK)
        log_debug("%s: a refused client was gone", p->service);
}

static bool is_trusted(const struct login_conn *c)
{
    struct ip_net address;
    return ip_parse(str_c(c->remote_ip), &address) == RC_OK &&
           conf_list_has_address(&c->conf->login_trusted_networks, &address);
}

static struct login_conn *conn_new(struct login *login, const struct role_listener *l, int fd,
                                   const struct sockaddr_storage *peer, const struct sockaddr_storage *own)
{
    struct login_conn *c = calloc(1, sizeof *c);
    must(c);
    c->login = login;
    c->conf = conf_of_listener(login->role->conf, str_c(l->name));
    c->protocol = &protocols[l->protocol];
    c->tls_mode = l->tls;
    c->io = stream_new(fd, c->protocol->input_max);
    socket_client_key(peer, &c->client);
    socket_address_text(peer, c->remote_ip, NULL);
    c->trusted = is_trusted(c);
    c->plaintext_forbidden = !c->trusted && (c->conf->disable_plaintext_auth || l->tls == CONF_TLS_REQUIRED);
    socket_address_text(own, c->local_ip, NULL);
    c->tls_state = c->trusted ? "secured" : "";
    c->session_fd = -1;
    buf_init(&c->ipc, IPC_BUFFER);
    return c;
}

/* The dialogue before log-in, the first or one after UNAUTHENTICATE; of an earlier log-in nothing is left. */
static void begin(struct login_conn *c)
{
    new_session_id(c->session_id);
    c->since = clock_mono();
    c->user[0] = c->method[0] = '\0';
    explicit_bzero(c->ticket, sizeof c->ticket);
    c->attempts = 0;
    c->doubt = NULL;
    c->session_pid = 0;
    if (thread_start(conn_main, c, CONN_STACK, "login") != RC_OK) {
        login_log_text(c, "Disconnected: no thread for the connection");
        conn_free(c);
    }
}

void login_conn_start(void *ctx, const struct role_listener *l, int fd, const struct sockaddr_storage *peer,
                      const struct sockaddr_storage *own)
{
    struct login *login = ctx;
    const struct conf *conf = login->role->conf;
    const struct login_protocol *p = &protocols[l->protocol];
    struct socket_client client;
    char ip[SOCKET_ADDRESS_MAX];
    unsigned most = (unsigned)conf->login_process_sessions;
    if (most > login->sessions_that_fit) /* with fewer descriptors a log-in would wait for nothing */
        most = login->sessions_that_fit;
    socket_client_key(peer, &client);
    if (client_limit_enter(login->limit, &client, (unsigned)conf->login_client_limit, most) != RC_OK) {
        socket_address_text(peer, ip, NULL);
        log_warn("%s: Disconnected: login_client_limit (%d) or login_process_sessions (%u) reached: rip=%s",
                 p->service, conf->login_client_limit, most, ip);
        refuse(p, l->tls, fd);
        return;
    }
    begin(conn_new(login, l, fd, peer, own));
}
