/* imap_return: see imap_return.h. */
#include "fmt/imap_fetch.h"

static const struct {
    str name;
    unsigned option;
} OPTIONS[] = {
    {S("MIN"), RETURN_MIN},         {S("MAX"), RETURN_MAX},       {S("ALL"), RETURN_ALL},
    {S("COUNT"), RETURN_COUNT},     {S("SAVE"), RETURN_SAVE},     {S("PARTIAL"), RETURN_PARTIAL},
    {S("CONTEXT"), RETURN_CONTEXT}, {S("UPDATE"), RETURN_UPDATE}, {S("RELEVANCY"), RETURN_RELEVANCY},
};
enum { N_OPTIONS = sizeof OPTIONS / sizeof *OPTIONS };

/* An end of the range; both must count from the same side. */
static enum rc parse_end(struct imap_lex *lex, bool from_end, uint32_t *ret)
{
    if (from_end && !imap_take(lex, '-'))
        return imap_expect(lex, "two places counted from the same end");
    return imap_nz_number(lex, ret);
}

enum rc imap_partial_range(struct imap_lex *lex, struct imap_partial *ret)
{
    uint32_t a = 0, b = 0;
    bool from_end = imap_peek(lex) == '-';
    enum rc rc = parse_end(lex, from_end, &a);
    if (rc == RC_OK && !imap_take(lex, ':'))
        rc = imap_expect(lex, "a range such as 1:100");
    if (rc == RC_OK)
        rc = parse_end(lex, from_end, &b);
    if (rc == RC_OK)
        *ret = (struct imap_partial){true, from_end, a < b ? a : b, a < b ? b : a};
    return rc;
}

void imap_partial_put(struct buf *out, const struct imap_partial *p)
{
    const char *sign = p->from_end ? "-" : "";
    buf_printf(out, "%s%u:%s%u", sign, p->first, sign, p->last);
}

/* modifier-update = "UPDATE" ["(" fetch-att *(SP fetch-att) ")"], as RFC 5465 §8 has it, with a space before
 * the parenthesis as its example (§7) has it. */
static enum rc parse_update(struct imap_lex *lex, struct imap_return *r)
{
    struct imap_fetch fetch;
    if (imap_peek(lex) != '(' && !str_starts(imap_rest(lex), S(" (")))
        return RC_OK;
    enum rc rc = imap_peek(lex) == ' ' ? imap_sp(lex) : RC_OK;
    size_t begin = lex->at;
    if (rc == RC_OK)
        rc = imap_fetch_parse(lex, &fetch);
    r->of_new = str_sub(lex->text, begin, lex->at - begin);
    return rc;
}

static enum rc parse_option(struct imap_lex *lex, struct imap_return *r)
{
    size_t i = 0;
    while (i < N_OPTIONS && !imap_take_word(lex, OPTIONS[i].name))
        i++;
    if (i == N_OPTIONS)
        return imap_expect(lex, "a return option");
    if (OPTIONS[i].option == RETURN_PARTIAL && r->partial.given)
        return imap_expect(lex, "one PARTIAL at most");
    r->options |= OPTIONS[i].option;
    if (OPTIONS[i].option == RETURN_UPDATE)
        return parse_update(lex, r);
    if (OPTIONS[i].option != RETURN_PARTIAL)
        return RC_OK;
    enum rc rc = imap_sp(lex);
    return rc == RC_OK ? imap_partial_range(lex, &r->partial) : rc;
}

enum rc imap_return_parse(struct imap_lex *lex, struct imap_return *ret)
{
    struct imap_return r = {0};
    enum rc rc = RC_OK;
    if (imap_take_word(lex, S("RETURN"))) {
        r.given = true;
        rc = imap_sp(lex);
        if (rc == RC_OK)
            rc = imap_list_begin(lex);
        for (bool first = true; rc == RC_OK && imap_peek(lex) != ')'; first = false) {
            if (!first)
                rc = imap_sp(lex);
            if (rc == RC_OK)
                rc = parse_option(lex, &r);
        }
        if (rc == RC_OK)
            rc = imap_list_end(lex);
        if (rc == RC_OK)
            rc = imap_sp(lex);
        if (rc == RC_OK && (r.options & RETURN_PARTIAL) && (r.options & RETURN_ALL))
            rc = imap_expect(lex, "ALL or PARTIAL, not both");
        if (r.options == 0) /* RFC 4731 §3.1 */
            r.options = RETURN_ALL;
    }
    if (rc == RC_OK)
        *ret = r;
    return rc;
}
