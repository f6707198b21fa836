/* flags: system flags by name (RFC 9051 §2.3.2), and $Forwarded. That is a keyword like any other, as Dovecot
 * has it; some programs write it into file names as the flag P of Maildir, which is shown under the same
 * name. */
#include "imap/flags.h"

static const struct {
    str name;
    unsigned flag;
} NAMES[] = {
    {S("\\Answered"), FLAG_ANSWERED}, {S("\\Flagged"), FLAG_FLAGGED}, {S("\\Deleted"), FLAG_DELETED},
    {S("\\Seen"), FLAG_SEEN},         {S("\\Draft"), FLAG_DRAFT},
};
enum { N_NAMES = sizeof NAMES / sizeof *NAMES };

static bool is_forwarded(str name)
{
    return str_ieq(name, S("$Forwarded"));
}

static unsigned flag_of(str name)
{
    for (size_t i = 0; i < N_NAMES; i++)
        if (str_ieq(name, NAMES[i].name))
            return NAMES[i].flag;
    return 0;
}

enum rc imap_flags_parse(struct arena *a, const str *names, size_t n, unsigned *ret_flags,
                         const str **ret_keywords, size_t *ret_n_keywords)
{
    unsigned flags = 0;
    size_t k = 0;
    str *keywords = arena_array(a, n ? n : 1, sizeof *keywords);
    if (!keywords)
        return RC_LIMIT;
    for (size_t i = 0; i < n; i++) {
        unsigned flag = flag_of(names[i]);
        if (flag || str_ieq(names[i], S("\\Recent")))
            flags |= flag;
        else if (str_starts(names[i], S("\\")) || names[i].n > IMAP_KEYWORD_MAX)
            return RC_INVALID;
        else
            keywords[k++] = names[i];
        if (is_forwarded(names[i]))
            flags |= FLAG_PASSED;
    }
    *ret_flags = flags;
    *ret_keywords = keywords;
    *ret_n_keywords = k;
    return RC_OK;
}

static void put_name(struct buf *out, size_t from, str name)
{
    if (out->n > from)
        buf_putc(out, ' ');
    buf_puts(out, name);
}

void imap_flags_put_names(struct buf *out, unsigned flags)
{
    size_t from = out->n;
    for (size_t i = 0; i < N_NAMES; i++)
        if (flags & NAMES[i].flag)
            put_name(out, from, NAMES[i].name);
    if (flags & FLAG_PASSED)
        put_name(out, from, S("$Forwarded"));
}

void imap_flags_put(struct imap_session *s, const struct box_msg *msg)
{
    struct buf *out = &s->out;
    const struct box *b = s->box;
    buf_putc(out, '(');
    size_t from = out->n;
    imap_flags_put_names(out, msg->flags);
    if (!(s->enabled & IMAP_REV2) && box_is_recent(b, msg->uid))
        put_name(out, from, S("\\Recent"));
    const str *names;
    size_t n = msg->keywords ? box_keywords(b, &names) : 0;
    for (size_t k = 0; k < n && k < 64; k++)
        if (msg->keywords >> k & 1 && !(msg->flags & FLAG_PASSED && is_forwarded(names[k])))
            put_name(out, from, names[k]);
    buf_putc(out, ')');
}

void imap_flags_put_all(struct buf *out, const struct box *b, unsigned rights)
{
    size_t from = out->n;
    for (size_t i = 0; i < N_NAMES; i++)
        if (store_flags_of(rights) & NAMES[i].flag)
            put_name(out, from, NAMES[i].name);
    if (!(rights & ACL_W))
        return;
    put_name(out, from, S("$Forwarded"));
    const str *names;
    size_t n = box_keywords(b, &names);
    for (size_t k = 0; k < n; k++)
        if (!is_forwarded(names[k]))
            put_name(out, from, names[k]);
}
