/* preview: the beginning of a message as a list of messages shows it (RFC 8970): its first plain text, or its
 * first HTML without the markup, in one line. */
#ifndef FMT_PREVIEW_H
#define FMT_PREVIEW_H

#include "base/buf.h"
#include "fmt/mime.h"

enum { PREVIEW_CHARACTERS_MAX = 200 }; /* RFC 8970 §3.2 */

/* Appends UTF-8 without control characters; nothing when the message has no text. raw is what root was parsed
 * from. */
void preview_put(struct buf *out, str raw, const struct mime_part *root);

#endif
