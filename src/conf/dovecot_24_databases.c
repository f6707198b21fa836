/* The blocks passdb and userdb of 2.4 in the words of 2.3: what stands in settings of its own becomes args.
 */
#include "conf/dovecot_24_impl.h"

#include "base/enc.h"
#include "fmt/dovecot_var.h"
#include "os/crypto.h"

#define FAIL(e, ...) err_set((e), RC_PERM, 0, "", __VA_ARGS__)

enum { ARGS_MAX = 4096 };

const struct dovecot_setting *dovecot_24_own(struct dovecot_24 *x, const struct dovecot_block *b,
                                             const char *name)
{
    str rest = str_c(name);
    const struct dovecot_setting *s = dovecot_24_find(x, b, rest);
    if (!s && str_starts(rest, b->kind) && rest.n > b->kind.n) {
        rest = str_from(rest, b->kind.n + 1);
        s = dovecot_24_find(x, b, rest);
    }
    if (!s && rest.n < strlen(name)) {
        str end = rest, driver = str_take(&end, '_');
        bool known = str_eq(driver, S("sql")) || str_eq(driver, S("ldap")) || str_eq(driver, S("pam")) ||
                     str_eq(driver, S("static"));
        s = known && end.p ? dovecot_24_find(x, b, end) : NULL;
    }
    return s ? s : dovecot_24_find(x, NULL, str_c(name));
}

const struct dovecot_block *dovecot_24_inner(const struct dovecot_24 *x, const struct dovecot_block *b,
                                             const char *kind)
{
    for (size_t i = 0; i < x->conf->block_count; i++)
        if (x->conf->blocks[i]->parent == b && str_eq(x->conf->blocks[i]->kind, str_c(kind)))
            return x->conf->blocks[i];
    return NULL;
}

str dovecot_24_driver(struct dovecot_24 *x, const struct dovecot_block *b)
{
    const struct dovecot_setting *s = dovecot_24_find(x, b, S("driver"));
    return s ? s->value : b->name;
}

enum rc dovecot_24_put(struct dovecot_24 *x, const struct dovecot_setting *s, struct buf *out, struct err *e)
{
    x->last = s;
    return dovecot_var_older(s->value, out, e);
}

/* --- fields --- */

/* A word of a list: white space in it is kept. */
static void put_word(str s, struct buf *out)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == ' ' || s.p[i] == '\t' || s.p[i] == '\\')
            buf_putc(out, '\\');
        buf_putc(out, s.p[i]);
    }
}

static enum rc put_field(struct dovecot_24 *x, const struct dovecot_setting *s, struct buf *out,
                         struct err *e)
{
    AUTO(buf_deinit) struct buf value = BUF_INIT(DOVECOT_24_VALUE_MAX);
    str suffix = s->name, name = str_take(&suffix, ':');
    enum rc rc = dovecot_24_put(x, s, &value, e);
    if (rc != RC_OK)
        return rc;
    buf_puts(out, out->n ? S(" ") : S(""));
    buf_printf(out, STR_FMT "=", STR_ARG(name));
    put_word(buf_str(&value), out);
    return RC_OK;
}

/* "fields { home = /x }": those that count where the database says nothing (":default"), or all others. */
static enum rc put_fields(struct dovecot_24 *x, const struct dovecot_block *fields, bool defaults,
                          struct buf *out, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; fields && i < x->conf->count && rc == RC_OK; i++) {
        const struct dovecot_setting *s = &x->conf->settings[i];
        str suffix = s->name;
        if (s->block != fields || !dovecot_24_find(x, fields, s->name))
            continue;
        (void)str_take(&suffix, ':');
        bool is_default = str_eq(suffix, S("default")) || str_eq(suffix, S("protected"));
        if (suffix.p && !is_default)
            return FAIL(e, "\":" STR_FMT "\" of a field is not supported", STR_ARG(suffix));
        if (is_default == defaults)
            rc = put_field(x, s, out, e);
    }
    return rc;
}

static const struct dovecot_block *fields_of(const struct dovecot_24 *x, const struct dovecot_block *b)
{
    bool pass = str_eq(b->kind, S("passdb"));
    const struct dovecot_block *fields = dovecot_24_inner(x, b, "fields");
    return fields ? fields : dovecot_24_inner(x, b, pass ? "passdb_fields" : "userdb_fields");
}

/* --- args --- */

static void take_digest(void *ctx, str name, str value)
{
    buf_printf(ctx, STR_FMT "=" STR_FMT "\n", STR_ARG(name), STR_ARG(value));
}

static void put_place_of(const char *file, str kind, str name, str settings, struct buf *out)
{
    unsigned char digest[CRYPTO_DIGEST_MAX];
    crypto_digest(CRYPTO_SHA256, settings, digest);
    buf_printf(out, "%s!" STR_FMT "/" STR_FMT "!", file, STR_ARG(kind), STR_ARG(name));
    enc_hex(out, str_mem(digest, 4));
}

/* The place of a database that has a file of its own in 2.3. */
static enum rc put_place(struct dovecot_24 *x, const struct dovecot_block *b, const char *file,
                         struct buf *out, struct err *e)
{
    AUTO(buf_wipe) struct buf all = BUF_INIT(1 << 20);
    enum rc rc = dovecot_24_table(x, b, take_digest, &all, e);
    if (rc == RC_OK)
        put_place_of(file, b->kind, b->name, buf_str(&all), out);
    return rc;
}

enum rc dovecot_24_oauth2_place(struct dovecot_24 *x, const char *file, struct buf *out, struct err *e)
{
    AUTO(buf_wipe) struct buf all = BUF_INIT(1 << 20);
    enum rc rc = dovecot_24_oauth2(x, take_digest, &all, e);
    if (rc == RC_OK)
        put_place_of(file, S("oauth2"), S(""), buf_str(&all), out);
    return rc;
}

static enum rc put_file(struct dovecot_24 *x, const struct dovecot_block *b, struct buf *out, struct err *e)
{
    const struct dovecot_setting *path = dovecot_24_own(x, b, "passwd_file_path"),
                                 *scheme = dovecot_24_own(x, b, "passdb_default_password_scheme"),
                                 *format = dovecot_24_find(x, b, S("auth_username_format"));
    enum rc rc = RC_OK;
    if (!path)
        return FAIL(e, "passwd_file_path is missing");
    if (scheme && str_eq(b->kind, S("passdb")))
        buf_printf(out, "scheme=" STR_FMT " ", STR_ARG(scheme->value));
    if (format) {
        buf_puts(out, S("username_format="));
        rc = dovecot_24_put(x, format, out, e);
        buf_putc(out, ' ');
    }
    return rc == RC_OK ? dovecot_24_put(x, path, out, e) : rc;
}

/* The fields and, of a passdb, the password. */
static enum rc put_static(struct dovecot_24 *x, const struct dovecot_block *b, struct buf *out, struct err *e)
{
    bool pass = str_eq(b->kind, S("passdb"));
    const struct dovecot_setting *own =
        dovecot_24_own(x, b, pass ? "passdb_static_password" : "userdb_static_allow_all_users");
    enum rc rc = put_fields(x, fields_of(x, b), false, out, e);
    if (rc != RC_OK || !own || (!pass && !str_eq(own->value, S("yes"))))
        return rc;
    buf_puts(out, out->n ? S(" ") : S(""));
    buf_puts(out, pass ? S("password=") : S("allow_all_users=yes"));
    if (pass) {
        AUTO(buf_wipe) struct buf value = BUF_INIT(DOVECOT_24_VALUE_MAX);
        rc = dovecot_24_put(x, own, &value, e);
        put_word(buf_str(&value), out);
    }
    return rc;
}

static enum rc put_args(struct dovecot_24 *x, const struct dovecot_block *b, const char *file,
                        struct buf *out, struct err *e)
{
    str driver = dovecot_24_driver(x, b);
    if (str_eq(driver, S("sql")) || str_eq(driver, S("ldap")))
        return put_place(x, b, file, out, e);
    if (str_eq(driver, S("passwd-file")))
        return put_file(x, b, out, e);
    if (str_eq(driver, S("static")))
        return put_static(x, b, out, e);
    const struct dovecot_setting *service =
        str_eq(driver, S("pam")) ? dovecot_24_own(x, b, "passdb_pam_service_name") : NULL;
    if (service)
        buf_puts(out, service->value);
    return RC_OK;
}

/* --- the block --- */

/* "mechanisms_filter = plain login" or "mechanisms_filter { plain = yes }". */
static void put_mechanisms(struct dovecot_24 *x, const struct dovecot_block *b, struct buf *out)
{
    const struct dovecot_block *list = dovecot_24_inner(x, b, "mechanisms_filter");
    const struct dovecot_setting *s = dovecot_24_find(x, b, S("mechanisms_filter"));
    if (s)
        buf_puts(out, s->value);
    for (size_t i = 0; list && i < x->conf->count; i++) {
        s = &x->conf->settings[i];
        if (s->block == list && str_eq(s->value, S("yes")) && dovecot_24_find(x, list, s->name))
            buf_printf(out, "%s" STR_FMT, out->n ? " " : "", STR_ARG(s->name));
    }
}

static void give(const struct buf *value, const char *name, dovecot_24_fn *fn, void *fn_ctx)
{
    if (value->n > 0)
        fn(fn_ctx, str_c(name), buf_str(value));
}

enum rc dovecot_24_block(struct dovecot_24 *x, const struct dovecot_block *b, const char *file,
                         dovecot_24_fn *fn, void *fn_ctx, struct err *e)
{
    static const char *const same[] = {"username_filter",     "skip", "result_success", "result_failure",
                                       "result_internalfail", "deny", "master"};
    AUTO(buf_wipe) struct buf args = BUF_INIT(ARGS_MAX);
    AUTO(buf_deinit)
    struct buf defaults = BUF_INIT(ARGS_MAX), overrides = BUF_INIT(ARGS_MAX), mechanisms = BUF_INIT(ARGS_MAX);
    str driver = dovecot_24_driver(x, b);
    enum rc rc = put_args(x, b, file, &args, e);
    if (rc == RC_OK)
        rc = put_fields(x, fields_of(x, b), true, &defaults, e);
    /* those of static are in its args, those of LDAP are made of its attributes */
    if (rc == RC_OK && !str_eq(driver, S("static")) && !str_eq(driver, S("ldap")))
        rc = put_fields(x, fields_of(x, b), false, &overrides, e);
    if (rc != RC_OK)
        return rc;
    put_mechanisms(x, b, &mechanisms);
    if (args.overflow || defaults.overflow || overrides.overflow || mechanisms.overflow)
        return FAIL(e, "it is too long");
    give(&args, "args", fn, fn_ctx);
    give(&defaults, "default_fields", fn, fn_ctx);
    give(&overrides, "override_fields", fn, fn_ctx);
    give(&mechanisms, "mechanisms", fn, fn_ctx);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        const struct dovecot_setting *s = dovecot_24_find(x, b, str_c(same[i]));
        if (s && s->value.n)
            fn(fn_ctx, str_c(same[i]), s->value);
    }
    return RC_OK;
}
