/* Variables of Dovecot 2.4 in the words of 2.3. */
#include "fmt/dovecot_var_impl.h"

#define FAIL DOVECOT_VAR_FAIL
#define TEXT DOVECOT_VAR_TEXT

struct older {
    str name;
    char modifiers[DOVECOT_VAR_MODIFIERS_MAX];
    size_t n;
};

/* What 2.4 calls otherwise. */
static str older_name(str name)
{
    static const struct {
        str now, then;
    } names[] = {{S("local_ip"), S("lip")},      {S("local_port"), S("lport")},
                 {S("mail_pid"), S("mpid")},     {S("mechanism"), S("mech")},
                 {S("protocol"), S("service")},  {S("remote_ip"), S("rip")},
                 {S("remote_port"), S("rport")}, {S("original_user"), S("orig_user")}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq(name, names[i].now))
            return names[i].then;
    return name;
}

/* An attribute of an entry is put in by whoever has the entry, and as it is. */
static bool takes_filters(str name)
{
    return str_chr(name, ':') < 0;
}

static enum rc add_filter(struct older *o, str filter, struct err *e)
{
    static const struct {
        str name;
        char modifier;
    } filters[] = {{S("lower"), 'L'}, {S("upper"), 'U'}, {S("reverse"), 'R'}, {S("ldap_dn"), 'D'}};
    bool part = str_eq(filter, S("username")) || str_eq(filter, S("domain"));
    if (str_eq(filter, S("default")) || str_eq(filter, S("default('')")) ||
        str_eq(filter, S("default(\"\")"))) /* as without it */
        return RC_OK;
    bool whole = !memchr(o->modifiers, 'R', o->n) && !memchr(o->modifiers, 'D', o->n);
    if (part && whole && str_eq(o->name, S("user"))) {
        o->name = filter;
        return RC_OK;
    }
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        if (!str_eq(filter, filters[i].name) || !takes_filters(o->name))
            continue;
        if (o->n == sizeof o->modifiers)
            return FAIL(e, RC_LIMIT, "a variable has too many filters");
        o->modifiers[o->n++] = filters[i].modifier;
        return RC_OK;
    }
    return FAIL(e, RC_PERM, "the filter \"" STR_FMT "\" is not supported here", TEXT(filter));
}

static void put_name(str name, struct buf *out)
{
    for (char c = 'a'; c <= 'z'; c++) {
        if (str_eq(dovecot_var_long_name(c), name)) {
            buf_putc(out, c);
            return;
        }
    }
    buf_printf(out, "{" STR_FMT "}", STR_ARG(name));
}

static bool is_name(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_alnum(s.p[i]) && (s.p[i] == '\0' || !strchr("_:-", s.p[i])))
            return false;
    return s.n > 0;
}

/* What stands between "%{" and "}". */
static enum rc put_variable(str rest, struct buf *out, struct err *e)
{
    struct older o = {.name = older_name(str_trim(str_take(&rest, '|')))};
    if (!is_name(o.name))
        return FAIL(e, RC_PERM, "the variable \"" STR_FMT "\" is not supported here", TEXT(o.name));
    while (rest.p) {
        enum rc rc = add_filter(&o, str_trim(str_take(&rest, '|')), e);
        if (rc != RC_OK)
            return rc;
    }
    buf_putc(out, '%');
    buf_puts(out, str_mem(o.modifiers, o.n));
    put_name(o.name, out);
    return RC_OK;
}

enum rc dovecot_var_older(str text, struct buf *out, struct err *e)
{
    size_t before = out->n;
    enum rc rc = RC_OK;
    while (text.n > 0 && rc == RC_OK) {
        ptrdiff_t close = str_chr(text, '}');
        if (str_starts(text, S("%%{"))) {
            buf_puts(out, S("%%{"));
            text = str_from(text, 3);
        } else if (!str_starts(text, S("%{"))) {
            buf_puts(out, text.p[0] == '%' ? S("%%") : str_sub(text, 0, 1));
            text = str_from(text, 1);
        } else if (close < 0) {
            rc = FAIL(e, RC_INVALID, "a '{' of a variable is not closed");
        } else {
            rc = put_variable(str_sub(text, 2, (size_t)close - 2), out, e);
            text = str_from(text, (size_t)close + 1);
        }
    }
    if (rc == RC_OK && out->overflow)
        rc = FAIL(e, RC_LIMIT, "the value is too large");
    if (rc != RC_OK)
        buf_truncate(out, before);
    return rc;
}
