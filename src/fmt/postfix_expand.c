/* One text is read at a time: expand() walks over it, expand_reference() over what is in "${...}", and the
 * values and results that it selects go to expand() again. */
#include "fmt/postfix_expand.h"

#include "base/num.h"
#include "fmt/macro.h"
#include "fmt/tabletext.h"

enum { SHOWN = 60, LEVEL_PARTS = 3 };

static const uint64_t level_max[LEVEL_PARTS] = {INT64_MAX >> 20, 1023, 1023};

/* The names whose values are being expanded, innermost first. */
struct active {
    str name;
    const struct active *outer;
};
struct expansion {
    const struct postfix_expand_env *env;
    struct buf *out;
    struct err *e;
    size_t work;
    unsigned depth;
    const struct active *active;
};

enum relation { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GE, OP_GT };

static enum rc expand(struct expansion *x, str text);

static enum rc fail(struct expansion *x, enum rc rc, const char *why, str at)
{
    return err_set(x->e, rc, 0, "", "%s: \"" STR_FMT "\"", why, STR_ARG(str_sub(at, 0, SHOWN)));
}

static str skip_white(str s)
{
    while (s.n > 0 && tabletext_is_white(s.p[0]))
        s = str_from(s, 1);
    return s;
}

static size_t name_size(str s)
{
    size_t n = 0;
    while (n < s.n && (ascii_alnum(s.p[n]) || s.p[n] == '_'))
        n++;
    return n;
}

/* "{text}" at the front of *s, and white space behind it. */
static enum rc take_braced(struct expansion *x, str *s, str *ret)
{
    if (!str_starts(*s, S("{")))
        return fail(x, RC_INVALID, "expected \"{\"", *s);
    size_t n = macro_braced_size(*s);
    if (n == 0)
        return fail(x, RC_INVALID, "a \"{\" is not closed", *s);
    *ret = str_sub(*s, 1, n - 2);
    *s = skip_white(str_from(*s, n));
    return RC_OK;
}

/* --- comparisons --- */

static enum rc take_operator(struct expansion *x, str *s, enum relation *ret, bool *ret_level)
{
    static const struct {
        str token;
        enum relation op;
    } rows[] = {{{"==", 2}, OP_EQ}, {{"!=", 2}, OP_NE}, {{"<=", 2}, OP_LE},
                {{">=", 2}, OP_GE}, {{"<", 1}, OP_LT},  {{">", 1}, OP_GT}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!str_starts(*s, rows[i].token))
            continue;
        str rest = str_from(*s, rows[i].token.n);
        *ret_level = str_starts(rest, S("level"));
        *ret = rows[i].op;
        *s = skip_white(*ret_level ? str_from(rest, strlen("level")) : rest);
        return RC_OK;
    }
    return fail(x, RC_INVALID, "expected ==, !=, <, <=, >= or >", *s);
}

static bool is_number(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_digit(s.p[i]))
            return false;
    return s.n > 0;
}

/* Postfix reads each part with strtol, which takes white space and "+" in front. */
static enum rc parse_level(struct expansion *x, str s, uint64_t parts[LEVEL_PARTS])
{
    str rest = s;
    for (size_t i = 0; i < LEVEL_PARTS; i++) {
        str part = skip_white(str_take(&rest, '.'));
        if (str_starts(part, S("+")))
            part = str_from(part, 1);
        if (num_parse_u64(part, level_max[i], &parts[i]) != RC_OK)
            return fail(x, RC_INVALID, "not a compatibility level", s);
        if (!rest.p)
            return RC_OK;
    }
    return fail(x, RC_INVALID, "not a compatibility level", s);
}

static enum rc compare_levels(struct expansion *x, str a, str b, int *ret)
{
    uint64_t pa[LEVEL_PARTS] = {0}, pb[LEVEL_PARTS] = {0};
    enum rc rc = parse_level(x, a, pa);
    if (rc == RC_OK)
        rc = parse_level(x, b, pb);
    *ret = 0;
    for (size_t i = 0; i < LEVEL_PARTS && *ret == 0; i++)
        *ret = pa[i] < pb[i] ? -1 : pa[i] > pb[i];
    return rc;
}

static enum rc compare(struct expansion *x, str a, str b, int *ret)
{
    uint64_t na, nb;
    if (!is_number(a) || !is_number(b)) {
        *ret = str_cmp(a, b);
        return RC_OK;
    }
    if (num_parse_u64(a, INT64_MAX, &na) != RC_OK)
        return fail(x, RC_INVALID, "the number is too large", a);
    if (num_parse_u64(b, INT64_MAX, &nb) != RC_OK)
        return fail(x, RC_INVALID, "the number is too large", b);
    *ret = na < nb ? -1 : na > nb;
    return RC_OK;
}

static bool holds(enum relation op, int order)
{
    switch (op) {
    case OP_EQ:
        return order == 0;
    case OP_NE:
        return order != 0;
    case OP_LT:
        return order < 0;
    case OP_LE:
        return order <= 0;
    case OP_GE:
        return order >= 0;
    case OP_GT:
        return order > 0;
    }
    must(false);
}

/* A side of a comparison, expanded into a buffer of its own. */
static enum rc expand_side(struct expansion *x, str text, struct buf *side)
{
    struct buf *out = x->out;
    x->out = side;
    x->depth++;
    enum rc rc = expand(x, text);
    x->depth--;
    x->out = out;
    return rc;
}

static enum rc evaluate(struct expansion *x, str *s, bool *ret)
{
    AUTO(buf_deinit) struct buf left = BUF_INIT(POSTFIX_EXPAND_SIDE_MAX);
    AUTO(buf_deinit) struct buf right = BUF_INIT(POSTFIX_EXPAND_SIDE_MAX);
    str a = STR_NONE, b = STR_NONE;
    enum relation op = OP_EQ;
    bool level = false;
    int order = 0;
    enum rc rc = take_braced(x, s, &a);
    if (rc == RC_OK)
        rc = take_operator(x, s, &op, &level);
    if (rc == RC_OK)
        rc = take_braced(x, s, &b);
    if (rc == RC_OK)
        rc = expand_side(x, a, &left);
    if (rc == RC_OK)
        rc = expand_side(x, b, &right);
    if (rc == RC_OK)
        rc = (level ? compare_levels : compare)(x, buf_str(&left), buf_str(&right), &order);
    if (rc == RC_OK)
        *ret = holds(op, order);
    return rc;
}

/* --- references --- */

static enum rc expand_value(struct expansion *x, str name, str value)
{
    const struct active here = {name, x->active};
    for (const struct active *a = x->active; a; a = a->outer)
        if (str_eq(a->name, name))
            return fail(x, RC_INVALID, "the parameter refers to itself", name);
    x->active = &here;
    x->depth++;
    enum rc rc = expand(x, value);
    x->depth--;
    x->active = here.outer;
    return rc;
}

/* A result: in braces, or all that is left. */
static enum rc take_result(struct expansion *x, str *s, str *ret)
{
    str ahead = skip_white(*s);
    if (!str_starts(ahead, S("{"))) {
        *ret = *s;
        *s = STR_NONE;
        return RC_OK;
    }
    *s = ahead;
    return take_braced(x, s, ret);
}

/* What follows the subject: s begins with "?" or ":". */
static enum rc expand_results(struct expansion *x, bool yes, str s)
{
    str chosen = S(""), result = STR_NONE;
    bool wanted = s.p[0] == '?';
    enum rc rc = RC_OK;
    do {
        s = str_from(s, 1);
        rc = take_result(x, &s, &result);
        if (rc != RC_OK)
            return rc;
        if (yes == wanted)
            chosen = result;
        wanted = !wanted;
    } while (!wanted && str_starts(s, S(":")));
    if (s.n > 0)
        return fail(x, RC_INVALID, wanted ? "more than the results" : "expected \":\"", s);
    x->depth++;
    rc = expand(x, chosen);
    x->depth--;
    return rc;
}

static bool begins_results(str s)
{
    return str_starts(s, S("?")) || str_starts(s, S(":"));
}

static enum rc expand_comparison(struct expansion *x, str s)
{
    bool yes = false;
    enum rc rc = evaluate(x, &s, &yes);
    if (rc != RC_OK)
        return rc;
    if (begins_results(s))
        return expand_results(x, yes, s);
    if (s.n > 0)
        return fail(x, RC_INVALID, "expected \"?\" or \":\"", s);
    if (yes)
        buf_puts(x->out, S("true"));
    return RC_OK;
}

/* inner: what is in the braces, or the plain name. */
static enum rc expand_reference(struct expansion *x, str inner)
{
    str s = skip_white(inner), value = STR_NONE;
    if (str_starts(s, S("{")))
        return expand_comparison(x, s);
    str name = str_sub(s, 0, name_size(s)), rest = skip_white(str_from(s, name.n));
    if (rest.n > 0 && !begins_results(rest))
        return fail(x, RC_INVALID, "not a name", inner);
    bool found = name.n > 0 && x->env->find(x->env->ctx, name, &value);
    if (rest.n > 0)
        return expand_results(x, found && value.n > 0, rest);
    return found && value.n > 0 ? expand_value(x, name, value) : RC_OK;
}

/* text[0] is "$"; *ret_n: the bytes of all that belongs to it. */
static enum rc expand_dollar(struct expansion *x, str text, size_t *ret_n)
{
    str at = str_from(text, 1);
    bool braced = str_starts(at, S("{")) || str_starts(at, S("("));
    size_t n = braced ? macro_braced_size(at) : name_size(at);
    if (str_starts(at, S("$"))) {
        buf_putc(x->out, '$');
        *ret_n = 2;
        return RC_OK;
    }
    if (braced && n == 0)
        return fail(x, RC_INVALID, "the brace is not closed", text);
    if (n == 0 || (braced && n == 2))
        return fail(x, RC_INVALID, "expected a name behind \"$\"", text);
    *ret_n = 1 + n;
    return expand_reference(x, braced ? str_sub(at, 1, n - 2) : str_sub(at, 0, n));
}

static enum rc expand(struct expansion *x, str text)
{
    x->work += text.n + 1;
    if (x->work > POSTFIX_EXPAND_WORK_MAX)
        return fail(x, RC_LIMIT, "the parameters refer to too much", text);
    if (x->depth > POSTFIX_EXPAND_DEPTH_MAX && text.n > 0)
        return fail(x, RC_LIMIT, "the parameters refer to each other too deeply", text);
    while (text.n > 0) {
        ptrdiff_t dollar = str_chr(text, '$');
        size_t n = dollar < 0 ? text.n : (size_t)dollar;
        enum rc rc = RC_OK;
        buf_puts(x->out, str_sub(text, 0, n));
        if (n == 0)
            rc = expand_dollar(x, text, &n);
        if (rc != RC_OK)
            return rc;
        text = str_from(text, n);
    }
    return x->out->overflow ? fail(x, RC_LIMIT, "the expanded value is too large", STR_NONE) : RC_OK;
}

enum rc postfix_expand(str text, const struct postfix_expand_env *env, struct buf *out, struct err *e)
{
    struct expansion x = {.env = env, .out = out, .e = e};
    return expand(&x, text);
}
