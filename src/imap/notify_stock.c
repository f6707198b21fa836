/* notify_stock: see notify_stock.h. Ids tell one that was renamed from one that was made (RFC 8474 §4). */
#include "imap/notify_stock.h"

enum { LISTING_MAX = 8 << 20, STOCK_MAX = 8 << 20, LOOKS_MAX = 5 };

/* --- what is there --- */

static unsigned events_of(const struct imap_session *s, const struct imap_notify *what,
                          const struct store_box_info *b)
{
    unsigned events = 0;
    for (size_t i = 0; i < what->n; i++)
        if (imap_filter_has(&what->groups[i].filter, b->name, b->subscribed, s->start->separator))
            events |= what->groups[i].events;
    if (s->enabled & IMAP_METADATA)
        events |= NOTIFY_METADATA;
    events &= ~(unsigned)NOTIFY_SERVER_METADATA;
    return b->exists ? events : events & (NOTIFY_NAMES | NOTIFY_SUBSCRIPTIONS);
}

struct known *known_find(const struct known *v, size_t n, str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(v[i].box.name, name))
            return (struct known *)&v[i];
    return NULL;
}

static const struct store_box_info *find_listed(const struct store_box_info *all, size_t n, str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(all[i].name, name))
            return &all[i];
    return NULL;
}

static enum rc add_known(struct imap_session *s, struct stock *now, const struct store_box_info *b,
                         unsigned events, struct err *e)
{
    struct known *k = &now->v[now->n++];
    *k = (struct known){.box = *b, .events = events};
    k->box.name = arena_str(now->arena, b->name);
    if (!k->box.name.p)
        return RC_LIMIT;
    enum rc rc = b->exists ? store_status(s->store, b->name, &k->st, e) : RC_OK;
    if (rc == RC_OK && (events & NOTIFY_METADATA))
        rc = metadata_marks_take(s, b->name, now->arena, &k->marks, e);
    if (rc == RC_GONE) { /* deleted under way */
        k->box.exists = false;
        k->events &= NOTIFY_NAMES | NOTIFY_SUBSCRIPTIONS;
    }
    return rc == RC_GONE ? RC_OK : rc;
}

/* What was known and is not listed, or in no group any more. */
static enum rc add_gone(struct stock *now, const struct stock *before, const struct store_box_info *all,
                        size_t n_all)
{
    for (size_t i = 0; i < before->n; i++) {
        const struct known *k = &before->v[i];
        if (known_find(now->v, now->n, k->box.name))
            continue;
        struct known *gone = &now->v[now->n + now->gone++];
        const struct store_box_info *b = find_listed(all, n_all, k->box.name);
        *gone = (struct known){.st = k->st, .events = k->events & (NOTIFY_NAMES | NOTIFY_SUBSCRIPTIONS)};
        if (b)
            gone->box = *b;
        gone->box.name = arena_str(now->arena, k->box.name);
        if (!gone->box.name.p)
            return RC_LIMIT;
    }
    return RC_OK;
}

void stock_deinit(struct stock *stock)
{
    stock->arena = arena_free(stock->arena);
}

static bool asks_server(const struct imap_session *s, const struct imap_notify *what)
{
    bool asks = s->enabled & IMAP_METADATA;
    for (size_t i = 0; i < what->n && !asks; i++)
        asks = what->groups[i].events & NOTIFY_SERVER_METADATA;
    return asks;
}

static enum rc take(struct imap_session *s, const struct imap_notify *what, const struct stock *before,
                    struct stock *ret, struct err *e)
{
    AUTO(arena_freep) struct arena *listing = arena_new(LISTING_MAX);
    struct store_box_info *all;
    size_t n_all;
    struct stock now = {.arena = arena_new(STOCK_MAX)};
    now.v = arena_array(now.arena, IMAP_WATCHES_MAX + before->n, sizeof *now.v);
    must(now.v);
    enum rc rc = store_list(s->store, listing, &all, &n_all, e);
    for (size_t i = 0; rc == RC_OK && i < n_all; i++) {
        unsigned events = events_of(s, what, &all[i]);
        if (events)
            rc = now.n < IMAP_WATCHES_MAX ? add_known(s, &now, &all[i], events, e) : RC_LIMIT;
    }
    if (rc == RC_OK)
        rc = add_gone(&now, before, all, n_all);
    if (rc == RC_OK && asks_server(s, what))
        rc = metadata_marks_take(s, STR_NONE, now.arena, &now.server, e);
    if (rc == RC_OK)
        *ret = now;
    else
        stock_deinit(&now);
    return rc;
}

/* --- what became of it --- */

static bool is_same(const struct known *a, const struct known *b)
{
    return a && b && a->box.exists && b->box.exists && strcmp(a->st.id, b->st.id) == 0;
}

bool stock_same_names(const struct stock *a, const struct stock *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        const struct known *x = &a->v[i], *y = &b->v[i];
        if (!str_eq(x->box.name, y->box.name) || !(is_same(x, y) || (!x->box.exists && !y->box.exists)))
            return false;
    }
    return true;
}

enum rc stock_take(struct imap_session *s, const struct imap_notify *what, const struct stock *before,
                   struct stock *ret, struct err *e)
{
    struct stock now, look;
    enum rc rc = take(s, what, before, &now, e);
    bool settled = rc != RC_OK || stock_same_names(&now, before);
    for (int i = 0; i < LOOKS_MAX && !settled; i++) {
        look = now;
        rc = take(s, what, before, &now, e);
        settled = rc != RC_OK || stock_same_names(&now, &look);
        stock_deinit(&look);
    }
    if (rc == RC_OK)
        *ret = now;
    return rc;
}

static const struct known *find_id(const struct known *v, size_t n, const struct known *like)
{
    for (size_t i = 0; i < n; i++)
        if (is_same(&v[i], like))
            return &v[i];
    return NULL;
}

/* RFC 5465 §5.4: also the parent of one that comes or goes. */
static void affect(const struct stock *now, struct known *k, char separator)
{
    ptrdiff_t at = str_rchr(k->box.name, separator);
    struct known *parent =
        at > 0 ? known_find(now->v, now->n + now->gone, str_sub(k->box.name, 0, (size_t)at)) : NULL;
    k->affected = true;
    if (parent)
        parent->affected = true;
}

static void compare_one(const struct stock *before, const struct stock *now, struct known *k, char separator)
{
    const struct known *old = known_find(before->v, before->n, k->box.name);
    const struct known *from = k->box.exists ? find_id(before->v, before->n, k) : NULL;
    bool was_there = old && old->box.exists;
    k->resubscribed = (old && old->box.subscribed) != k->box.subscribed;
    if (is_same(old, k) || (!was_there && !k->box.exists))
        return;
    if (from && !is_same(known_find(now->v, now->n, from->box.name), from))
        k->was = from;
    else if (k->box.exists || !find_id(now->v, now->n, old))
        affect(now, k, separator);
}

void stock_compare(const struct stock *before, const struct stock *now, char separator)
{
    for (size_t i = 0; i < now->n + now->gone; i++)
        compare_one(before, now, &now->v[i], separator);
}

bool known_moved_with_parent(const struct stock *now, const struct known *k, char separator)
{
    str from = k->was->box.name, to = k->box.name;
    ptrdiff_t f = str_rchr(from, separator), t = str_rchr(to, separator);
    if (f <= 0 || t <= 0 || !str_eq(str_from(from, (size_t)f), str_from(to, (size_t)t)))
        return false;
    const struct known *parent = known_find(now->v, now->n, str_sub(to, 0, (size_t)t));
    return parent && parent->was && str_eq(parent->was->box.name, str_sub(from, 0, (size_t)f));
}
