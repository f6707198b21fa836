/* Recipients that take the place of others: what an address of ours led to when its turn came, or what goes
 * another way by now. They keep what was heard of them. A message has one sender, and one
 * block of lines in front of its content, so those of another sender, or with a head, become a copy of it, in
 * the same transaction. */
#include "base/log.h"
#include "queue/new_id.h"
#include "queue/sched_impl.h"

static str keep(struct arena *a, str s, size_t max)
{
    return arena_str(a, str_sub(s, 0, max));
}

static void copy_rcpt(const struct queue_rcpt *from, struct arena *a, struct queue_rcpt *to)
{
    *to = *from;
    to->address = arena_str(a, from->address);
    to->orig = arena_str(a, from->orig);
    to->sender = arena_str(a, from->sender);
    to->orcpt = arena_str(a, from->orcpt);
    to->via = arena_str(a, from->via);
    to->head = arena_str(a, from->head);
    to->was.status = keep(a, from->was.status, QUEUE_STATUS_MAX);
    to->was.reply = keep(a, from->was.reply, QUEUE_REPLY_MAX);
    to->was.remote = keep(a, from->was.remote, QUEUE_SITE_MAX);
}

bool added_make(struct queue *q, const struct queue_report *r, struct arena *a, struct queue_added *ret)
{
    char id[QUEUE_ID_SIZE];
    struct queue_envelope v = {.id = arena_str(a, r->id), .sender = arena_str(a, r->sender), .n = r->n_added};
    *ret = (struct queue_added){.gone = false};
    if (r->n_added == 0)
        return true;
    v.rcpts = arena_array(a, r->n_added, sizeof *v.rcpts);
    for (size_t i = 0; v.rcpts && i < r->n_added; i++)
        copy_rcpt(&r->added[i], a, &v.rcpts[i]);
    if (!v.rcpts || !queue_parts_make(q, &v, a, &ret->parts))
        return false;
    for (size_t i = 0; i < ret->parts.n; i++) { /* the id stays with the sender of what has no head */
        struct queue_part *part = &ret->parts.v[i];
        if (str_eq(part->v.sender, v.sender) && part->head.n == 0)
            part->v.id = v.id;
        else if (str_eq(part->v.id, v.id))
            part->v.id = arena_str(a, queue_new_id(id));
    }
    return !arena_exhausted(a);
}

/* --- inside an operation --- */

static enum rc put_rcpt(struct queue *q, const struct queue_message_row *m, const struct queue_rcpt *r,
                        str site, int64_t arrived, struct queue_touches *t, struct err *e)
{
    int64_t due = queue_now(q);
    if (r->waits)
        due += queue_backoff(q->conf, queue_wall() - arrived, 1, r->n);
    return rows_add_rcpt(q, m, r, site, due, t, e);
}

static enum rc put_part(struct queue *q, const struct queue_part *part, struct queue_message_row *m,
                        const struct queue_envelope *v, struct queue_touches *t, struct err *e)
{
    enum rc rc = RC_OK;
    if (!str_eq(part->v.id, v->id))
        rc = rows_copy_message(q, m->n, part, &m->n, e);
    m->id = part->v.id;
    m->sender = part->v.sender;
    m->rcpts = part->v.n;
    for (size_t i = 0; i < part->v.n && rc == RC_OK; i++)
        rc = put_rcpt(q, m, &part->v.rcpts[i], part->sites[i], v->arrived, t, e);
    return rc;
}

enum rc added_put(struct queue *q, struct queue_added *added, int64_t message, const struct queue_envelope *v,
                  struct queue_touches *t, struct err *e)
{
    added->size = v->size + v->trace.n;
    enum rc rc = RC_OK;
    for (size_t i = 0; i < added->parts.n && rc == RC_OK; i++) {
        struct queue_message_row m = {.n = message, .priority = v->priority};
        rc = put_part(q, &added->parts.v[i], &m, v, t, e);
    }
    return rc;
}

/* --- afterwards --- */

void added_log(const struct queue_added *added, str id)
{
    for (size_t i = 0; i < added->parts.n && !added->gone; i++) {
        const struct queue_envelope *v = &added->parts.v[i].v;
        if (str_eq(v->id, id))
            continue;
        log_info(STR_FMT ": %s as " STR_FMT, STR_ARG(id),
                 added->parts.v[i].head.n > 0 ? "forwarded" : "again for another sender", STR_ARG(v->id));
        log_info(STR_FMT ": from=<" STR_FMT ">, size=%llu, nrcpt=%zu (queue active)", STR_ARG(v->id),
                 STR_ARG(v->sender), (unsigned long long)added->size, v->n);
    }
}
