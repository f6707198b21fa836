/* check_databases: the part of `malle check` that looks at passwd-files. */
#ifndef CLI_CHECK_DATABASES_H
#define CLI_CHECK_DATABASES_H

#include "conf/conf.h"

/* Warns of files that are not there, that everybody can read, and of passwords that are stored badly. */
void cli_check_databases(const struct conf *c, struct conf_report *report);

#endif
