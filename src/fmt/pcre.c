/* PCRE2, compiled patterns shared by threads, a match block per call. */
#include "fmt/pcre.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum { MATCH_STEPS_MAX = 1000000, MATCH_DEPTH_MAX = 5000, MATCH_KIB_MAX = 16384 };

struct pcre {
    pcre2_code *code;
    pcre2_match_context *limits;
    uint32_t groups;
};

static uint32_t options_of(unsigned flags)
{
    static const struct {
        unsigned flag;
        uint32_t option;
    } options[] = {
        {PCRE_CASELESS, PCRE2_CASELESS}, {PCRE_MULTILINE, PCRE2_MULTILINE},
        {PCRE_DOTALL, PCRE2_DOTALL},     {PCRE_EXTENDED, PCRE2_EXTENDED},
        {PCRE_ANCHORED, PCRE2_ANCHORED}, {PCRE_DOLLAR_ENDONLY, PCRE2_DOLLAR_ENDONLY},
        {PCRE_UNGREEDY, PCRE2_UNGREEDY},
    };
    uint32_t out = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C;
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (flags & options[i].flag)
            out |= options[i].option;
    }
    return out;
}

enum rc pcre_new(str pattern, unsigned flags, struct pcre **ret, struct err *e)
{
    int code;
    size_t at;
    PCRE2_UCHAR text[128];
    struct pcre *p = calloc(1, sizeof *p);
    must(p);
    const char *bytes = pattern.p ? pattern.p : "";
    p->code = pcre2_compile((PCRE2_SPTR)bytes, pattern.n, options_of(flags), &code, &at, NULL);
    if (!p->code) {
        pcre_free(p);
        pcre2_get_error_message(code, text, sizeof text);
        return err_set(e, RC_INVALID, 0, "", "at byte %zu of the pattern: %s", at, (const char *)text);
    }
    p->limits = pcre2_match_context_create(NULL);
    must(p->limits);
    pcre2_set_match_limit(p->limits, MATCH_STEPS_MAX);
    pcre2_set_depth_limit(p->limits, MATCH_DEPTH_MAX);
    pcre2_set_heap_limit(p->limits, MATCH_KIB_MAX);
    must(pcre2_pattern_info(p->code, PCRE2_INFO_CAPTURECOUNT, &p->groups) == 0);
    *ret = p;
    return RC_OK;
}

struct pcre *pcre_free(struct pcre *p)
{
    if (!p)
        return NULL;
    pcre2_match_context_free(p->limits);
    pcre2_code_free(p->code);
    free(p);
    return NULL;
}

unsigned pcre_groups(const struct pcre *p)
{
    return p->groups;
}

/* \K can set the beginning of the whole match behind its end. */
static str view(str subject, size_t from, size_t to)
{
    if (from == PCRE2_UNSET || to == PCRE2_UNSET || from > to)
        return STR_NONE;
    return str_sub(subject, from, to - from);
}

enum rc pcre_match(const struct pcre *p, str subject, str *groups, size_t count)
{
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(p->code, NULL);
    must(data);
    const char *bytes = subject.p ? subject.p : "";
    int n = pcre2_match(p->code, (PCRE2_SPTR)bytes, subject.n, 0, 0, data, p->limits);
    const size_t *ends = pcre2_get_ovector_pointer(data);
    for (size_t i = 0; i < count && n > 0; i++)
        groups[i] = i < (size_t)n ? view(subject, ends[2 * i], ends[2 * i + 1]) : STR_NONE;
    pcre2_match_data_free(data);
    if (n > 0)
        return RC_OK;
    return n == PCRE2_ERROR_NOMATCH ? RC_GONE : RC_LIMIT;
}
