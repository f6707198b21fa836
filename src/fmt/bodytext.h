/* bodytext: the text of a message as UTF-8, for SEARCH BODY and TEXT and for the full-text index: transfer
 * encodings and charsets undone, markup left as it is. */
#ifndef FMT_BODYTEXT_H
#define FMT_BODYTEXT_H

#include "base/buf.h"
#include "fmt/mime.h"

/* A chunk of a part's text, cut between characters, at most 64 KiB. `first` tells that it does not continue
 * the chunk before. Returns false to stop. */
typedef bool bodytext_fn(void *arg, const struct mime_part *part, str utf8, bool first);

enum bodytext_what {
    BODYTEXT_BODIES, /* text parts: SEARCH BODY */
    BODYTEXT_ALL /* and the headers of the message, its parts and attached messages, with words decoded: TEXT
                  */
};

/* raw is what root was parsed from. False when fn stopped it. */
bool bodytext_each(str raw, const struct mime_part *root, enum bodytext_what what, bodytext_fn *fn,
                   void *arg);

#endif
