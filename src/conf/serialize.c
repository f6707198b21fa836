/* A conf as text: the effective settings for the roles, and single options for those who list them. */
#include "base/arena.h"
#include "conf/key.h"
#include "fmt/ip.h"

enum { VALUE_MAX = 1 << 20 };

static void put_keys(struct conf_keys keys, const void *base, struct buf *out)
{
    for (size_t i = 0; i < keys.n; i++) {
        buf_printf(out, "%s = ", keys.v[i].name);
        conf_value_format(&keys.v[i], base, out);
        buf_putc(out, '\n');
    }
}

/* What the sessions of a listener, or the mail of a transport, alone have; of NULL: nothing. */
static void put_own(const struct conf *c, const struct conf *of, struct buf *out)
{
    struct buf all AUTO(buf_deinit) = BUF_INIT(VALUE_MAX), own AUTO(buf_deinit) = BUF_INIT(VALUE_MAX);
    for (size_t i = 0; of && i < conf_options.n; i++) {
        const struct conf_key *key = &conf_options.v[i];
        if (!key->per_listener && !key->per_transport)
            continue;
        buf_reset(&all);
        buf_reset(&own);
        conf_value_format(key, c, &all);
        conf_value_format(key, of, &own);
        if (!str_eq(buf_str(&all), buf_str(&own)))
            buf_printf(out, "%s = %s\n", key->name, buf_cstr(&own));
    }
}

/* Built-in listeners that are switched off have left the conf, so the text must say that they are off. */
static void put_disabled(const struct conf *c, struct buf *out)
{
    const char *name;
    for (size_t i = 0; (name = conf_builtin_listener(i)); i++) {
        bool on = false;
        for (size_t j = 0; j < c->listener_count; j++)
            on = on || str_eq(str_c(name), str_c(c->listeners[j].name));
        if (!on)
            buf_printf(out, "[listener %s]\nenabled = no\n", name);
    }
}

enum rc conf_serialize(const struct conf *c, struct buf *out)
{
    put_keys(conf_options, c, out);
    for (size_t i = 0; i < c->listener_count; i++) {
        struct conf_listener l = c->listeners[i];
        l.port -= l.port ? c->port_offset : 0;
        buf_printf(out, "[listener %s]\n", l.name);
        put_keys(conf_listener_keys, &l, out);
        put_own(c, l.own, out);
    }
    put_disabled(c, out);
    for (size_t i = 0; i < c->transport_count; i++) {
        buf_printf(out, "[transport %s]\n", c->transports[i].name);
        put_keys(conf_transport_keys, &c->transports[i], out);
        put_own(c, c->transports[i].own, out);
    }
    for (size_t i = 0; i < c->domain_section_count; i++) {
        buf_printf(out, "[domain %s]\n", c->domain_sections[i].name);
        put_keys(conf_domain_keys, &c->domain_sections[i], out);
    }
    return out->overflow ? RC_LIMIT : RC_OK;
}

static void format_into(const struct conf_key *key, const void *base, char *dst, size_t size)
{
    struct buf text AUTO(buf_deinit) = BUF_INIT(64 << 10);
    conf_value_format(key, base, &text);
    snprintf(dst, size, "%s", buf_cstr(&text));
}

void conf_describe(const struct conf *c, enum conf_option option, struct conf_difference *ret)
{
    const struct conf_key *key = &conf_options.v[option];
    struct arena *a = arena_new(64 << 10);
    struct conf *initial = arena_make(a, struct conf);
    must(initial);
    *ret = (struct conf_difference){.name = key->name, .origin = c->origin[option]};
    format_into(key, c, ret->value, sizeof ret->value);
    must(conf_value_set(a, key, initial, str_c(key->initial), NULL) == RC_OK);
    format_into(key, initial, ret->default_value, sizeof ret->default_value);
    ret->is_default = strcmp(ret->value, ret->default_value) == 0;
    arena_free(a);
}

const struct conf_domain *conf_find_domain(const struct conf *c, str name)
{
    for (size_t i = 0; i < c->domain_section_count; i++)
        if (str_ieq(name, str_c(c->domain_sections[i].name)))
            return &c->domain_sections[i];
    return NULL;
}

bool conf_has_domain(const struct conf *c, str name)
{
    for (size_t i = 0; i < c->domains.n; i++)
        if (str_ieq(name, c->domains.v[i]))
            return true;
    return false;
}

bool conf_list_has(const struct conf_list *l, str word)
{
    for (size_t i = 0; i < l->n; i++)
        if (str_eq(l->v[i], word))
            return true;
    return false;
}

bool conf_list_has_domain(const struct conf_list *l, str name)
{
    for (size_t i = 0; i < l->n; i++) {
        str one = l->v[i];
        if (str_starts(one, S(".")) ? str_iends(name, one) && name.n > one.n : str_ieq(name, one))
            return true;
    }
    return false;
}

bool conf_list_has_address(const struct conf_list *networks, const struct ip_net *address)
{
    for (size_t i = 0; i < networks->n; i++) {
        struct ip_net net;
        if (ip_net_parse(networks->v[i], &net) == RC_OK && ip_net_has(&net, address))
            return true;
    }
    return false;
}
