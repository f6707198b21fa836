/* Recipients of one sender, with the same lines in front, are a part of a message, since a message in the
 * queue has one of each. */
#include "queue/new_id.h"
#include "queue/queue_impl.h"

static str sender_of(const struct queue_envelope *v, const struct queue_rcpt *r)
{
    return r->sender.n > 0 ? r->sender : v->sender;
}

static bool has_part(const struct queue_parts *p, str sender, str head)
{
    for (size_t i = 0; i < p->n; i++)
        if (str_eq(p->v[i].v.sender, sender) && str_eq(p->v[i].head, head))
            return true;
    return false;
}

static bool add_sites(struct queue *q, struct queue_part *part, struct arena *a)
{
    str *list = arena_array(a, part->v.n, sizeof *list);
    for (size_t i = 0; i < part->v.n && list; i++)
        list[i] = queue_site_of(q, part->v.sender, &part->v.rcpts[i], a);
    part->sites = list;
    return list != NULL;
}

/* The recipients of a part, in their order. */
static size_t gather(const struct queue_envelope *v, str sender, str head, struct queue_rcpt *list)
{
    size_t n = 0;
    for (size_t i = 0; i < v->n; i++)
        if (str_eq(sender_of(v, &v->rcpts[i]), sender) && str_eq(v->rcpts[i].head, head))
            list[n++] = v->rcpts[i];
    return n;
}

bool queue_parts_make(struct queue *q, const struct queue_envelope *v, struct arena *a,
                      struct queue_parts *ret)
{
    char id[QUEUE_ID_SIZE];
    struct queue_rcpt *list = arena_array(a, v->n, sizeof *list);
    struct queue_parts p = {.v = arena_array(a, v->n, sizeof *p.v)};
    for (size_t i = 0; i < v->n && list && p.v; i++) {
        str sender = sender_of(v, &v->rcpts[i]), head = v->rcpts[i].head;
        if (has_part(&p, sender, head))
            continue;
        struct queue_part *part = &p.v[p.n];
        part->v = *v;
        part->v.id = p.n++ == 0 ? v->id : arena_str(a, queue_new_id(id));
        part->v.sender = sender;
        part->head = head;
        part->v.rcpts = list;
        part->v.n = gather(v, sender, head, list);
        list += part->v.n;
        if (!add_sites(q, part, a))
            return false;
    }
    *ret = p;
    return !arena_exhausted(a);
}
