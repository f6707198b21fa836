/* Lines of pattern tables. */
#include "fmt/tablerule.h"

#include "base/num.h"
#include "fmt/tabletext.h"

static str skip_white(str s)
{
    while (s.n > 0 && tabletext_is_white(s.p[0]))
        s = str_from(s, 1);
    return s;
}

/* Takes a run of bytes up to white space. */
static str take_word(str *s)
{
    size_t n = 0;
    while (n < s->n && !tabletext_is_white(s->p[n]))
        n++;
    str word = str_sub(*s, 0, n);
    *s = skip_white(str_from(*s, n));
    return word;
}

static bool take_keyword(str *line, str keyword)
{
    if (!str_istarts(*line, keyword) || (line->n > keyword.n && ascii_alnum(line->p[keyword.n])))
        return false;
    *line = skip_white(str_from(*line, keyword.n));
    return true;
}

static bool take_negations(str *s)
{
    bool negated = false;
    for (; s->n > 0 && s->p[0] == '!'; *s = skip_white(str_from(*s, 1)))
        negated = !negated;
    return negated;
}

static const char *take_pattern(str *s, struct tablerule *ret)
{
    if (s->n == 0)
        return "there is no pattern";
    char delimiter = s->p[0];
    size_t i = 1;
    if (ascii_alnum(delimiter) || delimiter == '\\')
        return "a pattern begins with a delimiter like \"/\"";
    for (; i < s->n && s->p[i] != delimiter; i++) {
        if (s->p[i] == '\\' && ++i == s->n)
            break;
    }
    if (i >= s->n)
        return "the pattern has no closing delimiter";
    ret->pattern = str_sub(*s, 1, i - 1);
    *s = str_from(*s, i + 1);
    ret->flags = take_word(s);
    return NULL;
}

static const char *take_network(str *s, struct tablerule *ret)
{
    ret->pattern = take_word(s);
    if (ret->pattern.n == 0)
        return "there is no address pattern";
    return ret->kind == TABLERULE_RESULT && tabletext_trim(*s).n == 0 ? "there is no result" : NULL;
}

/* take: reads what is matched against, and moves behind it; returns a problem or NULL. */
static const char *parse(str line, const char *(*take)(str *s, struct tablerule *ret), struct tablerule *ret)
{
    struct tablerule rule = {.kind = TABLERULE_RESULT};
    const char *problem = NULL;
    str s = line;
    if (s.n > 0 && tabletext_is_white(s.p[0]))
        return "a logical line must not begin with white space";
    if (take_keyword(&s, S("endif"))) {
        rule.kind = TABLERULE_ENDIF;
    } else {
        if (take_keyword(&s, S("if")))
            rule.kind = TABLERULE_IF;
        rule.negated = take_negations(&s);
        problem = take(&s, &rule);
    }
    if (problem)
        return problem;
    rule.result = tabletext_trim(s);
    *ret = rule;
    return NULL;
}

const char *tablerule_parse_pattern(str line, struct tablerule *ret)
{
    return parse(line, take_pattern, ret);
}

const char *tablerule_parse_network(str line, struct tablerule *ret)
{
    return parse(line, take_network, ret);
}

static bool has_bits_behind(const struct ip_net *net)
{
    for (unsigned i = net->bits; i < 128; i++) {
        if (net->addr[i / 8] >> (7 - i % 8) & 1)
            return true;
    }
    return false;
}

const char *tablerule_net_parse(str text, struct tablerule_net *ret)
{
    struct tablerule_net net = {.v6 = str_chr(text, ':') >= 0};
    if (ip_net_parse(text, &net.net) != RC_OK)
        return "this is no address and no network";
    if (has_bits_behind(&net.net))
        return "the address has bits behind the prefix of the network";
    *ret = net;
    return NULL;
}

enum rc tablerule_address_parse(str text, struct tablerule_net *ret)
{
    ret->v6 = str_chr(text, ':') >= 0;
    return ip_parse(text, &ret->net);
}

bool tablerule_net_has(const struct tablerule_net *net, const struct tablerule_net *address)
{
    return net->v6 == address->v6 && ip_net_has(&net->net, &address->net);
}

enum piece { PIECE_TEXT, PIECE_GROUP, PIECE_END, PIECE_NO_NAME, PIECE_NO_NUMBER, PIECE_OUT_OF_RANGE };

/* What follows a "$": a name in braces or parentheses, or a run of letters, digits and "_". */
static str take_name(str *s)
{
    size_t n = 0;
    if (s->n > 0 && (s->p[0] == '{' || s->p[0] == '(')) {
        ptrdiff_t end = str_chr(*s, s->p[0] == '{' ? '}' : ')');
        str name = end < 0 ? STR_NONE : str_sub(*s, 1, (size_t)end - 1);
        *s = end < 0 ? STR_NONE : str_from(*s, (size_t)end + 1);
        return name;
    }
    while (n < s->n && (ascii_alnum(s->p[n]) || s->p[n] == '_'))
        n++;
    str name = str_sub(*s, 0, n);
    *s = str_from(*s, n);
    return name;
}

static enum piece take_piece(str *s, str *ret_text, unsigned *ret_group)
{
    uint32_t group;
    if (s->n == 0)
        return PIECE_END;
    ptrdiff_t dollar = str_chr(*s, '$');
    if (dollar != 0) {
        *ret_text = dollar < 0 ? *s : str_sub(*s, 0, (size_t)dollar);
        *s = str_from(*s, ret_text->n);
        return PIECE_TEXT;
    }
    if (s->n > 1 && s->p[1] == '$') {
        *ret_text = str_sub(*s, 0, 1);
        *s = str_from(*s, 2);
        return PIECE_TEXT;
    }
    *s = str_from(*s, 1);
    str name = take_name(s);
    if (name.n == 0)
        return PIECE_NO_NAME;
    enum rc rc = num_parse_u32(name, TABLERULE_GROUPS_MAX, &group);
    if (rc != RC_OK || group == 0)
        return rc == RC_INVALID ? PIECE_NO_NUMBER : PIECE_OUT_OF_RANGE;
    *ret_group = group;
    return PIECE_GROUP;
}

const char *tablerule_check_result(str result, unsigned *ret_groups)
{
    unsigned highest = 0, group = 0;
    for (;;) {
        str text;
        switch (take_piece(&result, &text, &group)) {
        case PIECE_TEXT:
            break;
        case PIECE_GROUP:
            highest = group > highest ? group : highest;
            break;
        case PIECE_END:
            *ret_groups = highest;
            return NULL;
        case PIECE_NO_NAME:
            return "\"$\" without a number; $$ stands for \"$\"";
        case PIECE_NO_NUMBER:
            return "\"$\" with something that is no number; ${1} separates it from what follows";
        case PIECE_OUT_OF_RANGE:
            return "\"$\" with a number that is out of range";
        }
    }
}

void tablerule_put_result(struct buf *out, str result, const str *groups, size_t count)
{
    unsigned group = 0;
    str text;
    for (;;) {
        enum piece piece = take_piece(&result, &text, &group);
        if (piece == PIECE_TEXT)
            buf_puts(out, text);
        else if (piece != PIECE_GROUP)
            return;
        else if (group < count)
            buf_puts(out, groups[group]);
    }
}
