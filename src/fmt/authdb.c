/* The options passdb and userdb: a table of drivers and one of settings. */
#include "fmt/authdb.h"

#include "fmt/tablespec.h"
#include "fmt/tabletext.h"

#define FAIL(e, ...) err_set((e), RC_PERM, 0, "", __VA_ARGS__)
#define WORD(s)      STR_ARG(str_sub((s), 0, 60))

static const struct {
    str name;
    enum authdb_driver driver;
    bool passdb, userdb;
} drivers[] = {
    {S("pam"), AUTHDB_PAM, true, false},       {S("shadow"), AUTHDB_SHADOW, true, false},
    {S("passwd"), AUTHDB_PASSWD, true, true},  {S("passwd-file"), AUTHDB_PASSWD_FILE, true, true},
    {S("static"), AUTHDB_STATIC, true, true},  {S("prefetch"), AUTHDB_PREFETCH, false, true},
    {S("sql"), AUTHDB_SQL, true, true},        {S("ldap"), AUTHDB_LDAP, true, true},
    {S("oauth2"), AUTHDB_OAUTH2, true, false},
};

static const struct {
    str name;
    enum authdb_rule rule;
} rules[] = {
    {S("return"), AUTHDB_RETURN},           {S("return-ok"), AUTHDB_RETURN_OK},
    {S("return-fail"), AUTHDB_RETURN_FAIL}, {S("continue"), AUTHDB_CONTINUE},
    {S("continue-ok"), AUTHDB_CONTINUE_OK}, {S("continue-fail"), AUTHDB_CONTINUE_FAIL},
};

static const struct {
    str name;
    enum authdb_skip skip;
} skips[] = {
    {S("never"), AUTHDB_NEVER},           {S("authenticated"), AUTHDB_IF_FOUND},
    {S("found"), AUTHDB_IF_FOUND},        {S("unauthenticated"), AUTHDB_IF_NOT_FOUND},
    {S("notfound"), AUTHDB_IF_NOT_FOUND},
};

/* --- one setting --- */

static enum rc take_driver(str value, bool passdb, struct authdb *db, struct err *e)
{
    for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++) {
        if (str_eq(value, drivers[i].name) && (passdb ? drivers[i].passdb : drivers[i].userdb)) {
            db->driver = drivers[i].driver;
            return RC_OK;
        }
    }
    return FAIL(e, "malle has no %s \"" STR_FMT "\"", passdb ? "passdb" : "userdb", WORD(value));
}

static enum rc take_rule(str value, enum authdb_rule *ret, struct err *e)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (str_eq(value, rules[i].name)) {
            *ret = rules[i].rule;
            return RC_OK;
        }
    }
    return FAIL(e, "\"" STR_FMT "\" is no result; return-ok, continue and the like are", WORD(value));
}

static enum rc take_skip(str value, enum authdb_skip *ret, struct err *e)
{
    for (size_t i = 0; i < sizeof skips / sizeof *skips; i++) {
        if (str_eq(value, skips[i].name)) {
            *ret = skips[i].skip;
            return RC_OK;
        }
    }
    return FAIL(e, "skip: \"" STR_FMT "\" is neither never nor authenticated nor unauthenticated",
                WORD(value));
}

static enum rc take_bool(str name, str value, bool *ret, struct err *e)
{
    *ret = str_ieq(value, S("yes"));
    return *ret || str_ieq(value, S("no")) ? RC_OK : FAIL(e, STR_FMT " is yes or no", STR_ARG(name));
}

static enum rc take_pass(str value, struct authdb *db, struct err *e)
{
    bool pass = false;
    enum rc rc = take_bool(S("pass"), value, &pass, e);
    if (pass)
        db->success = AUTHDB_CONTINUE;
    return rc;
}

static enum rc take_setting(str name, str value, bool passdb, struct authdb *db, struct err *e)
{
    const struct {
        str name;
        str *member;
    } texts[] = {{S("args"), &db->args},
                 {S("default_fields"), &db->default_fields},
                 {S("override_fields"), &db->override_fields},
                 {S("mechanisms"), &db->mechanisms},
                 {S("username_filter"), &db->username_filter}};
    if (str_chr(value, '\0') >= 0)
        return FAIL(e, STR_FMT ": there is a NUL in it", WORD(name));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (str_eq(name, texts[i].name)) {
            *texts[i].member = value;
            return RC_OK;
        }
    }
    if (str_eq(name, S("driver")))
        return take_driver(value, passdb, db, e);
    if (str_eq(name, S("skip")))
        return take_skip(value, &db->skip, e);
    if (str_eq(name, S("result_success")))
        return take_rule(value, &db->success, e);
    if (str_eq(name, S("result_failure")))
        return take_rule(value, &db->failure, e);
    if (str_eq(name, S("result_internalfail")))
        return take_rule(value, &db->internalfail, e);
    if (passdb && str_eq(name, S("deny")))
        return take_bool(name, value, &db->deny, e);
    if (passdb && str_eq(name, S("master")))
        return take_bool(name, value, &db->master, e);
    if (passdb && str_eq(name, S("pass")))
        return take_pass(value, db, e);
    return FAIL(e, "\"" STR_FMT "\" is no setting of a %s", WORD(name), passdb ? "passdb" : "userdb");
}

/* --- args --- */

/* passwd-file: *( name=value ) path. The path is the last word, and may hold spaces only where names end. */
static enum rc take_file_args(struct authdb *db, struct err *e)
{
    str rest = db->args;
    while (rest.n > 0) {
        str ahead = rest, word = str_word(&ahead), value = word, name = str_take(&value, '=');
        if (str_eq(name, S("scheme")) && value.p)
            db->scheme = value;
        else if (str_eq(name, S("username_format")) && value.p)
            db->username_format = value;
        else
            break;
        rest = ahead;
    }
    db->path = str_trim(rest);
    return str_starts(db->path, S("/"))
               ? RC_OK
               : FAIL(e, "passwd-file: args = [scheme=NAME] [username_format=TEXT] /PATH are needed");
}

const char *authdb_table(const struct authdb *db)
{
    return db->driver == AUTHDB_SQL      ? "sql"
           : db->driver == AUTHDB_LDAP   ? "ldap"
           : db->driver == AUTHDB_OAUTH2 ? "oauth2"
                                         : NULL;
}

static enum rc take_args(struct authdb *db, struct err *e)
{
    if (db->driver == AUTHDB_PASSWD_FILE)
        return take_file_args(db, e);
    if (!authdb_table(db))
        return RC_OK;
    db->path = str_trim(db->args);
    return str_starts(db->path, S("/")) ? RC_OK
                                        : FAIL(e, "args = /PATH of the file with its settings is needed");
}

/* --- a database, and all --- */

static enum rc parse_one(str text, bool passdb, struct authdb *ret, struct err *e)
{
    struct authdb db = {.scheme = S("CRYPT"),
                        .username_format = S("%u"),
                        .success = AUTHDB_RETURN_OK,
                        .failure = AUTHDB_CONTINUE,
                        .internalfail = AUTHDB_CONTINUE};
    str inside, item, name, value;
    bool has_driver = false;
    enum rc rc = RC_OK, taken = RC_GONE;
    if (tablespec_braced(text, &inside) != RC_OK)
        return FAIL(e, "each database stands in braces: {driver=pam}");
    while (rc == RC_OK && (taken = tablespec_take(&inside, &item)) == RC_OK) {
        if (tablespec_pair(item, &name, &value) != RC_OK)
            return FAIL(e, "\"" STR_FMT "\" is not name=value", WORD(item));
        has_driver |= str_eq(name, S("driver"));
        rc = take_setting(name, value, passdb, &db, e);
    }
    if (rc == RC_OK && taken != RC_GONE)
        return FAIL(e, "braces do not match");
    if (rc == RC_OK && !has_driver)
        return FAIL(e, "driver is missing");
    if (rc == RC_OK)
        rc = take_args(&db, e);
    if (rc == RC_OK)
        *ret = db;
    return rc;
}

enum rc authdb_parse(str option, bool passdb, struct authdb ret[AUTHDB_MAX], size_t *ret_n, struct err *e)
{
    size_t n = 0;
    str item;
    enum rc rc;
    while ((rc = tablespec_take(&option, &item)) == RC_OK) {
        if (n == AUTHDB_MAX)
            return FAIL(e, "more than %d databases", AUTHDB_MAX);
        rc = parse_one(item, passdb, &ret[n++], e);
        if (rc != RC_OK)
            return rc;
    }
    if (rc != RC_GONE)
        return FAIL(e, "braces do not match");
    *ret_n = n;
    return RC_OK;
}

enum rc authdb_put_setting(struct buf *out, bool first, str name, str value)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(value.n + name.n + 16);
    str inside;
    buf_printf(&text, "{" STR_FMT " = " STR_FMT "}", STR_ARG(name), STR_ARG(value));
    if (tablespec_braced(buf_str(&text), &inside) != RC_OK)
        return RC_INVALID;
    buf_puts(out, first ? S("{") : S(", "));
    buf_puts(out, buf_str(&text));
    return RC_OK;
}

/* --- lists --- */

enum rc authdb_take_field(str *list, struct arena *a, str *ret_name, str *ret_value)
{
    str s = *list;
    size_t i = 0, n = 0;
    while (s.n > 0 && tabletext_is_white(s.p[0]))
        s = str_from(s, 1);
    if (s.n == 0)
        return RC_GONE;
    char *word = arena_alloc(a, s.n);
    if (!word)
        return RC_LIMIT;
    for (; i < s.n && !tabletext_is_white(s.p[i]); i++) {
        i += s.p[i] == '\\' && i + 1 < s.n;
        word[n++] = s.p[i];
    }
    str value = str_mem(word, n);
    *ret_name = str_take(&value, '=');
    *ret_value = value;
    *list = str_from(s, i);
    return RC_OK;
}

static bool mask_fits(str mask, str name)
{
    size_t m = 0, n = 0, star = SIZE_MAX, again = 0;
    while (n < name.n) {
        if (m < mask.n && mask.p[m] == '*') {
            star = m++;
            again = n;
        } else if (m < mask.n && (mask.p[m] == '?' || mask.p[m] == name.p[n])) {
            m++;
            n++;
        } else if (star != SIZE_MAX) {
            m = star + 1;
            n = ++again;
        } else {
            return false;
        }
    }
    while (m < mask.n && mask.p[m] == '*')
        m++;
    return m == mask.n;
}

bool authdb_filter_fits(str filter, str user)
{
    bool any = false, fits = false;
    while (filter.n > 0) {
        while (filter.n > 0 && (filter.p[0] == ' ' || filter.p[0] == ','))
            filter = str_from(filter, 1);
        size_t n = 0;
        while (n < filter.n && filter.p[n] != ' ' && filter.p[n] != ',')
            n++;
        str mask = str_sub(filter, 0, n);
        filter = str_from(filter, n);
        if (str_starts(mask, S("!")) && mask_fits(str_from(mask, 1), user))
            return false;
        if (mask.n > 0 && mask.p[0] != '!') {
            any = true;
            fits |= mask_fits(mask, user);
        }
    }
    return fits || !any;
}
