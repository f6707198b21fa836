/* LSUB (RFC 3501 §6.3.9): subscribed names, whether they exist or not. When "%" hides a subscribed name below
 * one that is not subscribed itself, that parent is told with \Noselect. */
#include "imap/list.h"

#include "base/map.h"

static void tell(struct imap_session *s, str attributes, str name)
{
    list_put(s, "LSUB", attributes, name);
    buf_puts(&s->out, S("\r\n"));
    imap_send(s);
}

/* The parents of a hidden name that the pattern matches, each once. told: names for which there is or will be
 * a line. */
static void tell_parents(struct imap_session *s, const struct list_patterns *p, struct map *told, str name)
{
    for (size_t i = 1; i < name.n; i++) {
        str parent = str_sub(name, 0, i);
        if (name.p[i] != s->start->separator || map_find(told, parent) || !list_matches(s, p, parent))
            continue;
        map_put(told, parent, told);
        tell(s, S("\\Noselect"), parent);
    }
}

static void tell_all(struct imap_session *s, const struct list_patterns *p, const struct store_box_info *all,
                     size_t n)
{
    struct map *told = map_new();
    for (size_t i = 0; i < n; i++)
        if (all[i].subscribed)
            map_put(told, all[i].name, told);
    for (size_t i = 0; i < n; i++) {
        if (!all[i].subscribed)
            continue;
        if (list_matches(s, p, all[i].name))
            tell(s, all[i].noselect ? S("\\Noselect") : STR_NONE, all[i].name);
        else
            tell_parents(s, p, told, all[i].name);
    }
    map_free(told);
}

enum rc imap_cmd_lsub(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    struct list_patterns patterns = {.n = 0};
    struct store_box_info *all;
    size_t n;
    str reference, pattern;
    enum rc rc;
    if ((rc = imap_sp(lex)) || (rc = imap_mailbox(lex, &reference)) || (rc = imap_sp(lex)) ||
        (rc = imap_list_mailbox(lex, &pattern)) || (rc = imap_eol(lex)) ||
        (rc = list_pattern_add(lex, &patterns, reference, pattern)))
        return rc;
    rc = store_list(s->store, s->arena, &all, &n, &re->err);
    if (rc == RC_OK)
        tell_all(s, &patterns, all, n);
    return rc;
}
