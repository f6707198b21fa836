/* search_text: what SEARCH asks of one message's bytes: its header fields, its date, its decoded text. Texts
 * are compared after decoding (RFC 2047, transfer encoding, charset) and folding (fmt/casefold.h), as RFC
 * 9051 §6.4.4 wants. */
#ifndef IMAP_SEARCH_TEXT_H
#define IMAP_SEARCH_TEXT_H

#include "fmt/foldtext.h"
#include "imap/search_plan.h"

struct search_text {
    str raw, header; /* of the message; set when one begins */
    bool bodies_done, texts_done;
    bool date_done, date_valid;
    int64_t date_day;
    struct arena *arena; /* of the tree of parts, emptied for each message */
    struct foldtext text;
    struct buf decoded, folded; /* of a field */
};

void search_text_init(struct search_text *t);
void search_text_deinit(struct search_text *t);

/* The message that the questions below are about; raw stays the caller's. */
void search_text_begin(struct search_text *t, str raw);
/* The same where of the message only header fields are known: for questions about those. */
void search_text_begin_header(struct search_text *t, str header);

/* Whether a field of that name holds the folded needle; with an empty one, whether there is such a field. */
bool search_text_header(struct search_text *t, str field, str needle);
/* The day of the Date field as written, in its own zone; false when there is none that can be read. */
bool search_text_sent_day(struct search_text *t, int64_t *ret_day);
/* How nearly a key that is fuzzy is met, 1 to 100; 0: not at all (fmt/fuzzy.h). */
unsigned search_text_score(struct search_text *t, const struct search_plan *key);
/* Answers any other BODY or TEXT key: the first for a message sets `found` of all keys of its kind. */
bool search_text_find(struct search_text *t, struct search_program *p, const struct search_plan *key);

#endif
