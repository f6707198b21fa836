/* Settings of databases of users. */
#include "fmt/dovecot_ext.h"

/* Without a comment; quotes keep a "#". */
static str before_comment(str line)
{
    char quote = '\0';
    for (size_t i = 0; i < line.n; i++) {
        char c = line.p[i];
        if (quote && c == '\\')
            i++;
        else if (quote)
            quote = c == quote ? '\0' : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (c == '#')
            return str_sub(line, 0, i);
    }
    return line;
}

/* One line with those that it continues in; "" of an empty one. */
static void take_line(struct dovecot_ext *x, struct buf *joined)
{
    bool more = true;
    buf_reset(joined);
    while (more && x->rest.n > 0) {
        str line = str_trim(before_comment(str_trim(str_take(&x->rest, '\n'))));
        x->line++;
        more = line.n > 0 && line.p[line.n - 1] == '\\';
        if (more)
            line = str_trim(str_sub(line, 0, line.n - 1));
        if (joined->n > 0)
            buf_putc(joined, ' ');
        buf_puts(joined, line);
    }
}

static bool is_quoted(str s)
{
    return s.n >= 2 && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.n - 1] == s.p[0];
}

enum rc dovecot_ext_next(struct dovecot_ext *x, struct buf *joined, str *ret_name, str *ret_value)
{
    do {
        if (x->rest.n == 0)
            return RC_GONE;
        take_line(x, joined);
    } while (joined->n == 0 && !joined->overflow);
    str value = buf_str(joined), name = str_trim(str_take(&value, '='));
    if (joined->overflow || name.n == 0 || !value.p || str_chr(buf_str(joined), '\0') >= 0)
        return RC_INVALID;
    value = str_trim(value);
    if (is_quoted(value))
        value = str_sub(value, 1, value.n - 2);
    *ret_name = name;
    *ret_value = value;
    return RC_OK;
}
