/* Which mailboxes of others there are for this user, and what LIST tells of them. */
#include "imap/shared_impl.h"

#include "base/log.h"
#include "base/map.h"

enum { LISTED_MAX = 20000 };

struct listing {
    struct imap_session *s;
    struct store_box_info *v;
    size_t n, room;
    struct map *by_name; /* index + 1 */
};

/* --- gathering --- */

static struct store_box_info *entry(struct listing *l, str name)
{
    uintptr_t at = (uintptr_t)map_find(l->by_name, name);
    if (at)
        return &l->v[at - 1];
    if (l->n == LISTED_MAX)
        return NULL;
    if (l->n == l->room) {
        l->v = arena_grow(l->s->arena, l->v, l->n, sizeof *l->v);
        l->room = l->room * 2 > 8 ? l->room * 2 : 8;
    }
    str copy = l->v ? arena_str(l->s->arena, name) : STR_NONE;
    if (!copy.p)
        return NULL;
    l->v[l->n++] = (struct store_box_info){.name = copy};
    map_put(l->by_name, name, (void *)(uintptr_t)l->n);
    return &l->v[l->n - 1];
}

/* Own mailboxes below the prefix are out of reach; of what is subscribed there the owners tell whether it is.
 */
static void take_own(struct listing *l, const struct store_box_info *own, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool hidden = str_starts(own[i].name, l->s->start->shared_prefix);
        struct store_box_info *x = hidden && !own[i].subscribed ? NULL : entry(l, own[i].name);
        if (!x)
            continue;
        *x = own[i];
        x->exists &= !hidden;
        x->noselect &= !hidden;
        x->has_children &= !hidden;
    }
}

static void note_parents(struct listing *l, str name)
{
    for (ptrdiff_t at; (at = str_rchr(name, l->s->start->separator)) > 0;) {
        name = str_sub(name, 0, (size_t)at);
        struct store_box_info *x = entry(l, name);
        if (!x)
            return;
        x->has_children = true;
        x->noselect |= !x->exists;
    }
}

static bool take_listed(void *ctx, const struct imap_response *r, struct imap_lex *lex, enum rc *ret)
{
    struct listing *l = ctx;
    struct imap_listed m;
    if (!str_ieq(r->word, S("LIST")))
        return false;
    lex->utf8_names = l->s->enabled & IMAP_KNOWS_UTF8;
    *ret = imap_response_list(lex, &m);
    bool there = *ret == RC_OK && m.selectable && shared_is_name(l->s, m.name);
    struct store_box_info *x = there ? entry(l, m.name) : NULL;
    if (!x)
        return true;
    x->exists = true;
    x->noselect = false;
    note_parents(l, m.name);
    return true;
}

static void ask(struct listing *l, str owner)
{
    struct err e = {0};
    struct shared_guest *g = shared_guest(l->s, owner);
    if (!g)
        return;
    buf_puts(imap_client_command(g->client), S("LIST \"\" *"));
    enum rc rc = shared_ask_client(l->s, g, take_listed, l, &e);
    if (rc == RC_OK)
        return;
    log_debug("mailboxes of " STR_FMT " are not listed: %s", STR_ARG(owner), err_text(&e));
    if (rc != RC_PERM)
        shared_lose(l->s, g);
}

/* --- whose --- */

/* What of the pattern is plain, in front of the first wildcard. */
static str plain_part(str pattern)
{
    size_t n = 0;
    while (n < pattern.n && pattern.p[n] != '*' && pattern.p[n] != '%')
        n++;
    return str_sub(pattern, 0, n);
}

/* Whether the patterns can mean mailboxes of others; *ret_owner: of one alone. */
static bool concerns(const struct imap_session *s, const struct list_patterns *p, str *ret_owner)
{
    str prefix = s->start->shared_prefix;
    bool any = false;
    for (size_t i = 0; i < p->n; i++) {
        str plain = plain_part(p->all[i]);
        bool below = str_starts(plain, prefix);
        str rest = str_from(plain, below ? prefix.n : plain.n);
        bool one = p->n == 1 && str_chr(rest, s->start->separator) > 0;
        any |= below || str_starts(prefix, plain);
        *ret_owner = one ? str_take(&rest, s->start->separator) : STR_NONE;
    }
    return any;
}

static void ask_all(struct listing *l)
{
    const struct imap_ops *ops = &l->s->start->ops;
    str *owners;
    size_t n = 0;
    if (ops->find_shared(ops->ctx, l->s->arena, &owners, &n) != RC_OK)
        return;
    for (size_t i = 0; i < n; i++)
        ask(l, owners[i]);
}

enum rc shared_list(struct imap_session *s, const struct list_patterns *p, struct store_box_info **ret,
                    size_t *ret_n, struct err *e)
{
    struct store_box_info *own;
    size_t n;
    str owner = STR_NONE;
    enum rc rc = store_list(s->store, s->arena, &own, &n, e);
    if (rc != RC_OK)
        return rc;
    *ret = own;
    *ret_n = n;
    if (s->start->shared_prefix.n == 0)
        return RC_OK;
    struct listing l = {.s = s, .by_name = map_new()};
    take_own(&l, own, n);
    if (concerns(s, p, &owner)) {
        if (owner.n > 0)
            ask(&l, owner);
        else
            ask_all(&l);
    }
    map_free(l.by_name);
    *ret = l.v;
    *ret_n = l.n;
    return RC_OK;
}

/* --- telling --- */

void shared_ask(struct imap_session *s, const char *verb, str name, str arguments)
{
    struct shared_relay r = {.tag = S("q"), .hides = true};
    AUTO(buf_deinit) struct buf line = BUF_INIT(1 << 16);
    struct shared_guest *g = shared_guest(s, shared_owner(s, name));
    if (!g)
        return;
    buf_printf(&line, "q %s ", verb);
    list_write_name(s, &line, name);
    buf_puts(&line, arguments.n > 0 ? S(" ") : STR_NONE);
    buf_puts(&line, arguments);
    buf_puts(&line, S("\r\n"));
    stream_write(imap_client_stream(g->client), buf_str(&line));
    if (line.overflow || shared_relay(s, g, &r) != RC_OK)
        shared_lose(s, g);
}

void shared_tell_with(struct imap_session *s)
{
    const struct imap_ops *ops = &s->start->ops;
    struct err e = {0};
    str *users;
    size_t n;
    if (!ops->tell_shared)
        return;
    if (store_shared_with(s->store, s->arena, &users, &n, &e) == RC_OK)
        ops->tell_shared(ops->ctx, users, n);
    else
        log_warn("with whom mailboxes are shared: %s", err_text(&e));
}
