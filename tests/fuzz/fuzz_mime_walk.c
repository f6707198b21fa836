/* The walk over a message in pieces: all bytes come out in order, and the leaf parts are those that mime
 * finds. */
#include "fmt/mime.h"
#include "fmt/mime_walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    struct buf all;    /* the bytes of all events */
    struct buf bodies; /* of the bodies of leaf parts, each behind its index */
    size_t parts;
};

static void take(void *arg, const struct mime_walk *w, enum mime_walk_event event, str bytes)
{
    struct seen *s = arg;
    buf_puts(&s->all, bytes);
    if (event == MIME_WALK_HEADER_END) {
        must(mime_walk_current(w)->index == s->parts++);
        if (mime_walk_current(w)->part.kind == MIME_LEAF)
            buf_printf(&s->bodies, "[%zu]", mime_walk_current(w)->index);
    } else if (event == MIME_WALK_TEXT || event == MIME_WALK_EOL) {
        must(mime_walk_current(w)->part.kind == MIME_LEAF);
        buf_puts(&s->bodies, bytes);
    }
}

static void walk(struct seen *s, str raw, size_t step)
{
    struct mime_walk w;
    buf_init(&s->all, raw.n + 1);
    buf_init(&s->bodies, 32 * raw.n + 100);
    mime_walk_init(&w, NULL, take, s);
    for (size_t at = 0; at < raw.n; at += step)
        mime_walk_feed(&w, str_sub(raw, at, step));
    mime_walk_finish(&w);
    mime_walk_deinit(&w);
    must(str_eq(buf_str(&s->all), raw) && !s->bodies.overflow);
}

static void list(struct buf *out, str raw, const struct mime_part *part, size_t *index)
{
    size_t own = (*index)++;
    if (part->kind == MIME_LEAF) {
        buf_printf(out, "[%zu]", own);
        buf_puts(out, str_sub(raw, part->body.start, part->body.end - part->body.start));
    }
    for (const struct mime_part *p = part->child; p; p = p->next)
        list(out, raw, p, index);
}

/* Whether both readers see the same: not message/global, not enormous fields. */
static bool is_comparable(str raw, const struct mime_part *part)
{
    if (mime_is(part, S("message"), S("global")) ||
        part->header.end - part->header.start > MIME_WALK_FIELDS_MAX / 2)
        return false;
    for (const struct mime_part *p = part->child; p; p = p->next)
        if (!is_comparable(raw, p))
            return false;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str raw = str_mem(data, size);
    struct seen whole = {.parts = 0}, pieces = {.parts = 0};
    struct arena *a = arena_new(256 << 20);
    struct mime_part *root;
    walk(&whole, raw, size + 1);
    walk(&pieces, raw, size < 4096 ? 1 : 1021);
    must(str_eq(buf_str(&whole.bodies), buf_str(&pieces.bodies)) && whole.parts == pieces.parts);
    if (mime_parse(raw, a, NULL, &root) == RC_OK && is_comparable(raw, root)) {
        struct buf want = BUF_INIT(32 * size + 100);
        size_t index = 0;
        list(&want, raw, root, &index);
        must(index == whole.parts && str_eq(buf_str(&want), buf_str(&whole.bodies)));
        buf_deinit(&want);
    }
    buf_deinit(&whole.all);
    buf_deinit(&whole.bodies);
    buf_deinit(&pieces.all);
    buf_deinit(&pieces.bodies);
    arena_free(a);
    return 0;
}
