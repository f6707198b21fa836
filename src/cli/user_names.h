/* user_names: all users, for programs that then do something for each. */
#ifndef CLI_USER_NAMES_H
#define CLI_USER_NAMES_H

#include "base/buf.h"
#include "cli/cli.h"

enum { USER_NAMES_BYTES = 16 << 20 };

/* A name a line, as cli_each_user (who_is.h) finds them, into a buffer of that size. RC_TEMP: not all of
 * them. */
MUST_USE enum rc cli_user_names(struct cli *cli, struct buf *ret);

#endif
