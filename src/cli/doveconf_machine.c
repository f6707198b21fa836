/* doveconf -S and -e: the settings in lines and in variables for programs. */
#include "cli/doveconf.h"
#include "conf/dovecot_builtin.h"
#include "conf/dovecot_files.h"
#include "os/file.h"

#include <unistd.h>

enum { VALUE_MAX = 4 << 20, ENVIRONMENT_MAX = 60000 };

struct environment {
    char **v; /* "NAME=VALUE" each; room for ENVIRONMENT_MAX and NULL */
    size_t n;
};

struct machine {
    const struct doveconf *d;
    struct buf *out;                   /* NULL: into the environment */
    const struct dovecot_block *block; /* whose settings are printed; NULL: at the top */
    struct environment *environment;
};

bool doveconf_put_file(const struct doveconf *d, str name, struct buf *out)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(VALUE_MAX), path = BUF_INIT(4096);
    dovecot_conf_path(&path, name, str_c(d->file));
    if (file_read(buf_cstr(&path), &text) != RC_OK)
        return false;
    buf_puts(out, buf_str(&text));
    return true;
}

void doveconf_escape(struct buf *out, str name)
{
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '/')
            buf_puts(out, S("\\s"));
        else if (name.p[i] == ' ')
            buf_puts(out, S("\\_"));
        else
            buf_putc(out, name.p[i]);
    }
}

/* Blocks without a name have their number, from 0. */
static void put_label(const struct dovecot_block *b, struct buf *out)
{
    if (b->nth)
        buf_printf(out, "%zu", b->nth - 1);
    else
        doveconf_escape(out, b->name);
}

/* "service/auth/"; what is in plugin has no name in between. */
static void put_path(const struct dovecot_block *b, struct buf *out)
{
    if (!b)
        return;
    put_path(b->parent, out);
    buf_printf(out, STR_FMT "/", STR_ARG(b->kind));
    if (b->nth || b->name.n)
        put_label(b, out);
    if (b->nth || b->name.n)
        buf_putc(out, '/');
}

static bool is_of(const char *variable, str name)
{
    return strlen(variable) > name.n && str_eq(str_sub(str_c(variable), 0, name.n), name) &&
           variable[name.n] == '=';
}

/* In the place of one of that name. */
static void add_variable(const struct doveconf *d, struct environment *x, str name, str value)
{
    size_t at = 0;
    while (at < x->n && !is_of(x->v[at], name))
        at++;
    must(at < ENVIRONMENT_MAX);
    str text = arena_printf(d->a, STR_FMT "=" STR_FMT, STR_ARG(name), STR_ARG(value));
    must(text.p);
    x->v[at] = (char *)(uintptr_t)text.p;
    x->n += at == x->n;
}

/* What a file has, not its name. */
static void put_variable(const struct machine *m, str name, str value, bool file)
{
    AUTO(buf_deinit) struct buf full = BUF_INIT(VALUE_MAX), upper = BUF_INIT(DOVECOT_LINE_MAX);
    for (size_t i = 0; i < name.n; i++)
        buf_putc(&upper, ascii_upper(name.p[i]));
    if (!file || !doveconf_put_file(m->d, value, &full))
        buf_puts(&full, value);
    add_variable(m->d, m->environment, buf_str(&upper), buf_str(&full));
}

static void put_line(const struct machine *m, str name, str value, bool file)
{
    AUTO(buf_deinit) struct buf full = BUF_INIT(DOVECOT_LINE_MAX);
    put_path(m->block, &full);
    buf_puts(&full, name);
    if (m->out)
        buf_printf(m->out, "%s=%s" STR_FMT "\n", buf_cstr(&full), file ? "<" : "", STR_ARG(value));
    else
        put_variable(m, buf_str(&full), value, file);
}

static void put_default(void *ctx, str name, str value)
{
    put_line(ctx, name, value, false);
}

static bool is_initial(const struct dovecot_setting *s)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(4096);
    str value;
    dovecot_param_name(s, &name);
    const struct conf_param *known = conf_param_find(CONF_DIALECT_DOVECOT, buf_str(&name));
    return known && dovecot_builtin_default(known, &value) && s->kind != DOVECOT_FILE &&
           conf_param_same(known, s->value, value);
}

/* The name is a setting, too; that of a socket is its path. Databases have theirs as any other. */
static void put_own_name(const struct machine *m, const struct dovecot_block *b)
{
    bool socket = str_eq(b->kind, S("unix_listener")) || str_eq(b->kind, S("fifo_listener"));
    bool database = str_eq(b->kind, S("passdb")) || str_eq(b->kind, S("userdb"));
    if (database && m->d->as_set && !doveconf_find(m->d, b, S("name")))
        put_line(m, S("name"), b->name, false);
    else if (b->name.n || (!m->d->changed && str_eq(b->kind, S("inet_listener"))))
        put_line(m, socket ? S("path") : S("name"), b->name, false);
}

/* Whether an earlier block has the kind, so that their names were listed. */
static bool is_listed(const struct dovecot_conf *conf, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (conf->blocks[k]->parent == conf->blocks[i]->parent &&
            str_eq(conf->blocks[k]->kind, conf->blocks[i]->kind))
            return true;
    return false;
}

/* "service=auth imap": the names of the blocks of a kind. */
static void put_list(const struct machine *m, const struct dovecot_conf *conf, size_t first)
{
    AUTO(buf_deinit) struct buf names = BUF_INIT(VALUE_MAX);
    const struct dovecot_block *b = conf->blocks[first];
    const char *between = "";
    for (size_t i = first; i < conf->block_count; i++) {
        const struct dovecot_block *one = conf->blocks[i];
        if (one->parent != b->parent || !str_eq(one->kind, b->kind))
            continue;
        buf_puts(&names, str_c(between));
        put_label(one, &names);
        between = " ";
    }
    put_line(m, b->kind, buf_str(&names), false);
}

static void put_block(const struct machine *outer, const struct dovecot_block *b)
{
    const struct doveconf *d = outer->d;
    const struct dovecot_conf *conf = &d->conf;
    struct machine m = *outer;
    m.block = b;
    if (b)
        put_own_name(&m, b);
    for (size_t i = 0; i < conf->count; i++) {
        const struct dovecot_setting *s = &conf->settings[i];
        if (s->block == b && (!d->changed || d->as_set || !is_initial(s)))
            put_line(&m, s->name, s->value, s->kind == DOVECOT_FILE);
    }
    if (!d->changed)
        doveconf_each_default(d, b, put_default, &m);
    for (size_t i = 0; i < conf->block_count; i++) {
        if (conf->blocks[i]->parent != b)
            continue;
        if (!is_listed(conf, i))
            put_list(&m, conf, i);
        put_block(&m, conf->blocks[i]);
    }
}

void doveconf_put_machine(const struct doveconf *d, struct buf *out)
{
    put_block(&(struct machine){.d = d, .out = out}, NULL);
}

char **doveconf_environment(const struct doveconf *d)
{
    struct environment x = {.v = arena_array(d->a, ENVIRONMENT_MAX + 1, sizeof *x.v)};
    must(x.v);
    for (char **old = environ; *old && x.n < ENVIRONMENT_MAX / 2; old++)
        x.v[x.n++] = *old;
    add_variable(d, &x, S("DOVECONF_ENV"), S("1"));
    put_block(&(struct machine){.d = d, .environment = &x}, NULL);
    return x.v;
}
