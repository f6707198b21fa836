#include "fmt/dovecot_line.h"

static bool is_white(char c)
{
    return c == ' ' || c == '\t';
}

static str skip_white(str s)
{
    while (s.n > 0 && is_white(s.p[0]))
        s = str_from(s, 1);
    return s;
}

static str trim_end(str s)
{
    while (s.n > 0 && is_white(s.p[s.n - 1]))
        s.n--;
    return s;
}

str dovecot_line_trim(str s)
{
    return trim_end(skip_white(s));
}

/* Offset of the "#" that begins a comment, or the size: a quote that is not closed hides all that follows. */
static size_t comment_at(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char quote = s.p[i];
        if (quote == '#')
            return i;
        if (quote != '\'' && quote != '"')
            continue;
        for (i++; i < s.n && s.p[i] != quote; i++)
            if (s.p[i] == '\\')
                i++;
    }
    return s.n;
}

struct dovecot_part dovecot_line_part(str line)
{
    struct dovecot_part part = {.text = skip_white(line)};
    size_t n = comment_at(part.text);
    part.ambiguous = n > 0 && n < part.text.n && !is_white(part.text.p[n - 1]);
    part.text = trim_end(str_sub(part.text, 0, n));
    part.continues = str_ends(part.text, S("\\"));
    if (part.continues)
        part.text = trim_end(str_sub(part.text, 0, part.text.n - 1));
    return part;
}

/* Each backslash takes the next byte as it is. */
static str unescape(str s, struct arena *a)
{
    if (str_chr(s, '\\') < 0)
        return s;
    char *out = arena_alloc(a, s.n);
    size_t n = 0;
    for (size_t i = 0; out && i < s.n; i++) {
        if (s.p[i] == '\\')
            i++;
        if (i < s.n)
            out[n++] = s.p[i];
    }
    return str_mem(out, n);
}

static struct dovecot_line broken(const char *problem, bool opens)
{
    return (struct dovecot_line){.type = DOVECOT_LINE_BROKEN, .problem = problem, .opens = opens};
}

/* Up to white space; for a key also up to "=". In 2.4 a key may stand in double quotes, of which the
 * backslashes stay. */
static str take_key(str *s, bool is_24)
{
    size_t i = 0;
    str key;
    if (is_24 && str_starts(*s, S("\""))) {
        for (i = 1; i < s->n && s->p[i] != '"'; i++)
            if (s->p[i] == '\\')
                i++;
        key = str_sub(*s, 1, i - 1);
        *s = str_from(*s, i + 1);
    } else {
        while (i < s->n && !is_white(s->p[i]) && s->p[i] != '=')
            i++;
        key = str_sub(*s, 0, i);
        *s = str_from(*s, i);
    }
    *s = skip_white(*s);
    return key;
}

static str take_word(str *s)
{
    size_t i = 0;
    while (i < s->n && !is_white(s->p[i]))
        i++;
    str word = str_sub(*s, 0, i);
    *s = skip_white(str_from(*s, i));
    return word;
}

/* A lone quote is an empty value to Dovecot, too. */
static bool is_quoted(str s)
{
    return s.n > 0 && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.n - 1] == s.p[0];
}

static struct dovecot_line setting(str key, str value, struct arena *a)
{
    struct dovecot_line l = {.type = DOVECOT_LINE_SETTING, .key = key, .value = skip_white(value)};
    if (key.n == 0)
        return broken("Missing key name ('=' at the beginning of line)", false);
    if (str_starts(l.value, S("<"))) {
        l.kind = DOVECOT_FILE;
        l.value = skip_white(str_from(l.value, 1));
    } else if (is_quoted(l.value)) {
        l.kind = DOVECOT_QUOTED;
        l.value = l.value.n > 1 ? unescape(str_sub(l.value, 1, l.value.n - 2), a) : STR_NONE;
    }
    return l;
}

/* The name ends at the next double quote, whatever backslash stands in front of it. */
static str take_name(str *s, struct arena *a)
{
    ptrdiff_t end = str_starts(*s, S("\"")) ? str_chr(str_from(*s, 1), '"') : -1;
    if (end < 0)
        return str_starts(*s, S("{")) ? STR_NONE : take_word(s);
    str name = unescape(str_sub(*s, 1, (size_t)end), a);
    *s = skip_white(str_from(*s, (size_t)end + 2));
    return name;
}

static struct dovecot_line open_block(str line, str key, str rest, bool is_24, struct arena *a)
{
    struct dovecot_line l = {.type = DOVECOT_LINE_OPEN, .key = key};
    bool opens = str_ends(line, S("{"));
    if (is_24 && str_eq(key, S("group")) && !str_starts(rest, S("{"))) {
        l.key = take_word(&rest);
        if (!str_starts(l.key, S("@")))
            return broken("Expecting group name", opens);
    }
    l.value = take_name(&rest, a);
    if (key.n == 0 || !str_starts(rest, S("{")) || str_chr(key, '{') >= 0 || str_chr(key, '}') >= 0)
        return broken("Expecting '{'", opens);
    if (rest.n > 1)
        return broken("Garbage after '{'", !str_ends(rest, S("}")));
    return l;
}

struct dovecot_line dovecot_line_parse(str line, bool is_24, struct arena *a)
{
    str rest = line, key = take_key(&rest, is_24);
    if (str_eq(key, S("!include")))
        return (struct dovecot_line){.type = DOVECOT_LINE_INCLUDE, .value = rest};
    if (str_eq(key, S("!include_try")))
        return (struct dovecot_line){.type = DOVECOT_LINE_INCLUDE_TRY, .value = rest};
    if (str_starts(rest, S("=")))
        return setting(key, str_from(rest, 1), a);
    if (str_eq(key, S("}")) && rest.n == 0)
        return (struct dovecot_line){.type = DOVECOT_LINE_CLOSE};
    return open_block(line, key, rest, is_24, a);
}
