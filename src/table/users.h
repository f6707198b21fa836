/* users: what the types dovecot-sql and dovecot-ldap share: databases of users with Dovecot's settings
 * (fmt/dovecot_ext.h), which `auth` asks for the options passdb and userdb.
 *
 * The key is not a name, but a question, and the value is the answer, both fields (fmt/authdb_fields.h):
 * "ask" is "password", "exists" (a password that is only verified is not wanted), "user" or "list"; "user",
 * "original", "service", "rip", "mech" and, where it is asked for, "password" are what the variables stand
 * for. An answer "needs_password" asks for the same question with the password. The answer to "list" is a
 * field "user" for each. */
#ifndef TABLE_USERS_H
#define TABLE_USERS_H

#include "fmt/authdb_fields.h"
#include "table/table_impl.h"

enum users_ask { USERS_PASSWORD, USERS_USER, USERS_LIST };

struct users_question {
    enum users_ask ask;
    struct authdb_vars vars; /* password.p NULL: none was given */
};

/* RC_TEMP with *e filled: it is none. All lies in the arena. */
MUST_USE enum rc users_question_get(const struct table *t, str key, struct arena *a,
                                    struct users_question *ret, struct err *e);

/* Whether a template needs the password. */
bool users_needs_password(str text);
/* Appends the answer that asks for it. */
void users_ask_password(struct buf *out);
/* A template with its variables. RC_PERM, RC_TEMP, with *e filled. */
MUST_USE enum rc users_expand(const struct table *t, const char *name, str text,
                              const struct users_question *q, authdb_quote *quote, void *quote_ctx,
                              struct buf *out, struct err *e);

/* Reads the settings of the file: *ret has those in names (NULL behind the last); others are warned of.
 * Errors as of table_open. */
MUST_USE enum rc users_settings(struct table *t, str path, const char *const *names, struct table_texts **ret,
                                struct err *e);
str users_get(const struct table_texts *x, const char *name, const char *otherwise);
/* A setting that is one of some words (a NULL name behind the last), the first of them where it is not set.
 * RC_PERM with *e filled: it is none of them. */
struct users_word {
    const char *name;
    int value;
};
MUST_USE enum rc users_get_word(const struct table *t, const struct table_texts *x, const char *name,
                                const struct users_word *words, int *ret, struct err *e);

/* --- SQL (sql_users.c), for the types sqlite, pgsql and mysql --- */
struct sql_users;

struct sql_column {
    str name, value;
    bool is_null;
};
enum { SQL_COLUMNS_MAX = 100 };

str sql_users_connect(const struct sql_users *u);
/* Appends the statement. RC_GONE: the answer is in out already. */
MUST_USE enum rc sql_users_query(struct table *t, const struct sql_users *u, str key, authdb_quote *quote,
                                 void *quote_ctx, struct buf *statement, struct buf *out, struct err *e);
/* Appends one row of the answer; *count counts them. RC_TEMP: more than one where one is wanted. */
MUST_USE enum rc sql_users_row(struct table *t, const struct sql_users *u, str key,
                               const struct sql_column *columns, size_t n, struct buf *out, uint32_t *count,
                               struct err *e);
struct sql_users *sql_users_free(struct sql_users *u); /* accepts NULL, returns NULL */

/* Their open: *u becomes the table's. */
MUST_USE enum rc sqlite_open_users(struct table *t, struct sql_users *u, struct err *e);
MUST_USE enum rc pgsql_open_users(struct table *t, struct sql_users *u, struct err *e);
MUST_USE enum rc mysql_open_users(struct table *t, struct sql_users *u, struct err *e);

#endif
