/* Events of fmt/mime_walk, gathered to fields and lines. */
#include "fmt/check_stream.h"

static bool is_of_mime(str name)
{
    static const char *const names[] = {"content-description",       "content-disposition", "content-id",
                                        "content-transfer-encoding", "content-type",        "mime-version"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_ieq(name, str_c(names[i])))
            return true;
    return false;
}

static enum check_stream_kind kind_of(const struct mime_walk *w, str name)
{
    const struct mime_walk_level *level = mime_walk_current(w);
    if (is_of_mime(name) || !level->is_message)
        return CHECK_STREAM_MIME;
    return level->index > 0 ? CHECK_STREAM_NESTED : CHECK_STREAM_HEADER;
}

/* --- units --- */

static void put_field(struct check_stream *c, bool ends_line)
{
    const struct check_stream_unit u = {
        .kind = c->kind, .text = buf_str(&c->field), .ends_line = ends_line, .is_rest = c->is_rest};
    c->fn(c->ctx, &u);
    buf_reset(&c->field);
}

/* The line end of a field's last line waits in it for what follows. */
static void end_field(struct check_stream *c)
{
    if (!c->in_field)
        return;
    bool ends_line = c->field.n > 0 && c->field.p[c->field.n - 1] == '\n';
    c->field.n -= ends_line;
    put_field(c, ends_line);
    c->in_field = c->is_rest = false;
}

static void add_to_field(struct check_stream *c, str bytes)
{
    while (bytes.n) {
        size_t room = CHECK_STREAM_FIELD_MAX - c->field.n, n = bytes.n < room ? bytes.n : room;
        buf_puts(&c->field, str_sub(bytes, 0, n));
        bytes = str_from(bytes, n);
        if (bytes.n == 0)
            return;
        put_field(c, false);
        c->is_rest = true;
    }
}

static void put_line(struct check_stream *c, bool ends_line)
{
    const struct check_stream_unit u = {
        .kind = CHECK_STREAM_BODY, .text = buf_str(&c->line), .ends_line = ends_line, .offset = c->offset};
    c->offset += u.text.n + ends_line;
    c->fn(c->ctx, &u);
    buf_reset(&c->line);
}

static void add_to_body(struct check_stream *c, str bytes)
{
    while (bytes.n) {
        size_t room = CHECK_STREAM_LINE_MAX - c->line.n;
        ptrdiff_t lf = str_chr(str_sub(bytes, 0, room + 1), '\n');
        size_t n = lf >= 0 ? (size_t)lf : bytes.n < room ? bytes.n : room;
        buf_puts(&c->line, str_sub(bytes, 0, n));
        bytes = str_from(bytes, n + (lf >= 0));
        if (lf >= 0 || bytes.n)
            put_line(c, lf >= 0);
    }
}

/* --- events --- */

static void add_header_bytes(struct check_stream *c, const struct mime_walk *w, str bytes)
{
    if (w->field_starts) {
        size_t name = mime_walk_name_size(bytes);
        end_field(c);
        c->in_field = true;
        c->kind = kind_of(w, str_sub(bytes, 0, name));
        add_to_field(c, str_sub(bytes, 0, name));
        bytes = str_from(bytes, (size_t)str_chr(bytes, ':'));
    }
    add_to_field(c, bytes);
}

static void take_event(void *arg, const struct mime_walk *w, enum mime_walk_event event, str bytes)
{
    struct check_stream *c = arg;
    if (event == MIME_WALK_FIELD) {
        add_header_bytes(c, w, bytes);
        return;
    }
    end_field(c);
    if (event == MIME_WALK_HEADER_END)
        c->offset = 0;
    if (event == MIME_WALK_HEADER_END && w->no_field) /* who reads the message must see the header end, too */
        put_line(c, true);
    add_to_body(c, bytes);
}

void check_stream_init(struct check_stream *c, check_stream_fn *fn, void *ctx)
{
    *c = (struct check_stream){.fn = fn, .ctx = ctx};
    mime_walk_init(&c->walk, NULL, take_event, c);
    c->walk.is_strict = true;
    buf_init(&c->field, CHECK_STREAM_FIELD_MAX);
    buf_init(&c->line, CHECK_STREAM_LINE_MAX);
}

void check_stream_deinit(struct check_stream *c)
{
    mime_walk_deinit(&c->walk);
    buf_deinit(&c->field);
    buf_deinit(&c->line);
}

void check_stream_feed(struct check_stream *c, str bytes)
{
    mime_walk_feed(&c->walk, bytes);
}

void check_stream_finish(struct check_stream *c)
{
    mime_walk_finish(&c->walk);
    end_field(c);
    if (c->line.n)
        put_line(c, false);
}
