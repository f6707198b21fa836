/* malle pickup: hands over what local programs dropped while no server ran; the master starts it. Each
 * message is read and sent by a child that is its owner, over the same socket as always, so a file in the
 * maildrop can do no more than who wrote it. What is refused for good is returned to its sender; what is no
 * message, and what nobody takes back, is kept as failed.*, and logged. */
#include "cli/sendmail.h"
#include "fmt/localmail.h"
#include "os/file.h"
#include "role/log_sink.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FILE_MAX = (1 << 30) + LOCALMAIL_COMMAND_MAX, WHY_MAX = 1000, NAME_SIZE = 64, FILES_MAX = 4096 };

static void become(const struct stat *st)
{
    if (geteuid() != 0 || st->st_uid == 0)
        return;
    if (setgroups(0, NULL) != 0 || setresgid(st->st_gid, st->st_gid, st->st_gid) != 0 ||
        setresuid(st->st_uid, st->st_uid, st->st_uid) != 0)
        _exit(EX_TEMPFAIL);
}

static int send_file(str file, const struct sendmail_way *way)
{
    AUTO(arena_freep) struct arena *a = arena_new(4 * LOCALMAIL_COMMAND_MAX);
    struct sendmail_options o;
    struct cli none = {.conf_path = ""};
    struct err why = {0};
    bool absent;
    char **words;
    size_t n;
    str raw;
    if (localmail_take_command(file, a, &words, &n, &raw) != RC_OK || n == 0) {
        cli_fail("it is no message of sendmail");
        return EX_DATAERR;
    }
    int status = sendmail_parse((int)n, words, &none, &o);
    if (status != EX_OK || o.mode != SENDMAIL_DELIVER)
        return status == EX_OK ? EX_DATAERR : status;
    return sendmail_send(&o, way, raw, &absent, &why);
}

/* The child: becomes the owner before it opens anything. */
static int handle(int folder, const char *name, const struct sendmail_way *way)
{
    AUTO(buf_deinit) struct buf file = BUF_INIT(FILE_MAX);
    struct stat st, now;
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
        return EX_DATAERR;
    become(&st);
    AUTO(fd_closep) int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &now) != 0)
        return EX_TEMPFAIL;
    if (!S_ISREG(now.st_mode) || now.st_uid != st.st_uid ||
        now.st_nlink != 1) { /* a link to somebody else's file */
        cli_fail("it is no file of its own");
        return EX_DATAERR;
    }
    return fd_read_all(fd, &file) == RC_OK ? send_file(buf_str(&file), way) : EX_TEMPFAIL;
}

/* What the child says on standard error, for the log. */
static int run_child(int folder, const char *name, const struct sendmail_way *way, char why[WHY_MAX])
{
    int ends[2], status = 0;
    size_t n = 0;
    why[0] = '\0';
    if (pipe2(ends, O_CLOEXEC) != 0)
        return EX_TEMPFAIL;
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        _exit(handle(folder, name, way));
    }
    close(ends[1]);
    for (ssize_t got; n < WHY_MAX - 1 && (got = read(ends[0], why + n, WHY_MAX - 1 - n)) > 0;)
        n += (size_t)got;
    why[n] = '\0';
    close(ends[0]);
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status)
                                                                           : EX_TEMPFAIL;
}

static void pick_up(int folder, const char *name, const struct sendmail_way *way)
{
    char why[WHY_MAX];
    AUTO(buf_deinit) struct buf failed = BUF_INIT(300);
    int status = run_child(folder, name, way, why);
    str text = str_trim(str_c(why));
    if (status == EX_OK && text.n > 0)
        log_warn("the message in maildrop/%s was returned to its sender: " STR_FMT, name, STR_ARG(text));
    if (status == EX_OK)
        (void)unlinkat(folder, name, 0);
    else if (status == EX_TEMPFAIL)
        log_warn("the message in maildrop/%s waits: " STR_FMT, name, STR_ARG(text));
    if (status == EX_OK || status == EX_TEMPFAIL)
        return;
    buf_printf(&failed, "failed.%s", name + 2);
    log_error("the message in maildrop/%s cannot be sent and is kept as %s: " STR_FMT, name,
              buf_cstr(&failed), STR_ARG(text));
    (void)renameat(folder, name, folder, buf_cstr(&failed));
}

/* All names before the first is handled: what is kept once more is not met again. */
static size_t read_names(DIR *dir, char names[][NAME_SIZE])
{
    size_t n = 0;
    for (struct dirent *d; n < FILES_MAX && (d = readdir(dir));)
        if (str_starts(str_c(d->d_name), S("d.")) && str_copy(names[n], NAME_SIZE, str_c(d->d_name)) == RC_OK)
            n++;
    return n;
}

int cmd_pickup(int argc, char **argv, struct cli *cli)
{
    static char names[FILES_MAX][NAME_SIZE];
    AUTO(buf_deinit) struct buf path = BUF_INIT(4096);
    const struct conf *c = cli_conf(cli);
    if (argc != 1)
        return cli_usage("pickup takes no arguments");
    const char *socket = c ? sendmail_socket_path(c) : NULL;
    if (!socket)
        return CLI_FINDING;
    log_sink_init(c, STDERR_FILENO, "pickup", NULL);
    sendmail_drop_path(c, &path);
    const struct sendmail_way way = {.socket = socket,
                                     .maildrop = buf_cstr(&path),
                                     .picked_up = true,
                                     .hostname = str_c(c->hostname),
                                     .bounce_limit = c->bounce_size_limit};
    DIR *dir = opendir(way.maildrop);
    if (!dir)
        return cli_fail("%s cannot be read: %s", way.maildrop, strerror(errno));
    size_t n = read_names(dir, names);
    for (size_t i = 0; i < n; i++)
        pick_up(dirfd(dir), names[i], &way);
    closedir(dir);
    return CLI_FINE;
}
