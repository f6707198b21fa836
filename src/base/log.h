/* The log: one line per event, in the shapes of Postfix and Dovecot ("malle/smtpd[17]: 4bXk: client=...").
 * Only the layer that decides logs; codecs and services return. Lines are cut at 2,000 bytes, control bytes
 * become '?'. Thread-safe; each line leaves in one write. The sink is a descriptor that was opened before the
 * sandbox: standard error, a file, or a connected syslog socket. Never log message content, passwords or
 * tickets. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/err.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_shape {
    LOG_TEXT,   /* "Nov 23 10:00:00 host tag[pid]: text" */
    LOG_SYSLOG, /* "<22>Nov 23 10:00:00 tag[pid]: text" datagrams, facility mail */
    LOG_JSON    /* one object a line: time, level, tag, pid, text */
};

/* tag: "malle/smtpd"; copied. host: shown in LOG_TEXT. */
void log_init(const char *tag, const char *host, int fd, enum log_shape shape, enum log_level max_level);
void log_set_tag(const char *tag);
int log_fd(void);
bool log_debugging(void);

void log_line(enum log_level level, const char *fmt, ...) PRINTF(2, 3);
#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) (log_debugging() ? log_line(LOG_LEVEL_DEBUG, __VA_ARGS__) : (void)0)

#endif
