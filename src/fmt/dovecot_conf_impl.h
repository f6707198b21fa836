/* What the parts of dovecot_conf share: fmt/dovecot_conf.c reads files, dovecot_block.c has the blocks,
 * dovecot_value.c replaces "$name", dovecot_merge.c makes the effective settings. */
#ifndef FMT_DOVECOT_CONF_IMPL_H
#define FMT_DOVECOT_CONF_IMPL_H

#include "base/map.h"
#include "fmt/dovecot_conf.h"

/* Finds settings and blocks by what they are. The values are places plus one, since NULL means absent. */
struct dovecot_index {
    struct map *map;
    struct buf key;
};

struct dovecot_source { /* a file that is being read, and the one that includes it */
    const struct dovecot_source *from;
    str file;
    int line;
};

struct dovecot_open {
    const struct dovecot_block *block;
    str file;
    int line;
};

struct dovecot_reader {
    const struct dovecot_env *env;
    struct arena *arena;
    struct dovecot_conf *conf;
    struct dovecot_source *source;
    size_t depth, files;
    struct dovecot_index index;
    struct buf joined; /* the parts so far of a logical line */
    struct dovecot_open open[DOVECOT_BLOCK_DEPTH_MAX];
    size_t open_count;
    struct dovecot_open skip; /* the outermost block of which nothing counts */
    size_t skipped;           /* blocks open from there */
    bool is_24, limit;
};

void dovecot_index_init(struct dovecot_index *x);
void dovecot_index_deinit(struct dovecot_index *x);
/* The place of the last setting of this name in the block that was put, or -1; likewise for the others. */
ptrdiff_t dovecot_index_setting(struct dovecot_index *x, const struct dovecot_block *block, str name);
void dovecot_index_put_setting(struct dovecot_index *x, const struct dovecot_block *block, str name,
                               size_t place);
ptrdiff_t dovecot_index_block(struct dovecot_index *x, const struct dovecot_block *parent, str kind,
                              str name);
void dovecot_index_put_block(struct dovecot_index *x, const struct dovecot_block *block);
/* How many blocks without name there are now, this one included. */
size_t dovecot_index_count(struct dovecot_index *x, const struct dovecot_block *parent, str kind);

/* p, or where it has no room for one more element a larger copy; NULL: the arena is exhausted. */
void *dovecot_array_room(struct arena *a, void *p, size_t count, size_t size);
/* false: too many, or the arena is exhausted. */
bool dovecot_conf_add_setting(struct dovecot_conf *conf, struct arena *a, const struct dovecot_setting *s);
/* NULL as above. */
struct dovecot_block *dovecot_conf_add_block(struct dovecot_conf *conf, struct arena *a,
                                             const struct dovecot_block *b);
void dovecot_conf_problem(struct dovecot_conf *conf, struct arena *a, const struct dovecot_problem *p);

void dovecot_reader_problem(struct dovecot_reader *r, bool warning, const char *fmt, ...) PRINTF(3, 4);
static inline const struct dovecot_block *dovecot_reader_block(const struct dovecot_reader *r)
{
    return r->open_count > 0 ? r->open[r->open_count - 1].block : NULL;
}
void dovecot_reader_open(struct dovecot_reader *r, str kind, str name);
void dovecot_reader_skip(struct dovecot_reader *r);
void dovecot_reader_close(struct dovecot_reader *r);
/* The value of the setting with "$name" replaced; *kind may become DOVECOT_FILE. false: it has a problem. */
bool dovecot_reader_expand(struct dovecot_reader *r, str name, str *value, enum dovecot_value_kind *kind);

#endif
