/* Parameters of SELECT: sets that are accepted hold no "*", and match data comes in pairs. */
#include "fmt/imap_select.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_set(str text)
{
    for (size_t i = 0; i < text.n; i++)
        must(ascii_digit(text.p[i]) || text.p[i] == ':' || text.p[i] == ',');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
    struct imap_lex lex;
    struct imap_select_params p;
    imap_lex_init(&lex, str_mem(data, size), a);
    if (imap_select_params(&lex, &p) != RC_OK)
        return 0;
    must(lex.at <= size && lex.depth == 0);
    must(p.qresync ? p.uidvalidity > 0 && p.modseq <= INT64_MAX : p.uidvalidity == 0 && p.known_uids.n == 0);
    must(!p.match_seqs.n == !p.match_uids.n);
    check_set(p.known_uids);
    check_set(p.match_seqs);
    check_set(p.match_uids);
    return 0;
}
