/* queue_id: the name of one message in all log lines and replies, in the shape of Postfix's long queue ids
 * (enable_long_queue_ids): six digits of seconds and four of microseconds in base 52, "z", a number in
 * base 51. Ids sort by time, hold no vowels (no words) and are unique for as long as (time, number) is. */
#ifndef FMT_QUEUE_ID_H
#define FMT_QUEUE_ID_H

#include "base/clock.h"
#include "base/str.h"

enum { QUEUE_ID_SIZE = 24 }; /* with its NUL */

str queue_id_format(usec time, uint32_t number, char ret[QUEUE_ID_SIZE]);

#endif
