/* The smtpd and submission roles: accept threads, a thread per session, limits. Port 25, LMTP and strangers
 * live in one process, 587 and 465 with users' passwords in another; the code is the same. */
#include "base/log.h"
#include "base/map.h"
#include "fmt/dns_name.h"
#include "net/resolver.h"
#include "os/socket.h"
#include "os/thread.h"
#include "queue/new_id.h"
#include "role/ipc.h"
#include "role/resolver_start.h"
#include "role/role_tables.h"
#include "role/smtpd_impl.h"
#include "role/unix_connect.h"
#include "smtp/rules.h"

#include <fcntl.h>
#include <unistd.h>

enum {
    POOL_CHANNELS_MAX = 64,
    LINK_WAIT_MS = 2000, /* a role that died is back within a second */
    INPUT_MAX = 64 << 10,
    SESSION_STACK = 512 << 10,
    STOP_WAIT_MS = 900,
    HOUSEKEEPING_MS = 5000
};

struct connection {
    struct smtpd *server;
    const struct role_listener *listener;
    int fd;
    char address[SOCKET_ADDRESS_MAX];
    int port;
    struct sockaddr_storage peer;
    struct socket_client client;
    struct buf name;    /* confirmed, or empty */
    struct buf reverse; /* of the PTR record, or empty */
    enum rc name_rc;    /* of looking for them */
    char own[SOCKET_ADDRESS_MAX];
    int own_port;
    struct smtpd_local local; /* of a listener for local users */
    struct gate_client *gate; /* what the gate left for the session; NULL: nothing */
};

static struct smtpd self;

static enum smtp_kind kind_of(const struct role_listener *l)
{
    switch (l->protocol) {
    case CONF_SUBMISSION:
    case CONF_LOCAL:
        return SMTP_KIND_SUBMISSION;
    case CONF_LMTP:
        return SMTP_KIND_LMTP;
    default:
        return SMTP_KIND_MX;
    }
}

static void connection_free(struct connection *c)
{
    gate_leave(c->gate);
    buf_deinit(&c->name);
    buf_deinit(&c->reverse);
    free(c);
}

/* --- one session --- */

static const struct conf *settings(const struct connection *c)
{
    return conf_of_listener(c->server->role->conf, str_c(c->listener->name));
}

static str client_name(const struct connection *c)
{
    if (c->peer.ss_family == AF_UNIX)
        return S("localhost");
    return c->name.n ? buf_str(&c->name) : S("unknown");
}

static void find_name(struct connection *c, const struct conf *conf)
{
    c->name_rc = resolver_ptr_name(c->server->resolver, &c->peer, clock_mono() + conf->dns_timeout_ms,
                                   &c->name, &c->reverse);
    if (c->name_rc != RC_OK && c->reverse.n > 0)
        log_warn("hostname %s does not resolve to address %s", buf_cstr(&c->reverse), c->address);
    else if (c->name_rc != RC_OK)
        log_debug("no confirmed name for [%s]: %s", c->address,
                  c->name_rc == RC_TEMP ? "the DNS does not answer" : "none");
}

/* A program of this machine that connects to an address of it has that address, too. */
static bool is_here(const struct connection *c)
{
    struct ip_net peer;
    if (c->peer.ss_family == AF_UNIX ||
        (ip_parse(str_c(c->address), &peer) == RC_OK && ip_is_loopback(&peer)))
        return true;
    return str_eq(str_c(c->own), str_c(c->address));
}

/* Postfix's anvil: what its clients may not do too often; who is excepted is not counted. */
static bool is_limited(const struct connection *c, const struct conf *conf)
{
    if (c->peer.ss_family == AF_UNIX)
        return c->listener->protocol == CONF_LOCAL;
    return smtpd_is_limited(conf, str_c(c->address));
}

/* A client whom the gate refuses each recipient. */
static bool is_refused(const struct connection *c)
{
    return c->gate && gate_of_session(c->gate)->refused;
}

static void fill_params(struct connection *c, struct smtpd_session *s, struct tls_server *tls,
                        struct smtp_params *ret)
{
    const struct role_listener *l = c->listener;
    enum smtp_kind kind = kind_of(l);
    bool local = l->protocol == CONF_LOCAL, submission = kind == SMTP_KIND_SUBMISSION;
    *ret = (struct smtp_params){
        .conf = s->conf,
        .kind = kind,
        .tls = l->tls == CONF_TLS_NONE ? NULL : tls,
        .implicit_tls = l->tls == CONF_TLS_IMPLICIT,
        .tls_required = l->tls == CONF_TLS_REQUIRED,
        .offer_auth = (submission && !local) ||
                      (kind == SMTP_KIND_MX && s->conf->smtpd_sasl_auth_enable && !is_refused(c)),
        .local = local ? &c->local.user : NULL,
        .own_mail = local && str_eq(str_c(l->name), S(CONF_INSPECTION)),
        .client_address = str_c(c->address),
        .client_port = (uint16_t)c->port,
        .client_connections = client_limit_of(c->server->clients, &c->client),
        .client_is_here = is_here(c),
        .client_name = client_name(c),
        .client_reverse_name = c->reverse.n > 0 ? buf_str(&c->reverse) : client_name(c),
        .name_is_uncertain = c->name_rc == RC_TEMP,
        .reverse_is_uncertain = c->name_rc == RC_TEMP && c->reverse.n == 0,
        .server_address = c->peer.ss_family == AF_UNIX ? STR_NONE : str_c(c->own),
        .server_port = (uint16_t)c->own_port,
        .service = l->name,
        .gate = c->gate ? gate_of_session(c->gate) : NULL,
        .tables = c->server->tables,
        .env = kind == SMTP_KIND_LMTP ? &smtpd_lmtp_env : &smtpd_env,
        .env_ctx = s,
    };
}

static void *session_main(void *arg)
{
    struct connection *c = arg;
    struct smtpd *d = c->server;
    struct smtpd_session s = {.server = d, .conf = settings(c), .content = {.file = -1}};
    struct smtp_params p;
    struct tls_server *tls = tls_slot_get(&d->tls);
    struct stream *io = stream_new(c->fd, INPUT_MAX);

    log_thread_name(s.conf->syslog_name);
    buf_init(&s.ipc, IPC_MAX);
    buf_init(&s.content.memory, s.conf->spool_memory_limit);
    must(str_copy(s.client_address, sizeof s.client_address, str_c(c->address)) == RC_OK);
    s.client_port = c->port;
    must(str_copy(s.server_address, sizeof s.server_address, str_c(c->own)) == RC_OK);
    s.server_port = c->own_port;
    s.client = c->client;
    s.service = c->listener->name;
    s.limited = c->peer.ss_family != AF_UNIX && is_limited(c, s.conf);
    bool policy = c->listener->protocol == CONF_QUOTA_STATUS;
    if (!is_refused(c) && !policy && s.conf->smtpd_peername_lookup)
        find_name(c, s.conf);
    fill_params(c, &s, tls, &p);
    struct err e = {0};
    if (policy)
        smtpd_quota_status(&s, io);
    else if (c->listener->protocol != CONF_LOCAL ||
             smtpd_local_find(d, c->local.user.uid, &s.ipc, &c->local, &e) == RC_OK)
        smtp_session_run(&p, io);
    else
        smtp_session_refuse(&p, io, &e);

    channel_release(&s.sasl, true);
    smtpd_dovecot_free(&s);
    content_discard(&s);
    buf_deinit(&s.content.memory);
    buf_wipe(&s.ipc);
    stream_free(io);
    tls_server_unref(tls);
    client_limit_leave(d->clients, &c->client);
    connection_free(c);
    return NULL;
}

/* --- accepting --- */

static void refuse(struct connection *c, const char *text)
{
    struct smtpd *d = c->server;
    struct smtpd_session s = {.server = d, .conf = settings(c), .content = {.file = -1}};
    struct smtp_params p;
    struct err e = {0};
    struct stream *io = stream_new(c->fd, 1024);
    (void)err_set(&e, RC_TEMP, 421, "4.7.0", "%s", text);
    fill_params(c, &s, NULL, &p);
    stream_set_deadline(io, clock_mono() + 100); /* the accept loop must not wait for a refused client */
    if (c->listener->tls != CONF_TLS_IMPLICIT)
        smtp_session_refuse(&p, io, &e);
    stream_free(io);
    connection_free(c);
}

/* A local user counts as one client. */
static bool know_user(struct connection *c)
{
    uid_t uid;
    if (socket_peer_uid(c->fd, &uid) != RC_OK)
        return false;
    c->local.user.uid = uid;
    c->client = (struct socket_client){.family = AF_UNIX};
    memcpy(c->client.bytes, &uid, sizeof uid);
    return true;
}

/* Counts the connection; one too many is refused, and the result false. */
static bool admit(struct connection *c)
{
    struct smtpd *d = c->server;
    const struct conf *conf = settings(c);
    bool limited = is_limited(c, conf);
    unsigned limit = limited ? (unsigned)conf->smtpd_client_connection_count_limit : 0;
    unsigned most = limit ? limit : UINT32_MAX;
    unsigned rate = limited ? (unsigned)conf->smtpd_client_connection_rate_limit : 0;
    char many[SOCKET_ADDRESS_MAX + 40];
    snprintf(many, sizeof many, "Error: too many connections from %s", c->address);
    const struct client_rate connections = {&c->client, str_c(c->listener->name), rate,
                                            conf->anvil_rate_time_unit_ms};
    if (rate && client_limit_rate(d->clients, &connections, clock_mono()) != RC_OK) {
        log_warn("Connection rate limit exceeded: %u from unknown[%s] for service %s", rate, c->address,
                 c->listener->name);
        refuse(c, many);
        return false;
    }
    if (client_limit_enter(d->clients, &c->client, most, (unsigned)conf->smtpd_process_limit) == RC_OK)
        return true;
    if (client_limit_total(d->clients) >= (unsigned)conf->smtpd_process_limit) {
        log_warn("smtpd_process_limit (%d) reached: connection from [%s] refused", conf->smtpd_process_limit,
                 c->address);
        refuse(c, "Too many connections, try again later");
    } else {
        log_warn("Connection concurrency limit exceeded: %d from unknown[%s] for service %s",
                 conf->smtpd_client_connection_count_limit, c->address, c->listener->name);
        refuse(c, many);
    }
    return false;
}

static void begin_session(struct connection *c)
{
    if (!admit(c))
        return;
    if (thread_start(session_main, c, SESSION_STACK, "session") != RC_OK) {
        log_error("no thread for a session: connection from [%s] refused", c->address);
        client_limit_leave(c->server->clients, &c->client);
        refuse(c, "Insufficient system resources");
    }
}

static void drop(struct connection *c)
{
    close(c->fd);
    connection_free(c);
}

static void gate_lets_in(void *ctx, struct gate_client *left)
{
    struct connection *c = ctx;
    c->gate = left;
    begin_session(c);
}

static void gate_turns_away(void *ctx)
{
    drop(ctx);
}

/* With TLS from the first byte the client has to talk first. */
static bool has_gate_before(const struct connection *c)
{
    return c->listener->protocol == CONF_SMTP && c->listener->tls != CONF_TLS_IMPLICIT &&
           c->peer.ss_family != AF_UNIX && settings(c)->gate;
}

static void ask_gate(struct connection *c)
{
    const struct gate_visitor v = {
        .conf = settings(c),
        .fd = c->fd,
        .peer = &c->peer,
        .address = c->address,
        .own = c->own,
        .port = c->port,
        .own_port = c->own_port,
        .go_on = gate_lets_in,
        .turn_away = gate_turns_away,
        .ctx = c,
    };
    gate_enter(c->server->gate, &v);
}

static void take_connection(void *ctx, const struct role_listener *l, int fd,
                            const struct sockaddr_storage *peer, const struct sockaddr_storage *own)
{
    struct smtpd *d = ctx;
    struct connection *c = calloc(1, sizeof *c);
    must(c);
    c->server = d;
    c->listener = l;
    c->fd = fd;
    c->peer = *peer;
    log_thread_name(settings(c)->syslog_name);
    buf_init(&c->name, DNS_NAME_MAX);
    buf_init(&c->reverse, DNS_NAME_MAX);
    socket_address_text(own, c->own, &c->own_port);
    socket_address_text(peer, c->address, &c->port);
    socket_client_key(peer, &c->client);
    if (l->protocol == CONF_LOCAL && !know_user(c))
        drop(c);
    else if (has_gate_before(c))
        ask_gate(c);
    else
        begin_session(c);
}

static void *housekeeping_main(void *arg)
{
    struct smtpd *d = arg;
    for (;;) {
        usleep(HOUSEKEEPING_MS * 1000);
        deliver_pools_expire(d->deliver, d->role->conf->deliver_idle_timeout_ms);
    }
    return NULL;
}

/* --- the role --- */

static bool has_gate(const struct conf *c)
{
    bool any = c->gate;
    for (size_t i = 0; i < c->listener_count; i++)
        any = any || (c->listeners[i].own && c->listeners[i].own->gate);
    return any;
}

/* Where there is no gate it is ready all the same, as a reload may want one; its cache is a file after the
 * next start. */
static struct gate *new_gate(const struct role *r)
{
    const struct conf *conf = r->conf;
    const struct gate_parts parts = {
        .resolver = self.resolver,
        .tables = self.tables,
        .cache = gate_cache_open(has_gate(conf) ? conf->state_dir : NULL, (size_t)conf->gate_cache_size),
    };
    return gate_new(&parts);
}

static void smtpd_start(struct role *r)
{
    bool submission = str_eq(str_c(r->name), S("submission"));
    struct sandbox sb = {.role = submission ? ROLE_SUBMISSION : ROLE_SMTPD};
    self.role = r;
    queue_new_id_lane(submission ? QUEUE_ID_OF_SUBMISSION : QUEUE_ID_OF_SMTPD);
    self.auth = channel_pool_new(POOL_CHANNELS_MAX, LINK_WAIT_MS);
    self.sasl = channel_pool_new((unsigned)r->conf->smtpd_process_limit, LINK_WAIT_MS);
    self.mailbox = channel_pool_new(4, LINK_WAIT_MS);
    self.queue = channel_pool_new(POOL_CHANNELS_MAX, LINK_WAIT_MS);
    self.deliver = deliver_pools_new();
    self.rcpts = rcpt_cache_new();
    self.clients = client_limit_new();
    self.resolver = role_resolver_new(r->conf);
    self.tables = role_tables_open(r);
    if (!submission)
        self.gate = new_gate(r);
    tls_slot_init(&self.tls, r);
    if (submission)
        smtpd_local_init(&self, r->conf);
    smtpd_dovecot_init(&self);
    (void)map_hash(S(""));
    role_set_user(&sb, submission ? r->conf->user_submission : r->conf->user_smtpd);
    role_chroot_empty(&sb, r->conf);
    sandbox_enter(&sb);
}

static void smtpd_link(struct role *r, const struct role_link *l)
{
    str peer = str_c(l->peer);
    if (role_tables_link(l))
        return;
    if (str_eq(peer, S("auth"))) {
        channel_pool_set_link(self.sasl, fcntl(l->fd, F_DUPFD_CLOEXEC, 0));
        channel_pool_set_link(self.auth, l->fd);
    } else if (str_eq(peer, S("mailbox")))
        channel_pool_set_link(self.mailbox, l->fd);
    else if (str_eq(peer, S("queue")))
        channel_pool_set_link(self.queue, l->fd);
    else
        close(l->fd);
}

static void smtpd_serve(struct role *r)
{
    role_resolver_start(self.resolver);
    if (self.gate)
        gate_start(self.gate);
    must(thread_start(housekeeping_main, &self, 0, "housekeeping") == RC_OK);
    accept_start(r, take_connection, &self, &self.stopping);
}

static void smtpd_reload(struct role *r)
{
    rcpt_cache_clear(self.rcpts);
    deliver_pools_forget(self.deliver); /* the next delivery reaches a process of the new configuration */
    tls_slot_reload(&self.tls, r);
}

/* Sessions see `stopping` between commands; a delivery under way is answered. */
static void smtpd_stop(struct role *r)
{
    atomic_store(&self.stopping, true);
    if (self.gate)
        gate_stop(self.gate);
    for (msec end = clock_mono() + STOP_WAIT_MS; clock_mono() < end && client_limit_total(self.clients) > 0;)
        usleep(5000);
}

static int run(const char *name)
{
    static const struct role_ops ops = {.start = smtpd_start,
                                        .link = smtpd_link,
                                        .serve = smtpd_serve,
                                        .reload = smtpd_reload,
                                        .connected = unix_connect_done,
                                        .stop = smtpd_stop};
    static struct role r = {.ops = &ops};
    r.name = name;
    role_begin(&r);
    role_control_loop(&r);
    return 0;
}

int smtpd_role(void)
{
    return run("smtpd");
}

int submission_role(void)
{
    return run("submission");
}
