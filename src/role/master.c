/* The master's signal loop. It starts the roles, starts those again that died, reloads at SIGHUP, has auth
 * forget passwords at SIGUSR1, and stops in order at SIGTERM or SIGINT. The only bytes it reads come from its
 * own configuration file and from its children's control links. */
#include "role/master.h"

#include "base/log.h"
#include "os/file.h"
#include "os/notify.h"
#include "os/proc.h"
#include "role/log_sink.h"
#include "role/master_impl.h"
#include "table/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <unistd.h>

void master_socket_path(const struct conf *c, struct buf *out)
{
    buf_reset(out);
    buf_printf(out, "%s/control", c->run_dir);
}

void master_pid_path(const struct conf *c, struct buf *out)
{
    buf_reset(out);
    buf_printf(out, "%s/master.pid", c->run_dir);
}

static void catch_signals(struct master *m)
{
    sigset_t set;
    sigemptyset(&set);
    int wanted[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        sigaddset(&set, wanted[i]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    m->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    must(m->signal_fd >= 0);
}

/* Holds a lock on the pid file for as long as the master lives: two masters on one run_dir would fight. */
static bool claim_pid_file(const struct conf *c)
{
    struct buf path = BUF_INIT(4096);
    master_pid_path(c, &path);
    int fd = open(buf_cstr(&path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    bool mine = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && ftruncate(fd, 0) == 0 &&
                dprintf(fd, "%d\n", getpid()) > 0;
    if (!mine)
        log_error("another malle runs with run_dir %s, or the file %s cannot be written: %s", c->run_dir,
                  buf_cstr(&path), errno == EWOULDBLOCK ? "locked" : strerror(errno));
    buf_deinit(&path);
    return mine; /* the descriptor stays open: it is the lock */
}

static void log_report(struct conf_report *report)
{
    for (size_t i = 0; i < report->n; i++) {
        const struct conf_issue *issue = &report->v[i];
        char line[16] = "";
        if (issue->line)
            snprintf(line, sizeof line, "%d:", issue->line);
        log_line(issue->warning ? LOG_LEVEL_WARN : LOG_LEVEL_ERROR, "%s:%s %s", issue->file, line,
                 issue->text);
    }
    conf_report_deinit(report);
}

/* Opened by the master, tables are looked at: it asks nobody. */
static const struct table_env only_looked_at = {.unasked = true};

static void replace_stale(struct master *m, const struct conf *was)
{
    static const char *const roles[] = {"auth", "queue", "smtp", "smtpd", "submission"};
    if (table_settings_ask(m->conf) && table_settings_asking_stale(m->tables, was, m->conf))
        children_replace(m, "proxymap", "tables");
    children_adjust(m);
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (table_settings_stale(m->tables, was, m->conf, roles[i]))
            children_replace(m, roles[i], "tables");
        else if (m->client_keys_changed && str_eq(str_c(roles[i]), S("smtp")))
            children_replace(m, roles[i], "certificates");
}

static void reload(struct master *m)
{
    struct conf_report report = {0};
    notify_manager("RELOADING=1");
    struct conf *c = conf_load(m->start.conf_path, m->start.sets, m->start.n_sets, &report);
    if (c)
        conf_keep(c, m->conf, &report);
    struct table_settings *tables = c ? table_settings_open(c, NULL, &only_looked_at, &report) : NULL;
    m->reloads++;
    bool usable = tables && setup_conf_fds(m, c, &report) == RC_OK;
    log_report(&report);
    m->reload_refused = !usable;
    if (!usable) {
        m->reloads_over = m->reloads;
        log_error("reload: the configuration has errors; the old one stays in force");
        notify_manager("READY=1\nSTATUS=the configuration has errors; the one before is in force");
        table_settings_close(tables);
        conf_free(c);
        return;
    }
    const struct conf *was = m->conf;
    m->conf = c;
    setup_log(c);
    children_send_conf(m);
    replace_stale(m, was);
    table_settings_close(m->tables);
    m->tables = tables;
}

static void end_reload_when_applied(struct master *m)
{
    if (m->reloads_over == m->reloads || !children_all_applied(m))
        return;
    m->reloads_over = m->reloads;
    log_info("reload: done");
    notify_manager("READY=1\nSTATUS=");
}

static void take_signals(struct master *m)
{
    struct signalfd_siginfo si;
    while (read(m->signal_fd, &si, sizeof si) == sizeof si) {
        if (si.ssi_signo == SIGCHLD)
            children_reap(m);
        else if (si.ssi_signo == SIGHUP)
            reload(m);
        else if (si.ssi_signo == SIGUSR1)
            children_forget(m);
        else
            m->stopping = true;
    }
}

static void announce_when_ready(struct master *m)
{
    if (m->announced || !children_all_ready(m))
        return;
    m->announced = true;
    log_info("started: version %s, %zu listeners", MALLE_VERSION, m->n_listeners);
    printf("malle: ready\n");
    fflush(stdout);
    notify_manager("READY=1");
}

static void wait_for_events(struct master *m)
{
    struct pollfd p[MASTER_CHILDREN_MAX + 2] = {{.fd = m->signal_fd, .events = POLLIN},
                                                {.fd = m->status_fd, .events = POLLIN}};
    for (size_t i = 0; i < m->n_children; i++)
        p[i + 2] = (struct pollfd){.fd = m->children[i].control, .events = POLLIN};
    msec due = children_next_restart(m), left = due ? due - clock_mono() : -1;
    if (due && left < 0)
        left = 0;
    if (m->announced && !m->pickup && (left < 0 || left > m->pickup_due - clock_mono()))
        left = m->pickup_due > clock_mono() ? m->pickup_due - clock_mono() : 0;
    if (poll(p, m->n_children + 2, (int)left) < 0 && errno != EINTR)
        must(false);
    for (size_t i = 0; i < m->n_children; i++)
        if (p[i + 2].revents)
            children_read(m, &m->children[i]);
    if (p[1].revents)
        status_answer(m);
    if (p[0].revents)
        take_signals(m);
}

/* The world before the first child. Until it stands the log goes to standard error, where whoever starts the
 * server looks. False when something is wrong, which was logged. */
static bool set_up(struct master *m)
{
    struct conf_report report = {0};
    log_sink_name(m->conf, "master", NULL);
    log_init(NULL, m->conf->hostname, STDERR_FILENO,
             m->conf->log_format == CONF_LOG_JSON ? LOG_JSON : LOG_TEXT, LOG_LEVEL_INFO);
    catch_signals(m);
    setup_folders(m);
    if (!claim_pid_file(m->conf))
        return false;
    enum rc rc = setup_conf_fds(m, m->conf, &report);
    m->tables = table_settings_open(m->conf, NULL, &only_looked_at, &report);
    log_report(&report);
    if (rc != RC_OK || !m->tables)
        return false;
    setup_listeners(m);
    status_open(m);
    setup_log(m->conf);
    return true;
}

static void remove_files(const struct master *m)
{
    struct buf path = BUF_INIT(4096);
    master_pid_path(m->conf, &path);
    unlink(buf_cstr(&path));
    master_socket_path(m->conf, &path);
    unlink(buf_cstr(&path));
    for (size_t i = 0; i < m->conf->listener_count; i++)
        if (m->conf->listeners[i].socket[0])
            unlink(m->conf->listeners[i].socket);
    buf_deinit(&path);
}

int master_run(const struct master_start *start)
{
    static struct master m;
    m.start = *start;
    m.conf = start->conf;
    m.conf_fd = m.spool_fd = m.status_fd = -1;
    for (size_t i = 0; i < sizeof m.keys_fds / sizeof *m.keys_fds; i++)
        m.keys_fds[i] = -1;
    m.since = clock_wall();
    if (!set_up(&m))
        return 1;
    children_plan(&m);
    children_start_all(&m);
    proc_set_title("malle: master");
    while (!m.stopping) {
        wait_for_events(&m);
        children_restart_due(&m);
        announce_when_ready(&m);
        end_reload_when_applied(&m);
        pickup_when_due(&m);
    }
    log_info("stopping");
    notify_manager("STOPPING=1");
    children_stop(&m);
    remove_files(&m);
    log_info("stopped");
    return 0;
}
