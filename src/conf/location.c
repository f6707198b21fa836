/* Mail locations: variables of the account, and the parts of the result.
 *
 *   location = "maildir:" path *( ":" NAME "=" value )
 *   variable = "%" ["L"] ( "u" / "n" / "d" / "h" ) / "%%" / "~" at the start of a path
 *
 * The names come from strangers by way of the recipient, so a part that could leave its folder is refused. */
#include "conf/conf.h"

static bool safe_part(str part)
{
    if (!part.n || str_eq(part, S(".")) || str_eq(part, S("..")))
        return false;
    for (size_t i = 0; i < part.n; i++)
        if (part.p[i] == '/' || (unsigned char)part.p[i] < ' ' || part.p[i] == 0x7f || part.p[i] == ':')
            return false;
    return true;
}

struct variables {
    str account, name, domain, home;
};

static enum rc put_variable(const struct variables *v, char letter, bool fold, struct buf *out)
{
    str value = letter == 'u'   ? v->account
                : letter == 'n' ? v->name
                : letter == 'd' ? v->domain
                : letter == 'h' ? v->home
                                : STR_NONE;
    if (letter == 'h' ? !str_starts(value, S("/")) : !safe_part(value))
        return RC_INVALID;
    for (size_t i = 0; i < value.n; i++)
        buf_putc(out, fold ? ascii_lower(value.p[i]) : value.p[i]);
    return RC_OK;
}

enum rc conf_expand_location(str location, str account, str home, struct buf *ret_text)
{
    struct variables v = {account, account, STR_NONE, home};
    ptrdiff_t at = str_rchr(account, '@');
    if (at >= 0) {
        v.name = str_sub(account, 0, (size_t)at);
        v.domain = str_from(account, (size_t)at + 1);
    }
    for (size_t i = 0; i < location.n; i++) {
        char c = location.p[i], before = i ? location.p[i - 1] : ':';
        enum rc rc = RC_OK;
        if (c == '~' && (before == ':' || before == '=')) {
            rc = put_variable(&v, 'h', false, ret_text);
        } else if (c == '%') {
            bool fold = i + 2 < location.n && location.p[i + 1] == 'L';
            i += fold ? 2 : 1;
            if (i < location.n && location.p[i] == '%' && !fold)
                buf_putc(ret_text, '%');
            else
                rc = i < location.n ? put_variable(&v, location.p[i], fold, ret_text) : RC_INVALID;
        } else {
            buf_putc(ret_text, c);
        }
        if (rc != RC_OK)
            return rc;
    }
    return ret_text->overflow ? RC_LIMIT : RC_OK;
}

enum rc conf_parse_location(str location, struct conf_location *ret)
{
    str rest = location;
    if (!str_eq(str_take(&rest, ':'), S("maildir")))
        return RC_INVALID;
    struct conf_location found = {.path = str_take(&rest, ':')};
    found.index = found.path;
    while (rest.n) {
        str value = str_take(&rest, ':'), name = str_take(&value, '=');
        if (str_eq(name, S("INDEX")))
            found.index = value;
    }
    if (!str_starts(found.path, S("/")) || !str_starts(found.index, S("/")))
        return RC_INVALID;
    *ret = found;
    return RC_OK;
}
