/* Blocks: which are one and the same, and which may stand in which. */
#include "fmt/dovecot_conf_impl.h"

#define TEXT(s) STR_ARG(str_sub((s), 0, 100))

void dovecot_index_init(struct dovecot_index *x)
{
    x->map = map_new();
    buf_init(&x->key, 4 * DOVECOT_LINE_MAX);
}

void dovecot_index_deinit(struct dovecot_index *x)
{
    x->map = map_free(x->map);
    buf_deinit(&x->key);
}

/* No part has a NUL; what is a setting, a block or a count is told apart by the first byte. */
static str key_of(struct dovecot_index *x, char what, const struct dovecot_block *block, str a, str b)
{
    buf_reset(&x->key);
    buf_putc(&x->key, what);
    buf_put_u64(&x->key, block ? block->id + 1 : 0);
    buf_putc(&x->key, '\0');
    buf_puts(&x->key, a);
    buf_putc(&x->key, '\0');
    buf_puts(&x->key, b);
    return buf_str(&x->key);
}

static size_t find(const struct dovecot_index *x, str key) /* 0: absent */
{
    return (size_t)(uintptr_t)map_find(x->map, key);
}

static void put(struct dovecot_index *x, str key, size_t number)
{
    map_put(x->map, key, (void *)(uintptr_t)number);
}

ptrdiff_t dovecot_index_setting(struct dovecot_index *x, const struct dovecot_block *block, str name)
{
    return (ptrdiff_t)find(x, key_of(x, 's', block, name, STR_NONE)) - 1;
}

void dovecot_index_put_setting(struct dovecot_index *x, const struct dovecot_block *block, str name,
                               size_t place)
{
    put(x, key_of(x, 's', block, name, STR_NONE), place + 1);
}

ptrdiff_t dovecot_index_block(struct dovecot_index *x, const struct dovecot_block *parent, str kind, str name)
{
    return (ptrdiff_t)find(x, key_of(x, 'b', parent, kind, name)) - 1;
}

void dovecot_index_put_block(struct dovecot_index *x, const struct dovecot_block *b)
{
    put(x, key_of(x, 'b', b->parent, b->kind, b->name), b->id + 1);
}

size_t dovecot_index_count(struct dovecot_index *x, const struct dovecot_block *parent, str kind)
{
    str key = key_of(x, 'c', parent, kind, STR_NONE);
    size_t count = find(x, key) + 1;
    put(x, key, count);
    return count;
}

struct dovecot_block *dovecot_conf_add_block(struct dovecot_conf *conf, struct arena *a,
                                             const struct dovecot_block *b)
{
    struct dovecot_block *copy = arena_make(a, struct dovecot_block);
    const struct dovecot_block **room =
        dovecot_array_room(a, conf->blocks, conf->block_count, sizeof(const struct dovecot_block *));
    if (!copy || !room || conf->block_count == DOVECOT_BLOCKS_MAX)
        return NULL;
    *copy = *b;
    copy->id = conf->block_count;
    conf->blocks = room;
    conf->blocks[conf->block_count++] = copy;
    return copy;
}

bool dovecot_block_is_filter(str kind)
{
    return str_eq(kind, S("protocol")) || str_eq(kind, S("local")) || str_eq(kind, S("remote")) ||
           str_eq(kind, S("local_name"));
}

const struct dovecot_block *dovecot_block_filter(const struct dovecot_block *b)
{
    while (b && !dovecot_block_is_filter(b->kind))
        b = b->parent;
    return b;
}

static bool is_list(str kind)
{
    return str_eq(kind, S("plugin")) || str_eq(kind, S("dict"));
}

/* Of 2.3, of which a second one with the same name is refused. */
static bool is_unique(str kind)
{
    return str_eq(kind, S("passdb")) || str_eq(kind, S("userdb"));
}

/* A filter must not stand in those behind it, nor protocol in protocol. */
static bool is_misplaced(str inner, str outer)
{
    static const char *const order[] = {"local", "local_name", "remote", "protocol"};
    int in = -1, out = -1;
    for (int i = 0; i < 4; i++) {
        in = str_eq(inner, str_c(order[i])) ? i : in;
        out = str_eq(outer, str_c(order[i])) ? i : out;
    }
    return in >= 0 && out >= 0 && (in < out || (in == out && in == 3));
}

static bool check_place(struct dovecot_reader *r, str kind)
{
    for (const struct dovecot_block *b = dovecot_reader_block(r); b; b = b->parent) {
        if (!is_misplaced(kind, b->kind))
            continue;
        if (str_eq(kind, b->kind))
            dovecot_reader_problem(r, false, "Nested protocol { protocol { .. } } block not allowed");
        else
            dovecot_reader_problem(r, false,
                                   STR_FMT " { " STR_FMT " { .. } } not allowed (use " STR_FMT " { " STR_FMT
                                           " { .. } } instead)",
                                   STR_ARG(b->kind), STR_ARG(kind), STR_ARG(kind), STR_ARG(b->kind));
        return false;
    }
    if (r->is_24 && str_starts(kind, S("@")) && r->open_count > 0) {
        dovecot_reader_problem(r, false, "groups must defined at top-level, not under filters");
        return false;
    }
    if (r->open_count == DOVECOT_BLOCK_DEPTH_MAX) {
        dovecot_reader_problem(r, false, "Blocks are nested too deep");
        return false;
    }
    return true;
}

/* "local 10.0.0.1" and "local 10.0.0.1/32" are the same. */
static str plain_name(str kind, str name)
{
    bool is_ip6 = str_chr(name, ':') >= 0;
    str all = is_ip6 ? S("/128") : S("/32");
    bool is_net = str_eq(kind, S("local")) || str_eq(kind, S("remote"));
    return is_net && str_ends(name, all) ? str_sub(name, 0, name.n - all.n) : name;
}

/* The block that is meant, which may be one that was there before; NULL: it has a problem. */
static const struct dovecot_block *find_block(struct dovecot_reader *r, str kind, str name)
{
    const struct dovecot_block *parent = dovecot_reader_block(r);
    struct dovecot_block b = {
        .parent = parent, .kind = kind, .file = r->source->file, .line = r->source->line};
    b.name = is_list(kind) && !r->is_24 ? STR_NONE : plain_name(kind, name);
    bool shared = r->is_24 || b.name.n > 0 || is_list(kind) || dovecot_block_is_filter(kind);
    ptrdiff_t there = shared ? dovecot_index_block(&r->index, parent, kind, b.name) : -1;
    if (there >= 0 && !r->is_24 && is_unique(kind)) {
        dovecot_reader_problem(r, false, STR_FMT "/" STR_FMT " already exists", TEXT(kind), TEXT(name));
        return NULL;
    }
    if (there >= 0)
        return r->conf->blocks[there];
    if (!shared)
        b.nth = dovecot_index_count(&r->index, parent, kind);
    struct dovecot_block *added = dovecot_conf_add_block(r->conf, r->arena, &b);
    if (!added)
        r->limit = true;
    else if (shared)
        dovecot_index_put_block(&r->index, added);
    return added;
}

void dovecot_reader_skip(struct dovecot_reader *r)
{
    r->skipped = 1;
    r->skip = (struct dovecot_open){NULL, r->source->file, r->source->line};
}

void dovecot_reader_open(struct dovecot_reader *r, str kind, str name)
{
    const struct dovecot_block *b = check_place(r, kind) ? find_block(r, kind, name) : NULL;
    if (b)
        r->open[r->open_count++] = (struct dovecot_open){b, r->source->file, r->source->line};
    else
        dovecot_reader_skip(r);
}

void dovecot_reader_close(struct dovecot_reader *r)
{
    if (r->open_count > 0)
        r->open_count--;
    else
        dovecot_reader_problem(r, false, "Unexpected '}'");
}

void dovecot_block_format(struct buf *out, const struct dovecot_block *block)
{
    if (!block)
        return;
    if (block->parent) {
        dovecot_block_format(out, block->parent);
        buf_puts(out, S(" / "));
    }
    buf_puts(out, block->kind);
    if (block->name.n > 0)
        buf_putc(out, ' ');
    buf_puts(out, block->name);
    if (block->nth > 0)
        buf_printf(out, " %zu", block->nth);
}
