/* doveconf_modules: which of Dovecot 2.3's programs ("modules", doveconf -m) read a setting. */
#ifndef CLI_DOVECONF_MODULES_H
#define CLI_DOVECONF_MODULES_H

#include "fmt/dovecot_conf.h"

/* Whether one of the programs reads the setting, or the block of the kind, that stands at the top or in a
 * filter block. Names that nobody knows, such as those of plugins, are read by nobody. */
bool doveconf_module_reads(const str *modules, size_t n, str name);

/* Leaves of conf what they read. */
void doveconf_modules_keep(const str *modules, size_t n, struct dovecot_conf *conf);

#endif
