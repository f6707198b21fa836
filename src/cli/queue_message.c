/* Gathers the recipients of one message before it is handed over. */
#include "cli/queue_message.h"

#include "base/buf.h"

enum { MESSAGE_BYTES_MAX = 256 << 20, REASON_BYTES_MAX = 64 << 10 };

struct gathering {
    struct arena *a;
    struct queue_message m;
    int64_t row; /* of the message; 0: none yet */
    bool full;
    void (*fn)(void *ctx, const struct queue_message *m);
    void *ctx;
};

const char *queue_place_name(enum queue_place place)
{
    static const char *const names[] = {"active", "deferred", "hold"};
    return names[place];
}

bool queue_message_is_id(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_alnum(s.p[i]))
            return false;
    return s.n > 0 && s.n <= QUEUE_ID_MAX;
}

static enum queue_place place_of(const struct queue_item *item)
{
    switch (item->status) {
    case QUEUE_IS_HELD:
        return QUEUE_PLACE_HOLD;
    case QUEUE_IS_DEFERRED:
        return QUEUE_PLACE_DEFERRED;
    case QUEUE_IS_QUEUED:
    case QUEUE_IS_FAILED:
        break;
    }
    return QUEUE_PLACE_ACTIVE;
}

static enum queue_place both_places(enum queue_place a, enum queue_place b)
{
    if (a == QUEUE_PLACE_HOLD || b == QUEUE_PLACE_HOLD)
        return QUEUE_PLACE_HOLD;
    return a == QUEUE_PLACE_ACTIVE ? a : b;
}

static void hand_over(struct gathering *g)
{
    if (g->row && !g->full)
        g->fn(g->ctx, &g->m);
}

static void begin(struct gathering *g, const struct queue_item *item)
{
    arena_reset(g->a);
    g->row = item->message;
    g->m =
        (struct queue_message){.id = arena_str(g->a, item->id),
                               .sender = arena_str(g->a, item->sender.n ? item->sender : S("MAILER-DAEMON")),
                               .place = place_of(item),
                               .arrived = item->arrived,
                               .size = item->size};
}

/* "host mx.example.net[192.0.2.1]:25 said: 450 busy", or what else kept it back. */
static str reason_of(struct arena *a, const struct queue_item *item)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(REASON_BYTES_MAX);
    if (!item->attempts)
        return STR_NONE;
    if (item->code && item->remote.n && !str_starts(item->reply, S("host ")))
        buf_printf(&out, "host " STR_FMT " said: ", STR_ARG(item->remote));
    buf_puts(&out, item->reply);
    return arena_str(a, buf_str(&out));
}

static void add_item(void *ctx, const struct queue_item *item)
{
    struct gathering *g = ctx;
    if (g->full)
        return;
    if (g->row != item->message) {
        hand_over(g);
        begin(g, item);
    }
    struct queue_message *m = &g->m;
    if ((m->n & (m->n - 1)) == 0 && (m->n == 0 || m->n >= 8)) /* full: 0, 8, 16, 32... */
        m->rcpts = arena_grow(g->a, m->rcpts, m->n, sizeof *m->rcpts);
    if (m->rcpts)
        m->rcpts[m->n++] = (struct queue_message_rcpt){.address = arena_str(g->a, item->address),
                                                       .reason = reason_of(g->a, item)};
    m->place = both_places(m->place, place_of(item));
    g->full |= arena_exhausted(g->a);
}

enum rc queue_message_each(struct queue_admin *a, const struct queue_filter *f,
                           void (*fn)(void *ctx, const struct queue_message *m), void *ctx, struct err *e)
{
    AUTO(arena_freep) struct arena *arena = arena_new(MESSAGE_BYTES_MAX);
    struct gathering g = {.a = arena, .fn = fn, .ctx = ctx};
    enum rc rc = queue_admin_each(a, f, add_item, &g, e);
    if (rc != RC_OK)
        return rc;
    hand_over(&g);
    return g.full ? err_set(e, RC_LIMIT, 0, "", "a message has too many recipients to be shown") : RC_OK;
}
