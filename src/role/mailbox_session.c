/* Starting a session process: redeem the ticket, count, fork. */
#include "base/log.h"
#include "os/file.h"
#include "role/mail_root.h"
#include "role/mailbox_impl.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TICKET_BYTES = 16 };

/* What counts together: sessions of an account over one protocol from one address. */
static void put_origin(struct buf *out, const char *account, bool imap, const char *client)
{
    buf_printf(out, "%s\t%s\t%s", imap ? "imap" : "pop3", client, account);
}

static size_t count_of(const struct mailbox *mb, str origin)
{
    return (size_t)(uintptr_t)map_find(mb->per_origin, origin);
}

static void count_add(struct mailbox *mb, const struct session *s, int by)
{
    AUTO(buf_deinit) struct buf origin = BUF_INIT(1024);
    put_origin(&origin, s->account, s->imap, s->client);
    size_t n = count_of(mb, buf_str(&origin)) + (size_t)by;
    if (n == 0)
        map_del(mb->per_origin, buf_str(&origin));
    else
        map_put(mb->per_origin, buf_str(&origin), (void *)(uintptr_t)n);
}

static enum rc limits(const struct mailbox *mb, const struct session_setup *setup, struct err *e)
{
    const struct conf *c = mb->role->conf;
    AUTO(buf_deinit) struct buf origin = BUF_INIT(1024);
    put_origin(&origin, setup->id.account, setup->imap, setup->client);
    if (mb->n_sessions >= (unsigned)c->mailbox_process_limit) {
        log_warn("mailbox_process_limit (%d) reached: session of %s refused", c->mailbox_process_limit,
                 setup->id.account);
        return err_set(e, RC_TEMP, 421, "4.3.2", "The server is busy; try again later");
    }
    int own = setup->imap ? c->imap_max_userip_connections : c->pop3_max_userip_connections;
    int most = own > 0 ? own : c->mail_max_userip_connections;
    if (count_of(mb, buf_str(&origin)) >= (size_t)most) {
        log_warn("%s: mail_max_userip_connections (%d) reached", setup->id.account, most);
        return err_set(e, RC_LIMIT, 421, "4.7.0",
                       "Maximum number of connections from user+IP exceeded (mail_max_userip_connections=%d)",
                       most);
    }
    return RC_OK;
}

static _Noreturn void child_main(struct session_setup *setup)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGTERM, SIG_DFL);
    session_process(setup);
}

static enum rc fork_session(struct mailbox *mb, struct session_setup *setup, pid_t *ret_pid, struct err *e)
{
    int pair[2];
    if (ipc_pair(pair) != RC_OK)
        return err_set(e, RC_TEMP, 421, "4.3.2", "The server is busy; try again later");
    setup->notify_fd = pair[1];
    pid_t pid = fork();
    if (pid == 0)
        child_main(setup);
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        log_error("fork: %s", strerror(errno));
        return err_set(e, RC_TEMP, 421, "4.3.2", "The server is busy; try again later");
    }
    struct session *s = calloc(1, sizeof *s);
    must(s);
    s->pid = pid;
    s->watch[0] = s->watch[1] = -1;
    memcpy(s->account, setup->id.account, sizeof s->account);
    s->imap = setup->imap;
    must(str_copy(s->client, sizeof s->client, str_c(setup->client)) == RC_OK);
    s->notify = (struct source){.fd = pair[0], .ready = watch_session_message};
    must(source_add(mb, &s->notify) == RC_OK);
    s->next = mb->sessions;
    mb->sessions = s;
    mb->n_sessions++;
    count_add(mb, s, 1);
    *ret_pid = pid;
    return RC_OK;
}

pid_t session_start(struct mailbox *mb, uint32_t login, struct ipc_msg *m, struct err *e)
{
    struct session_setup setup = {.conf = mb->role->conf, .notify_fd = -1};
    str ticket = ipc_get_str(m, TICKET_BYTES), protocol = ipc_get_str(m, 8),
        id = ipc_get_str(m, sizeof setup.session_id - 1);
    str tag = ipc_get_str(m, sizeof setup.tag - 1), client = ipc_get_str(m, sizeof setup.client - 1);
    (void)ipc_get_str(m, 200); /* what login says of TLS: for its own log */
    AUTO(fd_closep) int stream = ipc_take_fd(m);
    setup.stream_fd = stream;
    setup.imap = str_eq(protocol, S("imap"));
    bool fits = str_copy(setup.tag, sizeof setup.tag, tag) == RC_OK &&
                str_copy(setup.client, sizeof setup.client, client) == RC_OK &&
                str_copy(setup.session_id, sizeof setup.session_id, id) == RC_OK;
    if (ipc_end(m) != RC_OK || !fits || (!setup.imap && !str_eq(protocol, S("pop3")))) {
        (void)err_set(e, RC_TEMP, 421, "4.3.0", "Internal error");
        err_note(e, "malformed SESSION_START");
        return 0;
    }
    if (mailbox_identity(mb, MSG_TICKET_REDEEM, ticket, login, &setup.id, e) != RC_OK) {
        log_error("session refused: %s", err_text(e));
        return 0;
    }
    struct buf root AUTO(buf_deinit) = BUF_INIT(IDENTITY_PATH_MAX);
    pid_t pid = 0;
    enum rc rc = limits(mb, &setup, e);
    if (rc == RC_OK)
        rc = mail_root_make(mb->role->conf, &setup.id, &root, e);
    if (rc == RC_OK)
        rc = str_copy(setup.mail_root, sizeof setup.mail_root, buf_str(&root));
    if (rc == RC_OK)
        rc = fork_session(mb, &setup, &pid, e);
    if (rc != RC_OK && rc != RC_LIMIT)
        log_error("session of %s refused: %s", setup.id.account, err_text(e));
    return pid;
}

void sessions_reopen_log(struct mailbox *mb)
{
    const int log = STDERR_FILENO;
    struct buf b AUTO(buf_deinit) = BUF_INIT(64);
    for (struct session *s = mb->sessions; s; s = s->next) {
        ipc_begin(&b, MSG_SESSION_LOG);
        if (ipc_send(s->notify.fd, &b, &log, 1, IPC_NOWAIT) != RC_OK)
            log_debug("session[%d] goes on writing to the old log", s->pid);
    }
}

void session_ended(struct mailbox *mb, struct session *s, int status)
{
    if (WIFSIGNALED(status) && WTERMSIG(status) != SIGTERM)
        log_error("session[%d] of %s was killed by signal %d (%s)", s->pid, s->account, WTERMSIG(status),
                  strsignal(WTERMSIG(status)));
    else if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
        log_error("session[%d] of %s ended with status %d", s->pid, s->account, WEXITSTATUS(status));
    watch_drop(mb, s);
    count_add(mb, s, -1);
    mb->n_sessions--;
    source_del(mb, &s->notify);
    struct session **at = &mb->sessions;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    free(s->mailbox);
    free(s);
}
