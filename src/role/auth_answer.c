/* One function per question that auth answers, and the table of who may ask it. */
#include "role/auth_impl.h"

#include "account/databases.h"
#include "account/domain_total.h"
#include "base/log.h"
#include "role/header_canonical.h"
#include "role/ipc.h"
#include "role/name_msg.h"
#include "role/rcpt_targets.h"

#include <unistd.h>

enum { RESOLVE_ARENA = 1 << 20, REWRITE_ARENA = 64 << 10, HEADER_ARENA = 1 << 20 };

struct auth_conn { /* a channel's state: the exchange under way */
    struct auth_session *session;
    struct buf data;
};

static const struct account_lookup *lookup(const struct auth_peer *p)
{
    return atomic_load(&p->server->lookup);
}

/* --- SASL --- */

static void conn_reset(struct auth_conn *c)
{
    c->session = auth_session_free(c->session);
    buf_wipe(&c->data);
    buf_init(&c->data, 2 * SASL_RESPONSE_MAX);
}

void auth_closed(void *ctx, void *conn)
{
    struct auth_conn *c = conn;
    auth_session_free(c->session);
    buf_wipe(&c->data);
    free(c);
}

/* Who logged in by the databases of passdb. */
static enum rc identify_found(const struct account_lookup *l, const struct auth_outcome *o,
                              struct account_identity *ret, struct err *e)
{
    struct database_found found = {0};
    AUTO(arena_freep) struct arena *a = arena_new(DATABASES_ARENA);
    must(authdb_fields_parse(str_c(o->userdb), a, &found.fields) == RC_OK);
    memcpy(found.account, o->account, sizeof found.account);
    return account_identify_login(l, &found, ret, e);
}

/* A ticket for login: the identity waits in auth until mailbox asks for it. */
static enum rc issue_ticket(const struct auth_peer *p, const struct auth_outcome *o,
                            unsigned char ret[TICKET_SIZE], struct err *e)
{
    struct account_identity id;
    enum rc rc = o->database ? identify_found(lookup(p), o, &id, e)
                             : account_identify(lookup(p), str_c(o->account), &id, e);
    if (rc == RC_OK)
        rc = ticket_issue(p->server->tickets, &id, p->instance, clock_mono(), ret);
    if (rc == RC_LIMIT)
        err_note(e, "too many tickets wait to be redeemed");
    return rc;
}

static void put_auth_reply(struct buf *reply, enum auth_result result, str data, str account, str ticket,
                           const char *reason)
{
    ipc_begin(reply, MSG_AUTH_REPLY);
    ipc_put_u32(reply, (uint32_t)result);
    ipc_put_str(reply, data);
    ipc_put_str(reply, account);
    ipc_put_str(reply, ticket);
    ipc_put_str(reply, str_c(reason));
}

static enum rc answer_auth(const struct auth_peer *p, struct auth_conn *c, enum auth_result result,
                           struct buf *reply)
{
    unsigned char ticket[TICKET_SIZE];
    struct err e = {0};
    if (result == AUTH_CONTINUE) {
        put_auth_reply(reply, result, buf_str(&c->data), STR_NONE, STR_NONE, "");
        return RC_OK;
    }
    const struct auth_outcome *o = auth_session_outcome(c->session);
    if (result == AUTH_OK && o->master[0])
        log_info("%s: the master %s logs in in the place of this user", o->account, o->master);
    bool wants_ticket = result == AUTH_OK && str_eq(str_c(p->name), S("login"));
    if (wants_ticket) {
        enum rc rc = issue_ticket(p, o, ticket, &e);
        if (rc != RC_OK) {
            log_warn("%s: logged in but gets no session: %s", o->account, err_text(&e));
            put_auth_reply(reply, rc == RC_PERM ? AUTH_FAIL : AUTH_TEMP, STR_NONE, str_c(o->account),
                           STR_NONE, err_text(&e));
            conn_reset(c);
            return RC_OK;
        }
    }
    if (o->delay_ms > 0)
        usleep((useconds_t)o->delay_ms * 1000);
    str who = result == AUTH_OK ? str_c(o->account) : auth_session_name(c->session);
    put_auth_reply(reply, result, buf_str(&c->data), str_sub(who, 0, IDENTITY_ACCOUNT_MAX),
                   wants_ticket ? str_mem(ticket, TICKET_SIZE) : STR_NONE,
                   result == AUTH_OK ? "" : err_text(&o->err));
    conn_reset(c);
    explicit_bzero(ticket, sizeof ticket);
    return RC_OK;
}

static enum rc auth_begin(const struct auth_peer *p, struct auth_conn *c, struct ipc_msg *m,
                          struct buf *reply)
{
    struct auth_props props = {.service = ipc_get_str(m, 32)};
    str mechanism = ipc_get_str(m, 32);
    bool has_initial = ipc_get_u32(m) == 1;
    str initial = ipc_get_str(m, SASL_RESPONSE_MAX);
    props.client_ip = ipc_get_str(m, 64);
    props.secured = ipc_get_u32(m) == 1;
    props.tls_exporter = ipc_get_str(m, 256);
    props.tls_end_point = ipc_get_str(m, 256);
    (void)ipc_get_str(m, 64); /* the session's id */
    props.certified_name = ipc_get_str(m, SASL_NAME_MAX);
    if (ipc_end(m) != RC_OK)
        return RC_INVALID;
    conn_reset(c);
    c->session = auth_session_new(p->server->auth, lookup(p), &props);
    return answer_auth(
        p, c, auth_session_start(c->session, mechanism, has_initial, initial, clock_mono(), &c->data), reply);
}

static enum rc auth_continue(const struct auth_peer *p, struct auth_conn *c, struct ipc_msg *m,
                             struct buf *reply)
{
    str response = ipc_get_str(m, SASL_RESPONSE_MAX);
    if (ipc_end(m) != RC_OK || !c->session)
        return RC_INVALID;
    buf_reset(&c->data);
    return answer_auth(p, c, auth_session_step(c->session, response, clock_mono(), &c->data), reply);
}

/* --- addresses --- */

static void put_targets(struct buf *reply, const struct err *e, const struct account_target *t, size_t n)
{
    ipc_begin(reply, MSG_RCPT_REPLY);
    ipc_put_err(reply, e);
    ipc_put_u32(reply, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        bool again = i > 0 && str_eq(t[i].sender, t[i - 1].sender);
        ipc_put_u32(reply, (t[i].remote ? RCPT_REMOTE : 0) | (again ? RCPT_OWNER_AS_BEFORE : 0) |
                               (t[i].via.n > 0 ? RCPT_VIA : 0) | (t[i].limited ? RCPT_LIMITED : 0));
        ipc_put_str(reply, t[i].account);
        ipc_put_u32(reply, t[i].uid);
        ipc_put_str(reply, t[i].address);
        if (!again)
            ipc_put_str(reply, t[i].sender);
        if (t[i].via.n > 0)
            ipc_put_str(reply, t[i].via);
    }
}

/* Whose the address is; RC_GONE with *ret_n 1: another server's, which gets another address. */
static enum rc find_targets(const struct auth_peer *p, str address, struct arena *a,
                            struct account_target **ret, size_t *ret_n, struct err *e)
{
    str to = address;
    enum rc rc = RC_OK;
    if (!str_eq(str_c(p->name), S("queue"))) /* what it has went through here before */
        rc = account_canonical(lookup(p), ACCOUNT_ENVELOPE_RECIPIENT, address, a, &to, e);
    if (rc == RC_OK)
        rc = account_resolve(lookup(p), to, a, ret, ret_n, e);
    if (rc != RC_GONE || str_eq(to, address))
        return rc;
    *ret = arena_make(a, struct account_target);
    if (!*ret)
        return RC_TEMP;
    **ret = (struct account_target){.remote = true, .uid = (uid_t)-1, .address = to};
    *ret_n = 1;
    /* an address of ours leads there for everybody, as an alias does */
    ptrdiff_t at = str_rchr(address, '@');
    return at < 0 ? RC_GONE : account_domain_is_local(lookup(p), str_from(address, (size_t)at + 1), e);
}

static enum rc rcpt_lookup(const struct auth_peer *p, struct ipc_msg *m, struct buf *reply)
{
    str address = ipc_get_str(m, 1024);
    if (ipc_end(m) != RC_OK)
        return RC_INVALID;
    struct err e = {0};
    struct account_target *t = NULL;
    size_t n = 0;
    struct arena *a = arena_new(RESOLVE_ARENA);
    enum rc rc = find_targets(p, address, a, &t, &n, &e);
    if (rc == RC_GONE) {
        struct err relay = {0};
        enum rc there = account_check_relay(lookup(p), address, &relay);
        if (there != RC_OK) {
            rc = there;
            e = relay;
        }
    }
    if (rc != RC_OK && e.rc == RC_OK)
        (void)err_set(&e, rc, rc == RC_TEMP ? 451 : 550, rc == RC_TEMP ? "4.3.0" : "5.1.1",
                      rc == RC_TEMP ? "Temporary lookup failure" : "No such user here");
    e.rc = rc;
    put_targets(reply, &e, t, rc == RC_OK || rc == RC_GONE ? n : 0);
    if (reply->overflow) {
        rc = err_set(&e, RC_PERM, 550, "5.3.4", "The alias leads to too many mailboxes");
        err_note(&e, "its %zu mailboxes do not fit a message of %d bytes", n, IPC_MAX);
        put_targets(reply, &e, NULL, 0);
    }
    if (rc == RC_TEMP)
        log_error("looking up <" STR_FMT ">: %s", STR_ARG(address), err_text(&e));
    else if (rc != RC_OK && e.log[0]) /* not the stranger's mistake */
        log_warn("looking up <" STR_FMT ">: %s", STR_ARG(address), e.log);
    arena_free(a);
    return RC_OK;
}

static enum rc sender_check(const struct auth_peer *p, struct ipc_msg *m, struct buf *reply)
{
    struct err e = {0};
    str account = ipc_get_str(m, IDENTITY_ACCOUNT_MAX), sender = ipc_get_str(m, 1024);
    if (ipc_end(m) != RC_OK)
        return RC_INVALID;
    enum rc rc = account_may_send(lookup(p), account, sender, &e);
    e.rc = rc;
    ipc_begin(reply, MSG_SENDER_REPLY);
    ipc_put_err(reply, &e);
    return RC_OK;
}

static enum rc sender_rewrite(const struct auth_peer *p, struct ipc_msg *m, struct buf *reply)
{
    struct err e = {0};
    str sender = ipc_get_str(m, 1024), forwarded = STR_NONE;
    if (ipc_end(m) != RC_OK)
        return RC_INVALID;
    AUTO(arena_freep) struct arena *a = arena_new(REWRITE_ARENA);
    if (!str_eq(str_c(p->name), S("queue"))) /* what it has went through here before */
        e.rc = account_canonical(lookup(p), ACCOUNT_ENVELOPE_SENDER, sender, a, &sender, &e);
    if (e.rc == RC_OK)
        e.rc = account_forwarded_sender(lookup(p), sender, a, &forwarded, &e);
    if (e.rc != RC_OK)
        log_error("sender <" STR_FMT ">: %s", STR_ARG(sender), err_text(&e));
    ipc_begin(reply, MSG_SENDER_REWRITE_REPLY);
    ipc_put_err(reply, &e);
    ipc_put_str(reply, sender);
    ipc_put_str(reply, forwarded);
    return RC_OK;
}

static enum rc header_canonical(const struct auth_peer *p, struct ipc_msg *m, struct buf *reply)
{
    AUTO(arena_freep) struct arena *a = arena_new(HEADER_ARENA);
    str list[HEADER_CANONICAL_MAX];
    struct err e = {0};
    uint32_t n = ipc_get_u32(m);
    if (m->malformed || n > HEADER_CANONICAL_MAX)
        return RC_INVALID;
    for (uint32_t i = 0; i < n && e.rc == RC_OK; i++) {
        enum account_class class = ipc_get_u32(m) ? ACCOUNT_HEADER_RECIPIENT : ACCOUNT_HEADER_SENDER;
        str address = ipc_get_str(m, IDENTITY_ACCOUNT_MAX);
        if (m->malformed)
            return RC_INVALID;
        e.rc = account_canonical(lookup(p), class, address, a, &list[i], &e);
        if (e.rc != RC_OK)
            log_error("<" STR_FMT "> in a header: %s", STR_ARG(address), err_text(&e));
    }
    if (e.rc == RC_OK && ipc_end(m) != RC_OK)
        return RC_INVALID;
    ipc_begin(reply, MSG_HEADER_CANONICAL_REPLY);
    ipc_put_err(reply, &e);
    ipc_put_u32(reply, e.rc == RC_OK ? n : 0);
    for (uint32_t i = 0; i < n && e.rc == RC_OK; i++)
        ipc_put_str(reply, list[i]);
    return RC_OK;
}

/* --- identities --- */

/* Without auth-worker nobody knows: this process reads no files. */
static enum rc user_name(const struct auth_peer *p, struct ipc_msg *m, struct buf *reply)
{
    struct err e = {0};
    char name[PAM_USER_MAX + 1] = "";
    uint32_t uid = ipc_get_u32(m);
    if (ipc_end(m) != RC_OK)
        return RC_INVALID;
    e.rc = lookup(p)->system_user ? worker_user_name(p->server, uid, name, &e) : RC_GONE;
    ipc_begin(reply, MSG_LOCAL_USER_REPLY);
    ipc_put_err(reply, &e);
    ipc_put_str(reply, str_c(e.rc == RC_OK ? name : ""));
    return RC_OK;
}

/* *id counts only when *e is RC_OK. */
static void put_identity(struct buf *reply, const struct account_identity *id, const struct err *e)
{
    struct buf bytes AUTO(buf_deinit) = BUF_INIT(IDENTITY_BYTES_MAX);
    if (e->rc == RC_OK)
        identity_put(&bytes, id);
    ipc_begin(reply, MSG_IDENTITY_REPLY);
    ipc_put_err(reply, e);
    ipc_put_str(reply, buf_str(&bytes));
}

/* Where there is a total and it cannot be handed out, mail goes on without. */
static int open_total(const struct auth_peer *p, const struct account_identity *id)
{
    struct err e = {0};
    int fd = domain_total_open(lookup(p)->db, str_c(id->account), &e);
    if (e.rc != RC_OK)
        log_error("%s: %s", id->account, err_text(&e));
    return fd;
}

static enum rc identity(const struct auth_peer *p, struct ipc_msg *m, struct buf *reply, int *reply_fds,
                        unsigned *ret_n_fds)
{
    bool ticket = m->type == MSG_TICKET_REDEEM;
    struct account_identity id;
    struct err e = {0};
    str what = ipc_get_str(m, IDENTITY_ACCOUNT_MAX);
    uint32_t login = ipc_get_u32(m);
    if (ipc_end(m) != RC_OK)
        return RC_INVALID;
    enum rc rc = ticket ? ticket_redeem(p->server->tickets, what, login, clock_mono(), &id)
                        : account_identify(lookup(p), what, &id, &e);
    if (rc != RC_OK && e.rc == RC_OK) {
        (void)err_set(&e, rc, 451, "4.3.0", "Temporary authentication failure");
        err_note(&e, ticket ? "the ticket is unknown, used or expired" : "no such account");
    }
    e.rc = rc;
    put_identity(reply, &id, &e);
    int total = rc == RC_OK ? open_total(p, &id) : -1;
    if (total >= 0)
        reply_fds[(*ret_n_fds)++] = total;
    return RC_OK;
}

/* --- users, for programs of this machine --- */

static enum rc userdb_find(const struct auth_peer *p, struct ipc_msg *m, struct buf *reply)
{
    struct account_identity id;
    struct err e = {0};
    str name = ipc_get_str(m, IDENTITY_ACCOUNT_MAX);
    if (ipc_end(m) != RC_OK)
        return RC_INVALID;
    e.rc = account_find_user(lookup(p), name, &id, &e);
    if (e.rc == RC_TEMP)
        log_error("looking up the user " STR_FMT ": %s", STR_ARG(name), err_text(&e));
    put_identity(reply, &id, &e);
    return RC_OK;
}

static enum rc userdb_list(const struct auth_peer *p, struct ipc_msg *m, struct buf *reply)
{
    struct address_key page[ACCOUNT_PAGE];
    struct err e = {0};
    size_t n = 0;
    str after = ipc_get_str(m, IDENTITY_ACCOUNT_MAX);
    if (ipc_end(m) != RC_OK)
        return RC_INVALID;
    e.rc = account_page(lookup(p)->db, after, page, &n, &e);
    if (e.rc != RC_OK)
        log_error("listing accounts: %s", err_text(&e));
    ipc_begin(reply, MSG_USERDB_ACCOUNTS);
    ipc_put_err(reply, &e);
    ipc_put_u32(reply, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        ipc_put_str(reply, address_text(&page[i]));
    return RC_OK;
}

static enum rc userdb_list_more(const struct auth_peer *p, struct ipc_msg *m, struct buf *reply)
{
    struct err e = {0};
    AUTO(arena_freep) struct arena *a = arena_new(NAME_PAGE_ARENA);
    uint32_t n = ipc_get_u32(m);
    struct name_page page = {.a = a, .after = ipc_get_str(m, IDENTITY_ACCOUNT_MAX)};
    if (ipc_end(m) != RC_OK)
        return RC_INVALID;
    e.rc = auth_list_userdb(p->server, n, &page, &e);
    if (e.rc != RC_OK && e.rc != RC_GONE)
        log_error("listing users: %s", err_text(&e));
    name_msg_put(reply, &page, &e);
    return RC_OK;
}

/* --- who may ask what --- */

/* Whether the one who asks is among these words. */
static bool is_one_of(const struct auth_peer *p, str words)
{
    while (words.n > 0)
        if (str_eq(str_c(p->name), str_word(&words)))
            return true;
    return false;
}

static bool permitted(const struct auth_peer *p, uint16_t type)
{
    switch ((enum ipc_type)type) {
    case MSG_TICKET_REDEEM:
    case MSG_IDENTITY_LOOKUP:
        return is_one_of(p, S("mailbox")); /* and deliver, which speaks over mailbox's link */
    case MSG_MAIL_COUNTS:
    case MSG_SHARED_WITH:
    case MSG_SHARED_FIND:
        return is_one_of(p, S("mailbox"));
    case MSG_LOCAL_USER:
        return is_one_of(p, S("submission"));
    case MSG_SENDER_CHECK:
    case MSG_HEADER_CANONICAL:
        return is_one_of(p, S("smtpd submission"));
    case MSG_SENDER_REWRITE:
    case MSG_RCPT_LOOKUP:
        return is_one_of(p, S("smtpd submission queue"));
    case MSG_AUTH_START:
    case MSG_AUTH_STEP:
        return is_one_of(p, S("smtpd submission login sasl"));
    case MSG_USERDB_FIND:
    case MSG_USERDB_LIST:
    case MSG_USERDB_LIST_MORE:
        return is_one_of(p, S("userdb"));
    default:
        return false;
    }
}

enum rc auth_handle(void *ctx, void **conn, struct ipc_msg *m, struct buf *reply, int *reply_fds,
                    unsigned *ret_n_fds)
{
    const struct auth_peer *p = ctx;
    struct auth_conn *c = *conn;
    if (!permitted(p, m->type)) {
        log_error("%s may not ask %s", p->name, ipc_type_name(m->type));
        return RC_INVALID;
    }
    if (!c) {
        *conn = c = calloc(1, sizeof *c);
        must(c);
        conn_reset(c);
    }
    switch ((enum ipc_type)m->type) {
    case MSG_AUTH_START:
        return auth_begin(p, c, m, reply);
    case MSG_AUTH_STEP:
        return auth_continue(p, c, m, reply);
    case MSG_RCPT_LOOKUP:
        return rcpt_lookup(p, m, reply);
    case MSG_SENDER_CHECK:
        return sender_check(p, m, reply);
    case MSG_LOCAL_USER:
        return user_name(p, m, reply);
    case MSG_SENDER_REWRITE:
        return sender_rewrite(p, m, reply);
    case MSG_HEADER_CANONICAL:
        return header_canonical(p, m, reply);
    case MSG_MAIL_COUNTS:
        return auth_mail_counts(p, m, reply);
    case MSG_SHARED_WITH:
        return auth_shared_with(p, m, reply);
    case MSG_SHARED_FIND:
        return auth_shared_find(p, m, reply);
    case MSG_USERDB_FIND:
        return userdb_find(p, m, reply);
    case MSG_USERDB_LIST:
        return userdb_list(p, m, reply);
    case MSG_USERDB_LIST_MORE:
        return userdb_list_more(p, m, reply);
    default:
        return identity(p, m, reply, reply_fds, ret_n_fds);
    }
}
