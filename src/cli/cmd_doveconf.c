/* malle doveconf: what dovecot.conf and its includes say, as doveconf(1) of Dovecot 2.3 prints it. It knows
 * nothing of malle's own settings: for those there is malle config. */
#include "base/arena.h"
#include "cli/cli.h"
#include "cli/doveconf_hide.h"
#include "conf/dovecot_files.h"
#include "conf/params.h"
#include "os/file.h"

#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { TEXT_MAX = 16 << 20, ENTRIES_MAX = 60000, FILTERS_MAX = 4 };
enum { DOVECONF_FATAL = 89 /* the status of Dovecot's own */ };

struct doveconf {
    const char *file;
    bool all, bare, secrets;       /* -a, -h, -P */
    bool as_set, defaults, expand; /* -N, -d, -x */
    struct {
        const char *kind;
        str name;
    } filters[FILTERS_MAX]; /* -f: the blocks whose settings count before those at the top */
    size_t n_filters;
    struct arena *a;
    struct dovecot_conf conf;
};

/* --- what is printed of a block --- */

struct entry {
    str key; /* sorts as in Dovecot, where blocks are "service/auth" */
    const struct dovecot_block *block;
    str name, value;
    bool is_file;
};

static bool is_filter(const struct dovecot_block *b)
{
    return str_eq(b->kind, S("protocol")) || str_eq(b->kind, S("local")) || str_eq(b->kind, S("remote")) ||
           str_eq(b->kind, S("local_name"));
}

/* Whether -f chooses the block. */
static bool is_chosen(const struct doveconf *d, const struct dovecot_block *b)
{
    for (size_t i = 0; b && i < d->n_filters; i++)
        if (!b->parent && str_eq(b->kind, str_c(d->filters[i].kind)) && str_eq(b->name, d->filters[i].name))
            return true;
    return false;
}

/* Whether -f says for blocks of this kind which of them counts. */
static bool is_decided(const struct doveconf *d, const struct dovecot_block *b)
{
    for (size_t i = 0; i < d->n_filters; i++)
        if (str_eq(b->kind, str_c(d->filters[i].kind)))
            return true;
    return false;
}

static bool is_default(const struct doveconf *d, const struct dovecot_setting *s)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(4096);
    dovecot_param_name(s, &name);
    const struct conf_param *known = conf_param_find(CONF_DIALECT_DOVECOT, buf_str(&name));
    if (d->all || d->as_set || (s->block && is_filter(s->block)))
        return false;
    return known && known->initial && s->kind != DOVECOT_FILE &&
           conf_param_same(known, s->value, str_c(known->initial));
}

static bool is_empty(const struct doveconf *d, const struct dovecot_block *b)
{
    if (str_eq(b->kind, S("namespace")))
        return false;
    for (size_t i = 0; i < d->conf.count; i++)
        if (d->conf.settings[i].block == b && !is_default(d, &d->conf.settings[i]))
            return false;
    for (size_t i = 0; i < d->conf.block_count; i++)
        if (d->conf.blocks[i]->parent == b && !is_empty(d, d->conf.blocks[i]))
            return false;
    return true;
}

static void add(struct entry *list, size_t *n, struct entry e)
{
    if (*n < ENTRIES_MAX)
        list[(*n)++] = e;
}

/* At the top (b is NULL) what a block says that is chosen counts. */
static const struct dovecot_setting *find(const struct doveconf *d, const struct dovecot_block *b, str name)
{
    const struct dovecot_setting *found = NULL;
    for (size_t i = 0; i < d->conf.count; i++) {
        const struct dovecot_setting *s = &d->conf.settings[i];
        if (!str_eq(s->name, name))
            continue;
        if (!b && is_chosen(d, s->block))
            return s;
        if (s->block == b && !found)
            found = s;
    }
    return found;
}

/* What Dovecot prints though nobody set it: with -a all at the top, of a namespace always two, with -N the
 * name of a database. */
static void add_defaults(const struct doveconf *d, const struct dovecot_block *b, struct entry *list,
                         size_t *n)
{
    static const char *const of_namespace[] = {"location", "prefix"};
    bool database = b && (str_eq(b->kind, S("passdb")) || str_eq(b->kind, S("userdb")));
    if (database && d->as_set && !find(d, b, S("name")))
        add(list, n, (struct entry){.key = S("name"), .name = S("name"), .value = b->name});
    for (size_t i = 0; d->all && !b && i < conf_dovecot_params.n; i++) {
        const struct conf_param *p = &conf_dovecot_params.v[i];
        str name = str_c(p->name);
        if (p->initial && !p->later && p->kind != CONF_PARAM_BLOCK && str_chr(name, '/') < 0 &&
            !find(d, b, name))
            add(list, n, (struct entry){.key = name, .name = name, .value = str_c(p->initial)});
    }
    for (size_t i = 0; b && str_eq(b->kind, S("namespace")) && i < 2; i++)
        if (!find(d, b, str_c(of_namespace[i])))
            add(list, n,
                (struct entry){
                    .key = str_c(of_namespace[i]), .name = str_c(of_namespace[i]), .value = S("")});
}

static int by_key(const void *a, const void *b)
{
    return str_cmp(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

/* --- printing --- */

/* What the file has that the setting names, with -x. */
static bool put_file(const struct doveconf *d, const struct entry *e, struct buf *out)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(TEXT_MAX), path = BUF_INIT(4096);
    if (!d->expand || !e->is_file)
        return false;
    dovecot_conf_path(&path, e->value, str_c(d->file));
    if (file_read(buf_cstr(&path), &text) != RC_OK)
        return false;
    buf_puts(out, buf_str(&text));
    return true;
}

static void put_value(const struct doveconf *d, const struct entry *e, bool hide, struct buf *out)
{
    AUTO(buf_deinit) struct buf shown = BUF_INIT(TEXT_MAX);
    str v = e->value;
    bool odd =
        str_find(v, S(" #")) >= 0 || (v.n && (v.p[0] == ' ' || v.p[v.n - 1] == ' ')) || str_starts(v, S("#"));
    if (hide && doveconf_is_secret(e->name, v)) {
        buf_puts(out, S("# hidden, use -P to show it"));
        return;
    }
    if (put_file(d, e, out))
        return;
    if (hide)
        doveconf_put_masked(v, &shown);
    else
        buf_puts(&shown, v);
    bool quote = odd && !d->bare && str_eq(buf_str(&shown), v);
    buf_printf(out, quote ? "\"%s%s\"" : "%s%s", e->is_file ? "<" : "", buf_cstr(&shown));
}

static void put_block(const struct doveconf *d, const struct dovecot_block *b, int depth, struct buf *out);

static void put_inside(const struct doveconf *d, const struct dovecot_block *b, int depth, struct buf *out)
{
    struct entry *list = calloc(ENTRIES_MAX, sizeof *list);
    size_t n = 0;
    must(list);
    for (size_t i = 0; i < d->conf.count; i++) {
        const struct dovecot_setting *s = &d->conf.settings[i];
        bool here = s->block == b || (!b && is_chosen(d, s->block));
        if (here && !is_default(d, s) && (b || find(d, NULL, s->name) == s))
            add(list, &n,
                (struct entry){
                    .key = s->name, .name = s->name, .value = s->value, .is_file = s->kind == DOVECOT_FILE});
    }
    for (size_t i = 0; i < d->conf.block_count; i++) {
        const struct dovecot_block *child = d->conf.blocks[i];
        if (child->parent == b && !is_filter(child) && !is_empty(d, child))
            add(list, &n,
                (struct entry){.key = arena_printf(d->a, STR_FMT "/" STR_FMT "/%04zu", STR_ARG(child->kind),
                                                   STR_ARG(child->name), child->nth),
                               .block = child});
    }
    add_defaults(d, b, list, &n);
    qsort(list, n, sizeof *list, by_key);
    for (size_t i = 0; i < n; i++) {
        if (list[i].block) {
            put_block(d, list[i].block, depth, out);
            continue;
        }
        buf_printf(out, "%*s" STR_FMT " = ", 2 * depth, "", STR_ARG(list[i].name));
        put_value(d, &list[i], !d->secrets, out);
        buf_putc(out, '\n');
    }
    for (size_t i = 0; i < d->conf.block_count; i++)
        if (d->conf.blocks[i]->parent == b && is_filter(d->conf.blocks[i]) &&
            !is_decided(d, d->conf.blocks[i]) && !is_empty(d, d->conf.blocks[i]))
            put_block(d, d->conf.blocks[i], depth, out);
    free(list);
}

static void put_block(const struct doveconf *d, const struct dovecot_block *b, int depth, struct buf *out)
{
    buf_printf(out, "%*s" STR_FMT "%s" STR_FMT " {\n", 2 * depth, "", STR_ARG(b->kind), b->name.n ? " " : "",
               STR_ARG(b->name));
    put_inside(d, b, depth + 1, out);
    buf_printf(out, "%*s}\n", 2 * depth, "");
}

static void put_head(const struct doveconf *d, struct buf *out)
{
    struct utsname u;
    char name[256] = "";
    (void)gethostname(name, sizeof name - 1);
    buf_printf(out, "# malle " MALLE_VERSION ", as Dovecot 2.3: %s\n", d->file);
    if (uname(&u) == 0)
        buf_printf(out, "# OS: %s %s %s\n", u.sysname, u.release, u.machine);
    buf_printf(out, "# Hostname: %s\n", name);
}

/* "mail_location", "service/auth/user", or all blocks of a kind: "passdb". */
static void put_named(const struct doveconf *d, str name, struct buf *out)
{
    str path = name;
    const struct dovecot_block *b = NULL;
    for (ptrdiff_t slash; (slash = str_chr(path, '/')) >= 0;) {
        str kind = str_take(&path, '/'), which = str_take(&path, '/');
        const struct dovecot_block *inner = NULL;
        for (size_t i = 0; i < d->conf.block_count; i++)
            if (d->conf.blocks[i]->parent == b && str_eq(d->conf.blocks[i]->kind, kind) &&
                str_eq(d->conf.blocks[i]->name, which))
                inner = d->conf.blocks[i];
        if (!inner)
            return;
        b = inner;
    }
    const struct dovecot_setting *s = find(d, b, path);
    struct entry e = {
        .name = path, .value = s ? s->value : STR_NONE, .is_file = s && s->kind == DOVECOT_FILE};
    for (size_t i = 0; !s && i < d->conf.block_count; i++)
        if (d->conf.blocks[i]->parent == b && str_eq(d->conf.blocks[i]->kind, path))
            put_block(d, d->conf.blocks[i], 0, out);
    if (!s && (b || !conf_dovecot_default(NULL, path, &e.value)))
        return;
    if (!d->bare)
        buf_printf(out, STR_FMT " = ", STR_ARG(name));
    put_value(d, &e, false, out); /* whoever names it wants it */
    buf_putc(out, '\n');
}

/* --- the command --- */

/* Errors are Dovecot's: the first one, and nothing is printed. */
static int read_files(struct doveconf *d)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(TEXT_MAX);
    if (d->defaults) /* as an empty file */
        return CLI_FINE;
    if (file_read(d->file, &text) != RC_OK) {
        fprintf(stderr, "doveconf: Fatal: Error in configuration file %s: open(%s) failed\n", d->file,
                d->file);
        return DOVECONF_FATAL;
    }
    if (dovecot_files_read(d->file, arena_str(d->a, buf_str(&text)), NULL, NULL, d->a, &d->conf) != RC_OK)
        return cli_fail("%s has too many settings", d->file);
    for (size_t i = 0; i < d->conf.problem_count; i++) {
        const struct dovecot_problem *p = &d->conf.problems[i];
        fprintf(stderr, "doveconf: %s: %s" STR_FMT " line %d: " STR_FMT "\n",
                p->warning ? "Warning" : "Fatal", p->warning ? "" : "Error in configuration file ",
                STR_ARG(p->file), p->line, STR_ARG(p->text));
        if (!p->warning)
            return DOVECONF_FATAL;
    }
    return CLI_FINE;
}

/* "protocol=imap", "service=imap", which is the same, or "lname=HOST"; several with spaces between. */
static int take_filters(struct doveconf *d, str text)
{
    while (text.n) {
        str value = str_take(&text, ' '), key = str_take(&value, '=');
        bool protocol = str_eq(key, S("protocol")) || str_eq(key, S("service"));
        if (!protocol && !str_eq(key, S("lname")))
            return cli_fail_status(DOVECONF_FATAL,
                                   "malle chooses by protocol, service and lname, not by " STR_FMT,
                                   STR_ARG(key));
        if (d->n_filters == FILTERS_MAX)
            return cli_fail_status(DOVECONF_FATAL, "more than %d filters", FILTERS_MAX);
        d->filters[d->n_filters].kind = protocol ? "protocol" : "local_name";
        d->filters[d->n_filters++].name = value;
    }
    return CLI_FINE;
}

/* -k and -n change nothing here. */
static int take_options(int argc, char **argv, struct doveconf *d)
{
    int status = CLI_FINE;
    optind = 1;
    for (int c; status == CLI_FINE && (c = getopt(argc, argv, "ac:df:hknNPx")) != -1;) {
        d->all |= c == 'a' || c == 'd';
        d->defaults |= c == 'd';
        d->bare |= c == 'h';
        d->secrets |= c == 'P';
        d->as_set |= c == 'N';
        d->expand |= c == 'x';
        if (c == 'c')
            d->file = optarg;
        else if (c == 'f')
            status = take_filters(d, str_c(optarg));
        else if (c == '?')
            status = cli_fail_status(DOVECONF_FATAL,
                                     "doveconf takes -a, -c FILE, -d, -f FILTER, -h, -k, -n, -N, -P, "
                                     "-x and names of settings");
    }
    return status;
}

int cmd_doveconf(int argc, char **argv, struct cli *cli)
{
    AUTO(arena_freep) struct arena *a = arena_new(DOVECOT_ARENA_BYTES);
    AUTO(buf_deinit) struct buf out = BUF_INIT(TEXT_MAX);
    struct doveconf d = {.file = "/etc/dovecot/dovecot.conf", .a = a};
    (void)cli;
    int status = take_options(argc, argv, &d);
    if (status == CLI_FINE)
        status = read_files(&d);
    if (status != CLI_FINE)
        return status;
    if (optind == argc) {
        put_head(&d, &out);
        put_inside(&d, NULL, 0, &out);
    }
    for (int i = optind; i < argc; i++)
        put_named(&d, str_c(argv[i]), &out);
    return cli_print(&out);
}
