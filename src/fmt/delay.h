/* delay: a duration as Postfix writes it in delay= and delays=: seconds, with two digits that matter
 * below 10. Pure. */
#ifndef FMT_DELAY_H
#define FMT_DELAY_H

#include "base/clock.h"

enum { DELAY_SIZE = 24 }; /* with its NUL */

/* "0", "0.02", "1.3", "24"; negative ones read as 0. Returns room. */
const char *delay_format(msec ms, char room[DELAY_SIZE]);

#endif
