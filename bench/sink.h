/* sink: an SMTP server in a thread that takes every message, counts it and drops it. */
#ifndef BENCH_SINK_H
#define BENCH_SINK_H

#include <stddef.h>

void sink_start(int port); /* on every IPv4 address */
size_t sink_count(void);   /* messages so far */
size_t sink_connections(void);

#endif
