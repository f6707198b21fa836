/* A message from standard input to the server, over its socket for local mail. Everything is read before the
 * server is asked, so a caller that writes slowly holds nobody up. */
#include "cli/sendmail_impl.h"
#include "fmt/crlf.h"
#include "fmt/localmail.h"
#include "os/file.h"
#include "os/socket.h"
#include "os/stream.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <unistd.h>

enum {
    MESSAGE_MAX = 1 << 30, /* the largest message_size_limit; the server has its own */
    HEADER_MAX = 64 << 20,
    ARENA_MAX = 256 << 20,
    CHUNK = 64 << 10
};

struct letter { /* what is sent, and to whom */
    str raw, body, sender, owner;
    struct buf *header;
    struct localmail_addresses rcpts;
    struct arena *a;
};

/* --- reading --- */

static int read_message(struct buf *raw, bool dot_ends)
{
    struct localmail_reader r = {.dot_ends = dot_ends};
    AUTO(buf_deinit) struct buf chunk = BUF_INIT(CHUNK);
    ssize_t n = 1;
    while (n > 0 && !r.ended && !raw->overflow) {
        buf_reset(&chunk);
        char *room = buf_room(&chunk, CHUNK);
        must(room);
        while ((n = read(STDIN_FILENO, room, CHUNK)) < 0 && errno == EINTR)
            ;
        if (n > 0)
            localmail_feed(&r, raw, str_mem(room, (size_t)n));
    }
    localmail_finish(&r, raw);
    if (n < 0) {
        cli_fail("standard input cannot be read: %m; nothing was sent");
        return EX_IOERR;
    }
    if (raw->overflow) {
        cli_fail("the message is larger than %d MB; nothing was sent", MESSAGE_MAX >> 20);
        return EX_UNAVAILABLE;
    }
    return EX_OK;
}

/* --- from whom, to whom --- */

/* The name of who calls; a uid without one is called as the server calls it. */
static str user_name(struct arena *a)
{
    const struct passwd *pw = getpwuid(getuid());
    return pw ? arena_str(a, str_c(pw->pw_name)) : arena_printf(a, "uid%u", getuid());
}

/* -F, or the first part of passwd's comment, in which & stands for the name. */
static void put_full_name(const struct sendmail_options *o, struct buf *out)
{
    const struct passwd *pw = getpwuid(getuid());
    if (o->full_name || !pw) {
        buf_puts(out, str_c(o->full_name));
        return;
    }
    str comment = str_c(pw->pw_gecos), name = str_take(&comment, ',');
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] != '&') {
            buf_putc(out, name.p[i]);
            continue;
        }
        buf_putc(out, ascii_upper(pw->pw_name[0]));
        buf_puts(out, str_from(str_c(pw->pw_name), 1));
    }
}

/* Whether it is the caller at the machine's own name, as GNU mail says it; that need be no domain of mail. */
static bool is_caller_here(str given, struct arena *a)
{
    char machine[256] = "";
    str host = given, name = str_take(&host, '@');
    return gethostname(machine, sizeof machine - 1) == 0 && str_eq(name, user_name(a)) &&
           str_ieq(host, str_c(machine));
}

/* "" and "<>" are the empty sender. */
static int find_sender(const struct sendmail_options *o, struct letter *l, str origin, struct err *e)
{
    struct localmail_addresses one = {0};
    str given = o->sender ? str_c(o->sender) : user_name(l->a);
    if (o->sender && (given.n == 0 || str_eq(given, S("<>"))))
        return EX_OK;
    if (is_caller_here(given, l->a))
        given = user_name(l->a);
    if (localmail_add(&one, given, origin, l->a) != RC_OK || one.n != 1) {
        (void)err_set(e, RC_PERM, 0, "5.1.7", "sendmail -f: \"%s\" is not one address",
                      o->sender ? o->sender : "");
        return EX_USAGE;
    }
    l->sender = one.v[0];
    return EX_OK;
}

/* EX_OK, or what is wrong with the message, in *e. */
static int complete(const struct sendmail_options *o, struct letter *l, str origin, struct err *e)
{
    AUTO(buf_deinit) struct buf from = BUF_INIT(4096), name = BUF_INIT(1024);
    int status = find_sender(o, l, origin, e);
    if (status != EX_OK)
        return status;
    put_full_name(o, &name);
    if (l->sender.n)
        localmail_put_mailbox(&from, buf_str(&name), l->sender);
    const struct localmail_header h = {
        .origin = origin, .from = buf_str(&from), .recipients = o->recipients_in_header};
    enum rc rc = RC_OK;
    for (int i = 0; i < o->n_recipients && rc == RC_OK; i++)
        rc = localmail_add(&l->rcpts, str_c(o->recipients[i]), origin, l->a);
    if (rc == RC_OK)
        rc = localmail_put_header(&h, l->raw, l->a, l->header, &l->rcpts, &l->body);
    if (rc == RC_LIMIT) {
        (void)err_set(e, RC_PERM, 0, "5.3.4", "the header of the message is too large; nothing was sent");
        return EX_DATAERR;
    }
    if (rc != RC_OK || l->rcpts.n == 0) {
        (void)err_set(e, RC_PERM, 0, "5.1.3", "%s",
                      rc != RC_OK               ? "a recipient is no address; nothing was sent"
                      : o->recipients_in_header ? "the header names no recipient; nothing was sent"
                                                : "no recipient was given; nothing was sent");
        return rc != RC_OK ? EX_DATAERR : EX_USAGE;
    }
    return EX_OK;
}

/* --- sending --- */

static int status_of(const struct smtp_outcome *o)
{
    if (o->rc == RC_OK)
        return EX_OK;
    if (o->rc == RC_TEMP)
        return EX_TEMPFAIL;
    if (o->phase == SMTP_PHASE_RCPT && str_starts(str_c(o->enhanced), S("5.1.1")))
        return EX_NOUSER;
    return o->phase == SMTP_PHASE_MAIL && str_starts(str_c(o->enhanced), S("5.7.")) ? EX_NOPERM
                                                                                    : EX_UNAVAILABLE;
}

static bool is_8bit(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x80)
            return true;
    return false;
}

static void fill_message(const struct sendmail_options *o, const struct letter *l,
                         struct smtp_client_rcpt *rcpts, size_t n, struct smtp_client_message *ret)
{
    bool eight = is_8bit(buf_str(l->header)) || is_8bit(l->body), utf8 = is_8bit(l->sender);
    for (size_t i = 0; i < n; i++)
        utf8 |= is_8bit(rcpts[i].address);
    *ret = (struct smtp_client_message){
        .sender = l->sender,
        .size_bytes = crlf_size(buf_str(l->header)) + crlf_size(l->body),
        .content = eight || utf8 ? SMTP_CONTENT_8BIT : SMTP_CONTENT_7BIT,
        .smtputf8 = utf8,
        .ret = o->ret,
        .envid = o->envid ? str_c(o->envid) : STR_NONE,
        .header = buf_str(l->header),
        .body = l->body,
        .fd = -1,
        .rcpts = rcpts,
        .n_rcpts = n,
    };
}

static int tell(const struct sendmail_options *o, const struct smtp_client_rcpt *r)
{
    if (r->outcome.rc != RC_OK)
        cli_fail("not sent to " STR_FMT ": " STR_FMT, STR_ARG(r->address),
                 STR_ARG(r->outcome.said.n ? r->outcome.said : r->outcome.text));
    else if (o->verbose)
        fprintf(stderr, STR_FMT ": " STR_FMT "\n", STR_ARG(r->address), STR_ARG(r->outcome.said));
    return status_of(&r->outcome);
}

struct sent {                         /* what came of it */
    struct smtp_client_rcpt *later;   /* refused for now */
    struct smtp_client_rcpt *refused; /* for good */
    size_t n_later, n_refused, n_taken;
    int status; /* EX_OK, or of the first that was refused for good */
};

/* As many transactions as the server's limits need. */
static void send_all(const struct sendmail_options *o, struct letter *l, struct smtp_client *c,
                     struct sent *ret)
{
    struct smtp_client_rcpt *rcpts = arena_array(l->a, l->rcpts.n, sizeof *rcpts);
    size_t n = l->rcpts.n;
    *ret = (struct sent){.later = arena_array(l->a, n, sizeof *rcpts),
                         .refused = arena_array(l->a, n, sizeof *rcpts),
                         .status = EX_OK};
    must(rcpts && ret->later && ret->refused);
    for (size_t i = 0; i < n; i++)
        rcpts[i] = (struct smtp_client_rcpt){.address = l->rcpts.v[i], .notify = o->notify};
    while (n > 0) {
        struct smtp_client_message m;
        fill_message(o, l, rcpts, n, &m);
        smtp_client_send(c, l->a, &m);
        bool goes_on = smtp_client_is_usable(c);
        size_t left = 0;
        for (size_t i = 0; i < n; i++) {
            if (!rcpts[i].tried && goes_on) {
                rcpts[left++] = rcpts[i];
            } else if (rcpts[i].outcome.rc == RC_TEMP) {
                ret->later[ret->n_later++] = rcpts[i];
            } else {
                int status = tell(o, &rcpts[i]);
                ret->n_taken += status == EX_OK;
                if (status != EX_OK)
                    ret->refused[ret->n_refused++] = rcpts[i];
                ret->status = ret->status == EX_OK ? status : ret->status;
            }
        }
        n = left;
    }
}

/* For those who were refused for now the message, as it was completed, waits in the maildrop. */
static enum rc keep(const struct sendmail_options *o, const struct letter *l, const struct sent *sent,
                    const char *maildrop, struct err *e)
{
    AUTO(buf_deinit) struct buf raw = BUF_INIT(MESSAGE_MAX);
    struct sendmail_options again = *o;
    buf_puts(&raw, buf_str(l->header));
    buf_puts(&raw, l->body);
    again.recipients_in_header = false;
    again.sender = l->sender.n ? l->sender.p : "<>";
    again.recipients = arena_array(l->a, sent->n_later, sizeof *again.recipients);
    must(again.recipients && !raw.overflow);
    again.n_recipients = (int)sent->n_later;
    for (size_t i = 0; i < sent->n_later; i++)
        again.recipients[i] = (char *)sent->later[i].address.p;
    return sendmail_drop(&again, maildrop, buf_str(&raw), e);
}

/* What a local program dropped is returned, in the way of o->notify and o->ret (RFC 3461 §4.1, §4.3). Those
 * who cannot be told of now are refused once more later. */
static void return_refused(const struct sendmail_options *o, const struct letter *l, struct smtp_client *c,
                           struct sent *sent, const struct sendmail_way *way)
{
    const struct sendmail_refused r = {.header = buf_str(l->header),
                                       .body = l->body,
                                       .sender = l->sender,
                                       .owner = l->owner,
                                       .envid = o->envid ? str_c(o->envid) : STR_NONE,
                                       .ret = (enum smtp_ret)o->ret,
                                       .rcpts = sent->refused,
                                       .n = sent->n_refused};
    bool silent = l->sender.n > 0 && o->notify && !(o->notify & SMTP_NOTIFY_FAILURE);
    enum rc rc = silent ? RC_OK : sendmail_bounce(c, &r, way, l->a);
    if (rc == RC_PERM)
        return;
    sent->status = EX_OK;
    if (rc == RC_OK)
        sent->n_taken += sent->n_refused;
    for (size_t i = 0; i < sent->n_refused && rc != RC_OK; i++)
        sent->later[sent->n_later++] = sent->refused[i];
}

/* The same for a message that cannot even be offered. */
static int return_unsent(const struct sendmail_options *o, struct letter *l, struct smtp_client *c,
                         int status, const struct err *why, const struct sendmail_way *way)
{
    struct smtp_client_rcpt rcpt = {.outcome = {.rc = RC_PERM, .phase = SMTP_PHASE_CHECK}};
    struct sent sent = {.refused = &rcpt,
                        .later = &(struct smtp_client_rcpt){.tried = false},
                        .n_refused = 1,
                        .status = status};
    rcpt.address = o->n_recipients > 0 ? str_c(o->recipients[0]) : S("unknown");
    rcpt.outcome.text = str_c(why->peer);
    must(str_copy(rcpt.outcome.enhanced, sizeof rcpt.outcome.enhanced, str_c(why->enhanced)) == RC_OK);
    buf_reset(l->header);
    l->body = l->raw;
    if (!o->sender || l->sender.n == 0)
        l->sender = l->owner;
    return_refused(o, l, c, &sent, way);
    return sent.n_later > 0 ? EX_TEMPFAIL : sent.status;
}

/* A message from the maildrop of which nobody got anything stays as it is. */
static int conclude(const struct sendmail_options *o, const struct letter *l, const struct sent *sent,
                    const struct sendmail_way *way)
{
    struct err e = {0};
    bool whole = way->picked_up && sent->n_taken == 0 && sent->status == EX_OK;
    if (sent->n_later == 0)
        return sent->status;
    if (!whole && keep(o, l, sent, way->maildrop, &e) == RC_OK)
        return sent->status;
    for (size_t i = 0; i < sent->n_later; i++)
        (void)tell(o, &sent->later[i]);
    return EX_TEMPFAIL;
}

int sendmail_send(const struct sendmail_options *o, const struct sendmail_way *way, str raw, bool *ret_absent,
                  struct err *why)
{
    struct smtp_client_params p = {
        .peer = S("the mail server"), .helo_name = S("localhost"), .tls_level = SMTP_TLS_NONE};
    struct smtp_client_failure failure = {0};
    AUTO(buf_deinit) struct buf header = BUF_INIT(HEADER_MAX);
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_MAX);
    AUTO(smtp_client_freep) struct smtp_client *c = NULL;
    struct letter l = {.raw = raw, .sender = S(""), .header = &header, .a = a};
    struct err unsent = {0};
    struct sent sent;
    int fd;
    *ret_absent = true;
    if (socket_connect_unix(way->socket, &fd, why) != RC_OK)
        return EX_TEMPFAIL;
    if (smtp_client_open(&p, stream_new(fd, SMTP_CLIENT_IN_MAX), a, &c, &failure) != RC_OK) {
        (void)err_set(why, RC_TEMP, 0, "", STR_FMT, STR_ARG(failure.outcome.text));
        return EX_TEMPFAIL;
    }
    *ret_absent = false;
    str origin = str_c(smtp_client_offers(c)->origin), user = user_name(a);
    l.owner = arena_printf(a, STR_FMT "@" STR_FMT, STR_ARG(user), STR_ARG(origin));
    int status = complete(o, &l, origin, &unsent);
    if (status == EX_OK) {
        send_all(o, &l, c, &sent);
        if (way->picked_up && sent.n_refused > 0)
            return_refused(o, &l, c, &sent, way);
        status = conclude(o, &l, &sent, way);
    } else {
        cli_fail("%s", unsent.peer);
        if (way->picked_up)
            status = return_unsent(o, &l, c, status, &unsent, way);
    }
    smtp_client_quit(c);
    c = NULL;
    return status;
}

int sendmail_deliver(const struct sendmail_options *o, const struct sendmail_way *way)
{
    AUTO(buf_deinit) struct buf raw = BUF_INIT(MESSAGE_MAX);
    struct err why = {0}, e = {0};
    bool absent = false;
    int status = read_message(&raw, !o->ignore_dots);
    if (status == EX_OK && !o->recipients_in_header && o->n_recipients == 0) {
        cli_fail("no recipient was given; nothing was sent");
        return EX_USAGE;
    }
    if (status == EX_OK)
        status = sendmail_send(o, way, buf_str(&raw), &absent, &why);
    if (!absent)
        return status;
    if (sendmail_drop(o, way->maildrop, buf_str(&raw), &e) == RC_OK)
        return EX_OK;
    cli_fail(
        "the message was not sent, because the mail server cannot be reached (%s), and it cannot be kept for "
        "later (%s); try again later",
        err_text(&why), err_text(&e));
    return EX_TEMPFAIL;
}

/* --- -bs --- */

/* Moves what there is; false at the end. */
static bool move(int from, int to)
{
    char bytes[16 << 10];
    ssize_t n;
    while ((n = read(from, bytes, sizeof bytes)) < 0 && errno == EINTR)
        ;
    return n > 0 && fd_write_all(to, str_mem(bytes, (size_t)n)) == RC_OK;
}

int sendmail_smtp(const char *path)
{
    struct err e = {0};
    AUTO(fd_closep) int fd = -1;
    if (socket_connect_unix(path, &fd, &e) != RC_OK || fd_set_nonblocking(fd, false) != RC_OK) {
        printf("421 4.3.0 the mail server does not run\r\n");
        cli_fail("the mail server cannot be reached: %s", err_text(&e));
        return EX_TEMPFAIL;
    }
    struct pollfd p[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    for (;;) {
        if (poll(p, 2, -1) < 0 && errno != EINTR)
            return EX_OSERR;
        if (p[1].revents && !move(fd, STDOUT_FILENO))
            return EX_OK;
        if (p[0].revents && !move(STDIN_FILENO, fd)) {
            shutdown(fd, SHUT_WR); /* its last replies are still to come */
            p[0].fd = -1;
        }
    }
}
