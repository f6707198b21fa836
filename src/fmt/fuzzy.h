/* fuzzy: how nearly a text has the words of another, for SEARCH FUZZY (RFC 6203 §3, §4).
 *
 * Words are runs of letters and digits without their accents, in any order. Of each word that is asked for
 * the text's nearest one counts, by this scale, and all must be found; so whatever holds the words as they
 * are is found as well.
 *
 *     100  the same word
 *      75  one that begins so
 *      50  one that holds it
 *      25  with four letters or more: one letter is another, more, missing, or changed places with the next
 *       1  with eight letters or more: two of these
 *
 * Texts must have passed casefold_put. They come in windows: a word that a window cuts counts as two. Time is
 * linear in the text, with at most FUZZY_WORDS_MAX * FUZZY_WORD_MAX steps for a character. Pure. */
#ifndef FMT_FUZZY_H
#define FMT_FUZZY_H

#include "base/str.h"

enum { FUZZY_WORDS_MAX = 16, FUZZY_WORD_MAX = 32, FUZZY_EXACT = 100 };

struct fuzzy_word {
    uint32_t c[FUZZY_WORD_MAX]; /* code points */
    size_t n;
    bool cut;      /* it was longer: then only what begins so, or holds it, counts */
    unsigned best; /* of the text so far; 0: not found */
};

struct fuzzy {
    struct fuzzy_word words[FUZZY_WORDS_MAX];
    size_t n; /* 0: no words are asked for, and nothing is found */
};

/* RC_LIMIT: more words than FUZZY_WORDS_MAX. */
MUST_USE enum rc fuzzy_init(struct fuzzy *f, str folded);
/* A new text begins. */
void fuzzy_begin(struct fuzzy *f);
/* The next window of it. False: the rest cannot make it better. */
bool fuzzy_look(struct fuzzy *f, str folded);
/* The mean of the words, 1 to 100; 0: one of them is not there. */
unsigned fuzzy_score(const struct fuzzy *f);

#endif
