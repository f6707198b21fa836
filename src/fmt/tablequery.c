/* Filling % templates. */
#include "fmt/tablequery.h"

struct parts {
    str whole, local, domain;
    bool has_domain;
};

static struct parts split(str s)
{
    ptrdiff_t at = str_rchr(s, '@');
    if (at < 0)
        return (struct parts){.whole = s, .local = s};
    return (struct parts){s, str_sub(s, 0, (size_t)at), str_from(s, (size_t)at + 1), true};
}

const char *tablequery_check(str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != '%')
            continue;
        if (++i == text.n)
            return "a single \"%\" at the end; %% stands for \"%\"";
        if (text.p[i] == '\0' || !strchr("%sudSUD123456789", text.p[i]))
            return "\"%\" is followed by something that has no meaning; %% stands for \"%\"";
    }
    return NULL;
}

/* The n-th label of the domain, counted from its end and from 1. */
static bool find_label(const struct parts *key, unsigned n, str *ret)
{
    str rest = key->domain;
    if (!key->has_domain)
        return false;
    for (;;) {
        ptrdiff_t dot = str_rchr(rest, '.');
        if (--n == 0) {
            *ret = str_from(rest, (size_t)(dot + 1));
            return ret->n > 0;
        }
        if (dot < 0)
            return false;
        rest.n = (size_t)dot;
    }
}

/* What a letter stands for; false when there is nothing. */
static bool find_part(char letter, const struct parts *key, const struct parts *value, str *ret)
{
    const struct parts *from = letter >= 'a' ? value : key;
    if (ascii_digit(letter))
        return find_label(key, (unsigned)(letter - '0'), ret);
    switch (ascii_lower(letter)) {
    case 's':
        *ret = from->whole;
        return true;
    case 'u':
        *ret = from->local;
        return from->local.n > 0;
    default:
        *ret = from->domain;
        return from->has_domain && from->domain.n > 0;
    }
}

static enum rc fill(struct buf *out, str text, const struct parts *key, const struct parts *value,
                    tablequery_quote *quote, void *ctx)
{
    str part;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != '%' || i + 1 == text.n) {
            buf_putc(out, text.p[i]);
            continue;
        }
        char letter = text.p[++i];
        if (letter == '%')
            buf_putc(out, '%');
        else if (!find_part(letter, key, value, &part))
            return RC_GONE;
        else if (quote)
            quote(ctx, out, part);
        else
            buf_puts(out, part);
    }
    return out->overflow ? RC_LIMIT : RC_OK;
}

enum rc tablequery_put(struct buf *out, str text, str key, tablequery_quote *quote, void *ctx)
{
    struct parts parts = split(key);
    return fill(out, text, &parts, &parts, quote, ctx);
}

enum rc tablequery_put_result(struct buf *out, str text, str key, str value)
{
    struct parts key_parts = split(key), value_parts = split(value);
    size_t before = out->n;
    if (value.n == 0)
        return RC_GONE;
    if (out->n > 0)
        buf_putc(out, ',');
    enum rc rc = fill(out, text, &key_parts, &value_parts, NULL, NULL);
    if (rc == RC_GONE)
        buf_truncate(out, before);
    return rc;
}

void tablequery_quote_sql(void *unused, struct buf *out, str part)
{
    for (size_t i = 0; i < part.n; i++) {
        if (part.p[i] == '\'')
            buf_putc(out, '\'');
        buf_putc(out, part.p[i]);
    }
}

void tablequery_quote_filter(void *unused, struct buf *out, str part)
{
    for (size_t i = 0; i < part.n; i++) {
        if (part.p[i] == '\0' || strchr("*()\\", part.p[i]))
            buf_printf(out, "\\%02x", (unsigned char)part.p[i]);
        else
            buf_putc(out, part.p[i]);
    }
}

void tablequery_quote_dn(void *unused, struct buf *out, str part)
{
    for (size_t i = 0; i < part.n; i++) {
        bool edge = (part.p[i] == ' ' && (i == 0 || i + 1 == part.n)) || (part.p[i] == '#' && i == 0);
        if (part.p[i] == '\0')
            buf_puts(out, S("\\00"));
        else if (edge || strchr("\"+,;<=>\\", part.p[i]))
            buf_printf(out, "\\%c", part.p[i]);
        else
            buf_putc(out, part.p[i]);
    }
}
