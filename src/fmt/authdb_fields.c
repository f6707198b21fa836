/* Fields of users, their text, and variables. */
#include "fmt/authdb_fields.h"

#include "fmt/dovecot_auth.h"
#include "fmt/dovecot_var.h"

/* --- fields --- */

static size_t place_of(const struct authdb_fields *f, str name)
{
    size_t i = 0;
    while (i < f->n && !str_eq(f->v[i].name, name))
        i++;
    return i;
}

enum rc authdb_fields_set(struct authdb_fields *f, str name, str value)
{
    size_t i = place_of(f, name);
    if (i == AUTHDB_FIELDS_MAX)
        return RC_LIMIT;
    f->v[i] = (struct authdb_field){name, value};
    f->n += i == f->n;
    return RC_OK;
}

void authdb_fields_del(struct authdb_fields *f, str name)
{
    size_t i = place_of(f, name);
    if (i == f->n)
        return;
    f->n--;
    memmove(&f->v[i], &f->v[i + 1], (f->n - i) * sizeof f->v[0]);
}

const struct authdb_field *authdb_fields_find(const struct authdb_fields *f, str name)
{
    size_t i = place_of(f, name);
    return i < f->n ? &f->v[i] : NULL;
}

str authdb_fields_value(const struct authdb_fields *f, str name)
{
    const struct authdb_field *found = authdb_fields_find(f, name);
    return found ? found->value : S("");
}

void authdb_fields_put(struct buf *out, const struct authdb_fields *f)
{
    for (size_t i = 0; i < f->n; i++)
        dovecot_auth_put_value(out, f->v[i].name, f->v[i].value);
}

enum rc authdb_fields_parse(str text, struct arena *a, struct authdb_fields *ret)
{
    struct authdb_fields f = {.n = 0};
    if (text.n > 0 && text.p[0] != '\t')
        return RC_INVALID;
    text = str_from(text, 1);
    while (text.n > 0) {
        str value = str_take(&text, '\t'), name = str_take(&value, '='), plain;
        if (name.n == 0 || !value.p)
            return RC_INVALID;
        enum rc rc = dovecot_auth_unescape(value, a, &plain);
        if (rc == RC_OK)
            rc = authdb_fields_set(&f, arena_str(a, name), plain);
        if (arena_exhausted(a))
            rc = RC_LIMIT;
        if (rc != RC_OK)
            return rc;
    }
    *ret = f;
    return RC_OK;
}

/* --- variables --- */

static bool is_safe(str value)
{
    if (str_eq(value, S(".")) || str_eq(value, S("..")))
        return false;
    for (size_t i = 0; i < value.n; i++)
        if (value.p[i] == '/' || (unsigned char)value.p[i] < ' ' || value.p[i] == 0x7f)
            return false;
    return true;
}

static enum rc find_variable(void *ctx, str name, str *ret, struct err *e)
{
    const struct authdb_expansion *x = ctx;
    const struct authdb_vars *v = x->vars;
    str domain = v->user, local = str_take(&domain, '@');
    const struct {
        str name, value;
        bool is_name;
    } all[] = {
        {S("user"), v->user, true},
        {S("username"), local, true},
        {S("domain"), domain.p ? domain : S(""), true},
        {S("orig_user"), v->original, true},
        {S("auth_user"), v->user, true},
        {S("login_user"), v->user, true},
        {S("home"), v->home, false},
        {S("service"), v->service, false},
        {S("protocol"), v->service, false},
        {S("rip"), v->client_ip, false},
        {S("mech"), v->mechanism, false},
    };
    if (v->password.p && str_eq(name, S("password"))) {
        *ret = v->password;
        return RC_OK;
    }
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!str_eq(name, all[i].name))
            continue;
        if (x->is_path && all[i].is_name && !is_safe(all[i].value))
            return RC_INVALID;
        *ret = all[i].value;
        return RC_OK;
    }
    return RC_GONE;
}

enum rc authdb_expand(str text, const struct authdb_expansion *x, struct buf *out, struct err *e)
{
    struct authdb_expansion copy = *x;
    const struct dovecot_var_env env = {
        .find = find_variable, .ctx = &copy, .quote = x->quote, .quote_ctx = x->quote_ctx};
    return dovecot_var_expand(text, &env, out, e);
}
