/* params: what malle knows of each parameter of Postfix (main.cf) and each setting of Dovecot, so that no
 * line of their files is ever passed over in silence. The tables are postfix_params.def (3.7, and what later
 * versions added) and dovecot_params.def (2.3, and what 2.4 renamed and added); their heads say what the rows
 * mean. Pure. */
#ifndef CONF_PARAMS_H
#define CONF_PARAMS_H

#include "base/str.h"

enum conf_dialect {
    CONF_DIALECT_POSTFIX,
    CONF_DIALECT_DOVECOT,   /* 2.3 */
    CONF_DIALECT_DOVECOT_24 /* dovecot_config_version */
};

enum conf_param_kind {
    CONF_PARAM_STR,
    CONF_PARAM_RAW, /* a text whose "$" are for the program that uses it: never expanded with the rest */
    CONF_PARAM_INT,
    CONF_PARAM_BOOL,
    CONF_PARAM_TIME, /* Postfix: without a letter in the unit of the default's last one */
    CONF_PARAM_SIZE,
    CONF_PARAM_BLOCK /* no value: a block of Dovecot's, "service auth" */
};

enum conf_param_status {
    CONF_PARAM_SAME,     /* option means the same and takes the same values */
    CONF_PARAM_MAPPED,   /* becomes something else in malle: whoever reads the file knows what */
    CONF_PARAM_HARMLESS, /* nothing changes without it */
    CONF_PARAM_WARN,     /* malle does not do it: to be told of when it is not the default */
    CONF_PARAM_REFUSE    /* the same, and to go on would be unsafe or lose mail or a filter */
};

struct conf_param {
    const char *name;
    enum conf_param_kind kind;
    const char *initial; /* the default as postconf -d and doveconf -a have it; NULL: it varies */
    enum conf_param_status status;
    const char *option; /* of malle, or ""; not only with CONF_PARAM_SAME */
    const char
        *note;   /* a clause: how the option differs; what it becomes; why nothing changes; "would ..." */
    bool later;  /* of Postfix 3.8 and Dovecot 2.4, not of 3.7 and 2.3 */
    bool hidden; /* Dovecot takes it, but does not print it */
};

struct conf_params {
    const struct conf_param *v; /* sorted by name, as str_cmp does */
    size_t n;
};
extern const struct conf_params conf_postfix_params;
/* Parameters of the services of master.cf: the names are ends of names, "_destination_rate_delay". */
extern const struct conf_params conf_postfix_families;
extern const struct conf_params conf_dovecot_params;

struct conf_param_rename {
    const char *name;
    const char *current; /* the name of a row */
};
struct conf_param_renames {
    const struct conf_param_rename *v; /* sorted by name */
    size_t n;
};
extern const struct conf_param_renames conf_postfix_renames; /* names from before 3.7 */
extern const struct conf_param_renames conf_dovecot_renames; /* names of 2.4 */

/* The row of a name; NULL when there is no such parameter.
 *
 * Postfix: an old name gives the row of the current one, whose default names it; "SERVICE_rate_delay" and its
 * like give the row of their end, whatever stands in front: that it is a service of master.cf is left to the
 * caller.
 *
 * Dovecot: name has the kinds of the blocks around it in front, "service/unix_listener/mode"; "service auth"
 * is the block itself. Blocks of the kinds protocol, local, remote and local_name make no difference. In 2.4
 * a name may have the kind of its block in front or not ("passdb_sql_query" in passdb is "sql_query"), and
 * settings that belong to no block may stand in any; what stands in a list that is written as a block finds
 * the list ("mail_plugins/quota"). */
const struct conf_param *conf_param_find(enum conf_dialect dialect, str name);

/* The name that was probably meant, NULL when none comes near. Dovecot: one within the same kinds of blocks.
 */
const char *conf_param_nearest(enum conf_dialect dialect, str name);

/* Defaults by name, in the shape that fmt/postfix_expand.h and fmt/dovecot_conf.h ask for; ctx is not used.
 * false: there is no such parameter, or its default varies. */
bool conf_postfix_default(void *ctx, str name, str *ret);
bool conf_dovecot_default(void *ctx, str name, str *ret);

/* Whether two values of the parameter, without "$" to be expanded, mean the same: numbers, times, sizes and
 * yes and no by what they are, texts word by word, where a comma is as good as a space. */
bool conf_param_same(const struct conf_param *p, str a, str b);

#endif
