/* malle doveconf: what dovecot.conf and its includes say, as doveconf(1) of Dovecot 2.3 prints it. It knows
 * nothing of malle's own settings: for those there is malle config. */
#include "cli/cli.h"
#include "cli/doveconf.h"
#include "cli/doveconf_hide.h"
#include "conf/dovecot_builtin.h"
#include "conf/dovecot_files.h"
#include "os/file.h"

#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { TEXT_MAX = 16 << 20, ENTRIES_MAX = 60000 };
enum { DOVECONF_FATAL = 89 /* the status of Dovecot's own */ };

/* --- what is printed of a block --- */

struct entry {
    str key; /* sorts as in Dovecot, where blocks are "service/auth" */
    const struct dovecot_block *block;
    str name, value;
    bool is_file;
};

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
    if (d->all || d->as_set || (s->block && dovecot_block_is_filter(s->block->kind)))
        return false;
    return known && known->initial && s->kind != DOVECOT_FILE &&
           conf_param_same(known, s->value, str_c(known->initial));
}

/* Whether there is nothing to print of a block. */
static bool is_empty(const struct doveconf *d, const struct dovecot_block *b)
{
    bool is_list = str_eq(b->kind, S("plugin")) || str_eq(b->kind, S("dict"));
    if (str_eq(b->kind, S("namespace")) || (d->all && !is_list && !dovecot_block_is_filter(b->kind)))
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

const struct dovecot_setting *doveconf_find(const struct doveconf *d, const struct dovecot_block *b, str name)
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

void doveconf_each_default(const struct doveconf *d, const struct dovecot_block *b, doveconf_default_fn *fn,
                           void *ctx)
{
    AUTO(buf_deinit) struct buf kinds = BUF_INIT(4096);
    dovecot_param_path(b, &kinds);
    for (size_t i = 0; i < conf_dovecot_params.n; i++) {
        const struct conf_param *p = &conf_dovecot_params.v[i];
        str name = str_c(p->name), value;
        if (p->later || p->kind == CONF_PARAM_BLOCK || !str_starts(name, buf_str(&kinds)) ||
            str_starts(name, S("managesieve_"))) /* another package's */
            continue;
        name = str_from(name, kinds.n);
        if (str_chr(name, '/') < 0 && dovecot_builtin_default(p, &value) && !doveconf_find(d, b, name))
            fn(ctx, name, value);
    }
}

struct entries {
    struct entry *list;
    size_t *n;
};

static void add_default(void *ctx, str name, str value)
{
    struct entries *e = ctx;
    add(e->list, e->n, (struct entry){.key = name, .name = name, .value = value});
}

/* What Dovecot prints though nobody set it: with -a all, of a namespace always two, with -N the name of a
 * database. */
static void add_defaults(const struct doveconf *d, const struct dovecot_block *b, struct entry *list,
                         size_t *n)
{
    static const char *const of_namespace[] = {"location", "prefix"};
    struct entries entries = {list, n};
    bool database = b && (str_eq(b->kind, S("passdb")) || str_eq(b->kind, S("userdb")));
    if (d->all)
        doveconf_each_default(d, b, add_default, &entries);
    else if (database && d->as_set && !doveconf_find(d, b, S("name")))
        add_default(&entries, S("name"), b->name);
    for (size_t i = 0; !d->all && b && str_eq(b->kind, S("namespace")) && i < 2; i++)
        if (!doveconf_find(d, b, str_c(of_namespace[i])))
            add_default(&entries, str_c(of_namespace[i]), S(""));
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

/* Blocks are sorted by "service/auth/", the name escaped. */
static str key_of(const struct doveconf *d, const struct dovecot_block *b)
{
    AUTO(buf_deinit) struct buf key = BUF_INIT(8192);
    buf_printf(&key, STR_FMT "/", STR_ARG(b->kind));
    doveconf_escape(&key, b->name);
    buf_printf(&key, "/%04zu", b->nth);
    return arena_str(d->a, buf_str(&key));
}

static void put_inside(const struct doveconf *d, const struct dovecot_block *b, int depth, struct buf *out)
{
    struct entry *list = calloc(ENTRIES_MAX, sizeof *list);
    size_t n = 0;
    must(list);
    for (size_t i = 0; i < d->conf.count; i++) {
        const struct dovecot_setting *s = &d->conf.settings[i];
        bool here = s->block == b || (!b && is_chosen(d, s->block));
        if (here && !is_default(d, s) && (b || doveconf_find(d, NULL, s->name) == s))
            add(list, &n,
                (struct entry){
                    .key = s->name, .name = s->name, .value = s->value, .is_file = s->kind == DOVECOT_FILE});
    }
    for (size_t i = 0; i < d->conf.block_count; i++) {
        const struct dovecot_block *child = d->conf.blocks[i];
        if (child->parent == b && !dovecot_block_is_filter(child->kind) && !is_empty(d, child))
            add(list, &n, (struct entry){.key = key_of(d, child), .block = child});
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
        if (d->conf.blocks[i]->parent == b && dovecot_block_is_filter(d->conf.blocks[i]->kind) &&
            !is_decided(d, d->conf.blocks[i]) && !is_empty(d, d->conf.blocks[i]))
            put_block(d, d->conf.blocks[i], depth, out);
    free(list);
}

static void put_block(const struct doveconf *d, const struct dovecot_block *b, int depth, struct buf *out)
{
    const char *quote = str_chr(b->name, ' ') >= 0 ? "\"" : "";
    buf_printf(out, "%*s" STR_FMT "%s%s" STR_FMT "%s {\n", 2 * depth, "", STR_ARG(b->kind),
               b->name.n ? " " : "", quote, STR_ARG(b->name), quote);
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

/* The block that "service/auth/" names, of which *path is what is behind it; NULL: that of the top. */
static bool find_named(const struct doveconf *d, str *path, const struct dovecot_block **ret)
{
    *ret = NULL;
    while (str_chr(*path, '/') >= 0) {
        str kind = str_take(path, '/'), which = str_take(path, '/');
        const struct dovecot_block *inner = NULL;
        for (size_t i = 0; i < d->conf.block_count; i++) {
            const struct dovecot_block *b = d->conf.blocks[i];
            bool listed = str_eq(kind, S("plugin")) || str_eq(kind, S("dict"));
            if (b->parent == *ret && str_eq(b->kind, kind) && (listed || str_eq(b->name, which)))
                inner = b;
            if (inner && listed) /* these have no names: what follows is a setting */
                *path = which;
        }
        if (!inner)
            return false;
        *ret = inner;
    }
    return true;
}

/* All blocks of a kind within another; whether there are any. */
static bool put_blocks(const struct doveconf *d, const struct dovecot_block *parent, str kind,
                       struct buf *out)
{
    struct entry *found = arena_array(d->a, d->conf.block_count + 1, sizeof *found);
    size_t n = 0;
    must(found);
    for (size_t i = 0; i < d->conf.block_count; i++) {
        const struct dovecot_block *b = d->conf.blocks[i];
        if (b->parent == parent && str_eq(b->kind, kind))
            found[n++] = (struct entry){.key = key_of(d, b), .block = b};
    }
    qsort(found, n, sizeof *found, by_key);
    for (size_t i = 0; i < n; i++)
        if (!is_empty(d, found[i].block))
            put_block(d, found[i].block, 0, out);
    return n > 0;
}

struct wanted {
    str name, value;
};

static void take_wanted(void *ctx, str name, str value)
{
    struct wanted *w = ctx;
    if (str_eq(w->name, name))
        w->value = value;
}

/* "mail_location", "service/auth/user", a block, "service/auth", or all of a kind: "passdb". */
static void put_named(const struct doveconf *d, str name, struct buf *out)
{
    str path = name;
    const struct dovecot_block *b;
    if (!find_named(d, &path, &b))
        return;
    if (path.n == 0) {
        if (b && !is_empty(d, b))
            put_block(d, b, 0, out);
        return;
    }
    const struct dovecot_setting *s = doveconf_find(d, b, path);
    struct wanted w = {path, STR_NONE};
    if (!s && put_blocks(d, b, path, out))
        return;
    if (!s)
        doveconf_each_default(d, b, take_wanted, &w);
    if (!s && !w.value.p)
        return;
    struct entry e = {.name = path, .value = s ? s->value : w.value, .is_file = s && s->kind == DOVECOT_FILE};
    if (!d->bare)
        buf_printf(out, STR_FMT "%s", STR_ARG(name), d->machine ? "=" : " = ");
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
        if (d->n_filters == DOVECONF_FILTERS_MAX)
            return cli_fail_status(DOVECONF_FATAL, "more than %d filters", DOVECONF_FILTERS_MAX);
        d->filters[d->n_filters].kind = protocol ? "protocol" : "local_name";
        d->filters[d->n_filters++].name = value;
    }
    return CLI_FINE;
}

/* -k and -p change nothing here. */
static int take_options(int argc, char **argv, struct doveconf *d)
{
    int status = CLI_FINE;
    optind = 0; /* another command line may have been read before */
    for (int c; status == CLI_FINE && (c = getopt(argc, argv, "ac:df:hknNpPSx")) != -1;) {
        d->all |= c == 'a' || c == 'd';
        d->defaults |= c == 'd';
        d->bare |= c == 'h';
        d->secrets |= c == 'P';
        d->as_set |= c == 'N';
        d->changed |= c == 'n' || c == 'N';
        d->expand |= c == 'x';
        d->machine |= c == 'S';
        if (c == 'c')
            d->file = optarg;
        else if (c == 'f')
            status = take_filters(d, str_c(optarg));
        else if (c == '?')
            status = cli_fail_status(DOVECONF_FATAL,
                                     "doveconf takes -a, -c FILE, -d, -f FILTER, -h, -k, -n, -N, -p, -P, -S, "
                                     "-x and names of settings");
    }
    d->all |= !d->changed && (d->machine || optind < argc);
    return status;
}

/* Settings of the folder of -c, where that is one; else those of the system. */
static const char *default_file(const struct cli *cli, struct buf *path)
{
    buf_printf(path, "%s/dovecot/dovecot.conf", cli->conf_path);
    return access(buf_cstr(path), F_OK) == 0 ? buf_cstr(path) : "/etc/dovecot/dovecot.conf";
}

int cmd_doveconf(int argc, char **argv, struct cli *cli)
{
    AUTO(arena_freep) struct arena *a = arena_new(DOVECOT_ARENA_BYTES);
    AUTO(buf_deinit) struct buf out = BUF_INIT(TEXT_MAX), path = BUF_INIT(4096);
    struct doveconf d = {.file = default_file(cli, &path), .a = a};
    int status = take_options(argc, argv, &d);
    if (status == CLI_FINE)
        status = read_files(&d);
    if (status != CLI_FINE)
        return status;
    if ((d.all || d.machine) && dovecot_builtin_add(&d.conf, a) != RC_OK)
        return cli_fail("%s has too many settings", d.file);
    if (optind == argc && d.machine) {
        doveconf_put_machine(&d, &out);
    } else if (optind == argc) {
        put_head(&d, &out);
        put_inside(&d, NULL, 0, &out);
    }
    for (int i = optind; i < argc; i++)
        put_named(&d, str_c(argv[i]), &out);
    return cli_print(&out);
}
