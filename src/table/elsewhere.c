/* Tables that another process asks, and which of the tables in a list those are. */
#include "table/pool.h"

#include "fmt/tablespec.h"

/* There are no connections here: the pool only keeps one slow table from taking all the ways to the other
 * process. */
static enum rc connect_nothing(struct table *t, msec deadline, void **ret, struct err *e)
{
    *ret = t;
    return RC_OK;
}

static void disconnect_nothing(void *connection) {}

static enum rc ask_elsewhere(struct table *t, void *connection, str key, msec deadline, struct buf *out,
                             struct err *e)
{
    AUTO(arena_freep) struct arena *a = arena_new(TABLE_VALUE_MAX + 4096);
    str value;
    enum rc rc = t->env.ask(t->env.ask_ctx, str_c(t->spec), key, deadline, a, &value, e);
    if (rc == RC_OK)
        buf_puts(out, value);
    return rc == RC_INVALID || rc == RC_LIMIT ? RC_TEMP : rc;
}

static const struct pool_type questions = {connect_nothing, disconnect_nothing, ask_elsewhere};

static enum rc open_elsewhere(struct table *t, str name, struct err *e)
{
    if (strlen(t->spec) > TABLE_SPEC_MAX)
        return table_fail(t, e, RC_PERM, "its name is longer than %d bytes", TABLE_SPEC_MAX);
    t->pool = pool_new(&questions, TABLE_ASKS_AT_ONCE);
    return RC_OK;
}

static enum rc find_elsewhere(struct table *t, str key, struct arena *a, str *ret, struct err *e)
{
    return pool_find(t->pool, t, key, a, ret, e);
}

const struct table_type table_elsewhere = {
    .name = "elsewhere", .asks = true, .open = open_elsewhere, .find = find_elsewhere};

/* --- which tables those are --- */

static void walk(str list, unsigned depth, void (*fn)(void *ctx, str spec), void *ctx);

static void look_at(str spec, unsigned depth, void (*fn)(void *ctx, str spec), void *ctx)
{
    str type, name, inside;
    if (depth > TABLE_NESTING_MAX || tablespec_split(spec, &type, &name) != RC_OK)
        return;
    if (str_eq(type, S("proxy"))) {
        look_at(name, depth + 1, fn, ctx);
        return;
    }
    const struct table_type *found = table_find_type(type);
    if (found && found->asks)
        fn(ctx, spec);
    else if ((found == &table_unionmap || found == &table_pipemap) &&
             tablespec_braced(name, &inside) == RC_OK)
        walk(inside, depth + 1, fn, ctx);
}

static void walk(str list, unsigned depth, void (*fn)(void *ctx, str spec), void *ctx)
{
    str spec;
    while (tablespec_take(&list, &spec) == RC_OK)
        look_at(spec, depth, fn, ctx);
}

void table_each_asking(str list, void (*fn)(void *ctx, str spec), void *ctx)
{
    walk(list, 0, fn, ctx);
}

static void note_one(void *ctx, str spec)
{
    *(bool *)ctx = true;
}

bool table_asks(const struct table *t)
{
    bool any = false;
    walk(table_spec(t), 0, note_one, &any);
    return any;
}
