/* doveconf: what the files of cmd_doveconf.c share. */
#ifndef CLI_DOVECONF_H
#define CLI_DOVECONF_H

#include "base/arena.h"
#include "cli/doveconf_filter.h"
#include "conf/params.h"
#include "fmt/dovecot_conf.h"

enum { DOVECONF_MODULES_MAX = 16 };

struct doveconf {
    const char *file;
    bool bare, secrets, machine, execute;           /* -h, -P, -S, -e */
    bool as_set, changed, hidden, defaults, expand; /* -N, -n or -N, -s, -d, -x */
    struct doveconf_filter filter;                  /* -f */
    str modules[DOVECONF_MODULES_MAX];              /* -m: nothing else is printed; none: all is */
    size_t n_modules;
    struct arena *a;
    struct dovecot_conf conf;  /* for the sessions that -f says: no filter block is in it */
    struct dovecot_conf files; /* as the files have it */
};

/* The setting of this name in the block, NULL: at the top. */
const struct dovecot_setting *doveconf_find(const struct doveconf *d, const struct dovecot_block *b,
                                            str name);

/* A setting that Dovecot has in a block though nothing says it; with -s also those that it does not show. */
typedef void doveconf_default_fn(void *ctx, str name, str value);
void doveconf_each_default(const struct doveconf *d, const struct dovecot_block *b, doveconf_default_fn *fn,
                           void *ctx);

/* A name as part of a path: "\s" for a slash, "\_" for a space. */
void doveconf_escape(struct buf *out, str name);

/* Puts what the file has that the setting names; false: it cannot be read. */
bool doveconf_put_file(const struct doveconf *d, str path, struct buf *out);

/* -S: a line for each setting, "service/auth/user=x"; the order is that of the names, not Dovecot's. */
void doveconf_put_machine(const struct doveconf *d, struct buf *out);
/* -e: the environment with the same as variables, "SERVICE/AUTH/USER=x", and DOVECONF_ENV; in d->a. */
char **doveconf_environment(const struct doveconf *d);

#endif
