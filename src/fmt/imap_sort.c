/* imap_sort: see imap_sort.h. */
#include "fmt/imap_sort.h"

static const str KEYS[] = {
    [SORT_ARRIVAL] = S("ARRIVAL"),     [SORT_CC] = S("CC"),
    [SORT_DATE] = S("DATE"),           [SORT_DISPLAYFROM] = S("DISPLAYFROM"),
    [SORT_DISPLAYTO] = S("DISPLAYTO"), [SORT_FROM] = S("FROM"),
    [SORT_RELEVANCY] = S("RELEVANCY"), [SORT_SIZE] = S("SIZE"),
    [SORT_SUBJECT] = S("SUBJECT"),     [SORT_TO] = S("TO"),
};
static const str ALGORITHMS[] = {
    [THREAD_ORDEREDSUBJECT] = S("ORDEREDSUBJECT"),
    [THREAD_REFERENCES] = S("REFERENCES"),
    [THREAD_REFS] = S("REFS"),
};

/* Which of the words stands next; n when none does. */
static size_t take_one(struct imap_lex *lex, const str *words, size_t n)
{
    size_t i = 0;
    while (i < n && !imap_take_word(lex, words[i]))
        i++;
    return i;
}

/* sort-criterion = ["REVERSE" SP] sort-key */
static enum rc parse_criterion(struct imap_lex *lex, void *ctx)
{
    struct imap_sort *sort = ctx;
    enum { N_KEYS = sizeof KEYS / sizeof *KEYS };
    if (sort->n == SORT_KEYS_MAX)
        return imap_fail(lex, RC_LIMIT, "fewer sort keys");
    bool reverse = imap_take_word(lex, S("REVERSE"));
    enum rc rc = reverse ? imap_sp(lex) : RC_OK;
    if (rc != RC_OK)
        return rc;
    size_t key = take_one(lex, KEYS, N_KEYS);
    if (key == N_KEYS)
        return imap_expect(lex, "a sort key");
    sort->by[sort->n].key = (enum sort_key)key;
    sort->by[sort->n++].reverse = reverse;
    return RC_OK;
}

enum rc imap_sort_parse(struct imap_lex *lex, struct imap_sort *ret)
{
    struct imap_sort sort = {0};
    enum rc rc = imap_list_of(lex, parse_criterion, &sort);
    if (rc == RC_OK)
        *ret = sort;
    return rc;
}

enum rc imap_thread_algorithm(struct imap_lex *lex, enum thread_algorithm *ret)
{
    size_t i = take_one(lex, ALGORITHMS, sizeof ALGORITHMS / sizeof *ALGORITHMS);
    if (i == sizeof ALGORITHMS / sizeof *ALGORITHMS)
        return imap_expect(lex, "ORDEREDSUBJECT, REFERENCES or REFS");
    *ret = (enum thread_algorithm)i;
    return RC_OK;
}
