/* doveconf: what the files of cmd_doveconf.c share. */
#ifndef CLI_DOVECONF_H
#define CLI_DOVECONF_H

#include "base/arena.h"
#include "conf/params.h"
#include "fmt/dovecot_conf.h"

enum { DOVECONF_FILTERS_MAX = 4 };

struct doveconf {
    const char *file;
    bool all, bare, secrets, machine;       /* -a, -h, -P, -S */
    bool as_set, changed, defaults, expand; /* -N, -n, -d, -x */
    struct {
        const char *kind;
        str name;
    } filters[DOVECONF_FILTERS_MAX]; /* -f: the blocks whose settings count before those at the top */
    size_t n_filters;
    struct arena *a;
    struct dovecot_conf conf;
};

/* The setting of this name in the block; at the top (NULL) what a block says that -f chooses counts. */
const struct dovecot_setting *doveconf_find(const struct doveconf *d, const struct dovecot_block *b,
                                            str name);

/* A setting that Dovecot has in a block though nothing says it. */
typedef void doveconf_default_fn(void *ctx, str name, str value);
void doveconf_each_default(const struct doveconf *d, const struct dovecot_block *b, doveconf_default_fn *fn,
                           void *ctx);

/* A name as part of a path: "\s" for a slash, "\_" for a space. */
void doveconf_escape(struct buf *out, str name);

/* -S: a line for each setting, "service/auth/user=x". Blocks that count for some sessions only are left out,
 * as Dovecot does; the order is that of the names, not Dovecot's. */
void doveconf_put_machine(const struct doveconf *d, struct buf *out);

#endif
