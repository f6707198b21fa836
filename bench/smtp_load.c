/* smtp_load: sends many messages to an SMTP or LMTP server over parallel sessions and measures it.
 *
 *   smtp_load --host 127.0.0.1 --port 2025 --sessions 10 --messages 1000 --size 10240
 *             [--new-connection] [--lmtp] [--tls starttls|implicit] [--user U --password P]
 *             [--from ADDRESS] [--to PATTERN] [--users N] [--maildir ROOT | --sink PORT]
 *             [--each] [--cgroup PATH | --pid N]
 *
 * PATTERN has a %d for the number of the recipient, 1 to N. Every message has a mark of its own in its X-Mark
 * field. With --sink it takes on that port what the server relays. With --each, which wants one session, the
 * time of a message ends when it has arrived, and the next one begins then. The last line of output is one
 * JSON object. The exit status is 1 when a message was refused or does not arrive in ROOT or at the sink. */
#include "conn.h"
#include "load.h"
#include "sink.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    const char *host, *from, *to, *tls, *user, *password, *maildir, *cgroup;
    int port, sessions, messages, users, pid, sink, size;
    bool fresh, lmtp, each;
} opt = {.host = "127.0.0.1",
         .from = "sender@client.test",
         .to = "user%d@bench.test",
         .port = 2025,
         .sessions = 10,
         .messages = 1000,
         .users = 100,
         .size = 10240};

static char *body;
static size_t body_len;
static atomic_int next_message, accepted, refused;
static double *latency;

/* --- one connection --- */

/* The last line's code of one reply. */
static int reply(struct conn *c)
{
    char line[1024];
    do
        conn_line(c, line, sizeof line);
    while (line[0] && line[1] && line[2] && line[3] == '-');
    return (int)strtol(line, NULL, 10);
}

static void expect(struct conn *c, int want, const char *what)
{
    int code = reply(c);
    if (code / 100 != want / 100)
        load_die("%s: the server says %d", what, code);
}

static void authenticate(struct conn *c)
{
    unsigned char plain[512];
    char text[1024];
    int n = snprintf((char *)plain, sizeof plain, "%c%s%c%s", 0, opt.user, 0, opt.password);
    EVP_EncodeBlock((unsigned char *)text, plain, n);
    conn_printf(c, "AUTH PLAIN %s\r\n", text);
    expect(c, 235, "AUTH");
}

static void greet(struct conn *c)
{
    const char *hello = opt.lmtp ? "LHLO" : "EHLO";
    conn_open(c, opt.host, opt.port);
    if (opt.tls && strcmp(opt.tls, "implicit") == 0)
        conn_start_tls(c);
    expect(c, 220, "greeting");
    conn_printf(c, "%s load.client.test\r\n", hello);
    expect(c, 250, hello);
    if (opt.tls && strcmp(opt.tls, "starttls") == 0) {
        conn_printf(c, "STARTTLS\r\n");
        expect(c, 220, "STARTTLS");
        conn_start_tls(c);
        conn_printf(c, "%s load.client.test\r\n", hello);
        expect(c, 250, hello);
    }
    if (opt.user)
        authenticate(c);
}

/* --- messages --- */

static bool send_message(struct conn *c, int number)
{
    char to[256], head[1024];
    snprintf(to, sizeof to, opt.to, number % opt.users + 1);
    conn_printf(c, "MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n", opt.from, to);
    int mail = reply(c), rcpt = reply(c), data = reply(c);
    if (mail != 250 || rcpt != 250 || data != 354) {
        fprintf(stderr, "message %d: MAIL %d, RCPT %d, DATA %d\n", number, mail, rcpt, data);
        return false;
    }
    int n = snprintf(head, sizeof head,
                     "From: <%s>\r\nTo: <%s>\r\nSubject: load %d\r\nDate: Mon, 23 Nov 2026 08:00:00 +0000\r\n"
                     "Message-ID: <%d.%d@load.client.test>\r\nX-Mark: %d\r\n\r\n",
                     opt.from, to, number, number, (int)getpid(), number);
    size_t total = (size_t)n + body_len;
    char *all = malloc(total);
    if (!all)
        load_die("out of memory");
    memcpy(all, head, (size_t)n);
    memcpy(all + n, body, body_len);
    conn_write(c, all, total);
    free(all);
    int code = reply(c);
    if (code != 250)
        fprintf(stderr, "message %d: %d after the data\n", number, code);
    return code == 250;
}

/* Messages that arrived so far. */
static size_t count_arrived(void)
{
    if (opt.sink)
        return sink_count();
    return opt.maildir ? load_count_mail(opt.maildir) : (size_t)atomic_load(&accepted);
}

/* With one session only: until so many have arrived. */
static void wait_for(size_t want)
{
    for (double end = load_now() + 300; count_arrived() < want; usleep(200))
        if (load_now() > end)
            load_die("a message has not arrived for 5 minutes");
}

static void *session(void *unused)
{
    struct conn c = {.fd = -1};
    for (;;) {
        int number = atomic_fetch_add(&next_message, 1);
        if (number >= opt.messages)
            break;
        double start = load_now();
        if (c.fd < 0)
            greet(&c);
        size_t before = opt.each ? count_arrived() : 0;
        bool fine = send_message(&c, number);
        if (opt.each && fine)
            wait_for(before + 1);
        atomic_fetch_add(fine ? &accepted : &refused, 1);
        if (opt.fresh || !fine) {
            if (fine) {
                conn_printf(&c, "QUIT\r\n");
                reply(&c);
            }
            conn_close(&c);
        }
        latency[number] = load_now() - start;
    }
    if (c.fd >= 0) {
        conn_printf(&c, "QUIT\r\n");
        reply(&c);
        conn_close(&c);
    }
    return NULL;
}

static void make_body(void)
{
    long left = opt.size;
    body = malloc((size_t)opt.size + 256);
    if (!body)
        load_die("out of memory");
    while (left > 0) {
        long n = left > 78 ? 76 : left - 2;
        if (n < 0)
            n = 0;
        for (long i = 0; i < n; i++)
            body[body_len++] = (char)('a' + (i * 7 + left) % 26);
        memcpy(body + body_len, "\r\n", 2);
        body_len += 2;
        left -= n + 2;
    }
    memcpy(body + body_len, ".\r\n", 3);
    body_len += 3;
}

/* Waits until all accepted messages arrived: seconds since start, or -1 when they do not come. */
static double wait_delivered(size_t before, double start)
{
    size_t want = before + (size_t)atomic_load(&accepted);
    for (double end = load_now() + 120; load_now() < end; usleep(opt.sink ? 1000 : 10000))
        if (count_arrived() >= want)
            return load_now() - start;
    return -1;
}

/* --- options and report --- */

static const struct load_option options[] = {
    {"host", .text = &opt.host},           {"port", .number = &opt.port},
    {"sessions", .number = &opt.sessions}, {"messages", .number = &opt.messages},
    {"size", .number = &opt.size},         {"new-connection", .flag = &opt.fresh},
    {"lmtp", .flag = &opt.lmtp},           {"tls", .text = &opt.tls},
    {"user", .text = &opt.user},           {"password", .text = &opt.password},
    {"from", .text = &opt.from},           {"to", .text = &opt.to},
    {"users", .number = &opt.users},       {"maildir", .text = &opt.maildir},
    {"cgroup", .text = &opt.cgroup},       {"pid", .number = &opt.pid},
    {"sink", .number = &opt.sink},         {"each", .flag = &opt.each},
};

static void parse(int argc, char **argv)
{
    load_options(argc, argv, options, sizeof options / sizeof *options);
    if (opt.sessions < 1 || opt.sessions > 5000 || opt.messages < 1 || opt.size < 1 || opt.users < 1)
        load_die("sessions, messages, size and users must be positive");
    if (opt.each && opt.sessions != 1)
        load_die("--each needs one session");
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    make_body();
    latency = calloc((size_t)opt.messages, sizeof *latency);
    pthread_t *threads = calloc((size_t)opt.sessions, sizeof *threads);
    if (!latency || !threads)
        load_die("out of memory");
    if (opt.sink)
        sink_start(opt.sink);
    size_t before = opt.maildir ? count_arrived() : 0;
    double cpu = load_cpu(opt.cgroup, opt.pid), start = load_now();
    for (int i = 0; i < opt.sessions; i++)
        if (pthread_create(&threads[i], NULL, session, NULL) != 0)
            load_die("cannot start a thread");
    for (int i = 0; i < opt.sessions; i++)
        pthread_join(threads[i], NULL);
    double wall = load_now() - start;
    double delivered = opt.maildir || opt.sink ? wait_delivered(before, start) : wall;
    double used = load_cpu(opt.cgroup, opt.pid) - cpu;
    int ok = atomic_load(&accepted);
    size_t found = count_arrived() - before;
    struct load_latency l = {latency, (size_t)opt.messages};
    double p50 = load_percentile(&l, 50), p99 = load_percentile(&l, 99);
    printf("{\"messages\": %d, \"accepted\": %d, \"refused\": %d, \"arrived\": %zu, \"sessions\": %d, "
           "\"size\": %d, "
           "\"seconds\": %.3f, \"accepted_per_s\": %.1f, \"delivered_per_s\": %.1f, \"cpu_ms_per_message\": "
           "%.4f, "
           "\"p50_ms\": %.2f, \"p99_ms\": %.2f, \"connections_out\": %zu}\n",
           opt.messages, ok, atomic_load(&refused), found, opt.sessions, opt.size, wall, ok / wall,
           delivered > 0 ? ok / delivered : 0, cpu >= 0 && ok > 0 ? used * 1000 / ok : -1, p50, p99,
           sink_connections());
    return ok == opt.messages && found == (size_t)ok ? 0 : 1;
}
