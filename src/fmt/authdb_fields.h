/* authdb_fields: what a database says of somebody, as fields name=value; their text between processes; and
 * the "%" variables that settings of such databases are filled in with.
 *
 *   text = *( TAB name "=" value )     ; values escaped as in Dovecot's protocol (fmt/dovecot_auth.h)
 */
#ifndef FMT_AUTHDB_FIELDS_H
#define FMT_AUTHDB_FIELDS_H

#include "base/arena.h"
#include "base/buf.h"

enum {
    AUTHDB_FIELDS_MAX = 100,
    AUTHDB_FIELDS_TEXT_MAX = 24 << 10 /* bytes of the text */
};

struct authdb_fields {
    struct authdb_field {
        str name, value;
    } v[AUTHDB_FIELDS_MAX];
    size_t n;
};

/* Replaces a field of that name. RC_LIMIT: there are too many. */
MUST_USE enum rc authdb_fields_set(struct authdb_fields *f, str name, str value);
void authdb_fields_del(struct authdb_fields *f, str name);
/* NULL: there is none. */
const struct authdb_field *authdb_fields_find(const struct authdb_fields *f, str name);
str authdb_fields_value(const struct authdb_fields *f, str name); /* "" without */

void authdb_fields_put(struct buf *out, const struct authdb_fields *f);
/* All lies in the arena. RC_INVALID: malformed; RC_LIMIT: too many, or the arena is exhausted. */
MUST_USE enum rc authdb_fields_parse(str text, struct arena *a, struct authdb_fields *ret);

/* What variables stand for; "username" and "domain" are the parts of the user before and behind its first
 * "@". */
struct authdb_vars {
    str user, original; /* as it is looked up, and as the client wrote it */
    str home, service, client_ip, mechanism;
    str password; /* p NULL: there is no such variable */
};

/* How a value is made harmless where it stands; NULL: it is put as it is. */
typedef void authdb_quote(void *ctx, struct buf *out, str value);

/* Appends text with its variables (fmt/dovecot_var.h, 2.3) filled in. is_path: RC_INVALID where a name in it
 * would lead out of its folder ("/", "..", control characters). Else errors as of dovecot_var_expand. */
struct authdb_expansion {
    const struct authdb_vars *vars;
    bool is_path;
    authdb_quote *quote;
    void *quote_ctx;
};
MUST_USE enum rc authdb_expand(str text, const struct authdb_expansion *x, struct buf *out, struct err *e);

#endif
