/* Which mailboxes: what is accepted keeps to its limits, and each name that it gives is one of them. */
#include "base/utf8.h"
#include "fmt/imap_filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    struct imap_lex lex;
    struct imap_filter f;
    imap_lex_init(&lex, str_mem(data, size), a);
    if (imap_filter_parse(&lex, ~0u, &f) != RC_OK)
        return 0;
    must(lex.at <= size && lex.depth == 0);
    must((f.kind >= FILTER_SUBTREE) == (f.n > 0));
    must(f.n <= FILTER_NAMES_MAX);
    for (size_t i = 0; i < f.n; i++)
        must(utf8_valid(f.names[i]) && imap_filter_has(&f, f.names[i], false, '/'));
    return 0;
}
