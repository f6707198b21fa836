/* notify: see notify.h. */
#include "imap/notify.h"

#include "imap/announce.h"
#include "imap/command.h"
#include "imap/list.h"
#include "imap/notify_stock.h"
#include "imap/status.h"

#include "base/log.h"
#include "os/file.h"

enum { TEXT_MAX = 64 << 10, PROGRAM_MAX = 1 << 20 };

struct notify {
    struct arena *program;
    bool asked; /* by NOTIFY SET; else what is empty, and there is ENABLE METADATA alone */
    struct imap_notify what;
    struct stock stock;
    struct uidset own; /* messages of the selected mailbox that this client brought, not told yet */
    bool due;          /* a mailbox that was selected is not any more: it may have changed untold */
};

/* --- telling --- */

/* mbox-list-extended-item with OLDNAME (RFC 5465 §8) */
static void tell_list(struct imap_session *s, const struct known *k)
{
    list_put_box(s, &k->box, LIST_TELLS_EXTENDED | LIST_TELLS_SUBSCRIBED);
    if (k->was) {
        buf_puts(&s->out, S(" (\"OLDNAME\" ("));
        list_put_name(s, k->was->box.name);
        buf_puts(&s->out, S("))"));
    }
    buf_puts(&s->out, S("\r\n"));
    imap_send(s);
}

static bool is_within(str name, str root, char separator)
{
    return str_starts(name, root) && (name.n == root.n || name.p[root.n] == separator);
}

/* A command about `own` may have changed what lies above and below it. */
static bool is_own(str name, str own, char separator)
{
    return own.n > 0 && (is_within(name, own, separator) || is_within(own, name, separator));
}

static void tell_names(struct imap_session *s, const struct stock *now, str own, str own_too)
{
    char separator = s->start->separator;
    for (size_t i = 0; i < now->n + now->gone; i++) {
        const struct known *k = &now->v[i];
        bool renamed = k->was && !known_moved_with_parent(now, k, separator);
        bool told = ((k->affected || renamed) && (k->events & NOTIFY_NAMES)) ||
                    (k->resubscribed && (k->events & NOTIFY_SUBSCRIPTIONS));
        if (told && !is_own(k->box.name, own, separator) && !is_own(k->box.name, own_too, separator))
            tell_list(s, k);
    }
}

/* Of a mailbox that is new all entries are, unless a command of this client brought it. */
static void tell_metadata(struct imap_session *s, const struct stock *before, const struct stock *now,
                          str own, str own_too)
{
    static const struct metadata_marks none = {.taken = true};
    char separator = s->start->separator;
    for (size_t i = 0; i < now->n; i++) {
        const struct known *k = &now->v[i];
        const struct known *old = known_find(before->v, before->n, k->was ? k->was->box.name : k->box.name);
        bool is_new = !old || !old->box.exists;
        if (!is_new || !(is_own(k->box.name, own, separator) || is_own(k->box.name, own_too, separator)))
            metadata_tell_changes(s, k->box.name, is_new ? &none : &old->marks, &k->marks);
    }
    metadata_tell_changes(s, STR_NONE, &before->server, &now->server);
}

static bool is_selected(const struct imap_session *s, const struct known *k)
{
    return s->box && str_eq(k->box.name, str_c(s->box_name));
}

/* What differs, as the items of STATUS that tell it (RFC 5465 §5.1 to §5.3). */
static unsigned items_changed(const struct store_status *old, const struct store_status *new, bool flags,
                              bool condstore)
{
    bool anew = old->uidvalidity != new->uidvalidity;
    bool counts = anew || old->messages != new->messages || old->uidnext != new->uidnext;
    bool seen = old->unseen != new->unseen, newer = old->highestmodseq != new->highestmodseq;
    unsigned items = counts ? 1u << STATUS_MESSAGES | 1u << STATUS_UIDNEXT : 0;
    if (anew || (flags && (seen || (newer && condstore))))
        items |= 1u << STATUS_UIDVALIDITY;
    if (flags && seen)
        items |= 1u << STATUS_UNSEEN;
    return items && condstore ? items | 1u << STATUS_HIGHESTMODSEQ : items;
}

static void tell_messages(struct imap_session *s, const struct stock *before, const struct known *k)
{
    const struct known *old = known_find(before->v, before->n, k->was ? k->was->box.name : k->box.name);
    struct store_status st = k->st;
    if (old && old->box.exists) {
        st = old->st;
    } else {
        st.messages = 0;
        st.uidnext = 1;
    }
    if (old && old->own) {
        st.unseen = k->st.unseen;
        st.highestmodseq = k->st.highestmodseq;
    }
    unsigned items =
        items_changed(&st, &k->st, k->events & NOTIFY_FLAGS, s->enabled & (IMAP_CONDSTORE | IMAP_QRESYNC));
    if (items)
        status_tell(s, k->box.name, items, &k->st);
}

/* --- being woken --- */

static bool tells_messages(const struct known *k)
{
    return k->box.exists && (k->events & NOTIFY_MESSAGES);
}

static bool is_watched(const struct known *k)
{
    return k->box.exists && (k->events & (NOTIFY_MESSAGES | NOTIFY_METADATA));
}

/* What happens before all watches are there is seen as well: the last one wakes. */
static void watch(struct imap_session *s)
{
    const struct imap_ops *ops = &s->start->ops;
    const struct stock *stock = &s->notify->stock;
    struct err e;
    int fds[2];
    if (!ops->watch_names)
        return;
    ops->unwatch_others(ops->ctx);
    for (size_t i = 0; i < stock->n; i++) {
        const struct known *k = &stock->v[i];
        if (!is_watched(k) || store_watch_fds(s->store, k->box.name, fds, &e) != RC_OK)
            continue;
        ops->watch_also(ops->ctx, k->box.name, fds);
        fd_closep(&fds[0]);
        fd_closep(&fds[1]);
    }
    ops->watch_names(ops->ctx, store_names_fd(s->store));
}

/* --- the session --- */

static struct notify *notify_new(bool asked)
{
    struct notify *n = calloc(1, sizeof *n);
    must(n);
    n->asked = asked;
    n->program = arena_new(PROGRAM_MAX);
    return n;
}

enum rc notify_parse(struct imap_lex *lex, struct notify **ret)
{
    if (lex->text.n > TEXT_MAX)
        return imap_fail(lex, RC_LIMIT, "a shorter command");
    struct notify *n = notify_new(true);
    struct imap_lex own = *lex; /* what it gives outlives the command */
    own.arena = n->program;
    own.text = arena_str(n->program, lex->text);
    must(own.text.p);
    enum rc rc = imap_notify_parse(&own, &n->what);
    own.text = lex->text;
    own.arena = lex->arena;
    *lex = own;
    if (rc != RC_OK || n->what.none)
        n = notify_free(n);
    if (rc == RC_OK)
        *ret = n;
    return rc;
}

struct notify *notify_free(struct notify *n)
{
    if (!n)
        return NULL;
    stock_deinit(&n->stock);
    n->program = arena_free(n->program);
    uidset_deinit(&n->own);
    free(n);
    return NULL;
}

enum rc notify_begin(struct imap_session *s, struct notify *n, struct err *e)
{
    const struct imap_ops *ops = &s->start->ops;
    bool none = !n;
    if (none && (s->enabled & IMAP_METADATA))
        n = notify_new(false);
    enum rc rc = n ? stock_take(s, &n->what, &(struct stock){0}, &n->stock, e) : RC_OK;
    if (rc != RC_OK) {
        if (none)
            notify_free(n);
        return rc;
    }
    s->notify = notify_free(s->notify);
    s->notify = n;
    s->enabled = none ? s->enabled | IMAP_UNTOLD : s->enabled & ~(unsigned)IMAP_UNTOLD;
    if (n)
        watch(s);
    else if (ops->unwatch_others)
        ops->unwatch_others(ops->ctx);
    return RC_OK;
}

enum rc notify_enable_metadata(struct imap_session *s, struct err *e)
{
    struct stock stock;
    if (s->enabled & IMAP_METADATA)
        return RC_OK;
    notify_look(s, STR_NONE, STR_NONE); /* what is not told yet is about to be known */
    struct notify *n = s->notify ? s->notify : notify_new(false);
    s->enabled |= IMAP_METADATA;
    enum rc rc = stock_take(s, &n->what, &(struct stock){0}, &stock, e);
    if (rc != RC_OK) {
        s->enabled &= ~(unsigned)IMAP_METADATA;
        if (!s->notify)
            notify_free(n);
        return rc;
    }
    stock_deinit(&n->stock);
    n->stock = stock;
    s->notify = n;
    watch(s);
    return RC_OK;
}

void notify_tell_status(struct imap_session *s)
{
    const struct stock *stock = &s->notify->stock;
    for (size_t i = 0; s->notify->what.status && i < stock->n; i++) {
        const struct known *k = &stock->v[i];
        if (!tells_messages(k) || is_selected(s, k))
            continue;
        unsigned items = 1u << STATUS_MESSAGES | 1u << STATUS_UIDNEXT | 1u << STATUS_UIDVALIDITY;
        if (k->events & NOTIFY_FLAGS)
            items |= 1u << STATUS_HIGHESTMODSEQ;
        status_tell(s, k->box.name, items, &k->st);
    }
}

static const struct imap_notify_group *group_of_selected(const struct notify *n)
{
    for (size_t i = 0; i < n->what.n; i++)
        if (n->what.groups[i].filter.kind & (FILTER_SELECTED | FILTER_SELECTED_DELAYED))
            return &n->what.groups[i];
    return NULL;
}

unsigned notify_of_selected(const struct imap_session *s)
{
    if (s->command && (s->command->flags & CMD_TELLS))
        return NOTIFY_MESSAGES | NOTIFY_FLAGS;
    if (!s->notify || !s->notify->asked)
        return s->enabled & IMAP_UNTOLD ? 0 : NOTIFY_MESSAGES | NOTIFY_FLAGS;
    const struct imap_notify_group *g = group_of_selected(s->notify);
    return g ? g->events : 0;
}

void notify_of_new(struct imap_session *s, uid32 last, struct fetch_wishes *w)
{
    AUTO(uidset_deinit) struct uidset new = {0};
    struct notify *n = s->notify;
    if (!n)
        return;
    uidset_copy(&new, box_view(s->box));
    if (last > 0)
        uidset_del(&new, 1, last);
    uidset_subtract(&new, &n->own);
    uidset_clear(&n->own);
    if (n->what.has_fetch && new.n > 0)
        fetch_wish(w, &n->what.fetch, &new);
}

/* What this client has changed there, it knows. */
static void know_metadata(struct stock *before, const struct stock *now, str mailbox)
{
    const struct known *k = known_find(now->v, now->n, mailbox);
    struct known *old = known_find(before->v, before->n, mailbox);
    if (mailbox.n == 0)
        before->server = now->server;
    else if (k && old)
        old->marks = k->marks;
}

/* RFC 5465 §5.8 */
static void overflow(struct imap_session *s)
{
    struct err e;
    imap_reply_untagged(s, "OK", "NOTIFICATIONOVERFLOW", "There are too many mailboxes to watch.");
    s->enabled &= ~(unsigned)IMAP_METADATA;
    enum rc rc = notify_begin(s, NULL, &e);
    must(rc == RC_OK);
}

static void look(struct imap_session *s, str own, str own_too, const str *own_metadata)
{
    struct err e = {0};
    struct notify *n = s->notify;
    struct stock now;
    enum rc rc = n ? stock_take(s, &n->what, &n->stock, &now, &e) : RC_GONE;
    if (rc == RC_LIMIT)
        overflow(s);
    else if (rc == RC_TEMP)
        log_error("NOTIFY: %s", err_text(&e));
    if (rc != RC_OK)
        return;
    n->due = false;
    stock_compare(&n->stock, &now, s->start->separator);
    tell_names(s, &now, own, own_too);
    for (size_t i = 0; i < now.n; i++)
        if (tells_messages(&now.v[i]) && !is_selected(s, &now.v[i]))
            tell_messages(s, &n->stock, &now.v[i]);
    if (own_metadata)
        know_metadata(&n->stock, &now, *own_metadata);
    tell_metadata(s, &n->stock, &now, own, own_too);
    bool as_before = stock_same_names(&n->stock, &now);
    stock_deinit(&n->stock);
    now.gone = 0;
    n->stock = now;
    if (!as_before)
        watch(s);
}

void notify_look(struct imap_session *s, str own, str own_too)
{
    look(s, own, own_too, NULL);
}

void notify_own_metadata(struct imap_session *s, str mailbox)
{
    look(s, STR_NONE, STR_NONE, &mailbox);
}

void notify_woken(struct imap_session *s)
{
    const struct imap_ops *ops = &s->start->ops;
    const struct imap_notify_group *g = group_of_selected(s->notify);
    if (ops->wake_clear)
        ops->wake_clear(ops->ctx);
    if (s->box && g)
        imap_announce(s, g->filter.kind == FILTER_SELECTED_DELAYED ? BOX_SYNC_NO_EXPUNGE : 0);
    if (!s->closing)
        notify_look(s, STR_NONE, STR_NONE);
    imap_bye_if_stale(s);
}

void notify_own_messages(struct imap_session *s, str mailbox, const struct uidset *uids)
{
    if (!s->notify)
        return;
    if (s->box && str_eq(mailbox, str_c(s->box_name)))
        uidset_add_set(&s->notify->own, uids);
    struct known *k = known_find(s->notify->stock.v, s->notify->stock.n, mailbox);
    uint32_t count = uidset_count(uids);
    if (!k || k->st.uidnext + count != uidset_max(uids) + 1) /* there are others, too */
        return;
    k->st.uidnext += count;
    k->st.messages += count;
    k->own = true;
}

void notify_before_close(struct imap_session *s, uint32_t expunged)
{
    struct notify *n = s->notify;
    if (!n)
        return;
    struct known *k = known_find(n->stock.v, n->stock.n, str_c(s->box_name));
    if (k) {
        k->st = *box_status(s->box);
        k->st.messages -= expunged;
        k->own = expunged > 0;
    }
    uidset_clear(&n->own);
    n->due = true;
}

void notify_catch_up(struct imap_session *s)
{
    if (s->notify && s->notify->due && !s->closing)
        notify_look(s, STR_NONE, STR_NONE);
}
