/* context: see context.h. Each change is searched among the messages that it touched, never the whole
 * mailbox; only where messages come into a sorted result that is sorted anew, to know their places. */
#include "imap/context.h"

#include "imap/search_eval.h"
#include "imap/sort.h"

enum { CONTEXT_MAX = 8 << 20, SET_TEXT_MAX = 64 << 10 };

struct context {
    struct context *next;
    struct arena *arena; /* of the tag and the programs */
    struct search_node *root;
    bool sorted;
    struct imap_sort sort;
    bool has_fetch;
    struct imap_fetch fetch;
    struct search_result told; /* what the client knows; its uids stay empty unless it is sorted */
    struct uidset set;         /* the same, in the order of the mailbox */
    /* from context_look to context_tell: */
    struct uidset come, gone;
    struct search_result sorted_anew;
};

static struct context *context_free(struct context *c)
{
    c->arena = arena_free(c->arena);
    search_result_deinit(&c->told);
    search_result_deinit(&c->sorted_anew);
    uidset_deinit(&c->set);
    uidset_deinit(&c->come);
    uidset_deinit(&c->gone);
    free(c);
    return NULL;
}

static struct context **find(const struct imap_session *s, str tag)
{
    struct context **at = (struct context **)&s->contexts;
    while (*at && !str_eq((*at)->told.tag, tag))
        at = &(*at)->next;
    return at;
}

/* --- keeping a search --- */

/* RFC 5267 §4.3: message numbers, and "$", mean those that they meant when the command came. */
static enum rc freeze(struct imap_session *s, struct arena *a, struct search_node *node)
{
    AUTO(uidset_deinit) struct uidset uids = {0};
    AUTO(buf_deinit) struct buf text = BUF_INIT(SET_TEXT_MAX);
    bool by_uid = node->key == SEARCH_UID_SET;
    if (!(node->key == SEARCH_SEQ_SET || (by_uid && str_eq(node->text, S("$")))))
        return RC_OK;
    enum rc rc = imap_search_set(s, s->box, node->text, by_uid, &uids);
    if (rc != RC_OK)
        return rc;
    uidset_format(&uids, &text);
    node->key = uids.n > 0 ? SEARCH_UID_SET : SEARCH_AND; /* no message: not all of them */
    node->negated ^= uids.n == 0;
    node->text = arena_str(a, buf_str(&text));
    return text.overflow || !node->text.p ? RC_LIMIT : RC_OK;
}

/* A copy that outlives the command; nesting is bounded by the codec. */
static enum rc copy(struct imap_session *s, struct arena *a, const struct search_node *node,
                    struct search_node **ret)
{
    enum rc rc = RC_OK;
    for (; node && rc == RC_OK; node = node->next, ret = &(*ret)->next) {
        struct search_node *n = arena_make(a, struct search_node);
        if (!n)
            return RC_LIMIT;
        *n = *node;
        n->text = arena_str(a, node->text);
        n->field = arena_str(a, node->field);
        n->child = n->next = NULL;
        *ret = n;
        rc = freeze(s, a, n);
        if (rc == RC_OK)
            rc = copy(s, a, node->child, &n->child);
    }
    return arena_exhausted(a) ? RC_LIMIT : rc;
}

static enum rc keep_fetch(struct context *c, str items)
{
    struct imap_lex lex;
    c->has_fetch = items.n > 0;
    imap_lex_init(&lex, arena_str(c->arena, items), c->arena);
    return c->has_fetch ? imap_fetch_parse(&lex, &c->fetch) : RC_OK;
}

static void keep_result(struct context *c, const struct search_result *r)
{
    for (size_t i = 0; i < r->n; i++)
        uidset_add(&c->set, r->uids[i], r->uids[i]);
    c->told.uids = NULL;
    c->told.scores = NULL;
    c->told.n = 0;
    if (!c->sorted)
        return;
    c->told.uids = reallocarray(NULL, r->n + 1, sizeof *r->uids);
    must(c->told.uids);
    memcpy(c->told.uids, r->uids, r->n * sizeof *r->uids);
    c->told.n = r->n;
}

static struct context *keep(struct imap_session *s, const struct imap_return *how,
                            const struct search_node *root, const struct imap_sort *sort,
                            const struct search_result *r)
{
    struct context *c = calloc(1, sizeof *c);
    must(c);
    c->arena = arena_new(CONTEXT_MAX);
    c->sorted = sort != NULL;
    if (sort)
        c->sort = *sort;
    c->told = *r;
    keep_result(c, r);
    c->told.tag = arena_str(c->arena, r->tag);
    c->told.mailbox = arena_str(c->arena, r->mailbox);
    enum rc rc = copy(s, c->arena, root, &c->root);
    if (rc == RC_OK)
        rc = keep_fetch(c, how->of_new);
    return rc == RC_OK ? c : context_free(c);
}

static bool has_room(const struct imap_session *s)
{
    size_t n = 0;
    for (const struct context *c = s->contexts; c; c = c->next)
        n++;
    return n < CONTEXTS_MAX;
}

void context_open(struct imap_session *s, const struct imap_return *how, const struct search_node *root,
                  const struct imap_sort *sort, const struct search_result *r)
{
    if (!(how->options & RETURN_UPDATE))
        return;
    struct context *c = has_room(s) ? keep(s, how, root, sort, r) : NULL;
    if (c)
        *find(s, s->tag) = c; /* at the end of the list */
    else
        imap_reply_untagged(s, "NO", arena_printf(s->arena, "NOUPDATE \"" STR_FMT "\"", STR_ARG(s->tag)).p,
                            "Too many searches are kept, or it is too large.");
}

bool context_is_open(const struct imap_session *s, str tag)
{
    return *find(s, tag) != NULL;
}

void context_close(struct imap_session *s, str tag)
{
    struct context **at = find(s, tag), *c = *at;
    if (!c)
        return;
    *at = c->next;
    context_free(c);
}

void context_close_all(struct imap_session *s)
{
    while (s->contexts)
        context_close(s, s->contexts->told.tag);
    uidset_deinit(&s->touched);
}

enum rc context_check(const struct imap_session *s, const struct imap_return *how, struct imap_reply *re)
{
    if ((how->options & RETURN_UPDATE) && context_is_open(s, s->tag))
        return err_set(&re->err, RC_INVALID, 0, "", "The tag is that of another search with UPDATE.");
    return RC_OK;
}

/* --- changes --- */

void context_touch(struct imap_session *s, const struct uidset *uids)
{
    if (s->contexts)
        uidset_add_set(&s->touched, uids);
}

/* A pair for each run of places, counted from 1; `removes`: those before it have gone already. */
static void put_places(struct imap_session *s, const struct search_result *list, const struct uidset *some,
                       bool removes)
{
    size_t moved = 0;
    const char *before = "(";
    for (size_t from = 0, to; from < list->n; from = to + 1) {
        to = from;
        while (to < list->n && uidset_has(some, list->uids[to]))
            to++;
        if (to == from)
            continue;
        buf_puts(&s->out, str_c(before));
        buf_put_u64(&s->out, from + 1 - moved);
        buf_putc(&s->out, ' ');
        search_result_put_set(s, list, from, to);
        moved += removes ? to - from : 0;
        before = " ";
    }
}

/* ret-data-addto, ret-data-removefrom (RFC 5267 §5) */
static void put_item(struct imap_session *s, const struct context *c, str name, const struct uidset *uids,
                     bool removes)
{
    if (uids->n == 0)
        return;
    buf_puts(&s->out, name);
    if (c->sorted) {
        put_places(s, &c->told, uids, removes);
    } else {
        AUTO(search_result_deinit) struct search_result flat = c->told;
        search_result_take(&flat, uids);
        buf_puts(&s->out, S("(0 "));
        search_result_put_set(s, &flat, 0, flat.n);
    }
    buf_putc(&s->out, ')');
}

static void drop(struct context *c, const struct uidset *uids)
{
    size_t n = 0;
    uidset_subtract(&c->set, uids);
    for (size_t i = 0; i < c->told.n; i++)
        if (!uidset_has(uids, c->told.uids[i]))
            c->told.uids[n++] = c->told.uids[i];
    c->told.n = n;
}

/* The result as it is to be, in order. What was expunged and not told yet is missing there, and so goes. */
static enum rc sort_anew(struct imap_session *s, const struct context *c, struct uidset *come,
                         struct uidset *gone, struct search_result *ret, struct err *e)
{
    AUTO(uidset_deinit) struct uidset wanted = {0}, there = {0};
    uidset_copy(&wanted, &c->set);
    uidset_subtract(&wanted, gone);
    uidset_add_set(&wanted, come);
    enum rc rc = sort_messages(s, &c->sort, c->root, &wanted, ret, e);
    for (size_t i = 0; i < ret->n; i++)
        uidset_add(&there, ret->uids[i], ret->uids[i]);
    uidset_intersect(come, &there);
    uidset_subtract(&wanted, &there);
    uidset_intersect(&wanted, &c->set);
    uidset_add_set(gone, &wanted);
    return rc;
}

void context_expunged(struct imap_session *s, uint32_t number, uid32 uid)
{
    const struct uidset one = {.r = &(struct uidrange){uid, uid}, .n = 1};
    for (struct context *c = s->contexts; c; c = c->next) {
        size_t place = 0;
        if (!uidset_has(&c->set, uid))
            continue;
        while (place < c->told.n && c->told.uids[place] != uid)
            place++;
        search_result_begin(s, &c->told);
        buf_printf(&s->out, " REMOVEFROM (%zu %u)\r\n", c->sorted ? place + 1 : 0,
                   c->told.uid ? uid : number);
        imap_send(s);
        drop(c, &one);
    }
}

static void wish(const struct context *c, uid32 last, struct fetch_wishes *of_new)
{
    AUTO(uidset_deinit) struct uidset new = {0};
    uidset_copy(&new, &c->come);
    if (last > 0)
        uidset_del(&new, 1, last);
    if (c->has_fetch && new.n > 0)
        fetch_wish(of_new, &c->fetch, &new);
}

static void replace(struct context *c, struct search_result *sorted)
{
    free(c->told.uids);
    c->told.uids = sorted->uids;
    c->told.n = sorted->n;
    sorted->uids = NULL;
}

static void forget_change(struct context *c)
{
    uidset_clear(&c->come);
    uidset_clear(&c->gone);
    search_result_deinit(&c->sorted_anew);
}

static enum rc look(struct imap_session *s, struct context *c, const struct uidset *changed, struct err *e)
{
    enum rc rc = search_among(s, s->box, c->root, changed, &c->come, e);
    uidset_copy(&c->gone, changed);
    uidset_intersect(&c->gone, &c->set);
    uidset_subtract(&c->gone, &c->come);
    uidset_subtract(&c->come, &c->set);
    if (rc == RC_OK && c->sorted && c->come.n > 0)
        rc = sort_anew(s, c, &c->come, &c->gone, &c->sorted_anew, e);
    return rc;
}

static void tell(struct imap_session *s, struct context *c)
{
    if (c->come.n == 0 && c->gone.n == 0)
        return;
    search_result_begin(s, &c->told);
    put_item(s, c, S(" REMOVEFROM "), &c->gone, true);
    drop(c, &c->gone);
    uidset_add_set(&c->set, &c->come);
    if (c->sorted_anew.uids)
        replace(c, &c->sorted_anew);
    put_item(s, c, S(" ADDTO "), &c->come, false);
    buf_puts(&s->out, S("\r\n"));
    imap_send(s);
}

enum rc context_look(struct imap_session *s, const struct uidset *changed, uid32 last,
                     struct fetch_wishes *of_new, struct err *e)
{
    AUTO(uidset_deinit) struct uidset all = {0};
    enum rc rc = RC_OK;
    for (struct context *c = s->contexts; c; c = c->next)
        forget_change(c); /* of a look that failed */
    if (!s->contexts)
        return RC_OK;
    uidset_copy(&all, box_view(s->box));
    if (last > 0)
        uidset_del(&all, 1, last);
    uidset_add_set(&all, changed);
    uidset_add_set(&all, &s->touched);
    uidset_clear(&s->touched);
    uidset_intersect(&all, box_view(s->box));
    for (struct context *c = s->contexts; c && rc == RC_OK && all.n > 0; c = c->next)
        if ((rc = look(s, c, &all, e)) == RC_OK)
            wish(c, last, of_new);
    return rc;
}

void context_tell(struct imap_session *s)
{
    for (struct context *c = s->contexts; c; c = c->next) {
        tell(s, c);
        forget_change(c);
    }
}
