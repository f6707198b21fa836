/* dovecot: starts and ends the server; doveadm stop and reload do the latter, too, and doveadm auth cache
 * speaks to it in the same way. */
#include "cli/doveadm.h"
#include "cli/server.h"
#include "role/master.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

enum { STOP_WAIT_MS = 10000, DOVECOT_USAGE = 89 };

static int find_master(struct cli *cli, pid_t *ret_pid)
{
    AUTO(buf_deinit) struct buf path = BUF_INIT(4096);
    const struct conf *c = cli_conf(cli);
    if (!c)
        return EX_TEMPFAIL;
    *ret_pid = server_pid(c);
    master_pid_path(c, &path);
    return *ret_pid ? CLI_FINE
                    : cli_fail_status(EX_TEMPFAIL, "Dovecot is not running (read from %s)", buf_cstr(&path));
}

static int signal_master(struct cli *cli, int signo)
{
    pid_t pid;
    int status = find_master(cli, &pid);
    if (status == CLI_FINE && kill(pid, signo) != 0)
        return cli_fail_status(EX_TEMPFAIL, "kill(%d, %d) failed: %s", pid, signo, strerror(errno));
    return status;
}

static int stop(struct cli *cli)
{
    int status = signal_master(cli, SIGTERM);
    if (status == CLI_FINE)
        (void)server_wait_end(cli->conf, STOP_WAIT_MS);
    return status;
}

static int reload(struct cli *cli)
{
    pid_t pid;
    if (!cli_check_print(cli))
        return EX_TEMPFAIL;
    int status = find_master(cli, &pid);
    return status == CLI_FINE ? server_reload(cli, pid) : status;
}

int doveadm_stop(int argc, char **argv, struct cli *cli)
{
    return argc == 1 ? stop(cli) : doveadm_usage();
}

int doveadm_reload(int argc, char **argv, struct cli *cli)
{
    return argc == 1 ? reload(cli) : doveadm_usage();
}

/* Every reload opens the files of the log again. */
int doveadm_log_reopen(int argc, char **argv, struct cli *cli)
{
    return doveadm_reload(argc, argv, cli);
}

/* flush [USER]...: everything is forgotten. How much that is, only auth knows. */
int doveadm_auth_cache(int argc, char **argv, struct cli *cli)
{
    if (argc < 2 || strcmp(argv[1], "flush") != 0)
        return doveadm_usage();
    int status = signal_master(cli, SIGUSR1);
    if (status == CLI_FINE)
        puts("cache entries flushed");
    return status;
}

static int start(struct cli *cli, bool foreground)
{
    AUTO(buf_deinit) struct buf path = BUF_INIT(4096);
    char *argv[] = {(char *)"run", NULL};
    const struct conf *c = cli_conf(cli);
    pid_t pid = c ? server_pid(c) : 0;
    if (!c)
        return EX_TEMPFAIL;
    master_pid_path(c, &path);
    if (pid)
        return cli_fail_status(EX_TEMPFAIL, "Dovecot is already running with PID %d (read from %s)", pid,
                               buf_cstr(&path));
    if (foreground)
        return cmd_run(1, argv, cli);
    return server_start(cli) == CLI_FINE ? CLI_FINE : EX_TEMPFAIL;
}

static int usage(void)
{
    fputs("Usage: dovecot [-F | -n | -a] [-c <config file>] [--help] [--version] [reload] [stop]\n", stderr);
    return DOVECOT_USAGE;
}

int compat_dovecot(int argc, char **argv, struct cli *cli)
{
    int option;
    bool foreground = false;
    opterr = 0;
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("malle " MALLE_VERSION);
        return CLI_FINE;
    }
    while ((option = getopt(argc, argv, "+c:Fna")) != -1) {
        if (option == '?')
            return usage();
        if (option == 'n' || option == 'a')
            return cmd_doveconf(argc, argv, cli);
        foreground |= option == 'F';
        if (option == 'c')
            cli_use_conf(cli, optarg);
    }
    if (optind == argc)
        return start(cli, foreground);
    const char *word = optind + 1 == argc ? argv[optind] : "";
    return strcmp(word, "stop") == 0 ? stop(cli) : strcmp(word, "reload") == 0 ? reload(cli) : usage();
}
