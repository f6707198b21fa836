/* master.cf: services keep the order of the file, their options are parts of their arguments, and what is
 * written back is read as the same. */
#include "fmt/postfix_master.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_options(const struct postfix_service *s)
{
    struct postfix_options o = postfix_options_of(s);
    struct postfix_option one;
    str found;
    while (postfix_options_next(&o, &one)) {
        must(o.arg <= s->n_args && (one.letter == 'o' || one.value.n == 0));
        if (one.override_name.n > 0)
            must(one.override_name.n < one.value.n && postfix_override_find(s, one.override_name, &found));
    }
    must(o.arg <= s->n_args && !postfix_options_next(&o, &one));
}

static void check(const struct postfix_master *m)
{
    for (size_t i = 0; i < m->n; i++) {
        const struct postfix_service *s = &m->services[i], *found = postfix_master_find(m, s->name, s->type);
        must(s->name.n > 0 && s->command.n > 0 && s->line > 0 && (i == 0 || s->line > s[-1].line));
        must(s->wakeup_s >= POSTFIX_NOT_SET && s->maxproc >= POSTFIX_NOT_SET);
        must(s->type != POSTFIX_INET || (s->port.n > 0 && s->priv == POSTFIX_NO));
        must(found && (s->overridden_by ? found > s && found->line == s->overridden_by : found == s));
        check_options(s);
    }
}

static bool is_same(const struct postfix_service *a, const struct postfix_service *b)
{
    bool same = str_eq(a->name, b->name) && a->type == b->type && str_eq(a->host, b->host) &&
                str_eq(a->port, b->port) && a->priv == b->priv && a->unpriv == b->unpriv &&
                a->chroot == b->chroot && a->wakeup_s == b->wakeup_s && a->maxproc == b->maxproc &&
                a->wakeup_when_used == b->wakeup_when_used && str_eq(a->command, b->command) &&
                a->n_args == b->n_args;
    for (size_t i = 0; same && i < a->n_args; i++)
        same = str_eq(a->args[i], b->args[i]);
    return same;
}

static void check_written(const struct postfix_master *m, struct arena *a)
{
    struct buf text = BUF_INIT(1 << 19);
    struct postfix_master again = {0};
    for (size_t i = 0; i < m->n; i++)
        postfix_service_format(&m->services[i], &text);
    if (postfix_master_parse(buf_str(&text), a, &again) == RC_OK && !text.overflow) {
        must(again.n == m->n && again.faults.n <= m->faults.n);
        for (size_t i = 0; i < m->n; i++)
            must(is_same(&again.services[i], &m->services[i]));
    }
    buf_deinit(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new(1 << 20);
    struct postfix_master m = {0};
    enum rc rc = postfix_master_parse(str_mem(data, size), a, &m);
    must(rc == RC_OK || rc == RC_LIMIT);
    if (rc == RC_OK) {
        check(&m);
        check_written(&m, a);
    }
    arena_free(a);
    return 0;
}
