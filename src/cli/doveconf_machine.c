/* doveconf -S: the settings in lines for programs. */
#include "cli/doveconf.h"
#include "conf/dovecot_builtin.h"
#include "conf/dovecot_files.h"

struct machine {
    const struct doveconf *d;
    struct buf *out;
    const struct dovecot_block *block; /* whose settings are printed; NULL: at the top */
};

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

static void put_line(struct machine *m, str name, str value, bool file)
{
    put_path(m->block, m->out);
    buf_printf(m->out, STR_FMT "=%s" STR_FMT "\n", STR_ARG(name), file ? "<" : "", STR_ARG(value));
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
static void put_own_name(struct machine *m, const struct dovecot_block *b)
{
    bool socket = str_eq(b->kind, S("unix_listener")) || str_eq(b->kind, S("fifo_listener"));
    if (b->name.n || (!m->d->changed && str_eq(b->kind, S("inet_listener"))))
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
static void put_list(struct machine *m, const struct dovecot_conf *conf, size_t first)
{
    const struct dovecot_block *b = conf->blocks[first];
    const char *between = "";
    put_path(b->parent, m->out);
    buf_printf(m->out, STR_FMT "=", STR_ARG(b->kind));
    for (size_t i = first; i < conf->block_count; i++) {
        const struct dovecot_block *one = conf->blocks[i];
        if (one->parent != b->parent || !str_eq(one->kind, b->kind))
            continue;
        buf_puts(m->out, str_c(between));
        put_label(one, m->out);
        between = " ";
    }
    buf_putc(m->out, '\n');
}

static void put_block(const struct doveconf *d, const struct dovecot_block *b, struct buf *out)
{
    const struct dovecot_conf *conf = &d->conf;
    struct machine m = {d, out, b};
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
        if (conf->blocks[i]->parent != b || dovecot_block_is_filter(conf->blocks[i]->kind))
            continue;
        if (!is_listed(conf, i))
            put_list(&m, conf, i);
        put_block(d, conf->blocks[i], out);
    }
}

void doveconf_put_machine(const struct doveconf *d, struct buf *out)
{
    put_block(d, NULL, out);
}
