/* dovecot: dovecot.conf and what it includes on their way into a conf. Internal to src/conf/dovecot*.c. */
#ifndef CONF_DOVECOT_H
#define CONF_DOVECOT_H

#include "conf/folder.h"
#include "fmt/dovecot_conf.h"

struct dovecot {
    struct folder *f;
    const char *file; /* the path of dovecot.conf */
    struct dovecot_conf conf;
    struct map *asked; /* pointers to the settings that something has asked for */
};

/* The setting of this name in the block (NULL: at the top), NULL when there is none. */
const struct dovecot_setting *dovecot_find(const struct dovecot *d, const struct dovecot_block *block,
                                           const char *name);
str dovecot_value(const struct dovecot *d, const struct dovecot_block *block, const char *name,
                  const char *otherwise);
/* That something has asked for it. */
void dovecot_mark(const struct dovecot *d, const struct dovecot_setting *s);
/* Where it stands; of NULL, the file. */
struct conf_origin dovecot_origin(const struct dovecot *d, const struct dovecot_setting *s);

/* Sets an option of malle, with the origin of s; of NULL, the file. */
void dovecot_set(struct dovecot *d, const struct dovecot_setting *s, const char *option, str value);

/* dovecot_databases.c: passdb and userdb. */
void dovecot_set_databases(struct dovecot *d);

/* dovecot_plugins.c: whether mail_plugins names it, for any protocol; and what it says of others, and
 * mail_log. */
bool dovecot_loads_plugin(const struct dovecot *d, str plugin);
void dovecot_set_plugins(struct dovecot *d);

/* dovecot_quota.c: plugin { }, NULL when there is none, and the plugin quota. */
const struct dovecot_block *dovecot_plugin_block(const struct dovecot *d);
void dovecot_set_quota(struct dovecot *d);
/* Whether it runs a script that a quota_warning names. */
bool dovecot_runs_for_warnings(struct dovecot *d, const struct dovecot_block *service);

/* dovecot_services.c: the listeners. */
void dovecot_set_services(struct dovecot *d);

/* dovecot_advice.c: warnings about what is there to no avail, or dangerous. */
void dovecot_advise(const struct dovecot *d);

#endif
