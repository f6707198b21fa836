/* Mail locations: variables of the account, and the parts of the result.
 *
 *   location = "maildir:" path *( ":" NAME "=" value )
 *   variable = fmt/dovecot_var.h (2.3), of u, n, d and h; and "~" at the start of a path, which is %h
 *
 * The names come from strangers by way of the recipient, so a part that could leave its folder is refused. */
#include "conf/conf.h"

#include "fmt/dovecot_var.h"

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

static enum rc find_variable(void *ctx, str name, str *ret, struct err *e)
{
    const struct variables *v = ctx;
    if (str_eq(name, S("home"))) {
        *ret = v->home;
        return str_starts(v->home, S("/")) ? RC_OK : RC_INVALID;
    }
    str value = str_eq(name, S("user"))       ? v->account
                : str_eq(name, S("username")) ? v->name
                : str_eq(name, S("domain"))   ? v->domain
                                              : STR_NONE;
    *ret = value;
    return safe_part(value) ? RC_OK : RC_INVALID;
}

/* "~" at the start of a path is the home. */
static void put_location(str location, struct buf *out)
{
    for (size_t i = 0; i < location.n; i++) {
        char c = location.p[i], before = i ? location.p[i - 1] : ':';
        if (c == '~' && (before == ':' || before == '='))
            buf_puts(out, S("%h"));
        else
            buf_putc(out, c);
    }
}

enum rc conf_expand_location(str location, str account, str home, struct buf *ret_text)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(2 * location.n);
    struct variables v = {account, account, STR_NONE, home};
    const struct dovecot_var_env env = {.find = find_variable, .ctx = &v};
    ptrdiff_t at = str_rchr(account, '@');
    if (at >= 0) {
        v.name = str_sub(account, 0, (size_t)at);
        v.domain = str_from(account, (size_t)at + 1);
    }
    put_location(location, &text);
    enum rc rc = dovecot_var_expand(buf_str(&text), &env, ret_text, NULL);
    return rc == RC_OK || rc == RC_LIMIT ? rc : RC_INVALID;
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
