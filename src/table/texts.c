/* Types whose keys and values are in memory: inline, texthash, static, fail. */
#include "table/table_impl.h"

#include "base/map.h"
#include "fmt/tablespec.h"
#include "fmt/tabletext.h"
#include "table/fold.h"

struct table_texts {
    struct map *map; /* key to a heap string */
};

struct table_texts *table_texts_new(void)
{
    struct table_texts *x = calloc(1, sizeof *x);
    must(x);
    x->map = map_new();
    return x;
}

struct table_texts *table_texts_free(struct table_texts *x)
{
    size_t at = 0;
    str key;
    void *value;
    if (!x)
        return NULL;
    while (map_next(x->map, &at, &key, &value))
        free(value);
    map_free(x->map);
    free(x);
    return NULL;
}

bool table_texts_put(struct table_texts *x, str key, str value, bool replace)
{
    bool there = map_find(x->map, key) != NULL;
    if (!there || replace)
        free(map_put(x->map, key, str_dup(value)));
    return !there;
}

const char *table_texts_find(const struct table_texts *x, str key)
{
    return map_find(x->map, key);
}

static enum rc find_text(struct table *t, str key, struct arena *a, str *ret, struct err *e)
{
    const char *value = table_texts_find(t->state, key);
    return value ? table_give(t, str_c(value), a, ret, e) : RC_GONE;
}

static void close_texts(struct table *t)
{
    t->state = table_texts_free(t->state);
}

static bool put_folded(struct table *t, str key, str value, bool replace)
{
    AUTO(buf_deinit) struct buf folded = BUF_INIT(3 * TABLETEXT_LINE_MAX);
    must(table_fold(key, &folded) == RC_OK); /* three times the longest line is room enough */
    return table_texts_put(t->state, buf_str(&folded), value, replace);
}

/* inline:{name=value, {name = text with blanks}}: the last of a name counts. */
static enum rc open_inline(struct table *t, str name, struct err *e)
{
    str list, item, key, value;
    enum rc rc = tablespec_braced(name, &list);
    if (rc != RC_OK || list.n == 0 || list.n > TABLETEXT_LINE_MAX)
        return table_fail(t, e, RC_PERM, "expected inline:{name=value, ...}");
    t->state = table_texts_new();
    while ((rc = tablespec_take(&list, &item)) == RC_OK) {
        if (tablespec_pair(item, &key, &value) != RC_OK)
            break;
        put_folded(t, key, value, true);
    }
    return rc == RC_GONE ? RC_OK
                         : table_fail(t, e, RC_PERM,
                                      "expected inline:{name=value, ...}; blanks around \"=\" or in the "
                                      "value need inner braces: {name = value}");
}

static void add_line(struct table *t, str line, int number)
{
    str key, value;
    const char *problem = tabletext_entry(line, &key, &value);
    if (problem) {
        table_warn(t, "line %d: skipped: %s", number, problem);
        return;
    }
    if (str_ends(key, S(":")))
        table_warn(t, "line %d: a \":\" behind the key; is this a file of aliases?", number);
    if (!put_folded(t, key, value, false))
        table_warn(t, "line %d: duplicate entry: \"" STR_FMT "\"", number, STR_ARG(str_sub(key, 0, 200)));
}

static enum rc open_texthash(struct table *t, str name, struct err *e)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(t->env.file_max);
    t->state = table_texts_new();
    enum rc rc = table_read_file(t, name, &text, e);
    if (rc == RC_OK)
        table_each_line(t, buf_str(&text), add_line);
    return rc;
}

/* static:value, static:{value with blanks} */
static enum rc open_static(struct table *t, str name, struct err *e)
{
    str value = name;
    if (str_starts(name, S("{")) && tablespec_braced(name, &value) != RC_OK)
        return table_fail(t, e, RC_PERM, "the braces do not match");
    t->state = str_dup(value);
    return RC_OK;
}

static enum rc find_static(struct table *t, str key, struct arena *a, str *ret, struct err *e)
{
    return table_give(t, str_c(t->state), a, ret, e);
}

static void close_static(struct table *t)
{
    free(t->state);
}

static enum rc open_fail(struct table *t, str name, struct err *e)
{
    return RC_OK;
}

static enum rc find_fail(struct table *t, str key, struct arena *a, str *ret, struct err *e)
{
    return table_fail(t, e, RC_TEMP, "this table always fails");
}

const struct table_type table_inline = {"inline", false, true, open_inline, find_text, close_texts};
const struct table_type table_texthash = {"texthash", false, true, open_texthash, find_text, close_texts};
const struct table_type table_static = {"static", false, false, open_static, find_static, close_static};
const struct table_type table_fail_type = {"fail", true, false, open_fail, find_fail, NULL};
