/* What a reload cannot change: the options that are read at the start only, and the listeners. The new conf
 * gets their old values, as text, so that it holds no pointer into the old one. */
#include "base/arena.h"
#include "conf/key.h"
#include "conf/report.h"

enum { VALUE_MAX = 1 << 20 };

static void copy_value(struct conf *c, const struct conf_key *key, void *to, const void *from,
                       struct buf *text)
{
    buf_reset(text);
    conf_value_format(key, from, text);
    must(conf_value_set(c->arena, key, to, buf_str(text), NULL) == RC_OK);
}

static bool is_same(struct conf_keys keys, const void *a, const void *b)
{
    struct buf left AUTO(buf_deinit) = BUF_INIT(VALUE_MAX), right AUTO(buf_deinit) = BUF_INIT(VALUE_MAX);
    for (size_t i = 0; i < keys.n; i++) {
        conf_value_format(&keys.v[i], a, &left);
        buf_putc(&left, '\n');
        conf_value_format(&keys.v[i], b, &right);
        buf_putc(&right, '\n');
    }
    return str_eq(buf_str(&left), buf_str(&right));
}

static bool same_listeners(const struct conf *a, const struct conf *b)
{
    bool same = a->listener_count == b->listener_count;
    for (size_t i = 0; same && i < a->listener_count; i++)
        same = strcmp(a->listeners[i].name, b->listeners[i].name) == 0 &&
               is_same(conf_listener_keys, &a->listeners[i], &b->listeners[i]);
    return same;
}

static struct conf *own_of(const struct conf_listener *v, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(v[i].name, name) == 0)
            return v[i].own;
    return NULL;
}

/* What is set for their sessions alone is not kept, though. */
static void copy_listeners(struct conf *c, const struct conf *old)
{
    struct buf text AUTO(buf_deinit) = BUF_INIT(VALUE_MAX);
    const struct conf_listener *read = c->listeners;
    size_t n_read = c->listener_count;
    c->listeners = arena_array(c->arena, old->listener_count, sizeof *c->listeners);
    c->listener_count = old->listener_count;
    must(c->listeners || c->listener_count == 0);
    for (size_t i = 0; i < c->listener_count; i++) {
        c->listeners[i].name = arena_str(c->arena, str_c(old->listeners[i].name)).p;
        must(c->listeners[i].name);
        c->listeners[i].own = own_of(read, n_read, c->listeners[i].name);
        for (size_t k = 0; k < conf_listener_keys.n; k++)
            copy_value(c, &conf_listener_keys.v[k], &c->listeners[i], &old->listeners[i], &text);
    }
}

/* The option has its old value again, also where sections have settings of their own. */
static void keep_value(struct conf *c, const struct conf_key *key, const struct conf *old, struct buf *text)
{
    copy_value(c, key, c, old, text);
    for (size_t i = 0; i < c->listener_count; i++)
        if (c->listeners[i].own)
            copy_value(c, key, c->listeners[i].own, old, text);
    for (size_t i = 0; i < c->transport_count; i++)
        if (c->transports[i].own)
            copy_value(c, key, c->transports[i].own, old, text);
}

void conf_keep(struct conf *c, const struct conf *old, struct conf_report *report)
{
    struct buf text AUTO(buf_deinit) = BUF_INIT(VALUE_MAX);
    bool told = false;
    for (size_t i = 0; i < conf_options.n; i++) {
        const struct conf_key *key = &conf_options.v[i];
        if (key->reloadable || is_same((struct conf_keys){key, 1}, c, old))
            continue;
        struct conf_origin at = c->origin[i].file ? c->origin[i] : old->origin[i];
        conf_warning(report, at.file ? at.file : "(default)", at.line, "%s changes at the next start only",
                     key->name);
        keep_value(c, key, old, &text);
        told = true;
    }
    if (same_listeners(c, old))
        return;
    if (!told) /* else they differ for what was named already, the port_offset perhaps */
        conf_warning(report, "[listener]", 0, "listeners change at the next start only");
    copy_listeners(c, old);
}
