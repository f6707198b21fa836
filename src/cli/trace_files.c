/* Log files and those they were rotated to, line by line: memory does not depend on their size. What is
 * compressed is read through gzip(1), which every system has that rotates logs so. */
#include "cli/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES = 8192 /* the log writes at most 2,000 */ };

extern char **environ;

static struct timespec changed(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? st.st_mtim : (struct timespec){0};
}

/* The last file to be changed is the newest; of those that were changed at the same moment "log.1" and
 * "log-20261127" are newer than "log.2" and "log-20261126". from: where their names differ. */
static bool is_older(const char *path, const char *than, size_t from)
{
    struct timespec a = changed(path), b = changed(than);
    if (a.tv_sec != b.tv_sec)
        return a.tv_sec < b.tv_sec;
    if (a.tv_nsec != b.tv_nsec)
        return a.tv_nsec < b.tv_nsec;
    bool counts = path[from] == '.' && than[from] == '.';
    unsigned long x = strtoul(path + from + 1, NULL, 10), y = strtoul(than + from + 1, NULL, 10);
    return counts ? x > y : x < y;
}

static void add(struct trace_files *f, const char *path)
{
    if (f->n < TRACE_FILES_MAX)
        f->path[f->n++] = str_dup(str_c(path));
}

static void sort(struct trace_files *f, size_t from, size_t name_n)
{
    for (size_t i = from + 1; i < f->n; i++) {
        for (size_t j = i; j > from && is_older(f->path[j], f->path[j - 1], name_n); j--) {
            char *swap = f->path[j];
            f->path[j] = f->path[j - 1];
            f->path[j - 1] = swap;
        }
    }
}

static FILE *copy_input(void)
{
    char bytes[LINE_BYTES];
    FILE *copy = tmpfile();
    for (size_t n; copy && (n = fread(bytes, 1, sizeof bytes, stdin)) > 0;) {
        if (fwrite(bytes, 1, n, copy) != n) {
            fclose(copy);
            return NULL;
        }
    }
    return copy;
}

void trace_files_find(struct trace_files *f, const char *path)
{
    if (strcmp(path, "-") == 0) {
        f->input = f->input ? f->input : copy_input();
        if (f->input)
            add(f, path);
        return;
    }
    static const char *const forms[] = {"%s.[0-9]*", "%s-[0-9]*"};
    size_t from = f->n;
    for (size_t i = 0; i < 2; i++) {
        AUTO(buf_deinit) struct buf pattern = BUF_INIT(4096);
        glob_t found = {0};
        buf_printf(&pattern, forms[i], path);
        if (glob(buf_cstr(&pattern), GLOB_NOSORT, NULL, &found) == 0)
            for (size_t k = 0; k < found.gl_pathc; k++)
                add(f, found.gl_pathv[k]);
        globfree(&found);
    }
    sort(f, from, strlen(path));
    if (access(path, F_OK) == 0)
        add(f, path);
}

void trace_files_deinit(struct trace_files *f)
{
    while (f->n > 0)
        free(f->path[--f->n]);
    if (f->input)
        fclose(f->input);
}

/* --- reading --- */

/* *ret_pid: of gzip, else 0. */
static FILE *open_file(const struct trace_files *f, const char *path, pid_t *ret_pid)
{
    *ret_pid = 0;
    if (strcmp(path, "-") == 0) {
        rewind(f->input);
        return fdopen(dup(fileno(f->input)), "re");
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), ends[2];
    if (fd < 0 || !str_ends(str_c(path), S(".gz")))
        return fd < 0 ? NULL : fdopen(fd, "re");
    char *const argv[] = {"gzip", "-dc", NULL};
    posix_spawn_file_actions_t actions;
    must(posix_spawn_file_actions_init(&actions) == 0);
    FILE *out = NULL;
    if (pipe2(ends, O_CLOEXEC) == 0) {
        must(posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO) == 0 &&
             posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO) == 0);
        errno = posix_spawnp(ret_pid, "gzip", &actions, NULL, argv, environ);
        out = errno == 0 ? fdopen(ends[0], "re") : NULL;
        close(ends[1]);
    }
    posix_spawn_file_actions_destroy(&actions);
    close(fd);
    return out;
}

static bool close_file(FILE *file, pid_t pid)
{
    int status = 0;
    bool fine = ferror(file) == 0;
    fclose(file);
    if (pid > 0 && (waitpid(pid, &status, 0) != pid || status != 0))
        fine = false;
    return fine;
}

/* A time without a year is the last one that is not in the future, but for a day of grace. */
static int64_t seconds_of(const struct logline *line, int64_t now)
{
    enum { DAY = 86400 };
    time_t when = (time_t)now;
    struct tm tm;
    if (line->has_date || !localtime_r(&when, &tm))
        return line->has_date ? line->date.seconds : 0;
    const struct logline_clock *c = &line->clock;
    for (int years = 0; years < 2; years++) {
        struct tm t = {.tm_year = tm.tm_year - years,
                       .tm_mon = c->month,
                       .tm_mday = c->day,
                       .tm_hour = c->hour,
                       .tm_min = c->minute,
                       .tm_sec = c->second,
                       .tm_isdst = -1};
        when = mktime(&t);
        if ((int64_t)when <= now + DAY)
            break;
    }
    return (int64_t)when;
}

enum rc trace_files_each(const struct trace_files *f, int64_t now,
                         void (*fn)(void *ctx, const struct logline *line, int64_t seconds), void *ctx)
{
    AUTO(buf_deinit) struct buf room = BUF_INIT(LINE_BYTES);
    char bytes[LINE_BYTES];
    for (size_t i = 0; i < f->n; i++) {
        pid_t pid;
        FILE *file = open_file(f, f->path[i], &pid);
        while (file && fgets(bytes, sizeof bytes, file)) {
            struct logline line;
            if (logline_parse(str_c(bytes), &room, &line) == RC_OK)
                fn(ctx, &line, seconds_of(&line, now));
        }
        if (!file || !close_file(file, pid)) {
            cli_fail("the log file %s cannot be read: %s", f->path[i], strerror(errno));
            return RC_TEMP;
        }
    }
    return RC_OK;
}
