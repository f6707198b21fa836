/* Tables that are asked one after the other. */
#include "table/table_impl.h"

#include "fmt/tablespec.h"

struct table_list {
    struct table *v[TABLE_LIST_MAX];
    size_t n;
};

static enum rc add_text(struct table_list *l, str text, const struct table_env *env, struct err *e)
{
    str spec;
    enum rc rc;
    while ((rc = tablespec_take(&text, &spec)) == RC_OK) {
        if (l->n == TABLE_LIST_MAX)
            return err_set(e, RC_PERM, 451, "4.3.5", "More than %d tables in one list", TABLE_LIST_MAX);
        rc = table_open(spec, env, &l->v[l->n], e);
        if (rc != RC_OK)
            return rc;
        l->n++;
    }
    if (rc == RC_GONE)
        return RC_OK;
    err_set(e, RC_PERM, 451, "4.3.5", "Server configuration error");
    err_note(e, "the braces do not match: " STR_FMT, STR_ARG(str_sub(text, 0, 200)));
    return RC_PERM;
}

enum rc table_list_open(const str *texts, size_t n, const struct table_env *env, struct table_list **ret,
                        struct err *e)
{
    AUTO(table_list_closep) struct table_list *l = calloc(1, sizeof *l);
    must(l);
    for (size_t i = 0; i < n; i++) {
        enum rc rc = add_text(l, texts[i], env, e);
        if (rc != RC_OK)
            return rc;
    }
    *ret = l;
    l = NULL;
    return RC_OK;
}

struct table_list *table_list_close(struct table_list *l)
{
    if (!l)
        return NULL;
    for (size_t i = 0; i < l->n; i++)
        table_close(l->v[i]);
    free(l);
    return NULL;
}

void table_list_closep(struct table_list **l)
{
    *l = table_list_close(*l);
}

size_t table_list_count(const struct table_list *l)
{
    return l->n;
}

struct table *table_list_get(const struct table_list *l, size_t i)
{
    must(i < l->n);
    return l->v[i];
}

bool table_list_changed(const struct table_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        if (table_changed(l->v[i]))
            return true;
    }
    return false;
}

bool table_list_asking_changed(const struct table_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        if (table_asking_changed(l->v[i]))
            return true;
    }
    return false;
}

static bool is_passed_over(const struct table *t, enum table_key kind, bool here)
{
    return (kind == TABLE_PARTIAL_KEY && t->whole_keys) || (here && table_asks(t));
}

static enum rc find(struct table_list *l, enum table_key kind, bool here, str key, struct arena *a, str *ret,
                    struct err *e)
{
    for (size_t i = 0; i < l->n; i++) {
        str value;
        if (is_passed_over(l->v[i], kind, here))
            continue;
        enum rc rc = table_find(l->v[i], key, a, &value, e);
        /* As in Postfix, an empty value is nobody's intention: "not there" has an answer of its own. */
        if (rc == RC_OK && value.n == 0)
            return table_fail(l->v[i], e, RC_PERM, "the value of " STR_FMT " is empty",
                              STR_ARG(str_sub(key, 0, 100)));
        if (rc == RC_OK)
            *ret = value;
        if (rc != RC_GONE)
            return rc;
    }
    return RC_GONE;
}

enum rc table_list_find(struct table_list *l, enum table_key kind, str key, struct arena *a, str *ret,
                        struct err *e)
{
    return find(l, kind, false, key, a, ret, e);
}

enum rc table_list_find_here(struct table_list *l, str key, struct arena *a, str *ret, struct err *e)
{
    return find(l, TABLE_WHOLE_KEY, true, key, a, ret, e);
}
