/* The record of a parked session: any bytes. What is taken is what parked_put would have written. */
#include "fmt/parked.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str in = str_mem(data, size);
    struct buf again = BUF_INIT(PARKED_MAX);
    struct parked p;
    if (parked_parse(in, &p) == RC_OK) {
        parked_put(&again, &p);
        must(!again.overflow && str_eq(buf_str(&again), in));
    }
    parked_deinit(&p);
    buf_deinit(&again);
    return 0;
}
