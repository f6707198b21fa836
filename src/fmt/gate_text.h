/* gate_text: what a client sent, as Postfix's postscreen puts it into the log: "\r\n" for CRLF, other control
 * characters and bytes above 0x7e in octal, a backslash doubled. Pure. */
#ifndef FMT_GATE_TEXT_H
#define FMT_GATE_TEXT_H

#include "base/buf.h"

void gate_text_put(struct buf *out, str bytes);

#endif
