/* The story of a message, in sentences and as JSON. */
#include "cli/trace.h"

#include "fmt/json.h"

#include <time.h>

static const size_t output_max = (size_t)1 << 30;

/* --- sentences --- */

static str or_nobody(str address)
{
    return address.n ? address : S("<>");
}

static void say_client(const struct logline_facts *f, struct buf *out)
{
    if (f->uid.n) {
        buf_printf(out, "handed over on this machine by uid " STR_FMT ", from " STR_FMT, STR_ARG(f->uid),
                   STR_ARG(or_nobody(f->sender)));
        return;
    }
    buf_printf(out, "came from " STR_FMT, STR_ARG(f->client));
    if (f->account.n)
        buf_printf(out, ", logged in as " STR_FMT, STR_ARG(f->account));
}

static void say_reply(const struct logline_facts *f, struct buf *out)
{
    str host, words;
    if (logline_said(f->reply, &host, &words))
        buf_printf(out, ": " STR_FMT " said \"" STR_FMT "\"", STR_ARG(host), STR_ARG(words));
    else if (f->reply.n)
        buf_printf(out, ": " STR_FMT, STR_ARG(f->reply));
}

static void say_delivery(const struct logline_facts *f, struct buf *out)
{
    bool sent = str_eq(f->status, S("sent")), bounced = str_eq(f->status, S("bounced"));
    buf_printf(out, "%s " STR_FMT,
               sent      ? "delivered to"
               : bounced ? "cannot be delivered to"
                         : "not delivered yet to",
               STR_ARG(f->recipient));
    if (f->original.n)
        buf_printf(out, " (written to " STR_FMT ")", STR_ARG(f->original));
    if (sent && f->relay.n && !str_eq(f->relay, S("local")) && !str_eq(f->relay, S("virtual"))) {
        buf_printf(out, ": " STR_FMT " said \"" STR_FMT "\"", STR_ARG(f->relay), STR_ARG(f->reply));
        return;
    }
    say_reply(f, out);
    if (bounced)
        buf_puts(out, S("; given up"));
}

static void say_facts(const struct trace_event *e, struct buf *out)
{
    const struct logline_facts *f = &e->facts;
    switch (f->event) {
    case LOGLINE_CLIENT:
        say_client(f, out);
        break;
    case LOGLINE_MESSAGE_ID:
        if (f->message_id.n)
            buf_printf(out, "its Message-ID is " STR_FMT, STR_ARG(f->message_id));
        else
            buf_puts(out, S("it has no Message-ID"));
        break;
    case LOGLINE_RECEIVED:
        buf_printf(out, "received from " STR_FMT ": " STR_FMT " bytes, recipients: " STR_FMT,
                   STR_ARG(or_nobody(f->sender)), STR_ARG(f->size), STR_ARG(f->recipients));
        break;
    case LOGLINE_SAVED:
        buf_printf(out, "saved to " STR_FMT " of " STR_FMT, STR_ARG(f->mailbox), STR_ARG(f->account));
        break;
    case LOGLINE_DELIVERY:
        say_delivery(f, out);
        break;
    case LOGLINE_NOTIFICATION:
        buf_printf(out, "its sender is told, by message " STR_FMT, STR_ARG(f->other));
        break;
    case LOGLINE_EXPIRED:
        buf_puts(out, S("it was in the queue for too long; given up"));
        break;
    case LOGLINE_REMOVED:
        buf_puts(out, S("it left the queue"));
        break;
    case LOGLINE_REJECT:
        buf_printf(out, "refused at " STR_FMT " from " STR_FMT ": " STR_FMT, STR_ARG(f->stage),
                   STR_ARG(f->client), STR_ARG(f->reply));
        break;
    case LOGLINE_OTHER:
        buf_puts(out, f->reply);
        break;
    }
}

static void put_local_time(struct buf *out, int64_t seconds)
{
    time_t when = (time_t)seconds;
    char text[32] = "";
    struct tm tm;
    if (localtime_r(&when, &tm))
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
    buf_puts(out, str_c(text));
}

static void print_sentence(const struct trace_event *e, struct buf *out)
{
    put_local_time(out, e->seconds);
    buf_printf(out, " " STR_FMT ": ", STR_ARG(e->id));
    if (e->waiting)
        buf_printf(out, "waits now for " STR_FMT ": " STR_FMT, STR_ARG(e->facts.recipient),
                   STR_ARG(e->reason));
    else
        say_facts(e, out);
    buf_putc(out, '\n');
}

/* --- JSON --- */

static void put_text(struct json *j, const char *key, str value)
{
    if (value.n)
        json_put_str(j, key, value);
}

static void put_time(struct json *j, const char *key, int64_t seconds)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(64);
    date_format_internet(&text, seconds);
    json_put_str(j, key, buf_str(&text));
}

static void put_count(struct json *j, const char *key, str digits)
{
    int64_t n = 0;
    for (size_t i = 0; i < digits.n && i < 18; i++)
        n = n * 10 + (digits.p[i] - '0');
    if (digits.n)
        json_put_int(j, key, n);
}

static void put_facts(struct json *j, const struct logline_facts *f)
{
    str host = STR_NONE, words = f->reply;
    put_text(j, "client", f->client);
    put_text(j, "account", f->account);
    put_text(j, "uid", f->uid);
    put_text(j, "message_id", f->message_id);
    if (f->event == LOGLINE_RECEIVED || f->event == LOGLINE_EXPIRED)
        json_put_str(j, "sender", f->sender);
    else
        put_text(j, "sender", f->sender);
    put_count(j, "size", f->size);
    put_count(j, "recipients", f->recipients);
    put_text(j, "recipient", f->recipient);
    put_text(j, "original", f->original);
    put_text(j, "mailbox", f->mailbox);
    put_text(j, "stage", f->stage);
    put_text(j, "relay", f->relay);
    put_text(j, "delay", f->delay);
    put_text(j, "dsn", f->dsn);
    put_text(j, "status", f->status);
    (void)logline_said(f->reply, &host, &words);
    put_text(j, "host", host);
    put_text(j, "reply", words);
    put_text(j, "notification", f->other);
}

static void print_object(const struct trace_event *e, struct json *j)
{
    json_open_object(j, NULL);
    put_time(j, "time", e->seconds);
    json_put_str(j, "id", e->id);
    json_put_str(j, "role", e->role);
    json_put_str(j, "event", str_c(e->waiting ? "waiting" : logline_event_name(e->facts.event)));
    if (e->waiting) {
        put_text(j, "sender", e->facts.sender);
        put_text(j, "recipient", e->facts.recipient);
        json_put_str(j, "status", str_c(e->queue_status));
        put_text(j, "host", e->facts.relay);
        put_text(j, "reply", e->facts.reply);
        json_put_int(j, "attempts", e->attempts);
        if (e->next)
            put_time(j, "next_attempt", e->next);
        json_put_str(j, "reason", e->reason);
    } else {
        put_facts(j, &e->facts);
    }
    json_close_object(j);
}

int trace_print(const struct trace_event *v, size_t n, bool json)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(output_max);
    struct json j = {.out = &out};
    if (json)
        json_open_array(&j, NULL);
    for (size_t i = 0; i < n; i++) {
        if (json)
            print_object(&v[i], &j);
        else
            print_sentence(&v[i], &out);
    }
    if (json) {
        json_close_array(&j);
        buf_putc(&out, '\n');
    }
    return cli_print(&out);
}
