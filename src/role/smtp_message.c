/* What a next hop is told of a queued message: REQUIRETLS (RFC 8689), DELIVERBY (RFC 2852), MT-PRIORITY (RFC
 * 6710), DSN (RFC 3461), BINARYMIME (RFC 3030). */
#include "fmt/crlf.h"
#include "fmt/header.h"
#include "fmt/ip.h"
#include "role/smtp_impl.h"

#include <unistd.h>

/* A notification is not lost for want of REQUIRETLS (RFC 8689 §5). */
enum smtp_tls_demand smtp_demand_of(const struct conf *c, const struct queue_envelope *v)
{
    if (v->flags & QUEUE_REQUIRETLS && v->sender.n > 0)
        return SMTP_TLS_REQUIRED;
    return v->flags & QUEUE_TLS_OPTIONAL && c->tls_required_enable ? SMTP_TLS_OPTIONAL : SMTP_TLS_AS_POLICY;
}

static bool says_requiretls(const struct smtp_client *client, const struct queue_envelope *v)
{
    bool possible = smtp_client_tls_info(client) && ehlo_has(smtp_client_offers(client), EHLO_REQUIRETLS);
    return v->flags & QUEUE_REQUIRETLS && (possible || v->sender.n > 0);
}

static char by_mode(const struct queue_envelope *v)
{
    if (!v->deliver_by)
        return '\0';
    return v->flags & QUEUE_BY_RETURN ? 'R' : 'N';
}

/* Rounded down. */
static int64_t seconds_left(int64_t until)
{
    int64_t left = until - clock_wall() / 1000;
    return (left - (left < 0 ? 999 : 0)) / 1000;
}

str smtp_message_header(const struct smtp_job *job, struct arena *a)
{
    str start = str_sub(job->content, 0, SMTP_HEADER_MAX);
    if (job->content_fd >= 0) {
        size_t most = job->envelope.size < SMTP_HEADER_MAX ? (size_t)job->envelope.size : SMTP_HEADER_MAX;
        char *room = arena_alloc(a, most);
        ssize_t n = room ? pread(job->content_fd, room, most, 0) : -1;
        start = n > 0 ? str_mem(room, (size_t)n) : STR_NONE;
    }
    size_t n = header_size(start);
    return n < start.n || start.n == job->envelope.size ? str_sub(start, 0, n) : STR_NONE;
}

/* So much of the content stays away. */
static void skip(struct smtp_job *job, str original)
{
    job->skip = original.n;
    job->skip_lines = job->envelope.flags & QUEUE_BINARY ? 0 : crlf_lines(original);
}

/* A next hop that knows no priorities reads of it in the header, which may have it already. One that says
 * something else there is replaced (RFC 6758 §3.3). */
static void put_priority(struct smtp_job *job, struct buf *out, struct arena *a)
{
    const struct queue_envelope *v = &job->envelope;
    bool changed = job->changed.p != NULL;
    str original = changed                           ? job->changed
                   : v->flags & QUEUE_PRIORITY_OTHER ? smtp_message_header(job, a)
                                                     : STR_NONE;
    if (!changed)
        skip(job, original);
    buf_puts(out, changed ? STR_NONE : v->trace);
    if (!(v->flags & QUEUE_PRIORITY_FIELD) || original.n > 0)
        buf_printf(out, "MT-Priority: %d\n", v->priority);
    if (original.n == 0)
        return;
    AUTO(buf_deinit) struct buf others = BUF_INIT(SMTP_HEADER_MAX);
    struct crlf_state state = {.last_cr = false};
    header_put_others(&others, original, S("MT-Priority"));
    if (v->flags & QUEUE_BINARY)
        crlf_decode(&state, out, buf_str(&others));
    else
        buf_puts(out, buf_str(&others));
    if (str_ends(original, S("\n\n")) || str_ends(original, S("\n\r\n")))
        buf_putc(out, '\n');
}

static str header_for(const struct smtp_client *client, struct smtp_job *job, struct arena *a)
{
    unsigned flags = job->envelope.flags;
    bool tells = flags & QUEUE_HAS_PRIORITY && !ehlo_has(smtp_client_offers(client), EHLO_MT_PRIORITY);
    str plain = job->changed.p ? job->changed : job->envelope.trace;
    skip(job, job->changed.p ? str_sub(smtp_message_header(job, a), 0, job->changed_bytes) : STR_NONE);
    if (!tells || (flags & QUEUE_PRIORITY_FIELD && !(flags & QUEUE_PRIORITY_OTHER)))
        return plain;
    AUTO(buf_deinit) struct buf out = BUF_INIT(QUEUE_TRACE_MAX + 2 * SMTP_HEADER_MAX + 64);
    put_priority(job, &out, a);
    str header = arena_str(a, buf_str(&out));
    if (header.p)
        return header;
    if (!job->changed.p)
        skip(job, STR_NONE); /* no memory: as it is */
    return plain;
}

/* Binary content goes as it is, and so does what stands in front of it. */
static str on_the_wire(str header, struct arena *a)
{
    AUTO(buf_deinit) struct buf wire = BUF_INIT(2 * (QUEUE_TRACE_MAX + SMTP_HEADER_MAX) + 64);
    struct crlf_state state = {.last_cr = false};
    crlf_encode(&state, &wire, header);
    return arena_str(a, buf_str(&wire));
}

static enum smtp_client_content content_of(const struct smtp_worker *w, const struct queue_envelope *v)
{
    bool stays = w->conf->disable_mime_output_conversion &&
                 !ehlo_has(smtp_client_offers(w->conn.client), EHLO_8BITMIME);
    return v->flags & QUEUE_BINARY           ? SMTP_CONTENT_BINARY
           : v->flags & QUEUE_8BIT && !stays ? SMTP_CONTENT_8BIT
                                             : SMTP_CONTENT_7BIT;
}

static void fill_rcpt(const struct queue_rcpt *from, str address, struct smtp_client_rcpt *ret)
{
    str orcpt = from->orcpt;
    *ret = (struct smtp_client_rcpt){.address = address, .notify = from->notify};
    if (str_chr(orcpt, ';') >= 0) {
        ret->orcpt_type = str_take(&orcpt, ';');
        ret->orcpt = orcpt;
    }
}

/* Of "name[address]", what is known. */
static struct smtp_client_origin origin_of(const struct queue_envelope *v)
{
    str address = v->client, name = str_take(&address, '[');
    struct ip_net ip;
    struct smtp_client_origin from = {.id = v->id};
    address = str_sub(address, 0, address.n > 0 ? address.n - 1 : 0);
    from.local = ip_parse(address, &ip) != RC_OK;
    if (from.local)
        return from;
    from.address = address;
    if (!str_eq(name, S("unknown")))
        from.name = name;
    return from;
}

void smtp_message_fill(const struct smtp_worker *w, struct smtp_job *job, const size_t *open, size_t n,
                       struct smtp_client_message *ret, struct smtp_client_rcpt *rcpts)
{
    const struct queue_envelope *v = &job->envelope;
    job->header = header_for(w->conn.client, job, w->arena);
    uint64_t size = v->size - job->skip;
    /* without priority it has 0 (RFC 6710 §4.2, RFC 6758 §3.2) */
    *ret = (struct smtp_client_message){
        .origin = origin_of(v),
        .sender = job->sender,
        .size_bytes = size + v->lines - job->skip_lines + job->header.n + crlf_lines(job->header),
        .content = content_of(w, v),
        .smtputf8 = v->flags & QUEUE_UTF8,
        .probe = v->flags & QUEUE_PROBE,
        .requiretls = says_requiretls(w->conn.client, v),
        .has_priority = true,
        .priority = v->priority,
        .by_mode = by_mode(v),
        .by_trace = v->flags & QUEUE_BY_TRACE,
        .by_seconds = seconds_left(v->deliver_by),
        .ret = (int)v->ret,
        .envid = v->envid.n ? v->envid : STR_NONE,
        .header = v->flags & QUEUE_BINARY ? on_the_wire(job->header, w->arena) : job->header,
        .body = str_from(job->content, job->skip),
        .fd = job->content_fd,
        .body_offset = job->skip,
        .body_bytes = size,
        .rcpts = rcpts,
        .n_rcpts = n};
    for (size_t i = 0; i < n; i++)
        fill_rcpt(&v->rcpts[open[i]], job->rcpts[open[i]], &rcpts[i]);
}
