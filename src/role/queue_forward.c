/* A user's .forward: the role `command` reads it as the user, and here its addresses become recipients. What
 * goes to another address is a message of its own with this one's Delivered-To in front, by which a circle of
 * forwarders is known when it closes. */
#include "fmt/header.h"
#include "role/ipc.h"
#include "role/queue_command.h"

#include <unistd.h>

enum { HEADER_MAX = 64 << 10 };

struct forwarding {
    struct command_work *k;
    const struct queue_rcpt *rcpt;
    const struct via *user;
    str head;  /* Delivered-To */
    bool full; /* a report takes no more of its recipients */
    struct err *e;
};

/* --- circles --- */

/* Whether a Delivered-To names the address, and how many there are until then. */
static bool names(str block, str address, int *count)
{
    struct header_field f;
    struct header_iter it = header_iter(block);
    while (header_next(&it, &f)) {
        if (!str_ieq(f.name, S("Delivered-To")))
            continue;
        if (str_ieq(str_trim(f.value), address))
            return true;
        ++*count;
    }
    return false;
}

/* RC_PERM: the message was at this address, or went on so often that it will not end. */
static enum rc check_circle(const struct forwarding *f)
{
    const struct command_work *k = f->k;
    const struct queue_envelope *v = &k->job.envelope;
    char room[HEADER_MAX];
    int hops = 0;
    str start = str_sub(k->job.content, 0, sizeof room);
    if (k->job.content_fd >= 0) {
        ssize_t n = pread(k->job.content_fd, room, sizeof room, 0);
        if (n < 0)
            return err_set(f->e, RC_TEMP, 451, "4.3.0", "the content cannot be read");
        start = str_mem(room, (size_t)n);
    }
    if (names(v->trace, f->rcpt->address, &hops) || names(start, f->rcpt->address, &hops) ||
        hops >= k->conf->hop_count_limit || f->head.n + v->trace.n > QUEUE_TRACE_MAX)
        return err_set(f->e, RC_PERM, 554, "5.4.6", "mail forwarding loop for " STR_FMT,
                       STR_ARG(f->rcpt->address));
    return RC_OK;
}

/* --- recipients --- */

static bool same(const struct queue_rcpt *a, const struct queue_rcpt *b)
{
    return a->local == b->local && str_eq(a->address, b->address) && str_eq(a->via, b->via) &&
           str_eq(a->sender, b->sender) && str_eq(a->head, b->head);
}

bool queue_command_add(struct command_work *k, const struct queue_rcpt *r)
{
    for (size_t i = 0; i < k->n_added; i++)
        if (same(&k->added[i], r))
            return true;
    if (k->n_added == QUEUE_RCPTS_MAX || arena_exhausted(k->arena))
        return false;
    if (k->n_added == k->added_room) {
        struct queue_rcpt *list = arena_grow(k->arena, k->added, k->n_added, sizeof *list);
        if (!list)
            return false;
        k->added = list;
        k->added_room = k->n_added < 4 ? 8 : 2 * k->n_added;
    }
    k->added[k->n_added++] = *r;
    return true;
}

static void add(struct forwarding *f, const struct queue_rcpt *r)
{
    f->full = f->full || !queue_command_add(f->k, r);
}

/* In the same message. */
static void add_via(struct forwarding *f, const struct via *v)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(VIA_MAX + 64);
    struct queue_rcpt r = *f->rcpt;
    via_put(&text, v);
    r.n = 0;
    r.local = r.resolved = true;
    r.via = arena_str(f->k->arena, buf_str(&text));
    add(f, &r);
}

static void add_own(struct forwarding *f)
{
    struct via own = *f->user;
    own.kind = VIA_MAILBOX;
    add_via(f, &own);
}

/* In a message of its own. t: what auth says of it; NULL: not yet. */
static void add_other(struct forwarding *f, str address, const struct smtp_target *t, str sender)
{
    struct queue_rcpt r = *f->rcpt;
    r.n = 0;
    r.was = (struct queue_history){.attempts = 0};
    r.orig = r.orig.n > 0 ? r.orig : r.address;
    r.address = arena_str(f->k->arena, address);
    r.via = t ? t->via : STR_NONE;
    r.local = !t || !t->remote;
    r.resolved = t && !t->remote;
    r.sender = sender;
    r.head = f->head;
    add(f, &r);
}

static enum rc add_remote(struct forwarding *f, str address, str owner)
{
    struct command_work *k = f->k;
    enum rc rc = owner.n > 0 ? RC_OK
                             : queue_find_forwarded(k->server, k->ipc, k->job.envelope.sender, k->arena,
                                                    &k->forwarded, f->e);
    if (rc == RC_OK)
        add_other(f, address, &(struct smtp_target){.remote = true}, owner.n > 0 ? owner : k->forwarded);
    return rc;
}

/* Where one address of the .forward leads; what cannot be said of it now is said of it later, alone. */
static enum rc follow(struct forwarding *f, const struct command_target *t)
{
    struct command_work *k = f->k;
    struct smtp_target *targets = NULL;
    struct err why = {0};
    str address = t->address;
    size_t n = 0;
    ptrdiff_t at = str_rchr(f->rcpt->address, '@');
    bool bare = str_chr(address, '@') < 0;
    if ((bare && str_eq(address, f->user->name)) || str_ieq(address, f->rcpt->address)) {
        add_own(f);
        return RC_OK;
    }
    if (bare && at >= 0)
        address = arena_printf(k->arena, STR_FMT STR_FMT, STR_ARG(address),
                               STR_ARG(str_from(f->rcpt->address, (size_t)at)));
    enum rc rc = queue_resolve(k->server, k->ipc, address, k->arena, &targets, &n, &why);
    if (rc == RC_GONE)
        return add_remote(f, address, STR_NONE);
    if (rc != RC_OK) {
        add_other(f, address, NULL, STR_NONE);
        return RC_OK;
    }
    for (size_t i = 0; rc == RC_OK && i < n; i++) {
        str owner = k->job.envelope.sender.n > 0 ? targets[i].sender : STR_NONE;
        if (targets[i].remote)
            rc = add_remote(f, targets[i].address, owner);
        else if (str_eq(targets[i].account, f->user->name))
            add_own(f);
        else
            add_other(f, targets[i].address, &targets[i], owner);
    }
    return rc;
}

static enum rc take(struct forwarding *f, const struct command_target *t)
{
    if (t->kind == ALIAS_ADDRESS)
        return follow(f, t);
    const struct via v = {.kind = VIA_FORWARD,
                          .uid = f->user->uid,
                          .n = t->position,
                          .hash = t->hash,
                          .name = f->user->name,
                          .tag = f->user->tag};
    add_via(f, &v);
    return RC_OK;
}

/* RC_GONE: he has none. */
static enum rc ask(struct forwarding *f, struct command_target **ret, size_t *ret_n)
{
    struct command_work *k = f->k;
    struct ipc_msg m;
    struct err answer = {0};
    ipc_begin(k->ipc, MSG_COMMAND_EXPAND);
    ipc_put_str(k->ipc, f->rcpt->via);
    if (channel_pool_ask(k->server->command, k->ipc, MSG_COMMAND_TARGETS, &m,
                         clock_mono() + LOCAL_IPC_TIMEOUT_MS) != RC_OK)
        return err_set(f->e, RC_TEMP, 451, "4.3.0", "the recipient's forwarding cannot be read now");
    enum rc rc = command_targets_get(&m, k->arena, &answer, ret, ret_n);
    ipc_msg_deinit(&m);
    if (rc != RC_OK)
        return err_set(f->e, RC_TEMP, 451, "4.3.0", "the recipient's forwarding cannot be read now");
    if (answer.rc != RC_OK)
        *f->e = answer;
    return answer.rc;
}

static enum rc forward(struct forwarding *f)
{
    struct command_target *t = NULL;
    size_t n = 0;
    enum rc rc = check_circle(f);
    if (rc == RC_OK)
        rc = ask(f, &t, &n);
    for (size_t i = 0; i < n && rc == RC_OK && !f->full; i++)
        rc = take(f, &t[i]);
    return rc;
}

bool queue_forward(struct command_work *k, size_t i, const struct via *v)
{
    const struct queue_rcpt *r = &k->job.envelope.rcpts[i];
    struct queue_outcome *o = &k->outcomes[i];
    struct err e = {0};
    struct forwarding f = {.k = k, .rcpt = r, .user = v, .e = &e};
    size_t before = k->n_added;
    f.head = arena_printf(k->arena, "Delivered-To: " STR_FMT "\n", STR_ARG(r->address));
    *o = (struct queue_outcome){.rcpt = r->n, .result = QUEUE_NOT_TRIED, .status = S("2.0.0")};
    if (before == QUEUE_RCPTS_MAX || arena_exhausted(k->arena)) /* for the next job */
        return true;
    enum rc rc = forward(&f);
    if (f.full || arena_exhausted(k->arena)) {
        k->n_added = before;
        if (before == 0)
            *o = (struct queue_outcome){.rcpt = r->n,
                                        .result = QUEUE_FAILED,
                                        .code = 550,
                                        .status = S("5.3.5"),
                                        .reply = S("the recipient's forwarding is too large")};
        return true;
    }
    if (rc == RC_OK && k->n_added > before) {
        *o = (struct queue_outcome){
            .rcpt = o->rcpt, .result = QUEUE_EXPANDED, .status = S("2.0.0"), .reply = S("forwarded")};
        return true;
    }
    k->n_added = before;
    if (rc == RC_OK || rc == RC_GONE)
        return false;
    queue_set_outcome(o, rc == RC_PERM ? QUEUE_FAILED : QUEUE_DEFERRED, &e, k->arena);
    return true;
}
