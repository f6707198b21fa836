/* imap_date: the two date forms of IMAP (RFC 9051 §9, date-text and date-time), in and out. Proleptic Gregorian
 * calendar, no locale, no time zone data. */
#ifndef FMT_IMAP_DATE_H
#define FMT_IMAP_DATE_H

#include "base/buf.h"

/* date-text, "1-Feb-1994" or "01-Feb-1994": days since 1970-01-01. RC_INVALID for another form or a day that is not
 * in the calendar. */
MUST_USE enum rc imap_date_parse(str s, int64_t *ret_days);
/* date-time without its quotes, "17-Jul-1996 02:44:25 -0700" (the day may have a leading space): seconds since 1970.
 * RC_INVALID as above, also for hours past 23, minutes past 59 and seconds past 60. */
MUST_USE enum rc imap_date_time_parse(str s, int64_t *ret_seconds);
/* date-time with its quotes, in UTC: "\"17-Jul-1996 09:44:25 +0000\"". Years are clipped to 0000 to 9999. */
void imap_date_time_format(int64_t seconds, struct buf *out);

#endif
