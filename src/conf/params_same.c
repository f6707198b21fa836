/* Whether two values of a foreign parameter mean the same. */
#include "base/num.h"
#include "conf/params.h"

enum { VALUE_MAX = 64 };

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',';
}

static str next_word(str *rest)
{
    while (rest->n && is_space(rest->p[0]))
        *rest = str_from(*rest, 1);
    size_t n = 0;
    while (n < rest->n && !is_space(rest->p[n]))
        n++;
    str word = str_sub(*rest, 0, n);
    *rest = str_from(*rest, n);
    return word;
}

static bool same_words(str a, str b)
{
    str of_a, of_b;
    do {
        of_a = next_word(&a);
        of_b = next_word(&b);
    } while (of_a.n && str_eq(of_a, of_b));
    return of_a.n == 0 && of_b.n == 0;
}

static bool parse_bool(str s, uint64_t *ret)
{
    *ret = str_ieq(s, S("yes")) || str_ieq(s, S("y")) || str_eq(s, S("1"));
    return *ret || str_ieq(s, S("no"));
}

/* Parts "10 mins" into its digits and its unit. */
static str take_digits(str *s)
{
    size_t n = 0;
    while (n < s->n && ascii_digit(s->p[n]))
        n++;
    str digits = str_sub(*s, 0, n);
    *s = str_trim(str_from(*s, n));
    return digits;
}

/* Dovecot takes the beginning of any of these words for the unit, the first that begins so. */
static const char *unit_of_time(str word)
{
    static const struct {
        const char *word, *unit;
    } words[] = {
        {"seconds", "s"},   {"secs", "s"},       {"minutes", "m"},       {"mins", "m"},
        {"hours", "h"},     {"days", "d"},       {"weeks", "w"},         {"msecs", "ms"},
        {"mseconds", "ms"}, {"millisecs", "ms"}, {"milliseconds", "ms"},
    };
    for (size_t i = 0; word.n && i < sizeof words / sizeof *words; i++)
        if (str_istarts(str_c(words[i].word), word))
            return words[i].unit;
    return NULL;
}

/* The unit of numbers without one: the letter behind the default, "5d" or "${stress?{10}:{300}}s". */
static const char *unit_of_default(const struct conf_param *p)
{
    str initial = str_c(p->initial);
    if (initial.n < 2 || !(ascii_digit(initial.p[initial.n - 2]) || initial.p[initial.n - 2] == '}'))
        return "s";
    const char *unit = unit_of_time(str_from(initial, initial.n - 1));
    return unit ? unit : "s";
}

static bool parse_time(const struct conf_param *p, str s, uint64_t *ret)
{
    char text[VALUE_MAX];
    int64_t ms;
    str digits = take_digits(&s);
    const char *unit = s.n ? unit_of_time(s) : unit_of_default(p);
    if (!unit || digits.n > VALUE_MAX / 2)
        return false;
    snprintf(text, sizeof text, STR_FMT "%s", STR_ARG(digits), unit);
    if (num_parse_duration_ms(str_c(text), &ms) != RC_OK)
        return false;
    *ret = (uint64_t)ms;
    return true;
}

static bool parse_size(str s, uint64_t *ret)
{
    char text[VALUE_MAX];
    str digits = take_digits(&s);
    if (digits.n + s.n >= VALUE_MAX)
        return false;
    snprintf(text, sizeof text, STR_FMT STR_FMT, STR_ARG(digits), STR_ARG(s));
    return num_parse_size(str_c(text), ret) == RC_OK;
}

static bool parse(const struct conf_param *p, str s, uint64_t *ret)
{
    s = str_trim(s);
    switch (p->kind) {
    case CONF_PARAM_BOOL:
        return parse_bool(s, ret);
    case CONF_PARAM_INT:
        return num_parse_u64(s, UINT64_MAX, ret) == RC_OK;
    case CONF_PARAM_TIME:
        return parse_time(p, s, ret);
    case CONF_PARAM_SIZE:
        return parse_size(s, ret);
    case CONF_PARAM_STR:
    case CONF_PARAM_RAW:
    case CONF_PARAM_BLOCK:
        break;
    }
    return false;
}

bool conf_param_same(const struct conf_param *p, str a, str b)
{
    uint64_t of_a, of_b;
    if (parse(p, a, &of_a) && parse(p, b, &of_b))
        return of_a == of_b;
    return same_words(a, b);
}
