#include "cli/program_log.h"

#include "role/log_sink.h"

#include <stdarg.h>
#include <unistd.h>

enum { TEXT_MAX = 2000, TAG_MAX = 64 };

static char log_tag[TAG_MAX];
static bool to_stderr; /* it is the log */

enum rc program_severity_parse(str name, enum program_severity *ret)
{
    static const struct {
        str name;
        enum program_severity severity;
    } names[] = {
        {S("info"), PROGRAM_INFO},   {S("warn"), PROGRAM_WARN},   {S("warning"), PROGRAM_WARN},
        {S("error"), PROGRAM_ERROR}, {S("err"), PROGRAM_ERROR},   {S("fatal"), PROGRAM_FATAL},
        {S("crit"), PROGRAM_FATAL},  {S("panic"), PROGRAM_PANIC},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (str_ieq(names[i].name, name)) {
            *ret = names[i].severity;
            return RC_OK;
        }
    }
    return RC_INVALID;
}

void program_log_open(const struct conf *c, const char *tag)
{
    int fd = log_sink_open(c); /* until the process ends */
    snprintf(log_tag, sizeof log_tag, "%s", tag);
    to_stderr = fd < 0;
    fd = to_stderr ? STDERR_FILENO : fd;
    log_set_facility(log_sink_facility(c));
    log_init(log_tag, c->hostname, fd, log_sink_shape(c, fd), LOG_LEVEL_DEBUG);
}

/* done: also said on standard error, else only on a terminal. */
PRINTF(3, 0)
static void write_line(enum program_severity severity, bool done, const char *fmt, va_list ap)
{
    static const struct {
        const char *word;
        enum log_level level;
    } words[] = {[PROGRAM_INFO] = {"", LOG_LEVEL_INFO},
                 [PROGRAM_WARN] = {"warning: ", LOG_LEVEL_WARN},
                 [PROGRAM_ERROR] = {"error: ", LOG_LEVEL_ERROR},
                 [PROGRAM_FATAL] = {"fatal: ", LOG_LEVEL_FATAL},
                 [PROGRAM_PANIC] = {"panic: ", LOG_LEVEL_PANIC}};
    char text[TEXT_MAX];
    vsnprintf(text, sizeof text, fmt, ap);
    if (!done || !to_stderr)
        log_line(words[severity].level, "%s", text);
    if (done)
        cli_say("%s", text);
    else if (!to_stderr && isatty(STDERR_FILENO))
        fprintf(stderr, "%s: %s%s\n", log_tag, words[severity].word, text);
}

void program_log(enum program_severity severity, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    write_line(severity, false, fmt, ap);
    va_end(ap);
}

int program_fatal(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    write_line(PROGRAM_FATAL, false, fmt, ap);
    va_end(ap);
    return CLI_FINDING;
}

void program_done(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    write_line(PROGRAM_INFO, true, fmt, ap);
    va_end(ap);
}
