#include "fmt/check_result.h"

#include "fmt/access_result.h"
#include "fmt/mime_walk.h"
#include "fmt/tabletext.h"

static const char *const names[] = {
    [CHECK_DUNNO] = "DUNNO",       [CHECK_BCC] = "BCC",       [CHECK_DISCARD] = "DISCARD",
    [CHECK_FILTER] = "FILTER",     [CHECK_HOLD] = "HOLD",     [CHECK_IGNORE] = "IGNORE",
    [CHECK_INFO] = "INFO",         [CHECK_PASS] = "PASS",     [CHECK_PREPEND] = "PREPEND",
    [CHECK_REDIRECT] = "REDIRECT", [CHECK_REJECT] = "REJECT", [CHECK_REPLACE] = "REPLACE",
    [CHECK_STRIP] = "STRIP",       [CHECK_WARN] = "WARN",
};

static enum check_action find_action(str word)
{
    if (str_ieq(word, S("OK")))
        return CHECK_DUNNO;
    for (int i = 0; i < CHECK_UNKNOWN; i++)
        if (str_ieq(word, str_c(names[i])))
            return (enum check_action)i;
    return CHECK_UNKNOWN;
}

static void take_status(struct check_result *r)
{
    size_t n = access_status_size(r->text);
    must(str_copy(r->enhanced, sizeof r->enhanced, n ? str_sub(r->text, 0, n) : S("5.7.1")) == RC_OK);
    r->text = tabletext_trim(str_from(r->text, n));
    r->bad_status = r->enhanced[0] == '2';
    if (r->bad_status)
        r->enhanced[0] = '4';
}

void check_result_parse(str value, struct check_result *ret)
{
    size_t n = 0;
    while (n < value.n && !tabletext_is_white(value.p[n]))
        n++;
    *ret = (struct check_result){.action = find_action(str_sub(value, 0, n)),
                                 .text = tabletext_trim(str_from(value, n))};
    if (ret->action == CHECK_REJECT)
        take_status(ret);
}

const char *check_result_fault(const struct check_result *r, bool of_header)
{
    switch (r->action) {
    case CHECK_PREPEND:
    case CHECK_REPLACE:
        if (r->text.n == 0)
            return "a text";
        return of_header && mime_walk_name_size(r->text) == 0 ? "\"headername: headervalue\"" : NULL;
    case CHECK_BCC:
    case CHECK_REDIRECT:
        return str_chr(r->text, '@') < 0 ? "user@domain" : NULL;
    case CHECK_FILTER:
        return str_chr(r->text, ':') < 0 ? "transport:destination" : NULL;
    case CHECK_UNKNOWN:
        return "one of the actions of header_checks(5)";
    default:
        return NULL;
    }
}
