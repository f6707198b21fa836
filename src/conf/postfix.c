/* main.cf and master.cf of Postfix as assignments. Parameters of which malle has an option of the same
 * meaning and notation are taken over one by one (params.h says which); those that say something together
 * only are read in postfix_rules.c and postfix_services.c. All others are answered with what Postfix would
 * have done. */
#include "conf/postfix.h"

#include "base/map.h"
#include "base/num.h"
#include "conf/params.h"
#include "conf/report.h"
#include "fmt/postfix_expand.h"

enum { VALUE_MAX = 1 << 20 };

/* --- values --- */

/* What a service alone was asked for is kept by its line, too. */
static str asked_of(const struct postfix *p, str name)
{
    return arena_printf(p->f->a, "%d " STR_FMT, p->service->line, STR_ARG(name));
}

static bool find(void *ctx, str name, str *ret)
{
    struct postfix *p = ctx;
    const struct postfix_param *set = postfix_main_find(&p->main, name);
    map_put(p->asked, name, p);
    if (p->service)
        map_put(p->asked, asked_of(p, name), p);
    if (p->stress && str_eq(name, S("stress"))) {
        *ret = S("yes");
        return true;
    }
    if (p->service && str_eq(name, S("service_name"))) {
        *ret = p->service->name;
        return true;
    }
    if (p->service && postfix_override_find(p->service, name, ret))
        return true;
    if (!set)
        return postfix_computed(&p->main, p->machine_name, name, ret) ||
               conf_postfix_default(NULL, name, ret);
    *ret = set->value;
    return true;
}

/* Into v->text; what cannot be expanded is reported. */
static void expand(struct postfix *p, const char *name, str raw, struct postfix_value *v)
{
    const struct postfix_expand_env env = {.find = find, .ctx = p};
    AUTO(buf_deinit) struct buf text = BUF_INIT(VALUE_MAX);
    struct err e = {0};
    if (postfix_expand(raw, &env, &text, &e) != RC_OK)
        conf_error(p->f->b->report, v->file, v->line, "%s: %s", name, err_text(&e));
    else
        v->text = str_trim(arena_str(p->f->a, buf_str(&text)));
}

/* Whose "$" is for whoever uses the value: names of the delivery, or variables of a shell. */
static bool is_raw(const char *name)
{
    const struct conf_param *known = conf_param_find(CONF_DIALECT_POSTFIX, str_c(name));
    return known && known->kind == CONF_PARAM_RAW;
}

struct postfix_value postfix_value(struct postfix *p, const char *name)
{
    const struct postfix_param *set = postfix_main_find(&p->main, str_c(name));
    struct postfix_value v = {
        .text = S(""), .file = p->main_file, .line = set ? set->line : 0, .is_set = set};
    str raw = STR_NONE;
    if (p->service && postfix_override_find(p->service, str_c(name), &raw)) {
        v.file = p->master_file;
        v.line = p->service->line;
        v.is_set = true;
    }
    if (find(p, str_c(name), &raw) && is_raw(name))
        v.text = str_trim(raw);
    else if (raw.p)
        expand(p, name, raw, &v);
    return v;
}

bool postfix_is_on(struct postfix *p, const char *name)
{
    return str_ieq(postfix_value(p, name).text, S("yes"));
}

bool postfix_overrides(const struct postfix_service *s, const char *prefix, const char *option)
{
    struct postfix_options o = postfix_options_of(s);
    str name, value;
    bool any = false;
    while (postfix_overrides_next(&o, &name, &value)) {
        const struct conf_param *known = conf_param_find(CONF_DIALECT_POSTFIX, name);
        any |= known && str_starts(name, str_c(prefix)) && str_eq(str_c(known->option), str_c(option));
    }
    return any;
}

/* A time of Postfix in malle's notation: digits and a unit, the one of the parameter's default when none. */
static str duration(struct postfix *p, const char *name, str text)
{
    str initial = S(""), other = str_c(name);
    while (conf_postfix_default(NULL, other, &initial) && str_starts(initial, S("$")))
        other = str_from(initial, 1); /* TRANSPORT_destination_rate_delay: $default_destination_rate_delay */
    bool has_unit = text.n && !ascii_digit(text.p[text.n - 1]);
    char unit = has_unit ? text.p[text.n - 1] : initial.n ? initial.p[initial.n - 1] : 's';
    str digits = str_sub(text, 0, text.n - has_unit);
    uint64_t weeks;
    if (ascii_lower(unit) == 'w' && num_parse_u64(digits, 10000, &weeks) == RC_OK)
        return arena_printf(p->f->a, "%llud", (unsigned long long)(7 * weeks));
    return arena_printf(p->f->a, STR_FMT "%c", STR_ARG(digits), ascii_alpha(unit) ? ascii_lower(unit) : 's');
}

/* Options whose values are lists of tables, which malle writes otherwise than Postfix. */
static bool takes_tables(const char *option)
{
    static const char *const ends[] = {
        "_maps",         "_access_list",   "_command_filter",   "_header_checks",     "smtp_body_checks",
        "_reply_filter", "_status_filter", "relay_clientcerts", "forbidden_commands", "noop_commands"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (str_ends(str_c(option), str_c(ends[i])))
            return true;
    return false;
}

/* Colons separate names as well. */
static str with_commas(struct postfix *p, str value)
{
    str text = arena_str(p->f->a, value);
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == ':')
            ((char *)text.p)[i] = ',';
    return text;
}

/* "static:all", whatever stands behind the colon, is every client. */
static str rewrite_clients(struct postfix *p, str value)
{
    AUTO(buf_deinit) struct buf list = BUF_INIT(VALUE_MAX);
    str word;
    while ((word = folder_word(&value)).n)
        buf_printf(&list, STR_FMT " ", STR_ARG(str_starts(word, S("static:")) ? S("permit") : word));
    return arena_str(p->f->a, buf_str(&list));
}

static bool is_default(struct postfix *p, const struct conf_param *known, str text)
{
    struct postfix_value initial = {.text = S("")};
    if (known->initial)
        expand(p, known->name, str_c(known->initial), &initial);
    return conf_param_same(known, text, initial.text);
}

/* What holds without the line: main.cf for a service, the default for main.cf. */
static bool says_nothing(struct postfix *p, const struct conf_param *known, const char *name, str text)
{
    const struct postfix_service *service = p->service;
    if (!service)
        return is_default(p, known, text);
    p->service = NULL;
    bool same = conf_param_same(known, text, postfix_value(p, name).text);
    p->service = service;
    return same;
}

static void say_one_value(struct postfix *p, const char *name, const struct postfix_value *v)
{
    const struct conf_param *known = conf_param_find(CONF_DIALECT_POSTFIX, str_c(name));
    if (!known || !says_nothing(p, known, name, v->text))
        conf_warning(p->f->b->report, v->file, v->line, "%s: malle has one value for all services", name);
}

void postfix_set_same(struct postfix *p, struct conf_section s, const char *name, const char *option,
                      const struct postfix_value *v)
{
    const struct conf_key *key = conf_key_find(conf_options, str_c(option));
    must(key);
    if ((s.kind == CONF_SECTION_LISTENER && !key->per_listener) ||
        (s.kind == CONF_SECTION_TRANSPORT && !key->per_transport)) {
        say_one_value(p, name, v);
        return;
    }
    str text = v->text;
    struct err e = {0};
    if (key->type == CONF_TYPE_DURATION)
        text = duration(p, name, v->text);
    else if (str_eq(str_c(option), S("local_header_rewrite_clients")))
        text = rewrite_clients(p, v->text);
    else if (str_ends(str_c(option), S("_cert_match")))
        text = with_commas(p, v->text);
    else if (str_ends(str_c(option), S("_restrictions")))
        text = postfix_restrictions(p, v);
    else if (str_ends(str_c(option), S("smtpd_milters")))
        text = postfix_milters(p, v);
    else if (takes_tables(option))
        text = postfix_tables(p, v, strcmp(option, "alias_maps") == 0 ? "aliases:" : "texthash:");
    if (folder_takes(option, text, &e))
        folder_set_in(p->f, s, v->file, v->line, option, text);
    else if (v->is_set)
        conf_warning(p->f->b->report, v->file, v->line, "%s: %s; malle's own default holds", name, e.peer);
}

/* --- one parameter --- */

static void say_unknown(struct postfix *p, const char *name, const struct postfix_value *v)
{
    const char *nearest = conf_param_nearest(CONF_DIALECT_POSTFIX, str_c(name));
    if (postfix_is_used(&p->main, str_c(name)) || postfix_is_class(p, str_c(name)))
        return;
    if (nearest)
        conf_warning(p->f->b->report, v->file, v->line,
                     "\"%.80s\" is no parameter of Postfix and has no effect; did you mean %s?", name,
                     nearest);
    else
        conf_warning(p->f->b->report, v->file, v->line,
                     "\"%.80s\" is no parameter of Postfix and has no effect", name);
}

static void say_missing(struct postfix *p, const struct conf_param *known, const char *name,
                        const struct postfix_value *v)
{
    bool refuse = known->status == CONF_PARAM_REFUSE;
    if (!is_default(p, known, v->text))
        conf_report_add(p->f->b->report, !refuse, v->file, v->line,
                        "%s: malle does not do this%s; Postfix %s", name,
                        refuse ? ", and does not start without it" : "", known->note);
}

/* What one line says, in main.cf or behind -o. */
static void take(struct postfix *p, struct conf_section s, const char *name)
{
    const struct conf_param *known = conf_param_find(CONF_DIALECT_POSTFIX, str_c(name));
    if (known && known->status == CONF_PARAM_MAPPED) /* whoever it means something to asks for it */
        return;
    struct postfix_value v = postfix_value(p, name);
    if (!known)
        say_unknown(p, name, &v);
    else if (known->status == CONF_PARAM_SAME)
        postfix_set_same(p, s, name, known->option, &v);
    else if (known->status == CONF_PARAM_WARN || known->status == CONF_PARAM_REFUSE)
        say_missing(p, known, name, &v);
}

static void take_all(struct postfix *p)
{
    for (size_t i = 0; i < p->main.n; i++) {
        const struct postfix_param *one = &p->main.params[i];
        str name = arena_str(p->f->a, one->name);
        if (one->overridden_by)
            conf_warning(p->f->b->report, p->main_file, one->line, "%s has no effect: line %d sets it again",
                         name.p, one->overridden_by);
        else
            take(p, (struct conf_section){CONF_SECTION_MAIN, 0}, name.p);
    }
}

void postfix_take_overrides(struct postfix *p, struct conf_section s)
{
    struct postfix_options o = postfix_options_of(p->service);
    str name, value, counts;
    while (postfix_overrides_next(&o, &name, &value))
        if (postfix_override_find(p->service, name, &counts) && counts.p == value.p)
            take(p, s, arena_str(p->f->a, name).p);
}

/* What nothing asked for has no effect, whatever params.h says it could become. */
static void say_unread(struct postfix *p, const char *name)
{
    const struct conf_param *known = conf_param_find(CONF_DIALECT_POSTFIX, str_c(name));
    str asked = p->service ? asked_of(p, str_c(name)) : str_c(name);
    if (!known || known->status == CONF_PARAM_HARMLESS || map_find(p->asked, asked))
        return;
    struct postfix_value v = postfix_value(p, name);
    if (says_nothing(p, known, name, v.text))
        return;
    if (known->status == CONF_PARAM_MAPPED)
        conf_warning(p->f->b->report, v.file, v.line, "%s has no effect in malle: %s", name, known->note);
    else if (known->status == CONF_PARAM_SAME)
        say_one_value(p, name, &v);
    else
        say_missing(p, known, name, &v);
}

static void say_all_unread(struct postfix *p)
{
    for (size_t i = 0; i < p->main.n; i++)
        if (!p->main.params[i].overridden_by)
            say_unread(p, arena_str(p->f->a, p->main.params[i].name).p);
    for (size_t i = 0; i < p->master.n; i++) {
        struct postfix_options o = postfix_options_of(&p->master.services[i]);
        str name, value;
        p->service = &p->master.services[i];
        while (!p->service->overridden_by && postfix_overrides_next(&o, &name, &value))
            say_unread(p, arena_str(p->f->a, name).p);
    }
    p->service = NULL;
}

/* What nobody sets is as Postfix has it, which is not always what malle would have. */
static void take_defaults(struct postfix *p)
{
    for (size_t i = 0; i < conf_postfix_params.n; i++) {
        const struct conf_param *known = &conf_postfix_params.v[i];
        if (known->status == CONF_PARAM_SAME && known->initial &&
            !postfix_main_find(&p->main, str_c(known->name)))
            take(p, (struct conf_section){CONF_SECTION_MAIN, 0}, known->name);
    }
}

/* --- the files --- */

static void report_faults(struct postfix *p, const struct postfix_faults *faults, const char *file)
{
    for (size_t i = 0; i < faults->n; i++)
        conf_error(p->f->b->report, file, faults->list[i].line, "%s%s" STR_FMT, faults->list[i].why,
                   faults->list[i].text.n ? ": " : "", STR_ARG(faults->list[i].text));
}

static bool read_files(struct postfix *p)
{
    str text;
    if (folder_text(p->f, "postfix/main.cf", &text, &p->main_file) != RC_OK)
        return false;
    if (postfix_main_parse(text, p->f->a, &p->main) != RC_OK) {
        conf_error(p->f->b->report, p->main_file, 0, "has too many lines");
        return false;
    }
    report_faults(p, &p->main.faults, p->main_file);
    p->master_file = "";
    if (folder_text(p->f, "postfix/master.cf", &text, &p->master_file) != RC_OK)
        conf_error(p->f->b->report, p->f->path, 0,
                   "postfix/master.cf is not there: it says what Postfix listens on");
    else if (postfix_master_parse(text, p->f->a, &p->master) != RC_OK)
        conf_error(p->f->b->report, p->master_file, 0, "has too many lines");
    report_faults(p, &p->master.faults, p->master_file);
    return true;
}

void folder_read_postfix(struct folder *f)
{
    struct postfix p = {.f = f, .asked = map_new()};
    postfix_machine_name(p.machine_name);
    if (read_files(&p)) {
        f->has_postfix = true;
        postfix_drop_disabled(&p);
        take_defaults(&p);
        take_all(&p);
        postfix_set_names(&p);
        postfix_set_networks(&p);
        postfix_set_domains(&p);
        postfix_set_mailboxes(&p);
        postfix_set_tls(&p);
        postfix_set_sasl(&p);
        postfix_set_classes(&p);
        postfix_set_checks(&p);
        postfix_set_milters(&p, (struct conf_section){CONF_SECTION_MAIN, 0});
        postfix_set_services(&p);
        say_all_unread(&p);
    }
    map_free(p.asked);
}
