/* Names that are looked up, and one question to one database of any kind. */
#include "account/databases_impl.h"

#include "conf/conf.h"
#include "fmt/dovecot_auth.h"
#include "table/settings.h"

#include <stdarg.h>

enum { VALUE_MAX = 8 << 10, SPEC_MAX = TABLE_SPEC_MAX, LIST_ARENA = 2 * TABLE_VALUE_MAX };

struct databases *databases_new(const struct conf *c)
{
    struct databases *d = calloc(1, sizeof *d);
    must(d);
    must(authdb_parse(str_c(c->passdb), true, d->pass, &d->n_pass, NULL) == RC_OK);
    must(authdb_parse(str_c(c->userdb), false, d->user, &d->n_user, NULL) == RC_OK);
    return d->n_pass + d->n_user > 0 ? d : databases_free(d);
}

struct databases *databases_free(struct databases *d)
{
    free(d);
    return NULL;
}

enum rc databases_cannot(struct err *e, const char *fmt, ...)
{
    char text[250];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    (void)err_set(e, RC_TEMP, 451, "4.3.0", "Temporary lookup failure");
    err_note(e, "%s", text);
    return RC_TEMP;
}

/* --- names --- */

/* auth_username_translation: pairs of a character and what it becomes. */
static char translate(str pairs, char c)
{
    for (size_t i = 0; i + 1 < pairs.n; i += 2)
        if (pairs.p[i] == c)
            return pairs.p[i + 1];
    return c;
}

static enum rc no_name(struct err *e, const char *why)
{
    (void)err_set(e, RC_GONE, 550, "5.1.1", "there is no such user");
    err_note(e, "%s", why);
    return RC_GONE;
}

enum rc databases_name(const struct conf *c, str name, struct arena *a, str *ret, struct err *e)
{
    AUTO(buf_deinit) struct buf whole = BUF_INIT(ADDRESS_MAX), formed = BUF_INIT(ADDRESS_MAX);
    str allowed = str_c(c->auth_username_chars);
    buf_puts(&whole, name);
    if (str_chr(name, '@') < 0 && c->auth_default_realm[0])
        buf_printf(&whole, "@%s", c->auth_default_realm);
    for (size_t i = 0; i < whole.n; i++) {
        if (whole.p[i] == '\0' || (allowed.n > 0 && str_chr(allowed, whole.p[i]) < 0))
            return no_name(e, "the name has a character that auth_username_chars does not allow");
        whole.p[i] = translate(str_c(c->auth_username_translation), whole.p[i]);
    }
    const struct authdb_vars vars = {.user = buf_str(&whole), .original = name};
    enum rc rc = whole.overflow ? RC_LIMIT : RC_OK;
    if (rc == RC_OK && c->auth_username_format[0])
        rc = authdb_expand(str_c(c->auth_username_format), &(struct authdb_expansion){.vars = &vars}, &formed,
                           e);
    else
        buf_puts(&formed, buf_str(&whole));
    if (rc != RC_OK || formed.n == 0)
        return no_name(e,
                       rc == RC_LIMIT ? "the name is too long" : "auth_username_format makes no name of it");
    *ret = arena_str(a, buf_str(&formed));
    return arena_exhausted(a) ? databases_cannot(e, "no room for a name") : RC_OK;
}

void databases_split_master(const struct conf *c, str *name, str *ret_user)
{
    str master = *name, user = STR_NONE;
    if (c->auth_master_user_separator[0])
        user = str_take(&master, c->auth_master_user_separator[0]);
    if (user.n == 0 || !master.p)
        return;
    *ret_user = user;
    *name = master;
}

bool databases_have_masters(const struct databases *d)
{
    for (size_t i = 0; i < d->n_pass; i++)
        if (d->pass[i].master)
            return true;
    return false;
}

/* --- fields from settings and entries --- */

/* Words name=value, their values expanded; keep: fields that are there already stay. */
static enum rc take_words(const struct database_question *q, str words, str prefix, bool keep,
                          struct authdb_fields *ret, struct err *e)
{
    str name, value;
    enum rc rc;
    while ((rc = authdb_take_field(&words, q->a, &name, &value)) == RC_OK) {
        AUTO(buf_wipe) struct buf text = BUF_INIT(VALUE_MAX);
        if (!str_starts(name, prefix))
            continue;
        name = str_from(name, prefix.n);
        bool is_path = str_eq(name, S("home")) || str_eq(name, S("mail"));
        struct err why = {0};
        if (name.n == 0 || (keep && authdb_fields_find(ret, name)))
            continue;
        rc = authdb_expand(value, &(struct authdb_expansion){.vars = q->vars, .is_path = is_path}, &text,
                           &why);
        if (rc == RC_INVALID && is_path)
            return no_name(e, "the name would lead out of the folder of all mail");
        if (rc == RC_OK)
            rc = authdb_fields_set(ret, name, arena_str(q->a, buf_str(&text)));
        if (rc != RC_OK || arena_exhausted(q->a))
            return databases_cannot(e, "the field " STR_FMT ": %s", STR_ARG(str_sub(name, 0, 60)),
                                    why.rc != RC_OK ? err_text(&why) : "too many or too long");
    }
    return rc == RC_GONE ? RC_OK : databases_cannot(e, "the fields of a user are too long");
}

static enum rc merge(const struct authdb_fields *from, struct authdb_fields *to, struct err *e)
{
    for (size_t i = 0; i < from->n; i++)
        if (authdb_fields_set(to, from->v[i].name, from->v[i].value) != RC_OK)
            return databases_cannot(e, "a user has more than %d fields", AUTHDB_FIELDS_MAX);
    return RC_OK;
}

/* auth-worker gives the last part of a passwd-file's line as one field. */
static enum rc ask_entry(const struct database_question *q, struct authdb_fields *ret, struct err *e)
{
    struct authdb_fields entry = {.n = 0};
    if (!q->l->database_entry)
        return databases_cannot(e, "only a server that root started reads %s",
                                q->db->path.n ? "passwd-files" : "shadow");
    enum rc rc = q->l->database_entry(q->l->system_ctx, q->passdb, q->db, q->vars->user, q->a, &entry, e);
    str extra = authdb_fields_value(&entry, S("extra"));
    authdb_fields_del(&entry, S("extra"));
    if (rc == RC_OK)
        rc = merge(&entry, ret, e);
    if (rc == RC_OK)
        rc = take_words(q, extra, q->passdb ? S("") : S("userdb_"), false, ret, e);
    return rc;
}

/* --- tables of proxymap --- */

static enum rc find_in_table(const struct database_question *q, str ask, bool with_password,
                             struct authdb_fields *ret, struct err *e)
{
    AUTO(buf_wipe) struct buf key = BUF_INIT(AUTHDB_FIELDS_TEXT_MAX);
    AUTO(buf_deinit) struct buf spec = BUF_INIT(SPEC_MAX);
    struct authdb_fields asked = {.n = 0};
    str text;
    const struct {
        str name, value;
    } parts[] = {{S("ask"), ask},
                 {S("user"), q->vars->user},
                 {S("original"), q->vars->original},
                 {S("service"), q->vars->service},
                 {S("rip"), q->vars->client_ip},
                 {S("mech"), q->vars->mechanism}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        must(authdb_fields_set(&asked, parts[i].name, parts[i].value) == RC_OK);
    if (with_password)
        must(authdb_fields_set(&asked, S("password"), q->vars->password) == RC_OK);
    (void)buf_room(&key, AUTHDB_FIELDS_TEXT_MAX); /* growing would leave copies of the password behind */
    authdb_fields_put(&key, &asked);
    buf_printf(&spec, "dovecot-%s:" STR_FMT, authdb_table(q->db), STR_ARG(q->db->path));
    struct table_list *list = table_settings_find(q->l->tables, buf_str(&spec));
    if (!list || key.overflow)
        return databases_cannot(e, STR_FMT ": cannot be asked", STR_ARG(str_sub(q->db->path, 0, 100)));
    enum rc rc = table_list_find(list, TABLE_WHOLE_KEY, buf_str(&key), q->a, &text, e);
    if (rc == RC_GONE)
        return rc;
    if (rc != RC_OK)
        return databases_cannot(e, "%s", e && e->log[0] ? e->log : "the database cannot be asked");
    struct authdb_fields found;
    if (authdb_fields_parse(text, q->a, &found) != RC_OK)
        return databases_cannot(e, STR_FMT ": an answer cannot be read",
                                STR_ARG(str_sub(q->db->path, 0, 100)));
    return merge(&found, ret, e);
}

enum rc databases_each_in_table(const struct table_settings *tables, const struct authdb *db,
                                void (*fn)(void *ctx, str name), void *ctx, struct err *e)
{
    AUTO(buf_deinit) struct buf spec = BUF_INIT(SPEC_MAX);
    AUTO(arena_freep) struct arena *a = arena_new(LIST_ARENA);
    str text, name;
    buf_printf(&spec, "dovecot-%s:" STR_FMT, authdb_table(db), STR_ARG(db->path));
    struct table_list *table = table_settings_find(tables, buf_str(&spec));
    if (!table)
        return databases_cannot(e, STR_FMT ": cannot be asked", STR_ARG(str_sub(db->path, 0, 100)));
    enum rc rc = table_list_find(table, TABLE_WHOLE_KEY, S("\task=list"), a, &text, e);
    while (rc == RC_OK && text.n > 0) { /* a field for each user (table/users.h) */
        str value = str_take(&text, '\t'), field = str_take(&value, '=');
        if (str_eq(field, S("user")) && dovecot_auth_unescape(value, a, &name) == RC_OK)
            fn(ctx, name);
    }
    return rc == RC_GONE ? RC_OK : rc;
}

/* The password goes there only where it is verified there. */
static enum rc ask_table(const struct database_question *q, struct authdb_fields *ret, struct err *e)
{
    struct authdb_fields before = *ret;
    bool look_up = !q->vars->password.p;
    enum rc rc = find_in_table(q, q->passdb ? S("password") : S("user"), false, ret, e);
    if (rc != RC_OK || !authdb_fields_find(ret, S("needs_password")))
        return rc;
    *ret = before;
    rc = find_in_table(q, look_up ? S("exists") : S("password"), !look_up, ret, e);
    if (rc != RC_OK || !authdb_fields_find(ret, S("needs_password")))
        return rc;
    (void)databases_cannot(e, "the database only verifies passwords, and does not tell them");
    return RC_INVALID;
}

/* --- a question --- */

static enum rc ask_driver(const struct database_question *q, struct authdb_fields *ret, struct err *e)
{
    switch (q->db->driver) {
    case AUTHDB_PASSWD:
    case AUTHDB_SHADOW:
    case AUTHDB_PASSWD_FILE:
        return ask_entry(q, ret, e);
    case AUTHDB_STATIC:
        return take_words(q, q->db->args, S(""), false, ret, e);
    case AUTHDB_SQL:
    case AUTHDB_LDAP:
        return ask_table(q, ret, e);
    case AUTHDB_OAUTH2:
        return q->vars->password.p ? find_in_table(q, S("password"), true, ret, e) : RC_INVALID;
    case AUTHDB_PAM: /* knows no fields */
    case AUTHDB_PREFETCH:
        break;
    }
    return RC_OK;
}

enum rc databases_ask(const struct database_question *q, struct authdb_fields *ret, struct err *e)
{
    struct authdb_fields fields = *ret;
    enum rc rc = ask_driver(q, &fields, e);
    if (rc == RC_OK)
        rc = take_words(q, q->db->default_fields, S(""), true, &fields, e);
    if (rc == RC_OK)
        rc = take_words(q, q->db->override_fields, S(""), false, &fields, e);
    if (rc == RC_OK)
        *ret = fields;
    return rc;
}
