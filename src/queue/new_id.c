#include "queue/new_id.h"

#include "base/map.h"

#include <stdatomic.h>

str queue_new_id(char room[QUEUE_ID_SIZE])
{
    static _Atomic uint32_t counter;
    uint32_t start = (uint32_t)map_hash(S("queue id")); /* differs from process to process */
    uint32_t number = start + atomic_fetch_add_explicit(&counter, 1, memory_order_relaxed);
    return queue_id_format(clock_wall(), number & 0xffffff, room);
}
