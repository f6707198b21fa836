/* A conf while it is being put together: defaults, assignments into the main part or a section, and the end
 * checks. Every problem goes to the report and reading goes on, so that one run shows all of them. */
#include "conf/build.h"

#include "base/arena.h"

enum { CONF_MEMORY_MAX = 16 << 20, SECTIONS_MAX = 10000 };

static void set_initial(struct arena *a, struct conf_keys keys, void *base)
{
    for (size_t i = 0; i < keys.n; i++)
        must(conf_value_set(a, &keys.v[i], base, str_c(keys.v[i].initial), NULL) == RC_OK ||
             keys.v[i].min[0]);
}

void conf_build_init(struct conf_build *b, struct conf_report *report, const char *file)
{
    must(conf_listener_keys.n <= CONF_SECTION_KEYS_MAX && conf_domain_keys.n <= CONF_SECTION_KEYS_MAX &&
         conf_transport_keys.n <= CONF_SECTION_KEYS_MAX);
    *b = (struct conf_build){.report = report, .file = file};
    b->conf = calloc(1, sizeof *b->conf);
    must(b->conf);
    b->conf->arena = arena_new(CONF_MEMORY_MAX);
    set_initial(b->conf->arena, conf_options, b->conf);
    conf_listeners_init(b);
}

struct conf *conf_free(struct conf *c)
{
    if (c) {
        arena_free(c->arena);
        free(c);
    }
    return NULL;
}

void conf_freep(struct conf **c)
{
    *c = conf_free(*c);
}

/* Room for one more element of both parallel arrays; false when there are too many. */
static bool grow(struct arena *a, void **v, size_t size, struct conf_section_lines **lines, size_t n)
{
    bool full = n == 0 || (n >= 8 && (n & (n - 1)) == 0);
    if (n >= SECTIONS_MAX)
        return false;
    if (full) {
        void *more = arena_grow(a, *v, n, size);
        struct conf_section_lines *more_lines = arena_grow(a, *lines, n, sizeof **lines);
        if (!more || !more_lines)
            return false;
        *v = more;
        *lines = more_lines;
    }
    return true;
}

static str lower(struct arena *a, str s)
{
    char *copy = arena_alloc(a, s.n + 1);
    if (!copy)
        return S("");
    for (size_t i = 0; i < s.n; i++)
        copy[i] = ascii_lower(s.p[i]);
    return str_mem(copy, s.n);
}

/* The sections of one kind. The first member of each is its name. */
struct sections {
    struct conf_keys keys;
    void *v; /* n of them, of so many bytes */
    size_t n, size;
    struct conf_section_lines **lines;
};

static struct sections sections_of(struct conf_build *b, enum conf_section_kind kind)
{
    struct conf *c = b->conf;
    switch (kind) {
    case CONF_SECTION_LISTENER:
        return (struct sections){conf_listener_keys, c->listeners, c->listener_count, sizeof *c->listeners,
                                 &b->listener_lines};
    case CONF_SECTION_TRANSPORT:
        return (struct sections){conf_transport_keys, c->transports, c->transport_count,
                                 sizeof *c->transports, &b->transport_lines};
    case CONF_SECTION_DOMAIN:
        return (struct sections){conf_domain_keys, c->domain_sections, c->domain_section_count,
                                 sizeof *c->domain_sections, &b->domain_lines};
    case CONF_SECTION_MAIN:
    case CONF_SECTION_UNKNOWN:
        break;
    }
    return (struct sections){.n = 0};
}

static void *section_at(const struct sections *s, size_t i)
{
    return (char *)s->v + i * s->size;
}

static const char *section_name(const struct sections *s, size_t i)
{
    return *(const char *const *)section_at(s, i);
}

static void put_back(struct conf *c, enum conf_section_kind kind, const struct sections *s)
{
    if (kind == CONF_SECTION_LISTENER) {
        c->listeners = s->v;
        c->listener_count = s->n;
    } else if (kind == CONF_SECTION_TRANSPORT) {
        c->transports = s->v;
        c->transport_count = s->n;
    } else {
        c->domain_sections = s->v;
        c->domain_section_count = s->n;
    }
}

/* Of transports, names differ by case. */
static struct conf_section add_section(struct conf_build *b, enum conf_section_kind kind, str name, int line)
{
    struct arena *a = b->conf->arena;
    struct sections s = sections_of(b, kind);
    if (!grow(a, &s.v, s.size, s.lines, s.n))
        return (struct conf_section){CONF_SECTION_UNKNOWN, 0};
    str own = kind == CONF_SECTION_TRANSPORT ? arena_str(a, name) : lower(a, name);
    set_initial(a, s.keys, section_at(&s, s.n));
    *(const char **)section_at(&s, s.n) = own.p ? own.p : "";
    (*s.lines)[s.n++] = (struct conf_section_lines){.file = b->file, .line = line};
    put_back(b->conf, kind, &s);
    return (struct conf_section){kind, s.n - 1};
}

/* A built-in listener is made without a line; the first header that names it gives it one. */
static struct conf_section reopen(const struct conf_build *b, struct conf_section_lines *lines,
                                  struct conf_section section, int line)
{
    if (!lines->line) {
        lines->file = b->file;
        lines->line = line;
    }
    return section;
}

static const char *const kind_names[] = {[CONF_SECTION_LISTENER] = "listener",
                                         [CONF_SECTION_TRANSPORT] = "transport",
                                         [CONF_SECTION_DOMAIN] = "domain"};

enum conf_section_kind conf_section_kind(str word)
{
    for (size_t i = 0; i < sizeof kind_names / sizeof *kind_names; i++)
        if (kind_names[i] && str_eq(word, str_c(kind_names[i])))
            return (enum conf_section_kind)i;
    return CONF_SECTION_UNKNOWN;
}

struct conf_section conf_build_section(struct conf_build *b, enum conf_section_kind kind, str name, int line)
{
    const struct sections s = sections_of(b, kind);
    for (size_t i = 0; i < s.n; i++) {
        str known = str_c(section_name(&s, i));
        if (kind == CONF_SECTION_TRANSPORT ? str_eq(name, known) : str_ieq(name, known))
            return reopen(b, &(*s.lines)[i], (struct conf_section){kind, i}, line);
    }
    return s.lines ? add_section(b, kind, name, line) : (struct conf_section){kind, 0};
}

/* What an assignment in a section goes to. */
struct target {
    struct conf_keys keys;
    void *base;
    int *lines; /* of a section's keys; NULL in the main part */
    const char *noun;
    const char *kind, *name; /* "listener", "smtp" */
};

static struct target find_target(struct conf_build *b, struct conf_section section)
{
    static const char *const nouns[] = {[CONF_SECTION_LISTENER] = "key of a listener",
                                        [CONF_SECTION_TRANSPORT] = "key of a transport",
                                        [CONF_SECTION_DOMAIN] = "key of a domain"};
    const struct sections s = sections_of(b, section.kind);
    if (!s.lines)
        return (struct target){conf_options, b->conf, NULL, "option", NULL, NULL};
    return (struct target){s.keys,
                           section_at(&s, section.index),
                           (*s.lines)[section.index].key,
                           nouns[section.kind],
                           kind_names[section.kind],
                           section_name(&s, section.index)};
}

static void report_unknown(struct conf_build *b, const struct target *t, str name, int line)
{
    const char *nearest = conf_key_nearest(t->keys, name);
    int shown = (int)(name.n < 80 ? name.n : 80);
    if (t->lines && conf_key_find(conf_options, name))
        conf_error(b->report, b->file, line, "\"%.*s\" is no %s; put it above the first [section]", shown,
                   name.p, t->noun);
    else if (nearest)
        conf_error(b->report, b->file, line, "\"%.*s\" is no %s; did you mean %s?", shown, name.p, t->noun,
                   nearest);
    else
        conf_error(b->report, b->file, line, "\"%.*s\" is no %s; doc/config.md lists them all", shown, name.p,
                   t->noun);
}

/* Notes where the key was set; a second time in one file is most likely a mistake. */
static void note_line(struct conf_build *b, const struct target *t, size_t index, int line)
{
    struct conf_origin *origin = &b->conf->origin[index];
    int before = t->lines ? t->lines[index] : origin->file ? origin->line : 0;
    if (before && line)
        conf_warning(b->report, b->file, line, "%s is set a second time; line %d has no effect",
                     t->keys.v[index].name, before);
    if (t->lines)
        t->lines[index] = line;
    else
        *origin = (struct conf_origin){b->file, line};
}

/* Remembers what a section set, for conf->settings; a conf that is full is reported at the end. */
static void keep_setting(struct conf_build *b, const struct target *t, const char *name, str value, int line)
{
    struct conf *c = b->conf;
    size_t n = c->setting_count;
    if (n == 0 || (n >= 8 && (n & (n - 1)) == 0)) {
        struct conf_setting *more = arena_grow(c->arena, c->settings, n, sizeof *more);
        if (!more)
            return;
        c->settings = more;
    }
    str section = arena_printf(c->arena, "%s %s", t->kind, t->name), text = arena_str(c->arena, value);
    if (section.p && text.p)
        c->settings[c->setting_count++] = (struct conf_setting){section.p, name, text.p, {b->file, line}};
}

/* The option of this name, when it may stand in the section. */
static const struct conf_key *find_own(struct conf_section section, str name)
{
    const struct conf_key *key = conf_key_find(conf_options, name);
    if (!key || (section.kind == CONF_SECTION_LISTENER && key->per_listener) ||
        (section.kind == CONF_SECTION_TRANSPORT && key->per_transport))
        return key;
    return NULL;
}

/* section_own.c applies what is kept here, when all options have their values. */
static void set_own(struct conf_build *b, const struct target *t, const struct conf_key *key, str value,
                    int line)
{
    struct conf *scratch = arena_make(b->conf->arena, struct conf);
    struct err e;
    if (scratch && conf_value_set(b->conf->arena, key, scratch, value, &e) != RC_OK)
        conf_error(b->report, b->file, line, "%s: %s", key->name, e.peer);
    else
        keep_setting(b, t, key->name, value, line);
}

void conf_build_set(struct conf_build *b, struct conf_section section, str name, str value, int line)
{
    if (section.kind == CONF_SECTION_UNKNOWN)
        return;
    struct target t = find_target(b, section);
    const struct conf_key *key = conf_key_find(t.keys, name), *own = key ? NULL : find_own(section, name);
    struct err e;
    if (own) {
        set_own(b, &t, own, value, line);
        return;
    }
    if (!key) {
        report_unknown(b, &t, name, line);
        return;
    }
    note_line(b, &t, (size_t)(key - t.keys.v), line);
    if (conf_value_set(b->conf->arena, key, t.base, value, &e) != RC_OK)
        conf_error(b->report, b->file, line, "%s: %s", key->name, e.peer);
    else if (t.lines)
        keep_setting(b, &t, key->name, value, line);
}

/* `domains` in lower case, with the domains of sections added. */
static void complete_domains(struct conf *c)
{
    struct conf_list all = {arena_array(c->arena, c->domains.n + c->domain_section_count + 1, sizeof *all.v),
                            0};
    for (size_t i = 0; all.v && i < c->domains.n; i++)
        all.v[all.n++] = lower(c->arena, c->domains.v[i]);
    for (size_t i = 0; all.v && i < c->domain_section_count; i++) {
        str name = str_c(c->domain_sections[i].name);
        bool known = false;
        for (size_t j = 0; j < all.n; j++)
            known = known || str_eq(all.v[j], name);
        if (!known)
            all.v[all.n++] = name;
    }
    c->domains = all;
}

struct conf *conf_build_finish(struct conf_build *b, const char *machine_name)
{
    struct conf *c = b->conf;
    c->hostname = lower(c->arena, str_c(c->hostname[0] || !machine_name ? c->hostname : machine_name)).p;
    conf_check(b);
    complete_domains(c);
    conf_listeners_finish(b);
    conf_sections_own(b);
    if (arena_exhausted(c->arena))
        conf_error(b->report, b->file, 0, "the settings need more than %d MB of memory",
                   CONF_MEMORY_MAX >> 20);
    b->conf = NULL;
    return b->report->errors ? conf_free(c) : c;
}
