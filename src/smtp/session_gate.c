/* The gate within the dialogue (smtp/gate.h). Log lines and replies are those of Postfix's postscreen. */
#include "base/log.h"
#include "fmt/delay.h"
#include "fmt/gate_text.h"
#include "smtp/session_impl.h"

#define GATE_CLIENT_FMT    "[" STR_FMT "]:%u"
#define GATE_CLIENT_ARG(s) STR_ARG((s)->p->client_address), (s)->p->client_port

static bool is_pending(const struct smtp_session *s, enum gate_test test)
{
    return s->p->gate && s->p->gate->tests & 1u << test;
}

bool smtp_gate_hides_pipelining(const struct smtp_session *s)
{
    return is_pending(s, GATE_PIPELINING);
}

bool smtp_gate_refuses(const struct smtp_session *s)
{
    return s->p->gate && s->p->gate->refused;
}

msec smtp_gate_patience(const struct smtp_session *s)
{
    msec usual = s->conf->smtpd_timeout_ms, gate = s->conf->gate_command_time_limit_ms;
    return smtp_gate_refuses(s) && gate < usual ? gate : usual;
}

/* What the client failed: it hears a drop at once, and of `enforce` with each RCPT from now on. */
static bool fail(struct smtp_session *s, enum gate_test test, int action, const char *enhanced,
                 const char *drop)
{
    struct smtp_gate *g = s->p->gate;
    g->tests &= ~(1u << test);
    g->failed |= 1u << test;
    if (action == CONF_GATE_IGNORE)
        return false;
    if (action == CONF_GATE_DROP) {
        smtp_reply(s, 521, enhanced, "%s", drop);
        s->end = SMTP_END_REFUSED;
    }
    if (!g->refused) {
        g->refused = true;
        g->code = 550;
        must(str_copy(g->enhanced, sizeof g->enhanced, S("5.5.1")) == RC_OK &&
             str_copy(g->text, sizeof g->text, S("Protocol error")) == RC_OK);
        if (s->tx.n > 0)
            smtp_tx_reset(s);
    }
    return action == CONF_GATE_DROP;
}

/* --- tests --- */

static bool is_command(str line, const char *verb)
{
    str args, given;
    smtp_cmd_split(line, &given, &args);
    return str_ieq(given, str_c(verb));
}

/* Content may follow these without a reply between; malle looks at it elsewhere. */
static bool has_content(str line)
{
    return is_command(line, "DATA") || is_command(line, "BDAT");
}

static bool test_bare_newline(struct smtp_session *s, str line, enum line_end end)
{
    if (!is_pending(s, GATE_BARE_NEWLINE) || end != LINE_LF)
        return false;
    log_info_of(LOG_AS_POSTSCREEN, "BARE NEWLINE from " GATE_CLIENT_FMT " after " STR_FMT, GATE_CLIENT_ARG(s),
                STR_ARG(str_sub(line, 0, 100)));
    return fail(s, GATE_BARE_NEWLINE, s->conf->gate_bare_newline_action, "5.5.1", "Protocol error");
}

static bool test_non_smtp(struct smtp_session *s, str line)
{
    str verb, args;
    if (!is_pending(s, GATE_NON_SMTP) || !smtp_is_foreign(s, s->conf->gate_forbidden_commands, line))
        return false;
    smtp_cmd_split(line, &verb, &args);
    log_info_of(LOG_AS_POSTSCREEN, "NON-SMTP COMMAND from " GATE_CLIENT_FMT " after %s: " STR_FMT " " STR_FMT,
                GATE_CLIENT_ARG(s), s->last_verb, STR_ARG(str_sub(verb, 0, 100)), STR_ARG(args));
    return fail(s, GATE_NON_SMTP, s->conf->gate_non_smtp_command_action, "5.7.0",
                "Error: I can break rules, too. Goodbye.");
}

static bool test_pipelining(struct smtp_session *s, str line)
{
    AUTO(buf_deinit) struct buf ahead = BUF_INIT(500);
    str input, verb, args;
    if (!is_pending(s, GATE_PIPELINING) || has_content(line) || stream_buffered(s->io) == 0 ||
        stream_read(s->io, &input) != RC_OK)
        return false;
    smtp_cmd_split(line, &verb, &args);
    gate_text_put(&ahead, str_sub(input, 0, 100));
    log_info_of(LOG_AS_POSTSCREEN, "COMMAND PIPELINING from " GATE_CLIENT_FMT " after " STR_FMT ": %s",
                GATE_CLIENT_ARG(s), STR_ARG(str_sub(verb, 0, 100)), buf_cstr(&ahead));
    return fail(s, GATE_PIPELINING, s->conf->gate_pipelining_action, "5.5.1", "Protocol error");
}

static bool test_count(struct smtp_session *s)
{
    if (!smtp_gate_refuses(s) || ++s->p->gate->commands <= s->conf->gate_command_count_limit)
        return false;
    log_info_of(LOG_AS_POSTSCREEN, "COMMAND COUNT LIMIT from " GATE_CLIENT_FMT " after %s",
                GATE_CLIENT_ARG(s), s->last_verb);
    smtp_reply(s, 421, NULL, "%s Service unavailable - try again later", s->conf->hostname);
    s->end = SMTP_END_REFUSED;
    return true;
}

bool smtp_gate_ends(struct smtp_session *s, str line, enum line_end end)
{
    return s->p->gate && (test_count(s) || test_bare_newline(s, line, end) || test_non_smtp(s, line) ||
                          test_pipelining(s, line));
}

void smtp_gate_pass(struct smtp_session *s)
{
    struct smtp_gate *g = s->p->gate;
    if (!g)
        return;
    must(!g->refused); /* no recipient is taken */
    g->passed |= g->tests;
    g->tests = 0;
}

/* --- refusing --- */

void smtp_gate_refuse(struct smtp_session *s, str recipient)
{
    const struct smtp_gate *g = s->p->gate;
    log_info_of(LOG_AS_POSTSCREEN,
                "NOQUEUE: reject: RCPT from " GATE_CLIENT_FMT ": %d %s %s; from=<" STR_FMT ">, to=<" STR_FMT
                ">, proto=" STR_FMT ", helo=<" STR_FMT ">",
                GATE_CLIENT_ARG(s), g->code, g->enhanced, g->text, STR_ARG(s->tx.sender), STR_ARG(recipient),
                STR_ARG(smtp_protocol(s)), STR_ARG(s->helo));
    smtp_reply(s, g->code, g->enhanced, "%s", g->text);
}

void smtp_gate_log_end(const struct smtp_session *s)
{
    char time[DELAY_SIZE];
    if (s->end == SMTP_END_LOST)
        log_info_of(LOG_AS_POSTSCREEN,
                    "HANGUP after %s from " GATE_CLIENT_FMT " in tests after SMTP handshake",
                    delay_format(clock_mono() - s->p->gate->opened, time), GATE_CLIENT_ARG(s));
    else if (s->end == SMTP_END_TIMEOUT)
        log_info_of(LOG_AS_POSTSCREEN, "COMMAND TIME LIMIT from " GATE_CLIENT_FMT " after %s",
                    GATE_CLIENT_ARG(s), s->last_verb);
    log_info_of(LOG_AS_POSTSCREEN, "DISCONNECT " GATE_CLIENT_FMT, GATE_CLIENT_ARG(s));
}
