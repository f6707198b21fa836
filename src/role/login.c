/* The login role: TLS and everything before authentication on 143, 993, 110 and 995; afterwards it pumps
 * bytes between clients and their session processes (doc/architecture.md). It opens no file and no mailbox: a
 * taken-over login sees what passes through it. */
#include "base/log.h"
#include "base/map.h"
#include "os/thread.h"
#include "role/ipc.h"
#include "role/login_impl.h"

#include <limits.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    AUTH_CHANNELS_MAX = 768, /* an exchange holds one while the client thinks */
    MAILBOX_CHANNELS_MAX = 16,
    LINK_WAIT_MS = 2000, /* a role that died is back within a second */
    STOP_WAIT_MS = 500
};

static struct login self;

void login_count(struct login *l)
{
    unsigned n = atomic_fetch_add(&l->log_ins, 1) + 1;
    if (n != (unsigned)l->role->conf->login_process_logins)
        return;
    struct buf b AUTO(buf_deinit) = BUF_INIT(64);
    log_info("%u log-ins served: a fresh process takes over, this one ends with its last connection", n);
    ipc_begin(&b, MSG_CONTROL_RETIRE);
    if (ipc_send(l->role->control, &b, NULL, 0, 0) != RC_OK)
        return;
    atomic_store(&l->closed, true);
    atomic_store(&l->retired, true);
}

static void *pump_main(void *arg)
{
    struct login *l = arg;
    pump_run(l->pump);
    atomic_store(&l->pump_done, true);
    return NULL;
}

/* Two descriptors a connection, and some for links and channels. role_begin has taken all that there are. */
static unsigned sessions_that_fit(const struct conf *c)
{
    rlim_t other = 2 * AUTH_CHANNELS_MAX + 256, want = 2 * (rlim_t)c->login_process_sessions + other;
    struct rlimit lim;
    if (getrlimit(RLIMIT_NOFILE, &lim) != 0 || lim.rlim_cur >= want)
        return UINT_MAX;
    log_warn("login_process_sessions = %d needs %llu descriptors, the system allows %llu",
             c->login_process_sessions, (unsigned long long)want, (unsigned long long)lim.rlim_cur);
    return lim.rlim_cur > other + 2 ? (unsigned)(lim.rlim_cur - other) / 2 : 1;
}

static void login_start(struct role *r)
{
    struct sandbox sb = {.role = ROLE_LOGIN};
    self.role = r;
    self.auth = channel_pool_new(AUTH_CHANNELS_MAX, LINK_WAIT_MS);
    self.mailbox = channel_pool_new(MAILBOX_CHANNELS_MAX, LINK_WAIT_MS);
    self.limit = client_limit_new();
    tls_slot_init(&self.tls, r);
    must(pump_new(&self.pump) == RC_OK);
    (void)map_hash(S("")); /* draws its random key */
    self.sessions_that_fit = sessions_that_fit(r->conf);
    role_set_user(&sb, r->conf->user_login);
    role_chroot_empty(&sb, r->conf);
    sandbox_enter(&sb);
}

static void login_link(struct role *r, const struct role_link *l)
{
    str peer = str_c(l->peer);
    if (str_eq(peer, S("auth")))
        channel_pool_set_link(self.auth, l->fd);
    else if (str_eq(peer, S("mailbox")))
        channel_pool_set_link(self.mailbox, l->fd);
    else
        close(l->fd);
}

static void login_serve(struct role *r)
{
    must(thread_start(pump_main, &self, 0, "pump") == RC_OK);
    accept_start(r, login_conn_start, &self, &self.closed);
}

static void login_reload(struct role *r)
{
    tls_slot_reload(&self.tls, r);
}

/* Nothing acknowledged is held here: sessions see the end of their input and finish on their own. */
static void login_stop(struct role *r)
{
    atomic_store(&self.closed, true);
    pump_stop(self.pump);
    for (msec end = clock_mono() + STOP_WAIT_MS; clock_mono() < end && !atomic_load(&self.pump_done);)
        usleep(5000);
}

int login_role(void)
{
    static const struct role_ops ops = {.start = login_start,
                                        .link = login_link,
                                        .serve = login_serve,
                                        .reload = login_reload,
                                        .stop = login_stop};
    static struct role r = {.name = "login", .ops = &ops};
    role_begin(&r);
    role_control_loop(&r);
    return 0;
}
