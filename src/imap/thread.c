/* thread: see thread.h. Children are never sorted in place: messages are put in order first and then hung
 * under their parents one by one. Nothing recurses, because a conversation is as deep as strangers make it.
 */
#include "imap/thread.h"

#include "base/map.h"
#include "fmt/references.h"

struct builder {
    struct arena *a;
    const struct thread_message *messages;
    size_t n;
    const struct thread_message **order; /* by date */
    struct thread_node **nodes;          /* of messages[i] */
    struct thread_node *root;
    struct map *by_id;
};

static struct thread_node *node_new(struct builder *b, const struct thread_message *m)
{
    struct thread_node *node = arena_make(b->a, struct thread_node);
    if (node) {
        node->message = m;
        node->first = m ? node : NULL;
    }
    return node;
}

static void hang(struct thread_node *parent, struct thread_node *node)
{
    node->parent = parent;
    node->next = NULL;
    if (parent->last_child)
        parent->last_child->next = node;
    else
        parent->child = node;
    parent->last_child = node;
    if (!parent->first)
        parent->first = node->first;
}

static int by_date(const void *a, const void *b)
{
    const struct thread_message *x = *(const struct thread_message *const *)a,
                                *y = *(const struct thread_message *const *)b;
    if (x->date != y->date)
        return x->date < y->date ? -1 : 1;
    return x->uid < y->uid ? -1 : x->uid > y->uid;
}

static int by_subject(const void *a, const void *b)
{
    const struct thread_message *x = *(const struct thread_message *const *)a,
                                *y = *(const struct thread_message *const *)b;
    int order = str_cmp(x->subject, y->subject);
    return order ? order : by_date(a, b);
}

static bool put_in_order(struct builder *b, int (*compare)(const void *, const void *))
{
    b->order = arena_array(b->a, b->n + 1, sizeof *b->order);
    for (size_t i = 0; b->order && i < b->n; i++)
        b->order[i] = &b->messages[i];
    if (b->order)
        qsort(b->order, b->n, sizeof *b->order, compare);
    return b->order != NULL;
}

/* --- roots in order of date, after they changed --- */

static int by_first(const void *a, const void *b)
{
    const struct thread_node *x = *(struct thread_node *const *)a, *y = *(struct thread_node *const *)b;
    return by_date(&x->first->message, &y->first->message);
}

static bool sort_children(struct builder *b, struct thread_node *parent)
{
    size_t n = 0;
    for (struct thread_node *c = parent->child; c; c = c->next)
        n += !c->removed;
    struct thread_node **v = arena_array(b->a, n + 1, sizeof *v), *c = parent->child;
    if (!v)
        return false;
    for (n = 0; c; c = c->next)
        if (!c->removed)
            v[n++] = c;
    qsort(v, n, sizeof *v, by_first);
    parent->child = parent->last_child = NULL;
    parent->first = parent->message ? parent->first : NULL;
    for (size_t i = 0; i < n; i++)
        hang(parent, v[i]);
    return true;
}

/* --- ORDEREDSUBJECT: the first message of a subject, and all others below it --- */

static bool ordered_subject(struct builder *b)
{
    struct thread_node *thread = NULL;
    if (!put_in_order(b, by_subject))
        return false;
    for (size_t i = 0; i < b->n; i++) {
        struct thread_node *node = node_new(b, b->order[i]);
        if (!node)
            return false;
        bool same = thread && str_eq(thread->message->subject, b->order[i]->subject);
        hang(same ? thread : b->root, node);
        if (!same)
            thread = node;
    }
    return sort_children(b, b->root);
}

/* --- by references (steps 1 to 4) --- */

static struct thread_node *node_of_id(struct builder *b, str id)
{
    struct thread_node *node = map_find(b->by_id, id);
    if (!node && (node = node_new(b, NULL)))
        map_put(b->by_id, id, node);
    return node;
}

/* Whether `node` may go below `parent`: not when it is above it, nor deeper than the limit. */
static bool may_link(const struct thread_node *parent, const struct thread_node *node)
{
    unsigned depth = 0;
    for (; parent && depth < THREAD_DEPTH_MAX; parent = parent->up, depth++)
        if (parent == node)
            return false;
    return depth < THREAD_DEPTH_MAX;
}

/* Step 1: the chain of references, then the message below the last of them. */
static bool link_message(struct builder *b, size_t i)
{
    const struct thread_message *m = &b->messages[i];
    struct thread_node *node = m->id.n ? node_of_id(b, m->id) : node_new(b, NULL), *last = NULL;
    if (node && node->message) /* the id was seen before: this message cannot be referred to */
        node = node_new(b, NULL);
    if (!node)
        return false;
    node->message = m;
    node->first = node;
    str references = m->references;
    for (str id; (id = references_take(&references)).p;) {
        struct thread_node *ref = node_of_id(b, id);
        if (!ref)
            return false;
        if (last && !ref->up && may_link(last, ref))
            ref->up = last;
        last = ref;
    }
    if (last && may_link(last, node))
        node->up = last;
    b->nodes[i] = node;
    return true;
}

/* Steps 2 and 3: the nearest message above, else the uppermost node that stands for none; NULL: a root. */
static struct thread_node *parent_of(const struct thread_node *node)
{
    struct thread_node *up = node->up, *top = NULL;
    for (; up && !up->message; up = up->up)
        top = up;
    return up ? up : top;
}

/* Nodes without a message stay only as roots of more than one (step 3): counts what hangs below each. */
static void count_below(struct builder *b)
{
    for (size_t i = 0; i < b->n; i++) {
        struct thread_node *parent = parent_of(b->nodes[i]);
        if (parent && !parent->message) {
            parent->placed = parent->removed; /* a second one: it stays */
            parent->removed = true;           /* seen once */
        }
    }
}

/* Step 4 by construction: messages come in order of date. */
static bool hang_all(struct builder *b)
{
    if (!put_in_order(b, by_date))
        return false;
    count_below(b);
    for (size_t i = 0; i < b->n; i++) {
        struct thread_node *node = b->nodes[b->order[i] - b->messages], *parent = parent_of(node);
        bool several = parent && !parent->message && parent->placed;
        if (several && !parent->parent) {
            parent->first = node;
            hang(b->root, parent);
        }
        hang(parent && (parent->message || several) ? parent : b->root, node);
    }
    for (struct thread_node *c = b->root->child; c; c = c->next)
        c->removed = false;
    return true;
}

/* --- step 5: roots of one subject belong together --- */

static const struct thread_message *spokesman(const struct thread_node *node)
{
    return node->message ? node->message : node->first->message;
}

/* The root that others of its subject go to: one without a message, else one that is no reply. */
static void fill_table(struct builder *b, struct map *table)
{
    for (struct thread_node *c = b->root->child; c; c = c->next) {
        const struct thread_message *m = spokesman(c);
        if (m->subject.n == 0)
            continue;
        const struct thread_node *known = map_find(table, m->subject);
        if (!known || (!c->message && known->message) ||
            (known->message && c->message && known->message->reply && !m->reply))
            map_put(table, m->subject, c);
    }
}

static void move_children(struct thread_node *from, struct thread_node *to)
{
    for (struct thread_node *c = from->child, *next; c; c = next) {
        next = c->next;
        hang(to, c);
    }
    from->child = from->last_child = NULL;
}

/* A copy of a root takes its place below another node, so that the walk over the roots goes on. */
static struct thread_node *take_down(struct builder *b, struct thread_node *root)
{
    struct thread_node *copy = node_new(b, root->message);
    if (!copy)
        return NULL;
    move_children(root, copy);
    root->removed = true;
    return copy;
}

static bool merge_two(struct builder *b, struct map *table, struct thread_node *known, struct thread_node *c)
{
    const struct thread_message *m = spokesman(c);
    if (!known->message && !c->message) {
        move_children(c, known);
        c->removed = true;
        return true;
    }
    if (known->message &&
        (!m->reply || known->message->reply)) { /* neither answers the other: both below a new node */
        struct thread_node *both = node_new(b, NULL), *first = take_down(b, known);
        if (!both || !first)
            return false;
        hang(b->root, both);
        hang(both, first);
        map_put(table, m->subject, both);
        known = both;
    }
    struct thread_node *copy = take_down(b, c);
    if (copy)
        hang(known, copy);
    return copy != NULL;
}

static bool merge_subjects(struct builder *b)
{
    struct map *table = map_new();
    bool room = true;
    fill_table(b, table);
    struct thread_node *last = b->root->last_child;
    for (struct thread_node *c = b->root->child; c && room; c = c == last ? NULL : c->next) {
        const struct thread_message *m = spokesman(c);
        struct thread_node *known = c->removed || m->subject.n == 0 ? NULL : map_find(table, m->subject);
        if (known && known != c)
            room = merge_two(b, table, known, c);
    }
    map_free(table);
    for (struct thread_node *c = b->root->child; c && room; c = c->next)
        if (!c->removed)
            room = sort_children(b, c);
    return room && sort_children(b, b->root);
}

/* REFS: the thread with the latest message comes last. */
static bool sort_by_latest(struct builder *b)
{
    for (size_t i = 0; i < b->n; i++) { /* ascending, so the last one to say so wins */
        struct thread_node *node = b->nodes[b->order[i] - b->messages], *top = node;
        while (top->parent != b->root)
            top = top->parent;
        top->first = node;
    }
    return sort_children(b, b->root);
}

static bool by_references(struct builder *b, enum thread_algorithm algorithm)
{
    b->nodes = arena_array(b->a, b->n + 1, sizeof *b->nodes);
    bool room = b->nodes != NULL;
    b->by_id = map_new();
    for (size_t i = 0; i < b->n && room; i++)
        room = link_message(b, i);
    b->by_id = map_free(b->by_id);
    room = room && hang_all(b);
    if (!room)
        return false;
    return algorithm == THREAD_REFS ? sort_by_latest(b) : merge_subjects(b);
}

enum rc thread_build(enum thread_algorithm algorithm, const struct thread_message *messages, size_t n,
                     struct arena *a, struct thread_node **ret)
{
    struct builder b = {.a = a, .messages = messages, .n = n};
    b.root = node_new(&b, NULL);
    if (!b.root)
        return RC_LIMIT;
    bool room = algorithm == THREAD_ORDEREDSUBJECT ? ordered_subject(&b) : by_references(&b, algorithm);
    if (!room)
        return RC_LIMIT;
    *ret = b.root;
    return RC_OK;
}
