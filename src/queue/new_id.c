#include "queue/new_id.h"

#include "base/map.h"

#include <stdatomic.h>

enum { PER_LANE = (QUEUE_ID_NUMBER_MAX + 1) / QUEUE_ID_LANES };

static unsigned own_lane;

void queue_new_id_lane(unsigned lane)
{
    must(lane < QUEUE_ID_LANES);
    own_lane = lane;
}

str queue_new_id(char room[QUEUE_ID_SIZE])
{
    static _Atomic uint32_t counter;
    uint32_t start = (uint32_t)map_hash(S("queue id")); /* the clock may be set back before a restart */
    uint32_t number = start + atomic_fetch_add_explicit(&counter, 1, memory_order_relaxed);
    return queue_id_format(clock_wall(), number % PER_LANE * QUEUE_ID_LANES + own_lane, room);
}
