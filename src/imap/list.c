/* list: name patterns and the response line of LIST and LSUB. */
#include "imap/list.h"

#include "fmt/imap_match.h"
#include "fmt/imap_out.h"
#include "imap/special_use.h"

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

void list_write_name(const struct imap_session *s, struct buf *out, str name)
{
    if (s->enabled & IMAP_KNOWS_UTF8)
        imap_put_mailbox_utf8(out, name);
    else
        imap_put_mailbox(out, name);
}

void list_put_name(struct imap_session *s, str name)
{
    list_write_name(s, &s->out, name);
}

void list_put(struct imap_session *s, const char *response, str attributes, str name)
{
    buf_printf(&s->out, "* %s (" STR_FMT ") \"%c\" ", response, STR_ARG(attributes), s->start->separator);
    list_put_name(s, name);
}

static void put_attribute(struct buf *out, str name)
{
    if (name.n == 0)
        return;
    if (out->n > 0)
        buf_putc(out, ' ');
    buf_puts(out, name);
}

void list_put_box(struct imap_session *s, const struct store_box_info *b, unsigned tells)
{
    AUTO(buf_deinit) struct buf attributes = BUF_INIT(512);
    if (b->noselect || !b->exists)
        put_attribute(&attributes,
                      (tells & LIST_TELLS_EXTENDED) && !b->exists ? S("\\NonExistent") : S("\\Noselect"));
    put_attribute(&attributes, b->has_children ? S("\\HasChildren") : S("\\HasNoChildren"));
    if (b->subscribed && (tells & LIST_TELLS_SUBSCRIBED))
        put_attribute(&attributes, S("\\Subscribed"));
    put_attribute(&attributes, imap_special_use_name(b->use));
    list_put(s, "LIST", buf_str(&attributes), b->name);
}
