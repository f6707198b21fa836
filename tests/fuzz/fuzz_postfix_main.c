/* main.cf: entries keep the order of the file, one of each name counts, and what is written back is read as
 * the same. */
#include "fmt/postfix_main.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct postfix_main *m)
{
    size_t counting = 0;
    for (size_t i = 0; i < m->n; i++) {
        const struct postfix_param *p = &m->params[i], *found = postfix_main_find(m, p->name);
        must(p->name.n > 0 && p->line > 0 && (i == 0 || p->line > p[-1].line));
        must(found && str_eq(found->name, p->name));
        must(p->overridden_by ? found > p && found->line == p->overridden_by : found == p);
        counting += !p->overridden_by;
    }
    must(counting == m->n_by_name);
    for (size_t i = 0; i < m->faults.n; i++)
        must(m->faults.list[i].line > 0 && m->faults.list[i].text.n <= POSTFIX_FAULT_TEXT_MAX);
}

static void check_written(const struct postfix_main *m, struct arena *a)
{
    struct buf text = BUF_INIT(1 << 20);
    struct postfix_main again = {0};
    for (size_t i = 0; i < m->n; i++)
        postfix_main_format(&m->params[i], &text);
    if (postfix_main_parse(buf_str(&text), a, &again) == RC_OK && !text.overflow) {
        must(again.n == m->n && again.faults.n == 0);
        for (size_t i = 0; i < m->n; i++) {
            must(str_eq(again.params[i].name, m->params[i].name));
            must(str_eq(again.params[i].value, m->params[i].value));
            must(again.params[i].line == (int)i + 1);
        }
    }
    buf_deinit(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new(1 << 20);
    struct postfix_main m = {0};
    enum rc rc = postfix_main_parse(str_mem(data, size), a, &m);
    must(rc == RC_OK || rc == RC_LIMIT);
    if (rc == RC_OK) {
        check(&m);
        check_written(&m, a);
    }
    arena_free(a);
    return 0;
}
