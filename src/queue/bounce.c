/* Delivery status notifications (RFC 3461 §6): messages of our own that enter the queue in the same
 * transaction that ends or changes what they tell of. Their sender is empty, so nothing answers them; one
 * that cannot be delivered is told to a postmaster (notify_classes), and what cannot reach him either is
 * logged and dropped. */
#include "base/log.h"
#include "fmt/crlf.h"
#include "fmt/dsn.h"
#include "fmt/via.h"
#include "os/crypto.h"
#include "os/file.h"
#include "queue/new_id.h"
#include "queue/queue_impl.h"

#include <unistd.h>

enum {
    HEADER_MAX = 64 << 10,
    NOTE_MAX = 4 << 20,
    ARENA_MAX = 6 << 20,
    DEFAULT_NOTIFY = SMTP_NOTIFY_FAILURE | SMTP_NOTIFY_DELAY
};

static bool wants(const struct queue_rcpt *r, enum bounce_kind kind)
{
    static const unsigned bit[] = {SMTP_NOTIFY_FAILURE, SMTP_NOTIFY_DELAY, SMTP_NOTIFY_SUCCESS};
    return (r->notify ? r->notify : (unsigned)DEFAULT_NOTIFY) & bit[kind];
}

static enum dsn_action action_of(enum bounce_kind kind, enum queue_result result)
{
    if (kind == BOUNCE_SUCCESS)
        return result == QUEUE_DELIVERED  ? DSN_DELIVERED
               : result == QUEUE_EXPANDED ? DSN_EXPANDED
                                          : DSN_RELAYED;
    return kind == BOUNCE_DELAY ? DSN_DELAYED : DSN_FAILED;
}

/* "rfc822;a@b" in two. */
static void split_orcpt(str orcpt, struct dsn_rcpt *ret)
{
    if (str_chr(orcpt, ';') < 0)
        return;
    ret->orcpt_type = str_take(&orcpt, ';');
    ret->orcpt = orcpt;
}

/* The name of the server whose words they are; empty when they are our own. */
static str said_by(const struct bounce_rcpt *r)
{
    str name = r->remote;
    return r->reply.n && ascii_digit(r->reply.p[0]) ? str_take(&name, '[') : STR_NONE;
}

static size_t fill_rcpts(enum bounce_kind kind, const struct queue_envelope *v,
                         const struct bounce_rcpt *from, size_t n, bool all, struct dsn_rcpt *ret)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (!all && !wants(&from[i].rcpt, kind) && from[i].result != QUEUE_RELAYED_TRACED && !from[i].cleared)
            continue;
        struct dsn_rcpt *r = &ret[count++];
        *r = (struct dsn_rcpt){.recipient = from[i].rcpt.address,
                               .action = action_of(kind, from[i].result),
                               .status = from[i].status,
                               .reports_follow = from[i].result == QUEUE_RELAYED,
                               .remote_mta = said_by(&from[i]),
                               .diagnostic = from[i].reply,
                               .last_attempt = from[i].tried / 1000};
        split_orcpt(from[i].rcpt.orcpt, r);
    }
    return count;
}

/* The whole content when it is small, else the part of it that has the header. */
static enum rc read_original(struct queue *q, int64_t message, const struct queue_envelope *v,
                             struct arena *a, str *ret, struct err *e)
{
    struct queue_envelope again;
    struct queue_content content;
    enum rc rc = rows_read_message(q->writer, message, a, &again, &content, e);
    *ret = content.bytes;
    if (rc != RC_OK || !content.file)
        return rc;
    AUTO(fd_closep) int fd = spool_read(q->spool, content.file);
    size_t most = again.size < HEADER_MAX ? (size_t)again.size : HEADER_MAX;
    char *head = arena_alloc(a, most);
    ssize_t n = fd >= 0 && head ? pread(fd, head, most, 0) : -1;
    *ret = n > 0 ? str_mem(head, (size_t)n) : STR_NONE;
    return RC_OK;
}

enum rc queue_put_own(struct queue *q, const struct queue_own *own, struct queue_touches *t, struct err *e)
{
    AUTO(buf_deinit) struct buf site = BUF_INIT(QUEUE_SITE_MAX);
    struct queue_rcpt rcpt = {
        .address = own->to, .local = true, .notify = SMTP_NOTIFY_NEVER, .via = own->via};
    struct queue_envelope note = {.id = own->id,
                                  .flags = own->flags,
                                  .client = S("local"),
                                  .arrived = queue_wall(),
                                  .priority = own->priority,
                                  .size = own->content.n,
                                  .lines = crlf_lines(own->content),
                                  .rcpts = &rcpt,
                                  .n = 1};
    struct queue_message_row m = {
        .id = note.id, .sender = note.sender, .priority = note.priority, .rcpts = 1};
    enum rc rc = queue_route(q->conf, NULL, S(""), &rcpt, &site, e);
    if (rc == RC_OK)
        rc = rows_add_message(q, &note, &(struct queue_content){.bytes = own->content}, &m.n, e);
    return rc == RC_OK ? rows_add_rcpt(q, &m, &rcpt, buf_str(&site), queue_now(q), t, e) : rc;
}

/* Of a message that we wrote ourselves. */
static str message_id_of(str content)
{
    str name = S("\nMessage-ID: ");
    ptrdiff_t at = str_find(content, name);
    str rest = at < 0 ? STR_NONE : str_from(content, (size_t)at + name.n);
    return str_take(&rest, '\n');
}

/* One to a postmaster is the last. */
static enum rc enqueue(struct queue *q, const struct queue_envelope *v, const struct dsn *d, str content,
                       struct queue_touches *t, struct err *e)
{
    static const char *const names[] = {"sender non-delivery notification", "sender delay notification",
                                        "sender delivery status notification"},
                             *const copies[] = {"postmaster non-delivery notification",
                                                "postmaster delay notification",
                                                "postmaster delivery status notification"};
    char id[QUEUE_ID_SIZE];
    unsigned flags = (d->postmaster ? QUEUE_NO_POSTMASTER : 0) |
                     (v->flags & (QUEUE_UTF8 | QUEUE_REQUIRETLS | QUEUE_HAS_PRIORITY)) | QUEUE_8BIT;
    const struct conf *c = q->conf;
    bool inspected = conf_list_has(&c->internal_mail_filter_classes, S("bounce"));
    const struct queue_own own = {.to = d->to,
                                  .id = queue_new_id(id),
                                  .content = content,
                                  .via = inspected ? S("filter:" VIA_INSPECTION) : S(""),
                                  .flags = flags,
                                  .priority = v->priority};
    enum rc rc = queue_put_own(q, &own, t, e);
    if (rc != RC_OK)
        return rc;
    log_info_of(LOG_AS_CLEANUP, "%s: message-id=" STR_FMT, id, STR_ARG(message_id_of(content)));
    log_info_of(LOG_AS_BOUNCE, STR_FMT ": %s: %s", STR_ARG(v->id),
                (d->postmaster ? copies : names)[dsn_about(d)], id);
    log_info("%s: from=<>, size=%zu, nrcpt=1 (queue active)", id, content.n);
    return RC_OK;
}

/* RFC 8689 §5: of a message with REQUIRETLS only the header goes back; of a binary one as well, since a
 * notification has lines. */
static enum smtp_ret returned(const struct queue_envelope *v)
{
    return v->flags & (QUEUE_REQUIRETLS | QUEUE_BINARY) ? SMTP_RET_HDRS : (enum smtp_ret)v->ret;
}

static void put_original(struct buf *out, const struct queue_envelope *v, str original)
{
    struct crlf_state state = {.last_cr = false};
    if (v->flags & QUEUE_BINARY)
        crlf_decode(&state, out, original);
    else
        buf_puts(out, original);
}

static enum rc write_note(struct queue *q, struct dsn *d, int64_t message, const struct queue_envelope *v,
                          struct queue_touches *t, struct err *e)
{
    unsigned char seed[DSN_SEED_MIN];
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_MAX);
    AUTO(buf_deinit) struct buf out = BUF_INIT(NOTE_MAX);
    const struct conf *c = q->conf;
    str original = STR_NONE;
    enum rc rc = read_original(q, message, v, a, &original, e);
    if (rc != RC_OK)
        return rc;
    crypto_random(seed, sizeof seed);
    d->seed = str_mem(seed, sizeof seed);
    d->content = dsn_content_for(d, d->postmaster && v->sender.n > 0 ? SMTP_RET_HDRS : returned(v), v->size,
                                 c->bounce_size_limit);
    if (d->content == DSN_CONTENT_FULL && original.n < v->size)
        d->content = DSN_CONTENT_HEADER;
    AUTO(buf_deinit) struct buf text = BUF_INIT(NOTE_MAX);
    buf_puts(&text, v->trace);
    put_original(&text, v, original);
    dsn_put(&out, d, buf_str(&text));
    if (out.overflow || text.overflow)
        return err_set(e, RC_TEMP, 451, "4.3.0", STR_FMT ": its notification is too large", STR_ARG(v->id));
    return enqueue(q, v, d, buf_str(&out), t, e);
}

/* Of notify_classes; "bounce" stands for "2bounce", too. */
static bool tells(const struct conf *c, str class)
{
    return conf_list_has(&c->notify_classes, class) ||
           (str_eq(class, S("2bounce")) && conf_list_has(&c->notify_classes, S("bounce")));
}

static struct dsn about(struct queue *q, enum bounce_kind kind, const struct queue_envelope *v)
{
    static const enum bounce_template_kind of[] = {BOUNCE_TEMPLATE_FAILURE, BOUNCE_TEMPLATE_DELAY,
                                                   BOUNCE_TEMPLATE_SUCCESS};
    bool by_interval = v->flags & QUEUE_HOLD_FOR;
    return (struct dsn){.hostname = str_c(((const struct conf *)q->conf)->hostname),
                        .words = q->has_words[of[kind]] ? &q->words[of[kind]] : NULL,
                        .id = v->id,
                        .message_id = v->message_id,
                        .envid = v->envid.n ? v->envid : STR_NONE,
                        .received_from = v->client,
                        .deliver_by = v->deliver_by / 1000,
                        .hold_for = by_interval ? (v->hold_until - v->arrived) / 1000 : 0,
                        .hold_until = by_interval ? 0 : v->hold_until / 1000,
                        .arrival = {.seconds = v->arrived / 1000},
                        .now = {.seconds = clock_seconds()},
                        .utf8 = v->flags & QUEUE_UTF8};
}

/* to: without a domain it is of this host. */
static enum rc tell_postmaster(struct queue *q, const struct dsn *d, const char *to, int64_t message,
                               const struct queue_envelope *v, struct queue_touches *t, struct err *e)
{
    AUTO(buf_deinit) struct buf address = BUF_INIT(600);
    struct dsn copy = *d;
    buf_printf(&address, "%s", to);
    if (str_chr(str_c(to), '@') < 0)
        buf_printf(&address, "@" STR_FMT, STR_ARG(d->hostname));
    copy.to = buf_str(&address);
    copy.postmaster = true;
    return write_note(q, &copy, message, v, t, e);
}

/* The sender hears of it, and who else notify_classes name. */
static enum rc tell_all(struct queue *q, enum bounce_kind kind, struct dsn *d, int64_t message,
                        const struct queue_envelope *v, struct queue_touches *t, struct err *e)
{
    const struct conf *c = q->conf;
    if (v->sender.n == 0)
        return tell_postmaster(q, d, c->double_bounce_notice_recipient, message, v, t, e);
    d->to = v->sender;
    enum rc rc = write_note(q, d, message, v, t, e);
    if (rc == RC_OK && kind == BOUNCE_FAILURE && tells(c, S("bounce")))
        rc = tell_postmaster(q, d, c->bounce_notice_recipient, message, v, t, e);
    if (rc == RC_OK && kind == BOUNCE_DELAY && tells(c, S("delay")))
        rc = tell_postmaster(q, d, c->delay_notice_recipient, message, v, t, e);
    return rc;
}

/* Whether nobody is to hear of a message without a sender. */
static bool is_dropped(struct queue *q, enum bounce_kind kind, const struct queue_envelope *v)
{
    if (v->sender.n > 0)
        return false;
    if (kind == BOUNCE_FAILURE && v->flags & QUEUE_NO_POSTMASTER)
        log_warn(STR_FMT ": a notification to the postmaster cannot be delivered: dropped", STR_ARG(v->id));
    else if (kind == BOUNCE_FAILURE && !tells(q->conf, S("2bounce")))
        log_warn(STR_FMT ": it cannot be delivered or returned: dropped", STR_ARG(v->id));
    else
        return kind != BOUNCE_FAILURE;
    return true;
}

enum rc bounce_put(struct queue *q, enum bounce_kind kind, int64_t message, const struct queue_envelope *v,
                   const struct bounce_rcpt *rcpts, size_t n, struct queue_touches *t, struct err *e)
{
    if (is_dropped(q, kind, v))
        return RC_OK;
    struct dsn_rcpt *list = calloc(n, sizeof *list);
    must(list);
    struct dsn d = about(q, kind, v);
    d.rcpts = list;
    d.rcpt_count = fill_rcpts(kind, v, rcpts, n, v->sender.n == 0, list);
    for (size_t i = 0; i < d.rcpt_count; i++)
        list[i].will_retry_until = queue_wall_of_time(q, v->expires) / 1000;
    enum rc rc = d.rcpt_count ? tell_all(q, kind, &d, message, v, t, e) : RC_OK;
    free(list);
    return rc;
}
