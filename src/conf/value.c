/* Values of options: text to member and back. What a user wrote wrongly is answered with what was expected.
 *
 *   value  = word / quoted                  ; STR, PATH: the whole text is one value, spaces inside included
 *   list   = [value *((*WSP "," / WSP) value)]
 *   quoted = DQUOTE *(char / "\" char) DQUOTE
 */
#include "base/arena.h"
#include "base/num.h"
#include "conf/key.h"

#include <limits.h>

#define NEVER "never" /* the max of a DURATION of which it is a value */

static enum rc wrong(struct err *e, const char *expected, str text)
{
    return err_set(e, RC_INVALID, 0, "", "\"%.*s\" is not %s", (int)(text.n < 60 ? text.n : 60),
                   text.p ? text.p : "", expected);
}

/* Takes one quoted or bare word off *rest into a; a bare word ends at white space or a comma. */
static enum rc take_word(struct arena *a, str *rest, str *ret, struct err *e)
{
    if (rest->p[0] != '"') {
        size_t n = 0;
        while (n < rest->n && !strchr(" \t,\"", rest->p[n]))
            n++;
        *ret = arena_str(a, str_sub(*rest, 0, n));
        *rest = str_from(*rest, n);
        return n ? RC_OK : err_set(e, RC_INVALID, 0, "", "a value is missing before the %c", rest->p[0]);
    }
    char *out = arena_alloc(a, rest->n);
    size_t n = 0, i = 1;
    for (; out && i < rest->n && rest->p[i] != '"'; i++) {
        if (rest->p[i] == '\\' && i + 1 < rest->n)
            i++;
        out[n++] = rest->p[i];
    }
    if (!out || i >= rest->n)
        return err_set(e, RC_INVALID, 0, "", "the quotation mark is not closed");
    *ret = str_mem(out, n);
    *rest = str_from(*rest, i + 1);
    return RC_OK;
}

static enum rc parse_text(struct arena *a, str text, str *ret, struct err *e)
{
    if (text.n == 0 || text.p[0] != '"') {
        *ret = arena_str(a, text);
        return ret->p ? RC_OK : err_set(e, RC_INVALID, 0, "", "the file is too large");
    }
    enum rc rc = take_word(a, &text, ret, e);
    if (rc == RC_OK && str_trim(text).n)
        return err_set(e, RC_INVALID, 0, "", "there is text behind the closing quotation mark");
    return rc;
}

static enum rc parse_list(struct arena *a, str text, struct conf_list *ret, struct err *e)
{
    struct conf_list list = {NULL, 0};
    for (text = str_trim(text); text.n; text = str_trim(text)) {
        str word;
        enum rc rc = take_word(a, &text, &word, e);
        if (rc != RC_OK)
            return rc;
        if (list.n == 0 || (list.n >= 8 && (list.n & (list.n - 1)) == 0)) {
            list.v = arena_grow(a, list.v, list.n, sizeof *list.v);
            if (!list.v)
                return err_set(e, RC_INVALID, 0, "", "the list is too long");
        }
        list.v[list.n++] = word;
        text = str_trim(text);
        if (text.n && text.p[0] == ',')
            text = str_from(text, 1);
    }
    *ret = list;
    return RC_OK;
}

static enum rc set_text(const struct conf_key *key, void *member, str value, struct err *e)
{
    size_t max = SIZE_MAX;
    if (key->max[0] && num_parse_size(str_c(key->max), &max) != RC_OK)
        must(!"options.def: max of a text");
    if (key->min[0] && !value.n)
        return err_set(e, RC_INVALID, 0, "", "it must not be empty");
    if (value.n > max)
        return err_set(e, RC_INVALID, 0, "", "it is longer than %s bytes", key->max);
    if (key->type == CONF_TYPE_PATH && value.n && value.p[0] != '/')
        return wrong(e, "an absolute path (it must begin with /)", value);
    *(const char **)member = value.p;
    return RC_OK;
}

static enum rc set_list(const struct conf_key *key, void *member, struct conf_list list, struct err *e)
{
    uint64_t max;
    if (num_parse_u64(str_c(key->max), SIZE_MAX, &max) != RC_OK)
        must(!"options.def: max of a list");
    if (key->min[0] && !list.n)
        return err_set(e, RC_INVALID, 0, "", "it must not be empty");
    if (list.n > max)
        return err_set(e, RC_INVALID, 0, "", "it has more than %s elements", key->max);
    *(struct conf_list *)member = list;
    return RC_OK;
}

static enum rc set_bool(void *member, str value, struct err *e)
{
    if (str_ieq(value, S("yes")) || str_ieq(value, S("true")) || str_ieq(value, S("on")))
        *(bool *)member = true;
    else if (str_ieq(value, S("no")) || str_ieq(value, S("false")) || str_ieq(value, S("off")))
        *(bool *)member = false;
    else
        return wrong(e, "yes or no", value);
    return RC_OK;
}

static enum rc set_enum(const struct conf_key *key, void *member, str value, struct err *e)
{
    str choices = str_c(key->min);
    for (int i = 0; choices.n; i++) {
        if (str_ieq(value, str_take(&choices, '|'))) {
            *(int *)member = i;
            return RC_OK;
        }
    }
    return err_set(e, RC_INVALID, 0, "", "\"%.*s\" is not one of %s", (int)(value.n < 60 ? value.n : 60),
                   value.p ? value.p : "", key->min);
}

static enum rc set_mode(void *member, str value, struct err *e)
{
    int mode = 0;
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] < '0' || value.p[i] > '7' || mode > 0777)
            return wrong(e, "a mode in octal such as 0660", value);
        mode = mode * 8 + (value.p[i] - '0');
    }
    if (!value.n || mode > 0777)
        return wrong(e, "a mode in octal such as 0660", value);
    *(int *)member = mode;
    return RC_OK;
}

/* The three numeric types as one signed number; their texts differ only in the units. */
static enum rc parse_number(const struct conf_key *key, str text, int64_t *ret)
{
    uint64_t u = 0;
    enum conf_type type = key->type;
    bool minus = type == CONF_TYPE_INT && key->min[0] == '-' && str_starts(text, S("-"));
    if (minus)
        text = str_from(text, 1);
    if (type == CONF_TYPE_DURATION && str_eq(text, S(NEVER)) && strcmp(key->max, NEVER) == 0) {
        *ret = CONF_NEVER;
        return RC_OK;
    }
    enum rc rc = type == CONF_TYPE_DURATION ? num_parse_duration_ms(text, ret)
                 : type == CONF_TYPE_SIZE   ? num_parse_size(text, &u)
                                            : num_parse_u64(text, INT_MAX, &u);
    if (rc == RC_OK && type != CONF_TYPE_DURATION) {
        if (u > INT64_MAX)
            return RC_LIMIT;
        *ret = minus ? -(int64_t)u : (int64_t)u;
    }
    return rc;
}

static enum rc set_number(const struct conf_key *key, void *member, str value, struct err *e)
{
    int64_t n, limit;
    enum rc rc = parse_number(key, value, &n);
    if (rc == RC_INVALID)
        return wrong(e,
                     key->type == CONF_TYPE_DURATION ? "a time such as 30s, 5m or 2h"
                     : key->type == CONF_TYPE_SIZE   ? "a size such as 64k, 10M or 1G"
                                                     : "a number",
                     value);
    if (key->min[0] && parse_number(key, str_c(key->min), &limit) == RC_OK && rc == RC_OK && n < limit)
        return err_set(e, RC_INVALID, 0, "", "%.*s is less than %s", STR_ARG(value), key->min);
    if (rc != RC_OK || (key->max[0] && parse_number(key, str_c(key->max), &limit) == RC_OK && n > limit))
        return err_set(e, RC_INVALID, 0, "", "%.*s is more than %s", (int)(value.n < 60 ? value.n : 60),
                       value.p, key->max);
    if (key->type == CONF_TYPE_INT)
        *(int *)member = (int)n;
    else if (key->type == CONF_TYPE_SIZE)
        *(uint64_t *)member = (uint64_t)n;
    else
        *(int64_t *)member = n;
    return RC_OK;
}

static bool has_control(str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (((unsigned char)text.p[i] < ' ' && text.p[i] != '\t') || text.p[i] == 0x7f)
            return true;
    return false;
}

enum rc conf_value_set(struct arena *a, const struct conf_key *key, void *base, str text, struct err *e)
{
    void *member = (char *)base + key->offset;
    struct conf_list list = {NULL, 0};
    str value = STR_NONE;
    if (has_control(text))
        return err_set(e, RC_INVALID, 0, "", "it contains a control character");
    enum rc rc = key->type == CONF_TYPE_LIST ? parse_list(a, text, &list, e)
                                             : parse_text(a, str_trim(text), &value, e);
    if (rc != RC_OK)
        return rc;
    switch (key->type) {
    case CONF_TYPE_LIST:
        return set_list(key, member, list, e);
    case CONF_TYPE_STR:
    case CONF_TYPE_PATH:
        return set_text(key, member, value, e);
    case CONF_TYPE_BOOL:
        return set_bool(member, value, e);
    case CONF_TYPE_ENUM:
        return set_enum(key, member, value, e);
    case CONF_TYPE_MODE:
        return set_mode(member, value, e);
    case CONF_TYPE_INT:
    case CONF_TYPE_SIZE:
    case CONF_TYPE_DURATION:
        return set_number(key, member, value, e);
    }
    return RC_INVALID;
}

void conf_value_quote(str s, const char *special, struct buf *out)
{
    bool quote = s.n == 0 && *special == ' ';
    for (size_t i = 0; i < s.n; i++)
        quote = quote || strchr(special, s.p[i]) || s.p[i] == '"' || s.p[i] == '#' || s.p[i] == '\\';
    if (s.n && (s.p[0] == ' ' || s.p[0] == '\t' || s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        quote = true;
    if (!quote) {
        buf_puts(out, s);
        return;
    }
    buf_putc(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            buf_putc(out, '\\');
        buf_putc(out, s.p[i]);
    }
    buf_putc(out, '"');
}

static void format_size(uint64_t bytes, struct buf *out)
{
    static const char units[] = {'G', 'M', 'k'};
    for (int i = 0, shift = 30; i < 3; i++, shift -= 10) {
        if (bytes && bytes % (1ULL << shift) == 0) {
            buf_printf(out, "%llu%c", (unsigned long long)(bytes >> shift), units[i]);
            return;
        }
    }
    buf_put_u64(out, bytes);
}

static void format_duration(int64_t ms, struct buf *out)
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
    if (ms == CONF_NEVER) {
        buf_puts(out, S(NEVER));
        return;
    }
    size_t i = ms ? 0 : 3; /* zero is written "0s" */
    while (ms % units[i].ms)
        i++;
    buf_printf(out, "%lld%s", (long long)(ms / units[i].ms), units[i].unit);
}

void conf_value_format(const struct conf_key *key, const void *base, struct buf *out)
{
    const void *member = (const char *)base + key->offset;
    const struct conf_list *list = member;
    str choices = str_c(key->min);
    switch (key->type) {
    case CONF_TYPE_LIST:
        for (size_t i = 0; i < list->n; i++) {
            buf_puts(out, i ? S(", ") : S(""));
            conf_value_quote(list->v[i], " \t,", out);
        }
        break;
    case CONF_TYPE_STR:
    case CONF_TYPE_PATH:
        conf_value_quote(str_c(*(const char *const *)member), "", out);
        break;
    case CONF_TYPE_BOOL:
        buf_puts(out, *(const bool *)member ? S("yes") : S("no"));
        break;
    case CONF_TYPE_ENUM:
        for (int i = *(const int *)member; i > 0; i--)
            str_take(&choices, '|');
        buf_puts(out, str_take(&choices, '|'));
        break;
    case CONF_TYPE_MODE:
        buf_printf(out, "%04o", (unsigned)*(const int *)member);
        break;
    case CONF_TYPE_INT:
        buf_printf(out, "%d", *(const int *)member);
        break;
    case CONF_TYPE_SIZE:
        format_size(*(const uint64_t *)member, out);
        break;
    case CONF_TYPE_DURATION:
        format_duration(*(const int64_t *)member, out);
        break;
    }
}
