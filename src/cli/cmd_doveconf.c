/* malle doveconf: what dovecot.conf and its includes say, as doveconf(1) of Dovecot 2.3 prints it. It knows
 * nothing of malle's own settings: for those there is malle config. */
#include "cli/cli.h"
#include "cli/doveconf.h"
#include "cli/doveconf_hide.h"
#include "cli/doveconf_modules.h"
#include "conf/dovecot_builtin.h"
#include "conf/dovecot_files.h"
#include "os/file.h"

#include <errno.h>
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

static bool is_default(const struct doveconf *d, const struct dovecot_setting *s)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(4096);
    dovecot_param_name(s, &name);
    const struct conf_param *known = conf_param_find(CONF_DIALECT_DOVECOT, buf_str(&name));
    if (!d->changed || d->as_set)
        return false;
    return known && known->initial && s->kind != DOVECOT_FILE &&
           conf_param_same(known, s->value, str_c(known->initial));
}

static bool is_empty(const struct doveconf *d, const struct dovecot_block *b);

/* A block that is printed within b; filter blocks are printed by themselves. */
static bool is_inside(const struct doveconf *d, const struct dovecot_block *child,
                      const struct dovecot_block *b)
{
    return child->parent == b && !dovecot_block_is_filter(child->kind) && !is_empty(d, child);
}

/* Whether there is nothing to print of a block. */
static bool is_empty(const struct doveconf *d, const struct dovecot_block *b)
{
    bool is_list = str_eq(b->kind, S("plugin")) || str_eq(b->kind, S("dict"));
    if (str_eq(b->kind, S("namespace")) || (!d->changed && !is_list))
        return false;
    for (size_t i = 0; i < d->conf.count; i++)
        if (d->conf.settings[i].block == b && !is_default(d, &d->conf.settings[i]))
            return false;
    for (size_t i = 0; i < d->conf.block_count; i++)
        if (is_inside(d, d->conf.blocks[i], b))
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
    for (size_t i = 0; i < d->conf.count; i++)
        if (d->conf.settings[i].block == b && str_eq(d->conf.settings[i].name, name))
            return &d->conf.settings[i];
    return NULL;
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
        bool read = b || d->n_modules == 0 || doveconf_module_reads(d->modules, d->n_modules, name);
        if (str_chr(name, '/') < 0 && read && (d->hidden || !p->hidden) &&
            dovecot_builtin_default(p, &value) && !doveconf_find(d, b, name))
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

/* What Dovecot prints though nobody set it: all, but with -n; of a namespace always two, with -N the name of
 * a database. */
static void add_defaults(const struct doveconf *d, const struct dovecot_block *b, struct entry *list,
                         size_t *n)
{
    static const char *const of_namespace[] = {"location", "prefix"};
    struct entries entries = {list, n};
    bool database = b && (str_eq(b->kind, S("passdb")) || str_eq(b->kind, S("userdb")));
    if (!d->changed)
        doveconf_each_default(d, b, add_default, &entries);
    else if (database && d->as_set && !doveconf_find(d, b, S("name")))
        add_default(&entries, S("name"), b->name);
    for (size_t i = 0; d->changed && b && str_eq(b->kind, S("namespace")) && i < 2; i++)
        if (!doveconf_find(d, b, str_c(of_namespace[i])))
            add_default(&entries, str_c(of_namespace[i]), S(""));
}

static int by_key(const void *a, const void *b)
{
    return str_cmp(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

/* --- printing --- */

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
    if (d->expand && e->is_file && doveconf_put_file(d, e->value, out))
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
        if (s->block == b && !is_default(d, s))
            add(list, &n,
                (struct entry){
                    .key = s->name, .name = s->name, .value = s->value, .is_file = s->kind == DOVECOT_FILE});
    }
    for (size_t i = 0; i < d->conf.block_count; i++) {
        const struct dovecot_block *child = d->conf.blocks[i];
        if (is_inside(d, child, b))
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
    free(list);
}

static void put_opening(const struct dovecot_block *b, int depth, struct buf *out)
{
    const char *quote = str_chr(b->name, ' ') >= 0 ? "\"" : "";
    buf_printf(out, "%*s" STR_FMT "%s%s" STR_FMT "%s {\n", 2 * depth, "", STR_ARG(b->kind),
               b->name.n ? " " : "", quote, STR_ARG(b->name), quote);
}

static void put_closing(int depth, struct buf *out)
{
    buf_printf(out, "%*s}\n", 2 * depth, "");
}

static void put_block(const struct doveconf *d, const struct dovecot_block *b, int depth, struct buf *out)
{
    put_opening(b, depth, out);
    put_inside(d, b, depth + 1, out);
    put_closing(depth, out);
}

/* --- blocks for some sessions --- */

/* Each filter block alone within those around it, with all that is set in it. */
static void put_filter(const struct doveconf *d, const struct dovecot_block *b, struct buf *out)
{
    const struct dovecot_block *around[DOVECOT_BLOCK_DEPTH_MAX];
    struct doveconf own = *d;
    int n = 0;
    own.changed = own.as_set = true;
    if (is_empty(&own, b))
        return;
    for (const struct dovecot_block *outer = b; outer; outer = outer->parent)
        around[n++] = outer;
    for (int depth = 0; depth < n; depth++)
        put_opening(around[n - 1 - depth], depth, out);
    put_inside(&own, b, n, out);
    while (n-- > 0)
        put_closing(n, out);
}

static int lightest_first(const void *a, const void *b)
{
    const struct dovecot_block *const *x = a, *const *y = b;
    return doveconf_filter_is_less(*x, *y) ? -1 : 1;
}

static void put_filters(const struct doveconf *d, struct buf *out)
{
    struct doveconf in_files = *d;
    const struct dovecot_block **list = arena_array(d->a, d->files.block_count + 1, sizeof *list);
    size_t n = 0;
    must(list);
    for (size_t i = 0; i < d->files.block_count; i++)
        if (dovecot_block_is_filter(d->files.blocks[i]->kind) &&
            !doveconf_filter_misses(&d->filter, d->files.blocks[i]))
            list[n++] = d->files.blocks[i];
    qsort(list, n, sizeof *list, lightest_first);
    in_files.conf = d->files;
    for (size_t i = 0; i < n; i++)
        put_filter(&in_files, list[i], out);
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
    if (dovecot_files_read(d->file, arena_str(d->a, buf_str(&text)), NULL, NULL, d->a, &d->files) != RC_OK)
        return cli_fail("%s has too many settings", d->file);
    for (size_t i = 0; i < d->files.problem_count; i++) {
        const struct dovecot_problem *p = &d->files.problems[i];
        fprintf(stderr, "doveconf: %s: %s" STR_FMT " line %d: " STR_FMT "\n",
                p->warning ? "Warning" : "Fatal", p->warning ? "" : "Error in configuration file ",
                STR_ARG(p->file), p->line, STR_ARG(p->text));
        if (!p->warning)
            return DOVECONF_FATAL;
    }
    return CLI_FINE;
}

/* Which settings are meant: the last of -n, -N and -s counts. */
static void take_scope(struct doveconf *d, int c)
{
    d->changed = c == 'n' || c == 'N';
    d->as_set = c == 'N';
    d->hidden = c == 's';
}

static int take_filter(struct doveconf *d, const char *text)
{
    struct err e = {0};
    switch (doveconf_filter_take(&d->filter, text, &e)) {
    case RC_OK:
        return CLI_FINE;
    case RC_GONE:
        return cli_fail_status(DOVECONF_FATAL, "Unknown filter argument: %s", text);
    default:
        return cli_fail_status(DOVECONF_FATAL, "%s", err_text(&e));
    }
}

static int take_module(struct doveconf *d, const char *name)
{
    if (d->n_modules == DOVECONF_MODULES_MAX)
        return cli_fail_status(DOVECONF_FATAL, "more than %d modules", DOVECONF_MODULES_MAX);
    d->modules[d->n_modules++] = str_c(name);
    return CLI_FINE;
}

/* -a is how it is without -n; -k and -p change nothing here. */
static int take_option(struct doveconf *d, int c)
{
    if (strchr("nNs", c))
        take_scope(d, c);
    d->defaults |= c == 'd';
    d->execute |= c == 'e';
    d->bare |= c == 'h';
    d->secrets |= c == 'P';
    d->expand |= c == 'x';
    d->machine |= c == 'S';
    if (c == 'c')
        d->file = optarg;
    if (c == 'f')
        return take_filter(d, optarg);
    if (c == 'm')
        return take_module(d, optarg);
    if (c == 'H')
        return cli_fail_status(DOVECONF_FATAL, "-H: in malle the ids of messages are not made of host names");
    return CLI_FINE;
}

static int take_options(int argc, char **argv, struct doveconf *d)
{
    int status = CLI_FINE;
    optind = 0; /* another command line may have been read before */
    for (int c; status == CLI_FINE && (c = getopt(argc, argv, "+ac:def:hHkm:nNpPsSx")) != -1;)
        status = c != '?' ? take_option(d, c)
                          : cli_fail_status(DOVECONF_FATAL,
                                            "doveconf takes -a, -c FILE, -d, -e COMMAND, -f FILTER, -h, -k, "
                                            "-m MODULE, -n, -N, -p, -P, -s, -S, -x and names of settings");
    if (status == CLI_FINE && d->execute && optind == argc)
        return cli_fail_status(DOVECONF_FATAL, "Missing command for -e");
    if (optind < argc && !d->execute) { /* who names a setting wants it */
        d->n_modules = 0;
        d->hidden = true;
    }
    return status;
}

/* Settings of the folder of -c, where that is one; else those of the system. */
static const char *default_file(const struct cli *cli, struct buf *path)
{
    buf_printf(path, "%s/dovecot/dovecot.conf", cli->conf_path);
    return access(buf_cstr(path), F_OK) == 0 ? buf_cstr(path) : "/etc/dovecot/dovecot.conf";
}

/* What is printed of all that the files say. */
static enum rc prepare(struct doveconf *d)
{
    enum rc rc = doveconf_filter_apply(&d->filter, &d->files, d->a, &d->conf);
    if (rc == RC_OK && (!d->changed || d->machine || d->execute))
        rc = dovecot_builtin_add(&d->conf, d->a);
    if (d->n_modules > 0) {
        doveconf_modules_keep(d->modules, d->n_modules, &d->conf);
        doveconf_modules_keep(d->modules, d->n_modules, &d->files);
    }
    return rc;
}

static int execute(struct doveconf *d, char **command)
{
    take_scope(d, 'N');
    execvpe(command[0], command, doveconf_environment(d));
    return cli_fail_status(DOVECONF_FATAL, "execvp(%s) failed: %s", command[0], strerror(errno));
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
    if (prepare(&d) != RC_OK)
        return cli_fail("%s has too many settings", d.file);
    if (d.execute)
        return execute(&d, argv + optind);
    if (optind == argc && d.machine) {
        doveconf_put_machine(&d, &out);
    } else if (optind == argc) {
        put_head(&d, &out);
        put_inside(&d, NULL, 0, &out);
        put_filters(&d, &out);
    }
    for (int i = optind; i < argc; i++)
        put_named(&d, str_c(argv[i]), &out);
    return cli_print(&out);
}
