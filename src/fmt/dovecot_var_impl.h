/* What fmt/dovecot_var.c (2.3) and fmt/dovecot_pipe.c (2.4) share. */
#ifndef FMT_DOVECOT_VAR_IMPL_H
#define FMT_DOVECOT_VAR_IMPL_H

#include "fmt/dovecot_var.h"

#define DOVECOT_VAR_FAIL(e, rc, ...) err_set((e), (rc), 0, "", __VA_ARGS__)
#define DOVECOT_VAR_TEXT(s)          STR_ARG(str_sub((s), 0, 60))

struct dovecot_var {
    const struct dovecot_var_env *env;
    struct buf value; /* of one variable, on its way through modifiers or filters */
    struct err *e;
};

/* The value of the variable, in v->value. RC_GONE and others with e filled. */
MUST_USE enum rc dovecot_var_get(struct dovecot_var *v, str name);
/* text becomes the value; it may be a part of it. */
MUST_USE enum rc dovecot_var_set(struct dovecot_var *v, str text);
void dovecot_var_lower(struct buf *b);
void dovecot_var_upper(struct buf *b);
void dovecot_var_reverse(struct buf *b);
MUST_USE enum rc dovecot_var_ldap_dn(struct dovecot_var *v);
/* "%{" filters "}" at the beginning of text: its value in v->value, and how many bytes it has. */
MUST_USE enum rc dovecot_pipe_expand(struct dovecot_var *v, str text, size_t *ret_n);

#endif
