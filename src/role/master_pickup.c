/* The maildrop is looked at when the server is ready, and every minute from then on: a program may have found
 * the server away while it was being started again. What lies there is sent by `malle pickup`. */
#include "base/log.h"
#include "role/master_impl.h"

#include <dirent.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

enum { PICKUP_INTERVAL_MS = 60000 };

extern char **environ;

static bool maildrop_has_mail(const struct conf *c)
{
    AUTO(buf_deinit) struct buf path = BUF_INIT(4096);
    bool found = false;
    buf_printf(&path, "%s/maildrop", c->state_dir);
    DIR *dir = opendir(buf_cstr(&path));
    for (struct dirent *d; dir && !found && (d = readdir(dir));)
        found = str_starts(str_c(d->d_name), S("d."));
    if (dir)
        closedir(dir);
    return found;
}

static void start(struct master *m)
{
    const struct master_start *s = &m->start;
    const char **argv = calloc(2 * s->n_sets + 6, sizeof *argv);
    size_t n = 0;
    posix_spawnattr_t attr;
    sigset_t none;
    must(argv);
    argv[n++] = "malle";
    argv[n++] = "-c";
    argv[n++] = s->conf_path;
    for (size_t i = 0; i < s->n_sets; i++) {
        argv[n++] = "--set";
        argv[n++] = s->sets[i];
    }
    argv[n++] = "pickup";
    sigemptyset(&none); /* the master blocks what it reads from its signal descriptor */
    must(posix_spawnattr_init(&attr) == 0 && posix_spawnattr_setsigmask(&attr, &none) == 0 &&
         posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK) == 0);
    int error = posix_spawn(&m->pickup, "/proc/self/exe", NULL, &attr, (char *const *)argv, environ);
    if (error != 0) {
        log_error("the maildrop is not emptied: %s", strerror(error));
        m->pickup = 0;
    }
    posix_spawnattr_destroy(&attr);
    free(argv);
}

void pickup_when_due(struct master *m)
{
    if (!m->announced || m->pickup || clock_mono() < m->pickup_due)
        return;
    m->pickup_due = clock_mono() + PICKUP_INTERVAL_MS;
    if (maildrop_has_mail(m->conf))
        start(m);
}

void pickup_ended(struct master *m, pid_t pid)
{
    if (pid == m->pickup)
        m->pickup = 0;
}
