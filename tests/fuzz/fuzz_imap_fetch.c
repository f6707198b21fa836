/* FETCH items: the echo of a section is canonical, so parsing it again must give the same section and the
 * same echo. */
#include "fmt/imap_fetch.h"

#define ARENA_MAX (4 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_section(const struct fetch_section *sec, struct arena *a)
{
    must(sec->n_path <= FETCH_PATH_MAX && sec->n_fields <= FETCH_FIELDS_MAX);
    if (!str_starts(sec->echo, S("BODY[")))
        return;
    AUTO(buf_deinit) struct buf text = BUF_INIT(ARENA_MAX);
    str echo = sec->echo;
    if (sec->partial)
        echo.n--; /* "<0>" becomes "<0.7>" */
    buf_puts(&text, echo);
    if (sec->partial)
        buf_puts(&text, S(".7>"));
    struct imap_lex lex;
    struct imap_fetch again;
    imap_lex_init(&lex, buf_str(&text), a);
    if (imap_fetch_parse(&lex, &again) != RC_OK) {
        must(arena_exhausted(a));
        return;
    }
    must(imap_at_end(&lex));
    must(again.sections && !again.sections->next && again.items == 0);
    must(str_eq(again.sections->echo, sec->echo));
    must(again.sections->part == sec->part && again.sections->n_path == sec->n_path);
    must(again.sections->n_fields == sec->n_fields && again.sections->offset == sec->offset);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_MAX);
    struct imap_lex lex;
    struct imap_fetch f;
    imap_lex_init(&lex, str_mem(data, size), a);
    if (imap_fetch_parse(&lex, &f) != RC_OK)
        return 0;
    must(lex.at <= size && lex.depth == 0);
    must(f.items || f.sections);
    for (const struct fetch_section *sec = f.sections; sec; sec = sec->next)
        check_section(sec, a);
    if (imap_fetch_modifiers(&lex, &f) == RC_OK)
        must(lex.at <= size && lex.depth == 0 && (!f.vanished || f.has_since));
    return 0;
}
