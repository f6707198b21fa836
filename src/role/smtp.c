/* The smtp role: takes jobs from queue and delivers them to other servers. A thread per delivery, as many as
 * there is work for; their connections stay open for the next message to the same place. */
#include "role/smtp_impl.h"

#include "base/log.h"
#include "base/map.h"
#include "os/file.h"
#include "os/thread.h"
#include "queue/site_name.h"
#include "role/resolver_start.h"
#include "role/role_tables.h"
#include "role/smtp_conns.h"
#include "role/smtp_sts.h"
#include "role/smtp_way.h"
#include "role/status_filter.h"
#include "role/unix_connect.h"

#include <unistd.h>

enum {
    STACK = 512 << 10,
    ARENA_MAX = 80 << 20,
    LINK_WAIT_MS = 2000,
    KEEP_CONNECTION_MS = 2000, /* an idle connection waits for another message this long */
    IDLE_MS = 30000,           /* an idle thread ends, unless it is the last */
    PAUSE_MS = 500,
    STOP_WAIT_MS = 900,
    SHARED_CHANNELS = 4 /* for what is known of TLS; every worker has one of its own */
};

static struct smtp_role self = {.held.lock = PTHREAD_MUTEX_INITIALIZER};

static void start_worker(struct smtp_role *s);

/* Another thread while there is work for it, or none would be left for mail that comes while the others are
 * slow; up to the limit. */
static void start_more(struct smtp_role *s, unsigned wanted)
{
    const struct conf *c = s->role->conf;
    int n = atomic_load(&s->workers);
    if ((wanted > 0 || n <= atomic_load(&s->busy)) && n < c->smtp_process_limit)
        start_worker(s);
}

/* Of the transports that send mail nowhere it is not asked. */
static void filter_outcomes(struct smtp_worker *w, struct smtp_job *job)
{
    struct table_list *tables = table_settings_of(w->server->tables, w->conf, TABLES_SMTP_STATUS_FILTER);
    if (site_name_parse(job->site_name).transport == SITE_ERROR)
        return;
    for (size_t i = 0; i < job->envelope.n; i++)
        status_filter_apply(tables, "smtp_delivery_status_filter", w->arena, &job->outcomes[i],
                            &job->texts[i]);
}

/* RC_OK: *job is the next one. */
static enum rc run_job(struct smtp_worker *w, struct smtp_job *job)
{
    struct smtp_job next;
    enum rc rc = RC_GONE;
    const struct conf *all = w->server->role->conf; /* it may have been read again while this thread waited */
    w->conf = conf_of_transport(all, site_name_parse(job->site_name).service);
    log_thread_name(strcmp(w->conf->syslog_name, all->syslog_name) == 0 ? NULL : w->conf->syslog_name);
    atomic_fetch_add(&w->server->busy, 1);
    start_more(w->server, job->wanted);
    if (!atomic_load(&w->server->stopping)) { /* else queue gives it to the next process */
        job->started = clock_mono();
        smtp_deliver(w, job);
        filter_outcomes(w, job);
        smtp_log_outcomes(w->conf, job);
        w->site = w->conn.client ? w->conn.site : 0;
        smtp_conns_keep(w->server->conns, &w->conn);
        rc = smtp_report(w, job, atomic_load(&w->server->stopping) ? NULL : &next);
    }
    smtp_job_end(w->server, job);
    atomic_fetch_sub(&w->server->busy, 1);
    buf_deinit(&job->checked);
    fd_closep(&job->content_fd);
    if (rc == RC_OK)
        *job = next;
    return rc;
}

/* False: this thread is not needed. */
static bool is_needed(struct smtp_role *s)
{
    if (atomic_fetch_sub(&s->workers, 1) > 1)
        return false;
    atomic_fetch_add(&s->workers, 1);
    return true;
}

static void *worker_main(void *arg)
{
    struct smtp_worker w = {.server = arg,
                            .ipc = BUF_INIT(IPC_LARGE_MAX),
                            .job = BUF_INIT(IPC_LARGE_MAX),
                            .arena = arena_new(ARENA_MAX)};
    struct smtp_conns *conns = w.server->conns;
    msec worked = clock_mono();
    bool going = true;
    while (going && !atomic_load(&w.server->stopping)) {
        struct smtp_job job;
        enum rc rc = smtp_take(&w, w.site, smtp_conns_any(conns) ? KEEP_CONNECTION_MS : IDLE_MS, &job);
        if (rc == RC_OK) {
            while (run_job(&w, &job) == RC_OK)
                smtp_conns_expire(conns, KEEP_CONNECTION_MS);
            worked = clock_mono();
        } else if (rc == RC_TEMP) {
            usleep(PAUSE_MS * 1000);
        } else {
            going = clock_mono() - worked < IDLE_MS || is_needed(w.server);
        }
        smtp_conns_expire(conns, KEEP_CONNECTION_MS);
    }
    channel_release(&w.channel, true);
    buf_deinit(&w.ipc);
    buf_deinit(&w.job);
    arena_free(w.arena);
    if (going)
        atomic_fetch_sub(&w.server->workers, 1);
    return NULL;
}

static void start_worker(struct smtp_role *s)
{
    atomic_fetch_add(&s->workers, 1);
    if (thread_start(worker_main, s, STACK, "delivery") == RC_OK)
        return;
    atomic_fetch_sub(&s->workers, 1);
    log_error("no thread for a delivery");
}

/* --- the role --- */

static void smtp_start(struct role *r)
{
    struct sandbox sb = {.role = ROLE_SMTP};
    self.role = r;
    self.queue = channel_pool_new((unsigned)r->conf->smtp_process_limit + SHARED_CHANNELS, LINK_WAIT_MS);
    self.resolver = role_resolver_new(r->conf);
    self.tls = smtp_tls_new(r);
    self.tables = role_tables_open(r);
    self.sts = smtp_sts_new(&self);
    self.conns = smtp_conns_new((unsigned)r->conf->smtp_process_limit);
    smtp_way_read_password(&self);
    unix_connect_init();
    (void)map_hash(S(""));
    role_set_user(&sb, r->conf->user_smtp);
    role_chroot_empty(&sb, r->conf);
    sandbox_enter(&sb);
}

static void smtp_link(struct role *r, const struct role_link *l)
{
    if (role_tables_link(l))
        return;
    if (!l->serve && str_eq(str_c(l->peer), S("queue")))
        smtp_queue_link(&self, l->fd);
    else
        close(l->fd);
}

static void smtp_serve(struct role *r)
{
    role_resolver_start(self.resolver);
    smtp_sts_start(self.sts);
    start_worker(&self);
}

static unsigned jobs_held(void)
{
    pthread_mutex_lock(&self.held.lock);
    unsigned n = self.held.n;
    pthread_mutex_unlock(&self.held.lock);
    return n;
}

/* Deliveries under way are answered if they can be; queue gives the others to the next process. */
static void smtp_stop(struct role *r)
{
    atomic_store(&self.stopping, true);
    for (msec end = clock_mono() + STOP_WAIT_MS; clock_mono() < end && jobs_held() > 0;)
        usleep(5000);
}

static void *retire_main(void *unused)
{
    smtp_wait_reported(&self);
    _exit(0);
}

static void smtp_retire(struct role *r)
{
    atomic_store(&self.stopping, true);
    if (thread_start(retire_main, NULL, 0, "retire") != RC_OK)
        log_error("no thread to wait for deliveries");
}

int smtp_role(void)
{
    static const struct role_ops ops = {.start = smtp_start,
                                        .link = smtp_link,
                                        .serve = smtp_serve,
                                        .connected = unix_connect_done,
                                        .retire = smtp_retire,
                                        .stop = smtp_stop};
    static struct role r = {.name = "smtp", .ops = &ops};
    role_begin(&r);
    role_control_loop(&r);
    return 0;
}
