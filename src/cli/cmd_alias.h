/* cmd_alias: shared by the files of `malle alias`. */
#ifndef CLI_CMD_ALIAS_H
#define CLI_CMD_ALIAS_H

#include "account/mask.h"
#include "cli/accounts.h"
#include "fmt/json.h"

/* RC_OK, or a sentence in *e: the address is of none of this server's domains. */
enum rc alias_check_domain(struct cli *cli, struct account_db *db, const char *address, struct err *e);

/* `add` for a masked or a blocked address; what was not given is NULL. */
struct alias_mask_order {
    const char *account, *block, *note, *expires;
};
/* Whether the options go together. */
bool alias_mask_fits(const struct alias_mask_order *o);
int alias_add_mask(struct cli *cli, struct account_db *db, const struct alias_mask_order *o);
int alias_enable_mask(struct account_db *db, const char *address, bool enable);
/* Appends those of a domain, or of all, to the list; j NULL: as text to out. */
enum rc alias_list_masks(struct account_db *db, str domain, struct json *j, struct buf *out, struct err *e);

#endif
