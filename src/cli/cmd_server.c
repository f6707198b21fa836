/* `malle run|stop|reload|status`: the server as a whole. stop and reload find the master by its pid file,
 * whose lock tells whether it runs. */
#include "cli/cli.h"
#include "cli/server.h"

#include "base/num.h"
#include "fmt/json.h"
#include "role/master.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

enum { STOP_WAIT_MS = 5000 };

int cmd_run(int argc, char **argv, struct cli *cli)
{
    if (argc != 1)
        return cli_usage("run takes no arguments");
    const struct conf *c = cli_conf(cli);
    if (!c)
        return CLI_FINDING;
    struct master_start start = {
        .conf_path = cli->conf_path, .sets = cli->sets, .n_sets = cli->set_count, .conf = c};
    return master_run(&start);
}

static int find_master(struct cli *cli, pid_t *ret_pid)
{
    const struct conf *c = cli_conf(cli);
    if (!c)
        return CLI_FINDING;
    pid_t pid = server_pid(c);
    if (pid == 0)
        return cli_fail("no server runs with run_dir %s; start it with `malle run`", c->run_dir);
    *ret_pid = pid;
    return CLI_FINE;
}

int cmd_stop(int argc, char **argv, struct cli *cli)
{
    pid_t pid;
    if (argc != 1)
        return cli_usage("stop takes no arguments");
    int status = find_master(cli, &pid);
    if (status != CLI_FINE)
        return status;
    if (kill(pid, SIGTERM) != 0)
        return cli_fail("cannot signal the server (process %d): %s", pid, strerror(errno));
    if (server_wait_end(cli->conf, STOP_WAIT_MS))
        return CLI_FINE;
    return cli_fail("the server (process %d) has not ended after %d seconds; see its log", pid,
                    STOP_WAIT_MS / 1000);
}

int cmd_reload(int argc, char **argv, struct cli *cli)
{
    pid_t pid;
    if (argc != 1)
        return cli_usage("reload takes no arguments");
    /* the master would only log what is wrong, and go on as before */
    if (!cli_check_print(cli))
        return CLI_FINDING;
    int status = find_master(cli, &pid);
    return status == CLI_FINE ? server_reload(cli, pid) : status;
}

static long long field_number(str *line)
{
    uint64_t v = 0;
    return num_parse_u64(str_take(line, '\t'), INT64_MAX, &v) == RC_OK ? (long long)v : 0;
}

/* The lines of role/master_status.c as one JSON object. */
static void status_json(str lines, struct buf *out)
{
    struct json j = {.out = out};
    bool in_role = false;
    long long parked = 0;
    json_open_object(&j, NULL);
    while (lines.n > 0) {
        str line = str_take(&lines, '\n'), kind = str_take(&line, '\t');
        long long pid = field_number(&line);
        if (str_eq(kind, S("parked"))) {
            parked++;
            continue;
        }
        if (str_eq(kind, S("child"))) {
            json_open_object(&j, NULL);
            json_put_int(&j, "pid", pid);
            json_put_str(&j, "title", line);
            json_close_object(&j);
            continue;
        }
        bool ready = field_number(&line) == 1;
        if (str_eq(kind, S("master"))) {
            json_put_int(&j, "pid", pid);
            json_put_bool(&j, "ready", ready);
            json_put_int(&j, "since", field_number(&line));
            json_put_int(&j, "reloads_begun", field_number(&line));
            json_put_int(&j, "reloads_over", field_number(&line));
            json_put_bool(&j, "reload_refused", field_number(&line) == 1);
            json_put_str(&j, "version", line);
            json_open_array(&j, "roles");
            continue;
        }
        if (in_role) {
            json_close_array(&j);
            json_close_object(&j);
        }
        in_role = true;
        json_open_object(&j, NULL);
        json_put_int(&j, "pid", pid);
        json_put_bool(&j, "ready", ready);
        json_put_int(&j, "restarts", field_number(&line));
        json_put_int(&j, "uptime_s", field_number(&line));
        json_put_str(&j, "role", line);
        json_open_array(&j, "children");
    }
    if (in_role) {
        json_close_array(&j);
        json_close_object(&j);
    }
    json_close_array(&j);
    json_put_int(&j, "parked", parked);
    json_close_object(&j);
    buf_putc(out, '\n');
}

static void status_text(str lines, struct buf *out)
{
    long long parked = 0;
    while (lines.n > 0) {
        str line = str_take(&lines, '\n'), kind = str_take(&line, '\t');
        long long pid = field_number(&line);
        if (str_eq(kind, S("parked"))) {
            parked++;
            continue;
        }
        if (str_eq(kind, S("child"))) {
            buf_printf(out, "    %-8lld " STR_FMT "\n", pid, STR_ARG(line));
            continue;
        }
        bool ready = field_number(&line) == 1;
        if (str_eq(kind, S("master"))) {
            for (int skipped = 0; skipped < 4; skipped++)
                (void)str_take(&line, '\t');
            buf_printf(out, "malle " STR_FMT ", master process %lld, %s\n", STR_ARG(line), pid,
                       ready ? "all roles run" : "NOT all roles run");
            continue;
        }
        long long restarts = field_number(&line), uptime = field_number(&line);
        buf_printf(out, "  %-8lld " STR_FMT ": %s for %lld s, %lld restarts\n", pid, STR_ARG(line),
                   ready ? "up" : "DOWN", uptime, restarts);
    }
    if (parked > 0)
        buf_printf(out, "  %lld idle IMAP sessions are parked\n", parked);
}

int cmd_status(int argc, char **argv, struct cli *cli)
{
    struct buf lines AUTO(buf_deinit) = BUF_INIT(SERVER_STATUS_MAX),
                     out AUTO(buf_deinit) = BUF_INIT(4 * SERVER_STATUS_MAX);
    if (argc != 1)
        return cli_usage("status takes no arguments");
    const struct conf *c = cli_conf(cli);
    if (!c)
        return CLI_FINDING;
    if (server_status(c, &lines) != RC_OK)
        return cli_fail("no server answers in run_dir %s (or you may not ask it); start it with `malle run`",
                        c->run_dir);
    if (cli->json)
        status_json(buf_str(&lines), &out);
    else
        status_text(buf_str(&lines), &out);
    str head = buf_str(&lines);
    (void)str_take(&head, '\t'); /* "master" */
    (void)str_take(&head, '\t'); /* its process id */
    bool ready = str_starts(head, S("1\t"));
    int status = cli_print(&out);
    return status == CLI_FINE && !ready ? CLI_FINDING : status;
}
