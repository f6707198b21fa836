/* What the dialogue before log-in asks of the world (account/login.h): SASL at auth, a session at mailbox,
 * TLS.
 *
 * auth keeps an exchange's state with the channel, so a channel is held for as long as the exchange lasts.
 * The ticket that success brings goes to mailbox unread; who the user is for the kernel never passes through
 * here. */
#include "account/auth_result.h"
#include "account/identity.h"
#include "base/log.h"
#include "fmt/ip.h"
#include "os/file.h"
#include "role/ipc.h"
#include "role/login_impl.h"

#include <sys/socket.h>

enum {
    TAKE_TIMEOUT_MS = 10000,
    AUTH_TIMEOUT_MS = 60000,
    SESSION_TIMEOUT_MS = 30000,
    REASON_MAX = 300,
    BINDING_MAX = 64
};

void login_auth_cancel(void *ctx)
{
    struct login_conn *c = ctx;
    channel_release(&c->sasl, true);
}

/* Views into *m, which lies in the connection's ipc buffer, last until the next call. */
static enum rc read_reply(struct login_conn *c, struct ipc_msg *m, struct login_sasl_reply *ret)
{
    uint32_t result = ipc_get_u32(m);
    str data = ipc_get_str(m, 4 * SASL_RESPONSE_MAX), account = ipc_get_str(m, IDENTITY_ACCOUNT_MAX);
    str ticket = ipc_get_str(m, LOGIN_TICKET_BYTES), reason = ipc_get_str(m, REASON_MAX);
    if (ipc_end(m) != RC_OK || result > AUTH_TEMP || (result == AUTH_OK && ticket.n != LOGIN_TICKET_BYTES))
        return RC_INVALID;
    static const enum login_sasl_result results[] = {[AUTH_CONTINUE] = LOGIN_SASL_CONTINUE,
                                                     [AUTH_OK] = LOGIN_SASL_OK,
                                                     [AUTH_FAIL] = LOGIN_SASL_FAIL,
                                                     [AUTH_TEMP] = LOGIN_SASL_TEMP};
    *ret = (struct login_sasl_reply){.result = results[result], .data = data};
    if (account.n)
        snprintf(c->user, sizeof c->user, STR_FMT, STR_ARG(account));
    if (result == AUTH_OK)
        memcpy(c->ticket, ticket.p, sizeof c->ticket);
    if (result == AUTH_TEMP)
        log_error("%s: auth: " STR_FMT, c->protocol->service, STR_ARG(reason));
    return RC_OK;
}

static void call_auth(struct login_conn *c, struct login_sasl_reply *ret)
{
    *ret = (struct login_sasl_reply){.result = LOGIN_SASL_TEMP};
    enum rc rc = channel_call(c->sasl, &c->ipc, NULL, 0, MSG_AUTH_REPLY, &c->sasl_reply,
                              clock_mono() + AUTH_TIMEOUT_MS);
    if (rc == RC_OK) {
        rc = read_reply(c, &c->sasl_reply, ret);
        ipc_msg_deinit(&c->sasl_reply);
    }
    if (rc != RC_OK)
        log_error("%s: auth does not answer (%s)", c->protocol->service, rc_name(rc));
    if (rc != RC_OK || ret->result != LOGIN_SASL_CONTINUE)
        channel_release(&c->sasl, rc != RC_OK);
    if (ret->result == LOGIN_SASL_FAIL || ret->result == LOGIN_SASL_TEMP)
        c->attempts++;
}

/* For the log: who tries, as far as the client has said. */
static void note_attempt(struct login_conn *c, str mechanism, str initial)
{
    struct sasl_plain plain;
    snprintf(c->method, sizeof c->method, STR_FMT, STR_ARG(mechanism));
    c->user[0] = '\0';
    if (str_eq(mechanism, S("PLAIN")) && sasl_plain_parse(initial, &plain) == RC_OK)
        snprintf(c->user, sizeof c->user, STR_FMT, STR_ARG(plain.authcid));
}

static void put_bindings(struct login_conn *c)
{
    struct buf exporter = BUF_INIT(BINDING_MAX), end_point = BUF_INIT(BINDING_MAX);
    if (stream_tls_exporter(c->io, &exporter) != RC_OK)
        buf_reset(&exporter);
    if (stream_tls_end_point(c->io, &end_point) != RC_OK)
        buf_reset(&end_point);
    ipc_put_str(&c->ipc, buf_str(&exporter));
    ipc_put_str(&c->ipc, buf_str(&end_point));
    buf_deinit(&exporter);
    buf_deinit(&end_point);
}

/* Who the client is by its certificate; "": it is asked. */
static str certified_name(struct login_conn *c)
{
    return c->conf->auth_ssl_username_from_cert ? tls_certified_name(stream_tls_info(c->io)) : STR_NONE;
}

static bool lacks_certificate(struct login_conn *c)
{
    const struct tls_info *tls = stream_tls_info(c->io);
    const struct tls_ccert *cert = tls ? tls->ccert : NULL;
    if (!c->conf->auth_ssl_require_client_cert || (cert && cert->trusted))
        return false;
    c->doubt = cert && cert->present ? "client sent an invalid cert" : "client didn't send a cert";
    return true;
}

static void op_sasl_start(void *ctx, str mechanism, bool has_initial, str initial,
                          struct login_sasl_reply *ret)
{
    struct login_conn *c = ctx;
    login_auth_cancel(c);
    note_attempt(c, mechanism, initial);
    if (lacks_certificate(c)) {
        *ret = (struct login_sasl_reply){.result = LOGIN_SASL_NO_CERTIFICATE};
        return;
    }
    *ret = (struct login_sasl_reply){.result = LOGIN_SASL_TEMP};
    if (channel_take(c->login->auth, &c->sasl, clock_mono() + TAKE_TIMEOUT_MS) != RC_OK) {
        log_error("%s: auth cannot be reached", c->protocol->service);
        c->attempts++;
        return;
    }
    ipc_begin(&c->ipc, MSG_AUTH_START);
    ipc_put_str(&c->ipc, str_c(c->protocol->name));
    ipc_put_str(&c->ipc, mechanism);
    ipc_put_u32(&c->ipc, has_initial ? 1 : 0);
    ipc_put_str(&c->ipc, initial);
    ipc_put_str(&c->ipc, str_c(c->remote_ip));
    ipc_put_u32(&c->ipc, stream_is_tls(c->io) || !c->plaintext_forbidden ? 1 : 0);
    put_bindings(c);
    ipc_put_str(&c->ipc, str_c(c->session_id));
    ipc_put_str(&c->ipc, certified_name(c));
    call_auth(c, ret);
}

static void op_sasl_step(void *ctx, str response, struct login_sasl_reply *ret)
{
    struct login_conn *c = ctx;
    must(c->sasl);
    ipc_begin(&c->ipc, MSG_AUTH_STEP);
    ipc_put_str(&c->ipc, response);
    call_auth(c, ret);
}

static void op_sasl_cancel(void *ctx)
{
    struct login_conn *c = ctx;
    if (c->sasl)
        c->attempts++;
    login_auth_cancel(c);
}

/* --- the session --- */

static void put_session_start(struct login_conn *c, str tag)
{
    char tls[160] = "";
    const struct tls_info *info = stream_tls_info(c->io);
    if (info)
        snprintf(tls, sizeof tls, STR_FMT " with cipher " STR_FMT " (%d/%d bits)", STR_ARG(info->version),
                 STR_ARG(info->cipher), info->bits, info->alg_bits);
    ipc_begin(&c->ipc, MSG_SESSION_START);
    ipc_put_str(&c->ipc, str_mem(c->ticket, sizeof c->ticket));
    ipc_put_str(&c->ipc, str_c(c->protocol->name));
    ipc_put_str(&c->ipc, str_c(c->session_id));
    ipc_put_str(&c->ipc, tag);
    ipc_put_str(&c->ipc, str_c(c->remote_ip));
    ipc_put_str(&c->ipc, str_c(tls));
}

static enum rc call_mailbox(struct login_conn *c, int session_end, struct err *e)
{
    struct ipc_msg m;
    struct err answer = {0};
    enum rc rc = channel_pool_call(c->login->mailbox, &c->ipc, &session_end, 1, MSG_SESSION_REPLY, &m,
                                   clock_mono() + SESSION_TIMEOUT_MS);
    if (rc != RC_OK) {
        log_error("%s: mailbox does not answer (%s)", c->protocol->service, rc_name(rc));
        return err_set(e, RC_TEMP, 0, NULL, "The mailbox cannot be opened now");
    }
    ipc_get_err(&m, &answer);
    c->session_pid = ipc_get_u32(&m);
    ipc_msg_deinit(&m);
    if (answer.rc != RC_OK)
        *e = answer;
    return answer.rc;
}

static enum rc op_open_session(void *ctx, str tag, struct err *e)
{
    struct login_conn *c = ctx;
    int pair[2];
    /* the reply must be out before the session can speak */
    if (stream_flush(c->io) != RC_OK)
        return err_set(e, RC_GONE, 0, NULL, "The connection is closed");
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return err_set(e, RC_TEMP, 0, NULL, "The server is busy");
    put_session_start(c, tag);
    enum rc rc = call_mailbox(c, pair[1], e);
    explicit_bzero(c->ticket, sizeof c->ticket);
    fd_closep(&pair[1]);
    if (rc == RC_OK)
        c->session_fd = pair[0];
    else
        fd_closep(&pair[0]);
    return rc;
}

static enum rc op_start_tls(void *ctx)
{
    return login_conn_tls(ctx);
}

static bool is_session_id(str id)
{
    for (size_t i = 0; i < id.n; i++)
        if (!ascii_alnum(id.p[i]) && (id.p[i] == '\0' || !strchr("+/=-_.:", id.p[i])))
            return false;
    return id.n > 0;
}

static enum rc op_take_word(void *ctx, enum login_about about, str value)
{
    struct login_conn *c = ctx;
    struct ip_net address;
    must(c->trusted);
    if (about == LOGIN_SESSION_ID)
        return is_session_id(value) ? str_copy(c->session_id, sizeof c->session_id, value) : RC_INVALID;
    if (ip_parse(value, &address) != RC_OK)
        return RC_INVALID;
    return about == LOGIN_REMOTE_IP ? str_copy(c->remote_ip, sizeof c->remote_ip, value)
                                    : str_copy(c->local_ip, sizeof c->local_ip, value);
}

const struct login_ops login_ops = {
    .sasl_start = op_sasl_start,
    .sasl_step = op_sasl_step,
    .sasl_cancel = op_sasl_cancel,
    .open_session = op_open_session,
    .start_tls = op_start_tls,
    .take_word = op_take_word,
};
