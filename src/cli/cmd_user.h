/* cmd_user: what the files of the command user share. Each prints and returns the exit status. */
#ifndef CLI_CMD_USER_H
#define CLI_CMD_USER_H

#include "cli/cli.h"

int cmd_user_freeze(struct cli *cli, const char *address, bool freeze);
int cmd_user_frozen(struct cli *cli);

#endif
