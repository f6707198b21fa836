/* dovecot_builtin: what Dovecot 2.3 has though no file says it, for those who print its settings. Nothing of
 * it has an effect in malle. */
#ifndef CONF_DOVECOT_BUILTIN_H
#define CONF_DOVECOT_BUILTIN_H

#include "conf/params.h"
#include "fmt/dovecot_conf.h"

/* Adds the services and listeners that conf does not have, and their settings, in which "$name" stays, as
 * Dovecot prints it. RC_LIMIT: too many, or the arena is exhausted. */
MUST_USE enum rc dovecot_builtin_add(struct dovecot_conf *conf, struct arena *a);

/* What a setting is when neither a file nor dovecot_builtin_add says it. false: it is not there then. */
bool dovecot_builtin_default(const struct conf_param *p, str *ret);

#endif
