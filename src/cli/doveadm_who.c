/* doveadm who, kick and service status: the running sessions and roles, from the master's status and the
 * titles of processes ("imap joe@example.com 192.0.2.1"). */
#include "base/arena.h"
#include "base/num.h"
#include "cli/doveadm.h"
#include "cli/doveadm_print.h"
#include "cli/server.h"
#include "fmt/ip.h"
#include "role/master.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

enum { STATUS_BYTES_MAX = 4 << 20, SESSIONS_BYTES_MAX = 64 << 20 };

/* --- what runs --- */

struct session {
    str user, protocol, ip;
    pid_t pid;       /* of its process, or, parked, of the one that keeps it ... */
    uint32_t number; /* ... under this number; else 0 */
};

struct sessions {
    struct arena *a;
    struct session *v;
    size_t n, room;
    /* whom is meant */
    const char *user_mask; /* NULL: everybody */
    struct ip_net net;
    bool has_net;
};

static bool is_meant(const struct sessions *s, const struct session *one)
{
    struct ip_net address;
    AUTO(str_freep) char *user = str_dup(one->user);
    if (s->user_mask && !doveadm_mask_fits(s->user_mask, user))
        return false;
    return !s->has_net || (ip_parse(one->ip, &address) == RC_OK && ip_net_has(&s->net, &address));
}

/* One line of role/master_status.c: "child PID TITLE" or "parked PID NUMBER TITLE". */
static void take_line(struct sessions *s, str line)
{
    struct session one = {0};
    uint32_t pid = 0;
    str kind = str_take(&line, '\t');
    bool parked = str_eq(kind, S("parked"));
    if ((!parked && !str_eq(kind, S("child"))) ||
        num_parse_u32(str_take(&line, '\t'), INT32_MAX, &pid) != RC_OK ||
        (parked && num_parse_u32(str_take(&line, '\t'), UINT32_MAX, &one.number) != RC_OK))
        return;
    one.pid = (pid_t)pid;
    one.protocol = str_word(&line);
    one.user = str_word(&line);
    one.ip = str_word(&line);
    bool is_session = str_eq(one.protocol, S("imap")) || str_eq(one.protocol, S("pop3"));
    if (!is_session || !is_meant(s, &one))
        return;
    if (s->n == s->room) {
        s->v = arena_grow(s->a, s->v, s->n, sizeof *s->v);
        s->room = s->n < 8 ? 8 : 2 * s->n;
    }
    must(s->v);
    s->v[s->n++] = one;
}

static int ask_master(struct cli *cli, struct buf *ret)
{
    AUTO(buf_deinit) struct buf path = BUF_INIT(4096);
    const struct conf *c = cli_conf(cli);
    if (!c)
        return EX_TEMPFAIL;
    if (server_status(c, ret) == RC_OK)
        return EX_OK;
    master_socket_path(c, &path);
    return cli_fail_status(EX_TEMPFAIL, "net_connect_unix(%s) failed: %s", buf_cstr(&path), strerror(errno));
}

static int take_masks(struct sessions *s, char **masks)
{
    for (; *masks; masks++) {
        struct ip_net net;
        bool is_net = ip_net_parse(str_c(*masks), &net) == RC_OK;
        if (is_net ? s->has_net : s->user_mask != NULL)
            return doveadm_error(EX_USAGE, NULL, "Multiple %s masks not supported",
                                 is_net ? "network" : "username");
        if (is_net)
            s->net = net;
        else
            s->user_mask = *masks;
        s->has_net |= is_net;
    }
    return EX_OK;
}

/* status holds the texts of the sessions. */
static int find_sessions(struct cli *cli, char **masks, struct sessions *s, struct buf *status)
{
    int result = take_masks(s, masks);
    if (result == EX_OK)
        result = ask_master(cli, status);
    str rest = buf_str(status);
    while (result == EX_OK && rest.n)
        take_line(s, str_take(&rest, '\n'));
    return result;
}

/* --- who --- */

static bool is_same_user(const struct session *a, const struct session *b)
{
    return str_eq(a->user, b->user) && str_eq(a->protocol, b->protocol);
}

static bool is_first(const struct sessions *s, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (is_same_user(&s->v[k], &s->v[i]))
            return false;
    return true;
}

/* Whether an earlier session of the user comes from there, too. */
static bool has_ip_before(const struct sessions *s, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (is_same_user(&s->v[k], &s->v[i]) && str_eq(s->v[k].ip, s->v[i].ip))
            return true;
    return false;
}

static void gather_row(struct sessions *s, size_t first, str row[5])
{
    AUTO(buf_deinit) struct buf pids = BUF_INIT(SESSIONS_BYTES_MAX), ips = BUF_INIT(SESSIONS_BYTES_MAX);
    size_t count = 0;
    for (size_t i = first; i < s->n; i++) {
        if (!is_same_user(&s->v[first], &s->v[i]))
            continue;
        buf_printf(&pids, "%s%d", count++ ? " " : "", s->v[i].pid);
        if (s->v[i].ip.n && !has_ip_before(s, i))
            buf_printf(&ips, "%s" STR_FMT, ips.n ? " " : "", STR_ARG(s->v[i].ip));
    }
    row[0] = s->v[first].user;
    row[1] = arena_printf(s->a, "%zu", count);
    row[2] = s->v[first].protocol;
    row[3] = arena_printf(s->a, "(%s)", buf_cstr(&pids));
    row[4] = arena_printf(s->a, "(%s)", buf_cstr(&ips));
}

static void print_users(struct sessions *s)
{
    static const struct doveadm_column columns[] = {{"username", "username"},
                                                    {"connections", "#", .right = true},
                                                    {"service", "proto"},
                                                    {"pids", "(pids)"},
                                                    {"ips", "(ips)"}};
    str *cells = arena_array(s->a, 5 * s->n + 1, sizeof *cells);
    size_t rows = 0;
    must(cells);
    for (size_t i = 0; i < s->n; i++)
        if (is_first(s, i))
            gather_row(s, i, cells + 5 * rows++);
    doveadm_print(DOVEADM_TABLE, columns, 5, cells, rows);
}

static void print_each(struct sessions *s)
{
    static const struct doveadm_column columns[] = {
        {"username", "username", .wide = true}, {"service", "proto"}, {"pid", "pid"}, {"ip", "ip"}};
    str *cells = arena_array(s->a, 4 * s->n + 1, sizeof *cells);
    must(cells);
    for (size_t i = 0; i < s->n; i++) {
        str *row = cells + 4 * i;
        row[0] = s->v[i].user;
        row[1] = s->v[i].protocol;
        row[2] = arena_printf(s->a, "%d", s->v[i].pid);
        row[3] = s->v[i].ip;
    }
    doveadm_print(DOVEADM_TABLE, columns, 4, cells, s->n);
}

int doveadm_who(int argc, char **argv, struct cli *cli)
{
    AUTO(arena_freep) struct arena *a = arena_new(SESSIONS_BYTES_MAX);
    AUTO(buf_deinit) struct buf status = BUF_INIT(STATUS_BYTES_MAX);
    struct sessions s = {.a = a};
    bool each = false;
    for (int option; (option = getopt(argc, argv, "+1")) != -1; each = true)
        if (option == '?')
            return doveadm_usage();
    int result = find_sessions(cli, argv + optind, &s, &status);
    if (result != EX_OK)
        return result;
    if (each)
        print_each(&s);
    else
        print_users(&s);
    return EX_OK;
}

/* --- kick --- */

static int compare_users(const void *a, const void *b)
{
    const struct session *x = a, *y = b;
    return str_cmp(x->user, y->user);
}

/* Ends the sessions and keeps those that were. */
static void end_sessions(struct sessions *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct session *one = &s->v[i];
        const union sigval number = {.sival_int = (int)one->number};
        int failed =
            one->number > 0 ? sigqueue(one->pid, MASTER_KICK_SIGNAL, number) : kill(one->pid, SIGTERM);
        if (!failed)
            s->v[n++] = *one;
        else if (errno != ESRCH)
            fprintf(stderr, "kill(%d, SIGTERM) failed: %s\n", one->pid, strerror(errno));
    }
    s->n = n;
}

int doveadm_kick(int argc, char **argv, struct cli *cli)
{
    AUTO(arena_freep) struct arena *a = arena_new(SESSIONS_BYTES_MAX);
    AUTO(buf_deinit) struct buf status = BUF_INIT(STATUS_BYTES_MAX);
    struct sessions s = {.a = a};
    for (int option; (option = getopt(argc, argv, "+f")) != -1;)
        if (option == '?')
            return doveadm_usage();
    if (optind == argc)
        return doveadm_error(EX_USAGE, NULL, "user and/or ip[/bits] must be specified.");
    int result = find_sessions(cli, argv + optind, &s, &status);
    if (result != EX_OK)
        return result;
    end_sessions(&s);
    if (s.n == 0) {
        puts("no users kicked");
        return DOVEADM_NOT_FOUND;
    }
    qsort(s.v, s.n, sizeof *s.v, compare_users);
    puts("kicked connections from the following users:");
    for (size_t i = 0; i < s.n; i++)
        if (i == 0 || !str_eq(s.v[i - 1].user, s.v[i].user))
            printf(STR_FMT " ", STR_ARG(s.v[i].user));
    putchar('\n');
    return EX_OK;
}

/* --- service status --- */

enum { SERVICE_COLUMNS = 3 };

struct services {
    struct arena *a;
    char **names; /* those that are meant, and NULL; none: all */
    str *cells;
    size_t rows, room;
    str name; /* of the one whose processes are counted */
    unsigned processes, restarts;
};

static bool is_named(char **names, str name)
{
    if (!*names)
        return true;
    for (; *names; names++)
        if (str_eq(str_c(*names), name))
            return true;
    return false;
}

static void add_service(struct services *s)
{
    if (s->name.n == 0 || !is_named(s->names, s->name))
        return;
    if (s->rows == s->room) {
        s->cells = arena_grow(s->a, s->cells, s->rows, SERVICE_COLUMNS * sizeof *s->cells);
        s->room = s->rows < 8 ? 8 : 2 * s->rows;
    }
    must(s->cells);
    str *row = s->cells + SERVICE_COLUMNS * s->rows++;
    row[0] = s->name;
    row[1] = arena_printf(s->a, "%u", s->processes);
    row[2] = arena_printf(s->a, "%u", s->processes + s->restarts);
}

/* "role PID READY RESTARTS UPTIME NAME", each followed by its children */
static void begin_service(struct services *s, str line)
{
    uint32_t pid = 0, restarts = 0;
    (void)!num_parse_u32(str_take(&line, '\t'), INT32_MAX, &pid);
    (void)str_take(&line, '\t');
    (void)!num_parse_u32(str_take(&line, '\t'), UINT32_MAX, &restarts);
    (void)str_take(&line, '\t');
    s->name = line;
    s->processes = pid != 0;
    s->restarts = restarts;
}

int doveadm_service_status(int argc, char **argv, struct cli *cli)
{
    static const struct doveadm_column columns[SERVICE_COLUMNS] = {
        {"name", "name"}, {"process_count", "process_count"}, {"process_total", "process_total"}};
    AUTO(arena_freep) struct arena *a = arena_new(SESSIONS_BYTES_MAX);
    AUTO(buf_deinit) struct buf status = BUF_INIT(STATUS_BYTES_MAX);
    struct services s = {.a = a, .names = argv + 1};
    int result = ask_master(cli, &status);
    if (result != EX_OK)
        return result;
    for (str rest = buf_str(&status), line; rest.n;) {
        line = str_take(&rest, '\n');
        str kind = str_take(&line, '\t');
        if (str_eq(kind, S("role"))) {
            add_service(&s);
            begin_service(&s, line);
        } else if (str_eq(kind, S("child"))) {
            s.processes++;
        }
    }
    add_service(&s);
    doveadm_print(DOVEADM_PAGER, columns, SERVICE_COLUMNS, s.cells, s.rows);
    return EX_OK;
}
