/* The clocks of the kernel and the offset that tests put on them. The offset is atomic: threads read it.
 */
#include "base/clock.h"

#include <stdatomic.h>

static _Atomic msec injected_ms, injected_wall_ms;

static usec read_us(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    msec offset = atomic_load_explicit(&injected_ms, memory_order_relaxed);
    return (usec)t.tv_sec * 1000000 + t.tv_nsec / 1000 + offset * 1000;
}

usec clock_wall(void)
{
    return read_us(CLOCK_REALTIME) + atomic_load_explicit(&injected_wall_ms, memory_order_relaxed) * 1000;
}

msec clock_mono(void)
{
    return read_us(CLOCK_MONOTONIC) / 1000;
}

msec clock_boot(void)
{
    return read_us(CLOCK_BOOTTIME) / 1000;
}

void clock_inject_offset(msec offset)
{
    atomic_store_explicit(&injected_ms, offset, memory_order_relaxed);
}

void clock_inject_wall_offset(msec offset)
{
    atomic_store_explicit(&injected_wall_ms, offset, memory_order_relaxed);
}
