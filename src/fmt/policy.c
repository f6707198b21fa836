#include "fmt/policy.h"

void policy_put(struct buf *out, const char *name, str value)
{
    buf_puts(out, str_c(name));
    buf_putc(out, '=');
    for (size_t i = 0; i < value.n; i++)
        buf_putc(out, value.p[i] == '\n' || value.p[i] == '\r' || value.p[i] == '\0' ? '?' : value.p[i]);
    buf_putc(out, '\n');
}

void policy_put_end(struct buf *out)
{
    buf_putc(out, '\n');
}

enum rc policy_parse_reply(str in, str *ret_action, size_t *ret_size)
{
    str action = STR_NONE, rest = in;
    bool has_action = false;
    while (str_chr(rest, '\n') >= 0) {
        str line = str_trim(str_take(&rest, '\n'));
        size_t used = in.n - (rest.p ? rest.n : 0);
        if (used > POLICY_REPLY_MAX)
            return RC_LIMIT;
        if (line.n == 0) {
            if (!has_action)
                return RC_INVALID;
            *ret_action = action;
            *ret_size = used;
            return RC_OK;
        }
        str value = line;
        if (str_chr(line, '=') < 0)
            return RC_INVALID;
        if (!str_eq(str_trim(str_take(&value, '=')), S("action")))
            continue;
        action = str_trim(value);
        has_action = true;
    }
    return in.n > POLICY_REPLY_MAX ? RC_LIMIT : RC_TEMP;
}
