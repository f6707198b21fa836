/* key_files: the certificates and keys that the configuration names, read and checked. Used by the master at
 * its start and at a reload, and by `malle check`, so that all three say the same. */
#ifndef ROLE_KEY_FILES_H
#define ROLE_KEY_FILES_H

#include "conf/conf.h"

/* Where the pair lies that is used when none is configured. */
void key_files_self_signed_path(const struct conf *c, struct buf *out);

/* Puts all pairs into out as keys.h has them, none when the self-signed one is wanted and not yet made.
 * Whatever is wrong with any of them, or with the TLS settings, goes to the report; RC_PERM when that is an
 * error. */
MUST_USE enum rc key_files_read(const struct conf *c, struct conf_report *report, struct buf *out);

/* The same for what smtp shows other servers. */
MUST_USE enum rc key_files_read_client(const struct conf *c, struct conf_report *report, struct buf *out);

#endif
