/* Settings and values of database tables. */
#include "table/lookup.h"

#include "base/num.h"
#include "fmt/tablequery.h"
#include "fmt/tabletext.h"
#include "table/domains.h"

struct lookup {
    struct table_texts *settings;
    struct domains *domains;
    const char *result_format;
    uint32_t expansion_limit;
};

const char *const lookup_sql_names[] = {
    "query", "select_function", "select_field", "table", "where_field", "additional_conditions", NULL};
static const char *const shared_names[] = {"domain", "result_format", "expansion_limit", NULL};

static bool is_listed(const char *const *names, str name)
{
    for (; *names; names++) {
        if (str_eq(name, str_c(*names)))
            return true;
    }
    return false;
}

static enum rc read_settings(struct table *t, struct lookup *l, str text, const char *const *names,
                             struct err *e)
{
    AUTO(buf_deinit) struct buf joined = BUF_INIT(TABLETEXT_LINE_MAX);
    struct tabletext lines = tabletext_of(text);
    str line, name, value;
    int number;
    enum rc rc;
    while ((rc = tabletext_next(&lines, &joined, &line, &number)) == RC_OK) {
        const char *problem = tabletext_setting(line, &name, &value);
        if (problem)
            return table_fail(t, e, RC_PERM, "line %d: %s", number, problem);
        if (!is_listed(names, name) && !is_listed(shared_names, name) && !is_listed(lookup_sql_names, name))
            table_warn(t, "line %d: unknown setting \"" STR_FMT "\"", number, STR_ARG(str_sub(name, 0, 60)));
        table_texts_put(l->settings, name, value, true);
    }
    return rc == RC_GONE ? RC_OK : table_fail(t, e, RC_PERM, "line %d cannot be read", number);
}

static enum rc prepare(struct table *t, struct lookup *l, struct err *e)
{
    l->result_format = lookup_get(l, "result_format", lookup_get(l, "result_filter", "%s"));
    const char *problem = tablequery_check(str_c(l->result_format));
    if (problem)
        return table_fail(t, e, RC_PERM, "result_format: %s", problem);
    enum rc rc = lookup_get_number(t, l, "expansion_limit", 0, UINT32_MAX - 1, &l->expansion_limit, e);
    return rc == RC_OK ? domains_open(t, str_c(lookup_get(l, "domain", "")), &l->domains, e) : rc;
}

enum rc lookup_open(struct table *t, str path, const char *const *names, struct lookup **ret, struct err *e)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(t->env.file_max);
    struct lookup *l = calloc(1, sizeof *l);
    must(l);
    l->settings = table_texts_new();
    enum rc rc = table_read_file(t, path, &text, e);
    if (rc == RC_OK)
        rc = read_settings(t, l, buf_str(&text), names, e);
    if (rc == RC_OK)
        rc = prepare(t, l, e);
    *ret = rc == RC_OK ? l : lookup_free(l);
    return rc;
}

struct lookup *lookup_free(struct lookup *l)
{
    if (l) {
        table_texts_free(l->settings);
        domains_free(l->domains);
    }
    free(l);
    return NULL;
}

const char *lookup_get(const struct lookup *l, const char *name, const char *otherwise)
{
    const char *value = table_texts_find(l->settings, str_c(name));
    return value ? value : otherwise;
}

enum rc lookup_get_number(struct table *t, const struct lookup *l, const char *name, uint32_t otherwise,
                          uint32_t max, uint32_t *ret, struct err *e)
{
    const char *value = lookup_get(l, name, NULL);
    uint32_t number = otherwise;
    if (value && num_parse_u32(str_c(value), max, &number) != RC_OK)
        return table_fail(t, e, RC_PERM, "%s needs a number, at most %u", name, max);
    *ret = number;
    return RC_OK;
}

bool lookup_get_bool(const struct lookup *l, const char *name)
{
    return str_ieq(str_c(lookup_get(l, name, "no")), S("yes"));
}

static void put_old_query(const struct lookup *l, struct buf *out)
{
    const char *function = lookup_get(l, "select_function", NULL),
               *field = lookup_get(l, "select_field", NULL);
    const char *table = lookup_get(l, "table", NULL), *where = lookup_get(l, "where_field", NULL);
    if (function)
        buf_printf(out, "SELECT %s('%%s')", function);
    else if (field && table && where)
        buf_printf(out, "SELECT %s FROM %s WHERE %s = '%%s' %s", field, table, where,
                   lookup_get(l, "additional_conditions", ""));
}

enum rc lookup_make_query(struct table *t, const struct lookup *l, char **ret, struct err *e)
{
    AUTO(buf_deinit) struct buf query = BUF_INIT(TABLETEXT_LINE_MAX);
    if (lookup_get(l, "query", NULL))
        buf_puts(&query, str_c(lookup_get(l, "query", "")));
    else
        put_old_query(l, &query);
    const char *problem = query.n == 0 ? "there is none" : tablequery_check(buf_str(&query));
    if (problem || query.overflow)
        return table_fail(t, e, RC_PERM, "query: %s", problem ? problem : "it is too long");
    *ret = str_dup(buf_str(&query));
    return RC_OK;
}

enum rc lookup_check_key(const struct lookup *l, str key, struct err *e)
{
    ptrdiff_t at = str_rchr(key, '@');
    if (domains_empty(l->domains))
        return RC_OK;
    return at <= 0 ? RC_GONE : domains_find(l->domains, str_from(key, (size_t)at + 1), e);
}

enum rc lookup_put_value(struct table *t, const struct lookup *l, str key, str value, struct buf *out,
                         uint32_t *count, struct err *e)
{
    enum rc rc = tablequery_put_result(out, str_c(l->result_format), key, value);
    if (rc == RC_GONE)
        return RC_OK;
    if (rc != RC_OK)
        return table_fail(t, e, RC_TEMP, "the value is longer than %d bytes", TABLE_VALUE_MAX);
    if (++*count > l->expansion_limit && l->expansion_limit > 0)
        return table_fail(t, e, RC_TEMP, "more than expansion_limit = %u values", l->expansion_limit);
    return RC_OK;
}
