/* imap_sort: the sort program of SORT (RFC 5256 §3, RFC 5957 §3) and the algorithm of THREAD. */
#ifndef FMT_IMAP_SORT_H
#define FMT_IMAP_SORT_H

#include "fmt/imap_lex.h"

enum { SORT_KEYS_MAX = 16 };

enum sort_key {
    SORT_ARRIVAL,
    SORT_CC,
    SORT_DATE,
    SORT_DISPLAYFROM,
    SORT_DISPLAYTO,
    SORT_FROM,
    SORT_RELEVANCY, /* RFC 6203 §6 */
    SORT_SIZE,
    SORT_SUBJECT,
    SORT_TO
};

struct imap_sort {
    struct {
        enum sort_key key;
        bool reverse;
    } by[SORT_KEYS_MAX];
    size_t n;
};

/* "(" sort-criterion *(SP sort-criterion) ")"; RC_LIMIT past SORT_KEYS_MAX. */
MUST_USE enum rc imap_sort_parse(struct imap_lex *lex, struct imap_sort *ret);

enum thread_algorithm { THREAD_ORDEREDSUBJECT, THREAD_REFERENCES, THREAD_REFS };
/* thread-alg */
MUST_USE enum rc imap_thread_algorithm(struct imap_lex *lex, enum thread_algorithm *ret);

#endif
