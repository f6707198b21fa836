/* authdb: the databases in which passwords and users are looked up, as the options passdb and userdb name
 * them: Dovecot's passdb and userdb blocks (2.3), each in braces, in the order in which they are asked.
 *
 *   option   = *( "{" setting *( "," setting ) "}" )   ; fmt/tablespec.h
 *   setting  = name "=" value / "{" name "=" value "}" ; driver, args, default_fields, override_fields,
 * mechanisms, ; username_filter, skip, result_success, result_failure, ; result_internalfail, deny, pass
 *
 * Pure. What a database says of somebody is fmt/authdb_fields.h. */
#ifndef FMT_AUTHDB_H
#define FMT_AUTHDB_H

#include "base/arena.h"
#include "base/buf.h"

enum { AUTHDB_MAX = 32 }; /* databases of one option */

enum authdb_driver {
    AUTHDB_PAM,    /* passdb only */
    AUTHDB_SHADOW, /* passdb only */
    AUTHDB_PASSWD,
    AUTHDB_PASSWD_FILE,
    AUTHDB_STATIC,
    AUTHDB_PREFETCH, /* userdb only: the fields userdb_... that the passdb gave */
    AUTHDB_SQL,
    AUTHDB_LDAP,
    AUTHDB_OAUTH2 /* passdb only: the password is a token */
};

/* What follows when a database has said its word. */
enum authdb_rule {
    AUTHDB_RETURN,
    AUTHDB_RETURN_OK,
    AUTHDB_RETURN_FAIL,
    AUTHDB_CONTINUE,
    AUTHDB_CONTINUE_OK,
    AUTHDB_CONTINUE_FAIL
};

enum authdb_skip {
    AUTHDB_NEVER,
    AUTHDB_IF_FOUND,    /* "authenticated", of a userdb "found": an earlier database succeeded */
    AUTHDB_IF_NOT_FOUND /* "unauthenticated", "notfound" */
};

struct authdb {
    enum authdb_driver driver;
    str args; /* static: fields; passwd-file: what is in front of the path, too; others: the path */
    str path; /* passwd-file, sql, ldap, oauth2: absolute; a passwd-file's may have "%" variables */
    str scheme, username_format;         /* passwd-file: of passwords without one, "CRYPT"; the key, "%u" */
    str default_fields, override_fields; /* name=value, separated by spaces */
    str mechanisms;                      /* that it is asked for, "none": only look-ups; empty: all */
    str username_filter;                 /* masks of names, "!" in front excludes; empty: all */
    enum authdb_skip skip;
    enum authdb_rule success, failure, internalfail;
    bool deny;   /* whoever is in it cannot log in */
    bool master; /* its users log in as others, and it knows nobody else */
};

/* ret[]: AUTHDB_MAX of them, views of the option. RC_PERM: *e says for the administrator what is wrong. */
MUST_USE enum rc authdb_parse(str option, bool passdb, struct authdb ret[AUTHDB_MAX], size_t *ret_n,
                              struct err *e);

/* "sql", "ldap" or "oauth2": such a database is a table of the type dovecot-NAME; NULL: it is none. */
const char *authdb_table(const struct authdb *db);

/* Appends one setting of a database; the first one opens the braces of its own: "{driver=pam" and ",
 * deny=yes"; the caller closes them. RC_INVALID: braces in the value do not match. */
MUST_USE enum rc authdb_put_setting(struct buf *out, bool first, str name, str value);

/* The next of name=value words, in the arena; a word without "=" has an empty value. A backslash in front
 * keeps a space in its word. RC_GONE: no more; RC_LIMIT. */
MUST_USE enum rc authdb_take_field(str *list, struct arena *a, str *ret_name, str *ret_value);

/* Whether a name fits username_filter: one of the masks (* and ?), and none of those behind "!". */
bool authdb_filter_fits(str filter, str user);

#endif
