/* The log: one line per event, in the shapes of Postfix and Dovecot ("malle/smtpd[17]: 4bXk: client=...").
 * Only the layer that decides logs; codecs and services return. Lines are cut at 2,000 bytes, control bytes
 * become '?'. Thread-safe; each line leaves in one write. The sink is a descriptor that was opened before the
 * sandbox: standard error, a file, or a connected syslog socket. Never log message content, passwords or
 * tickets. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/err.h"

enum log_level {
    LOG_LEVEL_PANIC,
    LOG_LEVEL_FATAL,
    LOG_LEVEL_ERROR,
    LOG_LEVEL_WARN,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG
};
enum log_shape {
    LOG_TEXT,   /* "Nov 23 10:00:00 host tag[pid]: text" */
    LOG_SYSLOG, /* "<22>Nov 23 10:00:00 tag[pid]: text" datagrams */
    LOG_JSON    /* one object a line: time, level, tag, pid, text */
};

/* tag: "malle/smtpd", copied; NULL: as log_set_names said. host: shown in LOG_TEXT. */
void log_init(const char *tag, const char *host, int fd, enum log_shape shape, enum log_level max_level);
void log_set_facility(int number); /* RFC 3164 §4.1.1 */

/* Whose line it is. Lines are called as malle's roles, or, with log_names.programs, as the programs of
 * Postfix and Dovecot that would write them: tools that read their logs look for those. */
enum log_program {
    LOG_AS_OWN, /* the role's */
    LOG_AS_CLEANUP,
    LOG_AS_PICKUP,
    LOG_AS_QMGR,
    LOG_AS_BOUNCE,
    LOG_AS_LOCAL,
    LOG_AS_VIRTUAL,
    LOG_AS_LMTP,
    LOG_AS_PIPE,
    LOG_AS_POSTSCREEN,
    LOG_AS_DNSBLOG,
    LOG_AS_ERROR,   /* which returns mail that leads nowhere */
    LOG_AS_DOVECOT, /* the text begins with what Dovecot puts in front of it */
    LOG_AS_MALLE    /* nobody's: not written with log_names.programs */
};

/* What this process is called; all is copied. */
struct log_names {
    const char *first;  /* part of the tags: "malle", "postfix" */
    const char *second; /* part of the tag of LOG_AS_OWN: "queue", "qmgr"; with programs, "" is Dovecot */
    const char *prefix; /* of the text of LOG_AS_OWN: "auth: "; NULL: none */
    bool programs;
};
void log_set_names(const struct log_names *names);
/* The first part for the LOG_AS_OWN of this thread, which it lives as long as; NULL: as log_names says. */
void log_thread_name(const char *first);

int log_fd(void);
bool log_debugging(void);

/* Warnings and errors are called so in front of the text ("warning: "), but in JSON and by LOG_AS_DOVECOT. */
void log_line(enum log_level level, const char *fmt, ...) PRINTF(2, 3);
void log_info_of(enum log_program program, const char *fmt, ...) PRINTF(2, 3);
void log_warn_of(enum log_program program, const char *fmt, ...) PRINTF(2, 3);
#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) (log_debugging() ? log_line(LOG_LEVEL_DEBUG, __VA_ARGS__) : (void)0)

#endif
