/* append_message: one message of APPEND or REPLACE off the client into the store (RFC 4466 §2.5, RFC 3502,
 * RFC 4469, RFC 9755 §4): its flags and date, then one literal or the parts to catenate. Literals of content
 * stream; what must be refused is refused at the announcement, before the client sends it. */
#ifndef IMAP_APPEND_MESSAGE_H
#define IMAP_APPEND_MESSAGE_H

#include "imap/reply.h"

/* Whether the literal announced at the end of the text is content. A URL is gathered like any argument. */
bool append_message_streams(str text);

/* append-message = append-opts SP append-data, from the space before it; the cursor then stands behind it, in
 * the text that followed the last literal. The message is finished in ap. */
MUST_USE enum rc append_message_take(struct imap_session *s, struct imap_lex *lex, struct append *ap,
                                     struct imap_reply *re);

#endif
