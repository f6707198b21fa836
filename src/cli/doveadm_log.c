/* doveadm log find, test and errors: where the log is, lines of every level for it, and what it has of
 * warnings and worse. */
#include "base/clock.h"
#include "cli/doveadm.h"
#include "cli/trace.h"
#include "role/log_sink.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYSLOG_FOLDER "/var/log"
#define SYSLOG_FILE   SYSLOG_FOLDER "/mail.log"

enum {
    FILES_MAX = 1000,      /* in SYSLOG_FOLDER */
    TAIL_BYTES = 64 << 10, /* of each, where lines are looked for that were just written */
    ERRORS_MAX = 1000,     /* the last ones are told, as Dovecot does */
    LINE_ROOM = 2000
};

static const struct {
    const char *name, *word;
    enum log_level level;
} levels[] = {{"Debug", "debug", LOG_LEVEL_DEBUG},
              {"Info", "info", LOG_LEVEL_INFO},
              {"Warning", "warning", LOG_LEVEL_WARN},
              {"Error", "error", LOG_LEVEL_ERROR},
              {"Fatal", "fatal", LOG_LEVEL_FATAL}};
enum { LEVELS = sizeof levels / sizeof *levels };

static void put_test_line(struct buf *out, size_t level, int64_t now)
{
    buf_printf(out, "This is Dovecot's %s log (%lld)", levels[level].word, (long long)now);
}

static void write_test_lines(const struct conf *c, int64_t now)
{
    const struct log_names names = {.first = "", .second = "", .prefix = "doveadm: ", .programs = true};
    int sink = log_sink_open(c), fd = sink < 0 ? STDERR_FILENO : sink;
    log_set_names(&names);
    log_set_facility(log_sink_facility(c));
    log_init(NULL, c->hostname, fd, log_sink_shape(c, fd), LOG_LEVEL_DEBUG);
    for (size_t i = 0; i < LEVELS; i++) {
        AUTO(buf_deinit) struct buf text = BUF_INIT(200);
        put_test_line(&text, i, now);
        log_line(levels[i].level, "%s", buf_cstr(&text));
    }
    if (sink >= 0)
        close(sink);
}

int doveadm_log_test(int argc, char **argv, struct cli *cli)
{
    const struct conf *c = cli_conf(cli);
    if (argc != 1)
        return doveadm_usage();
    if (!c)
        return EX_TEMPFAIL;
    write_test_lines(c, clock_seconds());
    return EX_OK;
}

/* --- find --- */

struct logs {
    char *path[FILES_MAX];
    size_t n;
    bool has[FILES_MAX][LEVELS];
};

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list_folder(struct logs *l)
{
    DIR *d = opendir(SYSLOG_FOLDER);
    for (struct dirent *e; d && l->n < FILES_MAX && (e = readdir(d));) {
        AUTO(buf_deinit) struct buf path = BUF_INIT(4096);
        struct stat st;
        buf_printf(&path, SYSLOG_FOLDER "/%s", e->d_name);
        if (stat(buf_cstr(&path), &st) == 0 && S_ISREG(st.st_mode))
            l->path[l->n++] = str_dup(buf_str(&path));
    }
    if (d)
        closedir(d);
    qsort(l->path, l->n, sizeof *l->path, by_name);
}

static void look_into(struct logs *l, size_t file, int64_t now)
{
    static char bytes[TAIL_BYTES];
    int fd = open(l->path[file], O_RDONLY | O_CLOEXEC | O_NOCTTY);
    off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;
    ssize_t n = fd >= 0 ? pread(fd, bytes, sizeof bytes, size > TAIL_BYTES ? size - TAIL_BYTES : 0) : -1;
    if (fd >= 0)
        close(fd);
    for (size_t i = 0; n > 0 && i < LEVELS; i++) {
        AUTO(buf_deinit) struct buf text = BUF_INIT(200);
        put_test_line(&text, i, now);
        l->has[file][i] = str_find(str_mem(bytes, (size_t)n), buf_str(&text)) >= 0;
    }
}

/* Syslog daemons put lines where their own settings say: lines are written, and looked for. */
static void find_in_syslog(const struct conf *c)
{
    static struct logs l;
    int64_t now = clock_seconds();
    puts("Looking for log files from " SYSLOG_FOLDER);
    write_test_lines(c, now);
    sleep(1); /* until they are in the files */
    list_folder(&l);
    for (size_t f = 0; f < l.n; f++)
        look_into(&l, f, now);
    for (size_t i = 0; i < LEVELS; i++) {
        size_t found = 0;
        for (size_t f = 0; f < l.n; f++)
            if (l.has[f][i] && ++found)
                printf("%s: %s\n", levels[i].name, l.path[f]);
        if (found == 0)
            printf("%s: Not found\n", levels[i].name);
    }
    while (l.n > 0)
        free(l.path[--l.n]);
}

int doveadm_log_find(int argc, char **argv, struct cli *cli)
{
    const struct conf *c = cli_conf(cli);
    if (argc != 1)
        return doveadm_usage();
    if (!c)
        return EX_TEMPFAIL;
    if (strcmp(c->log_target, "syslog") == 0) {
        find_in_syslog(c);
        return EX_OK;
    }
    bool found = access(c->log_target, F_OK) == 0;
    for (size_t i = 0; i < LEVELS; i++)
        printf("%s: %s\n", levels[i].name, found ? c->log_target : "Not found");
    return EX_OK;
}

/* --- errors --- */

struct errors {
    char *lines[ERRORS_MAX]; /* a ring */
    size_t n;                /* ever put there */
    bool programs;
    int64_t since;
};

/* Of Postfix's programs only the master's lines are about Dovecot's, too. */
static bool is_wanted(const struct errors *e, const struct logline *line, int64_t seconds)
{
    return line->level != LOGLINE_INFO && seconds >= e->since && !str_eq(line->prefix, S("doveadm")) &&
           (!e->programs || str_eq(line->role, S("dovecot")) || str_eq(line->role, S("master")));
}

static void take_error(void *ctx, const struct logline *line, int64_t seconds)
{
    struct errors *e = ctx;
    AUTO(buf_deinit) struct buf text = BUF_INIT(LINE_ROOM);
    char stamp[32] = "";
    time_t when = (time_t)seconds;
    struct tm tm;
    if (!is_wanted(e, line, seconds))
        return;
    if (localtime_r(&when, &tm))
        strftime(stamp, sizeof stamp, "%b %d %H:%M:%S", &tm);
    str who = line->prefix.n ? line->prefix : line->role, colon = line->id.n ? S(": ") : S("");
    buf_printf(&text, "%s %s: " STR_FMT ": " STR_FMT STR_FMT STR_FMT, stamp, logline_level_name(line->level),
               STR_ARG(who), STR_ARG(line->id), STR_ARG(colon), STR_ARG(line->text));
    char **place = &e->lines[e->n++ % ERRORS_MAX];
    free(*place);
    *place = str_dup(buf_str(&text));
}

static enum rc read_errors(const struct conf *c, struct errors *e)
{
    struct trace_files files = {.n = 0};
    trace_files_find(&files, strcmp(c->log_target, "syslog") == 0 ? SYSLOG_FILE : c->log_target);
    enum rc rc = trace_files_each(&files, clock_seconds(), take_error, e);
    trace_files_deinit(&files);
    return rc;
}

int doveadm_log_errors(int argc, char **argv, struct cli *cli)
{
    static struct errors e;
    const struct conf *c = cli_conf(cli);
    if (argc != 1 && !(argc == 3 && strcmp(argv[1], "-s") == 0))
        return doveadm_usage();
    if (!c)
        return EX_TEMPFAIL;
    e.programs = c->log_programs;
    e.since = argc == 3 ? strtoll(argv[2], NULL, 10) : 0;
    enum rc rc = read_errors(c, &e);
    for (size_t i = e.n > ERRORS_MAX ? e.n - ERRORS_MAX : 0; i < e.n; i++)
        puts(e.lines[i % ERRORS_MAX]);
    for (size_t i = 0; i < ERRORS_MAX; i++)
        free(e.lines[i]);
    return rc == RC_OK ? EX_OK : EX_TEMPFAIL;
}
