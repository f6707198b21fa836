/* Responses of IMAP servers: no text leads out of it, and nothing nests without a limit. */
#include "fmt/imap_response.h"

#include "base/buf.h"

#define ARENA_MAX (4 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_view(str text, str s)
{
    must(s.n == 0 || (s.p >= text.p && s.p + s.n <= text.p + text.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_MAX);
    str text = str_mem(data, size);
    struct imap_lex lex;
    struct imap_response r;
    struct imap_listed list;
    struct imap_counts counts;
    struct imap_found found;
    struct imap_fetched fetched;
    str prefix;
    imap_lex_init(&lex, text, a);
    if (imap_response_parse(&lex, &r) != RC_OK)
        return 0;
    must(lex.at <= size);
    check_view(text, r.tag);
    check_view(text, r.code);
    check_view(text, r.text);
    (void)imap_capability_has(r.code, S("LITERAL+"));
    if (r.condition != IMAP_SAYS_DATA)
        return 0;
    const struct imap_lex behind = lex;
    if (imap_response_list(&lex, &list) == RC_OK)
        must(list.name.p && list.name.n <= 2 * IMAP_MAILBOX_MAX);
    lex = behind;
    if (imap_response_namespace(&lex, &prefix) == RC_OK)
        must(prefix.n <= size);
    lex = behind;
    if (imap_response_status(&lex, &counts) == RC_OK)
        must(counts.mailbox.p && lex.depth == 0);
    lex = behind;
    if (imap_response_esearch(&lex, &found) == RC_OK)
        check_view(text, found.all);
    lex = behind;
    if (imap_response_fetch(&lex, &fetched) != RC_OK)
        return 0;
    must(lex.at <= size && lex.depth == 0 && fetched.n_flags <= IMAP_FLAGS_MAX);
    for (size_t i = 0; i < fetched.n_flags; i++)
        check_view(text, fetched.flags[i]);
    return 0;
}
