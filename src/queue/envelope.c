/* An envelope as bytes: the encoding of messages between roles (os/ipc.h), without their limit on size. */
#include "fmt/via.h"
#include "os/ipc.h"
#include "queue/queue.h"

enum { ADDRESS_MAX_BYTES = 1024, TEXT_MAX = 1024, ORCPT_MAX = 600 };

void queue_envelope_put(struct buf *b, const struct queue_envelope *v)
{
    ipc_put_str(b, v->id);
    ipc_put_str(b, v->sender);
    ipc_put_str(b, v->envid);
    ipc_put_u32(b, v->ret);
    ipc_put_u32(b, v->flags);
    ipc_put_str(b, v->account);
    ipc_put_str(b, v->client);
    ipc_put_str(b, v->message_id);
    ipc_put_u64(b, (uint64_t)v->arrived);
    ipc_put_u64(b, (uint64_t)v->expires);
    ipc_put_u64(b, (uint64_t)v->hold_until);
    ipc_put_u64(b, (uint64_t)v->deliver_by);
    ipc_put_u32(b, (uint32_t)(v->priority + QUEUE_PRIORITY_MAX));
    ipc_put_u64(b, v->size);
    ipc_put_u64(b, v->lines);
    ipc_put_str(b, v->trace);
    ipc_put_u32(b, (uint32_t)v->n);
    for (size_t i = 0; i < v->n; i++) {
        const struct queue_rcpt *r = &v->rcpts[i];
        ipc_put_u64(b, (uint64_t)r->n);
        ipc_put_str(b, r->address);
        ipc_put_str(b, r->orig);
        ipc_put_str(b, r->sender);
        ipc_put_str(b, r->orcpt);
        ipc_put_u32(b, r->notify);
        ipc_put_u32(b, r->local ? (r->resolved ? 2 : 1) : 0);
        ipc_put_str(b, r->via);
    }
}

static void get_rcpt(struct ipc_msg *m, struct arena *a, struct queue_rcpt *r)
{
    r->n = (int64_t)ipc_get_u64(m);
    r->address = arena_str(a, ipc_get_str(m, ADDRESS_MAX_BYTES));
    r->orig = arena_str(a, ipc_get_str(m, ADDRESS_MAX_BYTES));
    r->sender = arena_str(a, ipc_get_str(m, ADDRESS_MAX_BYTES));
    r->orcpt = arena_str(a, ipc_get_str(m, ORCPT_MAX));
    r->notify = ipc_get_u32(m);
    uint32_t here = ipc_get_u32(m);
    r->local = here > 0;
    r->resolved = here == 2;
    r->via = arena_str(a, ipc_get_str(m, VIA_MAX));
}

/* What auth says of a recipient or a setting of his mail, and nothing that only .forward of a user leads to.
 */
static bool is_via(const struct queue_rcpt *r)
{
    struct via v;
    if (r->via.n == 0)
        return true;
    return via_parse(r->via, &v) == RC_OK &&
           (v.kind == VIA_FILTER ||
            (r->local && (v.kind == VIA_USER || v.kind == VIA_ALIAS || v.kind == VIA_TRANSPORT)));
}

enum rc queue_envelope_get(str bytes, struct arena *a, struct queue_envelope *ret)
{
    struct ipc_msg m = {.fields = bytes};
    struct queue_envelope v = {.id = arena_str(a, ipc_get_str(&m, QUEUE_ID_MAX))};
    v.sender = arena_str(a, ipc_get_str(&m, ADDRESS_MAX_BYTES));
    v.envid = arena_str(a, ipc_get_str(&m, TEXT_MAX));
    v.ret = ipc_get_u32(&m);
    v.flags = ipc_get_u32(&m);
    v.account = arena_str(a, ipc_get_str(&m, ADDRESS_MAX_BYTES));
    v.client = arena_str(a, ipc_get_str(&m, TEXT_MAX));
    v.message_id = arena_str(a, ipc_get_str(&m, TEXT_MAX));
    v.arrived = (int64_t)ipc_get_u64(&m);
    v.expires = (int64_t)ipc_get_u64(&m);
    v.hold_until = (int64_t)ipc_get_u64(&m);
    v.deliver_by = (int64_t)ipc_get_u64(&m);
    uint32_t priority = ipc_get_u32(&m);
    v.priority = (int)(priority % 100) - QUEUE_PRIORITY_MAX;
    v.size = ipc_get_u64(&m);
    v.lines = ipc_get_u64(&m);
    v.trace = arena_str(a, ipc_get_str(&m, QUEUE_TRACE_MAX));
    uint32_t n = ipc_get_u32(&m);
    if (m.malformed || priority > 2 * QUEUE_PRIORITY_MAX || n == 0 || n > QUEUE_RCPTS_MAX || v.id.n == 0)
        return RC_INVALID;
    v.rcpts = arena_array(a, n, sizeof *v.rcpts);
    bool vias = true;
    for (; v.rcpts && v.n < n; v.n++) {
        get_rcpt(&m, a, &v.rcpts[v.n]);
        vias &= is_via(&v.rcpts[v.n]);
    }
    if (!v.rcpts || arena_exhausted(a) || ipc_end(&m) != RC_OK || !vias)
        return RC_INVALID;
    *ret = v;
    return RC_OK;
}
