#include "fmt/macro.h"

struct expansion {
    const struct macro_env *env;
    struct buf *out;
    bool undefined;
};

static enum rc expand(struct expansion *x, str text, unsigned depth);

static bool is_name(char c)
{
    return ascii_alnum(c) || c == '_';
}

static size_t name_size(str s)
{
    size_t n = 0;
    while (n < s.n && is_name(s.p[n]))
        n++;
    return n;
}

void macro_put_safe(struct buf *out, str value, const char *safe)
{
    for (size_t i = 0; i < value.n; i++)
        buf_putc(out, !safe || (value.p[i] != '\0' && strchr(safe, value.p[i])) ? value.p[i] : '_');
}

size_t macro_braced_size(str s)
{
    char open = s.p[0], close = open == '{' ? '}' : ')';
    size_t depth = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == open)
            depth++;
        else if (s.p[i] == close && --depth == 0)
            return i + 1;
    }
    return 0;
}

/* "{text}" at the front of *s; RC_GONE: there is none. */
static enum rc take_braced(str *s, str *ret)
{
    *s = str_trim(*s);
    if (!str_starts(*s, S("{")))
        return RC_GONE;
    size_t n = macro_braced_size(*s);
    if (n == 0)
        return RC_INVALID;
    *ret = str_trim(str_sub(*s, 1, n - 2));
    *s = str_trim(str_from(*s, n));
    return RC_OK;
}

/* Behind the name: "?text", ":text", "?{text}:{text}". */
static enum rc expand_condition(struct expansion *x, bool defined, str rest, unsigned depth)
{
    bool wants = rest.p[0] == '?';
    str text = str_from(rest, 1), yes = STR_NONE, no = STR_NONE;
    enum rc rc = take_braced(&text, &yes);
    if (rc == RC_INVALID)
        return rc;
    if (rc == RC_GONE)
        return defined == wants ? expand(x, str_from(rest, 1), depth + 1) : RC_OK;
    if (wants && str_starts(text, S(":"))) {
        text = str_from(text, 1);
        if (take_braced(&text, &no) != RC_OK)
            return RC_INVALID;
    }
    if (text.n > 0)
        return RC_INVALID;
    return expand(x, defined == wants ? yes : no, depth + 1);
}

static enum rc expand_name(struct expansion *x, str name, str rest, unsigned depth)
{
    str value = STR_NONE;
    bool defined = x->env->find(x->env->ctx, name, &value) && value.n > 0;
    if (rest.n > 0)
        return rest.p[0] == '?' || rest.p[0] == ':' ? expand_condition(x, defined, rest, depth) : RC_INVALID;
    x->undefined |= !defined;
    if (defined)
        macro_put_safe(x->out, value, x->env->safe);
    return RC_OK;
}

/* The macro at text[0], which is "$"; *ret_n: its bytes. */
static enum rc expand_macro(struct expansion *x, str text, unsigned depth, size_t *ret_n)
{
    str at = str_from(text, 1);
    if (at.n == 0)
        return RC_INVALID;
    if (at.p[0] == '$') {
        buf_putc(x->out, '$');
        *ret_n = 2;
        return RC_OK;
    }
    bool braced = at.p[0] == '{' || at.p[0] == '(';
    size_t size = braced ? macro_braced_size(at) : name_size(at);
    if (size == 0)
        return RC_INVALID;
    *ret_n = 1 + size;
    str inner = braced ? str_trim(str_sub(at, 1, size - 2)) : str_sub(at, 0, size);
    size_t n = name_size(inner);
    return n > 0 ? expand_name(x, str_sub(inner, 0, n), str_from(inner, n), depth) : RC_INVALID;
}

static enum rc expand(struct expansion *x, str text, unsigned depth)
{
    if (depth > MACRO_DEPTH_MAX)
        return RC_LIMIT;
    while (text.n > 0) {
        size_t n = 1;
        enum rc rc = RC_OK;
        if (text.p[0] == '$')
            rc = expand_macro(x, text, depth, &n);
        else
            buf_putc(x->out, text.p[0]);
        if (rc != RC_OK)
            return rc;
        text = str_from(text, n);
    }
    return x->out->overflow ? RC_LIMIT : RC_OK;
}

enum rc macro_expand(str text, const struct macro_env *env, struct buf *out, bool *ret_undefined)
{
    struct expansion x = {.env = env, .out = out};
    enum rc rc = expand(&x, text, 0);
    if (rc == RC_OK && ret_undefined)
        *ret_undefined = x.undefined;
    return rc;
}
