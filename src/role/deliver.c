/* The deliver role: writes messages into the Maildirs of one Unix uid. It parses no message: it puts the
 * header lines that it is handed in front of the content and links the file into new/. Started by mailbox, as
 * the account's uid, with that uid's mail root as its root folder and in a Landlock domain of it. One thread
 * per channel, straight-line code; files that a channel has prepared and not committed are removed when it
 * closes. */
#include "base/log.h"
#include "base/map.h"
#include "os/channel.h"
#include "os/file.h"
#include "role/deliver_detail.h"
#include "role/deliver_msg.h"
#include "role/deliver_quota.h"
#include "role/deliver_target.h"
#include "role/flights.h"
#include "role/ipc.h"
#include "role/role.h"
#include "store/delivery.h"
#include "store/journal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DELIVER_CHANNELS_MAX = 512, HEAD_PARTS = 3, FLIGHT_WAIT_MS = 5000 };

struct held { /* one prepared file */
    struct delivery *file;
    struct target *target;
    struct detail detail; /* the mailbox within it */
    struct flight flight;
    bool flies; /* until its end nobody else delivers it */
    bool full;  /* refused because of the quota */
    struct quota_taken taken;
};

struct deliver_conn { /* a channel's state */
    struct held *held;
    size_t n, cap;
    char id[DELIVER_ID_MAX + 1];
};

struct deliver {
    struct role *role;
    struct target_cache *targets;
    struct journal *journal; /* NULL: each message is synced by itself */
    struct flights *flights;
    atomic_uint links, links_received;
};

static struct deliver self;

/* --- committing and aborting what a channel holds --- */

static void release(struct held *h)
{
    bool kept = h->file && delivery_is_committed(h->file);
    delivery_free(&h->file);
    deliver_end_room(self.role->conf, h->target, &h->taken, kept);
    detail_close(&h->detail);
    target_release(&h->target);
    if (h->flies)
        flights_end(self.flights, &h->flight);
}

static void abort_from(struct deliver_conn *c, size_t first)
{
    while (c->n > first)
        release(&c->held[--c->n]);
}

static void note_late(struct err *e)
{
    (void)err_set(e, RC_TEMP, 451, "4.3.0", "Mailbox is temporarily unavailable");
    err_note(e, "prepared too late: whoever asked has given up");
}

static bool is_to_commit(const struct held *h, const struct err *e)
{
    return h->file && e->rc == RC_OK;
}

/* Commits those of held[first..) that have no journal, or those that have one; false at a failure, which with
 * how == DELIVER_COMMIT_EACH keeps none of the others. */
static bool commit_files(const struct deliver_conn *c, size_t first, bool journaled, enum deliver_commit how,
                         struct err *errs)
{
    bool failed = false;
    for (size_t i = first; i < c->n && !(failed && how != DELIVER_COMMIT_EACH); i++)
        if (is_to_commit(&c->held[i], &errs[i - first]) && !delivery_record(c->held[i].file) == !journaled &&
            delivery_commit(c->held[i].file, &errs[i - first]) != RC_OK)
            failed = true;
    return !failed;
}

/* The journaled ones: their records durable, all at once, and then their names. What has a record and is
 * refused after all is revoked. */
static bool commit_journaled(struct deliver *d, const struct deliver_conn *c, size_t first,
                             enum deliver_commit how, msec deadline, struct err *errs)
{
    struct buf *records[DELIVER_INLINE_RCPTS];
    size_t at[DELIVER_INLINE_RCPTS], n = 0, refused = 0;
    unsigned ticket;
    struct err e = {0};
    for (size_t i = first; i < c->n; i++) {
        if (!is_to_commit(&c->held[i], &errs[i - first]) || !delivery_record(c->held[i].file))
            continue;
        must(n < DELIVER_INLINE_RCPTS);
        at[n] = i - first;
        records[n++] = delivery_record(c->held[i].file);
    }
    if (n == 0)
        return true;
    if (journal_commit(d->journal, records, n, deadline, &ticket, &e) != RC_OK) {
        for (size_t i = 0; i < n; i++)
            errs[at[i]] = e;
        return false;
    }
    bool done = commit_files(c, first, true, how, errs);
    for (size_t i = 0; i < n && !done; i++)
        if (how != DELIVER_COMMIT_EACH || errs[at[i]].rc != RC_OK)
            records[refused++] = records[i];
    journal_revoke(d->journal, records, refused);
    journal_release(d->journal, ticket);
    return done;
}

static void log_results(const struct deliver_conn *c, size_t first, const struct err *errs, bool failed)
{
    for (size_t i = first; i < c->n; i++) {
        const char *account = c->held[i].file ? target_account(c->held[i].target) : NULL;
        if (account && errs[i - first].rc == RC_OK && !failed)
            log_info_of(LOG_AS_MALLE, "%s: saved to %s of %s", c->id,
                        c->held[i].detail.fd >= 0 ? c->held[i].detail.dir + 1 : "INBOX", account);
        else if (account && errs[i - first].rc != RC_OK)
            log_error("%s: %s: %s", c->id, account, err_text(&errs[i - first]));
    }
}

/* Commits held[first..) and forgets it; errs has one entry for each, of which those that could not be
 * prepared are set. All or nothing: at the first failure what is committed already is taken back, so that the
 * sender's next try does not give anybody a second copy. */
static void commit_from(struct deliver *d, struct deliver_conn *c, size_t first, enum deliver_commit how,
                        msec deadline, struct err *errs)
{
    bool late = clock_mono() > deadline, failed = late;
    for (size_t i = first; late && i < c->n; i++)
        if (c->held[i].file)
            note_late(&errs[i - first]);
    if (!late && !(commit_files(c, first, false, how, errs) || how == DELIVER_COMMIT_EACH))
        failed = true;
    if (!failed && !commit_journaled(d, c, first, how, deadline, errs))
        failed = how != DELIVER_COMMIT_EACH;
    log_results(c, first, errs, failed);
    for (size_t i = first; failed && !late && i < c->n; i++)
        if (c->held[i].file && errs[i - first].rc == RC_OK)
            delivery_undo(c->held[i].file);
    abort_from(c, first); /* frees what was committed, removes what was not */
}

/* An err for each, in order; when their texts would not fit a message, the later ones lose theirs. */
static void put_results(struct buf *reply, const struct err *errs, size_t n)
{
    ipc_begin(reply, MSG_DELIVER_REPLY);
    ipc_put_u32(reply, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        struct err brief = {.rc = errs[i].rc, .code = errs[i].code};
        memcpy(brief.enhanced, errs[i].enhanced, sizeof brief.enhanced);
        ipc_put_err(reply, reply->n + (n - i) * 64 + sizeof brief < IPC_MAX ? &errs[i] : &brief);
    }
}

/* --- preparing --- */

/* In INBOX or in the mailbox of the tag: that one may have been made since. */
static enum rc find_before(const struct held *h, const struct delivery_message *m, struct err *e)
{
    enum rc rc = delivery_find(target_dir(h->target), m->name.id, m->name.number, e);
    return rc == RC_GONE && h->detail.fd >= 0 ? delivery_find(h->detail.fd, m->name.id, m->name.number, e)
                                              : rc;
}

/* Writes into the account's Maildir. One that was kept open may have been removed since: then it is looked up
 * anew. */
static enum rc prepare_in(struct deliver *d, str account, str delivered_to, struct delivery_message *m,
                          bool again, struct held *ret, struct err *e)
{
    AUTO(buf_deinit) struct buf path = BUF_INIT(2 * IDENTITY_PATH_MAX);
    enum rc rc = RC_OK;
    for (int attempt = 0; attempt < 2; attempt++) {
        *e = (struct err){0};
        rc = target_find(d->targets, account, &ret->target, e);
        if (rc != RC_OK)
            return rc;
        detail_open(d->role->conf, target_dir(ret->target), delivered_to, &ret->detail);
        int dir = ret->detail.fd >= 0 ? ret->detail.fd : target_dir(ret->target);
        rc = again ? find_before(ret, m, e) : RC_GONE;
        if (rc == RC_OK) {
            log_info_of(LOG_AS_MALLE, "saved to INBOX of %s before", target_account(ret->target));
            return RC_OK;
        }
        buf_reset(&path);
        buf_puts(&path, target_path(ret->target));
        if (path.n > 0 && ret->detail.fd >= 0)
            buf_printf(&path, "/%s", ret->detail.dir);
        m->path = buf_str(&path);
        if (m->path.n == 0 || !journal_ready(m->journal, target_device(ret->target)))
            m->journal = NULL;
        if (rc == RC_GONE) {
            rc = deliver_room(d->role->conf, ret->target, delivery_size(m), false, e);
            ret->full = rc == RC_LIMIT || rc == RC_PERM;
            if (ret->full)
                return rc;
        }
        if (rc == RC_OK)
            rc = delivery_prepare(dir, m, &ret->file, e);
        if (rc == RC_OK)
            return deliver_take_room(d->role->conf, ret->target, delivery_size(m), &ret->taken, e);
        target_forget(d->targets, account);
        detail_close(&ret->detail);
        target_release(&ret->target);
        if (rc != RC_TEMP) /* the disk is full */
            break;
    }
    return rc;
}

/* What is held longer than one message from smtpd, or is large, is synced by itself: so records take little
 * memory and the journal holds many. */
static bool is_journaled(const struct deliver_request *rq)
{
    return rq->content_fd < 0 && rq->commit != DELIVER_HOLD && rq->count <= DELIVER_INLINE_RCPTS;
}

/* The same in every process, so that a message that was delivered before is known again. */
static uint64_t stable_hash(str s)
{
    static const uint64_t key[2] = {0, 0};
    return map_siphash(key, s);
}

/* Whether the channel itself has this delivery under way: a client may name an address twice. */
static bool holds(const struct deliver_conn *c, const struct flight *f)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->held[i].flies && c->held[i].flight.id == f->id && c->held[i].flight.number == f->number)
            return true;
    return false;
}

static enum rc prepare_one(struct deliver *d, const struct deliver_conn *c, const struct deliver_request *rq,
                           str account, str delivered_to, str lines, struct held *ret, struct err *e)
{
    str head[HEAD_PARTS] = {lines, rq->trace};
    struct delivery_message m = {
        .journal = is_journaled(rq) ? d->journal : NULL,
        .name = {.now = clock_wall(),
                 .id = stable_hash(rq->id),
                 .number = (unsigned)stable_hash(delivered_to),
                 .host = str_c(d->role->conf->hostname)},
        .head = head,
        .n_head = 2,
        .content_fd = rq->content_fd,
        .content = rq->content,
        .content_size = rq->bytes,
        .content_lines = rq->lines,
    };
    msec latest = clock_mono() + FLIGHT_WAIT_MS;
    bool waited = false;
    ret->flight = (struct flight){m.name.id, m.name.number};
    ret->flies =
        !holds(c, &ret->flight) &&
        flights_begin(d->flights, &ret->flight, rq->deadline < latest ? rq->deadline : latest, &waited);
    enum rc rc = ret->flies || holds(c, &ret->flight)
                     ? prepare_in(d, account, delivered_to, &m, rq->again || waited, ret, e)
                     : err_set(e, RC_TEMP, 451, "4.3.0", "It is being delivered");
    if (ret->full) /* not our trouble */
        log_warn(STR_FMT ": " STR_FMT ": %s", STR_ARG(rq->id), STR_ARG(account), err_text(e));
    else if (rc != RC_OK)
        log_error(STR_FMT ": " STR_FMT ": %s", STR_ARG(rq->id), STR_ARG(account), err_text(e));
    return rc;
}

static bool hold_room(struct deliver_conn *c, size_t n)
{
    if (c->n + n > DELIVER_HELD_MAX)
        return false;
    if (c->n + n > c->cap) {
        size_t cap = c->n + n;
        struct held *more = realloc(c->held, cap * sizeof *more);
        must(more);
        c->held = more;
        c->cap = cap;
    }
    return true;
}

static enum rc prepare(struct deliver *d, struct deliver_conn *c, struct ipc_msg *m, struct buf *reply)
{
    struct deliver_request rq;
    struct err errs[DELIVER_BATCH_MAX] = {0};
    size_t first = c->n;
    bool all = true;
    enum rc rc = deliver_request_get(m, &rq);
    if (rc == RC_OK && !hold_room(c, rq.count))
        rc = RC_LIMIT;
    if (rc != RC_OK) {
        fd_closep(&rq.content_fd);
        return rc;
    }
    must(str_copy(c->id, sizeof c->id, rq.id) == RC_OK);
    for (uint32_t i = 0; i < rq.count; i++) {
        str account = ipc_get_str(m, IDENTITY_ACCOUNT_MAX), to = ipc_get_str(m, DELIVER_ADDRESS_MAX);
        str lines = ipc_get_str(m, DELIVER_LINES_MAX);
        struct held h = {.detail.fd = -1};
        if (m->malformed)
            break;
        all = prepare_one(d, c, &rq, account, to, lines, &h, &errs[i]) == RC_OK && all;
        c->held[c->n++] = h;
    }
    fd_closep(&rq.content_fd);
    if (ipc_end(m) != RC_OK) {
        abort_from(c, first);
        return RC_INVALID;
    }
    if (rq.commit == DELIVER_COMMIT_EACH || (rq.commit == DELIVER_COMMIT_IF_ALL && all))
        commit_from(d, c, first, (enum deliver_commit)rq.commit, rq.deadline, errs);
    else if (rq.commit == DELIVER_COMMIT_IF_ALL)
        abort_from(c, first);
    put_results(reply, errs, rq.count);
    return RC_OK;
}

static enum rc commit(struct deliver *d, struct deliver_conn *c, struct ipc_msg *m, struct buf *reply)
{
    uint32_t how = ipc_get_u32(m);
    msec deadline = (msec)ipc_get_u64(m);
    if (ipc_end(m) != RC_OK || how == DELIVER_HOLD || how > DELIVER_COMMIT_EACH)
        return RC_INVALID;
    size_t n = c->n;
    struct err *errs = calloc(n ? n : 1, sizeof *errs);
    must(errs);
    commit_from(d, c, 0, (enum deliver_commit)how, deadline, errs);
    put_results(reply, errs, n);
    free(errs);
    return RC_OK;
}

/* Whether somebody has room, before there is a message. */
static enum rc room(struct deliver *d, struct ipc_msg *m, struct buf *reply)
{
    struct err e = {0};
    struct target *t = NULL;
    str account = ipc_get_str(m, IDENTITY_ACCOUNT_MAX);
    uint64_t bytes = ipc_get_u64(m);
    if (ipc_end(m) != RC_OK)
        return RC_INVALID;
    e.rc = target_find(d->targets, account, &t, &e);
    if (e.rc == RC_OK)
        e.rc = deliver_room(d->role->conf, t, bytes, true, &e);
    target_release(&t);
    put_results(reply, &e, 1);
    return RC_OK;
}

/* --- the channel's service --- */

static enum rc deliver_handle(void *ctx, void **conn, struct ipc_msg *request, struct buf *reply,
                              int *reply_fds, unsigned *ret_n_fds)
{
    struct deliver_conn *c = *conn;
    if (!c) {
        *conn = c = calloc(1, sizeof *c);
        must(c);
    }
    switch ((enum ipc_type)request->type) {
    case MSG_DELIVER_PREPARE:
        return prepare(ctx, c, request, reply);
    case MSG_DELIVER_COMMIT:
        return commit(ctx, c, request, reply);
    case MSG_DELIVER_ROOM:
        return room(ctx, request, reply);
    case MSG_DELIVER_ABORT:
        abort_from(c, 0);
        ipc_begin(reply, MSG_DELIVER_REPLY);
        ipc_put_u32(reply, 0);
        return ipc_end(request);
    default:
        return RC_INVALID;
    }
}

static void deliver_closed(void *ctx, void *conn)
{
    struct deliver_conn *c = conn;
    abort_from(c, 0);
    free(c->held);
    free(c);
}

/* With the last link gone nobody can ask any more. mailbox decides whether this is the end: another link may
 * be on its way. */
static void deliver_link_closed(void *ctx)
{
    struct deliver *d = ctx;
    if (atomic_fetch_sub(&d->links, 1) != 1)
        return;
    struct buf b AUTO(buf_deinit) = BUF_INIT(64);
    ipc_begin(&b, MSG_CONTROL_IDLE);
    ipc_put_u32(&b, atomic_load(&d->links_received));
    if (ipc_send(d->role->control, &b, NULL, 0, 0) != RC_OK)
        _exit(0);
}

/* Not where the mail root belongs to one account: its sessions would see the journal; nor for users of
 * databases: no start would know where to look for it. */
static bool may_journal(const struct role *r)
{
    return !r->identity->system && !r->identity->mail_root[0] &&
           strcmp(r->identity->mail_dir, r->mail_root) != 0;
}

/* Also with delivery_journal off: an earlier start may have left records. */
static void open_journal(const struct role *r, const char *root, const struct journal_boot *boot)
{
    struct err e = {0};
    if (!r->conf->delivery_journal && !journal_exists(root))
        return;
    self.journal = journal_open(root, boot, &e);
    if (!self.journal)
        log_warn("no journal, each message is synced by itself: %s", err_text(&e));
    if (!r->conf->delivery_journal)
        self.journal = journal_close(self.journal);
}

static void deliver_start(struct role *r)
{
    if (!r->identity) {
        log_error("started without an identity");
        _exit(1);
    }
    self.role = r;
    self.flights = flights_new();
    bool chroots = geteuid() == 0; /* the folders above may be closed to the uid */
    struct journal_boot boot;
    bool journals = may_journal(r) && journal_boot_now(&boot) == RC_OK;
    self.targets = target_cache_new(r->identity->uid, chroots ? r->mail_root : "/", r->mail_root);
    (void)map_hash(S("")); /* draws its key */
    umask(0077);
    const char *rw[] = {chroots ? "/" : r->mail_root, NULL};
    struct sandbox sb = {.role = ROLE_DELIVER,
                         .uid = geteuid() == 0 ? r->identity->uid : (uid_t)-1,
                         .gid = r->identity->gid,
                         .groups = r->identity->groups,
                         .n_groups = r->identity->n_groups,
                         .chroot_dir = chroots ? r->mail_root : NULL,
                         .rw_dirs = rw};
    sandbox_enter(&sb);
    if (journals)
        open_journal(r, rw[0], &boot);
}

static void deliver_link(struct role *r, const struct role_link *l)
{
    if (!l->serve) { /* a channel to auth */
        target_cache_set_auth(self.targets, l->fd);
        return;
    }
    struct channel_service svc = {.handle = deliver_handle,
                                  .closed = deliver_closed,
                                  .link_closed = deliver_link_closed,
                                  .ctx = &self,
                                  .max_channels = DELIVER_CHANNELS_MAX};
    atomic_fetch_add(&self.links, 1);
    atomic_fetch_add(&self.links_received, 1);
    if (channel_serve(l->fd, &svc) != RC_OK)
        log_error("link from %s is not served", l->peer);
}

int deliver_role(void)
{
    static const struct role_ops ops = {.start = deliver_start, .link = deliver_link};
    static struct role r = {.name = "deliver", .ops = &ops};
    role_begin(&r);
    role_control_loop(&r);
    journal_stop(self.journal); /* channels are still being answered */
    return 0;
}
