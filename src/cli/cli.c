/* The command table, the options before the command, and the help that is made from both. */
#include "cli/cli.h"

#include <stdarg.h>
#include <unistd.h>

#define DEFAULT_CONF "/etc/malle/malle.conf"
enum { SETS_MAX = 200 };

static int cmd_help(int argc, char **argv, struct cli *cli);

/* One row per command, in the order of the help. */
static const struct cli_command commands[] = {
    {"check", cmd_check, "", "read the settings and report everything that is wrong with them"},
    {"config", cmd_config, "[--all] [NAME]...",
     "print the settings that differ from the defaults, and where they are set"},
    {"run", cmd_run, "", "run the server in the foreground until SIGTERM or SIGINT"},
    {"migrate", cmd_migrate, "",
     "print one malle.conf for the files of Postfix and Dovecot in the folder of -c"},
    {"status", cmd_status, "", "print the running server's processes"},
    {"reload", cmd_reload, "", "make the running server read its settings and certificates again"},
    {"stop", cmd_stop, "", "end the running server"},
    {"user", cmd_user,
     "add|passwd|list|info|del|empty|enable|disable|quota|freeze|unfreeze|frozen [ADDRESS] [OPTION]...",
     "the accounts: --password P (else asked or read from standard input), --hash H, --quota SIZE; del "
     "--mail deletes "
     "the mail, too; --yes confirms; freeze stops an account's mail to other servers, frozen lists such "
     "accounts"},
    {"alias", cmd_alias,
     "add ADDRESS TARGET... | add --masked USER | add --block ADDRESS | list [DOMAIN] | del ADDRESS [TARGET] "
     "| "
     "enable|disable ADDRESS",
     "addresses that lead to others; @DOMAIN is whatever is not there otherwise; a masked address is a "
     "random one "
     "that hides the account's: --note TEXT, --expires TIME; mail for a blocked one is refused, with the "
     "note"},
    {"domain", cmd_domain, "add|del DOMAIN | list",
     "domains that receive mail beside those of the configuration"},
    {"queue", cmd_queue,
     "list|stats|show|cat|retry|hold|release|delete|requeue|bounce [ID]...|ALL [FILTER]...",
     "what waits to be delivered; filters: --sender A, --recipient A, --domain D (of recipients), --age TIME "
     "(older than), --size SIZE (larger than), --reason TEXT, --limit N (messages, the oldest); all but list "
     "and stats need an ID, ALL or a filter; cat prints one message as it is, several as an mbox"},
    {"help", cmd_help, "[COMMAND]", "this text, or a command's part of it, as --help does"},
    {"trace", cmd_trace, "ID|ADDRESS|MESSAGE-ID [--log FILE]...",
     "tell what happened to a message, from the log files and the queue; --log - reads standard input"},
    {"sendmail", cmd_sendmail, "[-t] [-i] [-f SENDER] [-F NAME] [ADDRESS]... | -bs | -bp | -q",
     "send the message on standard input, with the options of sendmail(1); malle called as sendmail, mailq "
     "or "
     "newaliases does this, too"},
    {"pickup", cmd_pickup, "",
     "send now what sendmail kept while no server ran; the server does this by itself"},
    {"mailq", cmd_mailq, "", "list the queue as Postfix does"},
    {"newaliases", cmd_newaliases, "", "make the look-up tables of aliases again where their text is newer"},
    {"doveconf", cmd_doveconf, "[-c FILE] [-n|-a] [-h] [-P] [NAME]...",
     "print Dovecot's settings, as doveconf(1) does"},
    {"postconf", cmd_postconf, "[-c FOLDER] [-dfhHnx] [-M|-F|-P|-e|-X|-#] [NAME[=VALUE]]...",
     "print or edit Postfix's main.cf and master.cf, as postconf(1) does"},
    {"postmap", cmd_postmap, "[-fioprsw] [-q KEY] [-d KEY] [TYPE:]FILE...",
     "make FILE.lmdb, the hash: or lmdb: look-up table of FILE; -q asks any table, -s lists one, -d takes "
     "keys out; "
     "the options of postmap(1)"},
};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static void complain(const char *fmt, va_list ap, const char *ending)
{
    char text[1000];
    vsnprintf(text, sizeof text, fmt, ap);
    fprintf(stderr, "malle: %s%s\n", text, ending);
}

int cli_usage(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    complain(fmt, ap, "; see malle --help");
    va_end(ap);
    return CLI_USAGE;
}

int cli_fail(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    complain(fmt, ap, "");
    va_end(ap);
    return CLI_FINDING;
}

int cli_print(const struct buf *text)
{
    must(!text->overflow);
    if (text->n && fwrite(text->p, 1, text->n, stdout) != text->n)
        return CLI_FINDING;
    return fflush(stdout) == 0 ? CLI_FINE : CLI_FINDING;
}

const struct conf *cli_conf(struct cli *cli)
{
    struct conf_report report = {0};
    struct buf text AUTO(buf_deinit) = BUF_INIT(1 << 20);
    if (!cli->conf) {
        cli->conf = conf_load(cli->conf_path, cli->sets, cli->set_count, &report);
        conf_report_format(&report, &text);
        fputs(buf_cstr(&text), stderr);
        conf_report_deinit(&report);
    }
    return cli->conf;
}

static void put_command(struct buf *text, const struct cli_command *c)
{
    buf_printf(text, "  %s%s%s\n      %s\n", c->name, c->arguments[0] ? " " : "", c->arguments, c->help);
}

static int print_help(void)
{
    struct buf text AUTO(buf_deinit) = BUF_INIT(64 << 10);
    buf_printf(&text, "malle " MALLE_VERSION ", a whole mail server\n\n"
                      "usage: malle [-c FILE] [--set NAME=VALUE]... COMMAND [ARGUMENT]... [--json]\n\n"
                      "  -c FILE           read this file instead of " DEFAULT_CONF "; a folder with\n"
                      "                    postfix/main.cf and dovecot/dovecot.conf, as /etc, does as well\n"
                      "  --set NAME=VALUE  override one setting (listener.NAME.KEY, domain.NAME.KEY for "
                      "those in sections)\n"
                      "  --json            print lists as JSON\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        put_command(&text, &commands[i]);
    return cli_print(&text);
}

static const struct cli_command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(name, commands[i].name) == 0)
            return &commands[i];
    return NULL;
}

static int cmd_help(int argc, char **argv, struct cli *cli)
{
    struct buf text AUTO(buf_deinit) = BUF_INIT(64 << 10);
    const struct cli_command *c = argc > 1 ? find_command(argv[1]) : NULL;
    if (argc == 1)
        return print_help();
    if (!c)
        return cli_usage("there is no command \"%s\"", argv[1]);
    put_command(&text, c);
    return cli_print(&text);
}

static int print_version(void)
{
    struct buf text AUTO(buf_deinit) = BUF_INIT(100);
    buf_printf(&text, "malle " MALLE_VERSION "\n");
    return cli_print(&text);
}

/* Takes --json out of the arguments up to "--". */
static int take_json(int argc, char **argv, bool *ret_json)
{
    int kept = 0;
    bool open = true;
    for (int i = 0; i < argc; i++) {
        open = open && strcmp(argv[i], "--") != 0;
        if (open && strcmp(argv[i], "--json") == 0)
            *ret_json = true;
        else
            argv[kept++] = argv[i];
    }
    argv[kept] = NULL;
    return kept;
}

static int run_command(const struct cli_command *command, int argc, char **argv, struct cli *cli)
{
    char *help[] = {argv[0], (char *)command->name, NULL};
    bool asks = argc == 2 && strcmp(argv[1], "--help") == 0;
    int status = asks ? cmd_help(2, help, cli) : command->run(argc, argv, cli);
    cli->conf = conf_free(cli->conf);
    return status;
}

/* The program is also sendmail, mailq and newaliases, by links of these names. */
static const struct cli_command *called_as(const char *path)
{
    static const char *const names[] = {"sendmail", "mailq", "newaliases"};
    const char *slash = path ? strrchr(path, '/') : NULL, *name = slash ? slash + 1 : path;
    for (size_t i = 0; name && i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return find_command(name);
    return NULL;
}

/* malle's own file, else those of Postfix and Dovecot where they have always been. */
static const char *default_conf(void)
{
    if (access(DEFAULT_CONF, F_OK) != 0 &&
        (access("/etc/postfix/main.cf", F_OK) == 0 || access("/etc/dovecot/dovecot.conf", F_OK) == 0))
        return "/etc";
    return DEFAULT_CONF;
}

int cli_main(int argc, char **argv)
{
    const char *sets[SETS_MAX];
    struct cli cli = {.conf_path = default_conf(), .sets = sets};
    const struct cli_command *link = called_as(argv[0]);
    if (link)
        return run_command(link, argc, argv, &cli);
    int i = 1;
    for (; i < argc && argv[i][0] == '-' && strcmp(argv[i], "--json") != 0; i++) {
        bool is_set = strcmp(argv[i], "--set") == 0;
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return print_help();
        if (strcmp(argv[i], "--version") == 0)
            return print_version();
        if (!is_set && strcmp(argv[i], "-c") != 0)
            return cli_usage("there is no option \"%s\"", argv[i]);
        if (i + 1 == argc || (is_set && cli.set_count == SETS_MAX))
            return cli_usage("%s needs %s", argv[i],
                             is_set ? "NAME=VALUE, at most 200 times" : "the name of a file");
        if (is_set && !strchr(argv[i + 1], '='))
            return cli_usage("--set expects NAME=VALUE, found \"%s\"", argv[i + 1]);
        if (is_set)
            sets[cli.set_count++] = argv[++i];
        else
            cli.conf_path = argv[++i];
    }
    argc = take_json(argc - i, argv + i, &cli.json);
    if (argc == 0)
        return cli_usage("which command?");
    const struct cli_command *command = find_command(argv[i]);
    return command ? run_command(command, argc, argv + i, &cli)
                   : cli_usage("there is no command \"%s\"", argv[i]);
}
