/* What sessions ask about mailboxes of others. Whose they are is no word of theirs: the user is the one for
 * whom the session was started, and whom auth knows by the owner's name is where the guest session goes. A
 * descriptor that is closed unanswered is the answer no. */
#include "base/log.h"
#include "os/file.h"
#include "role/mailbox_impl.h"
#include "role/shared_msg.h"

enum { ASK_MS = 5000, GUESTS_MAX = 24 /* a session keeps fewer; some may be about to end */ };

static unsigned guests_of(const struct mailbox *mb, const struct session *host)
{
    unsigned n = 0;
    for (const struct session *s = mb->sessions; s; s = s->next)
        n += s->host == host->pid;
    return n;
}

/* RC_PERM: to be refused. */
static enum rc find_owner(struct mailbox *mb, const struct session *s, str owner,
                          struct account_identity *ret)
{
    struct err e = {0};
    if (str_eq(owner, str_c(s->account)) || guests_of(mb, s) >= GUESTS_MAX)
        return RC_PERM;
    enum rc rc = mailbox_identity(mb, MSG_IDENTITY_LOOKUP, owner, 0, ret, &e);
    if (rc == RC_OK && str_eq(str_c(ret->account), owner))
        return RC_OK;
    if (rc != RC_OK && rc != RC_GONE)
        log_error("mailboxes of " STR_FMT " for %s: %s", STR_ARG(owner), s->account, err_text(&e));
    return RC_PERM;
}

bool shared_open(struct mailbox *mb, struct session *s, struct ipc_msg *m)
{
    struct account_identity id;
    str owner = ipc_get_str(m, IDENTITY_ACCOUNT_MAX);
    AUTO(fd_closep) int stream = ipc_take_fd(m);
    if (ipc_end(m) != RC_OK || !s->imap || s->host)
        return false;
    if (mb->role->conf->shared_prefix[0] && find_owner(mb, s, owner, &id) == RC_OK)
        session_start_guest(mb, s, &id, stream);
    return true;
}

bool shared_find(struct mailbox *mb, const struct session *s, struct ipc_msg *request)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(IPC_MAX), answer = BUF_INIT(IPC_MAX);
    struct ipc_msg m;
    AUTO(fd_closep) int fd = ipc_take_fd(request);
    if (ipc_end(request) != RC_OK || s->host)
        return false;
    ipc_begin(&b, MSG_SHARED_FIND);
    ipc_put_str(&b, str_c(s->account));
    if (channel_pool_ask(mb->auth, &b, MSG_SHARED_FOUND, &m, clock_mono() + ASK_MS) != RC_OK)
        return true;
    ipc_begin(&answer, MSG_SHARED_FOUND);
    buf_puts(&answer, m.fields);
    ipc_msg_deinit(&m);
    if (ipc_send(fd, &answer, NULL, 0, IPC_NOWAIT) != RC_OK)
        log_debug("session[%d] did not wait", s->pid);
    return true;
}

bool shared_with(struct mailbox *mb, const struct session *s, struct ipc_msg *request)
{
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    AUTO(buf_deinit) struct buf b = BUF_INIT(IPC_MAX);
    struct ipc_msg m;
    str *users;
    size_t n;
    if (shared_get_names(request, a, &users, &n) != RC_OK || ipc_end(request) != RC_OK)
        return false;
    ipc_begin(&b, MSG_SHARED_WITH);
    ipc_put_str(&b, str_c(s->account));
    shared_put_names(&b, users, n);
    if (channel_pool_ask(mb->auth, &b, MSG_SHARED_KEPT, &m, clock_mono() + ASK_MS) != RC_OK) {
        log_warn("auth does not hear with whom %s shares mailboxes", s->account);
        return true;
    }
    ipc_msg_deinit(&m);
    return true;
}
