/* doveadm: the commands that malle has of it. */
#include "cli/doveadm.h"
#include "cli/doveadm_print.h"

#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *conf_file; /* of -c, when it is a file */
enum { SETTINGS_MAX = 32 };
static const char *settings[SETTINGS_MAX]; /* of -o, "NAME=VALUE" */
static size_t n_settings;

const char *doveadm_setting(const char *name)
{
    size_t n = strlen(name);
    for (size_t i = n_settings; i > 0; i--)
        if (strncmp(settings[i - 1], name, n) == 0 && settings[i - 1][n] == '=')
            return settings[i - 1] + n + 1;
    return NULL;
}

/* What doveconf(1) does, with the settings of doveadm's -c. */
static int doveadm_config(int argc, char **argv, struct cli *cli)
{
    char **with_file = calloc((size_t)argc + 3, sizeof *with_file);
    int n = 0;
    must(with_file);
    with_file[n++] = argv[0];
    if (conf_file) {
        with_file[n++] = (char *)"-c";
        with_file[n++] = (char *)conf_file;
    }
    for (int i = 1; i < argc; i++)
        with_file[n++] = argv[i];
    int status = cmd_doveconf(n, with_file, cli);
    free(with_file);
    return status;
}

/* What -o says of another server; malle's own settings are not changed by it. */
static int take_setting(const char *text)
{
    if (n_settings == SETTINGS_MAX || !strchr(text, '=') ||
        (strncmp(text, "imapc_", 6) != 0 && strncmp(text, "ssl_client_ca_file=", 19) != 0))
        return cli_fail_status(EX_USAGE, "-o %s: malle takes imapc_* and ssl_client_ca_file here", text);
    settings[n_settings++] = text;
    return EX_OK;
}

static doveadm_run list_for;

static const struct doveadm_command {
    const char *group, *name; /* "auth test", or a name alone */
    doveadm_run *run;
    const char *usage;
} commands[] = {
    {"auth", "cache", doveadm_auth_cache, "flush"},
    {"auth", "login", doveadm_auth_login, "<user> [<password>]"},
    {"auth", "lookup", doveadm_auth_lookup, "[-f field] <user> [<user> [...]]"},
    {"auth", "test", doveadm_auth_test, "<user> [<password>]"},
    {NULL, "backup", doveadm_backup, "[-u <user>] [-R] [-m <mailbox>] maildir:<path>|imapc:"},
    {NULL, "config", doveadm_config, "[doveconf parameters]"},
    {NULL, "copy", doveadm_copy, "-u <user> <destination> <search query>"},
    {NULL, "expunge", doveadm_expunge, "-u <user> <search query>"},
    {NULL, "fetch", doveadm_fetch, "-u <user> \"<fields>\" <search query>"},
    {"flags", "add", doveadm_flags_add, "-u <user> \"<flags>\" <search query>"},
    {"flags", "remove", doveadm_flags_remove, "-u <user> \"<flags>\" <search query>"},
    {"flags", "replace", doveadm_flags_replace, "-u <user> \"<flags>\" <search query>"},
    {NULL, "force-resync", doveadm_force_resync, "-u <user> <mailbox mask>"},
    {NULL, "help", list_for, "[<command>]"},
    {NULL, "import", doveadm_import,
     "-u <user> <source mail location> <destination parent mailbox> <search query>"},
    {NULL, "index", doveadm_index, "-u <user> <mailbox mask>"},
    {"instance", "list", doveadm_instance_list, "[<name>]"},
    {NULL, "kick", doveadm_kick, "<user mask>[|]<ip/bits>"},
    {"log", "errors", doveadm_log_errors, "[-s <min_timestamp>]"},
    {"log", "find", doveadm_log_find, ""},
    {"log", "reopen", doveadm_log_reopen, ""},
    {"log", "test", doveadm_log_test, ""},
    {"mailbox", "create", doveadm_mailbox_create, "-u <user> [-s] <mailbox> [...]"},
    {"mailbox", "delete", doveadm_mailbox_delete, "-u <user> [-r] [-s] <mailbox> [...]"},
    {"mailbox", "list", doveadm_mailbox_list, "-u <user> [-s] [<mailbox mask> [...]]"},
    {"mailbox", "mutf7", doveadm_mailbox_mutf7, "[-7|-8] <name> [...]"},
    {"mailbox", "path", doveadm_mailbox_path, "-u <user> [-t mailbox|dir|control|index] <mailbox>"},
    {"mailbox", "rename", doveadm_mailbox_rename, "-u <user> [-s] <old name> <new name>"},
    {"mailbox", "status", doveadm_mailbox_status, "-u <user> [-t] <fields> <mailbox mask> [...]"},
    {"mailbox", "subscribe", doveadm_mailbox_subscribe, "-u <user> <mailbox> [...]"},
    {"mailbox", "unsubscribe", doveadm_mailbox_unsubscribe, "-u <user> <mailbox> [...]"},
    {NULL, "move", doveadm_move, "-u <user> <destination> <search query>"},
    {NULL, "purge", doveadm_purge, "-u <user>"},
    {NULL, "pw", doveadm_pw, "[-l] [-p plaintext] [-r rounds] [-s scheme] [-t hash] [-u user] [-V]"},
    {"quota", "get", doveadm_quota_get, "[-u <user>|-A]"},
    {"quota", "recalc", doveadm_quota_recalc, "[-u <user>|-A]"},
    {NULL, "reload", doveadm_reload, ""},
    {NULL, "search", doveadm_search, "-u <user> <search query>"},
    {"service", "status", doveadm_service_status, "[<service> [...]]"},
    {NULL, "stop", doveadm_stop, ""},
    {NULL, "sync", doveadm_sync, "[-u <user>] [-1R] [-m <mailbox>] maildir:<path>|imapc:"},
    {NULL, "user", doveadm_user, "[-f field] [-u] <user mask> [<user mask> [...]]"},
    {NULL, "who", doveadm_who, "[-1] [<user mask>] [<ip/bits>]"},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

/* Those of Dovecot that malle does not have, and what there is instead. */
static const struct {
    const char *group, *name; /* without name: all of the group */
    const char *instead;
} absent[] = {
    {"acl", NULL, "clients set rights with SETACL"},
    {"altmove", NULL, "all mail of a user lies in one place"},
    {"batch", NULL, "call doveadm for each command"},
    {"deduplicate", NULL, "no message is taken for another's copy"},
    {"dict", NULL, "no plugin keeps data in dictionaries"},
    {"director", NULL, "users are not shared among servers"},
    {"dsync-server", NULL, "doveadm backup and sync speak IMAP with other servers"},
    {"dump", NULL, "its index is an SQLite database, which sqlite3 shows"},
    {"exec", NULL, "malle is one program and has no libexec_dir"},
    {"fs", NULL, "mail lies in files of the system"},
    {"fts", NULL, "there is no index of words; doveadm index prepares what clients ask for first"},
    {"instance", "remove", "each malle is told its folder by -c, and remembers no others"},
    {"mailbox", "cache", "its index has no file of its own for what was looked up"},
    {"mailbox", "cryptokey", "messages are not encrypted"},
    {"mailbox", "metadata", "clients set annotations with SETMETADATA"},
    {"mailbox", "update", "ids of mailboxes and messages are given once"},
    {"oldstats", NULL, "malle status tells what runs"},
    {"penalty", NULL, "who tries passwords waits longer each time, and nobody is told how long"},
    {"process", NULL, "malle status tells what runs"},
    {"proxy", NULL, "sessions are not passed on to other servers"},
    {"rebuild", NULL, "attachments get no keywords"},
    {"replicator", NULL, "mail is not kept on two servers"},
    {"save", NULL, "dovecot-lda -d USER -m MAILBOX puts a message there"},
    {"service", "stop",
     "its services share processes; take one out of protocols, or set its port to 0, and reload"},
    {"sieve", NULL, "scripts are not run"},
    {"sis", NULL, "attachments are not kept apart"},
    {"stats", NULL, "malle status tells what runs"},
    {"zlibconnect", NULL, "openssl s_client connects, and no program here speaks COMPRESS as a client"},
};

static const struct doveadm_command *running;

int doveadm_usage(void)
{
    fprintf(stderr, "doveadm %s%s%s %s\n", running->group ? running->group : "", running->group ? " " : "",
            running->name, running->usage);
    return EX_USAGE;
}

int doveadm_error(int status, const char *user, const char *fmt, ...)
{
    char text[1000];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (user)
        fprintf(stderr, "doveadm(%s): ", user);
    fprintf(stderr, "Error: %s\n", text);
    return status;
}

bool doveadm_mask_fits(const char *mask, const char *name)
{
    const char *star = NULL, *again = NULL; /* where the last star may take one byte more */
    while (*name) {
        if (*mask == '*') {
            star = ++mask;
            again = name;
        } else if (*mask == '?' || ascii_lower(*mask) == ascii_lower(*name)) {
            mask++;
            name++;
        } else if (star) {
            mask = star;
            name = ++again;
        } else {
            return false;
        }
    }
    while (*mask == '*')
        mask++;
    return !*mask;
}

/* word: those of this group or name; NULL: all */
static int list_commands(const char *word)
{
    fputs("usage: doveadm [-Dv] [-c <config file>] [-f <formatter>] [-o <setting>=<value>] <command> "
          "[<args>]\n",
          stderr);
    for (size_t i = 0; i < COMMANDS; i++) {
        const struct doveadm_command *c = &commands[i];
        if (!word || strcmp(word, c->group ? c->group : c->name) == 0)
            fprintf(stderr, "  %s%s%s %s\n", c->group ? c->group : "", c->group ? " " : "", c->name,
                    c->usage);
    }
    return EX_USAGE;
}

static int list_for(int argc, char **argv, struct cli *cli)
{
    return list_commands(argc > 1 ? argv[1] : NULL);
}

static int run(const struct doveadm_command *command, int argc, char **argv, struct cli *cli)
{
    running = command;
    optind = 0; /* another command line is read now */
    return command->run(argc, argv, cli);
}

static int find_and_run(int argc, char **argv, struct cli *cli)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        const struct doveadm_command *c = &commands[i];
        int words = c->group ? 2 : 1;
        if (argc >= words && strcmp(argv[words - 1], c->name) == 0 &&
            (!c->group || strcmp(argv[0], c->group) == 0))
            return run(c, argc - words + 1, argv + words - 1, cli);
    }
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        if (strcmp(argv[0], absent[i].group) == 0 &&
            (!absent[i].name || (argc > 1 && strcmp(argv[1], absent[i].name) == 0)))
            return cli_fail_status(EX_UNAVAILABLE, "malle has no \"doveadm %s%s%s\": %s", argv[0],
                                   absent[i].name ? " " : "", absent[i].name ? absent[i].name : "",
                                   absent[i].instead);
    (void)cli_fail("malle has no \"doveadm %s%s%s\"", argv[0], argc > 1 ? " " : "", argc > 1 ? argv[1] : "");
    return list_commands(NULL);
}

int compat_doveadm(int argc, char **argv, struct cli *cli)
{
    int option;
    struct stat st;
    opterr = 0;
    while ((option = getopt(argc, argv, "+c:Df:o:v")) != -1) {
        if (option == '?')
            return list_commands(NULL);
        if (option == 'o' && take_setting(optarg) != EX_OK)
            return EX_USAGE;
        if (option == 'c') {
            cli_use_conf(cli, optarg);
            conf_file = stat(optarg, &st) == 0 && S_ISREG(st.st_mode) ? optarg : NULL;
        }
        if (option == 'f' && doveadm_choose_format(optarg) != RC_OK)
            return cli_fail_status(EX_TEMPFAIL, "Unknown print formatter: %s", optarg);
    }
    return optind < argc ? find_and_run(argc - optind, argv + optind, cli) : list_commands(NULL);
}
