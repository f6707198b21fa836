/* Lists of domains. */
#include "table/domains.h"

#include "fmt/tablespec.h"
#include "fmt/tabletext.h"

enum { FILES_DEEP_MAX = 4, NAMES_BYTES_MAX = 64 << 10 };

struct domain {
    bool negated;
    char *name;          /* or */
    struct table *table; /* its keys */
};

struct domains {
    struct domain *v;
    size_t n, cap;
};

static struct domain *add(struct domains *d)
{
    if (d->n == d->cap) {
        d->cap = d->cap ? 2 * d->cap : 8;
        d->v = reallocarray(d->v, d->cap, sizeof *d->v);
        must(d->v);
    }
    d->v[d->n] = (struct domain){0};
    return &d->v[d->n++];
}

static enum rc add_list(struct table *t, struct domains *d, str list, unsigned deep, struct err *e);

static enum rc add_file(struct table *t, struct domains *d, str path, unsigned deep, struct err *e)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(t->env.file_max);
    AUTO(buf_deinit) struct buf joined = BUF_INIT(TABLETEXT_LINE_MAX);
    str line;
    int number;
    if (deep == FILES_DEEP_MAX)
        return table_fail(t, e, RC_PERM, "files of domains name each other too deep");
    enum rc rc = table_read_file(t, path, &text, e);
    struct tabletext lines = tabletext_of(buf_str(&text));
    while (rc == RC_OK && (rc = tabletext_next(&lines, &joined, &line, &number)) == RC_OK)
        rc = add_list(t, d, line, deep + 1, e);
    if (rc == RC_LIMIT || rc == RC_INVALID)
        return table_fail(t, e, RC_PERM, "a line of " STR_FMT " cannot be read",
                          STR_ARG(str_sub(path, 0, 150)));
    return rc == RC_GONE && buf_str(&text).n > 0 ? RC_OK : rc;
}

static enum rc add_item(struct table *t, struct domains *d, str item, unsigned deep, struct err *e)
{
    bool negated = str_starts(item, S("!"));
    item = str_from(item, negated);
    if (str_starts(item, S("/")) && !negated)
        return add_file(t, d, item, deep, e);
    struct domain *domain = add(d);
    domain->negated = negated;
    if (str_chr(item, ':') >= 0)
        return table_open_inside(t, item, &domain->table, e);
    domain->name = str_dup(item);
    return RC_OK;
}

static enum rc add_list(struct table *t, struct domains *d, str list, unsigned deep, struct err *e)
{
    str item;
    enum rc rc;
    while ((rc = tablespec_take(&list, &item)) == RC_OK) {
        rc = add_item(t, d, item, deep, e);
        if (rc != RC_OK)
            return rc;
    }
    return rc == RC_GONE ? RC_OK : table_fail(t, e, RC_PERM, "the braces in \"domain\" do not match");
}

enum rc domains_open(struct table *t, str list, struct domains **ret, struct err *e)
{
    struct domains *d = calloc(1, sizeof *d);
    must(d);
    enum rc rc = add_list(t, d, list, 0, e);
    if (rc == RC_OK)
        *ret = d;
    else
        domains_free(d);
    return rc;
}

struct domains *domains_free(struct domains *d)
{
    for (size_t i = 0; d && i < d->n; i++) {
        free(d->v[i].name);
        table_close(d->v[i].table);
    }
    if (d)
        free(d->v);
    free(d);
    return NULL;
}

bool domains_empty(const struct domains *d)
{
    return d->n == 0;
}

enum rc domains_find(const struct domains *d, str domain, struct err *e)
{
    AUTO(arena_freep) struct arena *a = arena_new(NAMES_BYTES_MAX);
    str ignored;
    for (size_t i = 0; i < d->n; i++) {
        const struct domain *one = &d->v[i];
        enum rc rc = RC_GONE;
        if (one->table)
            rc = table_find(one->table, domain, a, &ignored, e);
        else if (str_ieq(str_c(one->name), domain))
            rc = RC_OK;
        if (rc == RC_OK)
            return one->negated ? RC_GONE : RC_OK;
        if (rc != RC_GONE)
            return rc;
    }
    return RC_GONE;
}
