/* helo_name: names of hosts as Postfix's restrictions judge them, by their text alone. Pure. */
#ifndef FMT_HELO_NAME_H
#define FMT_HELO_NAME_H

#include "base/str.h"

/* Labels of 1 to 63 letters, digits, "_" and inner "-", divided by dots, with something that is no digit; at
 * most 255 bytes; no dot at its end. */
bool helo_name_is_valid(str name);
/* "[192.0.2.1]" or "[IPv6:2001:db8::1]" (RFC 5321 §4.1.3). */
bool helo_name_is_literal(str name);

#endif
