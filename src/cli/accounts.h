/* accounts: how the commands user, alias and domain reach the account database and an account's mail.
 *
 * Run as root, the process becomes the user of the role auth inside the database's folder (cli/folder.h).
 * Mail is deleted by a child that becomes the mail user. */
#ifndef CLI_ACCOUNTS_H
#define CLI_ACCOUNTS_H

#include "account/resolve.h"
#include "cli/cli.h"

/* Opens the database, making it and its folder when missing. On failure the sentence was printed: return the
 * status *ret_status. From here on the process is confined to that folder and can read no other file. */
MUST_USE enum rc cli_open_accounts(struct cli *cli, struct account_db **ret, int *ret_status);

/* A new password: from --password, else asked twice on a terminal, else the first line of standard input.
 * RC_INVALID: none, or the two differ; the sentence was printed. */
MUST_USE enum rc cli_read_new_password(const char *given, struct buf *ret);
/* The same for one that is to be checked: asked once, with this prompt. */
MUST_USE enum rc cli_read_password(const char *given, const char *prompt, struct buf *ret);

/* A child that waits to erase an account's mail, started before cli_open_accounts. */
struct cli_eraser {
    int pid, pipe_fd;
};
enum cli_erase { CLI_ERASE_MESSAGES, CLI_ERASE_ALL };
MUST_USE enum rc cli_eraser_start(struct cli *cli, str address, enum cli_erase what, struct cli_eraser *ret);
/* Lets it do its work, or (go false) end without. Its exit status: 0 or CLI_FINDING after a sentence. */
int cli_eraser_end(struct cli_eraser *e, bool go);

/* Options of these commands behind the words: "--name" flags and "--name VALUE". */
struct cli_option {
    const char *name;   /* "--password" */
    const char **value; /* takes a value... */
    bool *flag;         /* ...or is a flag */
};
/* Takes options out of argv[from..]; what is left counts *ret_argc words. CLI_USAGE was printed when it
 * fails. */
int cli_take_options(int argc, char **argv, const struct cli_option *options, size_t n, int *ret_argc);

/* Prints what e says. */
int cli_fail_err(const struct err *e);

#endif
