/* Doubling with a bound, and a spread that keeps the order. */
#include "fmt/backoff.h"

#include "base/err.h"

msec backoff_next(const struct backoff *b, msec age, unsigned attempts, double random)
{
    must(b->minimal > 0 && b->minimal <= b->maximal && age >= 0 && attempts > 0 && random >= 0 && random < 1);
    msec wait = b->minimal;
    for (unsigned i = 1; i < attempts && wait < b->maximal; i++)
        wait = wait > b->maximal / 2 ? b->maximal : 2 * wait;
    if (wait < age)
        wait = age < b->maximal ? age : b->maximal;
    double spread = (double)wait * (0.75 + random / 2);
    if (spread <= (double)b->minimal)
        return b->minimal;
    return spread >= (double)b->maximal ? b->maximal : (msec)spread;
}
