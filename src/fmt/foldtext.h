/* foldtext: the text of a message (fmt/bodytext.h) folded for comparison (fmt/casefold.h), for SEARCH BODY
 * and TEXT. It comes in windows, because a large message must not lie in memory twice. */
#ifndef FMT_FOLDTEXT_H
#define FMT_FOLDTEXT_H

#include "fmt/bodytext.h"

/* A window of folded text. Returns false to stop. */
typedef bool foldtext_fn(void *arg, str window);

struct foldtext { /* buffers, kept from message to message */
    struct buf held, window;
};

void foldtext_init(struct foldtext *t);
void foldtext_deinit(struct foldtext *t);

/* Hands out the folded texts of a message, which raw is and root was parsed from. A window begins with the
 * last `keep` bytes of the one before it (or all, if it had fewer) as long as they are of one text: a field,
 * the body of a part. False when fn stopped it. */
bool foldtext_each(struct foldtext *t, str raw, const struct mime_part *root, enum bodytext_what what,
                   size_t keep, foldtext_fn *fn, void *arg);

#endif
