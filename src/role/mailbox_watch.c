/* Telling sessions that a mailbox of theirs changed: by each other's CHANGED messages, and by inotify for
 * what deliver and foreign tools do in new/ and cur/. A session is woken once and not again until it has
 * answered by looking. */
#include "base/log.h"
#include "imap/session.h"
#include "os/file.h"
#include "role/mailbox_impl.h"

#include <errno.h>
#include <signal.h>
#include <sys/inotify.h>
#include <unistd.h>

enum { WATCH_MASK = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE };

/* --- who is told of what --- */

struct watch_group { /* of a mailbox by its name, of a folder by its inotify watch, or of those without one */
    struct watch_place *first;
    int wd; /* -1: none */
    struct buf key;
};

static void put_name_key(struct buf *out, str account, str mailbox)
{
    buf_printf(out, "name " STR_FMT "\n" STR_FMT, STR_ARG(account), STR_ARG(mailbox));
}

static void put_folder_key(struct buf *out, int wd)
{
    buf_printf(out, "folder %d", wd);
}

#define BLIND_KEY S("blind")

static void join(struct mailbox *mb, struct session *s, struct watch_place *p, str key, int wd)
{
    struct watch_group *g = map_find(mb->groups, key);
    if (!g) {
        g = calloc(1, sizeof *g);
        must(g);
        g->wd = wd;
        buf_init(&g->key, key.n);
        buf_puts(&g->key, key);
        map_put(mb->groups, key, g);
    }
    *p = (struct watch_place){.group = g, .session = s, .next = g->first, .at = &g->first};
    if (p->next)
        p->next->at = &p->next;
    g->first = p;
}

static void leave(struct mailbox *mb, struct watch_place *p)
{
    struct watch_group *g = p->group;
    if (!g)
        return;
    *p->at = p->next;
    if (p->next)
        p->next->at = p->at;
    p->group = NULL;
    if (g->first)
        return;
    map_del(mb->groups, buf_str(&g->key));
    if (g->wd >= 0)
        inotify_rm_watch(mb->inotify.fd, g->wd);
    buf_deinit(&g->key);
    free(g);
}

/* A session that has ended and not parked yet is woken then. */
static void wake(struct mailbox *mb, struct session *s)
{
    struct buf b AUTO(buf_deinit) = BUF_INIT(64);
    if (s->woken || !(s->selected.place[WATCH_NAME].group || s->others))
        return;
    if (s->pid == 0 && s->idling)
        park_wake(mb, s);
    if (s->pid > 0 && s->stream_fd < 0) {
        ipc_begin(&b, MSG_WAKE);
        if (ipc_send(s->source.fd, &b, NULL, 0, IPC_NOWAIT) != RC_OK)
            return;
    }
    s->woken = true;
}

static void wake_all(struct mailbox *mb, str key, const struct session *but)
{
    const struct watch_group *g = map_find(mb->groups, key);
    for (struct watch_place *p = g ? g->first : NULL; p; p = p->next)
        if (p->session != but)
            wake(mb, p->session);
}

/* --- inotify --- */

static void events_lost(struct mailbox *mb)
{
    for (struct session *s = mb->sessions; s; s = s->next)
        wake(mb, s);
    for (struct session *s = mb->parked; s; s = s->next)
        wake(mb, s);
}

static void inotify_ready(struct mailbox *mb, struct source *src)
{
    char events[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t n = read(src->fd, events, sizeof events);
    for (char *p = events; n > 0 && p < events + n;) {
        const struct inotify_event *ev = (const struct inotify_event *)(void *)p;
        AUTO(buf_deinit) struct buf key = BUF_INIT(32);
        put_folder_key(&key, ev->wd);
        if (ev->mask & IN_Q_OVERFLOW)
            events_lost(mb);
        else
            wake_all(mb, buf_str(&key), NULL);
        p += sizeof *ev + ev->len;
    }
}

void watch_init(struct mailbox *mb)
{
    mb->inotify = (struct source){.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), .ready = inotify_ready};
    if (mb->inotify.fd >= 0)
        must(source_add(mb, &mb->inotify) == RC_OK);
    else
        log_warn("inotify: %s; mailboxes are polled every %lld s (raise fs.inotify.max_user_instances)",
                 strerror(errno), (long long)mb->role->conf->store_rescan_interval_ms / 1000);
}

/* Watches an already opened folder, so that a session can only watch what it may open. */
static void watch_folder(struct mailbox *mb, struct session *s, struct watch *w, int which, int fd)
{
    char path[64];
    AUTO(buf_deinit) struct buf key = BUF_INIT(32);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int wd = mb->inotify.fd < 0 ? -1 : inotify_add_watch(mb->inotify.fd, path, WATCH_MASK | IN_ONLYDIR);
    if (wd < 0) {
        if (mb->inotify.fd >= 0 && !mb->poll_warned)
            log_warn(
                "inotify: %s; some mailboxes are polled every %lld s (raise fs.inotify.max_user_watches)",
                strerror(errno), (long long)mb->role->conf->store_rescan_interval_ms / 1000);
        mb->poll_warned = true;
        if (!w->place[WATCH_BLIND].group)
            join(mb, s, &w->place[WATCH_BLIND], BLIND_KEY, -1);
        return;
    }
    put_folder_key(&key, wd);
    join(mb, s, &w->place[which], buf_str(&key), wd);
}

static void watch_name(struct mailbox *mb, struct session *s, struct watch *w, str mailbox)
{
    AUTO(buf_deinit) struct buf key = BUF_INIT(IPC_MAX);
    put_name_key(&key, str_c(s->account), mailbox);
    join(mb, s, &w->place[WATCH_NAME], buf_str(&key), -1);
}

static void watch_end(struct mailbox *mb, struct watch *w)
{
    for (int i = 0; i < WATCH_PLACES; i++)
        leave(mb, &w->place[i]);
}

static void drop_others(struct mailbox *mb, struct session *s)
{
    while (s->others) {
        struct watch *w = s->others;
        s->others = w->next;
        watch_end(mb, w);
        free(w);
    }
    s->n_others = 0;
}

void watch_drop(struct mailbox *mb, struct session *s)
{
    watch_end(mb, &s->selected);
    drop_others(mb, s);
}

/* --- messages of sessions --- */

/* NULL: there are too many. */
static struct watch *add_other(struct session *s)
{
    if (s->n_others > IMAP_WATCHES_MAX) /* one is that of the names */
        return NULL;
    struct watch *w = calloc(1, sizeof *w);
    must(w);
    w->next = s->others;
    s->others = w;
    s->n_others++;
    return w;
}

static bool take_watch(struct mailbox *mb, struct session *s, struct ipc_msg *m)
{
    str name = ipc_get_str(m, 4096);
    AUTO(fd_closep) int new_fd = ipc_take_fd(m);
    AUTO(fd_closep) int cur_fd = ipc_take_fd(m);
    bool selected = m->type == MSG_WATCH;
    struct watch *w = ipc_end(m) != RC_OK ? NULL : selected ? &s->selected : add_other(s);
    if (!w)
        return false;
    watch_end(mb, w);
    watch_name(mb, s, w, name);
    watch_folder(mb, s, w, WATCH_NEW, new_fd);
    watch_folder(mb, s, w, WATCH_CUR, cur_fd);
    if (selected)
        wake(mb, s); /* what happened between its last look and the watch */
    return true;
}

static bool take_watch_names(struct mailbox *mb, struct session *s, struct ipc_msg *m)
{
    AUTO(fd_closep) int fd = ipc_take_fd(m);
    struct watch *w = ipc_end(m) == RC_OK ? add_other(s) : NULL;
    if (!w)
        return false;
    watch_name(mb, s, w, STR_NONE);
    watch_folder(mb, s, w, WATCH_NEW, fd);
    wake(mb, s);
    return true;
}

static bool take_message(struct mailbox *mb, struct session *s, struct ipc_msg *m)
{
    str name;
    switch ((enum ipc_type)m->type) {
    case MSG_WATCH:
    case MSG_WATCH_ALSO:
        return take_watch(mb, s, m);
    case MSG_WATCH_NAMES:
        return take_watch_names(mb, s, m);
    case MSG_UNWATCH:
        watch_end(mb, &s->selected);
        return ipc_end(m) == RC_OK;
    case MSG_UNWATCH_OTHERS:
        drop_others(mb, s);
        return ipc_end(m) == RC_OK;
    case MSG_CHANGED:
        name = ipc_get_str(m, 4096);
        if (ipc_end(m) != RC_OK)
            return false;
        watch_changed(mb, s, str_c(s->account), name);
        return true;
    case MSG_WAKE_SEEN:
        return ipc_end(m) == RC_OK;
    case MSG_QUOTA_CROSSED:
        return quota_crossed(mb, str_c(s->account), (uid_t)-1, m);
    case MSG_MAIL_USED:
        return mail_used_message(mb, str_c(s->account), (uid_t)-1, m);
    case MSG_PARK:
        return park_message(mb, s, m);
    case MSG_SHARED_OPEN:
        return shared_open(mb, s, m);
    case MSG_SHARED_FIND:
        return shared_find(mb, s, m);
    case MSG_SHARED_WITH:
        return shared_with(mb, s, m);
    default:
        return false;
    }
}

/* Reads one message; what comes after PARK is not heard: the process must end. RC_TEMP: there is none. */
static enum rc hear(struct mailbox *mb, struct session *s, bool runs)
{
    AUTO(buf_wipe) struct buf in = BUF_INIT(IPC_MAX);
    struct ipc_msg m;
    enum rc rc = ipc_recv(s->source.fd, &in, &m, 0);
    bool parks = s->stream_fd >= 0, sane = rc == RC_OK && !parks;
    if (rc == RC_TEMP)
        return RC_TEMP;
    if (rc == RC_OK) {
        if (m.type != MSG_PARK) /* before the message itself, which may wake it again */
            s->woken = false;
        sane = sane && take_message(mb, s, &m);
        ipc_msg_deinit(&m);
    }
    if (sane)
        return RC_OK;
    if (rc != RC_GONE) {
        log_error("session[%d] of %s sent a malformed message: ending it", s->pid, s->account);
        if (runs)
            kill(s->pid, SIGKILL); /* it is not itself any more; what it acknowledged is on disk */
    }
    if (!parks)
        watch_drop(mb, s);
    source_del(mb, &s->source);
    return RC_GONE;
}

void watch_session_message(struct mailbox *mb, struct source *src)
{
    if (hear(mb, (struct session *)src, true) == RC_TEMP)
        log_debug("a session was heard of for nothing");
}

void watch_session_last(struct mailbox *mb, struct session *s)
{
    while (s->source.fd >= 0 && hear(mb, s, false) == RC_OK)
        ;
}

void watch_changed(struct mailbox *mb, const struct session *by, str account, str name)
{
    AUTO(buf_deinit) struct buf key = BUF_INIT(IPC_MAX);
    put_name_key(&key, account, name);
    wake_all(mb, buf_str(&key), by);
}

msec watch_poll_due(struct mailbox *mb)
{
    msec now = clock_mono();
    if (!map_find(mb->groups, BLIND_KEY))
        return mb->next_poll = 0;
    if (mb->next_poll && now >= mb->next_poll)
        wake_all(mb, BLIND_KEY, NULL);
    if (mb->next_poll == 0 || now >= mb->next_poll)
        mb->next_poll = now + mb->role->conf->store_rescan_interval_ms;
    return mb->next_poll;
}
