/* queue_id: the name of one message in all log lines and replies: eleven digits of microseconds in base 31,
 * "Z", a number in base 30. Like Postfix's long queue ids they sort by time, hold no
 * vowels (no words) and are unique for as long as (time, number) is; like its short ones they are digits and
 * capitals, so that tools that expect either kind know them. */
#ifndef FMT_QUEUE_ID_H
#define FMT_QUEUE_ID_H

#include "base/clock.h"
#include "base/str.h"

enum {
    QUEUE_ID_SIZE = 24,          /* with its NUL */
    QUEUE_ID_NUMBER_MAX = 809999 /* of four digits: the whole fits the column of mailq */
};

str queue_id_format(usec time, uint32_t number, char ret[QUEUE_ID_SIZE]);
/* Whether it has that shape. */
bool queue_id_valid(str s);

#endif
