/* Types made of other tables or of values: unionmap, pipemap, randmap. */
#include "table/table_impl.h"

#include "fmt/tablespec.h"

#include <sys/random.h>

struct members {
    struct table *v[TABLE_LIST_MAX];
    char *values[TABLE_LIST_MAX]; /* randmap's */
    size_t n;
};

/* The members are asked whole keys only when all of them want that. */
static enum rc open_tables(struct table *t, str name, struct err *e)
{
    str list, item;
    struct members *m = calloc(1, sizeof *m);
    must(m);
    t->state = m;
    t->whole_keys = true;
    enum rc rc = tablespec_braced(name, &list);
    while (rc == RC_OK && (rc = tablespec_take(&list, &item)) == RC_OK) {
        if (m->n == TABLE_LIST_MAX)
            return table_fail(t, e, RC_PERM, "more than %d tables", TABLE_LIST_MAX);
        rc = table_open_inside(t, item, &m->v[m->n], e);
        if (rc != RC_OK)
            return rc;
        t->whole_keys = t->whole_keys && m->v[m->n]->whole_keys;
        m->n++;
    }
    if (rc != RC_GONE || m->n == 0)
        return table_fail(t, e, RC_PERM, "expected %s:{type:name, ...}", t->type->name);
    return RC_OK;
}

static void close_members(struct table *t)
{
    struct members *m = t->state;
    for (size_t i = 0; m && i < m->n; i++) {
        table_close(m->v[i]);
        free(m->values[i]);
    }
    free(m);
}

/* All values that are found, separated by commas. */
static enum rc find_union(struct table *t, str key, struct arena *a, str *ret, struct err *e)
{
    AUTO(buf_deinit) struct buf all = BUF_INIT(TABLE_VALUE_MAX);
    struct members *m = t->state;
    size_t found = 0;
    for (size_t i = 0; i < m->n; i++) {
        str value;
        enum rc rc = table_find(m->v[i], key, a, &value, e);
        if (rc == RC_GONE)
            continue;
        if (rc != RC_OK)
            return rc;
        if (found++ > 0)
            buf_putc(&all, ',');
        buf_puts(&all, value);
    }
    if (all.overflow)
        return table_fail(t, e, RC_TEMP, "the value is longer than %d bytes", TABLE_VALUE_MAX);
    return found > 0 ? table_give(t, buf_str(&all), a, ret, e) : RC_GONE;
}

/* The value of each table is the key of the next. */
static enum rc find_pipe(struct table *t, str key, struct arena *a, str *ret, struct err *e)
{
    struct members *m = t->state;
    for (size_t i = 0; i < m->n; i++) {
        enum rc rc = table_find(m->v[i], key, a, &key, e);
        if (rc != RC_OK)
            return rc;
    }
    *ret = key;
    return RC_OK;
}

static enum rc open_random(struct table *t, str name, struct err *e)
{
    str list, item;
    struct members *m = calloc(1, sizeof *m);
    must(m);
    t->state = m;
    enum rc rc = tablespec_braced(name, &list);
    while (rc == RC_OK && (rc = tablespec_take(&list, &item)) == RC_OK) {
        if (m->n == TABLE_LIST_MAX)
            return table_fail(t, e, RC_PERM, "more than %d values", TABLE_LIST_MAX);
        m->values[m->n++] = str_dup(item);
    }
    return rc == RC_GONE && m->n > 0 ? RC_OK : table_fail(t, e, RC_PERM, "expected randmap:{value, ...}");
}

static enum rc find_random(struct table *t, str key, struct arena *a, str *ret, struct err *e)
{
    struct members *m = t->state;
    uint32_t number = 0;
    must(getrandom(&number, sizeof number, 0) == sizeof number);
    return table_give(t, str_c(m->values[number % m->n]), a, ret, e);
}

const struct table_type table_unionmap = {"unionmap", true, false, open_tables, find_union, close_members};
const struct table_type table_pipemap = {"pipemap", true, false, open_tables, find_pipe, close_members};
const struct table_type table_randmap = {"randmap", true, false, open_random, find_random, close_members};
