/* What sections set for themselves: a listener for its sessions, a transport for the mail that leaves by it.
 * Each such has a whole struct conf of its own that differs in these. */
#include "base/arena.h"
#include "conf/build.h"
#include "conf/report.h"

static void apply(struct conf_build *b, struct conf **own, const struct conf_setting *s)
{
    struct conf *c = b->conf;
    const struct conf_key *key = conf_key_find(conf_options, str_c(s->name));
    if (!*own) {
        *own = arena_make(c->arena, struct conf);
        if (!*own)
            return;
        **own = *c;
    }
    must(conf_value_set(c->arena, key, *own, str_c(s->value), NULL) == RC_OK || arena_exhausted(c->arena));
    (*own)->origin[key - conf_options.v] = s->origin;
}

/* What the section "KIND NAME" sets beside its keys. */
static void apply_all(struct conf_build *b, const char *kind, const char *name, struct conf_keys keys,
                      struct conf **own)
{
    const struct conf *c = b->conf;
    for (size_t i = 0; i < c->setting_count; i++) {
        str section = str_c(c->settings[i].section), word = str_word(&section);
        if (str_eq(word, str_c(kind)) && str_eq(str_trim(section), str_c(name)) &&
            !conf_key_find(keys, str_c(c->settings[i].name)) &&
            conf_key_find(conf_options, str_c(c->settings[i].name)))
            apply(b, own, &c->settings[i]);
    }
    if (*own && !b->report->errors) {
        struct conf_build alone = *b;
        alone.conf = *own;
        conf_check(&alone);
    }
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

void conf_sections_own(struct conf_build *b)
{
    struct conf *c = b->conf;
    for (size_t i = 0; i < c->listener_count; i++) {
        apply_all(b, "listener", c->listeners[i].name, conf_listener_keys, &c->listeners[i].own);
        check_proxies(b, i);
    }
    for (size_t i = 0; i < c->transport_count; i++)
        apply_all(b, "transport", c->transports[i].name, conf_transport_keys, &c->transports[i].own);
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

const struct conf_transport *conf_find_transport(const struct conf *c, str name)
{
    for (size_t i = 0; i < c->transport_count; i++)
        if (str_eq(name, str_c(c->transports[i].name)))
            return &c->transports[i];
    return NULL;
}

const struct conf *conf_of_transport(const struct conf *c, str name)
{
    const struct conf_transport *t = conf_find_transport(c, name);
    return t && t->own ? t->own : c;
}
