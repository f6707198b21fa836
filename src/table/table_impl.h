/* Shared by the files of this folder: what a type of table is, and what they all need. */
#ifndef TABLE_TABLE_IMPL_H
#define TABLE_TABLE_IMPL_H

#include "base/buf.h"
#include "base/clock.h"
#include "table/table.h"

#include <sys/stat.h>

/* One row per type in table.c. */
struct table_type {
    const char *name;
    bool whole_keys; /* parts of addresses and names are never asked for */
    bool folds;      /* keys are case-folded before they get here */
    /* Both fill *e on failure. open leaves t->state for the other two; close is called after a failed open,
     * too, with whatever it left there, NULL included. */
    enum rc (*open)(struct table *t, str name, struct err *e);
    enum rc (*find)(struct table *t, str key, struct arena *a, str *ret, struct err *e);
    void (*close)(struct table *t);
    bool asks; /* a database or a server; its open does without them when t->env.unasked, and makes t->pool
                  otherwise */
};

struct table_file { /* as it was when it was read */
    char *path;
    struct stat st;
    bool asking; /* of a table that asks a database or a server */
    struct table_file *next;
};

struct table_folder {
    char *path;
    struct table_folder *next;
};

struct pool;

struct table {
    const struct table_type *type;
    struct table_env env;
    char *spec;
    char *label; /* spec without what is in braces, which may be secret */
    void *state;
    bool whole_keys;
    unsigned depth; /* tables around this one */
    struct table *outer;
    struct pool *pool; /* its connections; NULL with other types, and when it is not asked here */
    /* the outermost table has those of all inside it */
    struct table_file *files;
    struct table_folder *folders;
};

/* table.c */
MUST_USE enum rc table_open_inside(struct table *outer, str spec, struct table **ret, struct err *e);
void table_warn(struct table *t, const char *fmt, ...) PRINTF(2, 3);
/* Fills *e: a neutral text for the peer, "type:name: text" for the log; returns rc. */
enum rc table_fail(const struct table *t, struct err *e, enum rc rc, const char *fmt, ...) PRINTF(4, 5);
/* Reads the file at path (a text that need not end in NUL) and remembers its state for table_changed. */
MUST_USE enum rc table_read_file(struct table *t, str path, struct buf *ret, struct err *e);
void table_remember_file(struct table *t, str path, const struct stat *st);
/* The file at path is read when the table is asked. */
void table_need_folder_of(struct table *t, const char *path);
/* What a type with rules has as its text: the file `name`, or its lines from "{{rule}, {rule}}". */
MUST_USE enum rc table_read_rules(struct table *t, str name, struct buf *ret, struct err *e);
/* A copy in the arena, or RC_LIMIT with *e filled. */
MUST_USE enum rc table_give(const struct table *t, str value, struct arena *a, str *ret, struct err *e);
msec table_deadline(const struct table *t); /* of a query that begins now */

/* Each logical line of a text, with its number; what cannot be read is warned of and skipped. */
typedef void table_line_fn(struct table *t, str line, int number);
void table_each_line(struct table *t, str text, table_line_fn *fn);

/* A table of texts in memory: keys and values of which the first or the last of a key counts. */
struct table_texts;
struct table_texts *table_texts_new(void);
struct table_texts *table_texts_free(struct table_texts *x); /* accepts NULL, returns NULL */
/* false: the key is there already; it keeps its value unless replace is set. */
bool table_texts_put(struct table_texts *x, str key, str value, bool replace);
const char *table_texts_find(const struct table_texts *x, str key); /* NULL when absent */

/* Types. */
extern const struct table_type table_inline, table_static, table_fail_type, table_texthash;
extern const struct table_type table_aliases;
extern const struct table_type table_hash, table_lmdb;
extern const struct table_type table_unionmap, table_pipemap, table_randmap;
extern const struct table_type table_regexp, table_pcre, table_cidr, table_mmdb;
extern const struct table_type table_sqlite, table_pgsql, table_mysql, table_ldap;
extern const struct table_type table_sql_users, table_ldap_users, table_oauth2;
extern const struct table_type table_socketmap, table_tcp, table_policy;
/* What a type that asks becomes where another process asks it. */
extern const struct table_type table_elsewhere;
const struct table_type *table_find_type(str name); /* NULL: there is none */

#endif
