/* Variables of Dovecot 2.4: a pipe of filters. */
#include "fmt/dovecot_var_impl.h"

#include "base/num.h"

#define FAIL DOVECOT_VAR_FAIL
#define TEXT DOVECOT_VAR_TEXT

struct argument {
    struct buf text;
    bool is_number; /* an integer, in `number` too */
    int64_t number;
};

struct pipe {
    struct dovecot_var *v;
    str rest;
    bool is_set; /* there is a value; else `missing` is the variable that is not there, or empty */
    str missing;
    str filter;
    struct argument arguments[DOVECOT_VAR_ARGUMENTS_MAX];
    size_t count;
};

static void skip_white(struct pipe *x)
{
    while (x->rest.n > 0 && (x->rest.p[0] == ' ' || x->rest.p[0] == '\t'))
        x->rest = str_from(x->rest, 1);
}

/* Takes c and white space in front. */
static bool take(struct pipe *x, char c)
{
    skip_white(x);
    if (x->rest.n == 0 || x->rest.p[0] != c)
        return false;
    x->rest = str_from(x->rest, 1);
    return true;
}

static bool begins_name(char c)
{
    return ascii_alpha(c) || (unsigned char)c >= 0x80;
}

/* STR_NONE: there is none. */
static str take_name(struct pipe *x)
{
    size_t n = 0;
    skip_white(x);
    if (x->rest.n == 0 || !begins_name(x->rest.p[0]))
        return STR_NONE;
    while (n < x->rest.n && x->rest.p[n] != '\0' &&
           (begins_name(x->rest.p[n]) || ascii_digit(x->rest.p[n]) || strchr("_/;:.-", x->rest.p[n])))
        n++;
    str name = str_sub(x->rest, 0, n);
    x->rest = str_from(x->rest, n);
    return name;
}

/* escape = "\" ( "\" / "'" / DQUOTE / "t" / "r" / "n" ) */
static bool take_escape(str *s, struct buf *out)
{
    static const char from[] = "\\'\"trn", to[] = "\\'\"\t\r\n";
    const char *at = s->n > 1 && s->p[1] != '\0' ? strchr(from, s->p[1]) : NULL;
    if (!at)
        return false;
    buf_putc(out, to[at - from]);
    *s = str_from(*s, 2);
    return true;
}

static enum rc take_string(struct pipe *x, char quote, struct buf *out)
{
    str s = x->rest;
    while (s.n > 0 && s.p[0] != quote) {
        if (s.p[0] != '\\') {
            buf_putc(out, s.p[0]);
            s = str_from(s, 1);
        } else if (!take_escape(&s, out)) {
            return FAIL(x->v->e, RC_INVALID, "Invalid character escape");
        }
    }
    if (s.n == 0)
        return FAIL(x->v->e, RC_INVALID, "a quote of a variable is not closed");
    x->rest = str_from(s, 1);
    return RC_OK;
}

static enum rc take_number(struct pipe *x, struct argument *a)
{
    bool negative = take(x, '-');
    size_t n = 0;
    uint64_t number = 0;
    skip_white(x);
    while (n < x->rest.n && ascii_digit(x->rest.p[n]))
        n++;
    if (num_parse_u64(str_sub(x->rest, 0, n), INT32_MAX, &number) != RC_OK)
        return FAIL(x->v->e, RC_INVALID, "an argument of the filter \"" STR_FMT "\" is malformed",
                    TEXT(x->filter));
    a->is_number = true;
    a->number = negative ? -(int64_t)number : (int64_t)number;
    buf_printf(&a->text, "%lld", (long long)a->number);
    x->rest = str_from(x->rest, n);
    return RC_OK;
}

/* argument = string / variable / [ "-" ] 1*DIGIT */
static enum rc take_argument(struct pipe *x)
{
    if (x->count == DOVECOT_VAR_ARGUMENTS_MAX)
        return FAIL(x->v->e, RC_LIMIT, "the filter \"" STR_FMT "\" has too many arguments", TEXT(x->filter));
    struct argument *a = &x->arguments[x->count++];
    *a = (struct argument){.text = BUF_INIT(DOVECOT_VAR_MAX)};
    if (take(x, '\''))
        return take_string(x, '\'', &a->text);
    if (take(x, '"'))
        return take_string(x, '"', &a->text);
    str name = take_name(x), value = STR_NONE;
    if (name.n == 0)
        return take_number(x, a);
    if (take(x, '='))
        return FAIL(x->v->e, RC_PERM, "the argument \"" STR_FMT "\" of a filter is not supported",
                    TEXT(name));
    struct err e = {0};
    enum rc rc = x->v->env->find(x->v->env->ctx, name, &value, &e);
    if (rc != RC_OK)
        return FAIL(x->v->e, rc, "Unknown variable '%%" STR_FMT "'", TEXT(name));
    buf_puts(&a->text, value);
    return a->text.overflow ? FAIL(x->v->e, RC_LIMIT, "a value is too large") : RC_OK;
}

static enum rc take_arguments(struct pipe *x)
{
    if (!take(x, '('))
        return RC_OK;
    do {
        enum rc rc = take_argument(x);
        if (rc != RC_OK)
            return rc;
    } while (take(x, ','));
    return take(x, ')')
               ? RC_OK
               : FAIL(x->v->e, RC_INVALID, "a ')' is missing behind \"" STR_FMT "\"", TEXT(x->filter));
}

static enum rc filter_case(struct pipe *x)
{
    if (str_eq(x->filter, S("lower")))
        dovecot_var_lower(&x->v->value);
    else if (str_eq(x->filter, S("upper")))
        dovecot_var_upper(&x->v->value);
    else
        dovecot_var_reverse(&x->v->value);
    return RC_OK;
}

/* What is in front of, or behind, the first "@". */
static enum rc filter_address(struct pipe *x)
{
    str domain = buf_str(&x->v->value), username = str_take(&domain, '@');
    return dovecot_var_set(x->v, str_eq(x->filter, S("username")) ? username : domain);
}

static enum rc filter_default(struct pipe *x)
{
    if (x->is_set && x->v->value.n > 0)
        return RC_OK;
    x->is_set = true;
    return dovecot_var_set(x->v, x->count > 0 ? buf_str(&x->arguments[0].text) : STR_NONE);
}

static enum rc filter_concat(struct pipe *x)
{
    if (!x->is_set)
        buf_reset(&x->v->value);
    x->is_set = true;
    for (size_t i = 0; i < x->count; i++)
        buf_puts(&x->v->value, buf_str(&x->arguments[i].text));
    return x->v->value.overflow ? FAIL(x->v->e, RC_LIMIT, "a value is too large") : RC_OK;
}

static enum rc filter_literal(struct pipe *x)
{
    x->is_set = true;
    return dovecot_var_set(x->v, buf_str(&x->arguments[0].text));
}

static enum rc filter_substr(struct pipe *x)
{
    int64_t n = (int64_t)x->v->value.n, offset = x->arguments[0].number, end = n;
    offset = offset < 0 ? n + offset : offset;
    if (x->count > 1)
        end = x->arguments[1].number < 0 ? n + x->arguments[1].number : offset + x->arguments[1].number;
    if (offset < 0 || offset > n)
        return FAIL(x->v->e, RC_INVALID, "substr: Offset out of bounds");
    if (end < offset || end > n)
        return FAIL(x->v->e, RC_INVALID, "substr: Length out of bounds");
    return dovecot_var_set(x->v, str_sub(buf_str(&x->v->value), (size_t)offset, (size_t)(end - offset)));
}

static enum rc filter_truncate(struct pipe *x)
{
    if (x->arguments[0].number < 0)
        return FAIL(x->v->e, RC_INVALID, "truncate: Value out of bounds");
    buf_truncate(&x->v->value, (size_t)x->arguments[0].number);
    return RC_OK;
}

/* The n-th of the parts between separators, from 0, or from the end. */
static enum rc filter_index(struct pipe *x)
{
    str separator = buf_str(&x->arguments[0].text), rest = buf_str(&x->v->value);
    int64_t count = 1, wanted = x->arguments[1].number;
    if (separator.n == 0)
        return FAIL(x->v->e, RC_INVALID, "index: the separator is empty");
    for (str s = rest; str_find(s, separator) >= 0; count++)
        s = str_from(s, (size_t)str_find(s, separator) + separator.n);
    wanted = wanted < 0 ? count + wanted : wanted;
    if (wanted < 0 || wanted >= count)
        return FAIL(x->v->e, RC_INVALID, "index: Position out of bounds");
    for (; wanted > 0; wanted--)
        rest = str_from(rest, (size_t)str_find(rest, separator) + separator.n);
    if (str_find(rest, separator) >= 0)
        rest = str_sub(rest, 0, (size_t)str_find(rest, separator));
    return dovecot_var_set(x->v, rest);
}

static enum rc filter_ldap_dn(struct pipe *x)
{
    return dovecot_var_ldap_dn(x->v);
}

static const struct filter {
    const char *name;
    enum rc (*apply)(struct pipe *x);
    size_t min, max;     /* arguments */
    const char *numbers; /* 'n' where an argument must be a number */
    bool needs_value;
} filters[] = {
    {"concat", filter_concat, 1, DOVECOT_VAR_ARGUMENTS_MAX, "        ", false},
    {"default", filter_default, 0, 1, " ", false},
    {"domain", filter_address, 0, 0, "", true},
    {"index", filter_index, 2, 2, " n", true},
    {"ldap_dn", filter_ldap_dn, 0, 0, "", true},
    {"literal", filter_literal, 1, 1, " ", false},
    {"lower", filter_case, 0, 0, "", true},
    {"reverse", filter_case, 0, 0, "", true},
    {"substr", filter_substr, 1, 2, "nn", true},
    {"truncate", filter_truncate, 1, 1, "n", true},
    {"upper", filter_case, 0, 0, "", true},
    {"username", filter_address, 0, 0, "", true},
};

static enum rc check_arguments(struct pipe *x, const struct filter *f)
{
    bool ok = x->count >= f->min && x->count <= f->max;
    for (size_t i = 0; ok && i < x->count; i++)
        ok = f->numbers[i] != 'n' || x->arguments[i].is_number;
    return ok ? RC_OK
              : FAIL(x->v->e, RC_INVALID, "the arguments of the filter \"%s\" are not right", f->name);
}

static enum rc unknown_variable(struct pipe *x)
{
    if (x->missing.n > 0)
        return FAIL(x->v->e, RC_GONE, "Unknown variable '%%" STR_FMT "'", TEXT(x->missing));
    return FAIL(x->v->e, RC_INVALID, "No value to " STR_FMT, TEXT(x->filter));
}

static enum rc apply(struct pipe *x)
{
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        const struct filter *f = &filters[i];
        if (!str_eq(x->filter, str_c(f->name)))
            continue;
        enum rc rc = check_arguments(x, f);
        if (rc == RC_OK && f->needs_value && !x->is_set)
            return unknown_variable(x);
        return rc == RC_OK ? f->apply(x) : rc;
    }
    return FAIL(x->v->e, RC_PERM, "the filter \"" STR_FMT "\" is not supported", TEXT(x->filter));
}

/* A variable that is not there may still get a value from "default". */
static enum rc look_up(struct pipe *x)
{
    struct err *e = x->v->e, mine = {0};
    x->v->e = &mine;
    enum rc rc = dovecot_var_get(x->v, x->filter);
    x->v->e = e;
    x->is_set = rc == RC_OK;
    if (rc == RC_GONE)
        x->missing = x->filter;
    if (rc != RC_OK && rc != RC_GONE && e)
        *e = mine;
    return rc == RC_GONE ? RC_OK : rc;
}

static enum rc take_filter(struct pipe *x, bool first)
{
    x->filter = take_name(x);
    if (x->filter.n == 0)
        return FAIL(x->v->e, RC_INVALID, "a variable or filter has no name");
    skip_white(x);
    bool has_arguments = str_starts(x->rest, S("("));
    enum rc rc = take_arguments(x);
    if (rc == RC_OK)
        rc = first && !has_arguments ? look_up(x) : apply(x);
    while (x->count > 0)
        buf_deinit(&x->arguments[--x->count].text);
    skip_white(x);
    if (rc == RC_OK && x->rest.n > 0 && x->rest.p[0] != '\0' && strchr("+-*/%", x->rest.p[0]))
        return FAIL(x->v->e, RC_PERM, "calculations with variables are not supported");
    return rc;
}

enum rc dovecot_pipe_expand(struct dovecot_var *v, str text, size_t *ret_n)
{
    struct pipe x = {.v = v, .rest = str_from(text, 2)};
    bool first = true;
    do {
        enum rc rc = take_filter(&x, first);
        if (rc != RC_OK)
            return rc;
        first = false;
    } while (take(&x, '|'));
    if (!take(&x, '}'))
        return FAIL(v->e, RC_INVALID, "a '}' is missing behind \"" STR_FMT "\"", TEXT(x.filter));
    if (!x.is_set)
        return unknown_variable(&x);
    *ret_n = text.n - x.rest.n;
    return RC_OK;
}
