/* The proxymap role: asks databases and servers for the tables of the other roles, which are locked in
 * without a way out. It has the name of the process of Postfix with the same task.
 *
 * What it may be asked are the tables that the configuration names, each by the roles whose settings name it:
 * whoever takes such a role over can make it connect nowhere else. A table that cannot be opened is answered
 * for, too: mail waits. The settings of tables (*.cf) are read as root; databases are opened as the role's
 * own user, because what others wrote in them is parsed by nobody with more rights. */
#include "base/log.h"
#include "base/map.h"
#include "os/channel.h"
#include "os/thread.h"
#include "role/ipc.h"
#include "role/role.h"
#include "role/table_msg.h"
#include "role/unix_connect.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdatomic.h>
#include <unistd.h>

enum {
    CHANNELS_MAX = 300,
    STACK = 512 << 10, /* libpq, libldap and the name service run on it */
    ARENA_MAX = 2 * TABLE_VALUE_MAX,
    FOLDERS_MAX = 256,
    GROUPS_MAX = 64,
    WARN_EVERY_MS = 1000
};

struct proxied {
    char *spec;
    unsigned askers; /* bits of roles[] */
    struct table *table;
    struct err why; /* when there is none */
};

static const char *const roles[] = {"auth", "queue", "smtp", "smtpd", "submission"};

static struct {
    struct proxied *v;
    size_t n;
    const char *folders[FOLDERS_MAX + 1]; /* where it reads; NULL behind the last */
    size_t n_folders;
    gid_t groups[GROUPS_MAX];
    atomic_uint links;
    atomic_bool retiring;
    _Atomic(msec) warned;
} self;

static unsigned bit_of(const char *role)
{
    for (unsigned i = 0; i < sizeof roles / sizeof *roles; i++)
        if (str_eq(str_c(role), str_c(roles[i])))
            return 1u << i;
    return 0;
}

/* --- opening --- */

static struct proxied *find_proxied(str spec)
{
    for (size_t i = 0; i < self.n; i++)
        if (str_eq(spec, str_c(self.v[i].spec)))
            return &self.v[i];
    return NULL;
}

static void add_table(void *ctx, const char *role, str spec)
{
    struct proxied *p = find_proxied(spec);
    if (!p) {
        self.v = reallocarray(self.v, self.n + 1, sizeof *self.v);
        must(self.v);
        p = &self.v[self.n++];
        *p = (struct proxied){.spec = str_dup(spec)};
    }
    p->askers |= bit_of(role);
}

static enum rc connect_by_master(void *ctx, str path, int *ret_fd, struct err *e)
{
    return unix_connect(ctx, path, ret_fd, e);
}

static void open_tables(struct role *r)
{
    const struct conf *c = r->conf;
    const struct table_env env = {.timeout_ms = (int)c->table_timeout_ms,
                                  .connections = (unsigned)c->table_connections,
                                  .connect = connect_by_master,
                                  .connect_ctx = r};
    table_settings_each_asking(c, add_table, NULL);
    for (size_t i = 0; i < self.n; i++) {
        struct proxied *p = &self.v[i];
        p->why.rc = table_open(str_c(p->spec), &env, &p->table, &p->why);
        if (p->why.rc != RC_OK)
            log_error("%s", err_text(&p->why));
    }
}

/* --- the sandbox --- */

static void add_folder(void *ctx, const char *folder)
{
    if (access(folder, F_OK) != 0)
        return;
    if (self.n_folders == FOLDERS_MAX) {
        log_warn("more than %d folders of tables: what lies in %s cannot be read", FOLDERS_MAX, folder);
        return;
    }
    self.folders[self.n_folders++] = str_dup(str_c(folder));
}

/* Below /etc and /usr the libraries look for names, services and certificates; resolv.conf is often a link
 * that leads elsewhere. */
static void gather_folders(void)
{
    AUTO(str_freep) char *resolv = realpath("/etc/resolv.conf", NULL);
    char *slash = resolv ? strrchr(resolv, '/') : NULL;
    add_folder(NULL, "/etc");
    add_folder(NULL, "/usr");
    if (slash && slash != resolv) {
        *slash = '\0';
        add_folder(NULL, resolv);
    }
    for (size_t i = 0; i < self.n; i++)
        if (self.v[i].table)
            table_each_folder(self.v[i].table, add_folder, NULL);
}

/* An administrator may put the user into the group of a database's file. */
static void add_groups(struct sandbox *sb, const char *user)
{
    int n = GROUPS_MAX;
    if (sb->uid == (uid_t)-1)
        return;
    if (getgrouplist(user, sb->gid, self.groups, &n) < 0)
        log_warn("%s is in more than %d groups: the others do not count", user, GROUPS_MAX);
    sb->groups = self.groups;
    sb->n_groups = n < 0 || n > GROUPS_MAX ? GROUPS_MAX : (size_t)n;
}

static void proxymap_start(struct role *r)
{
    struct sandbox sb = {.role = ROLE_PROXYMAP, .ro_dirs = self.folders};
    (void)map_hash(S(""));
    /* libpq and libldap look for files of whoever started the server, and stumble over those they cannot read
     */
    must(setenv("HOME", "/nonexistent", 1) == 0);
    unix_connect_init();
    open_tables(r);
    gather_folders();
    role_set_user(&sb, r->conf->user_proxymap);
    add_groups(&sb, r->conf->user_proxymap);
    sandbox_enter(&sb);
}

/* --- answering --- */

/* Also an honest role asks in vain, for a moment during a reload. */
static enum rc refuse(const char *peer, str spec, struct err *e)
{
    msec now = clock_mono(), last = atomic_load(&self.warned);
    (void)err_set(e, RC_TEMP, 451, "4.3.0", "Temporary lookup failure");
    err_note(e, STR_FMT ": proxymap does not ask it for %s", STR_ARG(str_sub(spec, 0, 100)), peer);
    if (now - last >= WARN_EVERY_MS && atomic_compare_exchange_strong(&self.warned, &last, now))
        log_warn("%s asks for a table that none of its settings names: " STR_FMT, peer,
                 STR_ARG(str_sub(spec, 0, 100)));
    return RC_TEMP;
}

static enum rc find(const char *peer, const struct table_question *q, struct arena *a, str *ret,
                    struct err *e)
{
    const struct proxied *p = find_proxied(q->table);
    if (!p || !(p->askers & bit_of(peer)))
        return refuse(peer, q->table, e);
    if (p->table)
        return table_find(p->table, q->key, a, ret, e);
    *e = p->why;
    return p->why.rc == RC_PERM ? RC_PERM : RC_TEMP;
}

static enum rc proxymap_handle(void *ctx, void **conn, struct ipc_msg *m, struct buf *reply, int *reply_fds,
                               unsigned *ret_n_fds)
{
    struct table_question q;
    struct err e = {0};
    str value = STR_NONE;
    if (m->type != MSG_TABLE_FIND || table_question_get(m, &q) != RC_OK)
        return RC_INVALID;
    if (!*conn)
        *conn = arena_new(ARENA_MAX);
    arena_reset(*conn);
    enum rc rc = find(ctx, &q, *conn, &value, &e);
    table_answer_put(reply, rc, value, &e, reply_fds, ret_n_fds);
    return RC_OK;
}

static void proxymap_closed(void *ctx, void *conn)
{
    arena_free(conn);
}

/* --- the role --- */

static void link_closed(void *ctx)
{
    if (atomic_fetch_sub(&self.links, 1) == 1 && atomic_load(&self.retiring))
        _exit(0);
}

static void proxymap_link(struct role *r, const struct role_link *l)
{
    char *peer = str_dup(str_c(l->peer)); /* lives as long as the link's threads: for ever */
    struct channel_service svc = {.handle = proxymap_handle,
                                  .closed = proxymap_closed,
                                  .link_closed = link_closed,
                                  .ctx = peer,
                                  .max_channels = CHANNELS_MAX,
                                  .stack_size = STACK};
    atomic_fetch_add(&self.links, 1);
    if (channel_serve(l->fd, &svc) != RC_OK)
        log_error("link from %s is not served", l->peer);
}

/* What is wrong with a database is told before the first mail has to wait for it. */
static void *probe_tables(void *unused)
{
    for (size_t i = 0; i < self.n; i++) {
        struct err e = {0};
        if (self.v[i].table && table_probe(self.v[i].table, &e) != RC_OK)
            log_error("%s", err_text(&e));
    }
    return NULL;
}

static void proxymap_serve(struct role *r)
{
    if (thread_start(probe_tables, NULL, STACK, "probe") != RC_OK)
        log_warn("no thread to look at the tables");
}

static void proxymap_retire(struct role *r)
{
    atomic_store(&self.retiring, true);
    if (atomic_load(&self.links) == 0)
        _exit(0);
}

int proxymap_role(void)
{
    static const struct role_ops ops = {.start = proxymap_start,
                                        .link = proxymap_link,
                                        .serve = proxymap_serve,
                                        .connected = unix_connect_done,
                                        .retire = proxymap_retire};
    static struct role r = {.name = "proxymap", .ops = &ops};
    role_begin(&r);
    role_control_loop(&r);
    return 0;
}
