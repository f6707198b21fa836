/* idn: internationalised domain names, U-labels to A-labels and back (IDNA2008, RFC 5891), by libidn2.
 * ASCII names are folded to lower case without the library. */
#ifndef FMT_IDN_H
#define FMT_IDN_H

#include "base/buf.h"

enum { DOMAIN_MAX = 255 };

/* Appends the lower-case A-label form of a domain in UTF-8. RC_INVALID: not a domain that IDNA allows;
 * RC_LIMIT: longer than DOMAIN_MAX, or out overflows. */
MUST_USE enum rc idn_put_ascii(struct buf *out, str domain);
/* Appends the U-label form, for display. RC_INVALID as above. */
MUST_USE enum rc idn_put_unicode(struct buf *out, str domain);

#endif
