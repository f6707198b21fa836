/* quota_option: --quota and --messages of malle user and malle domain. */
#ifndef CLI_QUOTA_OPTION_H
#define CLI_QUOTA_OPTION_H

#include "account/account.h"

/* Changes what is given: a size, a number, "default" or 0 (as the domain or quota_rule says), or "unlimited".
 * CLI_USAGE after a sentence. */
int cli_quota_option(const char *bytes, const char *messages, struct account_quota *quota);
/* "bytes: 1073741824, messages: default" */
void cli_quota_put(struct buf *out, const struct account_quota *quota);
/* "1234 of 1048576 bytes"; limit 0: none. */
void cli_quota_put_use(struct buf *out, uint64_t use, uint64_t limit, const char *unit);

#endif
