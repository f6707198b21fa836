/* imap_lex: every rule at every offset, chosen by the input's own bytes; results must lie in bounds and never
 * move the cursor past the end. */
#include "fmt/imap_lex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum rc string_rule(struct imap_lex *lex, unsigned which)
{
    typedef enum rc str_rule(struct imap_lex *, str *);
    static str_rule *const rules[] = {imap_tag,     imap_atom,    imap_quoted,       imap_string,
                                      imap_astring, imap_nstring, imap_list_mailbox, imap_set_text,
                                      imap_flag,    imap_mailbox};
    str s = STR_NONE;
    enum rc rc = rules[which % 10](lex, &s);
    volatile unsigned char sum = 0;
    for (size_t i = 0; i < s.n; i++)
        sum = (unsigned char)(sum + (unsigned char)s.p[i]);
    return rc;
}

static enum rc other_rule(struct imap_lex *lex, unsigned which)
{
    const str *names;
    size_t n;
    int64_t v;
    uint64_t u;
    switch (which % 8) {
    case 0:
        return imap_flag_list(lex, &names, &n);
    case 1:
        return imap_date(lex, &v);
    case 2:
        return imap_date_time(lex, &v);
    case 3:
        return imap_list_begin(lex);
    case 4:
        return imap_list_end(lex);
    case 5:
        return imap_number64(lex, &u);
    case 6:
        return imap_literal_mark(lex);
    default:
        return imap_sp(lex);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct arena *arena = arena_new(1 << 14);
    struct imap_lex lex;
    imap_lex_init(&lex, str_mem(data + 1, size - 1), arena);
    lex.utf8_names = size & 1;
    lex.utf8_only = size & 2;
    for (unsigned step = data[0]; !imap_at_end(&lex); step = step * 5 + 1) {
        size_t before = lex.at;
        enum rc rc = step & 64 ? string_rule(&lex, step) : other_rule(&lex, step);
        must(lex.at <= lex.text.n);
        if (rc)
            must(lex.expected && lex.expected_at <= lex.text.n);
        if (lex.at == before)
            lex.at++;
    }
    arena_freep(&arena);
    return 0;
}
