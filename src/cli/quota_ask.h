/* quota_ask: an account's quota and what there is of mail, for programs that are not the user. */
#ifndef CLI_QUOTA_ASK_H
#define CLI_QUOTA_ASK_H

#include "cli/cli.h"
#include "fmt/quota_rule.h"

struct quota_answer {
    enum rc rc; /* RC_OK; RC_GONE: there is nobody of this name; else e says why */
    struct err e;
    struct quota_limits limits; /* for all but single mailboxes; 0: none */
    struct quota_use use;
};

/* Looks in a child that becomes the user. recount: from the files, and keeps what it found. CLI_FINE, or a
 * sentence was printed. */
int cli_quota_ask(struct cli *cli, const char *name, bool recount, struct quota_answer *ret);

#endif
