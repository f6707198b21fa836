/* Sort programs: what is accepted keeps to its limits. */
#include "fmt/imap_sort.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
    struct imap_lex lex;
    struct imap_sort s;
    enum thread_algorithm algorithm;
    imap_lex_init(&lex, str_mem(data, size), a);
    if (imap_sort_parse(&lex, &s) == RC_OK) {
        must(lex.at <= size && lex.depth == 0 && s.n > 0 && s.n <= SORT_KEYS_MAX);
        for (size_t i = 0; i < s.n; i++)
            must(s.by[i].key <= SORT_TO);
    }
    imap_lex_init(&lex, str_mem(data, size), a);
    if (imap_thread_algorithm(&lex, &algorithm) == RC_OK)
        must(algorithm <= THREAD_REFS);
    return 0;
}
