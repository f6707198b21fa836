/* The IMAP dialogue before log-in: gathering, the command table, and the plain commands (preauth.h); log-in
 * itself is in preauth_login.c.
 *
 * Nothing that came in before TLS counts after it (RFC 9051 §6.2.1, §11.1): a client that pipelines behind
 * STARTTLS is disconnected, because whoever sits between could have put those commands there. */
#include "imap/preauth.h"

#include "imap/capability.h"
#include "imap/language.h"
#include "imap/preauth_impl.h"

#include "fmt/capability_list.h"

enum {
    LINE_MAX_BYTES = 8192,
    LITERALS_MAX_BYTES = 65536, /* of all commands together */
    LITERALS_MAX = 8,
    BAD_MAX = 10,
    ARENA_MAX = 256 * 1024,
    ID_PAIRS_MAX = 30 /* RFC 2971 §3.3 */
};

void preauth_reply(struct preauth *p, const char *word, const char *code, const char *text)
{
    stream_printf(p->io, STR_FMT " %s %s%s%s%s\r\n", STR_ARG(p->tag), word, code[0] ? "[" : "", code,
                  code[0] ? "] " : "", text);
}

void preauth_bad(struct preauth *p, const char *text)
{
    preauth_reply(p, "BAD", "", text);
    p->bad++;
}

void preauth_bye(struct preauth *p, const char *code, const char *text, const char *reason)
{
    stream_printf(p->io, "* BYE %s%s\r\n", code, text);
    p->over = true;
    p->outcome->reason = reason;
}

static void put_capabilities(struct preauth *p)
{
    bool is_tls = stream_is_tls(p->io);
    AUTO(buf_deinit) struct buf b = BUF_INIT(1024), told = BUF_INIT(CAPABILITIES_MAX);
    imap_capability_put(&b, IMAP_CAP_PREAUTH | (p->set->starttls && !is_tls ? IMAP_CAP_STARTTLS : 0) |
                                (p->set->plaintext_forbidden && !is_tls ? IMAP_CAP_LOGINDISABLED : 0));
    for (size_t i = 0; i < p->set->n_mechanisms; i++)
        if (login_mechanism_fits(p->set, p->io, p->set->mechanisms[i]))
            buf_printf(&b, " AUTH=" STR_FMT, STR_ARG(p->set->mechanisms[i]));
    capability_list_put(&told, buf_str(&b), p->set->capabilities);
    stream_write(p->io, buf_str(&told));
}

static void cmd_capability(struct preauth *p, struct imap_lex *lex)
{
    if (imap_eol(lex) != RC_OK) {
        preauth_bad(p, "CAPABILITY has no arguments.");
        return;
    }
    stream_write(p->io, S("* CAPABILITY "));
    put_capabilities(p);
    stream_write(p->io, S("\r\n"));
    preauth_reply(p, "OK", "", "CAPABILITY completed.");
}

static void cmd_noop(struct preauth *p, struct imap_lex *lex)
{
    if (imap_eol(lex) != RC_OK)
        preauth_bad(p, "NOOP has no arguments.");
    else
        preauth_reply(p, "OK", "", "NOOP completed.");
}

static void cmd_logout(struct preauth *p, struct imap_lex *lex)
{
    if (imap_eol(lex) != RC_OK) {
        preauth_bad(p, "LOGOUT has no arguments.");
        return;
    }
    preauth_bye(p, "", "Logging out", "Disconnected: Aborted login by logging out");
    preauth_reply(p, "OK", "", "LOGOUT completed.");
}

/* Dovecot's fields of those who connect for others; what is no address is passed over. */
static void take_forwarded(struct preauth *p, str name, str value)
{
    static const struct {
        str name;
        enum login_about about;
    } fields[] = {{S("x-originating-ip"), LOGIN_REMOTE_IP},
                  {S("x-connected-ip"), LOGIN_LOCAL_IP},
                  {S("x-session-id"), LOGIN_SESSION_ID}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (str_ieq(name, fields[i].name))
            (void)!p->ops->take_word(p->ctx, fields[i].about, value);
}

/* RFC 2971 §3.1: id = "ID" SP id-params-list; id-params-list = "(" [string SP nstring *(SP string SP
 * nstring)] ")" / nil */
static enum rc parse_id(struct preauth *p, struct imap_lex *lex)
{
    str name, value;
    if (imap_sp(lex) != RC_OK)
        return RC_INVALID;
    if (imap_take_word(lex, S("NIL")))
        return imap_eol(lex);
    if (imap_list_begin(lex) != RC_OK)
        return RC_INVALID;
    for (unsigned n = 0; imap_peek(lex) != ')'; n++) {
        if (n == ID_PAIRS_MAX || (n && imap_sp(lex) != RC_OK) || imap_string(lex, &name) != RC_OK ||
            imap_sp(lex) != RC_OK || imap_nstring(lex, &value) != RC_OK)
            return RC_INVALID;
        if (p->set->trusted && value.p)
            take_forwarded(p, name, value);
    }
    return imap_list_end(lex) == RC_OK ? imap_eol(lex) : RC_INVALID;
}

static void cmd_id(struct preauth *p, struct imap_lex *lex)
{
    if (parse_id(p, lex) != RC_OK) {
        preauth_bad(p, "ID needs NIL or a list of pairs.");
        return;
    }
    stream_write(p->io, S("* ID (\"name\" \"malle\")\r\n"));
    preauth_reply(p, "OK", "", "ID completed.");
}

static void cmd_language(struct preauth *p, struct imap_lex *lex)
{
    AUTO(buf_deinit) struct buf line = BUF_INIT(64);
    enum rc rc = imap_language(lex, &line);
    if (rc == RC_OK) {
        stream_write(p->io, buf_str(&line));
        preauth_reply(p, "OK", "", "LANGUAGE completed.");
    } else if (rc == RC_PERM) {
        preauth_reply(p, "NO", "CANNOT", IMAP_LANGUAGE_REFUSAL);
    } else {
        preauth_bad(p, "LANGUAGE needs languages.");
    }
}

static void cmd_starttls(struct preauth *p, struct imap_lex *lex)
{
    if (imap_eol(lex) != RC_OK) {
        preauth_bad(p, "STARTTLS has no arguments.");
        return;
    }
    if (stream_is_tls(p->io) || !p->set->starttls) {
        preauth_bad(p, stream_is_tls(p->io) ? "TLS is already active." : "TLS is not available.");
        return;
    }
    if (stream_buffered(p->io) > 0) {
        preauth_bad(p, "Nothing may follow STARTTLS before the handshake.");
        preauth_bye(p, "", "Commands were sent too early",
                    "Disconnected: Commands pipelined behind STARTTLS");
        return;
    }
    preauth_reply(p, "OK", "", "Begin TLS negotiation now.");
    if (stream_flush(p->io) != RC_OK || p->ops->start_tls(p->ctx) != RC_OK) {
        p->over = true;
        p->outcome->reason = "Disconnected: Connection closed";
    }
}

static const struct {
    str verb;
    void (*run)(struct preauth *p, struct imap_lex *lex);
} commands[] = {
    {S("CAPABILITY"), cmd_capability},             /* RFC 9051 §6.1.1 */
    {S("NOOP"), cmd_noop},                         /* §6.1.2 */
    {S("LOGOUT"), cmd_logout},                     /* §6.1.3 */
    {S("STARTTLS"), cmd_starttls},                 /* §6.2.1 */
    {S("AUTHENTICATE"), preauth_cmd_authenticate}, /* §6.2.2 */
    {S("LOGIN"), preauth_cmd_login},               /* §6.2.3 */
    {S("ID"), cmd_id},                             /* RFC 2971 §3.1 */
    {S("LANGUAGE"), cmd_language},                 /* RFC 5255 §3.2 */
};

/* Takes tag and verb off the command gathered so far; every look counts as a command. False: it was answered.
 */
static bool take_head(struct preauth *p, struct imap_lex *lex, str *ret_verb)
{
    if (++p->commands > p->set->command_max) {
        preauth_bye(p, "", "Too many commands before logging in.", "Disconnected: Too many commands");
        return false;
    }
    arena_reset(p->arena);
    imap_lex_init(lex, buf_str(&p->reader.text), p->arena);
    p->tag = S("*");
    str tag;
    if (imap_tag(lex, &tag) != RC_OK) {
        preauth_bad(p, "A command begins with a tag.");
        return false;
    }
    p->tag = tag;
    if (imap_sp(lex) == RC_OK && imap_atom(lex, ret_verb) == RC_OK)
        return true;
    preauth_bad(p, "A command's name is missing.");
    return false;
}

static void run_command(struct preauth *p)
{
    struct imap_lex lex;
    str verb;
    if (!take_head(p, &lex, &verb))
        return;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (str_ieq(commands[i].verb, verb)) {
            commands[i].run(p, &lex);
            return;
        }
    }
    preauth_bad(p, "Unknown command, or one that needs a log-in first.");
}

/* A literal was announced: gather it, or refuse before a secret or a flood is sent. A refused one that comes
 * without being asked for would have to be read to its end: the connection ends instead (RFC 7888 §4). */
static void take_literal(struct preauth *p)
{
    struct imap_lex lex;
    str verb;
    const struct imap_literal *l = &p->reader.literal;
    bool nonsync = l->nonsync;
    bool fits = l->size <= LITERALS_MAX_BYTES && p->literal_bytes + l->size <= LITERALS_MAX_BYTES;
    if (!take_head(p, &lex, &verb)) {
        imap_reader_refuse(&p->reader);
    } else if (str_ieq(verb, S("LOGIN")) && preauth_password_forbidden(p)) {
        imap_reader_refuse(&p->reader);
    } else if (fits && imap_reader_gather(&p->reader) == RC_OK) {
        p->literal_bytes += l->size;
        if (!nonsync)
            stream_write(p->io, S("+ OK\r\n"));
        return;
    } else {
        fits = false;
        preauth_reply(p, "BAD", "LIMIT", "The literal is too large before logging in.");
        p->bad++;
        imap_reader_refuse(&p->reader);
    }
    if (nonsync && !fits)
        preauth_bye(p, "[LIMIT] ", "The literal is too large.", "Disconnected: Too large literal");
}

static void read_failed(struct preauth *p, enum rc rc)
{
    if (rc == RC_TEMP)
        preauth_bye(p, "", "Disconnected for inactivity.", "Disconnected: Inactivity");
    p->over = true;
}

/* Feeds the reader with what there is and handles what comes out. */
static void read_some(struct preauth *p)
{
    str in;
    enum rc rc = stream_flush(p->io);
    if (rc == RC_OK)
        rc = stream_read(p->io, &in);
    if (rc != RC_OK) {
        read_failed(p, rc);
        return;
    }
    size_t before = in.n;
    enum imap_event event = imap_reader_feed(&p->reader, &in);
    stream_consume(p->io, before - in.n);
    if (event == IMAP_READ_COMMAND)
        run_command(p);
    else if (event == IMAP_READ_LITERAL)
        take_literal(p);
    else if (event == IMAP_READ_TOO_LONG) {
        p->tag = S("*");
        preauth_bad(p, "The command is too long.");
    }
    if (p->bad > BAD_MAX && !p->over)
        preauth_bye(p, "", "Too many invalid commands.", "Disconnected: Too many invalid commands");
}

static void greet(struct preauth *p)
{
    stream_write(p->io, S("* OK [CAPABILITY "));
    put_capabilities(p);
    stream_write(p->io, S("] "));
    stream_write(p->io, str_c(p->set->greeting));
    stream_write(p->io, S("\r\n"));
}

void imap_preauth(struct stream *io, const struct login_settings *set, const struct login_ops *ops, void *ctx,
                  struct login_outcome *ret)
{
    static const struct imap_reader_limits limits = {.line_max = LINE_MAX_BYTES,
                                                     .literal_max = LITERALS_MAX_BYTES,
                                                     .command_max = LITERALS_MAX_BYTES + 2 * LINE_MAX_BYTES,
                                                     .literals_max = LITERALS_MAX};
    *ret = (struct login_outcome){.end = LOGIN_ABANDONED, .reason = "Disconnected: Connection closed"};
    struct preauth p = {.io = io, .set = set, .ops = ops, .ctx = ctx, .outcome = ret};
    AUTO(arena_freep) struct arena *arena = p.arena = arena_new(ARENA_MAX);
    imap_reader_init(&p.reader, &limits);
    stream_set_deadline(io, set->deadline);
    if (set->greeting)
        greet(&p);
    while (!p.over)
        read_some(&p);
    if (ret->end != LOGIN_DONE && stream_flush(io) != RC_OK)
        ret->reason = "Disconnected: Connection closed";
    buf_wipe(&p.reader.text); /* may hold a password */
    imap_reader_deinit(&p.reader);
}
