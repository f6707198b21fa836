/* cli: the commands of `malle`. One file per command (cmd_check.c), one row per command in the table of
 * commands.c. Some are programs of Postfix and Dovecot (compat_postqueue.c): malle does the same when it is
 * called by their names.
 *
 * Exit status: 0 fine, 1 a finding or a failure, 2 wrong usage. Errors are one sentence on standard error
 * that says what to do; results go to standard output, as one JSON value when --json was given. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "conf/conf.h"

enum { CLI_FINE = 0, CLI_FINDING = 1, CLI_USAGE = 2 };

/* What was said before the command. */
struct cli {
    const char *conf_path;
    const char *const *sets; /* NAME=VALUE each */
    size_t set_count;
    bool json;
    struct conf *conf; /* NULL until cli_conf loads it; freed by cli_main */
};

/* How errors begin: "malle: ", "postmap: fatal: ", "Fatal: ". */
enum cli_voice { CLI_VOICE_MALLE, CLI_VOICE_POSTFIX, CLI_VOICE_DOVECOT };

struct cli_command {
    const char *name;
    /* argv[0] is the command's name; --json is taken out already, unless it is a program. Returns the exit
     * status. */
    int (*run)(int argc, char **argv, struct cli *cli);
    const char *arguments; /* "[NAME]" for the help */
    const char *help;      /* one line */
    bool program;          /* malle does this, too, when it is called by this name */
    enum cli_voice voice;
};

/* commands.c: every command, in the order of the help */
extern const struct cli_command cli_commands[];
extern const size_t cli_command_count;
const struct cli_command *cli_find_command(const char *name); /* NULL: there is none */

int cli_main(int argc, char **argv);

/* Reads the settings from there, as -c of every program says: see conf_path.h. */
void cli_use_conf(struct cli *cli, const char *path);

/* The settings, loaded at the first call; NULL when they have errors, which were printed (return CLI_FINDING
 * then). Warnings are printed too, but not by the programs of Postfix and Dovecot. */
const struct conf *cli_conf(struct cli *cli);
/* Loads the settings into cli->conf and reads the certificates; whatever is wrong goes to the report. */
void cli_check(struct cli *cli, struct conf_report *report);
/* The same, printed to standard error; whether there are no errors. */
bool cli_check_print(struct cli *cli);

/* Print "malle: TEXT" to standard error, or as the running program says it, and return the status:
 * `return cli_fail("...")`. */
int cli_usage(const char *fmt, ...) PRINTF(1, 2);
int cli_fail(const char *fmt, ...) PRINTF(1, 2);
int cli_fail_status(int status, const char *fmt, ...) PRINTF(2, 3);
/* The same for what is no failure: "malle: warning: TEXT", and "postsuper: TEXT". */
void cli_warn(const char *fmt, ...) PRINTF(1, 2);
void cli_say(const char *fmt, ...) PRINTF(1, 2);

/* Writes text to standard output; CLI_FINDING when that fails (a full disk, a closed pipe). */
int cli_print(const struct buf *text);

int cmd_help(int argc, char **argv, struct cli *cli);
int cmd_alias(int argc, char **argv, struct cli *cli);
int cmd_mailbox(int argc, char **argv, struct cli *cli);
int cmd_message(int argc, char **argv, struct cli *cli);
int cmd_index(int argc, char **argv, struct cli *cli);
int cmd_export(int argc, char **argv, struct cli *cli);
int cmd_import(int argc, char **argv, struct cli *cli);
int cmd_undelete(int argc, char **argv, struct cli *cli);
int cmd_check(int argc, char **argv, struct cli *cli);
int cmd_config(int argc, char **argv, struct cli *cli);
int cmd_migrate(int argc, char **argv, struct cli *cli);
int cmd_pickup(int argc, char **argv, struct cli *cli);
int cmd_postconf(int argc, char **argv, struct cli *cli);
int cmd_postmap(int argc, char **argv, struct cli *cli);
int cmd_postalias(int argc, char **argv, struct cli *cli);
int cmd_queue(int argc, char **argv, struct cli *cli);
int cmd_run(int argc, char **argv, struct cli *cli);
int cmd_sendmail(int argc, char **argv, struct cli *cli);
int cmd_mailq(int argc, char **argv, struct cli *cli);
int cmd_newaliases(int argc, char **argv, struct cli *cli);
int cmd_stop(int argc, char **argv, struct cli *cli);
int cmd_reload(int argc, char **argv, struct cli *cli);
int cmd_status(int argc, char **argv, struct cli *cli);
int cmd_domain(int argc, char **argv, struct cli *cli);
int cmd_doveconf(int argc, char **argv, struct cli *cli);
int cmd_trace(int argc, char **argv, struct cli *cli);
int cmd_user(int argc, char **argv, struct cli *cli);
int cmd_install_compat(int argc, char **argv, struct cli *cli);

/* programs of Postfix and Dovecot, in files compat_NAME.c; compat_lda is dovecot-lda */
int compat_postfix(int argc, char **argv, struct cli *cli);
int compat_postmulti(int argc, char **argv, struct cli *cli);
int compat_postqueue(int argc, char **argv, struct cli *cli);
int compat_postsuper(int argc, char **argv, struct cli *cli);
int compat_postcat(int argc, char **argv, struct cli *cli);
int compat_postlog(int argc, char **argv, struct cli *cli);
int compat_lda(int argc, char **argv, struct cli *cli);
int compat_dovecot(int argc, char **argv, struct cli *cli);
int compat_doveadm(int argc, char **argv, struct cli *cli);

#endif
