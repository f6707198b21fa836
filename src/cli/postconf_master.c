/* master.cf as postconf -M, -F and -P print it. */
#include "cli/postconf.h"

#include <stdlib.h>

/* --- which --- */

void postconf_request_parse(const struct postconf *p, const char *text, struct postconf_request *ret)
{
    str rest = str_c(text), about = p->edit == 'e' ? str_take(&rest, '=') : rest;
    *ret = (struct postconf_request){.value = str_trim(rest)};
    about = str_trim(about);
    ret->has_type = str_chr(about, '/') >= 0;
    ret->service = str_take(&about, '/');
    ret->type = str_take(&about, '/');
    ret->item = about;
}

static bool is_or_all(str wanted, str name)
{
    return wanted.n == 0 || str_eq(wanted, S("*")) || str_eq(wanted, name);
}

bool postconf_request_fits(const struct postconf_request *r, const struct postfix_service *s)
{
    return is_or_all(r->service, s->name) && is_or_all(r->type, str_c(postfix_service_type_name(s->type)));
}

/* Whether an argument asks for this service, and for this field or parameter of it; without arguments all
 * are. */
static bool is_wanted(const struct postconf *p, struct postconf_request *v, const struct postfix_service *s,
                      str item)
{
    bool wanted = p->n_names == 0;
    for (int i = 0; i < p->n_names; i++) {
        bool fits = postconf_request_fits(&v[i], s) && is_or_all(v[i].item, item);
        v[i].met |= fits;
        wanted |= fits;
    }
    return wanted;
}

/* --- a service --- */

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

/* With -f, "-o name=value" and the first argument behind options begin lines, and so does what would not fit.
 * column: of the command. */
static void put_command(const struct postconf *p, const struct postfix_service *s, size_t column,
                        struct buf *out)
{
    AUTO(buf_deinit) struct buf word = BUF_INIT(1 << 20);
    bool in_options = true;
    buf_puts(out, s->command);
    column += s->command.n;
    for (size_t i = 0; i < s->n_args; i++) {
        bool option = str_starts(s->args[i], S("-")), has_value = str_eq(s->args[i], S("-o"));
        bool begins = in_options && (has_value || (!option && i > 0));
        buf_reset(&word);
        put_argument(s->args[i], &word);
        if (in_options && has_value && i + 1 < s->n_args) {
            buf_putc(&word, ' ');
            put_argument(s->args[++i], &word);
        }
        in_options = in_options && option;
        begins = p->fold && (begins || column + word.n >= POSTCONF_WIDTH);
        buf_puts(out, begins ? S("\n    ") : S(" "));
        buf_puts(out, buf_str(&word));
        column = (begins ? 4 : column + 1) + word.n;
    }
}

void postconf_put_service(const struct postconf *p, const struct postfix_service *s, struct buf *out)
{
    char wakeup[16], most[16];
    size_t start = out->n;
    buf_printf(out, "%-10.*s %-5s %-7s %-7s %-7s %-7s %-7s ", STR_ARG(s->name),
               postfix_service_type_name(s->type), choice(s->priv), choice(s->unpriv), choice(s->chroot),
               number(s->wakeup_s, s->wakeup_when_used, wakeup), number(s->maxproc, false, most));
    put_command(p, s, out->n - start, out);
    buf_putc(out, '\n');
}

const char *const postconf_field_names[POSTCONF_FIELDS] = {
    "service", "type", "private", "unprivileged", "chroot", "wakeup", "process_limit", "command"};

void postconf_fields(const struct postconf *p, const struct postfix_service *s, str ret[POSTCONF_FIELDS])
{
    char wakeup[16], most[16];
    AUTO(buf_deinit) struct buf command = BUF_INIT(1 << 20);
    put_command(p, s, 0, &command);
    ret[0] = s->name;
    ret[1] = str_c(postfix_service_type_name(s->type));
    ret[2] = str_c(choice(s->priv));
    ret[3] = str_c(choice(s->unpriv));
    ret[4] = str_c(choice(s->chroot));
    ret[5] = arena_str(p->a, str_c(number(s->wakeup_s, s->wakeup_when_used, wakeup)));
    ret[6] = arena_str(p->a, str_c(number(s->maxproc, false, most)));
    ret[7] = arena_str(p->a, buf_str(&command));
    must(ret[5].p && ret[6].p && ret[7].p);
}

static void put_item(const struct postconf *p, const struct postfix_service *s, str item, str value,
                     struct buf *out)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(4096);
    buf_printf(&name, STR_FMT "/%s/" STR_FMT, STR_ARG(s->name), postfix_service_type_name(s->type),
               STR_ARG(item));
    postconf_put(p, buf_str(&name), value, out);
}

static void put_fields(const struct postconf *p, struct postconf_request *v, const struct postfix_service *s,
                       struct buf *out)
{
    str values[POSTCONF_FIELDS];
    postconf_fields(p, s, values);
    for (size_t i = 0; i < POSTCONF_FIELDS; i++)
        if (is_wanted(p, v, s, str_c(postconf_field_names[i])))
            put_item(p, s, str_c(postconf_field_names[i]), values[i], out);
}

struct override {
    str name, value;
};

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct override *)a)->name, ((const struct override *)b)->name);
}

static void put_overrides(const struct postconf *p, struct postconf_request *v,
                          const struct postfix_service *s, struct buf *out)
{
    struct postfix_options o = postfix_options_of(s);
    struct override *list = arena_array(p->a, s->n_args + 1, sizeof *list), one;
    size_t n = 0;
    str counts;
    must(list);
    while (postfix_overrides_next(&o, &one.name, &one.value))
        if (postfix_override_find(s, one.name, &counts) && counts.p == one.value.p)
            list[n++] = one;
    qsort(list, n, sizeof *list, by_name);
    for (size_t i = 0; i < n; i++)
        if (is_wanted(p, v, s, list[i].name))
            put_item(p, s, list[i].name, list[i].value, out);
}

void postconf_master(const struct postconf *p, struct buf *out)
{
    struct postconf_request *v = arena_array(p->a, (size_t)p->n_names + 1, sizeof *v);
    must(v);
    for (int i = 0; i < p->n_names; i++)
        postconf_request_parse(p, p->names[i], &v[i]);
    for (size_t i = 0; i < p->master.n; i++) {
        const struct postfix_service *s = &p->master.services[i];
        if (p->mode == 'F')
            put_fields(p, v, s, out);
        else if (p->mode == 'P')
            put_overrides(p, v, s, out);
        else if (is_wanted(p, v, s, STR_NONE))
            postconf_put_service(p, s, out);
    }
    for (int i = 0; i < p->n_names; i++)
        if (!v[i].met)
            fprintf(stderr, "postconf: warning: unmatched request: \"%s\"\n", p->names[i]);
}
