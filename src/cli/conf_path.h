/* conf_path: what -c and MAIL_CONFIG of Postfix's and Dovecot's programs mean.
 *
 * malle's settings are one file, or the folder that holds postfix/main.cf and dovecot/dovecot.conf. Those
 * programs name the folder of main.cf, or the file dovecot.conf: the settings are in the folder above. */
#ifndef CLI_CONF_PATH_H
#define CLI_CONF_PATH_H

#include "base/buf.h"

/* The path for conf_load. A folder that holds postfix/main.cf or dovecot/dovecot.conf: itself; else one that
 * is called postfix or dovecot, or holds main.cf or dovecot.conf: the folder above it; the file main.cf or
 * dovecot.conf in a folder: the folder above that; anything else: given itself. Looks at the file system. */
void conf_path_of(const char *given, struct buf *ret);

#endif
