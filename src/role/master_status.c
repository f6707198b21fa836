/* `malle status`: whoever may connect to run_dir/control is told what runs, in lines; nothing is read from
 * the connection. Children of a role (sessions, deliver) are found in /proc. */
#include "base/log.h"
#include "os/file.h"
#include "os/socket.h"
#include "role/master_impl.h"

#include <fcntl.h>
#include <unistd.h>

void status_open(struct master *m)
{
    struct buf path = BUF_INIT(4096);
    struct err e = {0};
    master_socket_path(m->conf, &path);
    if (socket_listen_unix(buf_cstr(&path), 0600, &m->status_fd, &e) != RC_OK) {
        log_error("%s", err_text(&e));
        exit(1);
    }
    buf_deinit(&path);
}

/* What the process calls itself: the first word of its command line after "malle: ". */
static void put_title(struct buf *out, pid_t pid)
{
    struct buf path = BUF_INIT(64), line = BUF_INIT(4096);
    buf_printf(&path, "/proc/%d/cmdline", pid);
    str title = S("?");
    if (file_read(buf_cstr(&path), &line) == RC_OK)
        title = str_c(buf_cstr(&line));
    buf_puts(out, str_starts(title, S("malle: ")) ? str_from(title, 7) : title);
    buf_deinit(&path);
    buf_deinit(&line);
}

static void put_children(struct buf *out, pid_t pid)
{
    struct buf path = BUF_INIT(64), list = BUF_INIT(1 << 20);
    buf_printf(&path, "/proc/%d/task/%d/children", pid, pid);
    if (file_read(buf_cstr(&path), &list) == RC_OK) {
        str rest = buf_str(&list), word;
        while ((word = str_word(&rest)).n > 0) {
            buf_printf(out, "child\t" STR_FMT "\t", STR_ARG(word));
            put_title(out, (pid_t)strtol(word.p, NULL, 10));
            buf_putc(out, '\n');
        }
    }
    buf_deinit(&path);
    buf_deinit(&list);
}

/* "master PID READY SINCE RELOADS RELOADS_OVER RELOAD_REFUSED VERSION", then "role PID READY RESTARTS UPTIME
 * NAME" each followed by "child PID TITLE" lines, and at last those of mailbox, "parked PID NUMBER TITLE"
 * (mailbox_park.c); fields are separated by tabs. cli/cmd_server.c and cli/doveadm_who.c read it. */
static void put_status(const struct master *m, struct buf *out)
{
    buf_printf(out, "master\t%d\t%d\t%lld\t%u\t%u\t%d\t%s\n", getpid(), children_all_ready(m),
               (long long)(m->since / 1000000), m->reloads, m->reloads_over, m->reload_refused,
               MALLE_VERSION);
    for (size_t i = 0; i < m->n_children; i++) {
        const struct child *c = &m->children[i];
        buf_printf(out, "role\t%d\t%d\t%u\t%lld\t%s\n", c->pid, c->ready, c->restarts,
                   (long long)(c->pid ? (clock_mono() - c->started) / 1000 : 0), c->role->name);
        if (c->pid)
            put_children(out, c->pid);
    }
}

void status_answer(struct master *m)
{
    struct sockaddr_storage peer;
    struct buf text = BUF_INIT(4 << 20);
    AUTO(fd_closep) int fd = -1;
    if (socket_accept(m->status_fd, &fd, &peer) != RC_OK)
        return;
    put_status(m, &text);
    /* a reader that does not read must not hold up the master: what does not fit is lost */
    if (fd_set_nonblocking(fd, true) == RC_OK && fd_write_all(fd, buf_str(&text)) != RC_OK)
        log_debug("status: the reader went away");
    else
        children_tell_status(m, fd);
    buf_deinit(&text);
}
