#include "fmt/gate_sites.h"

#include "base/num.h"

static bool is_separator(char c)
{
    return c == ',' || c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static str take_word(str *text)
{
    size_t from = 0, end;
    while (from < text->n && is_separator(text->p[from]))
        from++;
    for (end = from; end < text->n && !is_separator(text->p[end]);)
        end++;
    str word = str_sub(*text, from, end - from);
    *text = str_from(*text, end);
    return word;
}

static enum rc parse_weight(str text, int *ret)
{
    bool minus = str_starts(text, S("-"));
    uint32_t n;
    if (minus || str_starts(text, S("+")))
        text = str_from(text, 1);
    if (num_parse_u32(text, GATE_WEIGHT_MAX, &n) != RC_OK)
        return RC_INVALID;
    *ret = minus ? -(int)n : (int)n;
    return RC_OK;
}

enum rc gate_site_take(str *sites, struct gate_site *ret, str *ret_text)
{
    struct gate_site site = {.weight = 1};
    str word = take_word(sites);
    ptrdiff_t star = str_rchr(word, '*');
    str name = star < 0 ? word : str_sub(word, 0, (size_t)star);
    if (word.n == 0)
        return RC_GONE;
    if (ret_text)
        *ret_text = word;
    if (star >= 0 && parse_weight(str_from(word, (size_t)star + 1), &site.weight) != RC_OK)
        return RC_INVALID;
    if (dnsbl_parse(name, &site.list) != RC_OK)
        return RC_INVALID;
    *ret = site;
    return RC_OK;
}

bool gate_score_add(struct gate_score *s, const struct gate_site *site, const str *answers, size_t n)
{
    size_t i = 0;
    while (i < n && !dnsbl_counts(&site->list, answers[i]))
        i++;
    if (i == n)
        return false;
    s->total += site->weight;
    if (!s->heaviest || s->heaviest->weight < site->weight)
        s->heaviest = site;
    return true;
}
