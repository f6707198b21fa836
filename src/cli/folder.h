/* folder: how commands reach the database of a role.
 *
 * Run as root, the process becomes the user of that role inside the database's folder before SQLite touches
 * a file: nothing that this user may have put there is followed with root's rights, and what is made belongs
 * to it. */
#ifndef CLI_FOLDER_H
#define CLI_FOLDER_H

#include "cli/cli.h"

/* Becomes `user` inside STATE/name, which is made when missing; it is the working folder then. Not started by
 * root, only the folder changes. On failure the sentence was printed: return the status *ret_status. From
 * here on the process is confined to that folder and can read no other file. */
MUST_USE enum rc cli_enter_folder(const struct conf *c, const char *name, const char *user, int *ret_status);

#endif
