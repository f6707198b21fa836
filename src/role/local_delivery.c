/* Recipients are grouped by Unix uid; each group is prepared at the deliver process of its uid and committed
 * once all groups are prepared. */
#include "role/local_delivery.h"

#include "base/log.h"
#include "base/map.h"
#include "fmt/received.h"
#include "os/file.h"
#include "role/deliver_msg.h"
#include "role/ipc.h"

#include <pthread.h>
#include <unistd.h>

/* --- one pool of channels per uid --- */

struct uid_pool {
    uid_t uid;
    struct channel_pool *pool;
    unsigned users;
    msec last_used;
    struct uid_pool *next;
};

struct deliver_pools {
    pthread_mutex_t lock;
    struct uid_pool *list;
};

struct deliver_pools *deliver_pools_new(void)
{
    struct deliver_pools *d = calloc(1, sizeof *d);
    must(d && pthread_mutex_init(&d->lock, NULL) == 0);
    return d;
}

static struct uid_pool *pool_acquire(struct deliver_pools *d, uid_t uid, const struct conf *c)
{
    pthread_mutex_lock(&d->lock);
    struct uid_pool *p = d->list;
    while (p && p->uid != uid)
        p = p->next;
    if (!p) {
        p = calloc(1, sizeof *p);
        must(p);
        p->uid = uid;
        p->pool = channel_pool_new((unsigned)c->deliver_threads, 0);
        p->next = d->list;
        d->list = p;
    }
    p->users++;
    pthread_mutex_unlock(&d->lock);
    return p;
}

static void pool_leave(struct deliver_pools *d, struct uid_pool *p)
{
    pthread_mutex_lock(&d->lock);
    p->users--;
    p->last_used = clock_mono();
    pthread_mutex_unlock(&d->lock);
}

/* The pool itself stays (a few bytes per uid); its channels and link are what keeps the deliver process
 * alive. */
void deliver_pools_expire(struct deliver_pools *d, msec idle_ms)
{
    pthread_mutex_lock(&d->lock);
    for (struct uid_pool *p = d->list; p; p = p->next)
        if (p->users == 0 && p->last_used + idle_ms < clock_mono() && channel_pool_has_link(p->pool))
            channel_pool_set_link(p->pool, -1);
    pthread_mutex_unlock(&d->lock);
}

void deliver_pools_forget(struct deliver_pools *d)
{
    pthread_mutex_lock(&d->lock);
    for (struct uid_pool *p = d->list; p; p = p->next)
        channel_pool_set_link(p->pool, -1);
    pthread_mutex_unlock(&d->lock);
}

/* Asks mailbox for a link to the deliver process of this account's uid. */
static enum rc fetch_link(const struct local_env *env, struct uid_pool *p, str account, struct err *e)
{
    struct ipc_msg m;
    struct err answer = {0};
    ipc_begin(env->ipc, MSG_DELIVER_LINK);
    ipc_put_str(env->ipc, account);
    ipc_put_u32(env->ipc, p->uid);
    if (channel_pool_call(env->mailbox, env->ipc, NULL, 0, MSG_DELIVER_LINK_REPLY, &m,
                          clock_mono() + LOCAL_IPC_TIMEOUT_MS) != RC_OK) {
        err_note(e, "mailbox does not answer");
        return RC_TEMP;
    }
    ipc_get_err(&m, &answer);
    if (answer.rc == RC_OK)
        channel_pool_set_link(p->pool, ipc_take_fd(&m));
    else
        *e = answer;
    ipc_msg_deinit(&m);
    return answer.rc;
}

/* A channel to the deliver process. A process that died is found out here, and another one asked for. */
static enum rc take_channel(const struct local_env *env, struct uid_pool *p, str account, msec deadline,
                            struct channel **ret, struct err *e)
{
    (void)err_set(e, RC_TEMP, 451, "4.3.0", "Mailbox is temporarily unavailable");
    for (int attempt = 0; attempt < 3; attempt++) {
        if (!channel_pool_has_link(p->pool)) {
            enum rc rc = fetch_link(env, p, account, e);
            if (rc == RC_PERM)
                return rc;
            if (rc != RC_OK)
                continue;
        }
        if (channel_take(p->pool, ret, deadline) == RC_OK)
            return RC_OK;
    }
    err_note(e, "deliver does not answer");
    return RC_TEMP;
}

/* --- room --- */

enum { ROOM_TIMEOUT_MS = 5000 }; /* then whoever delivers finds out */

enum rc local_room(const struct local_env *env, const struct smtp_target *target, uint64_t bytes,
                   struct err *e)
{
    struct channel *channel = NULL;
    struct ipc_msg m;
    struct err answer = {.rc = RC_TEMP};
    msec deadline = clock_mono() + ROOM_TIMEOUT_MS;
    struct uid_pool *p = pool_acquire(env->pools, target->uid, env->conf);
    enum rc rc = take_channel(env, p, target->account, deadline, &channel, e);
    if (rc == RC_OK) {
        ipc_begin(env->ipc, MSG_DELIVER_ROOM);
        ipc_put_str(env->ipc, target->account);
        ipc_put_u64(env->ipc, bytes);
        rc = channel_call(channel, env->ipc, NULL, 0, MSG_DELIVER_REPLY, &m, deadline);
        if (rc == RC_OK) {
            if (ipc_get_u32(&m) == 1)
                ipc_get_err(&m, &answer);
            rc = ipc_end(&m);
            ipc_msg_deinit(&m);
        }
        channel_release(&channel, rc != RC_OK);
        if (rc == RC_OK && answer.rc != RC_OK)
            *e = answer;
    }
    pool_leave(env->pools, p);
    return rc == RC_OK ? answer.rc : RC_TEMP;
}

/* --- one message --- */

struct group { /* the recipients of one uid */
    uid_t uid;
    struct uid_pool *pool;
    struct channel *channel;
    size_t *rcpt, n; /* indexes into the delivery's recipients */
    bool failed;     /* its channel broke: what it had prepared is aborted */
};

struct local_delivery {
    const struct local_env *env;
    struct smtp_delivery *d;
    struct group *groups;
    size_t n_groups;
    str inlined;    /* small content, sent in the message itself */
    int content;    /* otherwise its descriptor, else -1 */
    bool own;       /* the descriptor is ours to close */
    bool at_once;   /* prepared and committed in one */
    bool committed; /* local_commit was called */
    msec deadline;
};

/* deliver commits nothing in the last moments before we give up on it, so that a 451 stays true. */
enum { COMMIT_MARGIN_MS = 2000, HEAD_MAX = 4096 };

static void fail_rcpt(struct smtp_delivery_rcpt *r, const struct err *e)
{
    r->result = *e;
    if (r->result.rc == RC_OK)
        r->result.rc = RC_TEMP;
}

static void fail_group(struct local_delivery *t, struct group *g, const struct err *e)
{
    g->failed = true;
    for (size_t i = 0; i < g->n; i++)
        if (t->d->rcpts[g->rcpt[i]].result.rc == RC_OK)
            fail_rcpt(&t->d->rcpts[g->rcpt[i]], e);
}

static int by_uid(const void *a, const void *b)
{
    const struct group *x = a, *y = b;
    return (x->uid > y->uid) - (x->uid < y->uid);
}

/* Sorted by uid: two messages to the same uids take their channels in the same order and cannot wait for each
 * other. */
static void make_groups(struct local_delivery *t)
{
    struct smtp_delivery *d = t->d;
    t->groups = calloc(d->n, sizeof *t->groups);
    must(t->groups);
    for (size_t i = 0; i < d->n; i++) {
        size_t g = 0;
        while (g < t->n_groups && t->groups[g].uid != d->rcpts[i].target->uid)
            g++;
        struct group *group = &t->groups[g];
        if (g == t->n_groups) {
            t->n_groups++;
            group->uid = d->rcpts[i].target->uid;
            group->rcpt = calloc(d->n, sizeof *group->rcpt);
            must(group->rcpt);
        }
        group->rcpt[group->n++] = i;
        d->rcpts[i].result = (struct err){0};
    }
    qsort(t->groups, t->n_groups, sizeof *t->groups, by_uid);
}

static enum rc broken_channel(struct err *e)
{
    (void)err_set(e, RC_TEMP, 451, "4.3.0", "Mailbox is temporarily unavailable");
    err_note(e, "deliver ended or did not answer in time");
    return RC_TEMP;
}

/* DELIVER_REPLY: the results of recipients [from, from+n) of the group, in order. */
static enum rc read_results(struct local_delivery *t, struct group *g, size_t from, size_t n,
                            struct ipc_msg *m, struct err *e)
{
    enum rc rc = ipc_get_u32(m) == n ? RC_OK : RC_INVALID;
    for (size_t i = from; rc == RC_OK && i < from + n; i++) {
        struct err result;
        ipc_get_err(m, &result);
        if (result.rc != RC_OK)
            t->d->rcpts[g->rcpt[i]].result = result;
    }
    if (rc != RC_OK || ipc_end(m) != RC_OK)
        rc = broken_channel(e);
    ipc_msg_deinit(m);
    return rc;
}

/* Prepares recipients [from, from+n) of a group. */
static enum rc prepare_batch(struct local_delivery *t, struct group *g, size_t from, size_t n,
                             enum deliver_commit commit, struct err *e)
{
    struct buf *b = t->env->ipc;
    AUTO(buf_deinit) struct buf head = BUF_INIT(HEAD_MAX);
    struct ipc_msg m;
    ipc_begin(b, MSG_DELIVER_PREPARE);
    ipc_put_str(b, t->d->id);
    ipc_put_u32(b, commit);
    ipc_put_u32(b, t->d->again ? 1 : 0);
    ipc_put_u64(b, (uint64_t)(t->deadline - COMMIT_MARGIN_MS));
    ipc_put_str(b, t->d->trace);
    ipc_put_u64(b, t->d->content_bytes);
    ipc_put_u64(b, t->d->content_lines);
    ipc_put_str(b, t->inlined);
    ipc_put_u32(b, (uint32_t)n);
    for (size_t i = from; i < from + n; i++) {
        const struct smtp_delivery_rcpt *r = &t->d->rcpts[g->rcpt[i]];
        buf_reset(&head);
        received_put_return_path(&head, r->sender);
        if (r->delivered_to.n)
            received_put_delivered_to(&head, r->delivered_to);
        ipc_put_str(b, r->target->account);
        ipc_put_str(b, r->target->address);
        ipc_put_str(b, buf_str(&head));
    }
    if (channel_call(g->channel, b, &t->content, t->content >= 0 ? 1 : 0, MSG_DELIVER_REPLY, &m,
                     t->deadline) != RC_OK)
        return broken_channel(e);
    return read_results(t, g, from, n, &m, e);
}

static void prepare_group(struct local_delivery *t, struct group *g, enum deliver_commit how)
{
    struct err e = {0};
    g->pool = pool_acquire(t->env->pools, g->uid, t->env->conf);
    enum rc rc = take_channel(t->env, g->pool, t->d->rcpts[g->rcpt[0]].target->account,
                              clock_mono() + LOCAL_IPC_TIMEOUT_MS, &g->channel, &e);
    for (size_t from = 0; rc == RC_OK && from < g->n; from += DELIVER_BATCH_MAX) {
        size_t n = g->n - from < DELIVER_BATCH_MAX ? g->n - from : DELIVER_BATCH_MAX;
        rc = prepare_batch(t, g, from, n, how, &e);
    }
    if (rc != RC_OK)
        fail_group(t, g, &e);
}

/* COMMIT or ABORT of what the group's channel holds. */
static void finish_group(struct local_delivery *t, struct group *g, enum ipc_type how,
                         enum deliver_commit kind)
{
    struct buf *b = t->env->ipc;
    struct ipc_msg m;
    struct err e = {0};
    if (g->failed || !g->channel)
        return;
    ipc_begin(b, (uint16_t)how);
    if (how == MSG_DELIVER_COMMIT) {
        ipc_put_u32(b, kind);
        ipc_put_u64(b, (uint64_t)(t->deadline - COMMIT_MARGIN_MS));
    }
    enum rc rc = channel_call(g->channel, b, NULL, 0, MSG_DELIVER_REPLY, &m, t->deadline);
    if (rc != RC_OK)
        rc = broken_channel(&e);
    else if (how == MSG_DELIVER_COMMIT)
        rc = read_results(t, g, 0, g->n, &m, &e);
    else
        ipc_msg_deinit(&m);
    if (rc != RC_OK)
        fail_group(t, g, &e);
}

/* Small content for few recipients goes in the message; else in a descriptor. */
static enum rc open_content(struct local_delivery *t, str content, int fd)
{
    t->content = fd;
    if (fd >= 0)
        return RC_OK;
    if (content.n <= DELIVER_INLINE_MAX && t->d->n <= DELIVER_INLINE_RCPTS) {
        t->inlined = content;
        return RC_OK;
    }
    t->content = ipc_memfd("malle-message", content);
    t->own = t->content >= 0;
    return t->own ? RC_OK : RC_TEMP;
}

enum rc local_prepare(const struct local_env *env, struct smtp_delivery *d, str content, int content_fd,
                      enum deliver_commit how, struct local_delivery **ret)
{
    struct local_delivery *t = calloc(1, sizeof *t);
    must(t);
    *t =
        (struct local_delivery){.env = env, .d = d, .deadline = clock_mono() + env->conf->deliver_timeout_ms};
    if (open_content(t, content, content_fd) != RC_OK) {
        free(t);
        return RC_TEMP;
    }
    make_groups(t);
    t->at_once = how != DELIVER_HOLD && t->n_groups == 1 && d->n <= DELIVER_BATCH_MAX;
    for (size_t i = 0; i < t->n_groups; i++)
        prepare_group(t, &t->groups[i], t->at_once ? how : DELIVER_HOLD);
    *ret = t;
    return RC_OK;
}

bool local_is_committed(const struct local_delivery *t)
{
    return t->at_once;
}

bool local_all_fine(const struct smtp_delivery *d)
{
    for (size_t i = 0; i < d->n; i++)
        if (d->rcpts[i].result.rc != RC_OK)
            return false;
    return true;
}

void local_commit(struct local_delivery *t, enum deliver_commit how)
{
    t->committed = true;
    for (size_t i = 0; i < t->n_groups; i++) {
        /* after a failed commit the groups that follow are aborted */
        bool go = how == DELIVER_COMMIT_EACH || local_all_fine(t->d);
        finish_group(t, &t->groups[i], go ? MSG_DELIVER_COMMIT : MSG_DELIVER_ABORT, how);
    }
}

struct local_delivery *local_end(struct local_delivery *t)
{
    for (size_t i = 0; t && i < t->n_groups; i++) {
        struct group *g = &t->groups[i];
        channel_release(&g->channel, g->failed || (!t->at_once && !t->committed));
        if (g->pool)
            pool_leave(t->env->pools, g->pool);
        free(g->rcpt);
    }
    if (t) {
        free(t->groups);
        if (t->own)
            close(t->content);
    }
    free(t);
    return NULL;
}
