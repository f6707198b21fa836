/* Braces are counted; nothing quotes them. */
#include "fmt/tablespec.h"

#include "fmt/tabletext.h"

static bool is_separator(char c)
{
    return c == ',' || tabletext_is_white(c);
}

enum rc tablespec_take(str *list, str *ret)
{
    str s = *list;
    size_t i = 0, depth = 0;
    while (s.n > 0 && is_separator(s.p[0]))
        s = str_from(s, 1);
    for (; i < s.n && (depth > 0 || !is_separator(s.p[i])); i++) {
        if (s.p[i] == '{')
            depth++;
        else if (s.p[i] == '}' && depth-- == 0)
            return RC_INVALID;
    }
    if (depth > 0)
        return RC_INVALID;
    if (i == 0)
        return RC_GONE;
    *ret = str_sub(s, 0, i);
    *list = str_from(s, i);
    return RC_OK;
}

enum rc tablespec_split(str spec, str *ret_type, str *ret_name)
{
    str name = spec, type = str_take(&name, ':');
    if (type.n == 0 || name.n == 0)
        return RC_INVALID;
    *ret_type = type;
    *ret_name = name;
    return RC_OK;
}

enum rc tablespec_braced(str s, str *ret)
{
    size_t depth = 0;
    if (s.n < 2 || s.p[0] != '{' || s.p[s.n - 1] != '}')
        return RC_INVALID;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '{')
            depth++;
        else if (s.p[i] == '}' && --depth == 0 && i + 1 < s.n)
            return RC_INVALID;
    }
    if (depth > 0)
        return RC_INVALID;
    *ret = tabletext_trim(str_sub(s, 1, s.n - 2));
    return RC_OK;
}

enum rc tablespec_pair(str item, str *ret_name, str *ret_value)
{
    str value = item;
    if (str_starts(item, S("{")) && tablespec_braced(item, &value) != RC_OK)
        return RC_INVALID;
    bool has_value = str_chr(value, '=') >= 0;
    str name = tabletext_trim(str_take(&value, '='));
    if (!has_value || name.n == 0)
        return RC_INVALID;
    *ret_name = name;
    *ret_value = tabletext_trim(value);
    return RC_OK;
}
