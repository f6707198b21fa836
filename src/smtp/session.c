/* The life of a session: handshake, greeting, one command after the other, the last word. Replies are
 * gathered and flushed when no complete command waits in the input (RFC 2920 §3.2). */
#include "smtp/session.h"

#include "base/log.h"
#include "fmt/received.h"
#include "queue/new_id.h"
#include "smtp/rules.h"
#include "smtp/session_impl.h"
#include "table/settings.h"

enum { CMD_ARENA_MAX = 64 * 1024 };

bool smtp_is_secured(const struct smtp_session *s)
{
    return stream_is_tls(s->io) ||
           (s->has_address && ip_is_loopback(&s->address) && !s->conf->disable_plaintext_auth);
}

str smtp_protocol(const struct smtp_session *s)
{
    return received_with_keyword((struct received_with){
        .lmtp = smtp_is_lmtp(s),
        .extended = s->hello == SMTP_HELLO_EXTENDED,
        .tls = stream_is_tls(s->io),
        .authenticated = smtp_is_authenticated(s),
        .utf8 = s->tx.mail_ok && s->tx.mail.smtputf8,
    });
}

bool smtp_overrides(const struct smtp_session *s, str word)
{
    bool later = str_eq(word, S("no_address_mappings")) || str_eq(word, S("no_header_body_checks"));
    if (s->p->own_mail)
        return str_eq(word, S("no_address_mappings"));
    return rules_overrides(s->conf, word) || (later && smtp_proxy_filter(s).n > 0);
}

void smtp_tx_reset(struct smtp_session *s)
{
    struct arena *arena = s->tx.arena;
    if (s->tx.msg.open)
        s->env->content_discard(s->p->env_ctx);
    smtp_milter_abort(s);
    arena_reset(arena);
    s->tx.mail_ok = s->tx.rcpt_tried = false;
    s->tx.rcpts = NULL;
    s->tx.n = s->tx.cap = s->tx.n_targets = 0;
    s->tx.id = STR_NONE;
    s->tx.sender = STR_NONE;
    s->tx.msg.open = s->tx.msg.failed = false;
    smtp_checks_free(&s->tx.msg.checks);
    s->tx.trace = STR_NONE;
    s->tx.actions = (struct smtp_actions){.discard = false};
    s->tx.forwarded = (struct smtp_forwarded){.id = STR_NONE};
}

void smtp_forget_client(struct smtp_session *s)
{
    smtp_tx_reset(s);
    s->hello = SMTP_HELLO_NONE;
    s->helo = s->account = s->method = STR_NONE;
}

/* --- input --- */

static void note_input_failure(struct smtp_session *s, enum rc rc)
{
    s->end = rc == RC_TEMP ? SMTP_END_TIMEOUT : SMTP_END_LOST;
}

void smtp_flush(struct smtp_session *s)
{
    if (stream_flush(s->io) != RC_OK && s->end == SMTP_END_NOT)
        s->end = SMTP_END_LOST;
    s->in_group = false;
}

static bool line_is_buffered(struct smtp_session *s)
{
    str input;
    return stream_buffered(s->io) > 0 && stream_read(s->io, &input) == RC_OK && str_chr(input, '\n') >= 0;
}

static void set_line_deadline(struct smtp_session *s, msec time)
{
    msec end = clock_mono() + time;
    stream_set_deadline(s->io, s->exchange_end && s->exchange_end < end ? s->exchange_end : end);
}

enum rc smtp_read_line(struct smtp_session *s, size_t max, str *ret, enum line_end *ret_end)
{
    str first;
    enum rc rc = RC_OK;
    set_line_deadline(s, smtp_gate_patience(s));
    if (!line_is_buffered(s)) {
        smtp_flush(s);
        if (s->end != SMTP_END_NOT)
            return RC_GONE;
        if (stream_buffered(s->io) == 0)
            rc = stream_read(s->io, &first);
        if (rc == RC_OK)
            set_line_deadline(s, s->conf->smtpd_command_time_limit_ms);
    }
    if (rc == RC_OK)
        rc = stream_read_line(s->io, max, ret, ret_end);
    if (rc != RC_OK && rc != RC_LIMIT)
        note_input_failure(s, rc);
    return rc;
}

enum rc smtp_read_bytes(struct smtp_session *s, msec deadline, str *ret)
{
    if (stream_buffered(s->io) == 0) {
        msec idle = clock_mono() + s->conf->smtpd_timeout_ms;
        stream_set_deadline(s->io, idle < deadline ? idle : deadline);
        smtp_flush(s);
        if (s->end != SMTP_END_NOT)
            return RC_GONE;
    }
    enum rc rc = stream_read(s->io, ret);
    if (rc != RC_OK)
        note_input_failure(s, rc);
    return rc;
}

/* --- commands --- */

/* The longest line that is read at all: AUTH may need more than the others. */
static size_t line_max(const struct smtp_session *s)
{
    size_t limit = (size_t)s->conf->line_length_limit;
    return s->p->offer_auth && limit < SMTP_AUTH_LINE_MAX ? SMTP_AUTH_LINE_MAX : limit;
}

/* Replies and returns true when the bytes of the line themselves are wrong. */
static bool refuse_line(struct smtp_session *s, str line, enum line_end end, bool grouped)
{
    const char *text = NULL;
    if (line.n > s->conf->line_length_limit && !str_istarts(line, S("AUTH ")))
        text = "Error: line too long";
    else if (str_chr(line, '\0') >= 0)
        text = "Error: NUL in command";
    else if (str_chr(line, '\r') >= 0)
        text = "Error: bare <CR> received";
    else if (end == LINE_LF &&
             grouped) /* a person may type LF; a group with LF is smuggling or a broken client */
        text = "Error: bare <LF> received in a group of commands";
    if (text)
        smtp_reply(s, 500, "5.5.2", "%s", text);
    return text != NULL;
}

/* smtpd_command_filter: what is put in the place of a client's line. RC_TEMP: replied. */
static enum rc filter_line(struct smtp_session *s, str *line)
{
    struct table_list *l = smtp_tables(s, TABLES_COMMAND_FILTER);
    struct err e = {0};
    str value;
    if (!l || smtp_is_lmtp(s) || s->p->local)
        return RC_OK;
    enum rc rc = table_list_find(l, TABLE_WHOLE_KEY, *line, s->cmd_arena, &value, &e);
    if (rc == RC_OK)
        *line = value;
    if (rc == RC_OK || rc == RC_GONE)
        return RC_OK;
    log_warn("smtpd_command_filter: %s", err_text(&e));
    smtp_reply(s, 451, "4.3.0", "Error: command filter failed");
    return RC_TEMP;
}

static void run_line(struct smtp_session *s)
{
    str line;
    enum line_end end;
    enum rc rc = smtp_read_line(s, line_max(s), &line, &end);
    if (rc == RC_LIMIT) {
        smtp_reply(s, 500, "5.5.2", "Error: line too long");
        smtp_flush(s); /* what is buffered is only the rest of that line: the client may wait already */
        return;
    }
    if (rc)
        return;
    smtp_notice_command(s, line);
    if (!smtp_gate_ends(s, line, end) &&
        !refuse_line(s, line, end, s->in_group || stream_buffered(s->io) > 0) &&
        filter_line(s, &line) == RC_OK)
        smtp_dispatch(s, line);
    arena_reset(s->cmd_arena);
}

static void check_limits(struct smtp_session *s)
{
    if (s->env->stopping && s->env->stopping(s->p->env_ctx)) {
        smtp_reply(s, 421, "4.3.2", "%s Service shutting down and closing transmission channel",
                   s->conf->hostname);
        s->end = SMTP_END_REFUSED;
    } else if (s->errors >= s->conf->smtpd_hard_error_limit) {
        smtp_reply(s, 421, "4.7.0", "%s Error: too many errors", s->conf->hostname);
        s->end = SMTP_END_ERRORS;
    }
}

void smtp_greet(struct smtp_session *s)
{
    const struct restrict_refusal *refusal;
    if (restrict_connect(s, &refusal) != RC_OK) {
        s->restrict_.denied = true;
        restrict_reply(s, refusal);
        return;
    }
    if (smtp_milter_connect(s))
        return;
    if (s->conf->smtpd_banner[0] && !smtp_is_lmtp(s)) {
        smtp_reply(s, 220, NULL, "%s", s->conf->smtpd_banner);
        return;
    }
    smtp_reply(s, 220, NULL, "%s %s malle", s->conf->hostname, smtp_is_lmtp(s) ? "LMTP" : "ESMTP");
}

static void say_last_word(struct smtp_session *s)
{
    stream_set_deadline(s->io, clock_mono() + 1000);
    if (s->end == SMTP_END_TIMEOUT)
        smtp_reply(s, 421, "4.4.2", "%s Error: timeout exceeded", s->conf->hostname);
    if (s->end != SMTP_END_LOST && stream_flush(s->io) != RC_OK)
        log_debug("last reply to " SMTP_CLIENT_FMT " was not taken", SMTP_CLIENT_ARG(s));
}

static void session_init(struct smtp_session *s, const struct smtp_params *p, struct stream *io)
{
    *s = (struct smtp_session){.p = p, .conf = p->conf, .env = p->env, .io = io, .last_verb = "CONNECT"};
    s->has_address = ip_parse(p->client_address, &s->address) == RC_OK;
    s->may_xforward = s->has_address && smtp_may_xforward(p, &s->address);
    (void)queue_new_id(s->session_id);
    s->cmd_arena = arena_new(CMD_ARENA_MAX);
    s->tx.arena = arena_new((size_t)p->conf->session_memory_limit);
    s->account = p->local ? p->local->name : STR_NONE;
    s->restrict_.where = s->last_verb;
    smtp_notice_init(s);
}

static void session_deinit(struct smtp_session *s)
{
    buf_deinit(&s->notice.history);
    smtp_tx_reset(s);
    smtp_milter_close(s);
    arena_free(s->cmd_arena);
    arena_free(s->restrict_.arena);
    arena_free(s->tx.arena);
}

void smtp_session_run(const struct smtp_params *p, struct stream *io)
{
    struct smtp_session s;
    session_init(&s, p, io);
    smtp_log_connect(&s);
    if (p->implicit_tls)
        smtp_start_tls(&s);
    if (s.end == SMTP_END_NOT)
        smtp_greet(&s);
    smtp_flush(&s);
    while (s.end == SMTP_END_NOT) {
        run_line(&s);
        if (s.end == SMTP_END_NOT)
            check_limits(&s);
    }
    say_last_word(&s);
    smtp_log_end(&s);
    smtp_notice_end(&s);
    session_deinit(&s);
}

void smtp_session_refuse(const struct smtp_params *p, struct stream *io, const struct err *e)
{
    struct smtp_session s;
    session_init(&s, p, io);
    smtp_log_connect(&s);
    if (p->implicit_tls)
        smtp_start_tls(&s);
    if (s.end == SMTP_END_NOT) {
        smtp_reply(&s, e->code ? e->code : 421, e->enhanced[0] ? e->enhanced : "4.7.0", "%s %s",
                   p->conf->hostname, e->peer);
        log_info("NOQUEUE: reject: CONNECT from " SMTP_CLIENT_FMT ": %d %s %s", SMTP_CLIENT_ARG(&s),
                 s.last_code, e->enhanced[0] ? e->enhanced : "4.7.0", err_text(e));
        s.end = SMTP_END_REFUSED;
    }
    say_last_word(&s);
    smtp_log_end(&s);
    session_deinit(&s);
}
