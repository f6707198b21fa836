#include "fmt/access_result.h"

#include "fmt/tabletext.h"

static const struct {
    const char *name;
    enum access_action action;
    bool refuses;
} actions[] = {
    {"OK", ACCESS_OK},
    {"RELAY", ACCESS_OK},
    {"DUNNO", ACCESS_DUNNO},
    {"REJECT", ACCESS_REJECT, true},
    {"DEFER", ACCESS_DEFER, true},
    {"DEFER_IF_PERMIT", ACCESS_DEFER_IF_PERMIT, true},
    {"DEFER_IF_REJECT", ACCESS_DEFER_IF_REJECT, true},
    {"DISCARD", ACCESS_DISCARD},
    {"HOLD", ACCESS_HOLD},
    {"BCC", ACCESS_BCC},
    {"REDIRECT", ACCESS_REDIRECT},
    {"PREPEND", ACCESS_PREPEND},
    {"FILTER", ACCESS_FILTER},
    {"INFO", ACCESS_INFO},
    {"WARN", ACCESS_WARN},
};

static bool all_digits(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_digit(s.p[i]))
            return false;
    return s.n > 0;
}

static size_t digits_at(str s, size_t at)
{
    size_t n = 0;
    while (n < 3 && at + n < s.n && ascii_digit(s.p[at + n]))
        n++;
    return n;
}

static bool is_class(char c)
{
    return c == '2' || c == '4' || c == '5';
}

size_t access_status_size(str text)
{
    if (text.n < 5 || !is_class(text.p[0]) || text.p[1] != '.')
        return 0;
    size_t subject = digits_at(text, 2), dot = 2 + subject;
    if (subject == 0 || dot >= text.n || text.p[dot] != '.')
        return 0;
    size_t detail = digits_at(text, dot + 1), end = dot + 1 + detail;
    return detail > 0 && (end == text.n || tabletext_is_white(text.p[end])) ? end : 0;
}

static void take_status(struct access_result *r)
{
    size_t n = access_status_size(r->text);
    must(str_copy(r->enhanced, sizeof r->enhanced, str_sub(r->text, 0, n)) == RC_OK);
    r->text = tabletext_trim(str_from(r->text, n));
}

static bool is_reply_code(str word)
{
    return word.n == 3 && all_digits(word) && (word.p[0] == '4' || word.p[0] == '5');
}

void access_result_parse(str value, struct access_result *ret)
{
    value = tabletext_trim(value);
    size_t n = 0;
    while (n < value.n && !tabletext_is_white(value.p[n]))
        n++;
    str word = str_sub(value, 0, n);
    *ret = (struct access_result){.action = ACCESS_LIST, .text = tabletext_trim(str_from(value, n))};
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (!str_ieq(word, str_c(actions[i].name)))
            continue;
        ret->action = actions[i].action;
        if (actions[i].refuses)
            take_status(ret);
        return;
    }
    if (all_digits(value)) {
        ret->action = ACCESS_OK;
    } else if (is_reply_code(word)) {
        ret->action = ACCESS_CODE;
        ret->code = (word.p[0] - '0') * 100 + (word.p[1] - '0') * 10 + word.p[2] - '0';
        take_status(ret);
    } else {
        ret->text = value;
    }
}
