/* sort_keys: what SORT and THREAD compare (RFC 5256 §2), for many messages, from the index: dates, sizes, and
 * texts decoded, folded and cut to SORT_TEXT_MAX bytes. */
#ifndef IMAP_SORT_KEYS_H
#define IMAP_SORT_KEYS_H

#include "fmt/envelope_read.h"
#include "fmt/imap_sort.h"
#include "imap/session.h"

enum { SORT_TEXT_MAX = 1000 };

struct sort_value {
    int64_t number;
    str text;
};

/* Makes keys; one for a whole command. */
struct sort_maker {
    struct arena *keep;    /* where texts lie; the caller's */
    struct arena *scratch; /* of one message */
    struct buf decoded, folded;
};

void sort_maker_init(struct sort_maker *m, struct arena *keep);
void sort_maker_deinit(struct sort_maker *m);

/* Seconds since 1970 of the Date field, else of INTERNALDATE (RFC 5256 §2.2). */
int64_t sort_sent_date(const struct envelope_fields *f, const struct box_msg *msg);
/* The base subject, in the form that is compared; STR_NONE when keep is exhausted. */
str sort_subject(struct sort_maker *m, str subject, bool *ret_reply);
/* The value of one key; score is that of RELEVANCY. RC_LIMIT: keep is exhausted. */
MUST_USE enum rc sort_value_make(struct sort_maker *m, enum sort_key key, const struct envelope_fields *f,
                                 const struct box_msg *msg, unsigned score, struct sort_value *ret);
bool sort_key_needs_envelope(enum sort_key key);
bool sort_key_needs_address(enum sort_key key); /* more of it than date and subject */

#endif
