/* Time. Everything that schedules, expires or stamps asks here, so that tests can inject a clock:
 * clock_inject_offset shifts all clocks of this process. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

typedef int64_t msec; /* milliseconds, a duration or a monotonic instant */
typedef int64_t usec; /* microseconds since 1970 */

usec clock_wall(void); /* wall clock */
msec clock_mono(void); /* monotonic */
msec clock_boot(void); /* likewise, and it goes on while the machine sleeps */
static inline int64_t clock_seconds(void)
{
    return clock_wall() / 1000000;
}
void clock_inject_offset(msec offset);
void clock_inject_wall_offset(msec offset); /* of the wall clock alone, as when it is set */

#endif
