/* A conf as a file that somebody would write by hand: what differs from the defaults, in the order of
 * options.def. */
#include "base/arena.h"
#include "conf/key.h"

enum { VALUE_MAX = 1 << 20 };

static bool is_default(const struct conf_key *key, const void *base, const struct conf *initial)
{
    struct buf now AUTO(buf_deinit) = BUF_INIT(VALUE_MAX), before AUTO(buf_deinit) = BUF_INIT(VALUE_MAX);
    conf_value_format(key, base, &now);
    conf_value_format(key, initial, &before);
    return str_eq(buf_str(&now), buf_str(&before));
}

static void put_options(const struct conf *c, const struct conf_note *note, struct buf *out)
{
    struct arena *a = arena_new(VALUE_MAX);
    struct conf *initial = arena_make(a, struct conf);
    must(initial);
    for (size_t i = 0; i < conf_options.n; i++) {
        const struct conf_key *key = &conf_options.v[i];
        if (conf_value_set(a, key, initial, str_c(key->initial), NULL) == RC_OK &&
            is_default(key, c, initial))
            continue;
        note->put(note->ctx, c->origin[i], out);
        buf_printf(out, "%s = ", key->name);
        conf_value_format(key, c, out);
        buf_putc(out, '\n');
    }
    arena_free(a);
}

static bool listens(const struct conf *c, const char *name)
{
    for (size_t i = 0; i < c->listener_count; i++)
        if (strcmp(c->listeners[i].name, name) == 0)
            return true;
    return false;
}

/* What sections set, but for those of listeners that are off. */
static void put_sections(const struct conf *c, const struct conf_note *note, struct buf *out)
{
    const char *section = "";
    for (size_t i = 0; i < c->setting_count; i++) {
        const struct conf_setting *s = &c->settings[i];
        str name = str_c(s->section);
        if (str_starts(name, S("listener ")) && !listens(c, s->section + sizeof "listener " - 1))
            continue;
        if (strcmp(section, s->section) != 0)
            buf_printf(out, "\n[%s]\n", s->section);
        section = s->section;
        note->put(note->ctx, s->origin, out);
        buf_printf(out, "%s = %s\n", s->name, s->value);
    }
    for (size_t i = 0; conf_builtin_listener(i); i++)
        if (!listens(c, conf_builtin_listener(i)))
            buf_printf(out, "\n[listener %s]\nenabled = no\n", conf_builtin_listener(i));
}

void conf_write(const struct conf *c, const struct conf_note *note, struct buf *out)
{
    put_options(c, note, out);
    put_sections(c, note, out);
}
