/* Return options: what is accepted keeps to the rules of RFC 9394 §3.1, and a range written down is read
 * again as the same. */
#include "fmt/imap_return.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
    AUTO(buf_deinit) struct buf text = BUF_INIT(100);
    struct imap_lex lex;
    struct imap_return r;
    imap_lex_init(&lex, str_mem(data, size), a);
    if (imap_return_parse(&lex, &r) != RC_OK)
        return 0;
    must(lex.at <= size && lex.depth == 0);
    must(r.given ? r.options != 0 : r.options == 0);
    must(!(r.options & RETURN_PARTIAL) == !r.partial.given);
    must(!(r.options & RETURN_PARTIAL) || !(r.options & RETURN_ALL));
    if (!r.partial.given)
        return 0;
    must(r.partial.first > 0 && r.partial.first <= r.partial.last);
    imap_partial_put(&text, &r.partial);
    struct imap_partial again;
    imap_lex_init(&lex, buf_str(&text), a);
    must(imap_partial_range(&lex, &again) == RC_OK && imap_at_end(&lex));
    must(again.from_end == r.partial.from_end && again.first == r.partial.first &&
         again.last == r.partial.last);
    return 0;
}
