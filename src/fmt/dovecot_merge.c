/* The effective settings. */
#include "fmt/dovecot_conf_impl.h"

#define TEXT(s) STR_ARG(str_sub((s), 0, 100))

struct merging {
    struct dovecot_conf *conf;
    struct arena *arena;
    struct dovecot_index index;
};

/* Of each name in each block the last setting, in the place of the first. */
static void keep_last(struct merging *m)
{
    struct dovecot_conf *conf = m->conf;
    size_t kept = 0;
    for (size_t i = 0; i < conf->count; i++) {
        struct dovecot_setting s = conf->settings[i];
        ptrdiff_t at = dovecot_index_setting(&m->index, s.block, s.name);
        if (at < 0) {
            at = (ptrdiff_t)kept++;
            dovecot_index_put_setting(&m->index, s.block, s.name, (size_t)at);
        }
        conf->settings[at] = s;
    }
    conf->count = kept;
}

static bool is_group_part(const struct dovecot_block *b)
{
    while (b && b->parent)
        b = b->parent;
    return b && str_starts(b->kind, S("@"));
}

static bool is_inside(const struct dovecot_block *b, const struct dovecot_block *outer)
{
    while (b && b != outer)
        b = b->parent;
    return b == outer;
}

/* What b is in the group, in the block that includes it; NULL: a limit. */
static const struct dovecot_block *transplant(struct merging *m, const struct dovecot_block *b,
                                              const struct dovecot_block *group,
                                              const struct dovecot_block *to)
{
    const struct dovecot_block *way[DOVECOT_BLOCK_DEPTH_MAX];
    size_t n = 0;
    for (; b != group; b = b->parent)
        way[n++] = b;
    while (n-- > 0) {
        struct dovecot_block copy = *way[n];
        copy.parent = to;
        ptrdiff_t at = dovecot_index_block(&m->index, to, copy.kind, copy.name);
        to = at >= 0 ? m->conf->blocks[at] : dovecot_conf_add_block(m->conf, m->arena, &copy);
        if (!to)
            return NULL;
        if (at < 0)
            dovecot_index_put_block(&m->index, to);
    }
    return to;
}

/* false: a limit. */
static bool copy_group(struct merging *m, const struct dovecot_block *group, const struct dovecot_block *to)
{
    struct dovecot_conf *conf = m->conf;
    for (size_t i = 0, count = conf->count; i < count; i++) {
        struct dovecot_setting s = conf->settings[i];
        if (!is_inside(s.block, group))
            continue;
        const struct dovecot_block *block = transplant(m, s.block, group, to);
        if (!block && (to || s.block != group))
            return false;
        s.block = block;
        if (dovecot_index_setting(&m->index, block, s.name) >= 0)
            continue;
        if (!dovecot_conf_add_setting(conf, m->arena, &s))
            return false;
        dovecot_index_put_setting(&m->index, block, s.name, conf->count - 1);
    }
    return true;
}

static bool has_label(const struct dovecot_conf *conf, str label)
{
    for (size_t i = 0; i < conf->block_count; i++)
        if (!conf->blocks[i]->parent && str_eq(conf->blocks[i]->kind, label))
            return true;
    return false;
}

static bool include_group(struct merging *m, const struct dovecot_setting *s)
{
    ptrdiff_t at = dovecot_index_block(&m->index, NULL, s->name, s->value);
    if (at >= 0)
        return copy_group(m, m->conf->blocks[at], s->block);
    bool known = has_label(m->conf, s->name);
    struct dovecot_problem p = {s->file, s->line, false, STR_NONE};
    p.text = known
                 ? arena_printf(m->arena, "Unknown group " STR_FMT "=" STR_FMT, TEXT(s->name), TEXT(s->value))
                 : arena_printf(m->arena, "Unknown group label " STR_FMT, TEXT(s->name));
    dovecot_conf_problem(m->conf, m->arena, &p);
    return true;
}

static bool include_groups(struct merging *m)
{
    struct dovecot_conf *conf = m->conf;
    size_t kept = 0, includes = 0;
    for (size_t i = 0; i < conf->block_count; i++)
        dovecot_index_put_block(&m->index, conf->blocks[i]);
    for (size_t i = 0, count = conf->count; i < count; i++) {
        struct dovecot_setting s = conf->settings[i];
        if (!str_starts(s.name, S("@")) || is_group_part(s.block))
            continue;
        if (++includes > DOVECOT_INCLUDES_MAX || !include_group(m, &s))
            return false;
    }
    for (size_t i = 0; i < conf->count; i++)
        if (!str_starts(conf->settings[i].name, S("@")) && !is_group_part(conf->settings[i].block))
            conf->settings[kept++] = conf->settings[i];
    conf->count = kept;
    return true;
}

enum rc dovecot_conf_merge(struct dovecot_conf *conf, struct arena *a)
{
    struct merging m = {.conf = conf, .arena = a};
    dovecot_index_init(&m.index);
    keep_last(&m);
    bool ok = conf->version.n == 0 || include_groups(&m);
    dovecot_index_deinit(&m.index);
    return ok && !arena_exhausted(a) ? RC_OK : RC_LIMIT;
}

enum rc dovecot_conf_underlay(struct dovecot_conf *conf, const struct dovecot_conf *below, struct arena *a)
{
    struct merging m = {.conf = conf, .arena = a};
    bool fits = true;
    dovecot_index_init(&m.index);
    for (size_t i = 0; i < conf->block_count; i++)
        dovecot_index_put_block(&m.index, conf->blocks[i]);
    for (size_t i = 0; i < conf->count; i++)
        dovecot_index_put_setting(&m.index, conf->settings[i].block, conf->settings[i].name, i);
    for (size_t i = 0; i < below->block_count && fits; i++)
        fits = transplant(&m, below->blocks[i], NULL, NULL) != NULL;
    for (size_t i = 0; i < below->count && fits; i++) {
        struct dovecot_setting s = below->settings[i];
        s.block = transplant(&m, s.block, NULL, NULL);
        fits = (s.block || !below->settings[i].block);
        if (fits && dovecot_index_setting(&m.index, s.block, s.name) < 0)
            fits = dovecot_conf_add_setting(conf, a, &s);
    }
    dovecot_index_deinit(&m.index);
    return fits && !arena_exhausted(a) ? RC_OK : RC_LIMIT;
}

/* --- the settings of one session --- */

struct lifting {
    struct merging m; /* into what it becomes */
    const struct dovecot_conf *from;
    const struct dovecot_block **become; /* by the id of a block of `from` */
};

static const struct dovecot_block *lift_block(struct lifting *l, const struct dovecot_block *b,
                                              const struct dovecot_block *filter)
{
    struct dovecot_block copy = *b;
    copy.parent = b->parent == filter ? NULL : l->become[b->parent->id];
    ptrdiff_t at = b->nth ? -1 : dovecot_index_block(&l->m.index, copy.parent, copy.kind, copy.name);
    if (at >= 0)
        return l->m.conf->blocks[at];
    if (b->nth)
        copy.nth = dovecot_index_count(&l->m.index, copy.parent, copy.kind);
    const struct dovecot_block *added = dovecot_conf_add_block(l->m.conf, l->m.arena, &copy);
    if (added && !b->nth)
        dovecot_index_put_block(&l->m.index, added);
    return added;
}

/* What stands in the filter block, but not what stands in others within it. false: a limit. */
static bool lift_filter(struct lifting *l, const struct dovecot_block *filter)
{
    for (size_t i = 0; i < l->from->block_count; i++) {
        const struct dovecot_block *b = l->from->blocks[i];
        if (b == filter || dovecot_block_filter(b) != filter)
            continue;
        l->become[b->id] = lift_block(l, b, filter);
        if (!l->become[b->id])
            return false;
    }
    for (size_t i = 0; i < l->from->count; i++) {
        struct dovecot_setting s = l->from->settings[i];
        if (dovecot_block_filter(s.block) != filter)
            continue;
        s.block = s.block == filter ? NULL : l->become[s.block->id];
        if (dovecot_index_setting(&l->m.index, s.block, s.name) >= 0)
            continue;
        if (!dovecot_conf_add_setting(l->m.conf, l->m.arena, &s))
            return false;
        dovecot_index_put_setting(&l->m.index, s.block, s.name, l->m.conf->count - 1);
    }
    return true;
}

enum rc dovecot_conf_lift(const struct dovecot_conf *conf, const struct dovecot_block *const *chosen,
                          size_t n, struct arena *a, struct dovecot_conf *ret)
{
    struct dovecot_conf lifted = {.version = conf->version, .storage_version = conf->storage_version};
    struct lifting l = {.m = {.conf = &lifted, .arena = a}, .from = conf};
    l.become = arena_array(a, conf->block_count + 1, sizeof *l.become);
    bool fits = l.become != NULL;
    dovecot_index_init(&l.m.index);
    for (size_t i = 0; i < n && fits; i++)
        fits = lift_filter(&l, chosen[i]);
    fits = fits && lift_filter(&l, NULL);
    dovecot_index_deinit(&l.m.index);
    if (!fits || arena_exhausted(a))
        return RC_LIMIT;
    *ret = lifted;
    return RC_OK;
}
