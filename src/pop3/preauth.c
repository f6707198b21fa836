/* The POP3 dialogue before log-in (preauth.h). USER and PASS are SASL PLAIN with an initial response, so auth
 * sees one kind of exchange. Response codes: AUTH, SYS/TEMP (RFC 3206 §4, §5), IN-USE (RFC 2449 §8.1.2).
 *
 * Nothing that came in before TLS counts after it (RFC 2595 §4): a client that pipelines behind STLS is
 * disconnected. */
#include "pop3/preauth.h"

#include "fmt/pop3_cmd.h"
#include "fmt/sasl.h"
#include "pop3/capability.h"

enum { BAD_MAX = 10 };

struct preauth {
    struct stream *io;
    const struct login_settings *set;
    const struct login_ops *ops;
    void *ctx;
    struct login_outcome *outcome;
    char user[SASL_NAME_MAX + 1]; /* given by USER; "" when none */
    unsigned commands, bad;
    bool over;
};

static void reply(struct preauth *p, const char *line)
{
    stream_printf(p->io, "%s\r\n", line);
}

static void bad(struct preauth *p, const char *text)
{
    stream_printf(p->io, "-ERR %s\r\n", text);
    p->bad++;
}

static void end(struct preauth *p, const char *line, const char *reason)
{
    reply(p, line);
    p->over = true;
    p->outcome->reason = reason;
}

static bool password_forbidden(struct preauth *p)
{
    if (!p->set->plaintext_forbidden || stream_is_tls(p->io))
        return false;
    p->outcome->tried_plaintext = true;
    reply(p, "-ERR [AUTH] Passwords are accepted only after STLS.");
    return true;
}

static void open_session(struct preauth *p)
{
    struct err e = {0};
    enum rc rc = p->ops->open_session(p->ctx, STR_NONE, &e);
    if (rc == RC_OK) {
        p->outcome->end = LOGIN_DONE;
        p->over = true;
    } else if (rc == RC_LIMIT) {
        stream_printf(p->io, "-ERR [IN-USE] %s\r\n", e.peer[0] ? e.peer : "Too many sessions.");
    } else if (rc == RC_PERM) {
        stream_printf(p->io, "-ERR [SYS/PERM] %s\r\n",
                      e.peer[0] ? e.peer : "This account has no mailbox here.");
    } else {
        reply(p, "-ERR [SYS/TEMP] The mailbox cannot be opened now, try again later.");
    }
}

static void lost(struct preauth *p, enum rc rc)
{
    if (rc == RC_TEMP)
        end(p, "-ERR Disconnected for inactivity.", "Disconnected: Inactivity");
    p->over = true;
}

/* The exchange is over without a reply of auth. */
static void end_exchange(struct preauth *p, enum login_exchange_end end)
{
    if (end == LOGIN_IDLE || end == LOGIN_GONE)
        lost(p, end == LOGIN_IDLE ? RC_TEMP : RC_GONE);
    else
        bad(p, end == LOGIN_CANCELLED ? "Authentication cancelled."
                                      : "The response is not base64, or too long.");
}

/* Carries on from auth's first reply to the end. */
static void exchange(struct preauth *p, struct login_sasl_reply *r)
{
    enum login_exchange_end end = login_exchange(p->set, p->ops, p->ctx, p->io, r);
    if (end != LOGIN_REPLIED)
        end_exchange(p, end);
    else if (r->result == LOGIN_SASL_OK)
        open_session(p);
    else if (r->result == LOGIN_SASL_TEMP)
        reply(p, "-ERR [SYS/TEMP] Log-ins cannot be checked now, try again later.");
    else if (r->result == LOGIN_SASL_NO_CERTIFICATE)
        reply(p, "-ERR [AUTH] " LOGIN_NEEDS_CERTIFICATE);
    else
        reply(p, "-ERR [AUTH] Authentication failed.");
}

static void cmd_user(struct preauth *p, const struct pop3_cmd *cmd)
{
    if (password_forbidden(p))
        return;
    if (str_copy(p->user, sizeof p->user, cmd->text) != RC_OK)
        bad(p, "The user name is too long.");
    else
        reply(p, "+OK Send the password.");
}

static void cmd_pass(struct preauth *p, const struct pop3_cmd *cmd)
{
    if (password_forbidden(p))
        return;
    if (!p->user[0]) {
        bad(p, "USER comes first.");
        return;
    }
    struct sasl_plain plain = {.authcid = str_c(p->user), .password = cmd->text};
    struct login_sasl_reply r = {.result = LOGIN_SASL_FAIL};
    struct buf initial = BUF_INIT(SASL_RESPONSE_MAX);
    if (cmd->text.n <= SASL_PASSWORD_MAX) {
        sasl_plain_put(&initial, &plain);
        p->ops->sasl_start(p->ctx, S("PLAIN"), true, buf_str(&initial), &r);
    }
    buf_wipe(&initial);
    p->user[0] = '\0';
    exchange(p, &r);
}

/* AUTH alone lists the mechanisms, as many clients expect (RFC 1734 came without CAPA). */
static void list_mechanisms(struct preauth *p)
{
    reply(p, "+OK");
    for (size_t i = 0; i < p->set->n_mechanisms; i++)
        if (login_mechanism_fits(p->set, p->io, p->set->mechanisms[i]))
            stream_printf(p->io, STR_FMT "\r\n", STR_ARG(p->set->mechanisms[i]));
    reply(p, ".");
}

static void cmd_auth(struct preauth *p, const struct pop3_cmd *cmd)
{
    enum sasl_mech mech;
    if (cmd->text.n == 0) {
        list_mechanisms(p);
        return;
    }
    if (sasl_mech_parse(cmd->text, &mech) == RC_OK && sasl_mech_is_plaintext(mech) && password_forbidden(p))
        return;
    str offered = login_find_mechanism(p->set, p->io, cmd->text);
    if (offered.n == 0) {
        bad(p, "This mechanism is not supported.");
        return;
    }
    struct buf initial = BUF_INIT(SASL_RESPONSE_MAX);
    if (cmd->has_initial && sasl_response_decode(cmd->initial, true, &initial) != RC_OK) {
        bad(p, "The initial response is not base64, or too long.");
    } else {
        struct login_sasl_reply r = {.result = LOGIN_SASL_TEMP};
        p->ops->sasl_start(p->ctx, offered, cmd->has_initial, buf_str(&initial), &r);
        exchange(p, &r);
    }
    buf_wipe(&initial);
}

static void cmd_stls(struct preauth *p, const struct pop3_cmd *cmd)
{
    if (stream_is_tls(p->io) || !p->set->starttls) {
        bad(p, stream_is_tls(p->io) ? "TLS is already active." : "TLS is not available.");
    } else if (stream_buffered(p->io) > 0) {
        end(p, "-ERR Nothing may follow STLS before the handshake.",
            "Disconnected: Commands pipelined behind STLS");
    } else {
        reply(p, "+OK Begin TLS negotiation now.");
        p->user[0] = '\0';
        if (stream_flush(p->io) != RC_OK || p->ops->start_tls(p->ctx) != RC_OK) {
            p->over = true;
            p->outcome->reason = "Disconnected: Connection closed";
        }
    }
}

static void cmd_capa(struct preauth *p, const struct pop3_cmd *cmd)
{
    pop3_capability_write(p->io, p->set);
}

static void cmd_quit(struct preauth *p, const struct pop3_cmd *cmd)
{
    end(p, "+OK Logging out.", "Disconnected: Aborted login by logging out");
}

static void cmd_xclient(struct preauth *p, const struct pop3_cmd *cmd)
{
    static const struct {
        str name;
        enum login_about about;
    } words[] = {
        {S("ADDR"), LOGIN_REMOTE_IP}, {S("DESTADDR"), LOGIN_LOCAL_IP}, {S("SESSION"), LOGIN_SESSION_ID}};
    if (!p->set->trusted) {
        bad(p, "You are not from trusted IP");
        return;
    }
    for (str rest = cmd->text; rest.n > 0;) {
        str value = str_word(&rest), name = str_take(&value, '=');
        for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
            if (str_ieq(name, words[i].name) && value.p &&
                p->ops->take_word(p->ctx, words[i].about, value) != RC_OK) {
                bad(p, "Invalid parameters");
                return;
            }
        }
    }
    reply(p, "+OK Updated");
}

/* What is legal before log-in (RFC 1939 §4); the rest is answered by the dispatcher. */
static void (*const commands[POP3_VERB_COUNT])(struct preauth *p, const struct pop3_cmd *cmd) = {
    [POP3_AUTH] = cmd_auth, [POP3_CAPA] = cmd_capa, [POP3_PASS] = cmd_pass,       [POP3_QUIT] = cmd_quit,
    [POP3_STLS] = cmd_stls, [POP3_USER] = cmd_user, [POP3_XCLIENT] = cmd_xclient,
};

static void run_line(struct preauth *p, str line)
{
    struct pop3_cmd cmd;
    if (++p->commands > p->set->command_max) {
        end(p, "-ERR Too many commands before logging in.", "Disconnected: Too many commands");
        return;
    }
    switch (pop3_cmd_parse(line, &cmd)) {
    case RC_OK:
        if (commands[cmd.verb])
            commands[cmd.verb](p, &cmd);
        else
            bad(p, "Log in first.");
        return;
    case RC_INVALID:
        bad(p, "Wrong arguments.");
        return;
    default:
        bad(p, "Unknown command.");
    }
}

static void read_one(struct preauth *p)
{
    str line;
    enum line_end line_end;
    enum rc rc = stream_flush(p->io);
    if (rc == RC_OK)
        rc = stream_read_line(p->io, POP3_LINE_MAX, &line, &line_end);
    if (rc == RC_OK)
        run_line(p, line);
    else if (rc == RC_LIMIT)
        bad(p, "The line is too long.");
    else
        lost(p, rc);
    if (p->bad > BAD_MAX && !p->over)
        end(p, "-ERR Too many invalid commands.", "Disconnected: Too many invalid commands");
}

void pop3_preauth(struct stream *io, const struct login_settings *set, const struct login_ops *ops, void *ctx,
                  struct login_outcome *ret)
{
    *ret = (struct login_outcome){.end = LOGIN_ABANDONED, .reason = "Disconnected: Connection closed"};
    struct preauth p = {.io = io, .set = set, .ops = ops, .ctx = ctx, .outcome = ret};
    stream_set_deadline(io, set->deadline);
    stream_printf(io, "+OK %s%s\r\n", set->trusted ? "[XCLIENT] " : "", set->greeting);
    while (!p.over)
        read_one(&p);
    if (ret->end != LOGIN_DONE && stream_flush(io) != RC_OK)
        ret->reason = "Disconnected: Connection closed";
}
