#include "role/command_msg.h"

#include "fmt/aliases.h"
#include "fmt/via.h"
#include "role/ipc.h"

enum { ID_MAX = 63 };

void command_request_put(struct buf *b, const struct command_request *q)
{
    ipc_begin(b, MSG_COMMAND_RUN);
    ipc_put_u32(b, q->pipe);
    ipc_put_str(b, q->name);
    ipc_put_str(b, q->nexthop);
    ipc_put_str(b, q->id);
    ipc_put_str(b, q->sender);
    ipc_put_str(b, q->client);
    ipc_put_str(b, q->trace);
    ipc_put_str(b, q->account);
    ipc_put_str(b, q->envid);
    ipc_put_u64(b, q->size);
    ipc_put_u64(b, (uint64_t)q->arrived);
    ipc_put_u32(b, (uint32_t)q->n);
    for (size_t i = 0; i < q->n; i++) {
        ipc_put_str(b, q->rcpts[i].address);
        ipc_put_str(b, q->rcpts[i].orig);
    }
}

enum rc command_request_get(struct ipc_msg *m, struct command_request *ret)
{
    struct command_request q = {.pipe = ipc_get_u32(m) == 1};
    q.name = ipc_get_str(m, VIA_MAX);
    q.nexthop = ipc_get_str(m, COMMAND_ADDRESS_MAX);
    q.id = ipc_get_str(m, ID_MAX);
    q.sender = ipc_get_str(m, COMMAND_TEXT_MAX);
    q.client = ipc_get_str(m, COMMAND_TEXT_MAX);
    q.trace = ipc_get_str(m, COMMAND_TRACE_MAX);
    q.account = ipc_get_str(m, COMMAND_ADDRESS_MAX);
    q.envid = ipc_get_str(m, COMMAND_TEXT_MAX);
    q.size = ipc_get_u64(m);
    q.arrived = (int64_t)ipc_get_u64(m);
    uint32_t n = ipc_get_u32(m);
    for (; q.n < n && q.n < PIPE_RCPTS_MAX; q.n++) {
        q.rcpts[q.n].address = ipc_get_str(m, COMMAND_ADDRESS_MAX);
        q.rcpts[q.n].orig = ipc_get_str(m, COMMAND_ADDRESS_MAX);
    }
    q.content_fd = ipc_take_fd(m);
    *ret = q;
    return n > 0 && n == q.n && q.id.n > 0 && (q.pipe || n == 1) ? ipc_end(m) : RC_INVALID;
}

void command_targets_put(struct buf *b, const struct err *e, const struct command_target *t, size_t n)
{
    ipc_begin(b, MSG_COMMAND_TARGETS);
    ipc_put_err(b, e);
    ipc_put_u32(b, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        ipc_put_u32(b, t[i].kind);
        ipc_put_u32(b, t[i].final);
        ipc_put_u32(b, t[i].position);
        ipc_put_u64(b, t[i].hash);
        ipc_put_str(b, t[i].address);
    }
}

static bool is_known(const struct command_target *t)
{
    return t->kind == ALIAS_ADDRESS ? t->address.n > 0 : t->kind == ALIAS_COMMAND || t->kind == ALIAS_FILE;
}

enum rc command_targets_get(struct ipc_msg *m, struct arena *a, struct err *ret_e,
                            struct command_target **ret, size_t *ret_n)
{
    ipc_get_err(m, ret_e);
    uint32_t n = ipc_get_u32(m);
    if (n > COMMAND_TARGETS_MAX)
        return RC_INVALID;
    struct command_target *t = arena_array(a, n ? n : 1, sizeof *t);
    bool known = t != NULL;
    for (uint32_t i = 0; t && i < n; i++) {
        t[i].kind = ipc_get_u32(m);
        t[i].final = ipc_get_u32(m) == 1;
        t[i].position = ipc_get_u32(m);
        t[i].hash = ipc_get_u64(m);
        t[i].address = arena_str(a, ipc_get_str(m, COMMAND_ADDRESS_MAX));
        known &= is_known(&t[i]);
    }
    if (ipc_end(m) != RC_OK || !known || arena_exhausted(a))
        return RC_INVALID;
    *ret = t;
    *ret_n = n;
    return RC_OK;
}

void command_done_put(struct buf *b, const struct err *e, str text)
{
    ipc_begin(b, MSG_COMMAND_DONE);
    ipc_put_err(b, e);
    ipc_put_str(b, str_sub(text, 0, COMMAND_REPLY_MAX));
}
