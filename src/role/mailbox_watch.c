/* Telling sessions that their mailbox changed: by each other's CHANGED messages, and by inotify for what
 * deliver and foreign tools do in new/ and cur/. A session is woken once and not again until it has answered
 * by looking. */
#include "base/log.h"
#include "os/file.h"
#include "role/mailbox_impl.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/inotify.h>
#include <unistd.h>

enum { WATCH_MASK = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE };

static str wd_key(const int *wd)
{
    return str_mem(wd, sizeof *wd);
}

static void wake(struct session *s)
{
    if (s->woken || !s->mailbox)
        return;
    struct buf b AUTO(buf_deinit) = BUF_INIT(IPC_MAX);
    ipc_begin(&b, MSG_WAKE);
    ipc_put_str(&b, str_c(s->mailbox));
    if (ipc_send(s->notify.fd, &b, NULL, 0, IPC_NOWAIT) == RC_OK)
        s->woken = true;
}

/* --- inotify --- */

static void inotify_ready(struct mailbox *mb, struct source *src)
{
    char events[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t n = read(src->fd, events, sizeof events);
    for (char *p = events; n > 0 && p < events + n;) {
        const struct inotify_event *ev = (const struct inotify_event *)(void *)p;
        bool all = (ev->mask & IN_Q_OVERFLOW) != 0;
        for (struct session *s = mb->sessions; s; s = s->next)
            if (all || s->watch[0] == ev->wd || s->watch[1] == ev->wd)
                wake(s);
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

/* Watches an already opened folder, so that a session can only watch what it may open. -1 when there is no
 * watch. */
static int watch_folder(struct mailbox *mb, int fd)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int wd = mb->inotify.fd < 0 ? -1 : inotify_add_watch(mb->inotify.fd, path, WATCH_MASK | IN_ONLYDIR);
    if (wd < 0) {
        if (mb->inotify.fd >= 0 && !mb->poll_warned)
            log_warn(
                "inotify: %s; some mailboxes are polled every %lld s (raise fs.inotify.max_user_watches)",
                strerror(errno), (long long)mb->role->conf->store_rescan_interval_ms / 1000);
        mb->poll_warned = true;
        return -1;
    }
    size_t users = (size_t)(uintptr_t)map_find(mb->watches, wd_key(&wd)) + 1;
    map_put(mb->watches, wd_key(&wd), (void *)(uintptr_t)users);
    return wd;
}

static void unwatch_folder(struct mailbox *mb, int wd)
{
    size_t users = (size_t)(uintptr_t)map_find(mb->watches, wd_key(&wd));
    if (wd < 0 || users == 0)
        return;
    if (users > 1) {
        map_put(mb->watches, wd_key(&wd), (void *)(uintptr_t)(users - 1));
        return;
    }
    map_del(mb->watches, wd_key(&wd));
    inotify_rm_watch(mb->inotify.fd, wd);
}

void watch_drop(struct mailbox *mb, struct session *s)
{
    for (int i = 0; i < 2; i++) {
        unwatch_folder(mb, s->watch[i]);
        s->watch[i] = -1;
    }
    free(s->mailbox);
    s->mailbox = NULL;
}

/* --- messages of sessions --- */

static bool take_watch(struct mailbox *mb, struct session *s, struct ipc_msg *m)
{
    str name = ipc_get_str(m, 4096);
    AUTO(fd_closep) int new_fd = ipc_take_fd(m);
    AUTO(fd_closep) int cur_fd = ipc_take_fd(m);
    if (ipc_end(m) != RC_OK)
        return false;
    watch_drop(mb, s);
    s->mailbox = str_dup(name);
    s->watch[0] = watch_folder(mb, new_fd);
    s->watch[1] = watch_folder(mb, cur_fd);
    wake(s); /* what happened between its last look and the watch */
    return true;
}

static bool take_message(struct mailbox *mb, struct session *s, struct ipc_msg *m)
{
    str name;
    switch ((enum ipc_type)m->type) {
    case MSG_WATCH:
        return take_watch(mb, s, m);
    case MSG_UNWATCH:
        watch_drop(mb, s);
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
    default:
        return false;
    }
}

void watch_session_message(struct mailbox *mb, struct source *src)
{
    struct session *s = (struct session *)src;
    struct buf in AUTO(buf_deinit) = BUF_INIT(IPC_MAX);
    struct ipc_msg m;
    enum rc rc = ipc_recv(src->fd, &in, &m, 0);
    if (rc == RC_TEMP)
        return;
    bool sane = rc == RC_OK;
    if (sane) {
        s->woken = false; /* before the message itself, which may wake it again */
        sane = take_message(mb, s, &m);
        ipc_msg_deinit(&m);
    }
    if (sane)
        return;
    if (rc != RC_GONE) {
        log_error("session[%d] of %s sent a malformed message: ending it", s->pid, s->account);
        kill(s->pid, SIGKILL); /* it is not itself any more; what it acknowledged is on disk */
    }
    watch_drop(mb, s);
    source_del(mb, src);
}

void watch_changed(struct mailbox *mb, const struct session *by, str account, str name)
{
    for (struct session *s = mb->sessions; s; s = s->next)
        if (s != by && s->mailbox && str_eq(str_c(s->mailbox), name) && str_eq(str_c(s->account), account))
            wake(s);
}

msec watch_poll_due(struct mailbox *mb)
{
    bool any = false;
    msec now = clock_mono();
    for (struct session *s = mb->sessions; s; s = s->next) {
        bool blind = s->mailbox && (s->watch[0] < 0 || s->watch[1] < 0);
        any = any || blind;
        if (blind && mb->next_poll && now >= mb->next_poll)
            wake(s);
    }
    if (!any)
        mb->next_poll = 0;
    else if (mb->next_poll == 0 || now >= mb->next_poll)
        mb->next_poll = now + mb->role->conf->store_rescan_interval_ms;
    return mb->next_poll;
}
