#include "fmt/postfix_main.h"

#include "fmt/tabletext.h"

struct reading {
    struct arena *a;
    struct postfix_main m;
    size_t room;
};

/* Lines that were joined are gone with the next one; others stay views of the file. */
static enum rc keep(struct reading *r, bool joined, str *s)
{
    if (joined)
        *s = arena_str(r->a, *s);
    return arena_exhausted(r->a) ? RC_LIMIT : RC_OK;
}

static enum rc add_line(struct reading *r, str line, bool joined, int number)
{
    struct postfix_param p = {.line = number};
    const char *why = tabletext_setting(line, &p.name, &p.value);
    if (why)
        return postfix_fault_add(&r->m.faults, r->a, number, why, line);
    if (r->m.n == POSTFIX_PARAMS_MAX)
        return RC_LIMIT;
    if (r->m.n == r->room) {
        struct postfix_param *grown = arena_grow(r->a, r->m.params, r->m.n, sizeof *grown);
        if (!grown)
            return RC_LIMIT;
        r->m.params = grown;
        r->room = r->m.n < 4 ? 8 : r->m.n * 2;
    }
    if (keep(r, joined, &p.name) != RC_OK || keep(r, joined, &p.value) != RC_OK)
        return RC_LIMIT;
    r->m.params[r->m.n++] = p;
    return RC_OK;
}

static enum rc read_lines(struct reading *r, str file)
{
    AUTO(buf_deinit) struct buf joined = BUF_INIT(TABLETEXT_LINE_MAX);
    struct tabletext t = tabletext_of(file);
    str line = STR_NONE;
    int number = 0;
    enum rc rc;
    while ((rc = tabletext_next(&t, &joined, &line, &number)) != RC_GONE) {
        if (rc == RC_OK)
            rc = add_line(r, line, joined.n > 0, number);
        else
            rc =
                postfix_fault_add(&r->m.faults, r->a, number,
                                  rc == RC_LIMIT ? "the line is too long" : "the line has a NUL byte", S(""));
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

static int by_name_and_place(const void *a, const void *b)
{
    const struct postfix_param *pa = *(const struct postfix_param *const *)a,
                               *pb = *(const struct postfix_param *const *)b;
    int order = str_cmp(pa->name, pb->name);
    return order ? order : pa < pb ? -1 : pa > pb;
}

/* Sorted by name and place, the last of a name counts. */
static enum rc make_index(struct reading *r)
{
    size_t n = r->m.n;
    const struct postfix_param **index = arena_array(r->a, n ? n : 1, sizeof *index);
    if (!index)
        return RC_LIMIT;
    for (size_t i = 0; i < n; i++)
        index[i] = &r->m.params[i];
    qsort(index, n, sizeof *index, by_name_and_place);
    for (size_t i = 0, j; i < n; i = j) {
        for (j = i + 1; j < n && str_eq(index[j]->name, index[i]->name); j++)
            ;
        for (size_t k = i; k + 1 < j; k++)
            r->m.params[index[k] - r->m.params].overridden_by = index[j - 1]->line;
        index[r->m.n_by_name++] = index[j - 1];
    }
    r->m.by_name = index;
    return RC_OK;
}

enum rc postfix_main_parse(str text, struct arena *a, struct postfix_main *ret)
{
    struct reading r = {.a = a};
    enum rc rc = read_lines(&r, text);
    if (rc == RC_OK)
        rc = make_index(&r);
    if (rc == RC_OK)
        *ret = r.m;
    return rc;
}

const struct postfix_param *postfix_main_find(const struct postfix_main *m, str name)
{
    size_t from = 0, to = m->n_by_name;
    while (from < to) {
        size_t at = from + (to - from) / 2;
        int order = str_cmp(m->by_name[at]->name, name);
        if (order == 0)
            return m->by_name[at];
        if (order < 0)
            from = at + 1;
        else
            to = at;
    }
    return NULL;
}

void postfix_main_format(const struct postfix_param *p, struct buf *out)
{
    buf_puts(out, p->name);
    buf_puts(out, p->value.n > 0 ? S(" = ") : S(" ="));
    buf_puts(out, p->value);
    buf_putc(out, '\n');
}
