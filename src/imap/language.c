/* language: finds the language that a client asks for; see language.h. */
#include "imap/language.h"

/* The tag of the language that the range means, by lookup (RFC 4647 §3.4): subtags are dropped from the end
 * until it is one that is known. STR_NONE: none is. */
static str look_up(str range)
{
    if (str_ieq(range, S("i-default")))
        return S("i-default");
    if (str_ieq(range, S("default")) || str_eq(range, S("*")))
        return S("en");
    return str_ieq(str_take(&range, '-'), S("en")) ? S("en") : STR_NONE;
}

/* language-cmd = "LANGUAGE" *(SP lang-range-quoted) */
enum rc imap_language(struct imap_lex *lex, struct buf *out)
{
    str range, found = STR_NONE;
    bool any = imap_peek(lex) == ' ';
    while (imap_peek(lex) == ' ') {
        enum rc rc = imap_sp(lex);
        if (rc == RC_OK)
            rc = imap_astring(lex, &range);
        if (rc != RC_OK)
            return rc;
        if (found.n == 0)
            found = look_up(range);
    }
    if (imap_eol(lex) != RC_OK)
        return RC_INVALID;
    if (any && found.n == 0)
        return RC_PERM;
    buf_puts(out, S("* LANGUAGE ("));
    buf_puts(out, any ? found : S("en i-default"));
    buf_puts(out, S(")\r\n"));
    return RC_OK;
}
