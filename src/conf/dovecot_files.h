/* dovecot_files: dovecot.conf with the files that it includes, read from disk. */
#ifndef CONF_DOVECOT_FILES_H
#define CONF_DOVECOT_FILES_H

#include "fmt/dovecot_conf.h"

/* An include that is not there, but that Debian ships, is read as Debian has it; the callback hears of it.
 * May be NULL. */
typedef void dovecot_shipped_fn(void *ctx, str from, str pattern);

/* The effective settings of the text of `file`, in the arena. RC_LIMIT: more than dovecot_conf.h allows. */
MUST_USE enum rc dovecot_files_read(const char *file, str text, dovecot_shipped_fn *shipped, void *ctx,
                                    struct arena *a, struct dovecot_conf *ret);

/* "service/unix_listener/mode", as params.h names settings. */
void dovecot_param_name(const struct dovecot_setting *s, struct buf *out);

/* What stands in front of the settings of a block: "service/unix_listener/"; of NULL, nothing. */
void dovecot_param_path(const struct dovecot_block *b, struct buf *out);

#endif
