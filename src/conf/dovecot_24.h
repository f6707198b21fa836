/* dovecot_24: what the files of Dovecot 2.4 say, in the words of 2.3, so that all else knows these alone.
 *
 * An SQL or LDAP database, whose settings stand in a file of its own in 2.3 and in dovecot.conf in 2.4, is
 * known by a place there: "FILE!passdb/NAME!DIGEST". The digest is of its settings, so that the place is
 * another one when they have changed; they themselves are read by the role that asks the database, and by
 * nobody else. */
#ifndef CONF_DOVECOT_24_H
#define CONF_DOVECOT_24_H

#include "base/buf.h"
#include "fmt/dovecot_conf.h"

struct dovecot_24 {
    const struct dovecot_conf *conf;
    struct arena *a;
    void (*asked)(void *ctx, const struct dovecot_setting *s); /* of each setting that is used; or NULL */
    void *ctx;
    const struct dovecot_setting *last; /* the one that is at fault when something fails */
};

/* Renames the settings outside of databases, and makes mail_location, ssl_cert, ssl_key, ssl_ca,
 * disable_plaintext_auth and lists of what stands for them. RC_LIMIT; RC_PERM with *e filled, and x->last. */
MUST_USE enum rc dovecot_24_to_23(struct dovecot_24 *x, struct dovecot_conf *conf, struct err *e);

/* The settings of a database block, in the words of its own (args, default_fields, mechanisms...): each by
 * fn. file: of dovecot.conf. Errors as above. */
typedef void dovecot_24_fn(void *ctx, str name, str value);
MUST_USE enum rc dovecot_24_block(struct dovecot_24 *x, const struct dovecot_block *b, const char *file,
                                  dovecot_24_fn *fn, void *fn_ctx, struct err *e);

/* Whether there are settings for tokens of OAuth 2, and the place of these, "FILE!oauth2/!DIGEST": in 2.4
 * mechanisms that take tokens need no passdb. Errors as above. */
bool dovecot_24_has_oauth2(struct dovecot_24 *x);
MUST_USE enum rc dovecot_24_oauth2_place(struct dovecot_24 *x, const char *file, struct buf *out,
                                         struct err *e);

/* Whether it is a place as above. */
bool dovecot_24_is_place(str path);
/* The settings of the database there, in the words of dovecot-sql.conf.ext, dovecot-ldap.conf.ext and
 * dovecot-oauth2.conf.ext. Lists
 * of attributes have a line break behind each. RC_PERM, RC_TEMP, with *e filled. */
MUST_USE enum rc dovecot_24_read(str place, dovecot_24_fn *fn, void *fn_ctx, struct err *e);

#endif
