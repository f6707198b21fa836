/* master.cf as postconf -M, -F and -P print it. */
#include "cli/postconf.h"

#include <stdlib.h>

/* "smtp/inet" or "smtp" names the service; nothing names all. */
static bool is_wanted(const struct postconf *p, const struct postfix_service *s)
{
    for (int i = 0; i < p->n_names; i++) {
        str rest = str_c(p->names[i]), name = str_take(&rest, '/');
        if (str_eq(name, s->name) && (!rest.n || str_eq(rest, str_c(postfix_service_type_name(s->type)))))
            return true;
    }
    return p->n_names == 0;
}

static const char *choice(enum postfix_choice c)
{
    return c == POSTFIX_DEFAULT ? "-" : c == POSTFIX_YES ? "y" : "n";
}

static const char *number(int32_t n, bool when_used, char room[16])
{
    if (n == POSTFIX_NOT_SET)
        return "-";
    snprintf(room, 16, "%d%s", n, when_used ? "?" : "");
    return room;
}

static void put_argument(str arg, struct buf *out)
{
    bool braces = str_chr(arg, ' ') >= 0 || str_chr(arg, '\t') >= 0;
    buf_printf(out, braces ? "{" STR_FMT "}" : STR_FMT, STR_ARG(arg));
}

/* -o and its value stay together; with -f each begins a line. */
static void put_command(const struct postconf *p, const struct postfix_service *s, struct buf *out)
{
    buf_puts(out, s->command);
    for (size_t i = 0; i < s->n_args; i++) {
        bool option = str_starts(s->args[i], S("-"));
        bool behind = i > 0 && str_eq(s->args[i - 1], S("-o"));
        buf_puts(out, p->fold && !behind && (option || i == 0) ? S("\n    ") : S(" "));
        put_argument(s->args[i], out);
    }
}

static void put_line(const struct postconf *p, const struct postfix_service *s, struct buf *out)
{
    char wakeup[16], most[16];
    buf_printf(out, "%-10.*s %-5s %-7s %-7s %-7s %-7s %-7s ", STR_ARG(s->name),
               postfix_service_type_name(s->type), choice(s->priv), choice(s->unpriv), choice(s->chroot),
               number(s->wakeup_s, s->wakeup_when_used, wakeup), number(s->maxproc, false, most));
    put_command(p, s, out);
    buf_putc(out, '\n');
}

static void put_fields(const struct postconf *p, const struct postfix_service *s, struct buf *out)
{
    static const char *const names[] = {"service", "type",   "private",       "unprivileged",
                                        "chroot",  "wakeup", "process_limit", "command"};
    char wakeup[16], most[16];
    AUTO(buf_deinit) struct buf command = BUF_INIT(1 << 20), name = BUF_INIT(4096);
    put_command(p, s, &command);
    const str values[] = {s->name,
                          str_c(postfix_service_type_name(s->type)),
                          str_c(choice(s->priv)),
                          str_c(choice(s->unpriv)),
                          str_c(choice(s->chroot)),
                          str_c(number(s->wakeup_s, s->wakeup_when_used, wakeup)),
                          str_c(number(s->maxproc, false, most)),
                          buf_str(&command)};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        buf_reset(&name);
        buf_printf(&name, STR_FMT "/%s/%s", STR_ARG(s->name), postfix_service_type_name(s->type), names[i]);
        postconf_put(p, buf_str(&name), values[i], out);
    }
}

struct override {
    str name, value;
};

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct override *)a)->name, ((const struct override *)b)->name);
}

static void put_overrides(const struct postconf *p, const struct postfix_service *s, struct buf *out)
{
    struct postfix_options o = postfix_options_of(s);
    struct override *list = arena_array(p->a, s->n_args + 1, sizeof *list), one;
    AUTO(buf_deinit) struct buf name = BUF_INIT(4096);
    size_t n = 0;
    str counts;
    must(list);
    while (postfix_overrides_next(&o, &one.name, &one.value))
        if (postfix_override_find(s, one.name, &counts) && counts.p == one.value.p)
            list[n++] = one;
    qsort(list, n, sizeof *list, by_name);
    for (size_t i = 0; i < n; i++) {
        buf_reset(&name);
        buf_printf(&name, STR_FMT "/%s/" STR_FMT, STR_ARG(s->name), postfix_service_type_name(s->type),
                   STR_ARG(list[i].name));
        postconf_put(p, buf_str(&name), list[i].value, out);
    }
}

void postconf_master(const struct postconf *p, struct buf *out)
{
    for (size_t i = 0; i < p->master.n; i++) {
        const struct postfix_service *s = &p->master.services[i];
        if (!is_wanted(p, s))
            continue;
        if (p->mode == 'M')
            put_line(p, s, out);
        else if (p->mode == 'F')
            put_fields(p, s, out);
        else
            put_overrides(p, s, out);
    }
}
