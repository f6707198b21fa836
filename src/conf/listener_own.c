/* What is set for the sessions of one listener alone: its section may hold options, and a listener with such
 * has a whole struct conf of its own that differs in these. */
#include "base/arena.h"
#include "conf/build.h"
#include "conf/report.h"

static bool is_of(const struct conf_setting *s, const struct conf_listener *l)
{
    str section = str_c(s->section), prefix = S("listener ");
    return str_starts(section, prefix) && str_eq(str_from(section, prefix.n), str_c(l->name));
}

static void apply(struct conf_build *b, struct conf_listener *l, const struct conf_setting *s)
{
    struct conf *c = b->conf;
    const struct conf_key *key = conf_key_find(conf_options, str_c(s->name));
    if (!key || conf_key_find(conf_listener_keys, str_c(s->name)))
        return;
    if (!l->own) {
        l->own = arena_make(c->arena, struct conf);
        if (!l->own)
            return;
        *l->own = *c;
    }
    must(conf_value_set(c->arena, key, l->own, str_c(s->value), NULL) == RC_OK || arena_exhausted(c->arena));
    l->own->origin[key - conf_options.v] = s->origin;
}

static void check_proxies(struct conf_build *b, size_t i)
{
    const struct conf_listener *l = &b->conf->listeners[i];
    const struct conf *c = l->own ? l->own : b->conf;
    if (l->proxy_protocol && c->haproxy_trusted_networks.n == 0)
        conf_warning(b->report, b->listener_lines[i].file, b->listener_lines[i].line,
                     "nobody can connect to the listener %s: haproxy_trusted_networks names no proxy",
                     l->name);
}

void conf_listeners_own(struct conf_build *b)
{
    struct conf *c = b->conf;
    for (size_t i = 0; i < c->listener_count; i++) {
        struct conf_listener *l = &c->listeners[i];
        for (size_t j = 0; j < c->setting_count; j++)
            if (is_of(&c->settings[j], l))
                apply(b, l, &c->settings[j]);
        check_proxies(b, i);
        if (l->own && !b->report->errors) {
            struct conf_build alone = *b;
            alone.conf = l->own;
            conf_check(&alone);
        }
    }
}

const struct conf_listener *conf_find_listener(const struct conf *c, str name)
{
    for (size_t i = 0; i < c->listener_count; i++)
        if (str_eq(name, str_c(c->listeners[i].name)))
            return &c->listeners[i];
    return NULL;
}

const struct conf *conf_of_listener(const struct conf *c, str name)
{
    const struct conf_listener *l = conf_find_listener(c, name);
    return l && l->own ? l->own : c;
}
