/* What the queue holds, in words and as JSON. */
#include "cli/accounts.h"
#include "cli/cmd_queue.h"
#include "fmt/date.h"
#include "fmt/json.h"
#include "os/file.h"

enum { ARENA_MAX = 1 << 30, MESSAGE_ARENA_MAX = 80 << 20, REASON_MAX = 4096 };
static const size_t output_max = (size_t)4 << 30;

struct printer {
    struct buf out;
    struct json json;
    int64_t message; /* whose recipients are being printed; 0: none */
    int64_t now;
    bool full; /* with all that is known */
};

static void put_time(struct buf *out, int64_t ms)
{
    date_format_internet(out, ms / 1000);
}

static void put_size(struct buf *out, uint64_t bytes)
{
    if (bytes < 10240)
        buf_printf(out, "%llu bytes", (unsigned long long)bytes);
    else if (bytes < 10485760)
        buf_printf(out, "%llu KiB", (unsigned long long)bytes / 1024);
    else
        buf_printf(out, "%llu MiB", (unsigned long long)bytes / 1048576);
}

static str sender_name(str sender)
{
    return sender.n ? sender : S("<>");
}

/* --- JSON --- */

static void json_put_time(struct json *j, const char *key, int64_t ms)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(64);
    if (ms == 0) {
        json_put_null(j, key);
        return;
    }
    put_time(&text, ms);
    json_put_str(j, key, buf_str(&text));
}

static void end_json_message(struct printer *p)
{
    if (p->message == 0)
        return;
    json_close_array(&p->json);
    json_close_object(&p->json);
}

static void begin_json_message(struct printer *p, const struct queue_item *item)
{
    struct json *j = &p->json;
    json_open_object(j, NULL);
    json_put_str(j, "id", item->id);
    json_put_str(j, "sender", item->sender);
    json_put_int(j, "size", (int64_t)item->size);
    json_put_time(j, "arrived", item->arrived);
    json_put_time(j, "expires", item->expires);
    json_put_time(j, "hold_until", item->hold_until);
    json_put_time(j, "deliver_by", item->deliver_by);
    json_put_int(j, "priority", item->priority);
    json_put_str(j, "message_id", item->message_id);
    json_put_str(j, "client", item->client);
    json_put_str(j, "account", item->account);
    json_open_array(j, "recipients");
}

static void print_json(void *ctx, const struct queue_item *item)
{
    struct printer *p = ctx;
    struct json *j = &p->json;
    AUTO(buf_deinit) struct buf reason = BUF_INIT(REASON_MAX);
    if (p->message != item->message) {
        end_json_message(p);
        begin_json_message(p, item);
        p->message = item->message;
    }
    queue_reason_put(&reason, item, p->now);
    json_open_object(j, NULL);
    json_put_str(j, "address", item->address);
    json_put_str(j, "original", item->orig);
    json_put_str(j, "site", item->site);
    json_put_str(j, "status", str_c(queue_status_name(item->status)));
    json_put_int(j, "attempts", item->attempts);
    json_put_time(j, "last_attempt", item->tried);
    json_put_time(j, "next_attempt", item->next);
    json_put_str(j, "last_reply", queue_reply_words(item->reply));
    json_put_str(j, "last_host", item->remote);
    json_put_str(j, "reason", buf_str(&reason));
    json_close_object(j);
}

/* --- words --- */

static void print_message(struct printer *p, const struct queue_item *item)
{
    struct buf *out = &p->out;
    buf_printf(out, STR_FMT ": from " STR_FMT ", ", STR_ARG(item->id), STR_ARG(sender_name(item->sender)));
    put_size(out, item->size);
    buf_puts(out, S(", arrived "));
    put_time(out, item->arrived);
    buf_putc(out, '\n');
    if (!p->full)
        return;
    buf_printf(out, "    message-id " STR_FMT "\n    received from " STR_FMT, STR_ARG(item->message_id),
               STR_ARG(item->client));
    if (item->account.n)
        buf_printf(out, ", logged in as " STR_FMT, STR_ARG(item->account));
    buf_puts(out, S("\n    given up and returned at "));
    put_time(out, item->expires);
    buf_putc(out, '\n');
}

static void print_attempts(struct buf *out, const struct queue_item *item)
{
    buf_printf(out, "        for the site " STR_FMT, STR_ARG(item->site));
    if (item->orig.n)
        buf_printf(out, ", written to " STR_FMT, STR_ARG(item->orig));
    buf_printf(out, "\n        %u attempt%s", item->attempts, item->attempts == 1 ? "" : "s");
    if (item->tried) {
        buf_puts(out, S(", the last at "));
        put_time(out, item->tried);
        buf_printf(out, ", host " STR_FMT ": " STR_FMT, STR_ARG(item->remote.n ? item->remote : S("none")),
                   STR_ARG(item->reply));
    }
    if (item->next) {
        buf_puts(out, S("\n        the next at "));
        put_time(out, item->next);
    }
    buf_putc(out, '\n');
}

static void print_words(void *ctx, const struct queue_item *item)
{
    struct printer *p = ctx;
    if (p->message != item->message)
        print_message(p, item);
    p->message = item->message;
    buf_printf(&p->out, "    " STR_FMT ": %s: ", STR_ARG(item->address), queue_status_name(item->status));
    queue_reason_put(&p->out, item, p->now);
    buf_putc(&p->out, '\n');
    if (p->full)
        print_attempts(&p->out, item);
}

/* Texts of strangers reach a terminal without control bytes. */
static void make_printable(struct buf *b)
{
    for (size_t i = 0; i < b->n; i++)
        if (((unsigned char)b->p[i] < 0x20 && b->p[i] != '\n') || b->p[i] == 0x7f)
            b->p[i] = '?';
}

/* --- list, show --- */

static bool is_filtered(const struct queue_filter *f)
{
    return f->n_ids || f->has_sender || f->recipient.n || f->domain.n || f->reason.n || f->arrived_before ||
           f->larger_than;
}

/* in_array: JSON is an array of what matches, be it nothing. */
static int print_items(struct queue_admin *a, const struct queue_filter *f, struct printer *p, bool json,
                       bool in_array)
{
    struct err e = {0};
    p->now = clock_wall() / 1000;
    p->json.out = &p->out;
    if (json && in_array)
        json_open_array(&p->json, NULL);
    if (queue_admin_each(a, f, json ? print_json : print_words, p, &e) != RC_OK)
        return cli_fail_err(&e);
    if (json)
        end_json_message(p);
    else
        make_printable(&p->out);
    if (json && in_array)
        json_close_array(&p->json);
    if (json)
        buf_putc(&p->out, '\n');
    return CLI_FINE;
}

int queue_cli_list(struct queue_admin *a, const struct queue_filter *f, bool json)
{
    struct printer p = {.out = BUF_INIT(output_max)};
    int status = print_items(a, f, &p, json, true);
    if (p.message == 0 && !json)
        buf_puts(&p.out, is_filtered(f) ? S("nothing in the queue matches\n") : S("the queue is empty\n"));
    if (status == CLI_FINE)
        status = cli_print(&p.out);
    buf_deinit(&p.out);
    return status;
}

int queue_cli_show(struct queue_admin *a, const struct queue_filter *f, bool one, bool json)
{
    struct printer p = {.out = BUF_INIT(output_max), .full = true};
    int status = print_items(a, f, &p, json, !one);
    if (status == CLI_FINE && p.message == 0 && one)
        status = cli_fail("there is no message %s in the queue", f->ids[0]);
    else if (status == CLI_FINE && p.message == 0 && !json)
        status = cli_fail("nothing in the queue matches");
    else if (status == CLI_FINE)
        status = cli_print(&p.out);
    buf_deinit(&p.out);
    return status;
}

/* --- stats --- */

static void stats_json_fields(struct json *j, const struct queue_stats *s)
{
    json_put_int(j, "messages", (int64_t)s->messages);
    json_put_int(j, "recipients", (int64_t)s->recipients);
    json_put_int(j, "held", (int64_t)s->held);
    json_put_int(j, "failed", (int64_t)s->failed);
    json_put_int(j, "size", (int64_t)s->size);
    json_put_time(j, "oldest", s->oldest);
}

static enum rc stats_json(struct buf *out, const struct queue_stats *v, size_t n, struct err *e)
{
    struct json j = {.out = out};
    json_open_object(&j, NULL);
    stats_json_fields(&j, &v[0]);
    json_open_array(&j, "sites");
    for (size_t i = 1; i < n; i++) {
        json_open_object(&j, NULL);
        json_put_str(&j, "site", v[i].name);
        stats_json_fields(&j, &v[i]);
        json_put_time(&j, "dead_until", v[i].dead);
        json_put_str(&j, "last_reply", v[i].reply);
        json_close_object(&j);
    }
    json_close_array(&j);
    enum rc rc = queue_cli_put_tls(out, &j, e);
    json_close_object(&j);
    buf_putc(out, '\n');
    return rc;
}

static void stats_words(struct buf *out, const struct queue_stats *v, size_t n, int64_t now)
{
    for (size_t i = 0; i < n; i++) {
        const struct queue_stats *s = &v[i];
        if (i > 0)
            buf_printf(out, "    " STR_FMT ": ", STR_ARG(s->name));
        buf_printf(out, "%llu recipient%s of %llu message%s, ", (unsigned long long)s->recipients,
                   s->recipients == 1 ? "" : "s", (unsigned long long)s->messages,
                   s->messages == 1 ? "" : "s");
        put_size(out, s->size);
        if (s->held)
            buf_printf(out, ", %llu held", (unsigned long long)s->held);
        if (s->oldest) {
            buf_puts(out, S(", the oldest since "));
            queue_duration_put(out, now - s->oldest);
        }
        if (s->dead) {
            buf_puts(out, S(", not tried for another "));
            queue_duration_put(out, s->dead - now);
        }
        if (s->reply.n)
            buf_printf(out, " (" STR_FMT ")", STR_ARG(s->reply));
        buf_putc(out, '\n');
    }
}

int queue_cli_stats(struct queue_admin *a, const struct queue_filter *f, bool json)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_MAX);
    AUTO(buf_deinit) struct buf out = BUF_INIT(output_max);
    struct queue_stats *v = NULL;
    struct err e = {0};
    size_t n = 0;
    if (queue_admin_stats(a, f, arena, &v, &n, &e) != RC_OK)
        return cli_fail_err(&e);
    enum rc rc;
    if (json) {
        rc = stats_json(&out, v, n, &e);
    } else {
        stats_words(&out, v, n, clock_wall() / 1000);
        rc = queue_cli_put_tls(&out, NULL, &e);
        make_printable(&out);
    }
    return rc == RC_OK ? cli_print(&out) : cli_fail_err(&e);
}
