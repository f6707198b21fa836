/* log_sink: where the log goes (log_target). */
#ifndef ROLE_LOG_SINK_H
#define ROLE_LOG_SINK_H

#include "base/log.h"
#include "conf/conf.h"

/* The syslog daemon's socket, or the file, made when missing; the caller closes it. -1 with errno: it cannot
 * be opened; -1 as well for stderr. */
int log_sink_open(const struct conf *c);

/* How lines look that go to this sink. */
enum log_shape log_sink_shape(const struct conf *c, int fd);

#endif
