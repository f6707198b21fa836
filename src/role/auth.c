/* The auth role: owner of the account database. It answers whose an address is, verifies passwords, hands out
 * tickets and turns them into identities. A thread per channel; questions about system users go to
 * auth-worker. */
#include "role/auth_impl.h"

#include "account/databases.h"
#include "base/log.h"
#include "base/map.h"
#include "role/ipc.h"
#include "role/role_tables.h"

#include <errno.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHANNELS_MAX = 4096, WORKER_CHANNELS = 4, LINK_WAIT_MS = 2000, TICKETS_MAX = 4096, STACK = 512 << 10 };

static struct auth_server self;

static void find_mail_user(struct auth_server *a, const struct conf *c)
{
    a->mail_uid = geteuid();
    a->mail_gid = getegid();
    if (geteuid() != 0)
        return;
    const struct passwd *pw = getpwnam(c->mail_user);
    if ((!pw || pw->pw_uid == 0) && c->userdb[0]) { /* users are others' there, and no account has mail */
        a->mail_uid = (uid_t)-1;
        a->mail_gid = (gid_t)-1;
        return;
    }
    if (!pw || pw->pw_uid == 0) {
        log_error("the system user %s (mail_user) is missing: create it (README, system users)",
                  c->mail_user);
        _exit(1);
    }
    a->mail_uid = pw->pw_uid;
    a->mail_gid = pw->pw_gid;
}

static void publish_lookup(struct auth_server *a, const struct conf *c)
{
    struct account_lookup *l = calloc(1, sizeof *l);
    must(l);
    *l = (struct account_lookup){
        .db = a->db, .conf = c, .mail_uid = a->mail_uid, .mail_gid = a->mail_gid, .system_ctx = a};
    l->virtual_aliases = a->tables->v[TABLES_VIRTUAL_ALIAS];
    l->relay_recipients = a->tables->v[TABLES_RELAY_RECIPIENT];
    l->aliases = a->tables->v[TABLES_ALIAS];
    l->canonical = a->tables->v[TABLES_CANONICAL];
    l->sender_canonical = a->tables->v[TABLES_SENDER_CANONICAL];
    l->recipient_canonical = a->tables->v[TABLES_RECIPIENT_CANONICAL];
    l->relocated = a->tables->v[TABLES_RELOCATED];
    l->domains = a->tables->v[TABLES_DOMAIN];
    l->relay_domains = a->tables->v[TABLES_RELAY_DOMAIN];
    l->fallback_transports = a->tables->v[TABLES_FALLBACK_TRANSPORT];
    l->local_recipients = a->tables->v[TABLES_LOCAL_RECIPIENT];
    if (a->mail_uid != geteuid() || geteuid() == 0)
        l->system_user = worker_system_user; /* not started by root: there is no auth-worker */
    if (l->system_user) {
        l->has_forward = worker_has_forward;
        l->database_entry = worker_database_entry;
        l->database_ids = worker_database_ids;
    }
    l->databases = databases_new(c);
    l->tables = a->tables;
    atomic_store(&a->lookup, l);
}

static void auth_start(struct role *r)
{
    struct buf dir = BUF_INIT(4096), path = BUF_INIT(4096);
    struct sandbox sb = {.role = ROLE_AUTH};
    struct err e = {0};

    self.role = r;
    self.worker = channel_pool_new(WORKER_CHANNELS, LINK_WAIT_MS);
    self.tickets = ticket_table_new(TICKETS_MAX);
    self.auth = auth_new(&(struct auth_backend){.check_system = worker_check_password, .ctx = &self});
    self.tables = role_tables_open(r);
    find_mail_user(&self, r->conf);
    (void)map_hash(S(""));
    umask(0077);

    buf_printf(&dir, "%s/auth", r->conf->state_dir);
    const char *inside[] = {"/", NULL}, *plain[] = {buf_cstr(&dir), NULL};
    role_set_user(&sb, r->conf->user_auth);
    bool root = sb.uid != (uid_t)-1;
    sb.chroot_dir = root ? buf_cstr(&dir) : NULL;
    sb.rw_dirs = root ? inside : plain;
    sandbox_enter(&sb);

    buf_printf(&path, "%s/accounts.db", root ? "" : buf_cstr(&dir));
    if (account_db_open(buf_cstr(&path), true, &self.db, &e) != RC_OK) {
        log_error("account database: %s", err_text(&e));
        _exit(1);
    }
    publish_lookup(&self, r->conf);
    buf_deinit(&dir);
    buf_deinit(&path);
}

static void auth_link(struct role *r, const struct role_link *l)
{
    if (role_tables_link(l))
        return;
    if (!l->serve) {
        channel_pool_set_link(self.worker, l->fd);
        return;
    }
    struct auth_peer *p = calloc(1, sizeof *p); /* lives as long as the process: one per start of a peer */
    must(p);
    p->server = &self;
    p->instance = l->instance;
    memcpy(p->name, l->peer, sizeof p->name);
    struct channel_service svc = {.handle = auth_handle,
                                  .closed = auth_closed,
                                  .ctx = p,
                                  .max_channels = CHANNELS_MAX,
                                  .stack_size = STACK};
    if (channel_serve(l->fd, &svc) != RC_OK)
        log_error("link from %s is not served", l->peer);
}

static void auth_reload(struct role *r)
{
    publish_lookup(&self, r->conf);
}

static void auth_forget_all(struct role *r)
{
    auth_forget(self.auth);
}

int auth_role(void)
{
    static const struct role_ops ops = {
        .start = auth_start, .link = auth_link, .reload = auth_reload, .forget = auth_forget_all};
    static struct role r = {.name = "auth", .ops = &ops};
    role_begin(&r);
    role_control_loop(&r);
    return 0;
}
