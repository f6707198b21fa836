/* Logical lines are views of the file where they are one physical line, which nearly all are. */
#include "fmt/tabletext.h"

str tabletext_trim(str s)
{
    while (s.n > 0 && tabletext_is_white(s.p[0]))
        s = str_from(s, 1);
    while (s.n > 0 && tabletext_is_white(s.p[s.n - 1]))
        s.n--;
    return s;
}

static str trim_end(str s)
{
    while (s.n > 0 && tabletext_is_white(s.p[s.n - 1]))
        s.n--;
    return s;
}

static bool counts(str line)
{
    str text = tabletext_trim(line);
    return text.n > 0 && text.p[0] != '#';
}

static str take_line(struct tabletext *t)
{
    t->line++;
    return str_take(&t->rest, '\n');
}

/* Takes lines that do not count, and the next one when it continues the present line. */
static bool take_continuation(struct tabletext *t, str *ret)
{
    while (t->rest.n > 0) {
        struct tabletext ahead = *t;
        str line = take_line(&ahead);
        if (counts(line) && !tabletext_is_white(line.p[0]))
            return false;
        *t = ahead;
        if (counts(line)) {
            *ret = line;
            return true;
        }
    }
    return false;
}

enum rc tabletext_next(struct tabletext *t, struct buf *joined, str *ret, int *ret_number)
{
    str line = STR_NONE, more;
    buf_reset(joined);
    while (t->rest.n > 0 && !counts(line))
        line = take_line(t);
    if (!counts(line))
        return RC_GONE;
    int number = t->line;
    bool continued = take_continuation(t, &more);
    if (continued) {
        buf_puts(joined, line);
        do
            buf_puts(joined, more);
        while (take_continuation(t, &more));
        line = buf_str(joined);
    }
    *ret_number = number;
    if (joined->overflow || line.n > TABLETEXT_LINE_MAX)
        return RC_LIMIT;
    if (str_chr(line, '\0') >= 0)
        return RC_INVALID;
    *ret = trim_end(line);
    return RC_OK;
}

const char *tabletext_entry(str line, str *ret_key, str *ret_value)
{
    size_t i = 0;
    bool quoted = false;
    if (line.n > 0 && tabletext_is_white(line.p[0]))
        return "a logical line must not begin with white space";
    for (; i < line.n && (quoted || !tabletext_is_white(line.p[i])); i++) {
        if (line.p[i] == '\\' && i + 1 < line.n)
            i++;
        else if (line.p[i] == '"')
            quoted = !quoted;
    }
    if (quoted)
        return "a double quote is not closed";
    str value = tabletext_trim(str_from(line, i));
    if (i == 0 || value.n == 0)
        return "expected a key, white space and a value";
    *ret_key = str_sub(line, 0, i);
    *ret_value = value;
    return NULL;
}

const char *tabletext_setting(str line, str *ret_name, str *ret_value)
{
    str value = line, name = tabletext_trim(str_take(&value, '='));
    if (line.n > 0 && tabletext_is_white(line.p[0]))
        return "a logical line must not begin with white space";
    if (str_chr(line, '=') < 0)
        return "expected name = value";
    if (name.n == 0)
        return "expected a name in front of \"=\"";
    for (size_t i = 0; i < name.n; i++) {
        if (tabletext_is_white(name.p[i]))
            return "expected name = value";
    }
    *ret_name = name;
    *ret_value = tabletext_trim(value);
    return NULL;
}
