/* The command table, the options before the command, and the help that is made from both. */
#include "cli/cli.h"

#include <stdarg.h>
#include <unistd.h>

#define DEFAULT_CONF "/etc/malle/malle.conf"
enum { SETS_MAX = 200 };

/* One row per command, in the order of the help. */
static const struct cli_command commands[] = {
    {"check", cmd_check, "", "read the settings and report everything that is wrong with them"},
    {"config", cmd_config, "[--all] [NAME]...",
     "print the settings that differ from the defaults, and where they are set"},
    {"run", cmd_run, "", "run the server in the foreground until SIGTERM or SIGINT"},
    {"status", cmd_status, "", "print the running server's processes"},
    {"reload", cmd_reload, "", "make the running server read its settings and certificates again"},
    {"stop", cmd_stop, "", "end the running server"},
    {"user", cmd_user, "add|passwd|list|info|del|empty|enable|disable|quota [ADDRESS] [OPTION]...",
     "the accounts: --password P (else asked or read from standard input), --hash H, --quota SIZE; del "
     "--mail deletes "
     "the mail, too; --yes confirms"},
    {"alias", cmd_alias, "add ADDRESS TARGET... | list [DOMAIN] | del ADDRESS [TARGET]",
     "addresses that lead to others; @DOMAIN is whatever is not there otherwise"},
    {"domain", cmd_domain, "add|del DOMAIN | list",
     "domains that receive mail beside those of the configuration"},
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

static int print_help(void)
{
    struct buf text AUTO(buf_deinit) = BUF_INIT(64 << 10);
    buf_printf(&text, "malle " MALLE_VERSION ", a whole mail server\n\n"
                      "usage: malle [-c FILE] [--set NAME=VALUE]... COMMAND [ARGUMENT]... [--json]\n\n"
                      "  -c FILE           read this file instead of " DEFAULT_CONF "\n"
                      "  --set NAME=VALUE  override one setting (listener.NAME.KEY, domain.NAME.KEY for "
                      "those in sections)\n"
                      "  --json            print lists as JSON\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        buf_printf(&text, "  %s%s%s\n      %s\n", commands[i].name, commands[i].arguments[0] ? " " : "",
                   commands[i].arguments, commands[i].help);
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

static int run_command(int argc, char **argv, struct cli *cli)
{
    argc = take_json(argc, argv, &cli->json);
    if (argc == 0)
        return cli_usage("which command?");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(argv[0], commands[i].name) == 0) {
            int status = commands[i].run(argc, argv, cli);
            cli->conf = conf_free(cli->conf);
            return status;
        }
    }
    return cli_usage("there is no command \"%s\"", argv[0]);
}

int cli_main(int argc, char **argv)
{
    const char *sets[SETS_MAX];
    struct cli cli = {.conf_path = DEFAULT_CONF, .sets = sets};
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
    return run_command(argc - i, argv + i, &cli);
}
