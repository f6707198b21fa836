#include "fmt/dovecot_var_impl.h"

#include "base/enc.h"
#include "base/num.h"
#include "os/crypto.h"

#define FAIL DOVECOT_VAR_FAIL
#define TEXT DOVECOT_VAR_TEXT

struct part {
    int offset, width;
    bool fill;
};

str dovecot_var_long_name(char letter)
{
    static const struct {
        char letter;
        const char *name;
    } names[] = {{'a', "lport"}, {'b', "rport"},   {'c', "secured"},  {'d', "domain"},
                 {'e', "mpid"},  {'h', "home"},    {'i', "uid"},      {'k', "cert"},
                 {'l', "lip"},   {'m', "mech"},    {'n', "username"}, {'p', "pid"},
                 {'r', "rip"},   {'s', "service"}, {'u', "user"},     {'w', "password"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].letter == letter)
            return str_c(names[i].name);
    return STR_NONE;
}

enum rc dovecot_var_set(struct dovecot_var *v, str text)
{
    struct buf b = BUF_INIT(DOVECOT_VAR_MAX);
    buf_puts(&b, text);
    buf_deinit(&v->value);
    v->value = b;
    return b.overflow ? FAIL(v->e, RC_LIMIT, "a value is too large") : RC_OK;
}

enum rc dovecot_var_get(struct dovecot_var *v, str name)
{
    struct err e = {0};
    str value = STR_NONE;
    enum rc rc = v->env->find(v->env->ctx, name, &value, &e);
    if (rc == RC_OK)
        return dovecot_var_set(v, value);
    if (rc == RC_GONE)
        return FAIL(v->e, rc, "Unknown variable '%%" STR_FMT "'", TEXT(name));
    if (e.rc == RC_OK)
        return FAIL(v->e, rc, "the variable '%%" STR_FMT "' has no value", TEXT(name));
    if (v->e)
        *v->e = e;
    return rc;
}

void dovecot_var_lower(struct buf *b)
{
    for (size_t i = 0; i < b->n; i++)
        b->p[i] = ascii_lower(b->p[i]);
}

void dovecot_var_upper(struct buf *b)
{
    for (size_t i = 0; i < b->n; i++)
        b->p[i] = ascii_upper(b->p[i]);
}

void dovecot_var_reverse(struct buf *b)
{
    for (size_t i = 0; i < b->n / 2; i++) {
        char c = b->p[i];
        b->p[i] = b->p[b->n - 1 - i];
        b->p[b->n - 1 - i] = c;
    }
}

/* Each byte of `these` gets the text in front, or becomes it. */
static enum rc insert(struct dovecot_var *v, const char *these, str text, bool keep)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(DOVECOT_VAR_MAX);
    for (size_t i = 0; i < v->value.n; i++) {
        char c = v->value.p[i];
        bool hit = c != '\0' && strchr(these, c);
        if (hit)
            buf_puts(&b, text);
        if (!hit || keep)
            buf_putc(&b, c);
    }
    return b.overflow ? FAIL(v->e, RC_LIMIT, "a value is too large") : dovecot_var_set(v, buf_str(&b));
}

enum rc dovecot_var_ldap_dn(struct dovecot_var *v)
{
    return insert(v, ".", S(",dc="), false);
}

static void trim_end(struct buf *b)
{
    while (b->n > 0 && (b->p[b->n - 1] == ' ' || (b->p[b->n - 1] >= '\t' && b->p[b->n - 1] <= '\r')))
        buf_truncate(b, b->n - 1);
}

/* What is no number counts as 0. */
static enum rc to_hex(struct dovecot_var *v)
{
    char hex[20];
    uint64_t n = 0;
    if (num_parse_u64(buf_str(&v->value), UINT64_MAX, &n) != RC_OK)
        n = 0;
    snprintf(hex, sizeof hex, "%llx", (unsigned long long)n);
    return dovecot_var_set(v, str_c(hex));
}

/* P. J. Weinberger's hash, of 28 bits. */
static uint64_t old_hash(str s)
{
    uint32_t h = 0;
    for (size_t i = 0; i < s.n; i++) {
        h = (h << 4) + (unsigned char)s.p[i];
        uint32_t high = h & 0xf0000000;
        h ^= (high >> 24) ^ high;
    }
    return h;
}

static uint64_t new_hash(str s)
{
    unsigned char digest[CRYPTO_DIGEST_MAX];
    uint64_t h = 0;
    crypto_digest(CRYPTO_MD5, s, digest);
    for (size_t i = 0; i < 8; i++)
        h = h << 8 | digest[i];
    return h;
}

/* Takes the part: nothing is cut behind it. */
static enum rc put_hash(struct dovecot_var *v, uint64_t hash, struct part *part)
{
    char hex[DOVECOT_VAR_WIDTH_MAX + 1];
    if (part->width > 0)
        hash %= (unsigned)part->width;
    snprintf(hex, sizeof hex, "%0*x", part->offset > 0 ? part->offset : 1, (unsigned)hash);
    *part = (struct part){0};
    return dovecot_var_set(v, str_c(hex));
}

static enum rc put_md5(struct dovecot_var *v)
{
    AUTO(buf_deinit) struct buf hex = BUF_INIT(64);
    unsigned char digest[CRYPTO_DIGEST_MAX];
    crypto_digest(CRYPTO_MD5, buf_str(&v->value), digest);
    enc_hex(&hex, str_mem(digest, crypto_hash_size(CRYPTO_MD5)));
    return dovecot_var_set(v, buf_str(&hex));
}

static enum rc modify(struct dovecot_var *v, char modifier, struct part *part)
{
    switch (modifier) {
    case 'L':
        dovecot_var_lower(&v->value);
        return RC_OK;
    case 'U':
        dovecot_var_upper(&v->value);
        return RC_OK;
    case 'E':
        return insert(v, "\"'\\", S("\\"), true);
    case 'X':
        return to_hex(v);
    case 'R':
        dovecot_var_reverse(&v->value);
        return RC_OK;
    case 'T':
        trim_end(&v->value);
        return RC_OK;
    case 'D':
        return dovecot_var_ldap_dn(v);
    case 'H':
        return put_hash(v, old_hash(buf_str(&v->value)), part);
    case 'N':
        return put_hash(v, new_hash(buf_str(&v->value)), part);
    default:
        return put_md5(v);
    }
}

static bool take(str *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = str_from(*s, 1);
    return true;
}

static int take_number(str *s) /* at most DOVECOT_VAR_WIDTH_MAX + 1, which is too much */
{
    int n = 0;
    for (; s->n > 0 && ascii_digit(s->p[0]); *s = str_from(*s, 1))
        n = n > DOVECOT_VAR_WIDTH_MAX ? n : n * 10 + (s->p[0] - '0');
    return n > DOVECOT_VAR_WIDTH_MAX ? DOVECOT_VAR_WIDTH_MAX + 1 : n;
}

static enum rc take_part(struct dovecot_var *v, str *s, struct part *ret)
{
    struct part part = {0};
    bool negative = take(s, '-');
    part.fill = take(s, '0');
    part.width = take_number(s);
    if (take(s, '.')) {
        part.offset = negative ? -part.width : part.width;
        part.fill = take(s, '0');
        negative = take(s, '-');
        part.width = take_number(s);
        if (part.width <= DOVECOT_VAR_WIDTH_MAX && negative)
            part.width = -part.width;
    }
    *ret = part;
    if (part.width > DOVECOT_VAR_WIDTH_MAX || part.offset > DOVECOT_VAR_WIDTH_MAX ||
        part.offset < -DOVECOT_VAR_WIDTH_MAX)
        return FAIL(v->e, RC_LIMIT, "a width or an offset of a variable is too large");
    return RC_OK;
}

static void put_part(str value, struct part part, struct buf *out)
{
    size_t offset = (size_t)(part.offset < 0 ? -part.offset : part.offset);
    if (part.offset >= 0)
        value = str_from(value, offset);
    else if (offset < value.n)
        value = str_from(value, value.n - offset);
    size_t width = (size_t)(part.width < 0 ? -part.width : part.width);
    if (part.fill) {
        for (size_t n = value.n; part.width > 0 && n < width; n++)
            buf_putc(out, '0');
    } else if (part.width > 0) {
        value = str_sub(value, 0, width);
    } else if (part.width < 0 && width <= value.n) { /* more than there is leaves all */
        value = str_sub(value, 0, value.n - width);
    }
    buf_puts(out, value);
}

static str long_name(const struct dovecot_var_env *env, char letter)
{
    return env->long_name ? env->long_name(env->ctx, letter) : dovecot_var_long_name(letter);
}

/* The long name, from "{name}" or a letter; "%" has itself as name. */
static enum rc take_name(struct dovecot_var *v, str *s, str *ret)
{
    size_t i = 1, depth = 1;
    if (s->n == 0)
        return FAIL(v->e, RC_INVALID, "a '%%' stands at the end");
    if (s->p[0] != '{') {
        str name = s->p[0] == '%' ? S("%") : long_name(v->env, s->p[0]);
        if (name.n == 0)
            return FAIL(v->e, RC_GONE, "Unknown variable '%%" STR_FMT "'", STR_ARG(str_sub(*s, 0, 1)));
        *s = str_from(*s, 1);
        *ret = name;
        return RC_OK;
    }
    for (; i < s->n && depth > 0; i++)
        depth = s->p[i] == '{' ? depth + 1 : s->p[i] == '}' ? depth - 1 : depth;
    if (depth > 0)
        return FAIL(v->e, RC_INVALID, "a '{' of a variable is not closed");
    *ret = str_sub(*s, 1, i - 2);
    *s = str_from(*s, i);
    return RC_OK;
}

/* Functions are written like variables: "if;a;eq;b;c;d", "sha256:user", "encrypt;...". */
static bool is_function(str name)
{
    static const char *const hashes[] = {"md4",    "md5",        "sha1",     "sha256", "sha384",
                                         "sha512", "sha512/256", "hmac-md5", "pkcs5",  "ssha"};
    str rest = name, first = str_take(&rest, ':');
    if (str_chr(name, ';') >= 0)
        return true;
    for (size_t i = 0; rest.p && i < sizeof hashes / sizeof *hashes; i++)
        if (str_eq(first, str_c(hashes[i])))
            return true;
    return false;
}

/* Behind the "%". */
static enum rc expand_23(struct dovecot_var *v, str *s, struct buf *out)
{
    char modifiers[DOVECOT_VAR_MODIFIERS_MAX];
    size_t n = 0;
    struct part part;
    str name = STR_NONE;
    enum rc rc = take_part(v, s, &part);
    if (rc != RC_OK)
        return rc;
    for (; s->n > 0 && s->p[0] != '\0' && strchr("LUEXRTDHNM", s->p[0]); *s = str_from(*s, 1)) {
        if (n == DOVECOT_VAR_MODIFIERS_MAX)
            return FAIL(v->e, RC_LIMIT, "a variable has too many modifiers");
        modifiers[n++] = s->p[0];
    }
    rc = take_name(v, s, &name);
    if (rc == RC_OK && is_function(name))
        rc = FAIL(v->e, RC_PERM, "'%%{" STR_FMT "}' is not supported", TEXT(name));
    if (rc == RC_OK)
        rc = str_eq(name, S("%")) ? dovecot_var_set(v, name) : dovecot_var_get(v, name);
    for (size_t i = 0; i < n && rc == RC_OK; i++)
        rc = modify(v, modifiers[i], &part);
    if (rc != RC_OK)
        return rc;
    if (!v->env->quote) {
        put_part(buf_str(&v->value), part, out);
        return RC_OK;
    }
    AUTO(buf_deinit) struct buf cut = BUF_INIT(DOVECOT_VAR_MAX);
    put_part(buf_str(&v->value), part, &cut);
    v->env->quote(v->env->quote_ctx, out, buf_str(&cut));
    return cut.overflow ? FAIL(v->e, RC_LIMIT, "a value is too large") : RC_OK;
}

/* At the "%". */
static enum rc expand_24(struct dovecot_var *v, str *s, struct buf *out)
{
    size_t n = 1;
    enum rc rc = RC_OK;
    if (str_starts(*s, S("%%{"))) {
        buf_puts(out, S("%{"));
        n = 3;
    } else if (str_starts(*s, S("%{"))) {
        rc = dovecot_pipe_expand(v, *s, &n);
        if (rc == RC_OK && v->env->quote)
            v->env->quote(v->env->quote_ctx, out, buf_str(&v->value));
        else if (rc == RC_OK)
            buf_puts(out, buf_str(&v->value));
    } else {
        buf_putc(out, '%');
    }
    *s = str_from(*s, n);
    return rc;
}

enum rc dovecot_var_expand(str text, const struct dovecot_var_env *env, struct buf *out, struct err *e)
{
    struct dovecot_var v = {.env = env, .value = BUF_INIT(DOVECOT_VAR_MAX), .e = e};
    size_t before = out->n;
    enum rc rc = RC_OK;
    while (text.n > 0 && rc == RC_OK) {
        size_t plain = str_chr(text, '%') < 0 ? text.n : (size_t)str_chr(text, '%');
        buf_puts(out, str_sub(text, 0, plain));
        text = str_from(text, plain);
        if (text.n > 0 && env->is_24)
            rc = expand_24(&v, &text, out);
        else if (take(&text, '%'))
            rc = expand_23(&v, &text, out);
    }
    if (rc == RC_OK && out->overflow)
        rc = FAIL(e, RC_LIMIT, "the value with its variables is too large");
    if (rc != RC_OK)
        buf_truncate(out, before);
    buf_deinit(&v.value);
    return rc;
}
