/* Queries of doveadm: whatever is typed, what comes out is a program that SEARCH takes whole. */
#include "fmt/doveadm_query.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "fmt/imap_search.h"

enum { ARENA_MAX = 4 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Words end at a line end. */
static size_t split(char *text, char **v)
{
    size_t n = 0;
    for (char *at = text; *at && n < DOVEADM_WORDS_MAX;) {
        v[n++] = at;
        at += strcspn(at, "\n");
        if (*at)
            *at++ = '\0';
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!utf8_valid(str_mem(data, size)))
        return 0; /* SEARCH refuses such text */
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_MAX);
    AUTO(str_freep) char *text = str_dup(str_mem(data, size));
    char *words[DOVEADM_WORDS_MAX];
    const struct doveadm_query q = {.words = words,
                                    .n = split(text, words),
                                    .mailbox = S("INBOX"),
                                    .guid = S("00"),
                                    .separator = '.',
                                    .now = 1784281465};
    struct search_node *root;
    struct imap_lex lex;
    struct err e = {0};
    struct doveadm_program p;
    enum rc rc = doveadm_query_format(&q, a, &p, &e);
    if (rc != RC_OK) {
        must(e.rc == rc && err_text(&e)[0]);
        return 0;
    }
    imap_lex_init(&lex, arena_printf(a, "CHARSET UTF-8 " STR_FMT, STR_ARG(p.text)), a);
    rc = imap_search_parse(&lex, &root);
    must(rc == RC_LIMIT || (rc == RC_OK && imap_at_end(&lex)));
    return 0;
}
