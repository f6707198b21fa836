/* One deliver process per Unix uid, started when somebody first wants to deliver there. */
#include "base/log.h"
#include "os/file.h"
#include "os/proc.h"
#include "role/mail_root.h"
#include "role/mailbox_impl.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EARLY_END_MS = 1000, RECOVER_MS = 60000, RECOVER_STEP_MS = 1000 };

/* --- messages to a process --- */

static void give_auth(struct mailbox *mb, struct deliver_proc *d)
{
    struct buf b AUTO(buf_deinit) = BUF_INIT(64);
    int fd = channel_pool_lend(mb->auth);
    if (fd < 0)
        return; /* auth is down: deliver_auth_changed comes when it is back */
    ipc_begin(&b, MSG_CONTROL_LINK);
    ipc_put_str(&b, S("auth"));
    ipc_put_u32(&b, 0);
    ipc_put_u32(&b, 0);
    if (ipc_send(d->control.fd, &b, &fd, 1, IPC_NOWAIT) != RC_OK)
        log_error("deliver[%d] does not take messages", d->pid);
    close(fd);
}

void deliver_auth_changed(struct mailbox *mb)
{
    for (struct deliver_proc *d = mb->delivers; d; d = d->next)
        give_auth(mb, d);
}

/* The process has no link left. Unless one is on its way, it ends. */
static void stop_idle(struct deliver_proc *d, uint32_t links_received)
{
    struct buf b AUTO(buf_deinit) = BUF_INIT(64);
    if (links_received != d->links)
        return;
    d->uid = UID_RETIRED;
    ipc_begin(&b, MSG_CONTROL_STOP);
    if (ipc_send(d->control.fd, &b, NULL, 0, IPC_NOWAIT) != RC_OK)
        kill(d->pid, SIGKILL);
}

void deliver_retire_all(struct mailbox *mb)
{
    for (struct deliver_proc *d = mb->delivers; d; d = d->next)
        d->uid = UID_RETIRED;
}

static void control_message(struct mailbox *mb, struct source *s)
{
    struct deliver_proc *d = (struct deliver_proc *)s;
    struct buf in AUTO(buf_deinit) = BUF_INIT(IPC_MAX);
    struct ipc_msg m;
    enum rc rc = ipc_recv(s->fd, &in, &m, 0);
    if (rc == RC_TEMP)
        return;
    if (rc != RC_OK) { /* ending: SIGCHLD tells how. Nobody is linked with it any more. */
        source_del(mb, s);
        d->uid = UID_RETIRED;
        return;
    }
    if (m.type == MSG_CONTROL_IDLE)
        stop_idle(d, ipc_get_u32(&m));
    else if (m.type == MSG_CONTROL_READY)
        stop_idle(d, 0); /* one that was started for its journal alone */
    else if (!(m.type == MSG_QUOTA_CROSSED && quota_crossed(mb, STR_NONE, d->started_for, &m)) &&
             !(m.type == MSG_MAIL_USED && mail_used_message(mb, STR_NONE, d->started_for, &m)))
        log_error("deliver[%d] sent %s on its control link", d->pid, ipc_type_name(m.type));
    ipc_msg_deinit(&m);
}

static enum rc send_start(struct mailbox *mb, struct deliver_proc *d, const struct account_identity *id,
                          str root)
{
    struct buf b AUTO(buf_deinit) = BUF_INIT(IPC_MAX), bytes AUTO(buf_deinit) = BUF_INIT(IDENTITY_BYTES_MAX);
    enum rc rc = role_send_conf(d->control.fd, mb->role->conf);
    identity_put(&bytes, id);
    ipc_begin(&b, MSG_CONTROL_IDENTITY);
    ipc_put_str(&b, buf_str(&bytes));
    ipc_put_str(&b, root);
    if (rc == RC_OK)
        rc = ipc_send(d->control.fd, &b, NULL, 0, IPC_NOWAIT);
    give_auth(mb, d);
    ipc_begin(&b, MSG_CONTROL_START);
    return rc == RC_OK ? ipc_send(d->control.fd, &b, NULL, 0, IPC_NOWAIT) : rc;
}

/* A process that cannot live is not started for every message anew. */
static bool is_paused(struct mailbox *mb, uid_t uid)
{
    str key = str_mem(&uid, sizeof uid);
    msec until = (msec)(intptr_t)map_find(mb->paused, key);
    if (until && clock_mono() >= until)
        map_del(mb->paused, key);
    return until && clock_mono() < until;
}

static enum rc start_process(struct mailbox *mb, const struct account_identity *id, struct deliver_proc **ret,
                             struct err *e)
{
    struct buf root AUTO(buf_deinit) = BUF_INIT(IDENTITY_PATH_MAX), title AUTO(buf_deinit) = BUF_INIT(64);
    if (is_paused(mb, id->uid))
        return err_set(e, RC_TEMP, 451, "4.3.0", "Mailbox is temporarily unavailable");
    enum rc rc = mail_root_make(mb->role->conf, id, &root, e);
    if (rc != RC_OK)
        return rc;
    struct deliver_proc *d = calloc(1, sizeof *d);
    must(d);
    buf_printf(&title, "deliver uid %u", id->uid);
    if (proc_start_role("deliver", buf_cstr(&title), &d->pid, &d->control.fd) != RC_OK) {
        free(d);
        return err_set(e, RC_TEMP, 451, "4.3.0", "Local error in processing");
    }
    d->uid = d->started_for = id->uid;
    d->started = clock_mono();
    d->control.ready = control_message;
    must(source_add(mb, &d->control) == RC_OK);
    d->next = mb->delivers;
    mb->delivers = d;
    if (send_start(mb, d, id, buf_str(&root)) != RC_OK) {
        kill(d->pid, SIGKILL); /* reaped as any other */
        d->uid = UID_RETIRED;
        return err_set(e, RC_TEMP, 451, "4.3.0", "Local error in processing");
    }
    *ret = d;
    return RC_OK;
}

/* --- the journal of the accounts in the database --- */

static struct deliver_proc *start_for_journal(struct mailbox *mb)
{
    struct deliver_proc *d = NULL;
    struct err e = {0};
    if ((geteuid() == 0 && mb->mail_user.uid == 0) || !mailbox_has_journal(mb, &mb->mail_user))
        return NULL;
    if (start_process(mb, &mb->mail_user, &d, &e) != RC_OK) {
        log_error("the journal of uid %u cannot be looked at: %s", mb->mail_user.uid, err_text(&e));
        return NULL;
    }
    return d;
}

void deliver_recover(struct mailbox *mb)
{
    struct deliver_proc *d = start_for_journal(mb);
    msec deadline = clock_mono() + RECOVER_MS;
    while (d && d->uid != UID_RETIRED && clock_mono() < deadline) {
        struct pollfd p = {.fd = d->control.fd, .events = POLLIN};
        if (poll(&p, 1, RECOVER_STEP_MS) == 1)
            control_message(mb, &d->control);
    }
    if (d && d->uid != UID_RETIRED)
        log_warn("deliver[%d] has been looking at its journal for %d s; going on without it", d->pid,
                 RECOVER_MS / 1000);
}

/* --- links --- */

static enum rc link_to(struct deliver_proc *d, str asker, int *ret_fd, struct err *e)
{
    struct buf b AUTO(buf_deinit) = BUF_INIT(64);
    int pair[2];
    if (ipc_pair(pair) != RC_OK)
        return err_set(e, RC_TEMP, 451, "4.3.0", "Local error in processing");
    ipc_begin(&b, MSG_CONTROL_LINK);
    ipc_put_str(&b, asker);
    ipc_put_u32(&b, 1);
    ipc_put_u32(&b, 0);
    enum rc rc = ipc_send(d->control.fd, &b, &pair[1], 1, IPC_NOWAIT);
    close(pair[1]);
    if (rc != RC_OK) {
        close(pair[0]);
        (void)err_set(e, RC_TEMP, 451, "4.3.0", "Local error in processing");
        return rc == RC_GONE ? RC_GONE : RC_TEMP;
    }
    d->links++;
    *ret_fd = pair[0];
    return RC_OK;
}

static enum rc link_identity(struct mailbox *mb, str asker, const struct account_identity *id, int *ret_fd,
                             struct err *e)
{
    struct deliver_proc *d = mb->delivers;
    while (d && d->uid != id->uid)
        d = d->next;
    enum rc rc = d ? link_to(d, asker, ret_fd, e) : RC_GONE;
    if (rc != RC_GONE)
        return rc;
    if (d) /* it died and SIGCHLD is on its way */
        d->uid = UID_RETIRED;
    rc = start_process(mb, id, &d, e);
    return rc == RC_OK ? link_to(d, asker, ret_fd, e) : rc;
}

void deliver_link_make(struct mailbox *mb, str asker, struct ipc_msg *m, struct err *e, int *ret_fd)
{
    struct account_identity id;
    struct err why = {0};
    str account = ipc_get_str(m, IDENTITY_ACCOUNT_MAX);
    uid_t uid = ipc_get_u32(m);
    enum rc rc = ipc_end(m) == RC_OK ? RC_OK : RC_TEMP;
    if (rc == RC_OK)
        rc = mailbox_identity(mb, MSG_IDENTITY_LOOKUP, account, 0, &id, &why);
    if (rc == RC_OK && id.uid == uid)
        rc = link_identity(mb, asker, &id, ret_fd, &why);
    if (*ret_fd >= 0)
        return;
    if (why.rc == RC_OK)
        (void)err_set(&why, RC_TEMP, 451, "4.3.0", "Local error in processing");
    *e = why;
    log_error("no delivery to " STR_FMT ": %s", STR_ARG(account), err_text(e));
}

/* Its journal is looked at soon, not at the next delivery: the records of what is deleted until then would
 * give it back after a power failure. */
static void recover_later(struct mailbox *mb, uid_t uid)
{
    if (uid == mb->mail_user.uid && !mb->stopping && !is_paused(mb, uid))
        (void)start_for_journal(mb);
}

void deliver_ended(struct mailbox *mb, struct deliver_proc *d, int status)
{
    if (WIFSIGNALED(status))
        log_error("deliver[%d] was killed by signal %d (%s); the next delivery starts it again", d->pid,
                  WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) != 0)
        log_error("deliver[%d] ended with status %d; the next delivery starts it again", d->pid,
                  WEXITSTATUS(status));
    if (clock_mono() - d->started < EARLY_END_MS && status != 0) {
        uid_t uid = d->started_for;
        map_put(mb->paused, str_mem(&uid, sizeof uid), (void *)(intptr_t)(clock_mono() + EARLY_END_MS));
    }
    source_del(mb, &d->control);
    struct deliver_proc **at = &mb->delivers;
    while (*at != d)
        at = &(*at)->next;
    *at = d->next;
    uid_t uid = d->started_for;
    free(d);
    if (status != 0)
        recover_later(mb, uid);
}
