/* session: the loop of one IMAP session: read an event, act on it, flush when the client has nothing more
 * under way. Also what every command shares: the deadline of reads, the line being sent, the selected
 * mailbox. */
#include "imap/session.h"

#include "imap/capability.h"
#include "imap/command.h"
#include "imap/context.h"
#include "imap/fetch_body.h"
#include "imap/message_limit.h"
#include "imap/notify.h"
#include "imap/park.h"
#include "imap/progress.h"
#include "imap/shared.h"

#include "base/log.h"
#include "fmt/capability_list.h"
#include "fmt/log_fields.h"

enum { OUT_MAX = 1 << 20, ARENA_MAX = 4 << 20, COMMAND_EXTRA = 1 << 20 };

static size_t or_default(size_t value, size_t standard)
{
    return value ? value : standard;
}

static struct imap_limits limits_filled(const struct imap_limits *given)
{
    return (struct imap_limits){
        .line_max = or_default(given->line_max, 64 << 10),
        .literal_max = or_default(given->literal_max, 64 << 10),
        .literals_max = given->literals_max ? given->literals_max : 64,
        .set_ranges_max = or_default(given->set_ranges_max, 10000),
        .bad_max = given->bad_max ? given->bad_max : 20,
        .idle_ms = given->idle_ms ? given->idle_ms : (msec)30 * 60 * 1000,
        .keepalive_ms = given->keepalive_ms ? given->keepalive_ms : (msec)2 * 60 * 1000,
        .messages_max = given->messages_max,
        .saved_max = given->saved_max,
        .progress_ms = given->progress_ms ? given->progress_ms : 10000,
    };
}

/* What the store does is finished also for a client that is gone. */
static void tell_progress(void *ctx, uint32_t done, uint32_t goal)
{
    (void)!imap_progress(ctx, done, goal);
}

static void session_init(struct imap_session *s, const struct imap_start *start)
{
    *s = (struct imap_session){.start = start, .limits = limits_filled(&start->limits)};
    s->io = start->stream;
    s->store = start->store;
    s->arena = arena_new(ARENA_MAX);
    store_on_progress(s->store, tell_progress, s);
    buf_init(&s->out, OUT_MAX);
    uidset_init(&s->saved);
    const struct imap_reader_limits reader = {.line_max = s->limits.line_max,
                                              .literal_max = s->limits.literal_max,
                                              .command_max = s->limits.line_max + COMMAND_EXTRA,
                                              .literals_max = s->limits.literals_max};
    imap_reader_init(&s->reader, &reader);
}

static void session_deinit(struct imap_session *s)
{
    imap_box_close(s);
    shared_close(s);
    s->notify = notify_free(s->notify);
    store_on_progress(s->store, NULL, NULL);
    imap_reader_deinit(&s->reader);
    uidset_deinit(&s->saved);
    buf_deinit(&s->out);
    s->arena = arena_free(s->arena);
}

void imap_put_capabilities(struct imap_session *s)
{
    AUTO(buf_deinit) struct buf all = BUF_INIT(2048), told = BUF_INIT(CAPABILITIES_MAX);
    imap_capability_put(&all, IMAP_CAP_POSTAUTH | (s->start->ops.give_back ? IMAP_CAP_UNAUTH : 0) |
                                  (s->start->shared_prefix.n > 0 ? IMAP_CAP_SHARED : 0));
    buf_puts(&all, S(" APPENDLIMIT="));
    buf_put_u64(&all, s->start->append_max);
    message_limit_put_capability(s, &all);
    capability_list_put(&told, buf_str(&all), s->start->capabilities);
    buf_puts(&s->out, buf_str(&told));
}

/* The tagged OK of the log-in, with the capabilities that hold from now on (RFC 9051 §6.2.2). */
static void greet(struct imap_session *s)
{
    buf_puts(&s->out, s->start->tag);
    buf_puts(&s->out, S(" OK [CAPABILITY "));
    imap_put_capabilities(s);
    buf_puts(&s->out, S("] Logged in\r\n"));
    imap_send(s);
}

static void lose(struct imap_session *s)
{
    s->closing = s->lost = true;
}

/* Between commands it is the session that rests, and tells what NOTIFY asked for. */
static enum rc more_input(struct imap_session *s, str *ret)
{
    msec end = clock_mono() + s->limits.idle_ms;
    bool woken;
    enum rc rc;
    do {
        woken = false;
        stream_set_deadline(s->io, end);
        if (stream_buffered(s->io) == 0 && stream_flush(s->io))
            return RC_GONE;
        rc = s->command ? RC_OK : imap_await(s, end, &woken);
        if (rc == RC_OK && woken)
            notify_woken(s);
        if (s->closing)
            return RC_GONE;
    } while (rc == RC_OK && woken);
    return rc ? rc : stream_read(s->io, ret);
}

enum rc imap_read_event(struct imap_session *s, enum imap_event *ret)
{
    for (str in = STR_NONE;;) {
        str rest = in;
        enum imap_event ev = imap_reader_feed(&s->reader, &rest);
        if (in.n > 0)
            stream_consume(s->io, in.n - rest.n); /* a chunk stays readable until the next read */
        if (ev != IMAP_READ_MORE) {
            *ret = ev;
            return RC_OK;
        }
        enum rc rc = more_input(s, &in);
        if (rc == RC_TEMP)
            imap_reply_bye(s, "Disconnected for inactivity.");
        if (rc) {
            lose(s);
            return RC_GONE;
        }
        s->unasked = false;
    }
}

void imap_lex_begin(const struct imap_session *s, str text, struct imap_lex *ret)
{
    imap_lex_init(ret, text, s->arena);
    ret->utf8_names = s->enabled & IMAP_KNOWS_UTF8;
    ret->utf8_only = s->enabled & IMAP_UTF8;
}

struct stream_traffic imap_traffic(const struct imap_session *s)
{
    const struct stream_traffic t = stream_traffic(s->io);
    return (struct stream_traffic){.in = s->earlier.in + t.in, .out = s->earlier.out + t.out};
}

static enum rc put_counts(const struct imap_session *s, struct buf *out, struct err *e)
{
    const struct stream_traffic t = imap_traffic(s);
    const struct log_value values[LOG_IMAP_FIELDS] = {[LOG_IMAP_INPUT].number = t.in,
                                                      [LOG_IMAP_OUTPUT].number = t.out,
                                                      [LOG_IMAP_HDR_COUNT].number = s->sent.headers,
                                                      [LOG_IMAP_HDR_BYTES].number = s->sent.header_bytes,
                                                      [LOG_IMAP_BODY_COUNT].number = s->sent.bodies,
                                                      [LOG_IMAP_BODY_BYTES].number = s->sent.body_bytes,
                                                      [LOG_IMAP_DELETED].number = s->done.deleted,
                                                      [LOG_IMAP_EXPUNGED].number = s->done.expunged,
                                                      [LOG_IMAP_TRASHED].number = s->done.trashed,
                                                      [LOG_IMAP_APPENDED].number = s->done.appended};
    struct log_fields f = {.kind = LOG_FIELDS_IMAP, .values = values};
    log_fields_name(&f, s->start->account);
    f.users[LOG_SESSION] = s->start->session_id;
    f.users[LOG_RIP] = s->start->client;
    return log_fields_put(&f, s->start->logout_format, out, e);
}

/* "Disconnected: Logged out in=54 out=1334 deleted=0 ...", as Dovecot has it */
void imap_put_end(const struct imap_session *s, const char *how, struct buf *out)
{
    AUTO(buf_deinit) struct buf counts = BUF_INIT(IMAP_END_MAX / 2);
    struct err e = {0};
    if (put_counts(s, &counts, &e) != RC_OK)
        log_error("imap_logout_format: %s", err_text(&e));
    buf_printf(out, "Disconnected: %s%s%s", how, counts.n ? " " : "", buf_cstr(&counts));
}

static void log_end(const struct imap_session *s)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(IMAP_END_MAX);
    imap_put_end(s, s->closing && !s->lost ? "Logged out" : "Connection closed", &text);
    log_info("%s", buf_cstr(&text));
}

static void command_end(struct imap_session *s)
{
    s->tag = STR_NONE;
    s->command = NULL;
    arena_reset(s->arena);
}

static void serve(struct imap_session *s)
{
    enum imap_event ev;
    while (!s->closing && imap_read_event(s, &ev) == RC_OK) {
        /* chunks are read by the command whose literal streams, and by nobody else */
        must(ev == IMAP_READ_COMMAND || ev == IMAP_READ_LITERAL || ev == IMAP_READ_TOO_LONG);
        if (ev == IMAP_READ_COMMAND)
            imap_command_run(s);
        else if (ev == IMAP_READ_LITERAL)
            imap_command_literal(s);
        else
            imap_command_too_long(s);
        command_end(s);
    }
    if (imap_has_parked(s))
        return;
    stream_set_deadline(s->io, clock_mono() + 10000);
    if (stream_flush(s->io))
        log_debug("the last responses could not be sent");
    log_end(s);
}

int imap_session(const struct imap_start *start)
{
    struct imap_session s;
    session_init(&s, start);
    if (start->resume.n > 0) {
        imap_resume(&s);
    } else {
        greet(&s);
        if (start->shared_prefix.n > 0) /* another program may have changed rights */
            shared_tell_with(&s);
    }
    command_end(&s);
    serve(&s);
    session_deinit(&s);
    if (s.unauthenticated && !s.lost)
        start->ops.give_back(start->ops.ctx);
    return s.status;
}

void imap_send(struct imap_session *s)
{
    if (s->out.overflow && !s->closing) {
        log_error("a response is longer than %d bytes", OUT_MAX);
        s->status = 1;
        s->closing = true;
        stream_write(s->io, S("* BYE [SERVERBUG] A response is too long.\r\n"));
    } else if (!s->lost) {
        stream_write(s->io, buf_str(&s->out));
    }
    buf_reset(&s->out);
}

void imap_box_close(struct imap_session *s)
{
    imap_box_close_expunged(s, 0);
}

void imap_box_close_expunged(struct imap_session *s, uint32_t expunged)
{
    if (!s->box)
        return;
    if (s->start->ops.unwatch && !imap_has_parked(s)) /* the watch is kept for whoever goes on */
        s->start->ops.unwatch(s->start->ops.ctx);
    notify_before_close(s, expunged);
    context_close_all(s);
    s->reading = fetch_message_free(s->reading);
    s->box = box_close(s->box);
    str_freep(&s->box_name);
    uidset_clear(&s->saved);
    s->keywords_told = 0;
}

void imap_changed(struct imap_session *s, str mailbox)
{
    if (s->start->ops.changed)
        s->start->ops.changed(s->start->ops.ctx, mailbox);
}

void imap_names_changed(struct imap_session *s, str name, str other)
{
    imap_changed(s, STR_NONE);
    notify_look(s, name, other);
}
