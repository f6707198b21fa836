/* postconf -M, -F and -P with -e, -X and -#: master.cf with services, fields of them or overrides that are
 * other, gone or comments. Other lines stay as they are; a service that is changed is written as -Mf prints
 * it, where it stood. */
#include "cli/cli.h"
#include "cli/postconf.h"
#include "fmt/tabletext.h"

enum { TEXT_MAX = 16 << 20, SERVICE_MAX = 1 << 20 };

struct editing {
    const struct postconf *p;
    struct postconf as_written; /* p, with the lines folded */
    struct postconf_request *v; /* one for each argument */
    struct buf *out;
    int status;
};

static int fail(struct editing *e, int status)
{
    e->status = status;
    return status;
}

/* --- what the arguments may say --- */

static bool is_field(str name)
{
    for (size_t i = 0; i < POSTCONF_FIELDS; i++)
        if (str_eq(name, str_c(postconf_field_names[i])))
            return true;
    return false;
}

static int check_request(const struct postconf *p, const char *text, const struct postconf_request *r)
{
    if (postconf_check_edit(p, text) != CLI_FINE)
        return CLI_FINDING;
    if (p->mode == 'M' && !r->has_type)
        return postconf_fatal("-Me, -MX or -M# requires service_name/type");
    if (p->mode == 'F' && r->item.n == 0)
        return postconf_fatal("-Fe requires service_name/type/field_name");
    if (p->mode == 'F' && !is_field(r->item))
        return postconf_fatal("invalid service attribute name: \"" STR_FMT "\"", STR_ARG(r->item));
    if (p->mode == 'P' && r->item.n == 0)
        return postconf_fatal("-Pe or -PX requires service_name/type/parameter_name");
    bool one_word = p->mode == 'P' || (p->mode == 'F' && !str_eq(r->item, S("command")));
    for (size_t i = 0; one_word && i < r->value.n; i++)
        if (tabletext_is_white(r->value.p[i]))
            return postconf_fatal(p->mode == 'P' ? "-Pe does not accept whitespace in parameter value"
                                                 : "-Fe does not accept whitespace in non-command field");
    return CLI_FINE;
}

static int parse_requests(struct editing *e)
{
    const struct postconf *p = e->p;
    if (p->edit != 'e' && p->mode == 'F')
        return postconf_fatal("with option -F, do not specify -%c", p->edit);
    if (p->edit == '#' && p->mode == 'P')
        return postconf_fatal("with option -P, do not specify -#");
    e->v = arena_array(p->a, (size_t)p->n_names + 1, sizeof *e->v);
    must(e->v);
    for (int i = 0; i < p->n_names; i++) {
        postconf_request_parse(p, p->names[i], &e->v[i]);
        int status = check_request(p, p->names[i], &e->v[i]);
        if (status != CLI_FINE)
            return status;
    }
    return CLI_FINE;
}

/* --- a service --- */

/* The one service that the text is, of this argument. */
static int parse_service(struct editing *e, const char *argument, str text, struct postfix_service *ret)
{
    struct postfix_master one = {0};
    size_t fields = 0;
    for (str rest = text; str_word(&rest).n;)
        fields++;
    if (fields < POSTCONF_FIELDS)
        return fail(e, postconf_fatal("bad field count: \"%s\"", argument));
    if (postfix_master_parse(text, e->p->a, &one) != RC_OK)
        return fail(e, postconf_fatal("the service is too long"));
    if (one.faults.n > 0)
        return fail(e, postconf_fatal("%s: \"" STR_FMT "\"", one.faults.list[0].why, STR_ARG(text)));
    if (one.n != 1)
        return fail(e, postconf_fatal("\"%s\" is not one service", argument));
    *ret = one.services[0];
    return CLI_FINE;
}

static int set_field(struct editing *e, const char *argument, const struct postconf_request *r,
                     struct postfix_service *s)
{
    AUTO(buf_deinit) struct buf line = BUF_INIT(SERVICE_MAX);
    str values[POSTCONF_FIELDS];
    postconf_fields(e->p, s, values);
    for (size_t i = 0; i < POSTCONF_FIELDS; i++) {
        bool meant = str_eq(r->item, str_c(postconf_field_names[i]));
        buf_printf(&line, STR_FMT " ", STR_ARG(meant ? r->value : values[i]));
    }
    str text = arena_str(e->p->a, buf_str(&line));
    must(text.p);
    return parse_service(e, argument, text, s);
}

/* The length of the override that begins at args[i]: "-o" and "name=value", or "-oname=value"; 0: it is none,
 * or of another parameter. */
static size_t override_length(const struct postfix_service *s, size_t i, str name)
{
    bool apart = str_eq(s->args[i], S("-o"));
    if ((!apart && !str_starts(s->args[i], S("-o"))) || (apart && i + 1 == s->n_args))
        return 0;
    str value = apart ? s->args[i + 1] : str_from(s->args[i], 2);
    return str_eq(str_trim(str_take(&value, '=')), name) ? 1 + apart : 0;
}

static size_t end_of_options(const struct postfix_service *s)
{
    struct postfix_options o = postfix_options_of(s);
    struct postfix_option option;
    while (postfix_options_next(&o, &option)) {
    }
    return o.arg;
}

/* Without the override, or with this value where it first stood, else behind all options. */
static void set_override(struct editing *e, const struct postconf_request *r, struct postfix_service *s)
{
    bool removes = e->p->edit == 'X', done = removes;
    size_t end = end_of_options(s), n = 0;
    str *args = arena_array(e->p->a, s->n_args + 2, sizeof *args);
    str set = arena_printf(e->p->a, STR_FMT "=" STR_FMT, STR_ARG(r->item), STR_ARG(r->value));
    must(args && set.p);
    for (size_t i = 0; i <= s->n_args;) {
        size_t length = i < end ? override_length(s, i, r->item) : 0;
        if (!done && (length > 0 || i >= end)) {
            args[n++] = S("-o");
            args[n++] = set;
            done = true;
        }
        if (length == 0 && i < s->n_args)
            args[n++] = s->args[i];
        i += length > 0 ? length : 1;
    }
    s->args = args;
    s->n_args = n;
}

/* Whether the arguments change this service; *s is what it becomes, *ret_gone: nothing. */
static bool change(struct editing *e, struct postfix_service *s, bool *ret_gone)
{
    const struct postfix_service was = *s;
    bool changed = false;
    *ret_gone = false;
    for (int i = 0; i < e->p->n_names && e->status == CLI_FINE; i++) {
        struct postconf_request *r = &e->v[i];
        if (!postconf_request_fits(r, &was))
            continue;
        r->met = changed = true;
        if (e->p->mode == 'F')
            (void)set_field(e, e->p->names[i], r, s);
        else if (e->p->mode == 'P')
            set_override(e, r, s);
        else if (e->p->edit == 'e')
            (void)parse_service(e, e->p->names[i], r->value, s);
        else
            *ret_gone = true;
    }
    return changed;
}

/* --- the file --- */

static const struct postfix_service *service_at(const struct postconf *p, int line)
{
    for (size_t i = 0; i < p->master.n; i++)
        if (p->master.services[i].line == line)
            return &p->master.services[i];
    return NULL;
}

static void put_lines(struct editing *e)
{
    bool edited = false;
    int number = 0;
    for (str rest = e->p->text, line; rest.n && e->status == CLI_FINE;) {
        line = str_take(&rest, '\n');
        number++;
        str trimmed = str_trim(line);
        bool is_text = trimmed.n && trimmed.p[0] != '#';
        if (is_text && !tabletext_is_white(line.p[0])) {
            const struct postfix_service *there = service_at(e->p, number);
            struct postfix_service s = there ? *there : (struct postfix_service){0};
            bool gone = false;
            edited = there && change(e, &s, &gone);
            if (edited && !gone)
                postconf_put_service(&e->as_written, &s, e->out);
        }
        if (edited && is_text && e->p->edit == '#')
            buf_putc(e->out, '#');
        if (!edited || !is_text || e->p->edit == '#')
            buf_printf(e->out, STR_FMT "\n", STR_ARG(line));
    }
}

/* Of -M a new service; otherwise nothing is there that could be changed. */
static void take_unmet(struct editing *e)
{
    for (int i = 0; i < e->p->n_names && e->status == CLI_FINE; i++) {
        struct postfix_service s;
        if (e->v[i].met)
            continue;
        if (e->p->mode == 'M' && e->p->edit == 'e') {
            if (parse_service(e, e->p->names[i], e->v[i].value, &s) == CLI_FINE)
                postconf_put_service(&e->as_written, &s, e->out);
        } else if (e->p->mode != 'M') {
            fprintf(stderr, "postconf: warning: unmatched service_name/type: \"%s\"\n", e->p->names[i]);
        }
    }
}

int postconf_master_edit(const struct postconf *p)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(TEXT_MAX);
    struct editing e = {.p = p, .as_written = *p, .out = &text};
    int status = parse_requests(&e);
    e.as_written.fold = true;
    if (status != CLI_FINE)
        return status;
    put_lines(&e);
    take_unmet(&e);
    return e.status == CLI_FINE ? postconf_write(p, "master.cf", &text) : e.status;
}
