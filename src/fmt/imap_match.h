/* imap_match: mailbox name patterns of LIST (RFC 9051 §6.3.9). */
#ifndef FMT_IMAP_MATCH_H
#define FMT_IMAP_MATCH_H

#include "base/str.h"

enum { IMAP_PATTERN_MAX = 1024 };

/* Whether all of name matches: "*" stands for any bytes, "%" for any but the separator. Bytes are compared
 * exactly, but for a first component INBOX of the name, which matches in any case (RFC 9051 §5.1). Time is
 * O(pattern * name) whatever the wildcards; a pattern longer than IMAP_PATTERN_MAX matches nothing. */
bool imap_match(str pattern, str name, char separator);

#endif
