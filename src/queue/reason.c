/* Why a recipient is still in the queue, in a sentence. */
#include "fmt/logline.h"
#include "queue/admin.h"

const char *queue_status_name(enum queue_status s)
{
    static const char *const names[] = {"queued", "deferred", "held", "failed"};
    return names[s];
}

void queue_duration_put(struct buf *out, msec t)
{
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
    int64_t seconds = t / 1000, n = 0;
    size_t i = 0;
    while (i < 3 && seconds < 2 * units[i].seconds) /* "90 minutes" rather than "1 hour" */
        i++;
    n = seconds / units[i].seconds;
    if (n < 1)
        n = 1;
    buf_printf(out, "%lld %s%s", (long long)n, units[i].name, n == 1 ? "" : "s");
}

str queue_reply_words(str reply)
{
    str host, words;
    return logline_said(reply, &host, &words) ? words : reply;
}

static void put_said(struct buf *out, const struct queue_item *item)
{
    if (item->dead)
        buf_printf(out, STR_FMT " could not be reached (" STR_FMT ")", STR_ARG(item->site),
                   STR_ARG(item->site_reply.n ? item->site_reply : item->reply));
    else if (item->remote.n && item->code)
        buf_printf(out, STR_FMT " said " STR_FMT, STR_ARG(item->remote),
                   STR_ARG(queue_reply_words(item->reply)));
    else if (item->reply.n)
        buf_puts(out, item->reply);
    else
        buf_puts(out, S("it was tried"));
}

void queue_reason_put(struct buf *out, const struct queue_item *item, int64_t now)
{
    switch (item->status) {
    case QUEUE_IS_HELD:
        buf_puts(out, item->frozen ? S("held because sending from its account is frozen")
                                   : S("held by an administrator"));
        return;
    case QUEUE_IS_FAILED:
        buf_puts(out, S("it failed ("));
        put_said(out, item);
        buf_puts(out, S("); the sender is about to be told"));
        return;
    case QUEUE_IS_QUEUED:
        if (item->hold_until > now)
            buf_puts(out, S("its sender chose a later time; "));
        break;
    case QUEUE_IS_DEFERRED:
        put_said(out, item);
        buf_puts(out, S("; "));
        break;
    }
    if (item->next <= now) {
        buf_puts(out, S("next in line"));
        return;
    }
    buf_puts(out, item->status == QUEUE_IS_QUEUED ? S("first try in ") : S("next try in "));
    queue_duration_put(out, item->next - now);
}
