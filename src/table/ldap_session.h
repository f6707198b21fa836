/* ldap_session: connections to LDAP servers through libldap, which is loaded when the first table of LDAP is
 * opened. LDAP version 3 and simple binds; no SASL. For ldap.c and ldap_users.c only. */
#ifndef TABLE_LDAP_SESSION_H
#define TABLE_LDAP_SESSION_H

#include "table/table_impl.h"

#include <ldap.h>

/* The functions of libldap that are used, under their own names. */
#define LIBLDAP(X)          \
    X(ldap_err2string)      \
    X(ldap_first_attribute) \
    X(ldap_first_entry)     \
    X(ldap_get_dn)          \
    X(ldap_get_values_len)  \
    X(ldap_initialize)      \
    X(ldap_memfree)         \
    X(ldap_msgfree)         \
    X(ldap_next_attribute)  \
    X(ldap_next_entry)      \
    X(ldap_sasl_bind_s)     \
    X(ldap_search_ext_s)    \
    X(ldap_set_option)      \
    X(ldap_start_tls_s)     \
    X(ldap_unbind_ext_s)    \
    X(ldap_value_free_len)  \
    X(ber_free)

struct libldap {
#define MEMBER(name) __typeof__(&name) name;
    LIBLDAP(MEMBER)
#undef MEMBER
};

struct ldap_session { /* texts live as long as it, "" or NULL when not set */
    struct libldap lib;
    const char *uris, *dn, *password;
    const char *ca_file, *ca_dir, *cert, *key, *ciphers;
    bool bind, start_tls, require_cert, referrals;
    int dereference;
};

/* Loads the library into s->lib. RC_PERM with *e filled. */
MUST_USE enum rc ldap_session_load(struct table *t, struct ldap_session *s, struct err *e);
/* Connects, without a bind. RC_TEMP, RC_PERM with *e filled. */
MUST_USE enum rc ldap_session_connect(struct table *t, const struct ldap_session *s, LDAP **ret,
                                      struct err *e);
/* A simple bind; the library's code. */
MUST_USE int ldap_session_bind(const struct ldap_session *s, LDAP *ld, const char *dn, str password);
/* Connects and binds as dn where s->bind is set. */
MUST_USE enum rc ldap_session_open(struct table *t, const struct ldap_session *s, LDAP **ret, struct err *e);
enum rc ldap_session_fail(struct table *t, const struct ldap_session *s, struct err *e, enum rc rc,
                          const char *what, int code);
/* Warns of a session that is encrypted for whoever answers; yes: the value of tls_require_cert that ends it.
 */
void ldap_session_warn(struct table *t, const struct ldap_session *s, const char *yes);
/* The folders of its files must be readable when it connects. */
void ldap_session_note_files(struct table *t, const struct ldap_session *s);

#endif
