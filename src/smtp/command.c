/* The command table and its dispatcher. Counts per command go to the "disconnect" log line; the order of the
 * table is the order there, as in Postfix. */
#include "smtp/command.h"

#include "base/log.h"
#include "fmt/ehlo.h"
#include "fmt/gate_text.h"
#include "smtp/session_impl.h"

enum { FOREIGN_SHOWN = 100 }; /* bytes of such a line in the log */

#define BOTH  (SMTP_CMD_SMTP | SMTP_CMD_LMTP)
#define FRESH (SMTP_CMD_NEEDS_TLS | SMTP_CMD_NO_MAIL | SMTP_CMD_NEEDS_HELLO)
#define INSIDE \
    (SMTP_CMD_NEEDS_TLS | SMTP_CMD_NEEDS_HELLO | SMTP_CMD_NEEDS_AUTH | SMTP_CMD_NEEDS_MAIL | SMTP_CMD_NO_BDAT)

const struct smtp_command smtp_commands[] = {
    {"HELO", smtp_cmd_helo, SMTP_CMD_SMTP | SMTP_CMD_ENDS_GROUP, "RFC 5321 §4.1.1.1"},
    {"EHLO", smtp_cmd_ehlo, SMTP_CMD_SMTP | SMTP_CMD_ENDS_GROUP, "RFC 5321 §4.1.1.1"},
    {"LHLO", smtp_cmd_ehlo, SMTP_CMD_LMTP | SMTP_CMD_ENDS_GROUP, "RFC 2033 §4.1"},
    {"XCLIENT", smtp_cmd_xclient, SMTP_CMD_SMTP, "Postfix's XCLIENT_README"},
    {"XFORWARD", smtp_cmd_xforward, SMTP_CMD_SMTP | SMTP_CMD_NEEDS_TLS, "Postfix's XFORWARD_README"},
    {"STARTTLS", smtp_cmd_starttls, BOTH | SMTP_CMD_NO_MAIL | SMTP_CMD_NO_ARGS | SMTP_CMD_LAST, "RFC 3207"},
    {"AUTH", smtp_cmd_auth, SMTP_CMD_SMTP | FRESH, "RFC 4954"},
    {"MAIL", smtp_cmd_mail, BOTH | FRESH | SMTP_CMD_NEEDS_AUTH, "RFC 5321 §4.1.1.2"},
    {"RCPT", smtp_cmd_rcpt, BOTH | INSIDE, "RFC 5321 §4.1.1.3"},
    {"DATA", smtp_cmd_data, BOTH | INSIDE | SMTP_CMD_NO_ARGS | SMTP_CMD_ENDS_GROUP, "RFC 5321 §4.1.1.4"},
    {"BDAT", smtp_cmd_bdat, BOTH, "RFC 3030"}, /* checks its state itself: its chunk must be read anyway */
    {"RSET", smtp_cmd_rset, BOTH | SMTP_CMD_JUNK | SMTP_CMD_NEEDS_TLS | SMTP_CMD_NO_ARGS,
     "RFC 5321 §4.1.1.5"},
    {"NOOP", smtp_cmd_noop, BOTH | SMTP_CMD_JUNK | SMTP_CMD_ENDS_GROUP, "RFC 5321 §4.1.1.9"},
    {"VRFY", smtp_cmd_vrfy,
     BOTH | SMTP_CMD_JUNK | SMTP_CMD_NEEDS_TLS | SMTP_CMD_NEEDS_AUTH | SMTP_CMD_ENDS_GROUP,
     "RFC 5321 §4.1.1.6"},
    {"HELP", smtp_cmd_help, BOTH | SMTP_CMD_JUNK, "RFC 5321 §4.1.1.8"},
    {"QUIT", smtp_cmd_quit, BOTH | SMTP_CMD_NO_ARGS, "RFC 5321 §4.1.1.10"},
    {"EXPN", smtp_cmd_not_implemented, BOTH | SMTP_CMD_JUNK, "RFC 5321 §4.1.1.7"},
    {"ETRN", smtp_cmd_not_implemented, SMTP_CMD_SMTP | SMTP_CMD_JUNK, "RFC 1985"},
    {"TURN", smtp_cmd_not_implemented, SMTP_CMD_SMTP | SMTP_CMD_JUNK, "RFC 5321 Appendix F.1"},
};

const size_t smtp_command_count = sizeof smtp_commands / sizeof *smtp_commands;
_Static_assert(sizeof smtp_commands / sizeof *smtp_commands < SMTP_COMMAND_MAX,
               "the last slot of the statistics counts unknown commands");

/* The position in the table; the table's length when unknown to this protocol. */
static size_t find_command(const struct smtp_session *s, str verb)
{
    unsigned protocol = smtp_is_lmtp(s) ? SMTP_CMD_LMTP : SMTP_CMD_SMTP;
    size_t i = 0;
    while (i < smtp_command_count &&
           !(smtp_commands[i].flags & protocol && str_ieq(verb, str_c(smtp_commands[i].verb))))
        i++;
    return i;
}

bool smtp_command_is_known(const struct smtp_session *s, str verb)
{
    return find_command(s, verb) < smtp_command_count;
}

static bool lacks_auth(const struct smtp_session *s)
{
    return s->p->kind == SMTP_KIND_SUBMISSION && !smtp_is_authenticated(s);
}

static void reply_needs_auth(struct smtp_session *s)
{
    if (!smtp_is_secured(s) && s->p->tls) /* RFC 3207 §4 */
        smtp_reply(s, 530, "5.7.0", "Must issue a STARTTLS command first");
    else { /* RFC 4954 §6 */
        smtp_reply(s, 530, "5.7.0", "Authentication required");
        smtp_log_event(s, "reject", s->last_verb, S("530 5.7.0 Authentication required"), STR_NONE, STR_NONE);
    }
}

/* Mail may come without, where that is permitted; AUTH may not, as it was not offered. */
static bool needs_hello(const struct smtp_session *s, const struct smtp_command *c)
{
    return s->conf->smtpd_helo_required || smtp_is_lmtp(s) || c->run == smtp_cmd_auth;
}

/* Replies and returns true when the flags forbid the command now. */
static bool refuse_state(struct smtp_session *s, const struct smtp_command *c)
{
    if (s->discarded && s->discarded & ehlo_keyword_find(str_c(c->verb))) /* STARTTLS and AUTH */
        smtp_reply(s, 502, "5.5.1", "Error: command not implemented");
    else if (c->flags & SMTP_CMD_NEEDS_TLS && s->p->tls_required && !stream_is_tls(s->io)) /* RFC 3207 §4 */
        smtp_reply(s, 530, "5.7.0", "Must issue a STARTTLS command first");
    else if (c->flags & SMTP_CMD_NEEDS_HELLO && s->hello == SMTP_HELLO_NONE && needs_hello(s, c))
        smtp_reply(s, 503, "5.5.1", "Error: send %s first", smtp_is_lmtp(s) ? "LHLO" : "HELO/EHLO");
    else if (c->flags & SMTP_CMD_NEEDS_AUTH && lacks_auth(s))
        reply_needs_auth(s);
    else if (c->flags & SMTP_CMD_NO_BDAT && s->tx.msg.open)
        smtp_reply(s, 503, "5.5.1", "Error: %s not allowed between BDAT commands", c->verb);
    else if (c->flags & SMTP_CMD_NEEDS_MAIL && !s->tx.mail_ok)
        smtp_reply(s, 503, "5.5.1", "Error: need MAIL command");
    else if (c->flags & SMTP_CMD_NO_MAIL && s->tx.mail_ok)
        smtp_reply(s, 503, "5.5.1", "Error: %s not allowed within a mail transaction", c->verb);
    else
        return false;
    return true;
}

/* RFC 2920 §3.1: what no other command may follow before its reply; nor any, before EHLO offered that. */
static bool ends_group(const struct smtp_session *s, const struct smtp_command *c)
{
    return c->flags & SMTP_CMD_ENDS_GROUP || s->hello != SMTP_HELLO_EXTENDED;
}

/* Replies, and returns true, when the client did not wait for the reply where it has to. */
static bool refuse_ahead(struct smtp_session *s, const struct smtp_command *c)
{
    AUTO(buf_deinit) struct buf ahead = BUF_INIT(500);
    str input;
    bool synchronized = s->conf->smtpd_forbid_unauth_pipelining && ends_group(s, c);
    if (!(c->flags & SMTP_CMD_LAST || synchronized) || stream_buffered(s->io) == 0)
        return false;
    if (stream_read(s->io, &input) == RC_OK)
        gate_text_put(&ahead, str_sub(input, 0, 100));
    log_info("improper command pipelining after %s from " SMTP_CLIENT_FMT ": %s", c->verb, SMTP_CLIENT_ARG(s),
             buf_cstr(&ahead));
    if (c->flags & SMTP_CMD_LAST)
        smtp_reply(s, 554, "5.5.0", "Error: improper pipelining after %s", c->verb);
    else
        smtp_reply(s, 554, "5.5.0", "Error: SMTP protocol synchronization");
    s->end = SMTP_END_REFUSED;
    return true;
}

static void count_junk(struct smtp_session *s)
{
    if (++s->junk > s->conf->smtpd_junk_command_limit)
        s->errors++;
}

static void run(struct smtp_session *s, const struct smtp_command *c, str args)
{
    if (c->flags & SMTP_CMD_JUNK)
        count_junk(s);
    if (refuse_ahead(s, c))
        return;
    if (s->restrict_.denied && c->run != smtp_cmd_quit && c->run != smtp_cmd_bdat) {
        smtp_reply_denied(s);
        return;
    }
    if (refuse_state(s, c))
        return;
    if (c->flags & SMTP_CMD_NO_ARGS && args.n) {
        smtp_reply(s, 501, "5.5.4", "Syntax: %s", c->verb);
        return;
    }
    c->run(s, args);
}

/* A browser was made to talk to us: what it sends next is content chosen by a stranger. */
static void leave_foreigner(struct smtp_session *s, str line)
{
    log_warn("non-SMTP command from " SMTP_CLIENT_FMT ": " STR_FMT, SMTP_CLIENT_ARG(s),
             STR_ARG(str_sub(line, 0, FOREIGN_SHOWN)));
    smtp_reply(s, 221, "2.7.0", "Error: I can break rules, too. Goodbye.");
    s->end = SMTP_END_REFUSED;
}

static void reply_unknown(struct smtp_session *s, str line)
{
    const struct restrict_refusal *refusal;
    s->last_verb = "UNKNOWN";
    if (!smtp_gate_refuses(s) && smtp_is_foreign(s, s->conf->smtpd_forbidden_commands, line))
        leave_foreigner(s, line);
    else if (s->restrict_.denied)
        smtp_reply_denied(s);
    else if (smtp_milter_unknown(s, line, &refusal) != RC_OK)
        restrict_reply(s, refusal);
    else
        smtp_reply(s, 500, "5.5.2", "Error: command not recognized");
}

void smtp_dispatch(struct smtp_session *s, str line)
{
    str verb, args;
    smtp_cmd_split(line, &verb, &args);
    size_t i = find_command(s, verb);
    s->last_code = 0;
    if (smtp_command_list_has(s, s->conf->smtpd_noop_commands, verb)) {
        count_junk(s);
        smtp_reply(s, 250, "2.0.0", "Ok");
        return;
    }
    if (i < smtp_command_count) {
        s->last_verb = smtp_commands[i].verb;
        run(s, &smtp_commands[i], args);
    } else {
        i = SMTP_COMMAND_MAX - 1;
        reply_unknown(s, line);
    }
    s->stats[i].total++;
    if (i < smtp_command_count && s->last_code && s->last_code < 400)
        s->stats[i].ok++;
}
