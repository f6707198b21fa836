/* oauth2 { } of 2.4 in the words of dovecot-oauth2.conf.ext, and the passdb that 2.3 needs for it. */
#include "conf/dovecot_24_impl.h"

/* NAME or oauth2_NAME in the block, or the latter at the top. */
static const struct dovecot_setting *find(struct dovecot_24 *x, const char *name)
{
    const struct dovecot_block *b = dovecot_24_inner(x, NULL, "oauth2");
    str whole = arena_printf(x->a, "oauth2_%s", name);
    const struct dovecot_setting *s = b ? dovecot_24_find(x, b, str_c(name)) : NULL;
    if (!s && b)
        s = dovecot_24_find(x, b, whole);
    return s ? s : dovecot_24_find(x, NULL, whole);
}

/* Those of TLS have one name everywhere. */
static const struct dovecot_setting *find_tls(struct dovecot_24 *x, const char *name)
{
    const struct dovecot_block *b = dovecot_24_inner(x, NULL, "oauth2");
    const struct dovecot_setting *s = b ? dovecot_24_find(x, b, str_c(name)) : NULL;
    return s ? s : dovecot_24_find(x, NULL, str_c(name));
}

bool dovecot_24_has_oauth2(struct dovecot_24 *x)
{
    return dovecot_24_inner(x, NULL, "oauth2") || find(x, "introspection_url") || find(x, "tokeninfo_url");
}

/* local_validation { dict fs { fs posix { prefix = /etc/dovecot/keys/ } } } */
static void give_keys(struct dovecot_24 *x, dovecot_24_fn *fn, void *fn_ctx)
{
    const struct dovecot_block *b = dovecot_24_inner(x, NULL, "oauth2"),
                               *local = b ? dovecot_24_inner(x, b, "oauth2_local_validation") : NULL;
    if (b && !local)
        local = dovecot_24_inner(x, b, "local_validation");
    if (!local)
        local = dovecot_24_inner(x, NULL, "oauth2_local_validation");
    const struct dovecot_block *dict = local ? dovecot_24_inner(x, local, "dict") : NULL,
                               *fs = dict ? dovecot_24_inner(x, dict, "fs") : NULL;
    const struct dovecot_setting *prefix = fs ? dovecot_24_find(x, fs, S("prefix")) : NULL;
    if (fs && !prefix)
        prefix = dovecot_24_find(x, fs, S("fs_posix_prefix"));
    if (prefix)
        fn(fn_ctx, S("local_validation_key_dict"),
           arena_printf(x->a, "fs:" STR_FMT ":prefix=" STR_FMT, STR_ARG(fs->name), STR_ARG(prefix->value)));
}

static void give_tls(struct dovecot_24 *x, dovecot_24_fn *fn, void *fn_ctx)
{
    const struct dovecot_setting *ca = find_tls(x, "ssl_client_ca_file"),
                                 *strict = find_tls(x, "ssl_client_require_valid_cert");
    if (ca)
        fn(fn_ctx, S("tls_ca_cert_file"), ca->value);
    if (strict && str_eq(strict->value, S("no")))
        fn(fn_ctx, S("tls_allow_invalid_cert"), S("yes"));
}

enum rc dovecot_24_oauth2(struct dovecot_24 *x, dovecot_24_fn *fn, void *fn_ctx, struct err *e)
{
    static const char *const same[] = {"introspection_url",
                                       "introspection_mode",
                                       "tokeninfo_url",
                                       "force_introspection",
                                       "active_attribute",
                                       "active_value",
                                       "username_attribute",
                                       "client_id",
                                       "client_secret",
                                       "scope",
                                       "issuers",
                                       "openid_configuration_url"};
    AUTO(buf_deinit) struct buf format = BUF_INIT(DOVECOT_24_VALUE_MAX);
    const struct dovecot_setting *user = find(x, "username_validation_format");
    enum rc rc = user ? dovecot_24_put(x, user, &format, e) : RC_OK;
    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        const struct dovecot_setting *s = find(x, same[i]);
        if (s)
            fn(fn_ctx, str_c(same[i]), s->value);
    }
    if (user)
        fn(fn_ctx, S("username_format"), buf_str(&format));
    give_keys(x, fn, fn_ctx);
    give_tls(x, fn, fn_ctx);
    return RC_OK;
}
