/* Reads main.cf and master.cf of each folder that is named and prints what it understands, a line each, the
 * parts of which are parted by tabs:
 *
 *     folder PATH
 *     param LINE OVERRIDDEN_BY NAME VALUE
 *     expanded NAME VALUE / refused NAME WHY      ; of parameters that count
 *     service LINE OVERRIDDEN_BY NAME TYPE PRIVATE UNPRIV CHROOT WAKEUP MAXPROC COMMAND
 *     option LETTER VALUE / override NAME VALUE / argument TEXT      ; of the service above
 *     fault FILE LINE WHY TEXT */
#include "fmt/postfix_expand.h"
#include "fmt/postfix_main.h"
#include "fmt/postfix_master.h"

enum { FILE_MAX = 1 << 20, ARENA_MAX = 16 << 20 };

static str read_file(const char *folder, const char *name, struct arena *a)
{
    char *room = arena_alloc(a, FILE_MAX);
    str path = arena_printf(a, "%s/%s", folder, name);
    must(room && path.p);
    FILE *f = fopen(path.p, "rb");
    size_t n = f ? fread(room, 1, FILE_MAX, f) : 0;
    if (f)
        fclose(f);
    return str_mem(room, n);
}

static void print_faults(const struct postfix_faults *f, const char *file)
{
    for (size_t i = 0; i < f->n; i++)
        printf("fault\t%s\t%d\t%s\t" STR_FMT "\n", file, f->list[i].line, f->list[i].why,
               STR_ARG(f->list[i].text));
}

static bool find(void *ctx, str name, str *ret)
{
    const struct postfix_param *p = postfix_main_find(ctx, name);
    if (p)
        *ret = p->value;
    return p;
}

static void print_main(str text, struct arena *a)
{
    struct postfix_main m = {0};
    const struct postfix_expand_env env = {.find = find, .ctx = &m};
    must(postfix_main_parse(text, a, &m) == RC_OK);
    for (size_t i = 0; i < m.n; i++) {
        const struct postfix_param *p = &m.params[i];
        printf("param\t%d\t%d\t" STR_FMT "\t" STR_FMT "\n", p->line, p->overridden_by, STR_ARG(p->name),
               STR_ARG(p->value));
        struct buf out = BUF_INIT(FILE_MAX);
        struct err e = {0};
        if (!p->overridden_by && postfix_expand(p->value, &env, &out, &e) == RC_OK)
            printf("expanded\t" STR_FMT "\t" STR_FMT "\n", STR_ARG(p->name), STR_ARG(buf_str(&out)));
        else if (!p->overridden_by)
            printf("refused\t" STR_FMT "\t%s\n", STR_ARG(p->name), e.peer);
        buf_deinit(&out);
    }
    print_faults(&m.faults, "main.cf");
}

static void print_options(const struct postfix_service *s)
{
    struct postfix_options o = postfix_options_of(s);
    struct postfix_option one;
    while (postfix_options_next(&o, &one)) {
        if (one.override_name.n > 0)
            printf("override\t" STR_FMT "\t" STR_FMT "\n", STR_ARG(one.override_name),
                   STR_ARG(one.override_value));
        else
            printf("option\t%c\t" STR_FMT "\n", one.letter, STR_ARG(one.value));
    }
    for (size_t i = o.arg; i < s->n_args; i++)
        printf("argument\t" STR_FMT "\n", STR_ARG(s->args[i]));
}

static void print_master(str text, struct arena *a)
{
    static const char choices[] = "-yn";
    struct postfix_master m = {0};
    must(postfix_master_parse(text, a, &m) == RC_OK);
    for (size_t i = 0; i < m.n; i++) {
        const struct postfix_service *s = &m.services[i];
        printf("service\t%d\t%d\t" STR_FMT "\t%s\t%c\t%c\t%c\t%d%s\t%d\t" STR_FMT "\n", s->line,
               s->overridden_by, STR_ARG(s->name), postfix_service_type_name(s->type), choices[s->priv],
               choices[s->unpriv], choices[s->chroot], s->wakeup_s, s->wakeup_when_used ? "?" : "",
               s->maxproc, STR_ARG(s->command));
        print_options(s);
    }
    print_faults(&m.faults, "master.cf");
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct arena *a = arena_new(ARENA_MAX);
        printf("folder\t%s\n", argv[i]);
        print_main(read_file(argv[i], "main.cf", a), a);
        print_master(read_file(argv[i], "master.cf", a), a);
        arena_free(a);
    }
    return 0;
}
