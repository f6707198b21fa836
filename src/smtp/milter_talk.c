/* The conversation with one milter. Log lines are Postfix's. */
#include "base/log.h"
#include "os/stream.h"
#include "smtp/milter_impl.h"

enum {
    INPUT_MAX = 64 << 10,
    ANSWERS_MAX = 100000, /* to one event */
    GOODBYE_MS = 1000
};

#define PLACE(m) STR_ARG((m)->conf.place)

/* --- verdicts --- */

static struct milter_verdict refusal(int code, const char *enhanced, str text)
{
    struct milter_verdict v = {.kind = MILTER_REFUSE, .reply = {.code = code, .text = text}};
    must(str_copy(v.reply.enhanced, sizeof v.reply.enhanced, str_c(enhanced)) == RC_OK);
    return v;
}

static struct milter_verdict default_verdict(const struct milter *m, bool misconfigured)
{
    switch (m->conf.action) {
    case CONF_MILTER_ACCEPT:
        return (struct milter_verdict){.kind = MILTER_GO};
    case CONF_MILTER_QUARANTINE:
        return (struct milter_verdict){.kind = MILTER_HOLD};
    case CONF_MILTER_SHUTDOWN:
        return (struct milter_verdict){.kind = MILTER_END};
    case CONF_MILTER_REJECT:
        if (!misconfigured)
            return refusal(550, "5.5.0", S("Service unavailable"));
        break;
    case CONF_MILTER_TEMPFAIL:
        if (!misconfigured)
            return refusal(451, "4.7.1", S("Service unavailable - try again later"));
        break;
    }
    return refusal(451, "4.3.5", S("Server configuration problem - try again later"));
}

/* From now on it has one answer to everything. */
static struct milter_verdict end_with(struct milter *m, struct milter_verdict v)
{
    m->io = stream_free(m->io);
    m->lasting = v;
    return v;
}

struct milter_verdict milter_fail(struct milter *m, bool misconfigured)
{
    return end_with(m, default_verdict(m, misconfigured));
}

/* --- packets --- */

static void write_packet(struct milter *m, enum milter_command c, const struct milter_part *parts, size_t n)
{
    char head[MILTER_HEAD];
    must(milter_head(c, parts, n, head) == RC_OK); /* messages are smaller than that */
    stream_write(m->io, str_mem(head, sizeof head));
    for (size_t i = 0; i < n; i++) {
        stream_write(m->io, milter_part_bytes(&parts[i]));
        if (parts[i].text)
            stream_write(m->io, str_mem("", 1));
    }
}

static const char *reason(enum rc rc)
{
    return rc == RC_TEMP ? "Connection timed out" : "Connection closed";
}

static enum rc read_bytes(struct milter *m, struct buf *in, size_t n)
{
    buf_reset(in);
    while (in->n < n) {
        str bytes;
        enum rc rc = stream_read(m->io, &bytes);
        if (rc != RC_OK)
            return rc;
        bytes = str_sub(bytes, 0, n - in->n);
        buf_puts(in, bytes);
        stream_consume(m->io, bytes.n);
    }
    return RC_OK;
}

/* The next packet behind its length, in ms->in. False: logged. */
static bool read_packet(struct smtp_milters *ms, struct milter *m, enum milter_command c, str *ret)
{
    size_t n;
    enum rc rc = read_bytes(m, &ms->in, 4);
    if (rc != RC_OK) {
        log_warn("milter " STR_FMT ": can't read %s reply packet header: %s", PLACE(m),
                 milter_command_name(c), reason(rc));
        return false;
    }
    rc = milter_length(ms->in.p, &n);
    if (rc != RC_OK) {
        log_warn("milter " STR_FMT ": %s packet length", PLACE(m), rc == RC_LIMIT ? "unreasonable" : "bad");
        return false;
    }
    if ((rc = read_bytes(m, &ms->in, n)) != RC_OK) {
        log_warn("milter " STR_FMT ": EOF while reading data: %s", PLACE(m), reason(rc));
        return false;
    }
    *ret = buf_str(&ms->in);
    return true;
}

/* --- the beginning --- */

static bool keep_options(struct smtp_milters *ms, struct milter *m, const struct milter_options *o)
{
    uint32_t version = o->version < m->conf.version ? o->version : m->conf.version;
    if (o->version > m->conf.version) {
        log_warn("milter " STR_FMT ": protocol version %u conflict with MTA protocol version %u", PLACE(m),
                 o->version, m->conf.version);
        return false;
    }
    if (o->actions & ~(uint32_t)MILTER_ACTIONS) {
        log_warn("milter " STR_FMT ": request mask 0x%x conflict with MTA request mask 0x%x", PLACE(m),
                 o->actions, (unsigned)MILTER_ACTIONS);
        return false;
    }
    m->options = *o;
    for (int i = 0; i < MILTER_STAGES; i++)
        m->options.macros[i] = arena_str(ms->arena, o->macros[i]);
    m->lacking = milter_events(6) & ~milter_events(version);
    if (m->conf.mute_headers)
        m->options.protocol |= MILTER_MUTE_HEADERS;
    return true;
}

static bool negotiate(struct smtp_milters *ms, struct milter *m)
{
    char offer[12] = {0};
    struct milter_options options;
    const struct milter_part part = {.bytes = str_mem(offer, sizeof offer)};
    str packet;
    milter_put_u32(offer, m->conf.version);
    milter_put_u32(offer + 4, MILTER_ACTIONS);
    milter_put_u32(offer + 8, milter_events(m->conf.version) |
                                  (m->conf.mute_headers ? (uint32_t)MILTER_MUTE_HEADERS : 0));
    stream_set_deadline(m->io, clock_mono() + m->conf.command_timeout_ms);
    write_packet(m, MILTER_NEGOTIATE, &part, 1);
    if (stream_flush(m->io) != RC_OK) {
        log_warn("milter " STR_FMT ": write error in initial handshake", PLACE(m));
        return false;
    }
    if (!read_packet(ms, m, MILTER_NEGOTIATE, &packet) || milter_parse_options(packet, &options) != RC_OK) {
        log_warn("milter " STR_FMT ": read error in initial handshake", PLACE(m));
        return false;
    }
    return keep_options(ms, m, &options);
}

void milter_open(struct smtp_session *s, struct milter *m)
{
    struct err e = {0};
    msec deadline = clock_mono() + m->conf.connect_timeout_ms;
    if (s->env->milter_connect(s->p->env_ctx, m->conf.place, deadline, INPUT_MAX, &m->io, &e) != RC_OK) {
        log_warn("connect to Milter service " STR_FMT ": %s", PLACE(m), err_text(&e));
        m->io = NULL;
        (void)milter_fail(m, false);
    } else if (!negotiate(s->milters, m)) {
        (void)milter_fail(m, false);
    }
}

/* --- answers --- */

static bool is_of_session(enum milter_command c)
{
    return c == MILTER_CONNECT || c == MILTER_HELO;
}

static bool is_of_content(enum milter_command c)
{
    return c == MILTER_HEADER || c == MILTER_END_OF_HEADER || c == MILTER_BODY || c == MILTER_END_OF_BODY;
}

static void set_deadline(struct milter *m, enum milter_command c)
{
    stream_set_deadline(
        m->io, clock_mono() + (is_of_content(c) ? m->conf.content_timeout_ms : m->conf.command_timeout_ms));
}

/* A refusal of the session is final: libmilter hangs up, and so do we. */
static struct milter_verdict refuse(struct milter *m, enum milter_command c, struct milter_verdict v)
{
    return is_of_session(c) ? end_with(m, v) : v;
}

static struct milter_verdict take_reply(struct milter *m, enum milter_command c, str text)
{
    struct milter_verdict v = {.kind = MILTER_REFUSE};
    if (milter_parse_reply(text, &m->reply, &v.reply) == RC_OK)
        return refuse(m, c, v);
    log_warn("milter " STR_FMT ": malformed reply: " STR_FMT, PLACE(m), STR_ARG(str_sub(text, 0, 200)));
    return milter_fail(m, true);
}

static struct milter_verdict accept(struct milter *m, enum milter_command c, struct milter_verdict v)
{
    m->accepted = m->in_message; /* a command that is none may come between messages */
    return is_of_session(c) ? end_with(m, v) : v;
}

static struct milter_verdict discard(struct milter *m, enum milter_command c)
{
    if (!m->in_message) {
        log_warn("milter " STR_FMT ": DISCARD action is not allowed for connect or helo", PLACE(m));
        return (struct milter_verdict){.kind = MILTER_GO};
    }
    m->accepted = true;
    return (struct milter_verdict){.kind = MILTER_DROP};
}

/* The decision that an answer is; `held` when it is to go on. */
static struct milter_verdict decide(struct milter *m, enum milter_command c, const struct milter_message *a,
                                    struct milter_verdict held)
{
    switch (a->answer) {
    case MILTER_CONTINUE:
        return held;
    case MILTER_SKIP:
        m->skipped = (char)c;
        return held;
    case MILTER_ACCEPT:
        return accept(m, c, held);
    case MILTER_DISCARD:
        return discard(m, c);
    case MILTER_REJECT:
        return refuse(m, c, refusal(550, "5.7.1", S("Command rejected")));
    case MILTER_TEMPFAIL:
        return refuse(m, c, refusal(451, "4.7.1", S("Service unavailable - try again later")));
    case MILTER_SHUTDOWN:
        return end_with(m, (struct milter_verdict){.kind = MILTER_END});
    case MILTER_REPLY_CODE:
        return take_reply(m, c, a->value);
    default:
        log_warn("milter " STR_FMT ": unexpected filter response %s after event %s", PLACE(m),
                 milter_answer_name(a->answer), milter_command_name(c));
        return milter_fail(m, false);
    }
}

static struct milter_verdict hear(struct smtp_session *s, struct milter *m, enum milter_command c,
                                  milter_edit_fn *edit, void *ctx)
{
    struct milter_verdict held = {.kind = MILTER_GO};
    struct milter_message a;
    str packet;
    for (int i = 0; i < ANSWERS_MAX; i++) {
        set_deadline(m, c);
        if (!read_packet(s->milters, m, c, &packet))
            return milter_fail(m, false);
        if (milter_parse_message(packet, &a) != RC_OK) {
            log_warn("milter " STR_FMT ": reply %s is malformed", PLACE(m), milter_answer_name(packet.p[0]));
            return milter_fail(m, false);
        }
        if (a.answer == MILTER_QUARANTINE)
            held.kind = MILTER_HOLD;
        else if (a.answer != MILTER_PROGRESS && (!edit || !edit(ctx, m, &a)))
            return decide(m, c, &a, held);
    }
    log_warn("milter " STR_FMT ": too many replies to %s", PLACE(m), milter_command_name(c));
    return milter_fail(m, false);
}

/* --- events --- */

static void send_macros(struct smtp_session *s, struct milter *m, const struct milter_event *e)
{
    struct milter_part parts[1 + 2 * MILTER_MACROS_MAX];
    const char command = (char)e->command;
    size_t n = milter_macros(s, m, e->stage, parts);
    parts[0] = (struct milter_part){.bytes = str_mem(&command, 1)};
    write_packet(m, MILTER_MACROS, parts, 1 + n);
}

struct milter_verdict milter_tell(struct smtp_session *s, struct milter *m, const struct milter_event *e,
                                  milter_edit_fn *edit, void *ctx)
{
    const struct milter_verdict go = {.kind = MILTER_GO};
    if (milter_unwanted(e->command) & m->lacking || m->skipped == (char)e->command)
        return go;
    m->skipped = 0;
    set_deadline(m, e->command);
    if (e->stage >= 0)
        send_macros(s, m, e);
    if (milter_unwanted(e->command) & m->options.protocol)
        return go;
    write_packet(m, e->command, e->parts, e->n);
    if (milter_mute(e->command) & m->options.protocol)
        return go;
    if (stream_flush(m->io) != RC_OK) {
        log_warn("milter " STR_FMT ": error writing command", PLACE(m));
        return milter_fail(m, false);
    }
    return hear(s, m, e->command, edit, ctx);
}

void milter_say(struct milter *m, enum milter_command c)
{
    if (!m->io)
        return;
    stream_set_deadline(m->io, clock_mono() + GOODBYE_MS);
    write_packet(m, c, NULL, 0);
    if (stream_flush(m->io) != RC_OK)
        (void)milter_fail(m, false);
}
