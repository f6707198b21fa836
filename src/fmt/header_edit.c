/* RFC 5322 §2.2; names are compared without case. */
#include "fmt/header_edit.h"

#include "fmt/mime_walk.h"

static bool is_white(char c)
{
    return c == ' ' || c == '\t';
}

size_t header_edit_size(str raw, size_t *ret_body)
{
    size_t at = 0;
    while (at < raw.n) {
        str line = str_from(raw, at), rest = line;
        line = str_take(&rest, '\n');
        bool goes_on = at > 0 && line.n > 0 && is_white(line.p[0]);
        if (line.n == 0 || (!goes_on && mime_walk_name_size(line) == 0)) {
            *ret_body = at + (line.n == 0);
            return at;
        }
        at += line.n + (rest.p != NULL);
    }
    *ret_body = raw.n;
    return raw.n;
}

void header_edit_init(struct header_edit *h, struct arena *arena)
{
    *h = (struct header_edit){.arena = arena};
}

static str name_of(str text)
{
    str name = str_take(&text, ':');
    while (name.n > 0 && is_white(name.p[name.n - 1]))
        name.n--;
    return name;
}

static enum rc put_at(struct header_edit *h, size_t at, str text)
{
    if (h->n == h->cap) {
        void *grown = arena_grow(h->arena, h->v, h->n, sizeof *h->v);
        if (!grown)
            return RC_LIMIT;
        h->v = grown;
        h->cap = h->n < 4 ? 8 : 2 * h->n;
    }
    if (at > h->n)
        at = h->n;
    memmove(h->v + at + 1, h->v + at, (h->n - at) * sizeof *h->v);
    h->v[at] = (struct header_edit_field){.text = text, .name = name_of(text)};
    h->n++;
    return RC_OK;
}

enum rc header_edit_parse(struct header_edit *h, str fields)
{
    while (fields.n > 0) {
        size_t end = 0;
        for (str rest = fields; rest.p && (end == 0 || (rest.n > 0 && is_white(rest.p[0])));) {
            str line = str_take(&rest, '\n');
            end += line.n + (rest.p != NULL);
        }
        str text = str_sub(fields, 0, end);
        if (text.p[text.n - 1] == '\n')
            text.n--;
        enum rc rc = put_at(h, h->n, text);
        if (rc != RC_OK)
            return rc;
        fields = str_from(fields, end);
    }
    return RC_OK;
}

static bool is_name(str name)
{
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] <= ' ' || name.p[i] == ':' || name.p[i] == 127)
            return false;
    return name.n > 0;
}

/* Without white space at its end, and without what ends lines. */
static str line_of(str *value)
{
    str line = str_take(value, '\n');
    while (line.n > 0 && (is_white(line.p[line.n - 1]) || line.p[line.n - 1] == '\r'))
        line.n--;
    return line;
}

enum rc header_edit_field_text(struct arena *a, str name, str value, str *ret)
{
    if (!is_name(name))
        return RC_INVALID;
    AUTO(buf_deinit) struct buf out = BUF_INIT(name.n + 1 + 2 * value.n);
    buf_puts(&out, name);
    buf_putc(&out, ':');
    for (bool first = true; value.n > 0; first = false) {
        str line = line_of(&value);
        if (line.n == 0 && !first)
            continue;
        if (!first)
            buf_puts(&out, is_white(line.p[0]) ? S("\n") : S("\n\t"));
        for (size_t i = 0; i < line.n; i++)
            if (line.p[i] != '\r' && line.p[i] != '\0')
                buf_putc(&out, line.p[i]);
    }
    must(!out.overflow); /* a line that gets a TAB had its LF */
    *ret = arena_str(a, buf_str(&out));
    return arena_exhausted(a) ? RC_LIMIT : RC_OK;
}

enum rc header_edit_insert(struct header_edit *h, size_t at, str text)
{
    h->changed = true;
    return put_at(h, at, text);
}

static struct header_edit_field *find(const struct header_edit *h, str name, uint32_t index)
{
    for (size_t i = 0; i < h->n; i++)
        if (!h->v[i].hidden && str_ieq(h->v[i].name, name) && --index == 0)
            return &h->v[i];
    return NULL;
}

enum rc header_edit_change(struct header_edit *h, str name, uint32_t index, str text)
{
    struct header_edit_field *f = find(h, name, index);
    if (!f)
        return header_edit_insert(h, h->n, text);
    *f = (struct header_edit_field){.text = text, .name = name_of(text)};
    h->changed = true;
    return RC_OK;
}

void header_edit_delete(struct header_edit *h, str name, uint32_t index)
{
    struct header_edit_field *f = find(h, name, index);
    if (!f)
        return;
    size_t at = (size_t)(f - h->v);
    memmove(f, f + 1, (h->n - at - 1) * sizeof *f);
    h->n--;
    h->changed = true;
}

void header_edit_put(const struct header_edit *h, struct buf *out)
{
    for (size_t i = 0; i < h->n; i++) {
        buf_puts(out, h->v[i].text);
        buf_putc(out, '\n');
    }
}

uint64_t header_edit_bytes(const struct header_edit *h)
{
    uint64_t n = 0;
    for (size_t i = 0; i < h->n; i++)
        n += h->v[i].text.n + 1;
    return n;
}
