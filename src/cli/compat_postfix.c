/* postfix: starts, stops and looks at the server, with the words of Postfix's own script: told to the log,
 * and to who sits at a terminal. */
#include "cli/program_log.h"
#include "cli/server.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

enum { STOP_WAIT_MS = 10000, KILL_WAIT_MS = 5000, SECOND_MS = 1000 };

static int not_running(void)
{
    return program_fatal("the Postfix mail system is not running");
}

static int signal_server(pid_t pid, int signo)
{
    return kill(pid, signo) == 0 ? CLI_FINE
                                 : program_fatal("cannot signal process %d: %s", pid, strerror(errno));
}

static int check_before_start(struct cli *cli, pid_t pid)
{
    if (pid)
        return program_fatal("the Postfix mail system is already running");
    if (!cli_check_print(cli))
        return program_fatal("Postfix integrity check failed!");
    program_log(PROGRAM_INFO, "starting the Postfix mail system");
    return CLI_FINE;
}

static int start(struct cli *cli, pid_t pid)
{
    if (check_before_start(cli, pid) != CLI_FINE)
        return CLI_FINDING;
    return server_start(cli) == CLI_FINE ? CLI_FINE : program_fatal("mail system startup failed");
}

static int start_in_foreground(struct cli *cli, pid_t pid)
{
    char *argv[] = {(char *)"run", NULL};
    return check_before_start(cli, pid) == CLI_FINE ? cmd_run(1, argv, cli) : CLI_FINDING;
}

static int stop(struct cli *cli, pid_t pid)
{
    if (!pid)
        return not_running();
    program_log(PROGRAM_INFO, "stopping the Postfix mail system");
    if (signal_server(pid, SIGTERM) != CLI_FINE)
        return CLI_FINDING;
    for (int waited = 0; waited < STOP_WAIT_MS; waited += SECOND_MS) {
        if (server_wait_end(cli->conf, SECOND_MS))
            return CLI_FINE;
        program_log(PROGRAM_INFO, "waiting for the Postfix mail system to terminate");
    }
    program_log(PROGRAM_WARN, "stopping the Postfix mail system with force");
    if (server_pid(cli->conf) == pid && signal_server(pid, SIGKILL) != CLI_FINE)
        return CLI_FINDING;
    return server_wait_end(cli->conf, KILL_WAIT_MS) ? CLI_FINE : CLI_FINDING;
}

static int abort_server(struct cli *cli, pid_t pid)
{
    if (!pid)
        return not_running();
    program_log(PROGRAM_INFO, "aborting the Postfix mail system");
    return signal_server(pid, SIGTERM);
}

static int reload(struct cli *cli, pid_t pid)
{
    if (!pid)
        return not_running();
    program_log(PROGRAM_INFO, "refreshing the Postfix mail system");
    return cli_check_print(cli) ? server_reload(cli, pid) : CLI_FINDING;
}

static int status(struct cli *cli, pid_t pid)
{
    if (pid)
        program_log(PROGRAM_INFO, "the Postfix mail system is running: PID: %d", pid);
    else
        program_log(PROGRAM_INFO, "the Postfix mail system is not running");
    return pid ? CLI_FINE : CLI_FINDING;
}

static int flush(struct cli *cli, pid_t pid)
{
    char *argv[] = {(char *)"postqueue", (char *)"-f", NULL};
    optind = 0; /* another command line is read now */
    return compat_postqueue(2, argv, cli);
}

static int check(struct cli *cli, pid_t pid)
{
    return cli_check_print(cli) ? CLI_FINE : CLI_FINDING;
}

static int set_permissions(struct cli *cli, pid_t pid)
{
    program_log(PROGRAM_INFO, "owners and permissions are set whenever the mail system is started");
    return CLI_FINE;
}

static int upgrade(struct cli *cli, pid_t pid)
{
    program_log(PROGRAM_INFO, "main.cf and master.cf are read as they are: nothing has to be upgraded");
    return CLI_FINE;
}

static int rotate(struct cli *cli, pid_t pid)
{
    return program_fatal("malle does not rotate its log (log_target = %s): logrotate(8) does, and `postfix "
                         "reload` after it opens the file anew",
                         cli->conf->log_target);
}

static int tls(struct cli *cli, pid_t pid)
{
    return program_fatal("malle makes no keys and certificates for main.cf: certbot(1) does, and without "
                         "any malle makes one for itself");
}

static const struct {
    const char *name;
    int (*run)(struct cli *cli, pid_t pid);
} commands[] = {
    {"start", start},
    {"start-fg", start_in_foreground},
    {"stop", stop},
    {"abort", abort_server},
    {"reload", reload},
    {"flush", flush},
    {"check", check},
    {"status", status},
    {"set-permissions", set_permissions},
    {"upgrade-configuration", upgrade},
    {"logrotate", rotate},
    {"tls", tls},
};

int compat_postfix(int argc, char **argv, struct cli *cli)
{
    int option;
    bool understood = true;
    opterr = 0;
    while (understood && (option = getopt(argc, argv, "+c:Dv")) != -1) {
        understood = option != '?';
        if (option == 'c')
            cli_use_conf(cli, optarg);
    }
    if (!understood || optind == argc)
        return cli_fail("usage: postfix [-c config_dir] [-Dv] command");
    const struct conf *c = cli_conf(cli);
    if (!c)
        return CLI_FINDING;
    program_log_open(c, "postfix/postfix-script");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[optind], commands[i].name) == 0)
            return commands[i].run(cli, server_pid(c));
    return program_fatal("unknown command: '%s'. Usage: postfix start (or stop, reload, abort, flush, check, "
                         "status, set-permissions, upgrade-configuration)",
                         argv[optind]);
}

/* Instances of Postfix share programs; each of malle has settings of its own. */
int compat_postmulti(int argc, char **argv, struct cli *cli)
{
    return cli_fail("malle has no instances below one another: another server is `malle -c FOLDER run`, with "
                    "state_dir and run_dir of its own");
}
