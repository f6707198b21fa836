/* Questions, templates and settings of databases of users. */
#include "table/users.h"

#include "conf/dovecot_24.h"
#include "fmt/dovecot_ext.h"

enum { SETTINGS_FILE_MAX = 1 << 20 };

enum rc users_question_get(const struct table *t, str key, struct arena *a, struct users_question *ret,
                           struct err *e)
{
    struct authdb_fields f;
    if (authdb_fields_parse(key, a, &f) != RC_OK)
        return table_fail(t, e, RC_TEMP, "a question cannot be read");
    str ask = authdb_fields_value(&f, S("ask"));
    const struct authdb_field *password = authdb_fields_find(&f, S("password"));
    *ret =
        (struct users_question){.ask = str_eq(ask, S("password")) || str_eq(ask, S("exists")) ? USERS_PASSWORD
                                       : str_eq(ask, S("list"))                               ? USERS_LIST
                                                                                              : USERS_USER,
                                .vars = {.user = authdb_fields_value(&f, S("user")),
                                         .original = authdb_fields_value(&f, S("original")),
                                         .service = authdb_fields_value(&f, S("service")),
                                         .client_ip = authdb_fields_value(&f, S("rip")),
                                         .mechanism = authdb_fields_value(&f, S("mech")),
                                         .password = password ? password->value : STR_NONE}};
    return RC_OK;
}

/* "%w", with modifiers in between, and its long name. */
bool users_needs_password(str text)
{
    if (str_find(text, S("{password}")) >= 0)
        return true;
    for (size_t i = 0; i + 1 < text.n; i++) {
        if (text.p[i] != '%')
            continue;
        for (i++; i < text.n && (ascii_digit(text.p[i]) || strchr(".-LUEXRTDHNM", text.p[i])); i++)
            ;
        if (i < text.n && text.p[i] == 'w')
            return true;
    }
    return false;
}

void users_ask_password(struct buf *out)
{
    struct authdb_fields f = {.n = 0};
    must(authdb_fields_set(&f, S("needs_password"), S("yes")) == RC_OK);
    authdb_fields_put(out, &f);
}

enum rc users_expand(const struct table *t, const char *name, str text, const struct users_question *q,
                     authdb_quote *quote, void *quote_ctx, struct buf *out, struct err *e)
{
    struct err why = {0};
    enum rc rc = authdb_expand(
        text, &(struct authdb_expansion){.vars = &q->vars, .quote = quote, .quote_ctx = quote_ctx}, out,
        &why);
    if (rc == RC_OK)
        return RC_OK;
    return table_fail(t, e, rc == RC_LIMIT ? RC_TEMP : RC_PERM, "%s: %s", name, err_text(&why));
}

static bool is_named(const char *const *names, str name)
{
    while (*names && !str_eq(name, str_c(*names)))
        names++;
    return *names != NULL;
}

struct taking {
    struct table *t;
    const char *const *names;
    struct table_texts *texts;
};

static void take(void *ctx, str name, str value)
{
    struct taking *x = ctx;
    table_texts_put(x->texts, name, value, true);
}

/* One of 2.4, in dovecot.conf. */
static enum rc read_place(struct table *t, str place, struct taking *x, struct err *e)
{
    struct err why = {0};
    enum rc rc = dovecot_24_read(place, take, x, &why);
    return rc == RC_OK ? RC_OK : table_fail(t, e, rc == RC_TEMP ? RC_TEMP : RC_PERM, "%s", err_text(&why));
}

static enum rc read_file(struct table *t, str path, struct taking *x, struct err *e)
{
    AUTO(buf_wipe) struct buf text = BUF_INIT(SETTINGS_FILE_MAX), joined = BUF_INIT(DOVECOT_EXT_LINE_MAX);
    enum rc rc = table_read_file(t, path, &text, e);
    struct dovecot_ext ext = {.rest = buf_str(&text)};
    str name, value;
    if (rc != RC_OK)
        return rc;
    while ((rc = dovecot_ext_next(&ext, &joined, &name, &value)) != RC_GONE) {
        if (rc != RC_OK)
            return table_fail(t, e, RC_PERM, "line %d is no setting", ext.line);
        if (is_named(x->names, name))
            take(x, name, value);
        else
            table_warn(t, "line %d: \"" STR_FMT "\" does nothing in malle", ext.line,
                       STR_ARG(str_sub(name, 0, 60)));
    }
    return RC_OK;
}

enum rc users_settings(struct table *t, str path, const char *const *names, struct table_texts **ret,
                       struct err *e)
{
    struct taking x = {t, names, *ret = table_texts_new()};
    return dovecot_24_is_place(path) ? read_place(t, path, &x, e) : read_file(t, path, &x, e);
}

str users_get(const struct table_texts *x, const char *name, const char *otherwise)
{
    const char *value = table_texts_find(x, str_c(name));
    return str_c(value ? value : otherwise);
}

enum rc users_get_word(const struct table *t, const struct table_texts *x, const char *name,
                       const struct users_word *words, int *ret, struct err *e)
{
    str value = users_get(x, name, words->name);
    for (; words->name; words++) {
        if (str_eq(value, str_c(words->name))) {
            *ret = words->value;
            return RC_OK;
        }
    }
    return table_fail(t, e, RC_PERM, "%s: \"" STR_FMT "\" has no meaning there", name,
                      STR_ARG(str_sub(value, 0, 20)));
}
