/* table: Postfix's look-up tables. A table is named as in main.cf, `type:name`, and gives a text for a key.
 *
 * Types: inline, static, texthash, aliases (a file in the format of aliases(5), read with what it includes),
 * hash and lmdb (both an LMDB file that `malle postmap` made), regexp, pcre, cidr, mmdb, sqlite, pgsql,
 * mysql, ldap, unionmap, pipemap, randmap, socketmap, tcp, policy, fail, and dovecot-sql, dovecot-ldap and
 * dovecot-oauth2, which are for databases of users alone (users.h); `proxy:` in front of a name means nothing
 * here.
 *
 * Files are opened and read by table_open only, with a size limit, so that a role opens its tables before it
 * is locked in. Databases and servers are connected to when first asked, a few connections a table; one that
 * fails is left alone for a while, longer each time. A table never changes what it says about files: a reload
 * opens it anew. Any number of threads may ask one table at once. */
#ifndef TABLE_TABLE_H
#define TABLE_TABLE_H

#include "base/arena.h"
#include "base/clock.h"

enum {
    TABLE_TIMEOUT_MS = 10000,  /* the default for one query */
    TABLE_FILE_MAX = 64 << 20, /* the default for one file, in bytes */
    TABLE_CONNECTIONS = 4,     /* the default for one table */
    TABLE_KEY_MAX = 64 << 10,  /* a longer key is not in any table */
    TABLE_VALUE_MAX = 1 << 20, /* a longer answer is RC_TEMP */
    TABLE_NESTING_MAX = 8,     /* tables within tables */
    TABLE_LIST_MAX = 100,      /* tables in one list */
    TABLE_SPEC_MAX = 4096,     /* of a table that another process asks */
    TABLE_ASKS_AT_ONCE = 64,   /* questions to one such table; others wait */
    TABLE_ON_THE_WAY_MS = 2000 /* for question and answer, beyond what the other process gives a table */
};

/* What tables need from whoever opens them; zeroes mean the defaults. Copied by table_open. */
struct table_env {
    /* Called by table_open for what Postfix warns of and goes on: a rule that is skipped, a key that is there
     * twice, a file that is older than its source. May be NULL. */
    void (*warn)(void *ctx, const char *text);
    void *ctx;
    int timeout_ms; /* for one query to a database or a server */
    size_t file_max;
    unsigned connections; /* to one database or server at once */
    /* Rules of regexp and pcre whose result contains $1... are skipped with a warning: for tables that decide
     * where mail goes or whose text is run (transport(5), aliases(5)). */
    bool no_substitution;
    /* Tables that ask a database or a server (sqlite, pgsql, mysql, ldap, socketmap, tcp) are asked by
     * another process, through this function, and none of their files is read here: for a process that is
     * locked in without a way out. Called by any number of threads at once; results as of table_find. */
    enum rc (*ask)(void *ctx, str spec, str key, msec deadline, struct arena *a, str *ret, struct err *e);
    void *ask_ctx;
    /* Connects to a Unix socket that this process may not reach, for tables that ask a server over it; called
     * by any number of threads at once. May be NULL. */
    enum rc (*connect)(void *ctx, str path, int *ret_fd, struct err *e);
    void *connect_ctx;
    /* Such tables are only looked at: their files are read and checked, but no library is loaded, no name
     * resolved and nothing connected to; table_find of one is RC_TEMP. For the master. */
    bool unasked;
};

struct table;

/* The name of the i-th type of tables, from 0; NULL behind the last. */
const char *table_type_name(size_t i);

/* spec: "type:name", names without blanks unless in braces. RC_PERM: there is no such type, or its file or
 * name is wrong; RC_GONE: the file is missing; RC_LIMIT: it is larger than file_max; RC_TEMP: it cannot be
 * read now. *e says so for the log, with the file and line. */
MUST_USE enum rc table_open(str spec, const struct table_env *env, struct table **ret, struct err *e);
struct table *table_close(struct table *t); /* accepts NULL, returns NULL */
void table_closep(struct table **t);

/* RC_OK: *ret lives in the arena; RC_GONE: the key is not there; RC_TEMP: it cannot be said now, which never
 * means that it is not there; RC_PERM: the table is misconfigured; RC_LIMIT: the arena is exhausted. Keys are
 * case-folded first where the type compares texts. */
MUST_USE enum rc table_find(struct table *t, str key, struct arena *a, str *ret, struct err *e);

/* Whether only whole keys may be asked: regexp, pcre, cidr, tcp... take no parts of addresses or names. */
bool table_takes_whole_keys(const struct table *t);
/* Whether it asks a database or a server, or a table within it does. */
bool table_asks(const struct table *t);
/* As it was given to table_open. */
str table_spec(const struct table *t);
/* Whether a file that was read has been replaced or changed since; tables without files never change. Looks
 * at the files by their names, but not at those of tables that ask a database or a server. */
bool table_changed(const struct table *t);
/* The same for the files of those: they matter to the process that asks. */
bool table_asking_changed(const struct table *t);

/* The milliseconds that a spec of the type policy gives its server, 0 when it is none. */
int table_policy_timeout(str spec);

/* Connects the table to its database now, if it has one; what is wrong otherwise shows when it is first
 * asked. */
MUST_USE enum rc table_probe(struct table *t, struct err *e);
/* Calls fn for each folder below which the table has to read when it is asked. */
void table_each_folder(const struct table *t, void (*fn)(void *ctx, const char *folder), void *ctx);
/* Calls fn for each table in the text of a list that asks a database or a server, also within unionmap and
 * pipemap. What cannot be read in the text is passed over; table_list_open says so. */
void table_each_asking(str list, void (*fn)(void *ctx, str spec), void *ctx);

/* Tables that are asked in order until one knows the key: the value of virtual_alias_maps and its like. */
struct table_list;

/* Each of the n texts names tables separated by commas and blanks that are not in braces; so it takes a
 * setting's whole text as well as a list that is split already. No table at all is fine. Errors as of
 * table_open; what was opened is closed again. */
MUST_USE enum rc table_list_open(const str *texts, size_t n, const struct table_env *env,
                                 struct table_list **ret, struct err *e);
struct table_list *table_list_close(struct table_list *l); /* accepts NULL, returns NULL */
void table_list_closep(struct table_list **l);
size_t table_list_count(const struct table_list *l);
struct table *table_list_get(const struct table_list *l, size_t i);
bool table_list_changed(const struct table_list *l);
bool table_list_asking_changed(const struct table_list *l);

enum table_key { TABLE_WHOLE_KEY, TABLE_PARTIAL_KEY };
/* As table_find, in each table in order; with a partial key those that take whole keys are passed over. Ends
 * at the first answer that is not RC_GONE. */
MUST_USE enum rc table_list_find(struct table_list *l, enum table_key kind, str key, struct arena *a,
                                 str *ret, struct err *e);
/* The same without tables that ask a database or a server: what the administrator of this machine says. */
MUST_USE enum rc table_list_find_here(struct table_list *l, str key, struct arena *a, str *ret,
                                      struct err *e);

#endif
