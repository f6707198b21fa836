/* Arguments of NOTIFY: what is accepted keeps to the rules of RFC 5465 §5, §6.1 and §8. */
#include "fmt/imap_notify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    struct imap_lex lex;
    struct imap_notify n;
    size_t selected = 0;
    imap_lex_init(&lex, str_mem(data, size), a);
    if (imap_notify_parse(&lex, &n) != RC_OK)
        return 0;
    must(imap_at_end(&lex) && lex.depth == 0);
    must(n.none == (n.n == 0) && n.n <= NOTIFY_GROUPS_MAX);
    for (size_t i = 0; i < n.n; i++) {
        const struct imap_notify_group *g = &n.groups[i];
        must(!(g->events & NOTIFY_FLAGS) || (g->events & NOTIFY_MESSAGES));
        if (!(g->filter.kind & (FILTER_SELECTED | FILTER_SELECTED_DELAYED)))
            continue;
        must(++selected == 1);
        must(!(g->events & ~(unsigned)(NOTIFY_MESSAGES | NOTIFY_FLAGS)));
    }
    must(!n.has_fetch || (selected && (n.fetch.items || n.fetch.sections)));
    return 0;
}
