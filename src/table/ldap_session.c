/* Connecting to LDAP servers. */
#include "table/ldap_session.h"

#include "table/library.h"

enum rc ldap_session_load(struct table *t, struct ldap_session *s, struct err *e)
{
    static const char *const files[] = {"libldap-2.5.so.0", "libldap.so.2", NULL};
#define SYMBOL(name) {#name, offsetof(struct libldap, name)},
    static const struct library_symbol symbols[] = {LIBLDAP(SYMBOL){NULL, 0}};
    return library_load(t, files, "libldap-2.5-0", symbols, &s->lib, e);
}

enum rc ldap_session_fail(struct table *t, const struct ldap_session *s, struct err *e, enum rc rc,
                          const char *what, int code)
{
    return table_fail(t, e, rc, "%s: %s", what, s->lib.ldap_err2string(code));
}

/* Options of the session; those of TLS take effect with the new context. LDAP_OPT_ON is a variable of the
 * library; anything that is not NULL means the same. */
static int set_options(struct table *t, const struct ldap_session *s, LDAP *ld)
{
    const struct {
        int option;
        const char *text;
    } files[] = {
        {LDAP_OPT_X_TLS_CACERTFILE, s->ca_file},   {LDAP_OPT_X_TLS_CACERTDIR, s->ca_dir},
        {LDAP_OPT_X_TLS_CERTFILE, s->cert},        {LDAP_OPT_X_TLS_KEYFILE, s->key},
        {LDAP_OPT_X_TLS_CIPHER_SUITE, s->ciphers},
    };
    int version = LDAP_VERSION3, zero = 0;
    int require = s->require_cert ? LDAP_OPT_X_TLS_DEMAND : LDAP_OPT_X_TLS_NEVER;
    struct timeval tv = {t->env.timeout_ms / 1000, t->env.timeout_ms % 1000 * 1000};
    int code = s->lib.ldap_set_option(ld, LDAP_OPT_PROTOCOL_VERSION, &version);
    code = code ? code : s->lib.ldap_set_option(ld, LDAP_OPT_NETWORK_TIMEOUT, &tv);
    code = code ? code : s->lib.ldap_set_option(ld, LDAP_OPT_TIMEOUT, &tv);
    code = code ? code : s->lib.ldap_set_option(ld, LDAP_OPT_DEREF, &s->dereference);
    code =
        code ? code : s->lib.ldap_set_option(ld, LDAP_OPT_REFERRALS, s->referrals ? &version : LDAP_OPT_OFF);
    code = code ? code : s->lib.ldap_set_option(ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &require);
    for (size_t i = 0; code == 0 && i < sizeof files / sizeof *files; i++)
        code = files[i].text ? s->lib.ldap_set_option(ld, files[i].option, files[i].text) : 0;
    return code ? code : s->lib.ldap_set_option(ld, LDAP_OPT_X_TLS_NEWCTX, &zero);
}

int ldap_session_bind(const struct ldap_session *s, LDAP *ld, const char *dn, str password)
{
    AUTO(str_freep) char *copy = str_dup(password); /* struct berval is not const */
    struct berval secret = {password.n, copy};
    int code = s->lib.ldap_sasl_bind_s(ld, dn, LDAP_SASL_SIMPLE, &secret, NULL, NULL, NULL);
    explicit_bzero(copy, password.n);
    return code;
}

enum rc ldap_session_connect(struct table *t, const struct ldap_session *s, LDAP **ret, struct err *e)
{
    LDAP *ld = NULL;
    int code = s->lib.ldap_initialize(&ld, s->uris);
    if (code != 0)
        return ldap_session_fail(t, s, e, RC_PERM, "the names of the servers", code);
    enum rc rc = RC_OK;
    if (set_options(t, s, ld) != 0)
        rc = table_fail(t, e, RC_PERM, "the settings for TLS or the session are refused");
    else if (s->start_tls && (code = s->lib.ldap_start_tls_s(ld, NULL, NULL)) != 0)
        rc = ldap_session_fail(t, s, e, RC_TEMP, "STARTTLS", code);
    if (rc == RC_OK)
        *ret = ld;
    else
        s->lib.ldap_unbind_ext_s(ld, NULL, NULL);
    return rc;
}

enum rc ldap_session_open(struct table *t, const struct ldap_session *s, LDAP **ret, struct err *e)
{
    LDAP *ld = NULL;
    enum rc rc = ldap_session_connect(t, s, &ld, e);
    int code = rc == RC_OK && s->bind ? ldap_session_bind(s, ld, s->dn, str_c(s->password)) : 0;
    if (code != 0) {
        s->lib.ldap_unbind_ext_s(ld, NULL, NULL);
        return ldap_session_fail(t, s, e, RC_TEMP, "bind", code);
    }
    if (rc == RC_OK)
        *ret = ld;
    return rc;
}

void ldap_session_note_files(struct table *t, const struct ldap_session *s)
{
    const char *const paths[] = {s->ca_file, s->ca_dir, s->cert, s->key};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (paths[i] && paths[i][0])
            table_need_folder_of(t, paths[i]);
}

void ldap_session_warn(struct table *t, const struct ldap_session *s, const char *yes)
{
    bool tls = s->start_tls || str_find(str_c(s->uris), S("ldaps:")) >= 0;
    if (tls && !s->require_cert)
        table_warn(t, "the server's certificate is not checked; tls_require_cert = %s does it", yes);
}
