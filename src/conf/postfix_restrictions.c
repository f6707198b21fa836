/* The lists of restrictions in main.cf, and the parameters that are classes of them. */
#include "conf/postfix.h"

enum { LIST_MAX = 1 << 20 };

/* "unix:private/policy" is below queue_directory; malle wants to know where that is. */
static void put_whole_paths(struct postfix *p, str text, struct buf *out)
{
    str queue = postfix_value(p, "queue_directory").text, unix_socket = S("unix:");
    for (ptrdiff_t at; (at = str_find(text, unix_socket)) >= 0;) {
        size_t end = (size_t)at + unix_socket.n;
        buf_puts(out, str_sub(text, 0, end));
        text = str_from(text, end);
        if (text.n && text.p[0] != '/')
            buf_printf(out, STR_FMT "/", STR_ARG(queue));
    }
    buf_puts(out, text);
}

str postfix_restrictions(struct postfix *p, const struct postfix_value *v)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(LIST_MAX);
    put_whole_paths(p, postfix_tables(p, v, "texthash:"), &out);
    return arena_str(p->f->a, buf_str(&out));
}

bool postfix_is_class(struct postfix *p, str name)
{
    str rest = postfix_value(p, "smtpd_restriction_classes").text, word;
    while ((word = folder_word(&rest)).n)
        if (str_eq(word, name))
            return true;
    return false;
}

static void set_parents(struct postfix *p)
{
    struct postfix_value v = postfix_value(p, "parent_domain_matches_subdomains");
    bool access = str_find(v.text, S("smtpd_access_maps")) >= 0,
         relay = str_find(v.text, S("relay_domains")) >= 0;
    folder_set(
        p->f, v.file, v.line, "parent_domain_matches_subdomains",
        arena_printf(p->f->a, "%s %s", access ? "smtpd_access_maps" : "", relay ? "relay_domains" : ""));
}

void postfix_set_classes(struct postfix *p)
{
    set_parents(p);
    AUTO(buf_deinit) struct buf out = BUF_INIT(LIST_MAX);
    struct postfix_value names = postfix_value(p, "smtpd_restriction_classes");
    str rest = names.text, word;
    while ((word = folder_word(&rest)).n) {
        struct postfix_value list = postfix_value(p, arena_str(p->f->a, word).p);
        buf_printf(&out, "%s" STR_FMT " = " STR_FMT, out.n ? "; " : "", STR_ARG(word),
                   STR_ARG(postfix_restrictions(p, &list)));
    }
    if (out.n)
        folder_set(p->f, names.file, names.line, "smtpd_restriction_classes", buf_str(&out));
}
