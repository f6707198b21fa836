/* keywords: dovecot-keywords in both directions; see the header. */
#include "fmt/keywords.h"

#include "base/num.h"

enum { KEYWORD_MAX_BYTES = 100 };

bool keyword_valid(str name)
{
    if (name.n == 0 || name.n > KEYWORD_MAX_BYTES)
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] <= ' ' || name.p[i] >= 0x7f || strchr("(){%*\"\\]", name.p[i]))
            return false;
    return true;
}

void keywords_parse(str text, str ret_names[MAILDIR_KEYWORDS])
{
    for (int i = 0; i < MAILDIR_KEYWORDS; i++)
        ret_names[i] = STR_NONE;
    while (text.n) {
        str line = str_take(&text, '\n');
        uint32_t number;
        if (num_parse_u32(str_take(&line, ' '), MAILDIR_KEYWORDS - 1, &number) == RC_OK &&
            keyword_valid(line))
            ret_names[number] = line;
    }
}

void keywords_format(struct buf *out, const str names[MAILDIR_KEYWORDS])
{
    for (int i = 0; i < MAILDIR_KEYWORDS; i++)
        if (names[i].n)
            buf_printf(out, "%d " STR_FMT "\n", i, STR_ARG(names[i]));
}
