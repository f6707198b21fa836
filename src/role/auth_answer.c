/* One function per question that auth answers, and the table of who may ask it. */
#include "role/auth_impl.h"

#include "base/log.h"
#include "role/ipc.h"

#include <unistd.h>

enum { RESOLVE_ARENA = 1 << 20 };

struct auth_conn { /* a channel's state: the exchange under way */
    struct auth_session *session;
    struct buf data;
};

static const struct account_lookup *lookup(const struct auth_peer *p)
{
    return atomic_load(&p->server->lookup);
}

/* --- SASL --- */

static void conn_reset(struct auth_conn *c)
{
    c->session = auth_session_free(c->session);
    buf_wipe(&c->data);
    buf_init(&c->data, 2 * SASL_RESPONSE_MAX);
}

void auth_closed(void *ctx, void *conn)
{
    struct auth_conn *c = conn;
    auth_session_free(c->session);
    buf_wipe(&c->data);
    free(c);
}

/* A ticket for login: the identity waits in auth until mailbox asks for it. */
static enum rc issue_ticket(const struct auth_peer *p, const char *account, unsigned char ret[TICKET_SIZE],
                            struct err *e)
{
    struct account_identity id;
    enum rc rc = account_identify(lookup(p), str_c(account), &id, e);
    if (rc == RC_OK)
        rc = ticket_issue(p->server->tickets, &id, p->instance, clock_mono(), ret);
    if (rc == RC_LIMIT)
        err_note(e, "too many tickets wait to be redeemed");
    return rc;
}

static void put_auth_reply(struct buf *reply, enum auth_result result, str data, const char *account,
                           str ticket, const char *reason)
{
    ipc_begin(reply, MSG_AUTH_REPLY);
    ipc_put_u32(reply, (uint32_t)result);
    ipc_put_str(reply, data);
    ipc_put_str(reply, str_c(account));
    ipc_put_str(reply, ticket);
    ipc_put_str(reply, str_c(reason));
}

static enum rc answer_auth(const struct auth_peer *p, struct auth_conn *c, enum auth_result result,
                           struct buf *reply)
{
    unsigned char ticket[TICKET_SIZE];
    struct err e = {0};
    if (result == AUTH_CONTINUE) {
        put_auth_reply(reply, result, buf_str(&c->data), "", STR_NONE, "");
        return RC_OK;
    }
    const struct auth_outcome *o = auth_session_outcome(c->session);
    bool wants_ticket = result == AUTH_OK && str_eq(str_c(p->name), S("login"));
    if (wants_ticket) {
        enum rc rc = issue_ticket(p, o->account, ticket, &e);
        if (rc != RC_OK) {
            log_warn("%s: logged in but gets no session: %s", o->account, err_text(&e));
            put_auth_reply(reply, rc == RC_PERM ? AUTH_FAIL : AUTH_TEMP, STR_NONE, o->account, STR_NONE,
                           err_text(&e));
            conn_reset(c);
            return RC_OK;
        }
    }
    if (o->delay_ms > 0)
        usleep((useconds_t)o->delay_ms * 1000);
    put_auth_reply(reply, result, buf_str(&c->data), o->account,
                   wants_ticket ? str_mem(ticket, TICKET_SIZE) : STR_NONE,
                   result == AUTH_OK ? "" : err_text(&o->err));
    conn_reset(c);
    explicit_bzero(ticket, sizeof ticket);
    return RC_OK;
}

static enum rc auth_begin(const struct auth_peer *p, struct auth_conn *c, struct ipc_msg *m,
                          struct buf *reply)
{
    struct auth_props props = {.service = ipc_get_str(m, 32)};
    str mechanism = ipc_get_str(m, 32);
    bool has_initial = ipc_get_u32(m) == 1;
    str initial = ipc_get_str(m, SASL_RESPONSE_MAX);
    props.client_ip = ipc_get_str(m, 64);
    props.secured = ipc_get_u32(m) == 1;
    props.tls_exporter = ipc_get_str(m, 256);
    props.tls_end_point = ipc_get_str(m, 256);
    (void)ipc_get_str(m, 64); /* the session's id */
    if (ipc_end(m) != RC_OK)
        return RC_INVALID;
    conn_reset(c);
    c->session = auth_session_new(p->server->auth, lookup(p), &props);
    return answer_auth(
        p, c, auth_session_start(c->session, mechanism, has_initial, initial, clock_mono(), &c->data), reply);
}

static enum rc auth_continue(const struct auth_peer *p, struct auth_conn *c, struct ipc_msg *m,
                             struct buf *reply)
{
    str response = ipc_get_str(m, SASL_RESPONSE_MAX);
    if (ipc_end(m) != RC_OK || !c->session)
        return RC_INVALID;
    buf_reset(&c->data);
    return answer_auth(p, c, auth_session_step(c->session, response, clock_mono(), &c->data), reply);
}

/* --- addresses --- */

static enum rc resolve_local(const struct auth_peer *p, str address, struct arena *a,
                             struct account_target **ret, size_t *ret_n, struct err *e)
{
    enum rc rc = account_resolve(lookup(p), address, a, ret, ret_n, e);
    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < *ret_n; i++) {
        if (!(*ret)[i].remote)
            continue;
        /* nothing is accepted that could not be delivered: there is no queue */
        (void)err_set(e, RC_PERM, 550, "5.7.1",
                      "The alias leads to a remote address, and no relay is configured");
        err_note(e, "an alias behind it leads to the remote address " STR_FMT, STR_ARG((*ret)[i].address));
        return RC_PERM;
    }
    return RC_OK;
}

static void put_targets(struct buf *reply, const struct err *e, const struct account_target *t, size_t n)
{
    ipc_begin(reply, MSG_RCPT_REPLY);
    ipc_put_err(reply, e);
    ipc_put_u32(reply, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        ipc_put_str(reply, t[i].account);
        ipc_put_u32(reply, t[i].uid);
        ipc_put_str(reply, t[i].address);
    }
}

static enum rc rcpt_lookup(const struct auth_peer *p, struct ipc_msg *m, struct buf *reply)
{
    str address = ipc_get_str(m, 1024);
    if (ipc_end(m) != RC_OK)
        return RC_INVALID;
    struct err e = {0};
    struct account_target *t = NULL;
    size_t n = 0;
    struct arena *a = arena_new(RESOLVE_ARENA);
    enum rc rc = resolve_local(p, address, a, &t, &n, &e);
    if (rc != RC_OK && e.rc == RC_OK)
        (void)err_set(&e, rc, rc == RC_TEMP ? 451 : 550, rc == RC_TEMP ? "4.3.0" : "5.1.1",
                      rc == RC_TEMP ? "Temporary lookup failure" : "No such user here");
    e.rc = rc;
    put_targets(reply, &e, t, rc == RC_OK ? n : 0);
    if (reply->overflow) {
        rc = err_set(&e, RC_PERM, 550, "5.3.4", "The alias leads to too many mailboxes");
        err_note(&e, "its %zu mailboxes do not fit a message of %d bytes", n, IPC_MAX);
        put_targets(reply, &e, NULL, 0);
    }
    if (rc == RC_TEMP)
        log_error("looking up <" STR_FMT ">: %s", STR_ARG(address), err_text(&e));
    else if (rc != RC_OK && e.log[0]) /* not the stranger's mistake */
        log_warn("looking up <" STR_FMT ">: %s", STR_ARG(address), e.log);
    arena_free(a);
    return RC_OK;
}

static enum rc sender_check(const struct auth_peer *p, struct ipc_msg *m, struct buf *reply)
{
    struct err e = {0};
    str account = ipc_get_str(m, IDENTITY_ACCOUNT_MAX), sender = ipc_get_str(m, 1024);
    if (ipc_end(m) != RC_OK)
        return RC_INVALID;
    enum rc rc = account_may_send(lookup(p), account, sender, &e);
    e.rc = rc;
    ipc_begin(reply, MSG_SENDER_REPLY);
    ipc_put_err(reply, &e);
    return RC_OK;
}

/* --- identities --- */

static enum rc identity(const struct auth_peer *p, struct ipc_msg *m, struct buf *reply)
{
    bool ticket = m->type == MSG_TICKET_REDEEM;
    struct buf bytes AUTO(buf_deinit) = BUF_INIT(IDENTITY_BYTES_MAX);
    struct account_identity id;
    struct err e = {0};
    str what = ipc_get_str(m, IDENTITY_ACCOUNT_MAX);
    uint32_t login = ipc_get_u32(m);
    if (ipc_end(m) != RC_OK)
        return RC_INVALID;
    enum rc rc = ticket ? ticket_redeem(p->server->tickets, what, login, clock_mono(), &id)
                        : account_identify(lookup(p), what, &id, &e);
    if (rc != RC_OK && e.rc == RC_OK) {
        (void)err_set(&e, rc, 451, "4.3.0", "Temporary authentication failure");
        err_note(&e, ticket ? "the ticket is unknown, used or expired" : "no such account");
    }
    e.rc = rc;
    if (rc == RC_OK)
        identity_put(&bytes, &id);
    ipc_begin(reply, MSG_IDENTITY_REPLY);
    ipc_put_err(reply, &e);
    ipc_put_str(reply, buf_str(&bytes));
    return RC_OK;
}

/* --- who may ask what --- */

static bool permitted(const struct auth_peer *p, uint16_t type)
{
    bool mailbox = str_eq(str_c(p->name), S("mailbox")); /* and deliver, which speaks over mailbox's link */
    switch ((enum ipc_type)type) {
    case MSG_TICKET_REDEEM:
    case MSG_IDENTITY_LOOKUP:
        return mailbox;
    case MSG_SENDER_CHECK:
        return str_eq(str_c(p->name), S("submission"));
    case MSG_RCPT_LOOKUP:
        return !mailbox && !str_eq(str_c(p->name), S("login"));
    case MSG_AUTH_START:
    case MSG_AUTH_STEP:
        return !mailbox;
    default:
        return false;
    }
}

enum rc auth_handle(void *ctx, void **conn, struct ipc_msg *m, struct buf *reply, int *reply_fds,
                    unsigned *ret_n_fds)
{
    const struct auth_peer *p = ctx;
    struct auth_conn *c = *conn;
    if (!permitted(p, m->type)) {
        log_error("%s may not ask %s", p->name, ipc_type_name(m->type));
        return RC_INVALID;
    }
    if (!c) {
        *conn = c = calloc(1, sizeof *c);
        must(c);
        conn_reset(c);
    }
    switch ((enum ipc_type)m->type) {
    case MSG_AUTH_START:
        return auth_begin(p, c, m, reply);
    case MSG_AUTH_STEP:
        return auth_continue(p, c, m, reply);
    case MSG_RCPT_LOOKUP:
        return rcpt_lookup(p, m, reply);
    case MSG_SENDER_CHECK:
        return sender_check(p, m, reply);
    default:
        return identity(p, m, reply);
    }
}
