/* fetch_surrogate: what FETCH gives to a client for which headers are ASCII (imap_headers_are_ascii): of a
 * message that has UTF-8 there, the surrogate of fmt/surrogate.h, from which all items are made but the size
 * (RFC 9755 §8, §9). */
#ifndef IMAP_FETCH_SURROGATE_H
#define IMAP_FETCH_SURROGATE_H

#include "imap/fetch_body.h"

/* Whether sections or items show more of a message than its own header. */
bool fetch_shows_parts(const struct imap_fetch *fetch);
/* Whether an item as the index keeps it (ENVELOPE, BODY, BODYSTRUCTURE) may be another one in the surrogate.
 */
bool fetch_text_may_differ(str text);

/* Makes the message that is open its surrogate where it needs one: for its own header or, with `parts`, for
 * those of its parts, too. Returns whether it is one now. */
bool fetch_message_replace(struct fetch_message *m, bool parts);
/* Puts one of FETCH_ENVELOPE, FETCH_BODY and FETCH_BODYSTRUCTURE, made from what is open; or, where it gets
 * too long, the one that was kept. */
void fetch_text_put(struct imap_session *s, struct fetch_message *m, enum fetch_item item, str kept);

#endif
