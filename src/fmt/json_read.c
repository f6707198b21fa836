/* JSON reader: recursive descent, as deep as JSON_DEPTH_MAX. */
#include "fmt/json_read.h"

#include "base/buf.h"
#include "base/num.h"
#include "base/utf8.h"

struct reader {
    str rest;
    struct arena *a;
    unsigned depth;
};

/* ws = *( %x20 / %x09 / %x0A / %x0D ) */
static void skip_white(struct reader *r)
{
    size_t n = 0;
    while (n < r->rest.n && r->rest.p[n] != '\0' && strchr(" \t\n\r", r->rest.p[n]))
        n++;
    r->rest = str_from(r->rest, n);
}

static bool take(struct reader *r, char c)
{
    skip_white(r);
    if (r->rest.n == 0 || r->rest.p[0] != c)
        return false;
    r->rest = str_from(r->rest, 1);
    return true;
}

static bool take_word(struct reader *r, str word)
{
    if (!str_starts(r->rest, word))
        return false;
    r->rest = str_from(r->rest, word.n);
    return true;
}

/* --- strings --- */

static enum rc take_hex4(struct reader *r, uint32_t *ret)
{
    uint32_t v = 0;
    if (r->rest.n < 4)
        return RC_INVALID;
    for (size_t i = 0; i < 4; i++) {
        char c = ascii_lower(r->rest.p[i]);
        if (!ascii_digit(c) && (c < 'a' || c > 'f'))
            return RC_INVALID;
        v = v << 4 | (uint32_t)(ascii_digit(c) ? c - '0' : c - 'a' + 10);
    }
    r->rest = str_from(r->rest, 4);
    *ret = v;
    return RC_OK;
}

/* %x75 4HEXDIG, or two of them for what lies beyond U+FFFF (RFC 8259 §7); the "\u" is gone already. */
static enum rc take_code_point(struct reader *r, struct buf *out)
{
    uint32_t cp, low;
    if (take_hex4(r, &cp) != RC_OK || (cp >= 0xdc00 && cp <= 0xdfff))
        return RC_INVALID;
    if (cp >= 0xd800 && cp <= 0xdbff) {
        if (!take_word(r, S("\\u")) || take_hex4(r, &low) != RC_OK || low < 0xdc00 || low > 0xdfff)
            return RC_INVALID;
        cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
    }
    utf8_put(out, cp);
    return RC_OK;
}

static enum rc take_escape(struct reader *r, struct buf *out)
{
    static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    if (take_word(r, S("u")))
        return take_code_point(r, out);
    const char *at = r->rest.n > 0 && r->rest.p[0] ? strchr(letters, r->rest.p[0]) : NULL;
    if (!at)
        return RC_INVALID;
    buf_putc(out, values[at - letters]);
    r->rest = str_from(r->rest, 1);
    return RC_OK;
}

/*   string = DQUOTE *char DQUOTE ; the first DQUOTE is gone already */
static enum rc take_string(struct reader *r, str *ret)
{
    AUTO(buf_wipe) struct buf out = BUF_INIT(r->rest.n);
    for (;;) {
        size_t n = 0;
        while (n < r->rest.n && (unsigned char)r->rest.p[n] >= 0x20 && r->rest.p[n] != '"' &&
               r->rest.p[n] != '\\')
            n++;
        buf_puts(&out, str_sub(r->rest, 0, n));
        r->rest = str_from(r->rest, n);
        if (take_word(r, S("\"")))
            break;
        if (!take_word(r, S("\\")) || take_escape(r, &out) != RC_OK)
            return RC_INVALID;
    }
    if (!utf8_valid(buf_str(&out)))
        return RC_INVALID;
    *ret = arena_str(r->a, buf_str(&out));
    return arena_exhausted(r->a) ? RC_LIMIT : RC_OK;
}

/* --- numbers --- */

static size_t count_digits(str s, size_t from)
{
    size_t n = from;
    while (n < s.n && ascii_digit(s.p[n]))
        n++;
    return n - from;
}

/*   number = [ "-" ] int [ frac ] [ exp ]; int = "0" / ( digit1-9 *DIGIT ) */
static enum rc take_number(struct reader *r, str *ret)
{
    str s = r->rest;
    size_t n = s.n > 0 && s.p[0] == '-', digits = count_digits(s, n);
    if (digits == 0 || (digits > 1 && s.p[n] == '0'))
        return RC_INVALID;
    n += digits;
    if (n < s.n && s.p[n] == '.') {
        digits = count_digits(s, n + 1);
        n += 1 + digits;
        if (digits == 0)
            return RC_INVALID;
    }
    if (n < s.n && (s.p[n] == 'e' || s.p[n] == 'E')) {
        n += n + 1 < s.n && (s.p[n + 1] == '-' || s.p[n + 1] == '+') ? 2 : 1;
        digits = count_digits(s, n);
        n += digits;
        if (digits == 0)
            return RC_INVALID;
    }
    *ret = str_sub(s, 0, n);
    r->rest = str_from(s, n);
    return RC_OK;
}

/* --- values --- */

static enum rc take_value(struct reader *r, struct json_value *v);

/*   member = string name-separator value */
static enum rc take_member(struct reader *r, const struct json_value *object, struct json_value *v)
{
    if (object->kind == JSON_ARRAY)
        return take_value(r, v);
    enum rc rc = take(r, '"') ? take_string(r, &v->name) : RC_INVALID;
    if (rc == RC_OK && json_find(object, v->name))
        rc = RC_INVALID;
    if (rc == RC_OK)
        rc = take(r, ':') ? take_value(r, v) : RC_INVALID;
    return rc;
}

/* What stands between the brackets, and the closing one. */
static enum rc take_members(struct reader *r, struct json_value *v, char end)
{
    const struct json_value **at = &v->first;
    if (++r->depth > JSON_DEPTH_MAX)
        return RC_LIMIT;
    for (size_t n = 0; !take(r, end); n++) {
        if (n > 0 && !take(r, ','))
            return RC_INVALID;
        struct json_value *member = n < JSON_MEMBERS_MAX ? arena_make(r->a, struct json_value) : NULL;
        if (!member)
            return RC_LIMIT;
        enum rc rc = take_member(r, v, member);
        if (rc != RC_OK)
            return rc;
        *at = member;
        at = &member->next;
    }
    r->depth--;
    return RC_OK;
}

static enum rc take_value(struct reader *r, struct json_value *v)
{
    if (take(r, '"')) {
        v->kind = JSON_STRING;
        return take_string(r, &v->text);
    }
    if (take(r, '{')) {
        v->kind = JSON_OBJECT;
        return take_members(r, v, '}');
    }
    if (take(r, '[')) {
        v->kind = JSON_ARRAY;
        return take_members(r, v, ']');
    }
    if (take_word(r, S("null")))
        return RC_OK;
    v->kind = JSON_BOOL;
    v->yes = take_word(r, S("true"));
    if (v->yes || take_word(r, S("false")))
        return RC_OK;
    v->kind = JSON_NUMBER;
    return take_number(r, &v->text);
}

enum rc json_read(str text, struct arena *a, const struct json_value **ret)
{
    struct reader r = {.rest = text, .a = a};
    struct json_value *v = arena_make(a, struct json_value);
    enum rc rc = v ? take_value(&r, v) : RC_LIMIT;
    skip_white(&r);
    if (rc == RC_OK && r.rest.n > 0)
        rc = RC_INVALID;
    if (rc == RC_OK)
        *ret = v;
    return rc;
}

/* --- looking --- */

const struct json_value *json_find(const struct json_value *object, str name)
{
    const struct json_value *v = object && object->kind == JSON_OBJECT ? object->first : NULL;
    while (v && !str_eq(v->name, name))
        v = v->next;
    return v;
}

str json_find_text(const struct json_value *object, str name)
{
    const struct json_value *v = json_find(object, name);
    return v && v->kind == JSON_STRING ? v->text : STR_NONE;
}

enum rc json_find_seconds(const struct json_value *object, str name, int64_t *ret)
{
    const struct json_value *v = json_find(object, name);
    uint64_t seconds;
    if (!v)
        return RC_GONE;
    if (v->kind != JSON_NUMBER && v->kind != JSON_STRING)
        return RC_INVALID;
    str whole = v->text;
    whole = str_take(&whole, '.');
    if (num_parse_u64(whole, UINT64_C(1) << 53, &seconds) != RC_OK)
        return RC_INVALID;
    *ret = (int64_t)seconds;
    return RC_OK;
}
