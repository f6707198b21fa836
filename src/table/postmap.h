/* postmap: the making and changing of hash: and lmdb: tables, as postmap(1) and postalias(1) do it. The table
 * of PATH is PATH.lmdb; it is replaced in one step, with its source's permissions for group and others. */
#ifndef TABLE_POSTMAP_H
#define TABLE_POSTMAP_H

#include "table/table.h"

struct postmap_options {
    bool
        keep_case; /* keys are not folded; they cannot be found by a server then unless they are lower case */
    bool incremental;     /* what the table has remains; a key that is there already is a duplicate */
    bool replace;         /* a duplicate replaces what is there, without a warning */
    bool skip_duplicates; /* without a warning */
    bool default_mode;    /* 0644 instead of the source's permissions */
    void (*warn)(void *ctx, const char *text);
    void *ctx;
};

struct postmap;

/* One entry of line `number`, for sources. *e is filled on failure; a duplicate is none. */
MUST_USE enum rc postmap_put(struct postmap *p, str key, str value, int number, struct err *e);
void postmap_warn(const struct postmap *p, const char *fmt, ...) PRINTF(2, 3);

/* Puts the entries of a source's text. */
typedef enum rc postmap_source(struct postmap *p, str text, struct err *e);
/* Lines of key and value, as texthash has them. */
postmap_source postmap_read_table;
/* Entries of aliases(5): the value is what stands behind the colon (postalias.c). */
postmap_source postmap_read_aliases;

/* Makes the table of `path` from a text in the format of the source. source_path may name no file with
 * `incremental`: then a new table gets the default mode. RC_GONE, RC_TEMP, RC_PERM, RC_LIMIT with *e filled;
 * the old table remains then. */
MUST_USE enum rc postmap_make(const char *path, str text, postmap_source *source,
                              const struct postmap_options *o, struct err *e);
/* Takes keys out of the table; *ret_found of the n were there. RC_GONE: there is no table. */
MUST_USE enum rc postmap_delete(const char *path, const str *keys, size_t n, const struct postmap_options *o,
                                size_t *ret_found, struct err *e);

/* All entries in the order of their keys, until fn gives something else than RC_OK. */
typedef enum rc postmap_entry_fn(void *ctx, str key, str value);
MUST_USE enum rc postmap_each(const char *path, postmap_entry_fn *fn, void *ctx, struct err *e);

#endif
