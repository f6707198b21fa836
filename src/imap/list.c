/* list: name patterns and the response line of LIST and LSUB. */
#include "imap/list.h"

#include "fmt/imap_match.h"
#include "fmt/imap_out.h"

enum rc list_pattern_add(struct imap_lex *lex, struct list_patterns *p, str reference, str pattern)
{
    if (p->n == LIST_PATTERNS_MAX || reference.n + pattern.n > IMAP_PATTERN_MAX)
        return imap_fail(lex, RC_LIMIT, "fewer or shorter patterns");
    str joined = arena_printf(lex->arena, STR_FMT STR_FMT, STR_ARG(reference), STR_ARG(pattern));
    p->all[p->n++] = joined;
    return RC_OK;
}

bool list_matches(const struct imap_session *s, const struct list_patterns *p, str name)
{
    for (size_t i = 0; i < p->n; i++)
        if (imap_match(p->all[i], name, s->start->separator))
            return true;
    return false;
}

void list_put_name(struct imap_session *s, str name)
{
    if (s->enabled & IMAP_REV2)
        imap_put_mailbox_utf8(&s->out, name);
    else
        imap_put_mailbox(&s->out, name);
}

void list_put(struct imap_session *s, const char *response, str attributes, str name)
{
    buf_printf(&s->out, "* %s (" STR_FMT ") \"%c\" ", response, STR_ARG(attributes), s->start->separator);
    list_put_name(s, name);
}
