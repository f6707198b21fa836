/* imap_filter: see imap_filter.h. */
#include "fmt/imap_filter.h"

static const struct {
    str word;
    enum imap_filter_kind kind;
} KINDS[] = {
    {S("SELECTED"), FILTER_SELECTED},       {S("SELECTED-DELAYED"), FILTER_SELECTED_DELAYED},
    {S("INBOXES"), FILTER_INBOXES},         {S("PERSONAL"), FILTER_PERSONAL},
    {S("SUBSCRIBED"), FILTER_SUBSCRIBED},   {S("SUBTREE"), FILTER_SUBTREE},
    {S("SUBTREE-ONE"), FILTER_SUBTREE_ONE}, {S("MAILBOXES"), FILTER_MAILBOXES},
};
enum { NAMED = FILTER_SUBTREE | FILTER_SUBTREE_ONE | FILTER_MAILBOXES };

struct names {
    str *v;
    size_t n;
};

static enum rc add_name(struct imap_lex *lex, void *ctx)
{
    struct names *names = ctx;
    if (names->n == FILTER_NAMES_MAX)
        return imap_fail(lex, RC_LIMIT, "fewer mailboxes");
    return imap_mailbox(lex, &names->v[names->n++]);
}

/* one-or-more-mailbox = mailbox / "(" mailbox *(SP mailbox) ")" */
static enum rc parse_names(struct imap_lex *lex, struct imap_filter *f)
{
    struct names names = {.v = arena_array(lex->arena, FILTER_NAMES_MAX, sizeof *names.v)};
    if (!names.v)
        return imap_fail(lex, RC_LIMIT, "fewer mailboxes");
    enum rc rc = imap_sp(lex);
    if (rc == RC_OK)
        rc = imap_peek(lex) == '(' ? imap_list_of(lex, add_name, &names) : add_name(lex, &names);
    f->names = names.v;
    f->n = names.n;
    return rc;
}

enum rc imap_filter_parse(struct imap_lex *lex, unsigned permitted, struct imap_filter *ret)
{
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        if (!(permitted & KINDS[i].kind) || !imap_take_word(lex, KINDS[i].word))
            continue;
        struct imap_filter f = {.kind = KINDS[i].kind};
        enum rc rc = f.kind & NAMED ? parse_names(lex, &f) : RC_OK;
        if (rc == RC_OK)
            *ret = f;
        return rc;
    }
    return imap_expect(lex, "which mailboxes");
}

/* "" is above all mailboxes. */
static bool is_within(str name, str root, char separator, bool one_level)
{
    if (!str_starts(name, root))
        return false;
    str below = str_from(name, root.n);
    if (root.n > 0 && below.n > 0) {
        if (below.p[0] != separator)
            return false;
        below = str_from(below, 1);
    }
    return !one_level || str_chr(below, separator) < 0;
}

static bool has_named(const struct imap_filter *f, str name, char separator)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->kind == FILTER_MAILBOXES
                ? str_eq(name, f->names[i])
                : is_within(name, f->names[i], separator, f->kind == FILTER_SUBTREE_ONE))
            return true;
    return false;
}

bool imap_filter_has(const struct imap_filter *f, str name, bool subscribed, char separator)
{
    switch (f->kind) {
    case FILTER_INBOXES: /* RFC 5465 §6.3: as personal, where it is not known where mail is delivered */
    case FILTER_PERSONAL:
        return true;
    case FILTER_SUBSCRIBED:
        return subscribed;
    case FILTER_SUBTREE:
    case FILTER_SUBTREE_ONE:
    case FILTER_MAILBOXES:
        return has_named(f, name, separator);
    case FILTER_SELECTED:
    case FILTER_SELECTED_DELAYED:
        break;
    }
    return false;
}
