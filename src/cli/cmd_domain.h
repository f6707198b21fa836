/* cmd_domain: the parts of malle domain. */
#ifndef CLI_CMD_DOMAIN_H
#define CLI_CMD_DOMAIN_H

#include "cli/cli.h"

struct domain_limits { /* as they were typed; NULL: not given */
    const char *bytes, *messages, *total, *total_messages;
};

/* cmd_domain_quota.c: malle domain quota. */
int cmd_domain_quota(struct cli *cli, const char *domain, const struct domain_limits *l);

#endif
