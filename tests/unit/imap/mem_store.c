/* mem_store: mailboxes as arrays. A box's view is a uidset, as in the real store; flag changes are told by
 * comparing each message's modseq with the one of the last sync. */
#include "mem_store.h"

#include "fmt/crlf.h"

#include <pthread.h>

enum { BOXES_MAX = 40, MSGS_MAX = 64, KEYWORDS_MAX = 8, EXPUNGED_MAX = 256 };

struct mem_msg {
    uid32 uid;
    unsigned flags;
    uint64_t keywords;
    modseq modseq;
    int64_t date;
    char *bytes;
};

struct mem_box {
    char *name; /* NULL: the slot is free */
    char *acl;  /* fmt/acl.h */
    enum special_use use;
    bool subscribed, exists;
    uid32 uidnext, recent_from;
    struct mem_msg msgs[MSGS_MAX]; /* ascending UIDs */
    size_t n;
    char *keywords[KEYWORDS_MAX];
    size_t n_keywords;
    struct {
        uid32 uid;
        modseq modseq;
    } expunged[EXPUNGED_MAX]; /* in a ring */
    size_t n_expunged;
};

struct store {
    struct mem_box boxes[BOXES_MAX];
    modseq now;
    enum rc fail;
    bool stale;
    void (*tell_progress)(void *ctx, uint32_t done, uint32_t all);
    void *progress_ctx;
    pthread_mutex_t lock; /* tests deliver while a session in another thread looks */
};

struct box {
    struct store *st;
    struct mem_box *m;
    bool read_only;
    struct uidset view;
    modseq told;
    uid32 recent_from, recent_to;
    struct store_status status;
    str keywords[KEYWORDS_MAX];
};

static struct mem_box *find(struct store *st, str name)
{
    for (size_t i = 0; i < BOXES_MAX; i++)
        if (st->boxes[i].name && str_eq(str_c(st->boxes[i].name), name))
            return &st->boxes[i];
    return NULL;
}

static struct mem_box *find_existing(struct store *st, str name)
{
    struct mem_box *m = find(st, name);
    return m && m->exists ? m : NULL;
}

static struct mem_box *slot(struct store *st, str name)
{
    struct mem_box *m = find(st, name);
    for (size_t i = 0; i < BOXES_MAX && !m; i++)
        if (!st->boxes[i].name) {
            m = &st->boxes[i];
            *m = (struct mem_box){.name = str_dup(name), .uidnext = 1, .recent_from = 1};
        }
    return m;
}

static struct mem_msg *add(struct store *st, struct mem_box *m, str bytes)
{
    if (m->n == MSGS_MAX)
        return NULL;
    struct mem_msg *msg = &m->msgs[m->n++];
    *msg = (struct mem_msg){.uid = m->uidnext++, .modseq = ++st->now, .bytes = str_dup(bytes)};
    return msg;
}

static void drop(struct store *st, struct mem_box *m, size_t i)
{
    size_t at = m->n_expunged++ % EXPUNGED_MAX;
    m->expunged[at].uid = m->msgs[i].uid;
    m->expunged[at].modseq = ++st->now;
    free(m->msgs[i].bytes);
    memmove(&m->msgs[i], &m->msgs[i + 1], (m->n - i - 1) * sizeof *m->msgs);
    m->n--;
}

static struct mem_msg *message(struct mem_box *m, uid32 uid)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->msgs[i].uid == uid)
            return &m->msgs[i];
    return NULL;
}

static uint64_t keyword_bit(struct mem_box *m, str name)
{
    for (size_t i = 0; i < m->n_keywords; i++)
        if (str_eq(str_c(m->keywords[i]), name))
            return (uint64_t)1 << i;
    if (m->n_keywords == KEYWORDS_MAX)
        return 0;
    m->keywords[m->n_keywords] = str_dup(name);
    return (uint64_t)1 << m->n_keywords++;
}

static void box_drop(struct mem_box *m)
{
    for (size_t i = 0; i < m->n; i++)
        free(m->msgs[i].bytes);
    for (size_t i = 0; i < m->n_keywords; i++)
        free(m->keywords[i]);
    free(m->acl);
    free(m->name);
    *m = (struct mem_box){0};
}

struct store *mem_store_new(void)
{
    struct store *st = calloc(1, sizeof *st);
    must(st && pthread_mutex_init(&st->lock, NULL) == 0);
    static const char *const names[] = {"INBOX", "Drafts", "Sent", "lists/c"};
    for (size_t i = 0; i < 4; i++)
        slot(st, str_c(names[i]))->exists = true;
    find(st, S("Sent"))->subscribed = true;
    find(st, S("Sent"))->use = USE_SENT;
    find(st, S("Drafts"))->use = USE_DRAFTS;
    for (int i = 1; i <= 4; i++)
        mem_store_deliver(st, "INBOX", "Subject: one\r\n\r\nbody\r\n");
    mem_store_expunge(st, "INBOX", 3);
    mem_store_set_flags(st, "INBOX", 2, FLAG_SEEN);
    struct mem_box *inbox = find(st, S("INBOX"));
    message(inbox, 4)->keywords = keyword_bit(inbox, S("work"));
    return st;
}

void mem_store_fail(struct store *st, enum rc rc)
{
    st->fail = rc;
}

void mem_store_spoil(struct store *st)
{
    st->fail = RC_TEMP;
    st->stale = true;
}

bool store_is_stale(const struct store *st)
{
    return st->stale;
}

void mem_store_deliver(struct store *st, const char *mailbox, const char *bytes)
{
    pthread_mutex_lock(&st->lock);
    must(add(st, find(st, str_c(mailbox)), str_c(bytes)));
    pthread_mutex_unlock(&st->lock);
}

void mem_store_set_flags(struct store *st, const char *mailbox, uid32 uid, unsigned flags)
{
    struct mem_msg *msg = message(find(st, str_c(mailbox)), uid);
    msg->flags = flags;
    msg->modseq = ++st->now;
}

void mem_store_expunge(struct store *st, const char *mailbox, uid32 uid)
{
    struct mem_box *m = find(st, str_c(mailbox));
    drop(st, m, (size_t)(message(m, uid) - m->msgs));
}

void store_on_progress(struct store *st, void (*tell)(void *ctx, uint32_t done, uint32_t all), void *ctx)
{
    st->tell_progress = tell;
    st->progress_ctx = ctx;
}

struct store *store_close(struct store *st)
{
    for (size_t i = 0; st && i < BOXES_MAX; i++)
        box_drop(&st->boxes[i]);
    free(st);
    return NULL;
}

/* --- mailboxes --- */

static int by_name(const void *a, const void *b)
{
    str x = ((const struct store_box_info *)a)->name, y = ((const struct store_box_info *)b)->name;
    bool inbox_x = str_eq(x, S("INBOX")), inbox_y = str_eq(y, S("INBOX"));
    return inbox_x != inbox_y ? (inbox_x ? -1 : 1) : str_cmp(x, y);
}

static bool has_children(const struct store *st, str name)
{
    for (size_t i = 0; i < BOXES_MAX; i++) {
        str other = str_c(st->boxes[i].name);
        if (st->boxes[i].exists && other.n > name.n && str_starts(other, name) && other.p[name.n] == '/')
            return true;
    }
    return false;
}

enum rc store_list(struct store *st, struct arena *a, struct store_box_info **ret, size_t *ret_n,
                   struct err *e)
{
    struct store_box_info *all = arena_array(a, 2 * BOXES_MAX, sizeof *all);
    size_t n = 0;
    if (st->fail || !all)
        return err_set(e, st->fail ? st->fail : RC_LIMIT, 0, "", "Told to fail.");
    for (size_t i = 0; i < BOXES_MAX; i++) {
        struct mem_box *m = &st->boxes[i];
        if (!m->name)
            continue;
        str name = arena_str(a, str_c(m->name));
        all[n++] = (struct store_box_info){.name = name,
                                           .use = m->use,
                                           .subscribed = m->subscribed,
                                           .exists = m->exists,
                                           .has_children = has_children(st, name)};
        str parent = str_sub(name, 0, (size_t)(str_rchr(name, '/') < 0 ? 0 : str_rchr(name, '/')));
        bool listed = parent.n == 0 || find(st, parent) || !m->exists;
        for (size_t k = 0; k < n && !listed; k++)
            listed = str_eq(all[k].name, parent);
        if (!listed)
            all[n++] = (struct store_box_info){.name = parent, .noselect = true, .has_children = true};
    }
    qsort(all, n, sizeof *all, by_name);
    *ret = all;
    *ret_n = n;
    return RC_OK;
}

enum rc store_create(struct store *st, str name, enum special_use use, struct err *e)
{
    if (st->fail)
        return err_set(e, st->fail, 0, "", "Told to fail.");
    if (name.n == 0 || find_existing(st, name))
        return err_set(e, RC_PERM, 0, "", "The mailbox exists or cannot be.");
    struct mem_box *m = slot(st, name);
    if (!m)
        return err_set(e, RC_LIMIT, 0, "", "Too many mailboxes.");
    m->exists = true;
    m->use = use;
    return RC_OK;
}

enum rc store_delete(struct store *st, str name, struct err *e)
{
    struct mem_box *m = find_existing(st, name);
    if (!m)
        return err_set(e, RC_GONE, 0, "", "There is no such mailbox.");
    if (str_eq(name, S("INBOX")))
        return err_set(e, RC_PERM, 0, "", "INBOX stays.");
    bool subscribed = m->subscribed;
    box_drop(m);
    return subscribed ? store_subscribe(st, name, true, e) : RC_OK;
}

enum rc store_rename(struct store *st, str from, str to, struct err *e)
{
    struct mem_box *m = find_existing(st, from);
    if (!m)
        return err_set(e, RC_GONE, 0, "", "There is no such mailbox.");
    if (find(st, to) || str_eq(from, S("INBOX")))
        return err_set(e, RC_PERM, 0, "", "The name is taken.");
    free(m->name);
    m->name = str_dup(to);
    return RC_OK;
}

enum rc store_subscribe(struct store *st, str name, bool subscribed, struct err *e)
{
    struct mem_box *m = subscribed ? slot(st, name) : find(st, name);
    if (!m)
        return err_set(e, subscribed ? RC_LIMIT : RC_GONE, 0, "", "No subscription.");
    m->subscribed = subscribed;
    if (!subscribed && !m->exists)
        box_drop(m);
    return RC_OK;
}

static struct store_status status_of(const struct store *store, const struct mem_box *m)
{
    struct store_status st = {.messages = (uint32_t)m->n,
                              .uidnext = m->uidnext,
                              .uidvalidity = 7,
                              .highestmodseq = store->now,
                              .id = "m7"};
    for (size_t i = 0; i < m->n; i++) {
        st.recent += m->msgs[i].uid >= m->recent_from;
        st.unseen += !(m->msgs[i].flags & FLAG_SEEN);
        st.deleted += (m->msgs[i].flags & FLAG_DELETED) != 0;
        st.size += crlf_size(str_c(m->msgs[i].bytes));
    }
    return st;
}

enum rc store_status(struct store *st, str name, struct store_status *ret, struct err *e)
{
    struct mem_box *m = find_existing(st, name);
    if (!m)
        return err_set(e, RC_GONE, 0, "", "There is no such mailbox.");
    *ret = status_of(st, m);
    return RC_OK;
}

enum rc store_deleted_size(struct store *st, str name, uint64_t *ret, struct err *e)
{
    const struct mem_box *m = find_existing(st, name);
    uint64_t size = 0;
    if (!m)
        return err_set(e, RC_GONE, 0, "", "There is no such mailbox.");
    for (size_t i = 0; i < m->n; i++)
        size += m->msgs[i].flags & FLAG_DELETED ? strlen(m->msgs[i].bytes) : 0;
    *ret = size;
    return RC_OK;
}

enum rc store_rights(struct store *st, str mailbox, unsigned *ret, struct err *e)
{
    if (!find_existing(st, mailbox))
        return err_set(e, RC_GONE, 0, "", "There is no such mailbox.");
    *ret = ACL_ALL_RIGHTS;
    return RC_OK;
}

unsigned box_rights(const struct box *b)
{
    (void)b;
    return ACL_ALL_RIGHTS;
}

enum rc store_shared_with(struct store *st, struct arena *a, str **ret, size_t *ret_n, struct err *e)
{
    (void)st, (void)a, (void)e;
    *ret = NULL;
    *ret_n = 0;
    return RC_OK;
}

enum rc store_acl(struct store *st, str mailbox, struct arena *a, struct acl *ret, struct err *e)
{
    const struct mem_box *m = find_existing(st, mailbox);
    if (st->fail)
        return err_set(e, st->fail, 0, "", "Told to fail.");
    if (!m)
        return err_set(e, RC_GONE, 0, "", "There is no such mailbox.");
    return acl_parse(arena_str(a, str_c(m->acl)), a, ret);
}

enum rc store_acl_change(struct store *st, str mailbox, const struct acl_change *change, struct err *e)
{
    AUTO(arena_freep) struct arena *a = arena_new(4 << 20);
    AUTO(buf_deinit) struct buf text = BUF_INIT(ACL_BYTES_MAX);
    struct acl acl;
    enum rc rc = store_acl(st, mailbox, a, &acl, e);
    if (rc != RC_OK)
        return rc;
    acl_apply(&acl, change);
    acl_format(&acl, &text);
    struct mem_box *m = find_existing(st, mailbox);
    free(m->acl);
    m->acl = str_dup(buf_str(&text));
    return RC_OK;
}

/* No quota. */
enum rc store_quota(struct store *st, str mailbox, struct store_quota *ret, struct err *e)
{
    *ret = (struct store_quota){0};
    return RC_OK;
}

/* No annotations. */
enum rc store_metadata(struct store *st, str mailbox, struct arena *a, struct metadata **ret, size_t *ret_n,
                       struct err *e)
{
    if (mailbox.n > 0 && !find_existing(st, mailbox))
        return err_set(e, RC_GONE, 0, "", "There is no such mailbox.");
    *ret = NULL;
    *ret_n = 0;
    return RC_OK;
}

enum rc store_set_metadata(struct store *st, str mailbox, const struct metadata *v, size_t n, struct err *e)
{
    return err_set(e, RC_LIMIT, 0, "", "There is no room for any.");
}

enum rc store_special_use(struct store *st, str mailbox, enum special_use *ret, struct err *e)
{
    *ret = USE_NONE;
    return RC_OK;
}

enum rc store_set_special_use(struct store *st, str mailbox, enum special_use use, struct err *e)
{
    return err_set(e, RC_PERM, 0, "", "Not here.");
}

/* --- an open mailbox --- */

static void take_view(struct box *b)
{
    uidset_clear(&b->view);
    for (size_t i = 0; i < b->m->n; i++)
        uidset_add(&b->view, b->m->msgs[i].uid, b->m->msgs[i].uid);
    b->status = status_of(b->st, b->m);
    b->status.recent = 0;
    for (size_t i = 0; i < b->m->n; i++)
        b->status.recent += box_is_recent(b, b->m->msgs[i].uid);
    b->told = b->st->now;
}

enum rc box_open(struct store *st, str name, bool read_only, struct box **ret, struct err *e)
{
    struct mem_box *m = find_existing(st, name);
    if (!m || st->fail)
        return err_set(e, m ? st->fail : RC_GONE, 0, "", "There is no such mailbox.");
    struct box *b = calloc(1, sizeof *b);
    must(b);
    *b = (struct box){.st = st, .m = m, .read_only = read_only, .recent_from = m->recent_from};
    if (!read_only)
        m->recent_from = m->uidnext;
    b->recent_to = m->uidnext;
    uidset_init(&b->view);
    take_view(b);
    *ret = b;
    return RC_OK;
}

bool box_park(const struct box *b, struct parked_view *ret)
{
    *ret = (struct parked_view){.read_only = b->read_only,
                                .uidvalidity = b->status.uidvalidity,
                                .told = b->told,
                                .keywords = (uint32_t)b->m->n_keywords};
    uidset_copy(&ret->uids, &b->view);
    if (b->recent_to > b->recent_from)
        uidset_add(&ret->recent, b->recent_from, b->recent_to - 1);
    return true;
}

enum rc box_resume(struct store *st, str name, const struct parked_view *view, struct box **ret,
                   struct err *e)
{
    enum rc rc = box_open(st, name, view->read_only, ret, e);
    if (rc != RC_OK)
        return rc;
    struct box *b = *ret;
    uidset_copy(&b->view, &view->uids);
    b->told = view->told;
    b->recent_from = uidset_next(&view->recent, 1);
    b->recent_to = uidset_max(&view->recent) + 1;
    return RC_OK;
}

struct box *box_close(struct box *b)
{
    uidset_deinit(&b->view);
    free(b);
    return NULL;
}

const struct store_status *box_status(const struct box *b)
{
    return &b->status;
}

bool box_read_only(const struct box *b)
{
    return b->read_only;
}

const struct uidset *box_view(const struct box *b)
{
    return &b->view;
}

bool box_is_recent(const struct box *b, uid32 uid)
{
    return uid >= b->recent_from && uid < b->recent_to;
}

uint32_t box_first_unseen(struct box *b)
{
    for (size_t i = 0; i < b->m->n; i++)
        if (!(b->m->msgs[i].flags & FLAG_SEEN))
            return uidset_rank(&b->view, b->m->msgs[i].uid);
    return 0;
}

void box_watch_fds(const struct box *b, int ret_fd[2])
{
    (void)b;
    ret_fd[0] = ret_fd[1] = -1;
}

static enum rc look(struct box *b, unsigned sync_flags, const struct box_events *ev, struct err *e)
{
    if (b->st->fail || !b->m->exists)
        return err_set(e, b->st->fail ? b->st->fail : RC_GONE, 0, "", "Told to fail.");
    for (uid32 u = uidset_next(&b->view, 1); u && !(sync_flags & BOX_SYNC_NO_EXPUNGE);
         u = uidset_next(&b->view, u + 1))
        if (!message(b->m, u)) {
            ev->expunged(ev->ctx, uidset_rank(&b->view, u), u);
            uidset_del(&b->view, u, u);
        }
    uid32 known = uidset_max(&b->view);
    uint32_t before = uidset_count(&b->view);
    for (size_t i = 0; i < b->m->n; i++)
        if (b->m->msgs[i].uid > known)
            uidset_add(&b->view, b->m->msgs[i].uid, b->m->msgs[i].uid);
    b->recent_to = b->m->uidnext;
    if (uidset_count(&b->view) > before)
        ev->exists(ev->ctx, uidset_count(&b->view), 0);
    for (size_t i = 0; i < b->m->n; i++)
        if (b->m->msgs[i].uid <= known && b->m->msgs[i].modseq > b->told)
            ev->flags(ev->ctx, uidset_rank(&b->view, b->m->msgs[i].uid), b->m->msgs[i].uid);
    b->told = b->st->now;
    b->status.highestmodseq = b->told;
    return RC_OK;
}

enum rc box_changed_since(struct box *b, modseq since, struct uidset *ret, struct err *e)
{
    if (b->st->fail)
        return err_set(e, b->st->fail, 0, "", "Told to fail.");
    for (size_t i = 0; i < b->m->n; i++)
        if (b->m->msgs[i].modseq > since && uidset_has(&b->view, b->m->msgs[i].uid))
            uidset_add(ret, b->m->msgs[i].uid, b->m->msgs[i].uid);
    return RC_OK;
}

enum rc box_vanished_since(struct box *b, modseq since, struct uidset *ret, struct err *e)
{
    if (b->st->fail)
        return err_set(e, b->st->fail, 0, "", "Told to fail.");
    for (size_t i = 0; i < b->m->n_expunged && i < EXPUNGED_MAX; i++)
        if (b->m->expunged[i].modseq > since && !uidset_has(&b->view, b->m->expunged[i].uid))
            uidset_add(ret, b->m->expunged[i].uid, b->m->expunged[i].uid);
    return RC_OK;
}

enum rc box_sync(struct box *b, unsigned sync_flags, const struct box_events *ev, struct err *e)
{
    pthread_mutex_lock(&b->st->lock);
    enum rc rc = look(b, sync_flags, ev, e);
    pthread_mutex_unlock(&b->st->lock);
    return rc;
}

enum rc store_watch_fds(struct store *st, str name, int ret_fd[2], struct err *e)
{
    return err_set(e, RC_GONE, 0, "", "There are no folders.");
}

int store_names_fd(const struct store *st)
{
    return -1;
}

size_t box_keywords(const struct box *b, const str **ret_names)
{
    struct box *w = (struct box *)b; /* the array of views is a cache */
    for (size_t i = 0; i < b->m->n_keywords; i++)
        w->keywords[i] = str_c(b->m->keywords[i]);
    *ret_names = b->keywords;
    return b->m->n_keywords;
}

bool box_keyword_room(const struct box *b)
{
    return b->m->n_keywords < KEYWORDS_MAX;
}

/* --- messages --- */

struct box_query {
    struct box *b;
    struct uidset uids;
    uid32 at;
};

enum rc box_query_open(struct box *b, const struct uidset *uids, unsigned want, struct box_query **ret,
                       struct err *e)
{
    (void)want;
    if (b->st->fail)
        return err_set(e, b->st->fail, 0, "", "Told to fail.");
    struct box_query *q = calloc(1, sizeof *q);
    must(q);
    q->b = b;
    q->at = 1;
    uidset_copy(&q->uids, uids);
    uidset_intersect(&q->uids, &b->view);
    *ret = q;
    return RC_OK;
}

enum rc box_query_next(struct box_query *q, struct box_msg *ret, struct err *e)
{
    (void)e;
    uid32 uid;
    const struct mem_msg *m = NULL;
    while (!m && (uid = uidset_next(&q->uids, q->at)) != 0) {
        q->at = uid + 1;
        m = message(q->b->m, uid);
    }
    if (!m)
        return RC_GONE;
    *ret = (struct box_msg){.uid = m->uid,
                            .seq = uidset_rank(&q->b->view, m->uid),
                            .flags = m->flags,
                            .keywords = m->keywords,
                            .modseq = m->modseq,
                            .internal_date = m->date,
                            .size = crlf_size(str_c(m->bytes)),
                            .envelope = S("(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"),
                            .body = S("(\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 6 1)"),
                            .bodystructure = S("(\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 6 1)")};
    return RC_OK;
}

struct box_query *box_query_close(struct box_query *q)
{
    if (q)
        uidset_deinit(&q->uids);
    free(q);
    return NULL;
}

enum rc box_drop_expunged(struct box *b, struct uidset *uids, struct err *e)
{
    (void)e;
    struct uidset there = {0};
    for (size_t i = 0; i < b->m->n; i++)
        uidset_add(&there, b->m->msgs[i].uid, b->m->msgs[i].uid);
    uidset_intersect(uids, &there);
    uidset_deinit(&there);
    return RC_OK;
}

enum rc box_find_flags(struct box *b, const struct uidset *among, unsigned flags, uint64_t keywords,
                       bool none, struct uidset *ret, struct err *e)
{
    if (b->st->fail)
        return err_set(e, b->st->fail, 0, "", "Told to fail.");
    for (size_t i = 0; i < b->m->n; i++) {
        const struct mem_msg *m = &b->m->msgs[i];
        bool has = (m->flags & flags) || (m->keywords & keywords);
        if (has != none && uidset_has(among, m->uid))
            uidset_add(ret, m->uid, m->uid);
    }
    return RC_OK;
}

enum rc box_content_open(struct box *b, uid32 uid, struct box_content *ret, struct err *e)
{
    const struct mem_msg *m = message(b->m, uid);
    if (!m)
        return err_set(e, RC_GONE, 0, "", "The message is gone.");
    *ret = (struct box_content){.raw = str_c(m->bytes)};
    return RC_OK;
}

void box_content_close(struct box_content *c)
{
    (void)c;
}

static unsigned changed(unsigned now, unsigned by, enum flag_op op)
{
    return op == FLAGS_REPLACE ? by : op == FLAGS_ADD ? now | by : now & ~by;
}

enum rc box_change_flags(struct box *b, const struct uidset *uids, const struct flag_change *change,
                         bool silent, struct uidset *ret_failed, struct err *e)
{
    uint64_t bits = 0;
    if (b->st->fail)
        return err_set(e, b->st->fail, 0, "", "Told to fail.");
    for (size_t i = 0; i < change->n_keywords; i++)
        bits |= keyword_bit(b->m, change->keywords[i]);
    bool all_told = b->told == b->st->now;
    for (size_t i = 0; i < b->m->n; i++) {
        struct mem_msg *m = &b->m->msgs[i];
        if (!uidset_has(uids, m->uid) || !uidset_has(&b->view, m->uid))
            continue;
        if (m->modseq > change->unchanged_since) {
            if (ret_failed)
                uidset_add(ret_failed, m->uid, m->uid);
            continue;
        }
        m->flags = changed(m->flags, change->flags, change->op);
        m->keywords = changed((unsigned)m->keywords, (unsigned)bits, change->op);
        m->modseq = ++b->st->now;
    }
    if (silent && all_told)
        b->told = b->st->now;
    return RC_OK;
}

enum rc box_expunge(struct box *b, const struct uidset *uids, bool any_flags, struct err *e)
{
    if (b->st->fail)
        return err_set(e, b->st->fail, 0, "", "Told to fail.");
    for (size_t i = b->m->n; i-- > 0;) {
        const struct mem_msg *m = &b->m->msgs[i];
        if (uidset_has(&b->view, m->uid) && (!uids || uidset_has(uids, m->uid)) &&
            (any_flags || (m->flags & FLAG_DELETED)))
            drop(b->st, b->m, i);
    }
    return RC_OK;
}

enum rc box_copy(struct box *b, const struct uidset *uids, str dest, bool move, struct box_copied *ret,
                 struct err *e)
{
    struct mem_box *to = find_existing(b->st, dest);
    if (!to)
        return err_set(e, RC_GONE, 0, "", "There is no such mailbox.");
    struct box_copied done = {0};
    uidset_init(&done.from);
    uidset_init(&done.to);
    for (uid32 u = uidset_next(uids, 1), nth = 0; u; u = uidset_next(uids, u + 1)) {
        if (b->st->tell_progress)
            b->st->tell_progress(b->st->progress_ctx, nth++, uidset_count(uids));
        const struct mem_msg *from = message(b->m, u);
        struct mem_msg *copy = from ? add(b->st, to, str_c(from->bytes)) : NULL;
        if (!copy)
            continue;
        copy->flags = message(b->m, u)->flags;
        uidset_add(&done.from, u, u);
        uidset_add(&done.to, copy->uid, copy->uid);
        done.uidvalidity = 7;
    }
    *ret = done;
    return move ? box_expunge(b, &ret->from, true, e) : RC_OK;
}

enum rc box_pop3_uidl(struct box *b, uid32 uid, struct buf *out, struct err *e)
{
    if (b->st->fail)
        return err_set(e, b->st->fail, 0, "", "Told to fail.");
    buf_printf(out, "u%u", uid);
    return out->overflow ? RC_LIMIT : RC_OK;
}

/* --- append --- */

enum { APPENDED_MAX = 8 };

struct append {
    struct store *st;
    struct mem_box *m;
    struct {
        struct buf bytes;
        struct mem_msg meta;
    } v[APPENDED_MAX];
    size_t n; /* finished ones */
    struct box *source;
    uid32 replaced;
};

enum rc append_begin(struct store *st, str mailbox, struct append **ret, struct err *e)
{
    struct mem_box *m = find_existing(st, mailbox);
    if (!m)
        return err_set(e, RC_GONE, 0, "", "There is no such mailbox.");
    struct append *ap = calloc(1, sizeof *ap);
    must(ap);
    *ap = (struct append){.st = st, .m = m};
    for (size_t i = 0; i < APPENDED_MAX; i++)
        buf_init(&ap->v[i].bytes, 1 << 20);
    *ret = ap;
    return RC_OK;
}

enum rc append_replace(struct append *ap, struct box *b, uid32 uid, struct err *e)
{
    if (!message(b->m, uid))
        return err_set(e, RC_GONE, 0, "", "The message is gone.");
    ap->source = b;
    ap->replaced = uid;
    return RC_OK;
}

enum rc append_room(struct append *ap, uint64_t bytes, struct err *e)
{
    return RC_OK;
}

enum rc append_write(struct append *ap, str bytes, struct err *e)
{
    if (ap->st->fail || ap->n == APPENDED_MAX)
        return err_set(e, ap->st->fail ? ap->st->fail : RC_LIMIT, 0, "", "Told to fail.");
    if (ap->v[ap->n].bytes.n + bytes.n > 1000)
        return err_set(e, RC_LIMIT, 0, "5.3.4", "The message is too large.");
    buf_puts(&ap->v[ap->n].bytes, bytes);
    return RC_OK;
}

enum rc append_finish(struct append *ap, const struct append_message *msg, struct err *e)
{
    struct mem_msg *meta = &ap->v[ap->n++].meta;
    *meta = (struct mem_msg){.flags = msg->flags, .date = msg->internal_date};
    for (size_t i = 0; i < msg->n_keywords; i++)
        meta->keywords |= keyword_bit(ap->m, msg->keywords[i]);
    return RC_OK;
}

void append_abort(struct append **ap)
{
    for (size_t i = 0; *ap && i < APPENDED_MAX; i++)
        buf_deinit(&(*ap)->v[i].bytes);
    free(*ap);
    *ap = NULL;
}

static uid32 commit_one(struct append *ap, size_t i)
{
    const struct mem_msg *meta = &ap->v[i].meta;
    struct mem_msg *msg = add(ap->st, ap->m, buf_str(&ap->v[i].bytes));
    must(msg);
    msg->flags = meta->flags;
    msg->date = meta->date;
    msg->keywords = meta->keywords;
    return msg->uid;
}

enum rc append_commit(struct append **app, struct append_result *ret, struct err *e)
{
    struct append *ap = *app;
    enum rc rc = ap->m->n + ap->n > MSGS_MAX ? err_set(e, RC_LIMIT, 0, "", "The mailbox is full.") : RC_OK;
    struct append_result done = {.uidvalidity = 7, .first = ap->m->uidnext};
    for (size_t i = 0; i < ap->n && rc == RC_OK; i++)
        done.last = commit_one(ap, i);
    if (rc == RC_OK && ap->source) {
        const struct mem_msg *old = message(ap->source->m, ap->replaced);
        if (old)
            drop(ap->st, ap->source->m, (size_t)(old - ap->source->m->msgs));
    }
    append_abort(app);
    if (rc == RC_OK)
        *ret = done;
    return rc;
}
