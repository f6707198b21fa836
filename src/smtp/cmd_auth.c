/* AUTH (RFC 4954): carries the SASL exchange between the client and the world's sasl_* functions. Nothing of
 * it is logged but mechanism, outcome and account. */
#include "base/enc.h"
#include "base/log.h"
#include "fmt/sasl.h"
#include "smtp/rules.h"
#include "smtp/session_impl.h"

/* An exchange under way. response is wiped: it may hold the password. */
struct exchange {
    struct smtp_sasl_reply reply;
    struct buf response, exporter, end_point;
};

static void exchange_deinit(struct exchange *x)
{
    buf_wipe(&x->response);
    buf_wipe(&x->exporter);
    buf_deinit(&x->end_point);
}

/* Who the client is by its certificate, where that counts. */
static str certified_name(const struct smtp_session *s)
{
    return s->conf->auth_ssl_username_from_cert ? tls_certified_name(stream_tls_info(s->io)) : STR_NONE;
}

void smtp_put_mechanisms(const struct smtp_session *s, struct buf *out)
{
    if (s->env->sasl_mechanisms && s->env->sasl_mechanisms(s->p->env_ctx, out))
        return;
    for (size_t i = 0; i < s->conf->auth_mechanisms.n; i++) {
        enum sasl_mech mech;
        if (sasl_mech_parse(s->conf->auth_mechanisms.v[i], &mech) ||
            (sasl_mech_is_plus(mech) && !stream_is_tls(s->io)) ||
            (mech == SASL_EXTERNAL && certified_name(s).n == 0))
            continue;
        buf_putc(out, ' ');
        buf_puts(out, sasl_mech_name(mech));
    }
}

static bool mechanism_is_offered(const struct smtp_session *s, str name)
{
    AUTO(buf_deinit) struct buf offered = BUF_INIT(SMTP_MECHANISMS_MAX);
    smtp_put_mechanisms(s, &offered);
    for (str rest = buf_str(&offered), word = str_word(&rest); word.n > 0; word = str_word(&rest))
        if (str_ieq(word, name))
            return true;
    return false;
}

bool smtp_offers_auth(const struct smtp_session *s)
{
    return s->p->offer_auth &&
           !(s->has_address && conf_list_has_address(&s->conf->smtpd_sasl_exceptions_networks, &s->address));
}

/* Replies and returns true when AUTH is out of place. */
static bool refuse_auth(struct smtp_session *s, str mechanism)
{
    if (!smtp_offers_auth(s) || !s->env->sasl_start || s->hello != SMTP_HELLO_EXTENDED)
        smtp_reply(s, 503, "5.5.1", "Error: authentication not enabled");
    else if (smtp_is_authenticated(s))
        smtp_reply(s, 503, "5.5.1", "Error: already authenticated");
    else if (mechanism.n == 0)
        smtp_reply(s, 501, "5.5.4", "Syntax: AUTH mechanism");
    else if (!smtp_is_secured(s))
        smtp_reply(s, 538, "5.7.11", "Encryption required for requested authentication mechanism");
    else if (!mechanism_is_offered(s, mechanism))
        smtp_reply(s, 504, "5.5.4", "Error: unrecognized authentication type");
    else
        return false;
    return true;
}

/* Decodes one response; replies 501 when it is not one. */
static bool take_response(struct smtp_session *s, str line, bool initial, struct buf *response)
{
    buf_reset(response);
    enum rc rc = sasl_response_decode(line, initial, response);
    if (rc == RC_GONE)
        smtp_reply(s, 501, "5.7.0", "Authentication aborted");
    else if (rc == RC_LIMIT)
        smtp_reply(s, 500, "5.5.6", "Authentication exchange line is too long");
    else if (rc)
        smtp_reply(s, 501, "5.5.2", "Error: malformed base64 in authentication");
    return rc == RC_OK;
}

/* "334 challenge", and the client's answer. */
static bool ask(struct smtp_session *s, str challenge, struct buf *response)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(SMTP_AUTH_LINE_MAX);
    str line;
    enum line_end end;
    enc_base64(&text, challenge);
    stream_write(s->io, S("334 "));
    stream_write(s->io, buf_str(&text));
    stream_write(s->io, S("\r\n"));
    enum rc rc = smtp_read_line(s, SMTP_AUTH_LINE_MAX, &line, &end);
    if (rc == RC_LIMIT)
        smtp_reply(s, 500, "5.5.6", "Authentication exchange line is too long");
    return rc == RC_OK && take_response(s, line, false, response);
}

static void begin_exchange(struct smtp_session *s, str mechanism, bool has_initial, struct exchange *x)
{
    struct smtp_sasl_start start = {
        .mechanism = mechanism,
        .has_initial = has_initial,
        .initial = buf_str(&x->response),
        .secured = smtp_is_secured(s),
        .session_id = str_c(s->session_id),
    };
    if (str_ieq(mechanism, S("EXTERNAL")))
        start.certified_name = certified_name(s);
    if (stream_tls_exporter(s->io, &x->exporter) == RC_OK)
        start.exporter = buf_str(&x->exporter);
    if (stream_tls_end_point(s->io, &x->end_point) == RC_OK)
        start.end_point = buf_str(&x->end_point);
    s->env->sasl_start(s->p->env_ctx, &start, &x->reply);
}

static void conclude(struct smtp_session *s, str mechanism, const struct smtp_sasl_reply *r)
{
    if (r->result == SMTP_SASL_OK) {
        must(str_copy(s->account_room, sizeof s->account_room, r->account) == RC_OK && r->account.n);
        must(str_copy(s->method_room, sizeof s->method_room, mechanism) == RC_OK);
        s->account = str_c(s->account_room);
        s->method = str_c(s->method_room);
        smtp_reply(s, 235, "2.7.0", "Authentication successful");
        return;
    }
    log_warn(SMTP_CLIENT_FMT ": SASL " STR_FMT " authentication failed: " STR_FMT ", sasl_username=" STR_FMT,
             SMTP_CLIENT_ARG(s), STR_ARG(mechanism), STR_ARG(r->reason),
             STR_ARG(r->account.n ? r->account : S("(unavailable)")));
    if (r->result == SMTP_SASL_TEMP)
        smtp_reply(s, 454, "4.7.0", "Temporary authentication failure");
    else
        smtp_reply(s, 535, "5.7.8", "Error: authentication failed");
}

/* Steps until there is an outcome; false when the client gave up or broke the grammar (already replied). */
static bool run_exchange(struct smtp_session *s, struct exchange *x)
{
    while (x->reply.result == SMTP_SASL_CONTINUE) {
        if (!ask(s, x->reply.data, &x->response)) {
            s->env->sasl_cancel(s->p->env_ctx);
            return false;
        }
        s->env->sasl_step(s->p->env_ctx, buf_str(&x->response), &x->reply);
    }
    /* SMTP has no data with success: SCRAM's last message is one more challenge with an empty answer (RFC
     * 4422 §5). */
    return x->reply.result != SMTP_SASL_OK || x->reply.data.n == 0 || ask(s, x->reply.data, &x->response);
}

void smtp_cmd_auth(struct smtp_session *s, str args)
{
    str rest = args, mechanism = str_word(&rest), initial = str_trim(rest);
    if (smtp_is_too_often(s, SMTP_EVENT_AUTH) || refuse_auth(s, mechanism) || smtp_milter_refuses_command(s))
        return;
    AUTO(exchange_deinit)
    struct exchange x = {
        .response = BUF_INIT(SASL_RESPONSE_MAX), .exporter = BUF_INIT(256), .end_point = BUF_INIT(256)};
    mechanism = arena_str(s->cmd_arena, mechanism); /* the line is gone after the next read */
    if (initial.n && !take_response(s, initial, true, &x.response))
        return;
    begin_exchange(s, mechanism, initial.n > 0, &x);
    s->exchange_end = clock_mono() + s->conf->auth_exchange_timeout_ms;
    bool done = run_exchange(s, &x);
    s->exchange_end = 0;
    if (done)
        conclude(s, mechanism, &x.reply);
}
