/* postlog: a line in the log, for scripts. */
#include "cli/program_log.h"

#include <unistd.h>

enum { LINE_BYTES_MAX = 8192 };

struct order {
    enum program_severity severity;
    const char *tag;
};

/* -i and -v are taken: the process id is always told. */
static int take_option(struct order *o, int option, struct cli *cli)
{
    switch (option) {
    case 'c':
        cli_use_conf(cli, optarg);
        return CLI_FINE;
    case 'p':
        return program_severity_parse(str_c(optarg), &o->severity) == RC_OK
                   ? CLI_FINE
                   : cli_fail("bad severity: \"%s\"", optarg);
    case 't':
        o->tag = optarg;
        return CLI_FINE;
    case 'i':
    case 'v':
        return CLI_FINE;
    default:
        return cli_fail("usage: postlog [-c config_dir] [-i] [-p priority] [-t tag] [-v] [text]");
    }
}

static void log_words(enum program_severity severity, char **words, int n)
{
    AUTO(buf_deinit) struct buf line = BUF_INIT(LINE_BYTES_MAX);
    for (int i = 0; i < n; i++)
        buf_printf(&line, "%s%s", i ? " " : "", words[i]);
    program_log(severity, "%s", buf_cstr(&line));
}

static void log_input(enum program_severity severity)
{
    char line[LINE_BYTES_MAX];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        program_log(severity, "%s", line);
    }
}

int compat_postlog(int argc, char **argv, struct cli *cli)
{
    struct order o = {.tag = "postfix/postlog"};
    int option, status = CLI_FINE;
    opterr = 0;
    while (status == CLI_FINE && (option = getopt(argc, argv, "+c:ip:t:v")) != -1)
        status = take_option(&o, option, cli);
    const struct conf *c = status == CLI_FINE ? cli_conf(cli) : NULL;
    if (!c)
        return CLI_FINDING;
    program_log_open(c, o.tag);
    if (optind < argc)
        log_words(o.severity, argv + optind, argc - optind);
    else
        log_input(o.severity);
    return CLI_FINE;
}
