/* date: the date forms of mail (RFC 5322 §3.3 and §4.3) and of IMAP (RFC 9051 §9 "date-time", "date").
 * Calendar arithmetic is done here: no time zone of the machine is ever asked. Years 1 to 9999. */
#ifndef FMT_DATE_H
#define FMT_DATE_H

#include "base/buf.h"

struct date {
    int64_t seconds;  /* since 1970-01-01 00:00:00 UTC */
    int zone_minutes; /* of the zone it was written in, east of UTC: +0230 is 150 */
};

/* The day as written, in its own zone, as days since 1970-01-01: what SENTSINCE and BEFORE compare. */
int64_t date_day(struct date d);

/* RFC 5322 date-time with comments, obsolete zones and two- or three-digit years; the day's name is not
 * checked and a missing zone is UTC. RC_INVALID for anything else; garbage behind the zone is ignored. */
MUST_USE enum rc date_parse_mail(str s, struct date *ret);
/* "Mon, 23 Nov 2026 08:00:00 +0100" */
void date_format_mail(struct buf *out, struct date d);

/* IMAP date-time without its quotes, " 1-Jul-2026 02:44:25 -0700". */
MUST_USE enum rc date_parse_imap(str s, struct date *ret);
void date_format_imap(struct buf *out, struct date d);

/* IMAP date without quotes, "1-Jul-2026", as days since 1970-01-01. */
MUST_USE enum rc date_parse_imap_day(str s, int64_t *ret_day);
void date_format_imap_day(struct buf *out, int64_t day);

/* "1996-12-19T16:39:57.5-08:00", "1985-04-12T23:20:50Z" (RFC 3339 §5.6); fractions of seconds are cut off. */
MUST_USE enum rc date_parse_internet(str s, struct date *ret);
/* "1985-04-12T23:20:50Z": always in UTC. */
void date_format_internet(struct buf *out, int64_t seconds);

#endif
