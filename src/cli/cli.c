/* The options before the command, whose voice errors have, and the help. */
#include "cli/cli.h"

#include "cli/conf_path.h"

#include <stdarg.h>
#include <unistd.h>

#define DEFAULT_CONF "/etc/malle/malle.conf"
enum { SETS_MAX = 200 };

/* The running command: it says how errors begin. */
static const struct cli_command *speaker;

enum kind { KIND_FATAL, KIND_WARNING, KIND_INFO };

PRINTF(2, 0)
static void complain(enum kind kind, const char *fmt, va_list ap, const char *ending)
{
    static const char *const words[][3] = {[CLI_VOICE_MALLE] = {"", "warning: ", ""},
                                           [CLI_VOICE_POSTFIX] = {"fatal: ", "warning: ", ""},
                                           [CLI_VOICE_DOVECOT] = {"Fatal: ", "Warning: ", ""}};
    enum cli_voice voice = speaker ? speaker->voice : CLI_VOICE_MALLE;
    char text[1000];
    vsnprintf(text, sizeof text, fmt, ap);
    if (voice != CLI_VOICE_DOVECOT) /* Dovecot's programs do not say who speaks */
        fprintf(stderr, "%s: ", voice == CLI_VOICE_MALLE ? "malle" : speaker->name);
    fprintf(stderr, "%s%s%s\n", words[voice][kind], text, ending);
}

int cli_usage(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    complain(KIND_FATAL, fmt, ap, "; see malle --help");
    va_end(ap);
    return CLI_USAGE;
}

int cli_fail(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    complain(KIND_FATAL, fmt, ap, "");
    va_end(ap);
    return CLI_FINDING;
}

int cli_fail_status(int status, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    complain(KIND_FATAL, fmt, ap, "");
    va_end(ap);
    return status;
}

void cli_warn(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    complain(KIND_WARNING, fmt, ap, "");
    va_end(ap);
}

void cli_say(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    complain(KIND_INFO, fmt, ap, "");
    va_end(ap);
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
        if (speaker && speaker->program) /* its callers want what the original says */
            conf_report_drop_warnings(&report);
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
    for (size_t i = 0; i < cli_command_count; i++)
        put_command(&text, &cli_commands[i]);
    return cli_print(&text);
}

int cmd_help(int argc, char **argv, struct cli *cli)
{
    struct buf text AUTO(buf_deinit) = BUF_INIT(64 << 10);
    const struct cli_command *c = argc > 1 ? cli_find_command(argv[1]) : NULL;
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
    speaker = command;
    int status = asks ? cmd_help(2, help, cli) : command->run(argc, argv, cli);
    cli->conf = conf_free(cli->conf);
    return status;
}

void cli_use_conf(struct cli *cli, const char *path)
{
    static struct buf room = BUF_INIT(4096);
    buf_reset(&room);
    conf_path_of(path, &room);
    cli->conf_path = room.overflow ? path : buf_cstr(&room);
}

/* The program is also those of Postfix and Dovecot, by links of their names. */
static const struct cli_command *called_as(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL, *name = slash ? slash + 1 : path;
    const struct cli_command *command = name ? cli_find_command(name) : NULL;
    return command && command->program ? command : NULL;
}

/* Postfix's programs take the place of the settings from the environment as well. */
static int run_link(const struct cli_command *link, int argc, char **argv, struct cli *cli)
{
    const char *path = getenv("MAIL_CONFIG");
    if (path && path[0])
        cli_use_conf(cli, path);
    return run_command(link, argc, argv, cli);
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
        return run_link(link, argc, argv, &cli);
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
            cli_use_conf(&cli, argv[++i]);
    }
    const struct cli_command *command = i < argc ? cli_find_command(argv[i]) : NULL;
    bool is_program = command && command->program; /* whose options are its own */
    argc = is_program ? argc - i : take_json(argc - i, argv + i, &cli.json);
    if (argc == 0)
        return cli_usage("which command?");
    if (!is_program)
        command = cli_find_command(argv[i]);
    return command ? run_command(command, argc, argv + i, &cli)
                   : cli_usage("there is no command \"%s\"", argv[i]);
}
