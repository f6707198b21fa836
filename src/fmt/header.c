/* Header fields as views into a raw header block (RFC 5322 §2.2).
 *
 * fields   = *(field-name *WSP ":" field-body (LF / CRLF))
 * A line that starts with a space or a tab continues the one before it. Whoever needs the value on one line
 * asks header_unfold for it; encoded words are left to rfc2047.h. */
#include "fmt/header.h"

/* Length of the line at the start of s, with its line end. */
static size_t line_size(str s)
{
    const char *lf = s.n ? memchr(s.p, '\n', s.n) : NULL;
    return lf ? (size_t)(lf - s.p) + 1 : s.n;
}

static bool line_is_empty(str line)
{
    return str_eq(line, S("\n")) || str_eq(line, S("\r\n"));
}

static str without_line_end(str line)
{
    if (line.n && line.p[line.n - 1] == '\n')
        line.n--;
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    return line;
}

size_t header_size(str raw)
{
    size_t pos = 0;
    while (pos < raw.n) {
        str line = str_sub(raw, pos, line_size(str_from(raw, pos)));
        pos += line.n;
        if (line_is_empty(line))
            break;
    }
    return pos;
}

static void split_field(str field, struct header_field *ret)
{
    str text = without_line_end(field);
    ptrdiff_t colon = str_chr(str_sub(text, 0, line_size(text)), ':');
    if (colon < 0) {
        ret->name = str_sub(text, 0, 0);
        ret->value = text;
        return;
    }
    ret->name = str_sub(text, 0, (size_t)colon);
    while (ret->name.n && (ret->name.p[ret->name.n - 1] == ' ' || ret->name.p[ret->name.n - 1] == '\t'))
        ret->name.n--;
    ret->value = str_from(text, (size_t)colon + 1);
}

bool header_next(struct header_iter *it, struct header_field *ret)
{
    str rest = str_from(it->block, it->pos);
    size_t end = line_size(rest);
    if (end == 0 || line_is_empty(str_sub(rest, 0, end)))
        return false;
    while (end < rest.n && (rest.p[end] == ' ' || rest.p[end] == '\t'))
        end += line_size(str_from(rest, end));
    split_field(str_sub(rest, 0, end), ret);
    ret->start = it->pos;
    ret->end = it->pos + end;
    it->pos = ret->end;
    return true;
}

bool header_find(str block, str name, size_t n, struct header_field *ret)
{
    struct header_iter it = header_iter(block);
    struct header_field f;
    while (header_next(&it, &f)) {
        if (str_ieq(f.name, name) && n-- == 0) {
            *ret = f;
            return true;
        }
    }
    return false;
}

bool header_find_last(str block, str name, struct header_field *ret)
{
    struct header_iter it = header_iter(block);
    struct header_field f;
    bool found = false;
    while (header_next(&it, &f)) {
        if (str_ieq(f.name, name)) {
            *ret = f;
            found = true;
        }
    }
    return found;
}

void header_put_others(struct buf *out, str block, str name)
{
    struct header_iter it = header_iter(block);
    struct header_field f;
    while (header_next(&it, &f))
        if (!str_ieq(f.name, name))
            buf_puts(out, str_sub(block, f.start, f.end - f.start));
}

str header_unfold(struct arena *a, str value)
{
    while (value.n && strchr(" \t\r\n", value.p[0]) && value.p[0])
        value = str_from(value, 1);
    if (str_chr(value, '\n') < 0 && str_chr(value, '\r') < 0)
        return value;
    char *line = arena_alloc(a, value.n + 1);
    size_t n = 0;
    if (!line)
        return STR_NONE;
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] != '\r' && value.p[i] != '\n')
            line[n++] = value.p[i];
    }
    return str_mem(line, n);
}
