/* Nothing that comes over the stream is parsed before the cage is closed. */
#include "role/session.h"
#include "base/log.h"
#include "imap/session.h"
#include "os/file.h"
#include "os/proc.h"
#include "os/sandbox.h"
#include "pop3/session.h"
#include "role/ipc.h"
#include "role/log_sink.h"
#include "role/login_pump.h"
#include "role/quota_terms.h"
#include "role/shared_msg.h"
#include "store/delivery.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    INPUT_MAX = 128 << 10,
    SHARED_ANSWER_MS = 10000,
    GUEST_IDLE_MS = 24 * 3600 * 1000 /* it ends with the session of the client, who is timed there */
};

/* --- getting ready, still as root --- */

struct places { /* the Maildir's and the index's folders as this process sees them */
    const char *mail, *index;
};

/* Makes the mail root the root folder, where all lies below it: the folders above may be closed to the
 * account. */
static struct places enter_mail_root(const struct session_setup *s)
{
    const struct account_identity *id = &s->id;
    const char *mail = identity_path_inside(id->mail_dir, s->mail_root);
    const char *index = identity_path_inside(id->index_dir, s->mail_root);
    if (geteuid() != 0 || !mail || !index)
        return (struct places){.mail = id->mail_dir, .index = id->index_dir};
    must(chroot(s->mail_root) == 0 && chdir("/") == 0);
    return (struct places){.mail = mail, .index = index};
}

/* Makes what is missing of the Maildir with the rights of the account, so that a link or a foreign owner on
 * the way cannot make root do it. */
static enum rc make_maildir(const struct account_identity *id, const struct places *p, struct err *e)
{
    bool root = geteuid() == 0;
    if (root && (setgroups(id->n_groups, id->groups) != 0 || setegid(id->gid) != 0 || seteuid(id->uid) != 0))
        return err_set(e, RC_TEMP, 0, "", "cannot become uid %u", id->uid);
    must(!root || (geteuid() == id->uid && getegid() == id->gid));
    umask(0077);
    int dir = -1;
    enum rc rc = delivery_open_maildir(AT_FDCWD, str_c(p->mail), true, &dir, e);
    fd_closep(&dir);
    if (rc == RC_OK && file_make_dirs(p->index, 0700) != RC_OK)
        rc = err_set(e, RC_TEMP, 0, "", "cannot make %s", p->index);
    if (root)
        must(seteuid(0) == 0 && setegid(0) == 0);
    return rc;
}

/* Closes the cage: the Maildir becomes the root folder where it holds the index, too. */
static struct places enter_cage(const struct session_setup *s, const struct places *p)
{
    const struct account_identity *id = &s->id;
    const char *index = identity_path_inside(p->index, p->mail);
    bool chroots = geteuid() == 0 && index;
    const char *whole[] = {"/", NULL};
    const char *folders[] = {p->mail, index ? NULL : p->index, NULL};
    struct sandbox sb = {.role = ROLE_MAILBOX,
                         .uid = geteuid() == 0 ? id->uid : (uid_t)-1,
                         .gid = id->gid,
                         .groups = id->groups,
                         .n_groups = id->n_groups,
                         .chroot_dir = chroots ? p->mail : NULL,
                         .rw_dirs = chroots ? whole : folders};
    int keep[] = {s->stream_fd, s->notify_fd, s->total_fd};
    cage_enter(&sb, keep, 3);
    return chroots ? (struct places){.mail = "/", .index = index} : *p;
}

/* --- IMAP's notifications --- */

struct notify {
    int fd;
    struct stream *stream;
    size_t prefix; /* bytes in front of the account's own names of its mailboxes */
};

static void notify_send(const struct notify *n, struct buf *b, const int *fds, unsigned n_fds)
{
    if (ipc_send(n->fd, b, fds, n_fds, 0) != RC_OK)
        log_debug("mailbox does not take notifications");
}

static void send_watch(struct notify *n, uint16_t type, str mailbox, const int fds[2])
{
    struct buf b AUTO(buf_deinit) = BUF_INIT(IPC_MAX);
    ipc_begin(&b, type);
    ipc_put_str(&b, str_from(mailbox, n->prefix));
    notify_send(n, &b, fds, 2);
}

static void notify_watch(void *ctx, str mailbox, const int fds[2])
{
    send_watch(ctx, MSG_WATCH, mailbox, fds);
}

static void notify_watch_also(void *ctx, str mailbox, const int fds[2])
{
    send_watch(ctx, MSG_WATCH_ALSO, mailbox, fds);
}

static void notify_watch_names(void *ctx, int fd)
{
    struct buf b AUTO(buf_deinit) = BUF_INIT(64);
    ipc_begin(&b, MSG_WATCH_NAMES);
    notify_send(ctx, &b, &fd, 1);
}

static void send_bare(struct notify *n, uint16_t type)
{
    struct buf b AUTO(buf_deinit) = BUF_INIT(64);
    ipc_begin(&b, type);
    notify_send(n, &b, NULL, 0);
}

static void notify_unwatch(void *ctx)
{
    send_bare(ctx, MSG_UNWATCH);
}

static void notify_unwatch_others(void *ctx)
{
    send_bare(ctx, MSG_UNWATCH_OTHERS);
}

static void notify_changed(void *ctx, str mailbox)
{
    struct buf b AUTO(buf_deinit) = BUF_INIT(IPC_MAX);
    const struct notify *n = ctx;
    ipc_begin(&b, MSG_CHANGED);
    ipc_put_str(&b, str_from(mailbox, n->prefix));
    notify_send(n, &b, NULL, 0);
}

static void notify_clear(void *ctx)
{
    struct notify *n = ctx;
    struct buf b AUTO(buf_deinit) = BUF_INIT(IPC_MAX);
    struct ipc_msg m;
    enum rc rc = ipc_recv(n->fd, &b, &m, 0);
    if (rc == RC_TEMP)
        return;
    if (rc != RC_OK) { /* mailbox ended: without it nobody counts or wakes this session. The client connects
                          again. */
        shutdown(stream_fd(n->stream), SHUT_RD);
        int null = open("/", O_PATH | O_CLOEXEC);
        if (null < 0 || dup2(null, n->fd) < 0)
            _exit(0);
        return;
    }
    if (m.type == MSG_SESSION_LOG) {
        AUTO(fd_closep) int log = ipc_take_fd(&m);
        if (log >= 0)
            dup2(log, STDERR_FILENO);
        return;
    }
    ipc_msg_deinit(&m);
    send_bare(n, MSG_WAKE_SEEN);
}

/* --- mailboxes of others --- */

/* The other end is for whoever answers: mailbox closes it to say no. */
static int ask_with_stream(const struct notify *n, struct buf *b, int type)
{
    int pair[2];
    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) != 0)
        return -1;
    notify_send(n, b, &pair[1], 1);
    close(pair[1]);
    return pair[0];
}

static int open_shared(void *ctx, str owner)
{
    struct buf b AUTO(buf_deinit) = BUF_INIT(IPC_MAX);
    ipc_begin(&b, MSG_SHARED_OPEN);
    ipc_put_str(&b, owner);
    return ask_with_stream(ctx, &b, SOCK_STREAM);
}

static enum rc find_shared(void *ctx, struct arena *a, str **ret, size_t *ret_n)
{
    struct buf b AUTO(buf_deinit) = BUF_INIT(IPC_MAX);
    struct ipc_msg m;
    ipc_begin(&b, MSG_SHARED_FIND);
    AUTO(fd_closep) int fd = ask_with_stream(ctx, &b, SOCK_SEQPACKET);
    if (fd < 0 || ipc_recv(fd, &b, &m, clock_mono() + SHARED_ANSWER_MS) != RC_OK)
        return RC_TEMP;
    struct err e = {0};
    ipc_get_err(&m, &e);
    bool sane = m.type == MSG_SHARED_FOUND && e.rc == RC_OK && shared_get_names(&m, a, ret, ret_n) == RC_OK &&
                ipc_end(&m) == RC_OK;
    ipc_msg_deinit(&m);
    return sane ? RC_OK : RC_TEMP;
}

static void tell_shared(void *ctx, const str *users, size_t n)
{
    struct buf b AUTO(buf_deinit) = BUF_INIT(IPC_MAX);
    ipc_begin(&b, MSG_SHARED_WITH);
    shared_put_names(&b, users, n);
    notify_send(ctx, &b, NULL, 0);
}

static void give_back(void *ctx)
{
    struct notify *n = ctx;
    pump_give_back(n->stream);
}

/* --- the protocols --- */

static int run_imap(const struct session_setup *s, struct stream *io, struct store *st,
                    const struct store_guest *guest, struct imap_parked *parked)
{
    const struct conf *c = s->conf;
    bool for_command = s->notify_fd < 0;
    struct notify n = {.fd = s->notify_fd, .stream = io, .prefix = s->guest[0] ? guest->prefix.n : 0};
    const struct imap_ops ops = {.watch = notify_watch,
                                 .unwatch = notify_unwatch,
                                 .changed = notify_changed,
                                 .unwatch_others = notify_unwatch_others,
                                 .watch_also = notify_watch_also,
                                 .watch_names = notify_watch_names,
                                 .wake_clear = notify_clear,
                                 .give_back = c->imap_unauthenticate && !s->guest[0] ? give_back : NULL,
                                 .open_shared = open_shared,
                                 .find_shared = find_shared,
                                 .tell_shared = c->shared_prefix[0] ? tell_shared : NULL,
                                 .ctx = &n,
                                 .wake_fd = s->notify_fd};
    struct imap_start start = {
        .stream = io,
        .store = st,
        .tag = str_c(s->tag),
        .account = str_c(s->id.account),
        .session_id = str_c(s->session_id),
        .client = str_c(s->client),
        .logout_format = str_c(c->imap_logout_format),
        .quota_name = s->guest[0] ? guest->prefix : str_c(c->quota_name), /* that of the user is another */
        .acl_anyone = c->acl_anyone,
        .capabilities = str_c(s->guest[0] || for_command ? "" : c->imap_capability),
        .strict_headers = c->imap_strict_headers,
        .server_comment = str_c(c->mail_server_comment),
        .server_admin = str_c(c->mail_server_admin),
        .separator = c->hierarchy_separator[0],
        .shared_prefix = str_c(s->guest[0] || for_command ? "" : c->shared_prefix),
        .append_max = c->message_size_limit,
        .limits = {.line_max = c->imap_command_limit,
                   .literal_max = c->imap_literal_limit,
                   .idle_ms = s->guest[0] ? GUEST_IDLE_MS : c->imap_timeout_ms,
                   .keepalive_ms = c->imap_idle_notify_interval_ms,
                   .messages_max = for_command ? 0 : (uint32_t)c->imap_message_limit,
                   .saved_max = for_command ? 0 : (uint32_t)c->imap_save_limit},
        .ops = for_command ? (struct imap_ops){.wake_fd = -1} : ops,
        .parked = s->parks && c->imap_hibernate_timeout_ms != CONF_NEVER ? parked : NULL,
        .park_ms = c->imap_hibernate_timeout_ms,
        .resume = str_mem(s->record, s->record_bytes),
    };
    mail_log_parse(str_c(c->mail_log_events), str_c(c->mail_log_fields), &start.mail_log, NULL);
    return imap_session(&start);
}

/* The last that this process says: mailbox starts another that goes on. Nothing is read from the stream any
 * more, and nothing is done in the store. */
static void hand_over(const struct session_setup *s, struct stream *io, const struct imap_parked *p)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(IPC_MAX);
    AUTO(fd_closep) int fd = stream_detach(io);
    ipc_begin(&b, MSG_PARK);
    ipc_put_str(&b, buf_str(&p->record));
    ipc_put_u64(&b, (uint64_t)p->deadline);
    ipc_put_u32(&b, p->idling);
    ipc_put_u32(&b, (uint32_t)p->sign_ms);
    ipc_put_str(&b, S(IMAP_SIGN_OF_LIFE));
    ipc_put_str(&b, buf_str(&p->end));
    if (ipc_send(s->notify_fd, &b, &fd, 1, 0) != RC_OK)
        log_debug("mailbox is gone: the connection ends");
}

static int run_pop3(const struct session_setup *s, struct stream *io, struct store *st)
{
    struct pop3_start start = {.stream = io,
                               .store = st,
                               .account = str_c(s->id.account),
                               .session_id = str_c(s->session_id),
                               .client = str_c(s->client),
                               .logout_format = str_c(s->conf->pop3_logout_format),
                               .timeout_ms = s->conf->pop3_timeout_ms};
    mail_log_parse(str_c(s->conf->mail_log_events), str_c(s->conf->mail_log_fields), &start.mail_log, NULL);
    return pop3_session(&start);
}

/* The log-in succeeded, or the session is to go on, but the mail cannot be opened: says so in the protocol's
 * words. */
static _Noreturn void unavailable(const struct session_setup *s, struct stream *io, const struct err *e)
{
    log_error("cannot open the mailbox: %s", err_text(e));
    stream_set_deadline(io, clock_mono() + 5000);
    if (s->imap && s->tag[0])
        stream_printf(io, "%s NO [UNAVAILABLE] Mailbox is temporarily unavailable\r\n", s->tag);
    if (s->imap)
        stream_printf(io, "* BYE Try again later\r\n");
    else
        stream_printf(io, "-ERR [SYS/TEMP] Mailbox is temporarily unavailable\r\n");
    enum rc rc = stream_flush(io);
    stream_free(io);
    _exit(rc == RC_OK ? 0 : 1);
}

/* Of a guest: who he is, and what the names of the account's mailboxes begin with for him. */
static void describe_guest(const struct session_setup *s, struct buf *prefix, struct store_guest *ret)
{
    buf_printf(prefix, "%s%s%c", s->conf->shared_prefix, s->id.account, s->conf->hierarchy_separator[0]);
    *ret = (struct store_guest){.user = str_c(s->guest), .prefix = buf_str(prefix)};
}

static enum rc open_store(const struct session_setup *s, const struct places *p,
                          const struct quota_terms *quota, const struct store_guest *guest,
                          struct store **ret, struct err *e)
{
    const struct conf *c = s->conf;
    struct store_conf sc = {.account = str_c(s->id.account),
                            .root = str_c(p->mail),
                            .index_dir = str_c(p->index),
                            .hostname = str_c(c->hostname),
                            .separator = c->hierarchy_separator[0],
                            .mailbox_max = (unsigned)c->mailbox_max,
                            .keyword_max = 64,
                            .append_max = c->message_size_limit,
                            .kept_ms = c->expunged_mail_lifetime_ms,
                            .create_defaults = !s->guest[0],
                            .quota = quota,
                            .guest = s->guest[0] ? guest : NULL,
                            .shared_prefix = str_c(c->shared_prefix)};
    return store_open(&sc, ret, e);
}

/* As Dovecot's lines of a session begin. */
static void name_log(const struct session_setup *s)
{
    AUTO(buf_deinit) struct buf prefix = BUF_INIT(1024);
    const char *protocol = s->imap ? "imap" : "pop3";
    buf_printf(&prefix, "%s(%s)<%d><%s>: ", protocol, s->guest[0] ? s->guest : s->id.account, (int)getpid(),
               s->session_id);
    if (s->guest[0])
        buf_printf(&prefix, "mailboxes of %s: ", s->id.account);
    log_sink_name(s->conf, protocol, buf_cstr(&prefix));
}

_Noreturn void session_process(const struct session_setup *s)
{
    struct err e = {0};
    struct store *st = NULL;
    AUTO(buf_deinit) struct buf rules = BUF_INIT(QUOTA_RULES_BYTES);
    struct quota_terms quota;
    int link = s->notify_fd;

    AUTO(buf_deinit) struct buf prefix = BUF_INIT(STORE_PREFIX_MAX);
    struct store_guest guest;
    describe_guest(s, &prefix, &guest);
    if (s->guest[0])
        proc_set_title("malle: shared %s %s", s->id.account, s->guest);
    else
        proc_set_title("malle: %s %s %s", s->imap ? "imap" : "pop3", s->id.account, s->client);
    name_log(s);
    struct places outside = enter_mail_root(s);
    enum rc rc = make_maildir(&s->id, &outside, &e);
    if (rc != RC_OK)
        unavailable(s, stream_new(s->stream_fd, INPUT_MAX), &e);
    struct places inside = enter_cage(s, &outside);
    struct stream *io = stream_new(s->stream_fd, INPUT_MAX);
    quota_terms_fill(s->conf, s->id.account, s->id.quota, &rules, &quota);
    quota_terms_run(s->conf, &link, &quota);
    quota_terms_domain(s->conf, &s->total_fd, &link, &quota);
    if (open_store(s, &inside, &quota, &guest, &st, &e) != RC_OK)
        unavailable(s, io, &e);
    struct imap_parked parked = {.record = BUF_INIT(PARKED_MAX), .end = BUF_INIT(IMAP_END_MAX)};
    int status = s->imap ? run_imap(s, io, st, &guest, &parked) : run_pop3(s, io, st);
    store_close(st);
    if (parked.record.n > 0)
        hand_over(s, io, &parked);
    else
        stream_free(io);
    proc_exit(status);
}
