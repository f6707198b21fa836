/* doveadm: shared by the commands of doveadm(1) (compat_doveadm.c has their table). Exit statuses are those
 * of sysexits.h, as Dovecot has them: 64 usage, 67 no such user, 68 not found, 75 not now, 77 not permitted.
 */
#ifndef CLI_DOVEADM_H
#define CLI_DOVEADM_H

#include "account/identity.h"
#include "cli/cli.h"

#include <sysexits.h>

enum { DOVEADM_NOT_FOUND = 68 };

/* argv[0] is the command's last word. */
typedef int doveadm_run(int argc, char **argv, struct cli *cli);
doveadm_run doveadm_user, doveadm_auth_lookup, doveadm_auth_test, doveadm_auth_login; /* doveadm_user.c */
doveadm_run doveadm_pw;                                                               /* doveadm_pw.c */
doveadm_run doveadm_who, doveadm_kick, doveadm_service_status;                        /* doveadm_who.c */
doveadm_run doveadm_mailbox_list, doveadm_mailbox_status;                             /* doveadm_mailbox.c */
doveadm_run doveadm_mailbox_create, doveadm_mailbox_delete, doveadm_mailbox_rename;
doveadm_run doveadm_mailbox_subscribe, doveadm_mailbox_unsubscribe;
doveadm_run doveadm_mailbox_mutf7, doveadm_mailbox_path, doveadm_purge;             /* doveadm_name.c */
doveadm_run doveadm_search, doveadm_fetch, doveadm_flags_add, doveadm_flags_remove; /* doveadm_message.c */
doveadm_run doveadm_flags_replace, doveadm_move, doveadm_copy, doveadm_expunge, doveadm_index;
doveadm_run doveadm_force_resync, doveadm_import;
doveadm_run doveadm_backup, doveadm_sync;                                         /* doveadm_sync.c */
doveadm_run doveadm_quota_get, doveadm_quota_recalc;                              /* doveadm_quota.c */
doveadm_run doveadm_instance_list;                                                /* doveadm_instance.c */
doveadm_run doveadm_log_errors, doveadm_log_find, doveadm_log_test;               /* doveadm_log.c */
doveadm_run doveadm_stop, doveadm_reload, doveadm_log_reopen, doveadm_auth_cache; /* compat_dovecot.c */

/* The user of -u, NULL: of the environment. EX_OK, or a status after a sentence. */
int doveadm_find(struct cli *cli, const char **user, struct account_identity *ret);
/* What "doveadm -o NAME=VALUE" says; NULL: nothing. */
const char *doveadm_setting(const char *name);
/* Prints the usage of the running command; EX_USAGE. */
int doveadm_usage(void);
/* "Error: TEXT", or with a user "doveadm(USER): Error: TEXT" on standard error; returns the status. */
int doveadm_error(int status, const char *user, const char *fmt, ...) PRINTF(3, 4);
/* A mask with * and ?, in any case. */
bool doveadm_mask_fits(const char *mask, const char *name);

#endif
