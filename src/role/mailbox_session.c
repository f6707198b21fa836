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

/* --- the list --- */

void session_list(struct session **list, struct session *s)
{
    s->next = *list;
    s->at = list;
    if (s->next)
        s->next->at = &s->next;
    *list = s;
}

void session_unlist(struct session *s)
{
    *s->at = s->next;
    if (s->next)
        s->next->at = s->at;
}

static struct session *session_new(struct mailbox *mb, const struct session_setup *setup)
{
    AUTO(buf_wipe) struct buf identity = BUF_INIT(IDENTITY_BYTES_MAX);
    struct session *s = calloc(1, sizeof *s);
    must(s);
    identity_put(&identity, &setup->id);
    must(!identity.overflow);
    s->secret = secret_heap_take(mb->secrets, identity.n);
    s->identity_bytes = identity.n;
    memcpy(s->secret, identity.p, identity.n);
    s->stream_fd = -1;
    memcpy(s->account, setup->id.account, sizeof s->account);
    memcpy(s->client, setup->client, sizeof s->client);
    memcpy(s->session_id, setup->session_id, sizeof s->session_id);
    s->imap = setup->imap;
    session_list(&mb->sessions, s);
    mb->n_sessions++;
    count_add(mb, s, 1);
    return s;
}

void session_free(struct mailbox *mb, struct session *s)
{
    watch_drop(mb, s);
    count_add(mb, s, -1);
    if (s->pid > 0)
        mb->n_sessions--;
    else
        mb->n_parked--;
    source_del(mb, &s->source);
    fd_closep(&s->stream_fd);
    session_unlist(s);
    secret_heap_give(mb->secrets, s->secret, s->identity_bytes + s->park_bytes);
    free(s);
}

/* --- its process --- */

static _Noreturn void child_main(struct session_setup *setup)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGTERM, SIG_DFL);
    session_process(setup);
}

static enum rc fork_process(struct session_setup *setup, pid_t *ret_pid, int *ret_notify, struct err *e)
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
    *ret_pid = pid;
    *ret_notify = pair[0];
    return RC_OK;
}

/* Makes the folder below which the mail lies, and the process. */
static enum rc start_process(struct mailbox *mb, struct session_setup *setup, pid_t *ret_pid, int *ret_notify,
                             struct err *e)
{
    AUTO(buf_deinit) struct buf root = BUF_INIT(IDENTITY_PATH_MAX);
    enum rc rc = mail_root_make(mb->role->conf, &setup->id, &root, e);
    if (rc == RC_OK)
        rc = str_copy(setup->mail_root, sizeof setup->mail_root, buf_str(&root));
    setup->total_fd = domain_total_fd(mb, setup->id.account);
    return rc == RC_OK ? fork_process(setup, ret_pid, ret_notify, e) : rc;
}

static void process_started(struct mailbox *mb, struct session *s, pid_t pid, int notify)
{
    s->pid = pid;
    s->source = (struct source){.fd = notify, .ready = watch_session_message};
    must(source_add(mb, &s->source) == RC_OK);
}

pid_t session_start(struct mailbox *mb, uint32_t login, struct ipc_msg *m, struct err *e)
{
    struct session_setup setup = {.conf = mb->role->conf, .notify_fd = -1, .parks = park_room(mb)};
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
    pid_t pid = 0;
    int notify = -1;
    enum rc rc = limits(mb, &setup, e);
    if (rc == RC_OK)
        rc = start_process(mb, &setup, &pid, &notify, e);
    if (rc == RC_OK)
        process_started(mb, session_new(mb, &setup), pid, notify);
    else if (rc != RC_LIMIT)
        log_error("session of %s refused: %s", setup.id.account, err_text(e));
    return pid;
}

void session_start_guest(struct mailbox *mb, const struct session *host, const struct account_identity *id,
                         int stream)
{
    struct session_setup setup = {
        .conf = mb->role->conf, .id = *id, .imap = true, .stream_fd = stream, .notify_fd = -1, .tag = "*"};
    struct err e = {0};
    pid_t pid = 0;
    int notify = -1;
    must(str_copy(setup.guest, sizeof setup.guest, str_c(host->account)) == RC_OK);
    snprintf(setup.client, sizeof setup.client, "guest %.50s", host->account); /* they are counted apart */
    memcpy(setup.session_id, host->session_id, sizeof setup.session_id);
    enum rc rc = limits(mb, &setup, &e);
    if (rc == RC_OK)
        rc = start_process(mb, &setup, &pid, &notify, &e);
    if (rc != RC_OK) {
        if (rc != RC_LIMIT)
            log_error("mailboxes of %s for %s: %s", id->account, host->account, err_text(&e));
        return;
    }
    struct session *s = session_new(mb, &setup);
    s->host = host->pid;
    process_started(mb, s, pid, notify);
}

static void fill_setup(struct mailbox *mb, const struct session *s, struct session_setup *setup)
{
    str record = park_record(s);
    *setup = (struct session_setup){.conf = mb->role->conf,
                                    .imap = s->imap,
                                    .stream_fd = s->source.fd,
                                    .notify_fd = -1,
                                    .parks = park_room(mb),
                                    .record_bytes = record.n};
    must(identity_get(str_mem(s->secret, s->identity_bytes), &setup->id) == RC_OK);
    memcpy(setup->record, record.p, record.n);
    memcpy(setup->client, s->client, sizeof s->client);
    memcpy(setup->session_id, s->session_id, sizeof s->session_id);
}

enum rc session_resume(struct mailbox *mb, struct session *s, struct err *e)
{
    struct session_setup setup;
    struct source stream = s->source;
    pid_t pid;
    int notify = -1;
    fill_setup(mb, s, &setup);
    enum rc rc = start_process(mb, &setup, &pid, &notify, e);
    explicit_bzero(&setup, sizeof setup); /* what is on the stack is there in the next child */
    if (rc != RC_OK)
        return rc;
    session_unlist(s);
    session_list(&mb->sessions, s);
    mb->n_parked--;
    mb->n_sessions++;
    process_started(mb, s, pid, notify);
    s->woken = false;
    source_del(mb, &stream);
    return RC_OK;
}

void sessions_reopen_log(struct mailbox *mb)
{
    const int log = STDERR_FILENO;
    struct buf b AUTO(buf_deinit) = BUF_INIT(64);
    for (struct session *s = mb->sessions; s; s = s->next) {
        ipc_begin(&b, MSG_SESSION_LOG);
        if (ipc_send(s->source.fd, &b, &log, 1, IPC_NOWAIT) != RC_OK)
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
    watch_session_last(mb, s);
    if (s->stream_fd < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        session_free(mb, s);
        return;
    }
    source_del(mb, &s->source);
    mb->n_sessions--;
    park_begin(mb, s);
}
