/* dovecot_conf: Dovecot's configuration files, of 2.3 and of 2.4 (dovecot_config_version), as a flat list of
 * settings in the order in which they stand, each with the blocks around it.
 *
 * Lines are those of fmt/dovecot_line.h. Values of 2.3 may name other settings: a word "$name" is the value
 * that the setting has so far in the innermost block of the kinds protocol, local, remote and local_name (or
 * outside of them), or Dovecot's default; a setting that names itself also sees those further out.
 * "$ENV:name" is a variable of the environment. 2.4 has "$SET:name" for the first. Where a value has a "$",
 * white space between its words becomes one space. "%" variables stay: fmt/dovecot_var.h.
 *
 * Everything malformed is a problem with file and line, in Dovecot's words where it has some, and does not
 * stop the rest; what stands in a block that could not be opened is left out. Whether a name is one of
 * Dovecot's settings is not known here. Blocks and lines may go on from an included file to the one that
 * includes it, as in Dovecot. Pure: files are the caller's. */
#ifndef FMT_DOVECOT_CONF_H
#define FMT_DOVECOT_CONF_H

#include "base/buf.h"
#include "fmt/dovecot_line.h"

enum {
    DOVECOT_FILE_MAX = 4 << 20,      /* bytes of one file */
    DOVECOT_LINE_MAX = 1 << 16,      /* bytes of a logical line, and of a value */
    DOVECOT_INCLUDE_DEPTH_MAX = 16,  /* files that include each other */
    DOVECOT_FILES_MAX = 1000,        /* files read */
    DOVECOT_BLOCK_DEPTH_MAX = 16,    /* blocks in each other */
    DOVECOT_BLOCKS_MAX = 10000,      /* different blocks */
    DOVECOT_SETTINGS_MAX = 50000,    /* settings */
    DOVECOT_INCLUDES_MAX = 1000,     /* groups included */
    DOVECOT_PROBLEMS_MAX = 100,      /* problems told; the rest is counted */
    DOVECOT_ARENA_BYTES = 256 << 20, /* enough for an arena that takes all this */
};

/* Blocks of one kind and name within the same parent are one and the same, so settings of one block have one
 * pointer. In 2.3 blocks without name (passdb, userdb, namespace...) are each their own, but for plugin,
 * dict, protocol, local, remote and local_name; a name of plugin and dict is dropped there. */
struct dovecot_block {
    const struct dovecot_block *parent; /* NULL: at the top */
    str kind;                           /* "service", "unix_listener", "protocol", "@mail" of a group */
    str name;                           /* "" without name; of a single address without "/32" */
    size_t nth;                         /* of blocks that are each their own, from 1; else 0 */
    size_t id;                          /* its place in dovecot_conf.blocks */
    str file;                           /* where it began first */
    int line;
};

struct dovecot_setting {
    const struct dovecot_block *block; /* NULL: at the top */
    str name;                          /* in 2.4 "@label" where a group is included */
    str value;                         /* without quotes, "$name" replaced */
    enum dovecot_value_kind kind;
    str file; /* a relative path of DOVECOT_FILE is relative to this */
    int line; /* the last one of a line that was continued */
};

struct dovecot_problem {
    str file;
    int line;
    bool warning; /* Dovecot would read on */
    str text;
};

struct dovecot_conf {
    struct dovecot_setting *settings;
    size_t count;
    const struct dovecot_block **blocks; /* empty ones too */
    size_t block_count;
    struct dovecot_problem *problems;
    size_t problem_count; /* at most DOVECOT_PROBLEMS_MAX */
    size_t error_count;   /* all problems but warnings, told or not */
    str version;          /* dovecot_config_version; "": 2.3 */
    str storage_version;  /* dovecot_storage_version, or "" */
};

struct dovecot_reader;

struct dovecot_env {
    /* Finds the files of an !include, as glob(3) with braces does, and gives each to dovecot_conf_feed; a
     * pattern that is not absolute is relative to the file `from`. RC_GONE: none matches. Else e->log or
     * e->peer has the reason. NULL: no file ever matches. */
    enum rc (*include)(void *ctx, struct dovecot_reader *r, str pattern, str from, struct err *e);
    /* Dovecot's default of a setting; false: there is no such setting. NULL: dovecot_default_find. */
    bool (*find_default)(void *ctx, str name, str *ret);
    /* A variable of the environment; false: unset, which is empty. NULL: "$ENV:" is a problem. */
    bool (*find_env)(void *ctx, str name, str *ret);
    void *ctx;
};

/* Reads a file and those it includes. All of *ret lives in the arena. RC_OK also with problems; RC_LIMIT: the
 * arena is exhausted, or there are more blocks, settings or files than the limits allow. */
MUST_USE enum rc dovecot_conf_read(str file, str text, const struct dovecot_env *env, struct arena *a,
                                   struct dovecot_conf *ret);

/* For the include callback: reads one file in this place. A file that is being read already is a problem. */
void dovecot_conf_feed(struct dovecot_reader *r, str file, str text);

/* The effective settings, in place: of those of one block and name the last one, in the place of the first.
 * In 2.4 a block that includes a group has its settings where it has none of its own; the groups themselves
 * and what includes them are gone. A group that is not there is a problem. RC_LIMIT as above. */
MUST_USE enum rc dovecot_conf_merge(struct dovecot_conf *conf, struct arena *a);

/* Adds the blocks and settings of `below` that conf does not have. Both are merged. RC_LIMIT as above. */
MUST_USE enum rc dovecot_conf_underlay(struct dovecot_conf *conf, const struct dovecot_conf *below,
                                       struct arena *a);

/* What stands outside of all filter blocks and in those that are chosen, as if all of it stood at the top: no
 * block of *ret is a filter. Where several say something the first of them counts, and what stands outside
 * last. Blocks without name are each their own, in that order. conf is merged. RC_LIMIT as above. */
MUST_USE enum rc dovecot_conf_lift(const struct dovecot_conf *conf, const struct dovecot_block *const *chosen,
                                   size_t n, struct arena *a, struct dovecot_conf *ret);

/* path as it is when absolute, else in the folder of the file `from`. */
void dovecot_conf_path(struct buf *out, str path, str from);

/* protocol, local, remote and local_name: settings in these are settings of the whole for some sessions. */
bool dovecot_block_is_filter(str kind);
/* The innermost such block that b is or stands in; NULL: none. */
const struct dovecot_block *dovecot_block_filter(const struct dovecot_block *b);

/* "service auth / unix_listener auth-userdb", "passdb 2", "" at the top: for messages and tests. */
void dovecot_block_format(struct buf *out, const struct dovecot_block *block);

/* Defaults of Dovecot 2.3 for the settings that others are made of. */
bool dovecot_default_find(void *ctx, str name, str *ret);

#endif
