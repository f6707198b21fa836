/* log_sink: where the log goes (log_target). */
#ifndef ROLE_LOG_SINK_H
#define ROLE_LOG_SINK_H

#include "base/log.h"
#include "conf/conf.h"

/* The syslog daemon's socket, or the file, made when missing; the caller closes it. -1 with errno: it cannot
 * be opened; -1 as well for stderr. */
int log_sink_open(const struct conf *c);

/* The log of this process goes to fd, as the configuration says. role: "smtpd", "imap"; prefix: of the text
 * of its lines, NULL for what the role's name says. */
void log_sink_init(const struct conf *c, int fd, const char *role, const char *prefix);
/* ... and only what its lines are called. */
void log_sink_name(const struct conf *c, const char *role, const char *prefix);

int log_sink_facility(const struct conf *c);
/* How lines look that go to this sink. */
enum log_shape log_sink_shape(const struct conf *c, int fd);

#endif
