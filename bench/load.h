/* load: what the load generators share: options, a clock, latencies, the server's CPU time, counting mail
 * files. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An option --NAME: one of text (with a value), number (likewise) and flag is set. */
struct load_option {
    const char *name;
    const char **text;
    int *number;
    bool *flag;
};
enum { LOAD_OPTIONS_MAX = 32 };
/* Ends the program when an argument is none of them. */
void load_options(int argc, char **argv, const struct load_option *options, int n);

double load_now(void); /* seconds, monotonic */

/* Latencies of all sessions; each session adds to a slice of its own. */
struct load_latency {
    double *v;
    size_t n;
};
double load_percentile(struct load_latency *l, double percent); /* sorts; milliseconds */

/* CPU seconds (user and system) that the server has used so far: of a cgroup (PATH of a cgroup v2 or v1
 * cpuacct folder), or of a process and all its descendants, ended ones included. -1 when neither is given or
 * readable. */
double load_cpu(const char *cgroup, int pid);

/* Files in folders called new or cur anywhere below root. */
size_t load_count_mail(const char *root);

/* Connects, TCP_NODELAY on. Ends the program when that fails for `patience_s`. */
int load_connect(const char *host, int port, double patience_s);

_Noreturn void load_die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
