/* imap_load: measures an IMAP server.
 *
 *   imap_load --work logins --sessions 10 --count 1000       log in and out
 *   imap_load --work mixed --sessions 50 --count 10000       commands that mail programs send, in a random
 * but fixed
 *             [--stay N]                                     order; logs out after every N of them (0: never)
 *   imap_load --work append --sessions 10 --count 1000       messages of --size bytes
 *   imap_load --work commands [--copies N] [--run R]         single commands on a large mailbox
 * (imap_steps.c)
 *             --host 127.0.0.1 --port 2143 [--tls implicit] [--user PATTERN --users N --password P]
 *             [--cgroup PATH | --pid N]
 *
 * PATTERN has a %d for the number of the account, 1 to N; session i uses account i % N + 1. Everyone has
 * logged in once before the clock starts, so that a password is verified the dear way outside of it. The last
 * line of output is one JSON object. The exit status is 1 when the server refused anything. */
#include "imap_load.h"

#include "load.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 4096 };

struct imap_options opt = {.host = "127.0.0.1",
                           .work = "logins",
                           .user = "user%d@bench.test",
                           .password = "pw",
                           .port = 2143,
                           .sessions = 10,
                           .count = 1000,
                           .users = 100,
                           .size = 1024,
                           .copies = 10000,
                           .run = 1,
                           .stay = 10};

static char *message;
static int message_n;
static atomic_int next_job;
static double *latency;

/* --- a session --- */

static void read_until_tagged(struct imap *s, const char *what)
{
    char line[LINE], tag[16];
    int n = snprintf(tag, sizeof tag, "a%u ", s->tag);
    for (;;) {
        conn_response(&s->conn, line, sizeof line);
        unsigned exists;
        int end = 0;
        if (sscanf(line, "* %u EXISTS%n", &exists, &end) == 1 && end > 0)
            s->exists = exists;
        if (strncmp(line, tag, (size_t)n) == 0)
            break;
    }
    if (strncmp(line + n, "OK", 2) != 0)
        load_die("%s: the server says %s", what, line);
}

void imap_say(struct imap *s, const char *command)
{
    conn_printf(&s->conn, "a%u %s\r\n", ++s->tag, command);
    read_until_tagged(s, command);
}

void imap_log_in(struct imap *s, int user)
{
    char line[LINE], name[256];
    memset(s, 0, sizeof *s);
    conn_open(&s->conn, opt.host, opt.port);
    if (opt.tls)
        conn_start_tls(&s->conn);
    conn_line(&s->conn, line, sizeof line);
    snprintf(name, sizeof name, opt.user, user);
    snprintf(line, sizeof line, "LOGIN %s %s", name, opt.password);
    imap_say(s, line);
}

void imap_log_out(struct imap *s)
{
    imap_say(s, "LOGOUT");
    conn_close(&s->conn);
}

void imap_append(struct imap *s, const char *mailbox)
{
    char head[256];
    int n = snprintf(head, sizeof head, "a%u APPEND %s {%d+}\r\n", ++s->tag, mailbox, message_n);
    char *all = malloc((size_t)(n + message_n) + 2);
    if (!all)
        load_die("out of memory");
    memcpy(all, head, (size_t)n);
    memcpy(all + n, message, (size_t)message_n);
    memcpy(all + n + message_n, "\r\n", 2);
    conn_write(&s->conn, all, (size_t)(n + message_n) + 2);
    free(all);
    read_until_tagged(s, "APPEND");
}

static void make_message(void)
{
    static const char head[] =
        "From: <sender@client.test>\r\nTo: <user@bench.test>\r\nSubject: load\r\n"
        "Date: Mon, 23 Nov 2026 08:00:00 +0000\r\nMessage-ID: <1@load.client.test>\r\n\r\n";
    message = malloc((size_t)opt.size + 256);
    if (!message)
        load_die("out of memory");
    memcpy(message, head, sizeof head - 1);
    message_n = sizeof head - 1;
    while (message_n < opt.size) {
        for (int i = 0; i < 76; i++)
            message[message_n++] = (char)('a' + i * 7 % 26);
        memcpy(message + message_n, "\r\n", 2);
        message_n += 2;
    }
}

/* --- work of many sessions --- */

static int user_of(int session)
{
    return session % opt.users + 1;
}

static unsigned any(unsigned *seed, unsigned below)
{
    return below ? (unsigned)rand_r(seed) % below : 0;
}

/* What a mail program does in a mailbox that it has open: a hundredth each. */
static void mixed_command(struct imap *s, unsigned *seed)
{
    char line[LINE];
    unsigned dice = any(seed, 100), n = any(seed, s->exists) + 1,
             newest = s->exists > 20 ? s->exists - 19 : 1;
    if (dice < 5 || s->exists == 0) {
        imap_append(s, "INBOX");
        return;
    }
    if (dice < 25)
        snprintf(line, sizeof line, "NOOP");
    else if (dice < 45)
        snprintf(line, sizeof line, "FETCH %u (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)", n);
    else if (dice < 60)
        snprintf(line, sizeof line, "FETCH %u (UID BODY.PEEK[])", n);
    else if (dice < 70)
        snprintf(line, sizeof line, "UID FETCH 1:* (FLAGS)");
    else if (dice < 75)
        snprintf(line, sizeof line, "FETCH %u:* (UID FLAGS BODYSTRUCTURE)", newest);
    else if (dice < 85)
        snprintf(line, sizeof line, "STORE %u %cFLAGS (\\Flagged)", n, dice & 1 ? '+' : '-');
    else if (dice < 90)
        snprintf(line, sizeof line, "STORE %u +FLAGS.SILENT (\\Seen)", n);
    else if (dice < 95)
        snprintf(line, sizeof line, "SEARCH UNSEEN");
    else
        snprintf(line, sizeof line, "LIST \"\" *");
    imap_say(s, line);
}

static void open_session(struct imap *s, int user)
{
    imap_log_in(s, user);
    if (strcmp(opt.work, "mixed") == 0)
        imap_say(s, "SELECT INBOX");
}

static void do_job(struct imap *s, unsigned *seed)
{
    if (strcmp(opt.work, "mixed") == 0)
        mixed_command(s, seed);
    else if (strcmp(opt.work, "append") == 0)
        imap_append(s, "INBOX");
}

/* How many jobs a session does before it logs out; 0: all. */
static int stay(void)
{
    return strcmp(opt.work, "logins") == 0 ? 1 : strcmp(opt.work, "append") == 0 ? 0 : opt.stay;
}

static void *session(void *arg)
{
    int id = *(int *)arg, done = 0;
    unsigned seed = (unsigned)id + 1;
    struct imap s = {.conn = {.fd = -1}};
    for (int job; (job = atomic_fetch_add(&next_job, 1)) < opt.count;) {
        double start = load_now();
        if (s.conn.fd < 0)
            open_session(&s, user_of(id));
        do_job(&s, &seed);
        if (stay() && ++done % stay() == 0)
            imap_log_out(&s);
        latency[job] = load_now() - start;
    }
    if (s.conn.fd >= 0)
        imap_log_out(&s);
    return NULL;
}

static void warm_up(void)
{
    struct imap s;
    for (int i = 0; i < opt.sessions && i < opt.users; i++) {
        imap_log_in(&s, user_of(i));
        imap_log_out(&s);
    }
}

static void run_sessions(void)
{
    latency = calloc((size_t)opt.count, sizeof *latency);
    pthread_t *threads = calloc((size_t)opt.sessions, sizeof *threads);
    int *ids = calloc((size_t)opt.sessions, sizeof *ids);
    if (!latency || !threads || !ids)
        load_die("out of memory");
    warm_up();
    double cpu = load_cpu(opt.cgroup, opt.pid), start = load_now();
    for (int i = 0; i < opt.sessions; i++) {
        ids[i] = i;
        if (pthread_create(&threads[i], NULL, session, &ids[i]) != 0)
            load_die("cannot start a thread");
    }
    for (int i = 0; i < opt.sessions; i++)
        pthread_join(threads[i], NULL);
    double wall = load_now() - start, used = load_cpu(opt.cgroup, opt.pid) - cpu;
    struct load_latency l = {latency, (size_t)opt.count};
    double p50 = load_percentile(&l, 50), p99 = load_percentile(&l, 99);
    printf("{\"work\": \"%s\", \"count\": %d, \"sessions\": %d, \"seconds\": %.3f, \"per_s\": %.1f, "
           "\"cpu_ms_each\": %.4f, "
           "\"p50_ms\": %.2f, \"p99_ms\": %.2f}\n",
           opt.work, opt.count, opt.sessions, wall, opt.count / wall, cpu >= 0 ? used * 1000 / opt.count : -1,
           p50, p99);
}

/* --- options --- */

static const struct load_option options[] = {
    {"host", .text = &opt.host},         {"port", .number = &opt.port},
    {"work", .text = &opt.work},         {"sessions", .number = &opt.sessions},
    {"count", .number = &opt.count},     {"tls", .text = &opt.tls},
    {"user", .text = &opt.user},         {"users", .number = &opt.users},
    {"password", .text = &opt.password}, {"size", .number = &opt.size},
    {"stay", .number = &opt.stay},       {"copies", .number = &opt.copies},
    {"run", .number = &opt.run},         {"pid", .number = &opt.pid},
    {"cgroup", .text = &opt.cgroup},
};

static void parse(int argc, char **argv)
{
    static const char *const works[] = {"logins", "mixed", "append", "commands"};
    bool known = false;
    load_options(argc, argv, options, sizeof options / sizeof *options);
    for (size_t i = 0; i < sizeof works / sizeof *works; i++)
        known = known || strcmp(opt.work, works[i]) == 0;
    if (!known)
        load_die("--work is logins, mixed, append or commands");
    if (opt.sessions < 1 || opt.sessions > 5000 || opt.count < 1 || opt.users < 1 || opt.size < 256 ||
        opt.copies < 1 || opt.stay < 0)
        load_die("sessions, count, users and copies must be positive, size 256 or more");
    if (opt.tls && strcmp(opt.tls, "implicit") != 0)
        load_die("--tls is implicit");
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    make_message();
    if (strcmp(opt.work, "commands") == 0)
        imap_steps_run();
    else
        run_sessions();
    return 0;
}
