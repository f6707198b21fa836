#include "fmt/pipe_def.h"

#include "base/num.h"

enum { PIPE_RCPTS_DEFAULT = 50 };

#define BROKEN(e, name, what)                                                                           \
    err_set((e), RC_INVALID, 0, "", "the transport \"" STR_FMT "\": %s", STR_ARG(str_sub(name, 0, 60)), \
            (what))

static bool is_white(char c)
{
    return c == ' ' || c == '\t';
}

/* Up to the ";" that is not in braces. */
static str take_definition(str *rest)
{
    size_t i = 0, depth = 0;
    for (; i < rest->n && (rest->p[i] != ';' || depth > 0); i++) {
        if (rest->p[i] == '{')
            depth++;
        else if (rest->p[i] == '}' && depth > 0)
            depth--;
    }
    str one = str_sub(*rest, 0, i);
    *rest = i < rest->n ? str_from(*rest, i + 1) : STR_NONE;
    return str_trim(one);
}

/* Braces keep a word together; "${...}" stays as it is, and "{ a b }" loses its braces. RC_GONE: no word. */
static enum rc take_word(str *rest, str *ret)
{
    size_t i = 0, depth = 0;
    *rest = str_trim(*rest);
    if (rest->n == 0)
        return RC_GONE;
    for (; i < rest->n && (!is_white(rest->p[i]) || depth > 0); i++) {
        if (rest->p[i] == '{')
            depth++;
        else if (rest->p[i] == '}' && depth > 0)
            depth--;
    }
    if (depth > 0)
        return RC_INVALID;
    *ret = str_sub(*rest, 0, i);
    *rest = str_from(*rest, i);
    if (str_starts(*ret, S("{")) && str_ends(*ret, S("}")) && ret->n >= 2)
        *ret = str_trim(str_sub(*ret, 1, ret->n - 2));
    return RC_OK;
}

static enum rc parse_flags(str s, unsigned *ret)
{
    static const char letters[] = "BDFORXhqu.>";
    unsigned flags = 0;
    for (size_t i = 0; i < s.n; i++) {
        const char *at = s.p[i] ? strchr(letters, s.p[i]) : NULL;
        /* the letters stand in the order of enum pipe_flag */
        if (!at)
            return RC_INVALID;
        flags |= 1U << (at - letters);
    }
    *ret = flags;
    return RC_OK;
}

static enum rc parse_attribute(struct pipe_def *d, str word)
{
    str value = word, key = str_take(&value, '=');
    uint32_t n = 0;
    enum rc rc = RC_OK;
    if (!value.p)
        return RC_INVALID;
    if (str_eq(key, S("user"))) {
        d->group = value;
        d->user = str_take(&d->group, ':');
    } else if (str_eq(key, S("flags"))) {
        rc = parse_flags(value, &d->flags);
    } else if (str_eq(key, S("size"))) {
        rc = num_parse_size(value, &d->size_max);
    } else if (str_eq(key, S("recipients"))) {
        rc = num_parse_u32(value, PIPE_RCPTS_MAX, &n);
        d->recipients = n;
    } else if (str_eq(key, S("null_sender"))) {
        d->null_sender = value;
    } else if (str_eq(key, S("directory"))) {
        d->directory = value;
        rc = str_starts(value, S("/")) ? RC_OK : RC_INVALID;
    } else {
        rc = RC_INVALID;
    }
    return rc;
}

static bool valid_name(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_alnum(s.p[i]) && s.p[i] != '-' && s.p[i] != '_')
            return false;
    return s.n > 0 && s.n <= PIPE_NAME_MAX;
}

static bool is_taken(str name)
{
    static const char *const own[] = {"smtp",    "relay", "lmtp",  "local",
                                      "virtual", "error", "retry", "discard"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (str_eq(name, str_c(own[i])))
            return true;
    return false;
}

/* The words of argv, of which the first stands behind "argv=". */
static enum rc parse_argv(struct pipe_def *d, str rest)
{
    str word = STR_NONE;
    enum rc rc;
    while ((rc = take_word(&rest, &word)) == RC_OK) {
        if (d->argc == PIPE_ARGS_MAX)
            return RC_LIMIT;
        d->argv[d->argc++] = word;
    }
    if (rc != RC_GONE || d->argc == 0 || !str_starts(d->argv[0], S("/")))
        return RC_INVALID;
    return RC_OK;
}

static enum rc parse(str text, struct pipe_def *d, struct err *e)
{
    str word = STR_NONE, rest = text;
    enum rc rc = take_word(&rest, &d->name);
    if (rc != RC_OK || !valid_name(d->name))
        return BROKEN(e, text, "a name has letters, digits, - and _");
    if (is_taken(d->name))
        return BROKEN(e, d->name, "this name has a meaning of its own");
    for (;;) {
        rest = str_trim(rest);
        if (str_starts(rest, S("argv="))) {
            rc = parse_argv(d, str_from(rest, strlen("argv=")));
            break;
        }
        if (take_word(&rest, &word) != RC_OK)
            return BROKEN(e, d->name, "it has no argv=");
        if (parse_attribute(d, word) != RC_OK)
            return err_set(e, RC_INVALID, 0, "",
                           "the transport \"" STR_FMT "\": \"" STR_FMT "\" is not known", STR_ARG(d->name),
                           STR_ARG(str_sub(word, 0, 60)));
    }
    if (rc != RC_OK)
        return BROKEN(e, d->name,
                      "argv= needs an absolute path and at most 63 arguments, with closed braces");
    if (d->user.n == 0)
        return BROKEN(e, d->name, "it has no user=");
    if (d->recipients == 0)
        return BROKEN(e, d->name, "recipients= is at least 1");
    if (d->flags & (PIPE_DELIVERED | PIPE_ORIGINAL))
        d->recipients = 1;
    return RC_OK;
}

enum rc pipe_def_take(str *rest, struct pipe_def *ret, struct err *e)
{
    struct pipe_def d = {.recipients = PIPE_RCPTS_DEFAULT, .null_sender = S("MAILER-DAEMON")};
    str text = STR_NONE;
    while (rest->n > 0 && text.n == 0)
        text = take_definition(rest);
    if (text.n == 0)
        return RC_GONE;
    enum rc rc = parse(text, &d, e);
    if (rc == RC_OK)
        *ret = d;
    return rc;
}

enum rc pipe_def_program(str text, struct pipe_def *ret)
{
    struct pipe_def d = {.recipients = 1};
    str rest = text, word = STR_NONE;
    if (take_word(&rest, &word) != RC_OK || !str_starts(word, S("user=")) ||
        parse_attribute(&d, word) != RC_OK || d.user.n == 0)
        return RC_INVALID;
    rest = str_trim(rest);
    if (!str_starts(rest, S("argv=")) || parse_argv(&d, str_from(rest, strlen("argv="))) != RC_OK)
        return RC_INVALID;
    *ret = d;
    return RC_OK;
}

enum rc pipe_def_find(str value, str name, struct pipe_def *ret)
{
    struct pipe_def d;
    enum rc rc;
    while ((rc = pipe_def_take(&value, &d, NULL)) != RC_GONE) {
        if (rc != RC_OK)
            return rc;
        if (str_eq(d.name, name)) {
            *ret = d;
            return RC_OK;
        }
    }
    return RC_GONE;
}
