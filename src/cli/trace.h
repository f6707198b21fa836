/* trace: what the files of the command trace share. */
#ifndef CLI_TRACE_H
#define CLI_TRACE_H

#include "base/arena.h"
#include "cli/cli.h"
#include "fmt/logline.h"
#include "queue/admin.h"

enum { TRACE_FILES_MAX = 200 };

/* --- trace_files.c: the log files, the oldest first --- */

struct trace_files {
    char *path[TRACE_FILES_MAX];
    size_t n;
    FILE *input; /* a copy of standard input, which is read more than once; NULL: not asked for */
};

/* path and what it was rotated to: path.1, path.2.gz, path-20261127 and so on; "-" is standard input. */
void trace_files_find(struct trace_files *f, const char *path);
void trace_files_deinit(struct trace_files *f);

/* Calls fn for every line of malle in all files. now: decides the year where the log
 * has none. RC_TEMP after a sentence: a file cannot be read. */
MUST_USE enum rc trace_files_each(const struct trace_files *f, int64_t now,
                                  void (*fn)(void *ctx, const struct logline *line, int64_t seconds),
                                  void *ctx);

/* --- trace_print.c: the story --- */

struct trace_event {
    int64_t seconds;
    size_t order; /* among those of one second */
    str id, role;
    struct logline_facts facts;
    bool waiting; /* what the queue says now: of facts only recipient and reply; with the members below */
    const char *queue_status;
    unsigned attempts;
    int64_t next; /* seconds; 0: none */
    str reason;
};

int trace_print(const struct trace_event *v, size_t n, bool json);

#endif
