/* The next attempt: within its bounds, and never sooner for a greater age or more attempts. Input: the
 * shortest and the longest wait, two ages, two numbers of attempts and the chance, as they lie in memory. */
#include "fmt/backoff.h"

#include "base/err.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    uint64_t shortest, longest, age[2];
    uint32_t attempts[2], chance;
};

enum { WAIT_MAX = 1 << 30 }; /* some twelve days, more than can be set */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {.shortest = 0};
    memcpy(&in, data, size < sizeof in ? size : sizeof in);
    struct backoff b = {.minimal = 1 + (msec)(in.shortest % WAIT_MAX)};
    b.maximal = b.minimal + (msec)(in.longest % WAIT_MAX);
    double random = (double)in.chance / 4294967296.0;
    msec age[2] = {(msec)(in.age[0] >> 1), (msec)(in.age[1] >> 1)};
    unsigned attempts[2] = {in.attempts[0] ? in.attempts[0] : 1, in.attempts[1] ? in.attempts[1] : 1};
    unsigned older = age[1] >= age[0], more = attempts[1] >= attempts[0];
    msec least = backoff_next(&b, age[!older], attempts[!more], random);
    must(least >= b.minimal && least <= b.maximal);
    must(backoff_next(&b, age[older], attempts[!more], random) >= least);
    must(backoff_next(&b, age[!older], attempts[more], random) >= least);
    return 0;
}
