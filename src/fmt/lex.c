/* Words of structured header fields (RFC 5322 §3.2, RFC 2045 §5.1); see lex.h. */
#include "fmt/lex.h"

bool lex_is_atext(int c)
{
    return c >= 0x80 || (c > 0x20 && c < 0x7f && !strchr("()<>[]:;@\\,.\"", c));
}

bool lex_is_token(int c)
{
    return c >= 0x80 || (c > 0x20 && c < 0x7f && !strchr("()<>@,;:\\\"/[]?=", c));
}

static bool is_fws(int c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* comment = "(" *([FWS] (ctext / quoted-pair / comment)) [FWS] ")" */
static void skip_comment(struct lex *l)
{
    int c;
    size_t depth = 0;
    if (l->comment)
        buf_reset(l->comment);
    for (; (c = lex_peek(l)) >= 0; l->i++) {
        if (c == ')' && --depth == 0) {
            l->i++;
            return;
        }
        if (c == '(' && depth++ == 0)
            continue;
        if (c == '\\' && l->i + 1 < l->s.n)
            c = (unsigned char)l->s.p[++l->i];
        if (l->comment && c != '\r' && c != '\n')
            buf_putc(l->comment, (char)c);
    }
}

void lex_cfws(struct lex *l)
{
    for (int c; (c = lex_peek(l)) >= 0;) {
        if (c == '(')
            skip_comment(l);
        else if (is_fws(c))
            l->i++;
        else
            return;
    }
}

bool lex_dot_run(struct lex *l, struct buf *out)
{
    size_t start = l->i;
    while (lex_peek(l) == '.' || lex_is_atext(lex_peek(l)))
        l->i++;
    buf_puts(out, str_sub(l->s, start, l->i - start));
    return l->i > start;
}

bool lex_token(struct lex *l, struct buf *out)
{
    size_t start = l->i;
    while (lex_is_token(lex_peek(l)))
        l->i++;
    buf_puts(out, str_sub(l->s, start, l->i - start));
    return l->i > start;
}

bool lex_quoted(struct lex *l, struct buf *out)
{
    int c;
    if (lex_peek(l) != '"')
        return false;
    for (l->i++; (c = lex_peek(l)) >= 0; l->i++) {
        if (c == '"') {
            l->i++;
            break;
        }
        if (c == '\\' && l->i + 1 < l->s.n)
            c = (unsigned char)l->s.p[++l->i];
        if (c != '\r' && c != '\n')
            buf_putc(out, (char)c);
    }
    return true;
}

bool lex_domain_literal(struct lex *l, struct buf *out)
{
    int c;
    if (lex_peek(l) != '[')
        return false;
    for (; (c = lex_peek(l)) >= 0; l->i++) {
        if (!is_fws(c))
            buf_putc(out, (char)c);
        if (c == ']') {
            l->i++;
            break;
        }
    }
    return true;
}
