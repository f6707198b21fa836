/* The userdb role: programs of this machine ask over Dovecot's master protocol who a user is and where the
 * mail lies (listeners of the protocol auth-userdb; Dovecot's LMTP, doveadm). It parses their lines and asks
 * auth, which answers it nothing else; passwords are neither taken nor told here.
 *
 * Where the permissions of the socket let everybody in, a user who is neither root nor its owner is told of
 * itself alone, and is listed nobody. */
#include "role/dovecot_conn.h"
#include "role/ipc.h"

#include <unistd.h>

enum { CHANNELS_MAX = 64, TIMEOUT_MS = 60000 };

static struct dovecot_server self;

static void userdb_greet(struct dovecot_conn *c)
{
    dovecot_auth_begin(&c->out, S("SPID"));
    dovecot_auth_put_number(&c->out, (uint64_t)getpid());
    dovecot_auth_end(&c->out);
}

/* RC_GONE: there is no such user, or not for this program; RC_TEMP. */
static enum rc ask(struct dovecot_conn *c, str name, struct account_identity *ret)
{
    struct ipc_msg m;
    struct err e = {0};
    if (name.n > IDENTITY_ACCOUNT_MAX)
        return RC_GONE;
    ipc_begin(&c->ipc, MSG_USERDB_FIND);
    ipc_put_str(&c->ipc, name);
    if (channel_pool_ask(c->server->auth, &c->ipc, MSG_IDENTITY_REPLY, &m, clock_mono() + TIMEOUT_MS) !=
        RC_OK)
        return RC_TEMP;
    ipc_get_err(&m, &e);
    str bytes = ipc_get_str(&m, IDENTITY_BYTES_MAX);
    enum rc rc = ipc_end(&m) == RC_OK ? e.rc : RC_TEMP;
    if (rc == RC_OK && identity_get(bytes, ret) != RC_OK)
        rc = RC_TEMP;
    ipc_msg_deinit(&m);
    if (rc == RC_OK && !c->trusted && ret->uid != c->peer)
        return RC_GONE;
    return rc == RC_OK || rc == RC_TEMP ? rc : RC_GONE;
}

static void put_mail(struct buf *out, const struct account_identity *id)
{
    AUTO(buf_deinit) struct buf mail = BUF_INIT(2 * IDENTITY_PATH_MAX + 32);
    buf_printf(&mail, "maildir:%s", id->mail_dir);
    if (!str_eq(str_c(id->index_dir), str_c(id->mail_dir)))
        buf_printf(&mail, ":INDEX=%s", id->index_dir);
    dovecot_auth_put_value(out, S("mail"), buf_str(&mail));
}

static void put_number_value(struct buf *out, str name, const char *before, uint64_t n)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(64);
    buf_printf(&text, "%s%llu", before, (unsigned long long)n);
    dovecot_auth_put_value(out, name, buf_str(&text));
}

static void put_quota(struct buf *out, const struct account_identity *user)
{
    str rest = str_c(user->quota);
    for (unsigned i = 1; rest.n > 0; i++) {
        char name[24] = "quota_rule";
        str rule = str_take(&rest, '\n');
        if (i > 1)
            snprintf(name, sizeof name, "quota_rule%u", i);
        if (rule.n > 0)
            dovecot_auth_put_value(out, str_c(name), rule);
    }
}

static void put_user(struct buf *out, uint32_t id, const struct account_identity *user)
{
    dovecot_auth_begin(out, S("USER"));
    dovecot_auth_put_number(out, id);
    dovecot_auth_put(out, str_c(user->account));
    if (user->system) /* its further groups */
        dovecot_auth_put_value(out, S("system_groups_user"), str_c(user->account));
    put_number_value(out, S("uid"), "", user->uid);
    put_number_value(out, S("gid"), "", user->gid);
    dovecot_auth_put_value(out, S("home"), str_c(user->home));
    put_mail(out, user);
    put_quota(out, user);
    dovecot_auth_end(out);
}

static void answer(struct dovecot_conn *c, const struct dovecot_auth_request *r)
{
    struct account_identity id;
    enum rc rc = ask(c, r->name, &id);
    if (rc == RC_OK && r->verb == DOVECOT_AUTH_USER) {
        put_user(&c->out, r->id, &id);
        return;
    }
    /* PASS: who it is, and no word of the password; nobody is served by another machine */
    dovecot_auth_begin(&c->out, rc == RC_OK ? S("PASS") : rc == RC_GONE ? S("NOTFOUND") : S("FAIL"));
    dovecot_auth_put_number(&c->out, r->id);
    if (rc == RC_OK)
        dovecot_auth_put_value(&c->out, S("user"), str_c(id.account));
    else if (rc == RC_TEMP)
        dovecot_auth_put_value(&c->out, S("reason"), S("Temporary lookup failure"));
    dovecot_auth_end(&c->out);
}

/* Whose users are listed: accounts, and then those of each userdb. */
struct listing {
    uint32_t id;
    bool databases; /* not the accounts */
    uint32_t number;
    char after[IDENTITY_ACCOUNT_MAX + 1];
};

static void begin_page(struct dovecot_conn *c, const struct listing *l)
{
    ipc_begin(&c->ipc, l->databases ? MSG_USERDB_LIST_MORE : MSG_USERDB_LIST);
    if (l->databases)
        ipc_put_u32(&c->ipc, l->number);
    ipc_put_str(&c->ipc, str_c(l->after));
}

/* One page; after becomes its last account. RC_GONE: there are no more databases; RC_LIMIT: no more users in
 * this one. */
static enum rc list_page(struct dovecot_conn *c, struct listing *l)
{
    struct ipc_msg m;
    struct err e = {0};
    begin_page(c, l);
    if (channel_pool_ask(c->server->auth, &c->ipc, MSG_USERDB_ACCOUNTS, &m, clock_mono() + TIMEOUT_MS) !=
        RC_OK)
        return RC_TEMP;
    ipc_get_err(&m, &e);
    uint32_t n = ipc_get_u32(&m);
    enum rc rc = e.rc == RC_GONE ? RC_GONE : e.rc != RC_OK ? RC_TEMP : n == 0 ? RC_LIMIT : RC_OK;
    for (uint32_t i = 0; i < n && rc == RC_OK; i++) {
        str account = ipc_get_str(&m, IDENTITY_ACCOUNT_MAX);
        if (m.malformed || account.n == 0 || str_copy(l->after, sizeof l->after, account) != RC_OK) {
            rc = RC_TEMP;
            break;
        }
        dovecot_auth_begin(&c->out, S("LIST"));
        dovecot_auth_put_number(&c->out, l->id);
        dovecot_auth_put(&c->out, account);
        dovecot_auth_end(&c->out);
    }
    ipc_msg_deinit(&m);
    return rc;
}

static void next_database(struct listing *l)
{
    l->number += l->databases;
    l->databases = true;
    l->after[0] = '\0';
}

static enum rc list(struct dovecot_conn *c, uint32_t id)
{
    struct listing l = {.id = id};
    enum rc rc = c->trusted ? RC_OK : RC_PERM;
    while (rc == RC_OK || rc == RC_LIMIT) {
        rc = list_page(c, &l);
        if (rc == RC_LIMIT)
            next_database(&l);
        if (dovecot_conn_flush(c) != RC_OK)
            return RC_GONE;
    }
    dovecot_auth_begin(&c->out, S("DONE"));
    dovecot_auth_put_number(&c->out, id);
    if (rc != RC_GONE)
        dovecot_auth_put(&c->out, S("fail"));
    dovecot_auth_end(&c->out);
    return RC_OK;
}

static enum rc userdb_take(struct dovecot_conn *c, const struct dovecot_auth_request *r)
{
    switch (r->verb) {
    case DOVECOT_AUTH_USER:
    case DOVECOT_AUTH_PASS:
        answer(c, r);
        return RC_OK;
    case DOVECOT_AUTH_LIST:
        return list(c, r->id);
    case DOVECOT_AUTH_CPID: /* doveadm says it, too */
    case DOVECOT_AUTH_OTHER:
        return RC_OK;
    default:
        return RC_INVALID;
    }
}

/* --- the role --- */

static const struct dovecot_protocol userdb_protocol = {
    .sandbox = ROLE_USERDB, .minor = DOVECOT_AUTH_MASTER_MINOR, .greet = userdb_greet, .take = userdb_take};

static void userdb_start(struct role *r)
{
    dovecot_server_start(&self, r, &userdb_protocol, r->conf->user_userdb, CHANNELS_MAX);
}

static void userdb_link(struct role *r, const struct role_link *l)
{
    dovecot_server_link(&self, l);
}

static void userdb_serve(struct role *r)
{
    dovecot_server_serve(&self);
}

static void userdb_stop(struct role *r)
{
    atomic_store(&self.stopping, true);
}

int userdb_role(void)
{
    static const struct role_ops ops = {
        .start = userdb_start, .link = userdb_link, .serve = userdb_serve, .stop = userdb_stop};
    static struct role r = {.name = "userdb", .ops = &ops};
    role_begin(&r);
    role_control_loop(&r);
    return 0;
}
