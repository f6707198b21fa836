#include "fmt/metadata.h"

#include "base/num.h"

/* RFC 5464 §3.1: printable ASCII without "*" and "%"; no part is empty. */
static bool has_good_parts(str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i], next = i + 1 < name.n ? name.p[i + 1] : '/';
        if (c <= ' ' || c >= 0x7f || c == '*' || c == '%' || (c == '/' && next == '/'))
            return false;
    }
    return name.n <= METADATA_NAME_MAX;
}

static bool is_below(str name, str place)
{
    return name.n > place.n + 1 && str_istarts(name, place) && name.p[place.n] == '/';
}

bool metadata_is_name(str name)
{
    return has_good_parts(name) && (is_below(name, METADATA_PRIVATE) || is_below(name, METADATA_SHARED));
}

bool metadata_is_place(str name)
{
    return metadata_is_name(name) || str_ieq(name, METADATA_PRIVATE) || str_ieq(name, METADATA_SHARED);
}

bool metadata_is_at(str name, str place, enum metadata_depth depth)
{
    if (depth == METADATA_ITSELF || str_ieq(name, place))
        return str_ieq(name, place);
    return is_below(name, place) && (depth == METADATA_ALL || str_chr(str_from(name, place.n + 1), '/') < 0);
}

enum rc metadata_next(str *text, struct metadata *ret)
{
    uint32_t size;
    str rest = *text, line = str_take(&rest, '\n'), name = str_take(&line, ' ');
    if (text->n == 0)
        return RC_GONE;
    if (!rest.p || !metadata_is_name(name) || num_parse_u32(line, METADATA_VALUE_MAX, &size) != RC_OK ||
        rest.n <= size || rest.p[size] != '\n')
        return RC_INVALID;
    *ret = (struct metadata){name, str_sub(rest, 0, size)};
    *text = str_from(rest, size + 1);
    return RC_OK;
}

void metadata_put(struct buf *out, const struct metadata *m)
{
    buf_printf(out, STR_FMT " %zu\n", STR_ARG(m->name), m->value.n);
    buf_puts(out, m->value);
    buf_putc(out, '\n');
}
