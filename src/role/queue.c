/* The queue role: keeps what could not be delivered at once, decides what is tried when, and is the only one
 * who writes to the spool. It hands jobs to the role smtp, and delivers itself what is for mailboxes of this
 * server. It lends spool files to whoever receives a message that is too large for memory. */
#include "role/queue_impl.h"

#include "base/log.h"
#include "base/map.h"
#include "os/file.h"
#include "role/ipc.h"
#include "role/role_tables.h"

#include <errno.h>
#include <unistd.h>

enum {
    CHANNELS_MAX = 4096,
    POOL_CHANNELS_MAX = 64,
    LINK_WAIT_MS = 2000,
    STACK = 512 << 10,
    GRACE_MS = 5000,
    WORDS_MAX = 1 << 20
};

static struct queue_role self;

static void open_queue(struct role *r, const char *folder)
{
    struct err e = {0};
    AUTO(buf_deinit) struct buf path = BUF_INIT(4096);
    buf_printf(&path, "%s/queue.db", folder);
    self.spool = spool_open(r->dir);
    enum rc rc = queue_open(buf_cstr(&path), self.spool, r->conf, self.tables, &self.queue, &e);
    if (rc == RC_OK) {
        buf_reset(&path);
        buf_printf(&path, "%s/tls.db", folder);
        rc = tls_db_open(buf_cstr(&path), &self.tls, &e);
    }
    if (rc == RC_OK) {
        buf_reset(&path);
        buf_printf(&path, "%s/verify.db", folder);
        rc = verify_db_open(buf_cstr(&path), &self.verify, &e);
    }
    if (rc != RC_OK) {
        log_error("%s: %s", buf_cstr(&path), err_text(&e));
        _exit(1);
    }
}

/* Of bounce_template_file; without it mail goes on in malle's own words. */
static void read_words(const struct conf *c, struct buf *text)
{
    if (c->bounce_template_file[0] && file_read(c->bounce_template_file, text) != RC_OK)
        log_error("bounce_template_file: %s cannot be read: %s", c->bounce_template_file, strerror(errno));
}

static void queue_start(struct role *r)
{
    AUTO(buf_deinit) struct buf words = BUF_INIT(WORDS_MAX);
    struct buf dir = BUF_INIT(4096);
    buf_printf(&dir, "%s/spool", r->conf->state_dir);
    const char *rw[] = {"/", NULL};
    const char *rw_plain[] = {buf_cstr(&dir), NULL};
    struct sandbox sb = {.role = ROLE_QUEUE};
    self.role = r;
    self.auth = channel_pool_new(POOL_CHANNELS_MAX, LINK_WAIT_MS);
    self.mailbox = channel_pool_new(4, LINK_WAIT_MS);
    self.command = channel_pool_new((unsigned)r->conf->command_processes, LINK_WAIT_MS);
    self.deliver = deliver_pools_new();
    self.tables = role_tables_open(r);
    read_words(r->conf, &words);
    (void)map_hash(S(""));
    role_set_user(&sb, r->conf->user_queue);
    bool root = sb.uid != (uid_t)-1;
    sb.chroot_dir = root ? buf_cstr(&dir) : NULL;
    sb.rw_dirs = root ? rw : rw_plain;
    sandbox_enter(&sb);
    open_queue(r, root ? "" : buf_cstr(&dir));
    if (words.n > 0)
        queue_set_words(self.queue, buf_str(&words));
    self.serves_from = clock_mono() + GRACE_MS;
    buf_deinit(&dir);
}

static void serve_link(const struct role_link *l)
{
    struct queue_peer *p = calloc(1, sizeof *p); /* lives as long as the link's threads: for ever */
    must(p);
    p->server = &self;
    must(str_copy(p->name, sizeof p->name, str_c(l->peer)) == RC_OK);
    if (str_eq(str_c(p->name), S("smtp")))
        atomic_fetch_add(&self.silent, 1);
    else
        atomic_store(&p->told, true);
    struct channel_service svc = {.handle = queue_handle,
                                  .closed = queue_closed,
                                  .link_closed = queue_peer_gone,
                                  .ctx = p,
                                  .max_channels = CHANNELS_MAX,
                                  .stack_size = STACK,
                                  .large = true};
    if (channel_serve(l->fd, &svc) != RC_OK)
        log_error("link from %s is not served", l->peer);
}

static void queue_link(struct role *r, const struct role_link *l)
{
    str peer = str_c(l->peer);
    if (role_tables_link(l))
        return;
    if (l->serve)
        serve_link(l);
    else if (str_eq(peer, S("auth")))
        channel_pool_set_link(self.auth, l->fd);
    else if (str_eq(peer, S("command")))
        channel_pool_set_link(self.command, l->fd);
    else if (str_eq(peer, S("mailbox")))
        channel_pool_set_link(self.mailbox, l->fd);
    else
        close(l->fd);
}

static void queue_serve(struct role *r)
{
    queue_local_start(&self);
    queue_command_start(&self);
}

static void queue_role_reload(struct role *r)
{
    deliver_pools_forget(self.deliver);
    queue_reload(self.queue, r->conf);
}

static void queue_role_stop(struct role *r)
{
    queue_stop(self.queue);
    (void)!queue_flush(self.queue); /* a failure is logged there */
}

int queue_role(void)
{
    static const struct role_ops ops = {.start = queue_start,
                                        .link = queue_link,
                                        .serve = queue_serve,
                                        .reload = queue_role_reload,
                                        .stop = queue_role_stop};
    static struct role r = {.name = "queue", .ops = &ops};
    role_begin(&r);
    role_control_loop(&r);
    return 0;
}
