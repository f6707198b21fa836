/* What the load generators share. */
#include "load.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void load_options(int argc, char **argv, const struct load_option *options, int n)
{
    struct option names[LOAD_OPTIONS_MAX + 1] = {0};
    for (int i = 0; i < n && i < LOAD_OPTIONS_MAX; i++)
        names[i] = (struct option){options[i].name, !options[i].flag, NULL, i};
    for (int i; (i = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        if (i < 0 || i >= n)
            exit(2);
        if (options[i].text)
            *options[i].text = optarg;
        else if (options[i].number)
            *options[i].number = (int)strtol(optarg, NULL, 10);
        else
            *options[i].flag = true;
    }
    if (optind < argc)
        load_die("%s is no option", argv[optind]);
}

double load_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double load_percentile(struct load_latency *l, double percent)
{
    if (l->n == 0)
        return 0;
    qsort(l->v, l->n, sizeof *l->v, by_value);
    size_t i = (size_t)((double)(l->n - 1) * percent / 100);
    return l->v[i] * 1000;
}

_Noreturn void load_die(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(1);
}

/* --- CPU --- */

static double cgroup_cpu(const char *cgroup)
{
    char path[4096], line[256];
    double v = -1;
    long long n;
    snprintf(path, sizeof path, "%s/cpu.stat", cgroup);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "usage_usec %lld", &n) == 1)
            v = (double)n / 1e6;
    if (f)
        fclose(f);
    if (v >= 0)
        return v;
    snprintf(path, sizeof path, "%s/cpuacct.usage", cgroup);
    f = fopen(path, "r");
    if (f && fscanf(f, "%lld", &n) == 1)
        v = (double)n / 1e9;
    if (f)
        fclose(f);
    return v;
}

static double tree_cpu(int pid)
{
    char path[64], line[1024];
    long long t[4] = {0};
    double total = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *f = fopen(path, "r");
    if (!f)
        return 0;
    if (fgets(line, sizeof line, f)) {
        const char *after_name = strrchr(line, ')');
        if (after_name &&
            sscanf(after_name + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lld %lld %lld %lld", &t[0],
                   &t[1], &t[2], &t[3]) == 4)
            total = (double)(t[0] + t[1] + t[2] + t[3]) / (double)sysconf(_SC_CLK_TCK);
    }
    fclose(f);
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
    f = fopen(path, "r");
    int child;
    while (f && fscanf(f, "%d", &child) == 1)
        total += tree_cpu(child);
    if (f)
        fclose(f);
    return total;
}

double load_cpu(const char *cgroup, int pid)
{
    if (cgroup)
        return cgroup_cpu(cgroup);
    return pid > 0 ? tree_cpu(pid) : -1;
}

/* --- mail files --- */

size_t load_count_mail(const char *root)
{
    size_t n = 0;
    const char *name = strrchr(root, '/');
    bool leaf = name && (strcmp(name, "/new") == 0 || strcmp(name, "/cur") == 0);
    DIR *d = opendir(root);
    struct dirent *e;
    while (d && (e = readdir(d))) {
        char path[4096];
        if (e->d_name[0] == '.' && (!e->d_name[1] || e->d_name[1] == '.'))
            continue;
        if (leaf) {
            n++;
        } else if (e->d_type == DT_DIR) {
            snprintf(path, sizeof path, "%s/%s", root, e->d_name);
            n += load_count_mail(path);
        }
    }
    if (d)
        closedir(d);
    return n;
}

/* --- connections --- */

int load_connect(const char *host, int port, double patience_s)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    double end = load_now() + patience_s;
    int on = 1;
    if (inet_pton(AF_INET, host, &a.sin_addr) != 1)
        load_die("%s is not an IPv4 address", host);
    for (;;) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0) {
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            return fd;
        }
        int why = errno;
        if (fd >= 0)
            close(fd);
        if (load_now() > end)
            load_die("cannot connect to %s port %d: %s", host, port, strerror(why));
        usleep(1000);
    }
}
